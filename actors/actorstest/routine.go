package actorstest

import (
	"iter"
	"slices"
	"time"
)

// routine is something that happens and may wait in its middle, as a goroutine does. Only one runs at a time: the others stand
// where they wait, with all that they hold.
type routine struct {
	label string
	next  func() (struct{}, bool)
	yield func(struct{}) bool
}

// waiter is a routine that waits for try to be true.
type waiter struct {
	r   *routine
	try func() bool
}

// begin runs f up to its end, or to the first place where it waits.
func (s *Sim) begin(label string, f func()) {
	r := &routine{label: label}
	r.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		r.yield = yield
		f()
	})
	s.resume(r)
}

func (s *Sim) resume(r *routine) {
	outer := s.inside
	s.inside = r
	r.next()
	s.inside = outer
}

// Await is how the engine waits (actors.Options): it returns after try was true. Meanwhile others go on.
func (s *Sim) Await(try func() bool) {
	if try() {
		return
	}
	r := s.inside
	s.parked = append(s.parked, waiter{r, try})
	r.yield(struct{}{})
}

// unpark makes ready what need not wait any more, in the order in which it came.
func (s *Sim) unpark() {
	s.parked = slices.DeleteFunc(s.parked, func(w waiter) bool {
		if !w.try() {
			return false
		}
		s.push(event{label: "goes on: " + w.r.label, resumes: w.r})
		return true
	})
}

// sleep lets time pass for what is happening.
func (s *Sim) sleep(d time.Duration) {
	r := s.inside
	s.after(d, event{label: "awake: " + r.label, resumes: r}, nil)
	r.yield(struct{}{})
}

// slow is called where something may take long: sometimes it does.
func (s *Sim) slow(what string) {
	if s.inside != nil && s.chance(s.faults.Slow) {
		s.note("slow: " + what)
		s.sleep(s.slowness())
	}
}

// turn is called where an actor begins a turn: sometimes that takes long, or very long.
func (s *Sim) turn(actor string) {
	if s.inside != nil && s.chance(s.faults.Long) {
		s.note("long: turn of " + actor)
		s.sleep(s.longTurn())
	}
	s.slow("turn of " + actor)
}
