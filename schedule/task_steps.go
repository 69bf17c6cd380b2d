package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Waiting.

func (t *Task) upstreamCompleted(now time.Time, m messages.UpstreamCompleted) []Command {
	if t.state != Waiting || !t.pending[m.Digests.Task] {
		return nil
	}
	t.digests[m.Digests.Task] = m.Digests
	if m.LeftOut {
		t.c.services = slices.DeleteFunc(t.c.services, func(u int) bool { return u == m.Digests.Task })
	}
	return t.upstreamEnded(now, m.Digests.Task)
}

func (t *Task) upstreamEnded(now time.Time, upstream int) []Command {
	if t.state != Waiting {
		return nil
	}
	if hard, ok := t.pending[upstream]; ok {
		if _, done := t.digests[upstream]; hard && !done {
			return nil // a hard upstream ends by UpstreamCompleted or UpstreamFailed only
		}
		delete(t.pending, upstream)
	}
	if len(t.pending) > 0 {
		return nil
	}
	if t.c.onlyThat && !t.needed {
		return t.skip(now, messages.NotNeeded, workspace.TaskID{})
	}
	if t.cancel {
		return t.cancelled(now, messages.RunCancelled, workspace.TaskID{}, false)
	}
	t.out.Started = now
	return t.resolve()
}

func (t *Task) upstreamFailed(now time.Time, m messages.UpstreamFailed) []Command {
	if t.state != Waiting || !t.pending[m.Upstream] {
		return nil
	}
	if m.Cancelled {
		return t.cancelled(now, messages.UpstreamWasCancelled, m.Root, false)
	}
	t.out.TimedOut = m.After
	return t.skip(now, m.Cause, m.Root)
}

// Resolving.

func (t *Task) resolve() []Command {
	t.enter(Resolving)
	t.out.Key, t.out.HasKey, t.out.Miss = entry.Key{}, false, nil
	ups := make([]messages.UpstreamDigests, 0, len(t.c.hard))
	for _, u := range t.c.hard {
		ups = append(ups, t.digests[u])
	}
	return []Command{{ToCache, messages.Resolve{Ref: t.request(), Upstreams: ups, First: t.events, Begun: t.observed,
		Look: t.c.cached && t.c.Lookup}}}
}

// keyed notes the key, if this is the answer to Resolve.
func (t *Task) keyed(k messages.Keyed) []Command {
	if t.state != Resolving {
		return nil
	}
	t.out.Key, t.out.HasKey = k.Key, true
	return t.notes(k.Notes)
}

func (t *Task) keyFailed(now time.Time, m messages.KeyFailed) []Command {
	if t.state != Resolving && t.state != Preparing {
		return nil
	}
	return t.fail(now, m.Error, false)
}

func (t *Task) conditionUnmet(now time.Time, m messages.ConditionUnmet) []Command {
	if t.state != Resolving {
		return nil
	}
	t.product.Own, t.product.Closure = m.Own, m.Closure
	return t.skip(now, messages.ConditionFalse, workspace.TaskID{})
}

func (t *Task) entryMissed(now time.Time, m messages.EntryMissed) []Command {
	if t.state != Resolving {
		return nil
	}
	cs := t.keyed(m.Keyed)
	if t.out.Miss = m.Miss; !t.c.cached {
		t.out.Miss = &entry.Miss{Reason: entry.Uncached}
	}
	return append(cs, t.queue(now, m.Note)...)
}

// queue leads to the queue, after what people are told of the entry.
func (t *Task) queue(now time.Time, note string) []Command {
	var cs []Command
	if note != "" {
		cs = append(cs, t.note(note, ""))
	}
	if t.n.lost != nil {
		return append(cs, t.withoutService(now)...)
	}
	if waits := t.await(now); waits != nil {
		return append(cs, waits...)
	}
	t.enter(Queueing)
	t.queuedAt = now
	return append(cs, Command{ToAdmission, messages.AskSlot{Ref: t.request()}})
}

