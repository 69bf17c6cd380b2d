package actors

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
	"github.com/haz-build/haz/workspace"
)

// Of a run that the third signal ended the observer has one whole interval to come to an end. A tick of the interval before, which
// its timer had sent when the end came, is not that one.
func TestTickOfTheIntervalBefore(t *testing.T) {
	r := &running{pool: &pool{}, done: make(chan struct{}), timers: newTimers(stillClock{}), supervisor: &actor.PID{}, observer: &actor.PID{}}
	r.o = Options{Clock: stillClock{}, StallEvery: stallEvery, Plan: &graph.Plan{Tasks: []*workspace.Task{{}}, Up: make([][]graph.Edge, 1),
		Down: make([][]graph.Edge, 1), G: &graph.Graph{W: &workspace.Workspace{}}}}
	r.builder = newBuilder(r)
	r.book = &book{l: schedule.NewLedger(r.o.Plan, schedule.Rules{})}
	root := &rootActor{r: r}
	root.arm()
	hear := func(m any) (stopped bool) {
		ctx := &pretended{message: m}
		root.Receive(ctx)
		return ctx.stopped
	}
	for n := range 3 {
		m := messages.CancelRun{N: n + 1, Signal: "SIGINT", Number: 2}
		hear(m)
		r.book.step(stillClock{}.Now(), m)
	}
	before := tick{root.ticks}
	if hear(messages.RunEnded{}); hear(before) {
		t.Error("the root stops without having waited for the observer")
	}
	if !hear(tick{root.ticks}) {
		t.Error("the root does not stop after an interval")
	}
}

// pretended is the context of one message to an actor.
type pretended struct {
	actor.Context
	message any
	stopped bool
}

func (c *pretended) Message() any         { return c.message }
func (c *pretended) Self() *actor.PID     { return &actor.PID{} }
func (c *pretended) Send(*actor.PID, any) {}
func (c *pretended) Stop(*actor.PID)      { c.stopped = true }
