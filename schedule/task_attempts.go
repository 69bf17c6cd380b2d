package schedule

import (
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Attempts (EXEC-046): a process that failed may be followed by another one. Between two of them the task holds nothing that others
// wait for, and is in the same place as one that missed: what comes next is the queue.

// attempts is how many of them were made.
func (t *Task) attempts() int { return len(t.out.Failures) + 1 }

// processFailed ends the task, or this attempt of it.
func (t *Task) processFailed(now time.Time, a messages.Attempt) []Command {
	a.Took = now.Sub(t.spawnAt)
	n := t.attempts()
	if n >= t.out.Allowed || t.cancel || t.onlyThis || t.n.lost != nil || !t.c.retry.Matches(a.TimedOut > 0, a.Signal, a.ExitCode) {
		return t.failed(now, a)
	}
	cs := []Command{
		t.observe(messages.AttemptFailed{Task: t.c.id, N: n, Allowed: t.out.Allowed, Attempt: a, Wait: t.c.retry.Wait(n)}),
		{ToAdmission, messages.ReturnSlot{Ref: t.ref()}}}
	t.enter(Settling)
	t.last = a
	return append(cs, Command{ToCache, messages.EndAttempt{Ref: t.request()}})
}

// failed ends the task by the failure of its process.
func (t *Task) failed(now time.Time, a messages.Attempt) []Command {
	t.out.Status, t.out.ExitCode, t.out.Signal, t.out.TimedOut = messages.Failed, a.ExitCode, a.Signal, a.TimedOut
	return t.finish(now, true)
}

// attemptEnded comes when what the last attempt left is written down: now the time to the next one begins.
func (t *Task) attemptEnded(now time.Time) []Command {
	if t.state != Settling {
		return nil
	}
	if t.again {
		t.moves = 0
		return t.queue(now, "")
	}
	wait := t.c.retry.Wait(t.attempts())
	t.out.Failures = append(t.out.Failures, t.last)
	t.moves = 0
	if wait == 0 {
		return t.queue(now, "")
	}
	t.enter(Delaying)
	return []Command{{ToTimer, messages.AttemptDue{Ref: t.request(), After: wait}}}
}

func (t *Task) attemptDue(now time.Time) []Command {
	if t.state != Delaying {
		return nil
	}
	return t.queue(now, "")
}

// skipAttempt ends a task that waits for its next attempt when the run stops after a failure: it has run, and how it failed is how
// it ends; what was stopped by request has not failed. What is skipped for another reason never began, so it declines, and is cancelled.
func (t *Task) skipAttempt(now time.Time, m messages.SkipTask) []Command {
	if m.Cause != messages.RunStopped {
		return []Command{{ToSupervisor, messages.SkipDeclined{Run: t.c.Run, Task: t.c.index}}}
	}
	cs := []Command{{ToCache, messages.AbandonWork{Ref: t.ref()}}}
	if t.s != nil { // which was to be started again
		return append(cs, t.wasServed(now)...)
	}
	if t.again {
		return append(cs, t.cancelled(now, messages.Requested, workspace.TaskID{}, t.state == Settling)...)
	}
	if t.state != Settling {
		t.out.Failures = t.out.Failures[:len(t.out.Failures)-1]
	}
	return append(cs, t.failed(now, t.last)...)
}