func (t *Task) outputsDiffer(now time.Time, m messages.OutputsDiffer) []Command {
	if t.state != Resolving {
		return nil
	}
	cs := append(t.keyed(m.Keyed), t.started(now, nil)...)
	t.enter(Clearing)
	t.queuedAt = now
	return append(cs, Command{ToAdmission, messages.AskOutputs{Ref: t.request()}})
}

// Restoring.

func (t *Task) outputsRestored(now time.Time, m messages.OutputsRestored) []Command {
	if t.state != Resolving && t.state != Restoring {
		return nil
	}
	cs := append(t.keyed(m.Keyed), t.started(now, nil)...)
	t.events = m.Next
	t.setProduct(m.Product)
	t.out.Status, t.out.Source, t.out.MadeOn = messages.Completed, messages.FromCache, m.Attempt
	cs = append(cs, t.notes(m.Said)...)
	return append(cs, t.finish(now, false)...)
}

func (t *Task) restoreFailed(now time.Time, m messages.RestoreFailed) []Command {
	if t.state != Resolving && t.state != Restoring {
		return nil
	}
	if t.cancel { // spared so far, but what would come next is an execution
		return t.cancelled(now, messages.RunCancelled, workspace.TaskID{}, false)
	}
	cs := append(t.keyed(m.Keyed), t.notes(m.Said)...)
	t.out.Miss = &m.Miss
	return append(cs, t.queue(now, m.Note)...)
}

// Queueing.

func (t *Task) stopQueueing(now time.Time) {
	if !t.queuedAt.IsZero() {
		t.out.Queued += now.Sub(t.queuedAt)
		t.queuedAt = time.Time{}
	}
}

func (t *Task) slotGranted(now time.Time) []Command {
	switch t.state {
	case Queueing:
		t.stopQueueing(now)
		t.enter(Preparing)
		return []Command{{ToCache, messages.PrepareExecution{Ref: t.request(), Unchecked: t.moves > maxMoves}}}
	case Clearing:
		t.stopQueueing(now)
		t.enter(Restoring)
		return []Command{{ToCache, messages.RestoreOutputs{Ref: t.request(), First: t.events}}}
	}
	return nil
}

func (t *Task) inputsMoved(m messages.InputsMoved) []Command {
	if t.state != Preparing {
		return nil
	}
	t.moves++
	cs := append(t.notes(m.Notes), Command{ToAdmission, messages.TaskHeldUp{Ref: t.ref(), Resolving: true}})
	return append(cs, t.resolve()...)
}

func (t *Task) lockRefused(now time.Time, m messages.LockRefused) []Command {
	if t.state != Resolving && t.state != Preparing && t.state != Restoring {
		return nil
	}
	if m.Deep > 0 {
		return t.fail(now, messages.TaskError{Kind: messages.ErrSpawn,
			Reason: fmt.Sprintf("%d haz stand above this one, and task locks, which would show a task that runs itself, do not work here", m.Deep),
			Hint:   "let tasks call what they need directly, without haz"}, false)
	}
	if m.Ancestor {
		return t.fail(now, messages.TaskError{Kind: messages.ErrSpawn,
			Reason: fmt.Sprintf("this haz was started by %s itself (pid %d, under haz pid %d), so waiting for it would never end", m.HeldTask, m.TaskPID, m.HazPID),
			Hint:   "let the task call what it needs directly, without haz"}, false)
	}
	t.enter(HeldUp)
	t.queuedAt = now
	return []Command{{ToAdmission, messages.TaskHeldUp{Ref: t.ref()}}, {ToCache, messages.AwaitLock{Ref: t.request()}}}
}

func (t *Task) lockFreed(now time.Time) []Command {
	if t.state != HeldUp {
		return nil
	}
	t.stopQueueing(now)
	cs := []Command{{ToAdmission, messages.TaskHeldUp{Ref: t.ref(), Resolving: true}}}
	return append(cs, t.resolve()...)
}

