package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// observer hands events to the host, one at a time: first those of settled tasks, then of each task in the order of their numbers, its end last and once.
// Messages may come late, twice, in any order, or not at all; what is missing at the end is left out.
type observer struct {
	r       *running
	tasks   ofEach[seenTask]
	missing int // tasks whose end was not seen
	running int // tasks between start and end
	closing *messages.CloseEvents
}

type seenTask struct {
	next    int
	started bool
	ended   bool
	held    map[int]messages.Event
	end     *messages.ObserveEvent
}

func newObserver(r *running) *observer {
	return &observer{r: r, tasks: newOfEach[seenTask](r), missing: r.settled.Left(len(r.o.Plan.Tasks))}
}

func (o *observer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started: // before anything that has an actor can happen
		o.r.tellSettled()
	case messages.ObserveEvent:
		o.observe(m)
		o.maybeClose(ctx)
	case messages.CloseEvents:
		o.closing = &m
		if m.Hurry {
			o.flush()
		}
		o.maybeClose(ctx)
	}
}

func (o *observer) observe(m messages.ObserveEvent) {
	if m.Task < 0 {
		if c, ok := m.Event.(messages.RunCancelling); ok {
			c.Running = o.running - o.runningOf(c.GoOn)
			m.Event = c
		}
		o.emit(m.Event)
		return
	}
	t := o.tasks.of(m.Task)
	_, isEnd := m.Event.(messages.TaskFinished)
	switch {
	case t.ended:
		if m.N >= t.next { // else it was seen before its end
			o.drop(m.Event)
		}
		return
	case isEnd:
		t.end = &m
	case m.N == t.next:
		o.pass(t, m.Event)
	case m.N > t.next && t.held[m.N] == nil:
		if t.held == nil {
			t.held = map[int]messages.Event{}
		}
		t.held[m.N] = m.Event
	default: // a duplicate
		return
	}
	for e, ok := t.held[t.next]; ok; e, ok = t.held[t.next] {
		delete(t.held, t.next)
		o.pass(t, e)
	}
	if t.end != nil && t.next >= t.end.N {
		o.finish(t)
	}
}

// runningOf is how many of some tasks have started and not ended.
func (o *observer) runningOf(some []workspace.TaskID) (n int) {
	if len(some) == 0 {
		return 0
	}
	is := make(map[workspace.TaskID]bool, len(some))
	for _, id := range some {
		is[id] = true
	}
	for i, t := range o.r.o.Plan.Tasks {
		if !is[t.ID] {
			continue
		}
		if seen := o.tasks.of(i); seen.started && !seen.ended { // what goes on is not settled
			n++
		}
	}
	return n
}

func (o *observer) pass(t *seenTask, e messages.Event) {
	t.next++
	if _, ok := e.(messages.TaskStarted); ok {
		t.started = true
		o.running++
	}
	o.emit(e)
}

func (o *observer) finish(t *seenTask) {
	t.ended = true
	o.missing--
	if t.started {
		o.running--
	}
	for _, e := range t.held {
		o.drop(e)
	}
	t.held = nil
	o.emit(t.end.Event)
	t.end = nil
}

// emit calls the host; output gives its share of the budget back. A run that has gone on without an observer that was stuck tells
// it nothing more when it comes back.
func (o *observer) emit(e messages.Event) {
	o.r.show(e)
	o.drop(e)
}

// show calls the host with an event.
func (r *running) show(e messages.Event) {
	r.host.call(func() {
		if r.o.Observe != nil && !r.over.Load() {
			r.o.Observe(e)
		}
	})
}

// drop gives back the share of the budget that an event of output has.
func (o *observer) drop(e messages.Event) {
	if out, ok := e.(messages.TaskOutput); ok {
		o.r.budget.release(len(out.Bytes))
	}
}

// flush ends what has not ended. Events that came behind a gap are left out: their order cannot be told.
func (o *observer) flush() {
	for i := range o.r.o.Plan.Tasks {
		if o.r.settled.Has(i) {
			continue
		}
		t := o.tasks.of(i)
		if t.ended || i >= len(o.closing.Outcomes) {
			continue
		}
		if t.end == nil {
			t.end = &messages.ObserveEvent{Task: i, Event: messages.TaskFinished{Outcome: o.closing.Outcomes[i]}}
		}
		o.finish(t)
	}
}

func (o *observer) maybeClose(ctx actor.Context) {
	if o.closing == nil || o.missing > 0 {
		return
	}
	ctx.Send(o.r.root, messages.EventsClosed{Run: o.r.o.Run})
}

// host is what the observer's calls into the host are told apart by: one that is slow from one that is stuck.
type host struct {
	inside   atomic.Bool
	returned atomic.Uint64
}

// call runs a call into the host.
func (h *host) call(f func()) {
	h.inside.Store(true)
	defer h.inside.Store(false)
	f()
	h.returned.Add(1)
}

func (h *host) busy() bool { return h.inside.Load() }
