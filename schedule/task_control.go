package schedule

import (
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// What somebody asks of one task while the run goes on. What is past its process ends by itself: it is a matter of files, and soon over.

// answer says to the supervisor what becomes of what was asked.
func (t *Task) answer(a messages.Asked, v messages.Verdict) Command {
	return Command{ToSupervisor, messages.CommandTaken{Asked: a, Task: t.c.index, Verdict: v}}
}

// beyond reports whether the task needs no process any more.
func (t *Task) beyond() bool {
	return t.state == Finished || t.state == Collecting || t.state == Judging || t.state == Storing
}

// cancelOne ends the task (EXEC-083): at once, or when its process has.
func (t *Task) cancelOne(now time.Time, m messages.CancelOne) []Command {
	if t.beyond() {
		return []Command{t.answer(m.Asked, messages.HasEnded)}
	}
	cs := []Command{t.answer(m.Asked, messages.Taken)}
	t.asked = t.asked || !t.cancel
	t.cancel, t.spared = true, false
	switch t.state {
	case Executing, Serving:
		return append(cs, t.stopProcess(false)...)
	case Stopping:
		return cs
	case Waiting: // nobody works for it
	default:
		cs = append(cs, Command{ToCache, messages.AbandonWork{Ref: t.ref()}})
	}
	return append(cs, t.cancelled(now, t.cause(messages.RunCancelled), workspace.TaskID{}, t.state == Settling)...)
}

// restartOne stops the process, to start another one (EXEC-084). Where no slot will be granted any more it goes on.
func (t *Task) restartOne(m messages.RestartOne) []Command {
	v := messages.Taken
	switch {
	case t.beyond():
		v = messages.HasEnded
	case t.cancel || t.onlyThis:
		v = messages.RunStops
	case t.state != Executing && t.state != Stopping && t.state != Serving:
		v = messages.NotExecuting
	}
	cs := []Command{t.answer(m.Asked, v)}
	if v != messages.Taken {
		return cs
	}
	t.again = true
	if t.state != Stopping {
		cs = append(cs, t.stopProcess(false)...)
	}
	return cs
}

// startsAgain reports whether another process follows this one: it was stopped for that, or failed before it heard of it. One of which the end is
// not known may still be there, and one that has succeeded is what was wanted.
func (t *Task) startsAgain(m messages.ProcessExited) bool {
	return t.mayAgain() && m.WaitError == "" && (m.Cancelled || m.Code != 0 || m.Signal != 0)
}

// mayAgain reports whether another process is wanted, and can still be had: not where the run stops, nor without a service that it needs.
func (t *Task) mayAgain() bool { return t.again && !t.cancel && !t.onlyThis && t.n.lost == nil }

// startAgain gives back what the process held and has what it left written down; then the task queues.
func (t *Task) startAgain() []Command {
	cs := []Command{t.observe(messages.TaskRestarted{Task: t.c.id}), {ToAdmission, messages.ReturnSlot{Ref: t.ref()}}}
	t.enter(Settling)
	return append(cs, Command{ToCache, messages.EndAttempt{Ref: t.request()}})
}

// neverStarted follows the word that there is no process, since somebody wanted its end before there was one.
func (t *Task) neverStarted(now time.Time) []Command {
	switch {
	case t.again && t.s != nil && t.s.unused && !t.cancel:
		return t.notNeeded(now)
	case t.mayAgain():
		return t.startAgain()
	}
	return t.cancelled(now, t.cause(messages.RunCancelled), workspace.TaskID{}, false)
}

// cause is why the task is cancelled: by request, or as given.
func (t *Task) cause(otherwise messages.Cause) messages.Cause {
	if t.asked || t.again && !t.cancel {
		return messages.Requested
	}
	return otherwise
}

// cancelledWhy is why the result of a task that completed all the same is not kept.
func (t *Task) cancelledWhy() string {
	if t.asked {
		return "cancelled by request"
	}
	return "run cancelled"
}