func (t *Task) lockNeverFreed(now time.Time, m messages.LockNeverFreed) []Command {
	if t.state != HeldUp {
		return nil
	}
	t.stopQueueing(now)
	return t.fail(now, messages.TaskError{Kind: messages.ErrSpawn, Reason: m.Reason,
		Hint: "tasks that run at the same time must not call haz on what each of them needs: let one depend on the other, or call it directly"}, false)
}

// Executing and stopping.

func (t *Task) startProcess(now time.Time, m messages.ExecutionPrepared) []Command {
	if t.state != Preparing {
		return nil
	}
	t.enter(Executing)
	t.late, t.again, t.spawnAt = false, false, now
	cs := append(t.started(now, t.out.Miss), t.notes(m.Notes)...)
	start := messages.StartProcess{Ref: t.request(), First: t.events, Locks: m.Locks, Program: m.Program, Timeout: t.c.timeout, Key: t.out.Key}
	for _, u := range t.c.services {
		start.Services = append(start.Services, messages.ServicePort{Task: u, Port: t.n.ready[u]})
	}
	cs = append(cs, Command{ToProcesses, start})
	if t.s != nil {
		cs = append(cs, Command{ToTimer, messages.ReadyExpired{Ref: t.ref()}})
	}
	return cs
}

func (t *Task) processNotStarted(now time.Time, m messages.ProcessNotStarted) []Command {
	if t.state != Executing && t.state != Stopping {
		return nil
	}
	if m.Cancelled {
		return t.neverStarted(now)
	}
	if m.Ran {
		t.out.Spawned++
	}
	return t.fail(now, m.Error, false)
}

func (t *Task) processExited(now time.Time, m messages.ProcessExited) []Command {
	if t.state != Executing && t.state != Stopping && t.state != Serving {
		return nil
	}
	t.events = m.Next
	t.out.Spawned, t.streams = t.out.Spawned+1, m.Streams
	t.out.Leftovers = m.Leftovers
	t.product.StdoutLen, t.product.StderrLen = m.StdoutLen, m.StderrLen
	t.product.StdoutDigest, t.product.StderrDigest = m.StdoutDigest, m.StderrDigest
	t.setProduct(t.product)
	switch {
	case t.s != nil:
		return t.serviceExited(now, m)
	case t.startsAgain(m):
		t.out.Restarted++
		return t.startAgain()
	case m.Cancelled && t.n.lost != nil && !t.cancel:
		return t.cancelled(now, messages.ServiceDied, t.n.lost.Root, true)
	case m.Cancelled && t.late:
		return t.processFailed(now, messages.Attempt{ExitCode: m.Code, TimedOut: t.c.timeout})
	case m.Cancelled:
		return t.cancelled(now, t.cause(messages.Signalled), workspace.TaskID{}, true)
	}
	return append(t.noteKilled(m.Killed), t.exitedByItself(now, m)...)
}

func (t *Task) exitedByItself(now time.Time, m messages.ProcessExited) []Command {
	switch {
	case m.WaitError != "":
		return t.fail(now, messages.TaskError{Kind: messages.ErrWait, Reason: "the end of the process could not be learned: " + m.WaitError}, true)
	case m.Code != 0 || m.Signal != 0:
		return append(t.notes(m.Notes), t.processFailed(now, messages.Attempt{ExitCode: m.Code, Signal: m.Signal})...)
	}
	t.enter(Collecting)
	t.presence = t.cancel && !t.spared
	return []Command{
		{ToAdmission, messages.ReturnSlot{Ref: t.ref()}},
		{ToCache, messages.CollectOutputs{Ref: t.request(), PresenceOnly: t.presence, Streams: t.streams}}}
}

