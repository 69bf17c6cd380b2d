package actors

import (
	"testing"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
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

// A process that has ended is not kept: it holds on to what it took to run it, and a run has as many as tasks. That there was one stays known.
func TestEndedProcessIsNotKept(t *testing.T) {
	r := &running{o: Options{Plan: &graph.Plan{Tasks: []*workspace.Task{{}}}}}
	c := newChildren(r)
	child := c.of(messages.Ref{Attempt: 1})
	child.started(&mute{}, func(process.Exit) {})
	if !child.alive() || !child.ran() || child.proc == nil {
		t.Error("a process that runs is not known")
	}
	if !child.end() || child.end() {
		t.Error("there is not one end")
	}
	if child.alive() || !child.ran() || !c.ran(0) || child.proc != nil {
		t.Errorf("when it has ended: alive %v, ran %v, kept %v", child.alive(), child.ran(), child.proc)
	}
	child.signal(kill) // whom nobody is sent to
}

// mute is a process that cannot be asked for anything.
type mute struct{ process.Process }
