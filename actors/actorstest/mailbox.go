package actorstest

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// Props puts the seeded mailbox under every actor.
func (s *Sim) Props(name string, p *actor.Props) *actor.Props {
	return p.Configure(actor.WithMailbox(func() actor.Mailbox { return &mailbox{sim: s, name: name} }))
}

// mailbox hands every message to the scheduler. It keeps what the library's own mailbox keeps: one message at a time, what the
// library has to say first.
type mailbox struct {
	sim       *Sim
	name      string
	invoker   actor.MessageInvoker
	started   bool
	suspended bool
	busy      bool  // inside of a turn
	system    []any // of the library, not seen yet
	waiting   []any // delivered during a turn
}

func (m *mailbox) RegisterHandlers(i actor.MessageInvoker, _ actor.Dispatcher) { m.invoker = i }
func (m *mailbox) Start()                                                      {}
func (m *mailbox) UserMessageCount() int                                       { return 0 }

func (m *mailbox) PostSystemMessage(msg any) {
	s := m.sim
	m.system = append(m.system, msg)
	e := event{label: m.name + " <= " + strings.TrimPrefix(fmt.Sprintf("%T", msg), "*actor."), run: func() { m.turn(nil) }}
	switch {
	case s.inside == nil: // whoever starts a run waits for its root
		s.begin(e.label, e.run)
	case s.chance(s.faults.System):
		s.after(s.lateness(), e, nil)
	default:
		s.push(e)
	}
}

func (m *mailbox) PostUserMessage(msg any) {
	s := m.sim
	if env, ok := msg.(*actor.MessageEnvelope); ok {
		msg = env.Message
	}
	e := event{label: m.name + " <- " + label(msg), run: func() { m.turn(msg) }, message: true}
	if s.onPost != nil {
		s.onPost(m.name, msg)
	}
	if !fallible(m.name, msg) {
		s.push(e)
		return
	}
	if s.faults.Mute != "" && s.faults.Mute == fmt.Sprintf("%T", msg) {
		if !wakesUp[s.faults.Mute] {
			s.lost++
		}
		s.note("mute " + e.label)
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
		s.after(s.lateness(), e, nil)
		return
	}
	s.push(e)
}

// turn is the actor at work: on what the library has for it, and on a message unless that is nil.
func (m *mailbox) turn(msg any) {
	if m.busy || m.suspended && msg != nil {
		if msg != nil {
			m.waiting = append(m.waiting, msg)
		}
		return
	}
	m.busy = true
	overtakes := msg != nil && m.started && m.sim.chance(m.sim.faults.System)
	if !overtakes {
		m.drain()
	}
	if msg != nil && m.suspended {
		m.waiting = append(m.waiting, msg)
		msg = nil
	}
	if msg != nil {
		m.receive(msg)
		m.drain()
	}
	m.busy = false
	if m.suspended {
		return
	}
	var again []event // before all that was sent later
	for _, msg := range m.waiting {
		again = append(again, event{label: m.name + " <- " + label(msg) + " again", run: func() { m.turn(msg) }, message: true})
	}
	m.waiting = nil
	m.sim.ready = append(again, m.sim.ready...)
}

// drain invokes what the library has for the actor.
func (m *mailbox) drain() {
	for len(m.system) > 0 {
		msg := m.system[0]
		m.system = m.system[1:]
		switch msg.(type) {
		case *actor.SuspendMailbox:
			m.suspended = true
		case *actor.ResumeMailbox:
			m.suspended = false
		default:
			m.started = true
			m.guarded(msg, m.invoker.InvokeSystemMessage)
		}
	}
}

func (m *mailbox) receive(msg any) {
	s := m.sim
	s.posted++
	if s.onStart != nil {
		s.onStart(m.name, msg)
	}
	m.guarded(msg, m.invoker.InvokeUserMessage)
	if s.onEnd != nil {
		s.onEnd(m.name, msg)
	}
}

// guarded is the last line behind an actor: the library's.
func (m *mailbox) guarded(msg any, invoke func(any)) {
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, msg)
		}
	}()
	invoke(msg)
}

// fallible messages are those of the protocol, and what workers, processes and actors send to the actor that they work for.
// Reminders to oneself and the word of an actor's death are not on any wire.
func fallible(to string, m any) bool {
	switch m.(type) {
	case messages.ActorCrashed, messages.PatienceExpired, messages.GraceExpired, messages.CancelRun:
		return false
	}
	name := fmt.Sprintf("%T", m)
	return strings.HasPrefix(name, "messages.") || strings.HasPrefix(name, "actors.") && to != "run"
}

// wakesUp are messages that are nothing but a reason to look: what they tell is found without them.
var wakesUp = map[string]bool{"actors.turnOver": true, "actors.workDone": true, "actors.look": true}

// label names a message in traces: its type, task and attempt.
func label(m any) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", m), "messages.")
	if t, ok := m.(messages.ForTask); ok {
		name += fmt.Sprintf(" %d", t.TaskIndex())
	}
	return name
}