// noteKilled names what a task had started in the background and what was killed when it had ended (4.5): people who wanted it to
// go on would look for it in vain.
func (t *Task) noteKilled(killed []messages.Leftover) []Command {
	if len(killed) == 0 {
		return nil
	}
	const shown = 3
	var names []string
	for _, l := range killed[:min(shown, len(killed))] {
		names = append(names, fmt.Sprintf("pid %d (%s)", l.PID, l.Command))
	}
	text := "still running in the background when the task had ended, and killed: " + strings.Join(names, ", ")
	if more := len(killed) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return []Command{t.note(text, "let the task wait for it; what is to outlive the task needs a session of its own (setsid)")}
}

// timeExpired begins the ladder of cancellation for this task alone (EXEC-045). Whoever was asked to end before has no time to run out of.
func (t *Task) timeExpired() []Command {
	if t.state != Executing {
		return nil
	}
	t.late = true
	return t.stopProcess(false)
}

// stopProcess asks the process to end, and sees to it that it does.
func (t *Task) stopProcess(interrupt bool) []Command {
	t.enter(Stopping)
	kill := t.force || t.c.Grace == 0
	interrupt = interrupt && !kill
	cs := []Command{{ToProcesses, messages.SignalProcess{Ref: t.ref(), Interrupt: interrupt, Kill: kill}}}
	if interrupt {
		cs = append(cs, Command{ToTimer, messages.PatienceExpired{Ref: t.ref()}})
	}
	if !kill {
		cs = append(cs, Command{ToTimer, messages.GraceExpired{Ref: t.ref()}})
	}
	return cs
}

// terminate follows INT when its share of the grace is over.
func (t *Task) terminate() []Command {
	if t.state != Stopping {
		return nil
	}
	return []Command{{ToProcesses, messages.SignalProcess{Ref: t.ref()}}}
}

// kill follows TERM when the grace is over, or a second signal.
func (t *Task) kill() []Command {
	if t.state != Stopping {
		return nil
	}
	return []Command{{ToProcesses, messages.SignalProcess{Ref: t.ref(), Kill: true}}}
}

// Collecting, judging, storing.

func (t *Task) outputsCollected(now time.Time, m messages.OutputsCollected) []Command {
	if t.state != Collecting {
		return nil
	}
	t.setProduct(m.Product)
	t.out.Store, t.out.StoreReason, t.out.StoreHint, t.quiet = 0, m.NotStorable, m.Hint, m.Quiet
	if t.presence {
		return t.completed(now, messages.NotStored, t.cancelledWhy(), "")
	}
	t.enter(Judging)
	return append(t.notes(m.Notes), Command{ToSupervisor, messages.ClaimOutputs{Ref: t.request(), Wrote: m.Wrote, Reads: m.Reads}})
}

func (t *Task) outputsRejected(now time.Time, m messages.OutputsRejected) []Command {
	if t.state != Collecting {
		return nil
	}
	return t.fail(now, m.Error, true)
}

func (t *Task) claimJudged(now time.Time, m messages.ClaimJudged) []Command {
	if t.state != Judging {
		return nil
	}
	reason, hint := t.out.StoreReason, t.out.StoreHint
	switch {
	case m.Violated:
		return t.completed(now, messages.NotStored, "a runtime invariant was violated", "")
	case t.cancel && !t.spared:
		return t.completed(now, messages.NotStored, t.cancelledWhy(), "")
	case !t.c.cached:
		return t.completed(now, messages.NotStored, "the task says cache: false", "")
	case !t.c.Store:
		return t.completed(now, messages.NotStored, "the run does not write the cache", "")
	case reason != "" && t.quiet:
		return t.completed(now, messages.NotStored, reason, hint)
	case reason != "":
		cs := []Command{t.note("result not stored: "+reason, hint)}
		return append(cs, t.completed(now, messages.NotStored, reason, hint)...)
	case t.moves > maxMoves:
		reason = "inputs kept changing before the task could start"
		cs := []Command{t.note("result not stored: "+reason, "")}
		return append(cs, t.completed(now, messages.NotStored, reason, "")...)
	}
	t.enter(Storing)
	ms := now.Sub(t.out.Started) - t.out.Queued
	return []Command{{ToCache, messages.StoreEntry{Ref: t.request(), DurationMS: ms.Milliseconds(), Attempt: t.attempts()}}}
}

