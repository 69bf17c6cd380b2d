// Package actorstest drives the real actors of a run from one goroutine at a time, over a memory file system and scripted
// processes: a seed decides what happens next, what comes late, twice or never, what takes long, and which actor panics. Equal
// seeds give equal traces, so a failure replays from its seed. After each event the invariants of chapter 2, section 13 are
// checked.
//
// Time stands still while anything can happen and then jumps to the next timer; delays of messages are shorter than the
// interval of the stall check, as they are in life. What takes longer than that is work: a Receive that calls into a host, a
// disk, a process that takes its time to start or to hear a signal (Faults.Slow). Whatever waits in its middle (routine.go) keeps
// what it holds: its mailbox, its worker, its locks.
//
// The library's own messages (start, stop, watch, terminated) are events like all others: of one actor they come in order and
// before what its users sent, but nothing says when an actor gets to them.
package actorstest

import (
	"fmt"
	"hash/fnv"
	"math/rand"
	"sort"
	"strings"
	"time"
)

// Faults says how often what goes wrong, in a thousand messages.
type Faults struct {
	Late, Twice, Lost int
	// System is how often what the library tells an actor comes late, or after one more message of a user, as when both
	// are posted while the mailbox looks.
	System int
	// Slow is how often a Receive, a call of the observer's, work, an operation of the disk, a start and a signal take 1 to 8 seconds.
	// What else needs the actor, the worker or the lock waits; all others go on.
	Slow int
	// Long is how often a turn takes longer than any silence is borne, as when a program stands still in a debugger. Reminders pile up
	// meanwhile.
	Long int
	// Tight lets two events of output at a time be on their way to the observer, and makes workers rare. An event that is lost
	// keeps its share for good, so it does not go with Lost: in life events are lost with their observer, and then nobody waits.
	Tight             bool
	PanicAt           int    // the actor that gets the n-th message panics; 0: none
	PanicIn           string // only this actor counts
	PanicBusy         bool   // the first task actor that gets a message while its process lives panics
	CancelAt          int    // a signal comes before the n-th message; 0: none
	SecondAt, ThirdAt int    // further signals
	CancelInStart     int    // the n-th start takes long, and a signal comes meanwhile; 0: none
	HostCancels       bool
	// CancelAtEvent: a signal comes while the observer has the n-th event, and further ones, if SecondAt and ThirdAt are set, with those that follow; 0: none.
	CancelAtEvent int
	ObserverAt    int // the observer panics at the n-th event; 0: never
	// InOrder delivers messages in the order in which they were sent, as the real mailboxes do; what workers and processes
	// do still ends in any order.
	InOrder bool
	// Mute is a type of which every message is lost, "actors.turnOver". Where that only wakes somebody up it costs nothing, so it does
	// not count as lost.
	Mute string
}

// Sim is the scheduler: everything that could happen next, and the seed that chooses.
type Sim struct {
	rng    *rand.Rand
	now    time.Time
	ready  []event
	timers []timer
	serial int
	inside *routine // what is happening
	parked []waiter
	work   int // that is in the middle

	changing, changes int // entries that are being published or set aside right now; the most at a time

	faults  Faults
	steps   int // events run
	posted  int // messages delivered, for PanicAt and CancelAt
	lost    int
	trace   []string
	keep    bool
	hash    uint64
	onPost  func(to string, m any) // a message was sent
	onStart func(to string, m any) // a message is about to be delivered
	onEnd   func(to string, m any) // it was received
	between func()
}

// event is something that can happen now.
type event struct {
	label   string
	run     func()
	message bool
	resumes *routine // instead of run
}

type timer struct {
	at     time.Time
	serial int
	event  event
	off    *bool
}

// NewSim makes a scheduler. keepTrace keeps every line, not only the digest.
func NewSim(seed int64, f Faults, keepTrace bool) *Sim {
	return &Sim{rng: rand.New(rand.NewSource(seed)), now: time.Unix(1_000_000, 0), faults: f, keep: keepTrace}
}

// Now implements actors.Clock.
func (s *Sim) Now() time.Time { return s.now }

