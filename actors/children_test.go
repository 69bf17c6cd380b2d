package actors

import (
	"testing"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// EXEC-046: each attempt of a task has a process of its own. What is meant for one of them concerns no later one, and a wish to end one that
// comes before it is kept for it alone; the last kill is for whatever comes.
func TestProcessesOfOneTask(t *testing.T) {
	r := &running{o: Options{Plan: &graph.Plan{Tasks: []*workspace.Task{{}}}}}
	c := newChildren(r)
	if c.latest(0) != nil || c.alive(0) || c.ran(0) {
		t.Error("there is a process before the first attempt")
	}
	first := c.of(messages.Ref{Attempt: 3})
	first.signal(terminate)
	if c.of(messages.Ref{Attempt: 3}) != first || !first.stopRequested() {
		t.Error("a wish to end an attempt that came before its start is lost")
	}
	second := c.of(messages.Ref{Attempt: 6})
	if second == first || second.stopRequested() {
		t.Error("a wish to end the first attempt ends the second")
	}
	if late := c.of(messages.Ref{Attempt: 3}); late != nil {
		t.Errorf("what is meant for the first attempt reaches %+v", late)
	}
	if c.latest(0) != second {
		t.Error("the second attempt is not the latest")
	}
	c.all.of(0).kill()
	if third := c.of(messages.Ref{Attempt: 9}); !second.stopRequested() || !third.stopRequested() {
		t.Error("the last kill is not for whatever comes")
	}
}