func (t *Task) stored(now time.Time, m messages.EntryStored) []Command {
	if t.state != Storing {
		return nil
	}
	if m.AlreadyThere {
		return t.completed(now, messages.AlreadyThere, "", "")
	}
	return t.completed(now, messages.Stored, "", "")
}

func (t *Task) storeFailed(now time.Time, m messages.StoreFailed) []Command {
	if t.state != Storing {
		return nil
	}
	cs := []Command{t.note("result not stored: "+m.Reason, "")}
	return append(cs, t.completed(now, messages.NotStored, m.Reason, "")...)
}

// completed ends a task whose process succeeded.
func (t *Task) completed(now time.Time, r messages.StoreResult, reason, hint string) []Command {
	t.out.Status, t.out.Source, t.out.MadeOn = messages.Completed, messages.FromRun, t.attempts()
	t.out.Store, t.out.StoreReason, t.out.StoreHint = r, reason, hint
	return t.finish(now, false)
}

func (t *Task) setProduct(p messages.Product) {
	t.product = p
	t.out.StdoutLen, t.out.StderrLen = p.StdoutLen, p.StderrLen
	t.out.StdoutDigest, t.out.StderrDigest = p.StdoutDigest, p.StderrDigest
	t.out.Outputs, t.out.OutputsDigest = p.Outputs, p.OutputsDigest
}

// Cancel and skip.

func (t *Task) cancelTask(now time.Time, m messages.CancelTask) []Command {
	again := t.cancel && !(t.spared && !m.SpareRunning)
	t.cancel = true
	t.force = t.force || m.Force
	t.spared = m.SpareRunning && (t.spared || !again)
	if again && t.state != Stopping {
		return nil
	}
	switch t.state {
	case Waiting, Judging, Finished: // waiting ends by cascade or when it becomes ready; judging when it is judged
		return nil
	case Executing, Serving:
		if t.spared {
			return nil
		}
		return t.stopProcess(m.Interrupt)
	case Stopping:
		if m.Force {
			return t.kill()
		}
		return nil
	case Collecting:
		if t.spared {
			return nil
		}
		t.presence = true
		abandon := Command{ToCache, messages.AbandonWork{Ref: t.ref()}}
		return []Command{abandon, {ToCache, messages.CollectOutputs{Ref: t.request(), PresenceOnly: true, Streams: t.streams}}}
	case Storing:
		if t.spared {
			return nil
		}
		cs := []Command{{ToCache, messages.AbandonWork{Ref: t.ref()}}}
		return append(cs, t.completed(now, messages.NotStored, t.cancelledWhy(), "")...)
	case Clearing, Restoring:
		if t.spared {
			return nil
		}
	}
	cs := []Command{{ToCache, messages.AbandonWork{Ref: t.ref()}}}
	return append(cs, t.cancelled(now, t.cause(messages.RunCancelled), workspace.TaskID{}, t.state == Settling)...)
}

func (t *Task) skipTask(now time.Time, m messages.SkipTask) []Command {
	if m.Cause == messages.RunStopped {
		t.onlyThis = true
	}
	switch t.state {
	case Waiting, Resolving, Queueing, Preparing, HeldUp, Settling, Delaying, Standby, Awaiting:
		if t.out.Spawned > 0 {
			return t.skipAttempt(now, m)
		}
		cs := []Command{{ToCache, messages.AbandonWork{Ref: t.ref()}}}
		if t.state == Waiting {
			cs = nil
		}
		return append(cs, t.skip(now, m.Cause, m.Root)...)
	case Finished:
		return nil
	}
	return []Command{{ToSupervisor, messages.SkipDeclined{Run: t.c.Run, Task: t.c.index}}}
}
