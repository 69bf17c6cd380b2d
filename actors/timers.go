package actors

import (
	"sync"
	"time"
)

// timers are those of one run. They end with it: what would come afterwards finds nobody, and would keep all of the run in memory
// until then.
type timers struct {
	clock Clock

	mu     sync.Mutex
	live   map[*timer]bool
	closed bool
	paused bool // none comes, and what is left of each stays as it is
}

// timer is one of them, from after until it has come or was stopped.
type timer struct {
	f    func()
	left time.Duration // when it was armed last, or paused
	due  time.Time
	turn int         // how often it was armed or paused: what was armed before is not meant
	halt func() bool // nil while it is paused, and until the clock has said how it is stopped
}

func newTimers(c Clock) *timers { return &timers{clock: c, live: map[*timer]bool{}} }

// after calls f after d, in a goroutine of the clock's, unless it is stopped or the run ends before. Time in which the run is
// suspended does not count.
func (t *timers) after(d time.Duration, f func()) (stop func()) {
	x := &timer{f: f, left: d}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return func() {}
	}
	t.live[x] = true
	if t.paused {
		t.mu.Unlock()
	} else {
		t.arm(x)
	}
	return func() {
		if halt, waits := t.forget(x, -1); waits && halt != nil {
			halt()
		}
	}
}

// arm sets a timer. The caller holds mu, which is given back: the clock may be a host's.
func (t *timers) arm(x *timer) {
	x.turn++
	turn := x.turn
	t.mu.Unlock()
	due := t.clock.Now().Add(x.left)
	halt := t.clock.AfterFunc(x.left, func() {
		if _, waits := t.forget(x, turn); waits {
			x.f()
		}
	})
	t.mu.Lock()
	meant := t.live[x] && x.turn == turn
	if meant {
		x.due, x.halt = due, halt
	}
	t.mu.Unlock()
	if !meant {
		halt() // it has come, was stopped, or paused
	}
}

// forget reports whether the timer was still to come, in that turn (-1: in any), and how it is halted.
func (t *timers) forget(x *timer, turn int) (halt func() bool, waits bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.live[x] || turn >= 0 && x.turn != turn {
		return nil, false
	}
	delete(t.live, x)
	return x.halt, true
}

// pause stops the time of all timers until resume.
func (t *timers) pause() {
	now := t.clock.Now()
	var halts []func() bool
	t.mu.Lock()
	t.paused = true
	for x := range t.live {
		x.turn++
		if x.halt != nil {
			x.left = max(0, x.due.Sub(now))
			halts = append(halts, x.halt)
			x.halt = nil
		}
	}
	t.mu.Unlock()
	for _, halt := range halts {
		halt()
	}
}

// resume goes on with what is left.
func (t *timers) resume() {
	t.mu.Lock()
	t.paused = false
	var all []*timer
	for x := range t.live {
		all = append(all, x)
	}
	t.mu.Unlock()
	for _, x := range all {
		t.mu.Lock()
		if t.paused || !t.live[x] || x.halt != nil {
			t.mu.Unlock()
			continue
		}
		t.arm(x)
	}
}

// close stops all.
func (t *timers) close() {
	t.mu.Lock()
	live := t.live
	t.live, t.closed = nil, true
	t.mu.Unlock()
	for x := range live {
		if x.halt != nil {
			x.halt()
		}
	}
}
