package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// lane carries the turns of a run's actors, one after the other, in one goroutine at a time. No turn blocks, so a second goroutine
// would only have the same words pass from CPU to CPU: a delivery costs a sixth of what it does with a goroutine a turn. Not in it
// are the observer, whose turns are calls of the host, and all actors of a run in which hooks may hold up a turn (props).
type lane struct {
	start func(func()) // f in a goroutine

	mu      sync.Mutex
	ready   queue[*inbox] // with something to take
	running bool
}

// inbox is the mailbox of one actor in a lane. What the library has to say to an actor comes before what others have; each in the
// order in which it was posted.
type inbox struct {
	lane    *lane
	invoker actor.MessageInvoker

	// Under the lane's lock.
	system, user queue[any]
	queued       bool // among the ready, or at its turn
	suspended    bool
}

// queue is first in, first out, and keeps its memory while it is used.
type queue[T any] struct {
	all   []T
	first int // what lies before it was taken
}

func (q *queue[T]) len() int { return len(q.all) - q.first }

func (q *queue[T]) push(v T) { q.all = append(q.all, v) }

// pop takes the first one, which must be there. Moving the rest to the front from time to time costs less than a step a value, and
// a queue that never is empty does not grow.
func (q *queue[T]) pop() T {
	var none T
	v := q.all[q.first]
	q.all[q.first] = none
	q.first++
	if 2*q.first >= len(q.all) {
		n := copy(q.all, q.all[q.first:])
		clear(q.all[n:])
		q.all, q.first = q.all[:n], 0
	}
	return v
}

// mailbox is an actor.MailboxProducer.
func (l *lane) mailbox() actor.Mailbox { return &inbox{lane: l} }

func (b *inbox) RegisterHandlers(i actor.MessageInvoker, _ actor.Dispatcher) { b.invoker = i }
func (b *inbox) Start()                                                      {}

func (b *inbox) UserMessageCount() int {
	b.lane.mu.Lock()
	defer b.lane.mu.Unlock()
	return b.user.len()
}

func (b *inbox) PostUserMessage(m any)   { b.post(&b.user, m) }
func (b *inbox) PostSystemMessage(m any) { b.post(&b.system, m) }

func (b *inbox) post(q *queue[any], m any) {
	l := b.lane
	l.mu.Lock()
	q.push(m)
	spawn := false
	if !b.queued {
		b.queued = true
		l.ready.push(b)
		spawn = !l.running
		l.running = true
	}
	l.mu.Unlock()
	if spawn {
		l.start(l.drain)
	}
}

// drain gives each actor that is ready its turn, until none is.
func (l *lane) drain() {
	for b := l.next(nil); b != nil; b = l.next(b) {
		for range throughput {
			m, system := b.take()
			if m == nil {
				break
			}
			b.hand(m, system)
		}
	}
}

// next is whose turn it is. The one that had the last stands in line again if there is more for it.
func (l *lane) next(last *inbox) *inbox {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last != nil {
		if last.queued = last.more(); last.queued {
			l.ready.push(last)
		}
	}
	if l.ready.len() == 0 {
		l.running = false
		return nil
	}
	return l.ready.pop()
}

func (b *inbox) more() bool { return b.system.len() > 0 || !b.suspended && b.user.len() > 0 }

func (b *inbox) take() (m any, system bool) {
	b.lane.mu.Lock()
	defer b.lane.mu.Unlock()
	switch {
	case b.system.len() > 0:
		m = b.system.pop()
		switch m.(type) {
		case *actor.SuspendMailbox:
			b.suspended = true
		case *actor.ResumeMailbox:
			b.suspended = false
		}
		return m, true
	case !b.suspended && b.user.len() > 0:
		return b.user.pop(), false
	}
	return nil, false
}

// hand gives the actor one message. Whatever still panics is the library's to judge, as with its own mailboxes.
func (b *inbox) hand(m any, system bool) {
	defer func() {
		if r := recover(); r != nil {
			b.invoker.EscalateFailure(r, m)
		}
	}()
	if !system {
		b.invoker.InvokeUserMessage(m)
		return
	}
	switch m.(type) {
	case *actor.SuspendMailbox, *actor.ResumeMailbox:
	default:
		b.invoker.InvokeSystemMessage(m)
	}
}