// AfterFunc implements actors.Clock.
func (s *Sim) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	off := false
	s.after(d, event{label: "timer", run: f}, &off)
	return func() bool {
		was := off
		off = true
		return !was
	}
}

func (s *Sim) after(d time.Duration, e event, off *bool) {
	s.serial++
	s.timers = append(s.timers, timer{s.now.Add(d), s.serial, e, off})
}

// Go is the goroutine starter of a run: the work runs when the seed chooses it.
func (s *Sim) Go(f func()) {
	s.push(event{label: "work", run: func() {
		s.slow("work")
		s.work++ // not before: a worker may find that another one was faster
		f()
		s.work--
	}})
}

func (s *Sim) push(e event) { s.ready = append(s.ready, e) }

// Steps is how many events were run.
func (s *Sim) Steps() int { return s.steps }

// Trace is the digest of everything that happened, and the lines if they were kept.
func (s *Sim) Trace() (uint64, []string) { return s.hash, s.trace }

// Run lets things happen until done, and reports whether that came before maxSteps.
func (s *Sim) Run(done func() bool, maxSteps int) bool {
	for !done() {
		if s.steps >= maxSteps || !s.step() {
			return false
		}
	}
	return true
}

// step runs one event; false when nothing is left.
func (s *Sim) step() bool {
	s.unpark()
	if len(s.ready) == 0 && !s.jump() {
		return false
	}
	i := s.choose()
	e := s.ready[i]
	s.ready = append(s.ready[:i], s.ready[i+1:]...)
	s.steps++
	s.note(e.label)
	if e.resumes != nil {
		s.resume(e.resumes)
	} else {
		s.begin(e.label, e.run)
	}
	if s.between != nil {
		s.between()
	}
	return true
}

// choose picks what happens next.
func (s *Sim) choose() int {
	i := s.rng.Intn(len(s.ready))
	if s.faults.InOrder && s.ready[i].message {
		for i = 0; !s.ready[i].message; i++ { // the oldest message
		}
	}
	return i
}

// jump moves the time to the next timer and makes all that are due then ready.
func (s *Sim) jump() bool {
	live := s.timers[:0]
	for _, t := range s.timers {
		if t.off == nil || !*t.off {
			live = append(live, t)
		}
	}
	s.timers = live
	if len(live) == 0 {
		return false
	}
	sort.Slice(live, func(i, j int) bool {
		return live[i].at.Before(live[j].at) || live[i].at.Equal(live[j].at) && live[i].serial < live[j].serial
	})
	if live[0].at.After(s.now) {
		s.now = live[0].at
	}
	n := 0
	for n < len(live) && !live[n].at.After(s.now) {
		t := live[n]
		if t.off != nil {
			*t.off = true
		}
		s.push(t.event)
		n++
	}
	s.timers = append([]timer(nil), live[n:]...)
	return true
}

func (s *Sim) note(label string) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s", s.hash, s.now.Format("05.000"), label)
	s.hash = h.Sum64()
	if s.keep {
		s.trace = append(s.trace, s.now.Format("04:05.000 ")+label)
	}
}

func (s *Sim) chance(permille int) bool { return permille > 0 && s.rng.Intn(1000) < permille }

// lateness is shorter than the interval of the stall check.
func (s *Sim) lateness() time.Duration { return time.Duration(1+s.rng.Intn(200)) * time.Millisecond }

// slowness is longer than several rounds of the stall check.
func (s *Sim) slowness() time.Duration {
	return time.Duration(1000+s.rng.Intn(7000)) * time.Millisecond
}

// longTurn is longer than silence is borne in a row (schedule: muteRounds and silentRounds), in intervals of the stall check.
func (s *Sim) longTurn() time.Duration {
	return time.Duration(40+s.rng.Intn(20)) * time.Second
}

// idle reports that nothing can happen any more.
func (s *Sim) idle() bool {
	if len(s.ready)+len(s.parked) > 0 {
		return false
	}
	for _, t := range s.timers {
		if t.off == nil || !*t.off {
			return false
		}
	}
	return true
}

// waits describes what is parked, for a run that does not end.
func (s *Sim) waits() string {
	var labels []string
	for _, w := range s.parked {
		labels = append(labels, w.r.label)
	}
	return strings.Join(labels, ", ")
}
