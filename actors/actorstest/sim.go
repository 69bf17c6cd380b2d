// Package actorstest drives the real actors of a run from one goroutine, over a memory file system and scripted processes:
// a seed decides which message is delivered next, which one late, twice or never, and which actor panics. Equal seeds give
// equal traces, so a failure replays from its seed. After each message the invariants of chapter 2, section 13 are checked.
//
// Time stands still while anything can be delivered and then jumps to the next timer; delays are shorter than the
// interval of the stall check, as they are in life.
package actorstest

import (
	"fmt"
	"hash/fnv"
	"math/rand"
	"sort"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// Faults says how often what goes wrong, in a thousand messages.
type Faults struct {
	Late, Twice, Lost int
	PanicAt           int  // the actor that gets the n-th message panics; 0: none
	PanicBusy         bool // the first task actor that gets a message while its process lives panics
	CancelAt          int  // a signal comes before the n-th message; 0: none
	SecondAt, ThirdAt int  // further signals
	HostCancels       bool
	// InOrder delivers messages in the order in which they were sent, as the real mailboxes do; what workers and processes
	// do still ends in any order.
	InOrder bool
}

// Sim is the scheduler: everything that could happen next, and the seed that chooses.
type Sim struct {
	rng    *rand.Rand
	now    time.Time
	ready  []event
	timers []timer
	serial int
	system []func() // system messages that came inside a Receive
	inside bool

	faults  Faults
	steps   int // events run
	posted  int // messages delivered, for PanicAt and CancelAt
	lost    int
	trace   []string
	keep    bool
	hash    uint64
	onSend  func(to string, m any)
	onStart func(to string, m any)
	between func()
}

// event is something that can happen now.
type event struct {
	label   string
	run     func()
	message bool
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
func (s *Sim) Go(f func()) { s.push(event{label: "work", run: f}) }

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
	if len(s.ready) == 0 && !s.jump() {
		return false
	}
	i := s.choose()
	e := s.ready[i]
	s.ready = append(s.ready[:i], s.ready[i+1:]...)
	s.steps++
	s.note(e.label)
	e.run()
	s.drain()
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

// drain runs the system messages that were posted meanwhile: they are never late and never lost.
func (s *Sim) drain() {
	for len(s.system) > 0 {
		f := s.system[0]
		s.system = s.system[1:]
		f()
	}
}

// Props puts the seeded mailbox under every actor.
func (s *Sim) Props(name string, p *actor.Props) *actor.Props {
	return p.Configure(actor.WithMailbox(func() actor.Mailbox { return &mailbox{sim: s, name: name} }))
}

// mailbox hands every user message to the scheduler.
type mailbox struct {
	sim     *Sim
	name    string
	invoker actor.MessageInvoker
}

func (m *mailbox) RegisterHandlers(i actor.MessageInvoker, _ actor.Dispatcher) { m.invoker = i }
func (m *mailbox) Start()                                                      {}
func (m *mailbox) UserMessageCount() int                                       { return 0 }

func (m *mailbox) PostSystemMessage(msg any) {
	s := m.sim
	deliver := func() {
		was := s.inside
		s.inside = true
		m.invoker.InvokeSystemMessage(msg)
		s.inside = was
	}
	if s.inside {
		s.system = append(s.system, deliver)
		return
	}
	deliver()
	s.drain()
}

func (m *mailbox) PostUserMessage(msg any) {
	s := m.sim
	if env, ok := msg.(*actor.MessageEnvelope); ok {
		msg = env.Message
	}
	if s.onSend != nil {
		s.onSend(m.name, msg)
	}
	e := event{label: m.name + " <- " + label(msg), run: func() { m.deliver(msg) }, message: true}
	if !fallible(msg) {
		s.push(e)
		return
	}
	if s.chance(s.faults.Lost) {
		s.lost++
		s.note("lost " + e.label)
		return
	}
	m.schedule(e)
	if s.chance(s.faults.Twice) {
		m.schedule(e)
	}
}

func (m *mailbox) schedule(e event) {
	s := m.sim
	if s.chance(s.faults.Late) {
		s.after(time.Duration(1+s.rng.Intn(200))*time.Millisecond, e, nil)
		return
	}
	s.push(e)
}

func (m *mailbox) deliver(msg any) {
	s := m.sim
	s.posted++
	if s.onStart != nil {
		s.onStart(m.name, msg)
	}
	s.inside = true
	m.invoker.InvokeUserMessage(msg)
	s.inside = false
}

func (s *Sim) chance(permille int) bool { return permille > 0 && s.rng.Intn(1000) < permille }

// fallible messages are those of the protocol. Reminders to oneself and the word of an actor's death are not on any wire.
func fallible(m any) bool {
	switch m.(type) {
	case messages.ActorCrashed, messages.PatienceExpired, messages.GraceExpired, messages.CancelRun:
		return false
	}
	return strings.HasPrefix(fmt.Sprintf("%T", m), "messages.")
}

// label names a message in traces: its type, task and attempt.
func label(m any) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", m), "messages.")
	if t, ok := m.(messages.ForTask); ok {
		name += fmt.Sprintf(" %d", t.TaskIndex())
	}
	return name
}
