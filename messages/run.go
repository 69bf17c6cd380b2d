package messages

import "github.com/haz-build/haz/workspace"

// RecordOutcome is the one word of the end of a task: the supervisor writes it down, and tells all who have to do with it. Answered by
// OutcomeRecorded.
type RecordOutcome struct {
	Ref
	Outcome Outcome
	Began   bool            // the cache actor has worked for it, and is to release it
	Wrote   bool            // an execution that did not complete left files behind (8.2)
	Product *Product        // of a hit: judged together with its outcome; immutable
	Digests UpstreamDigests // of a completed task: what its downstreams hear, should it not live to tell them
	Events  int             // how many events of the task came before its end
}

// OutcomeRecorded says that the outcome stands; now the downstreams may know.
type OutcomeRecorded struct{ Ref }

// CancelTask tells a task that the run is cancelled.
type CancelTask struct {
	Run  RunID
	Task int
	// SpareRunning: a task that executes or restores ends normally (output overlap, 2.6).
	SpareRunning bool
	// Interrupt: the run was cancelled by SIGINT, and so is the task, before SIGTERM.
	Interrupt bool
	// Force: kill without waiting for the grace to expire.
	Force bool
}

// SkipTask tells a task that has not begun to end as skipped. One that runs declines: SkipDeclined.
type SkipTask struct {
	Run   RunID
	Task  int
	Cause Cause
	Root  workspace.TaskID
}

// SkipDeclined says that the task restores or executes and will end by itself.
type SkipDeclined struct {
	Run  RunID
	Task int
}

// TaskCrashed reports the death of a task's actor (a defect of haz).
type TaskCrashed struct {
	Run    RunID
	Task   int
	Reason string
	Stack  string
}

// ActorCrashed reports the death of any other actor of the run.
type ActorCrashed struct {
	Run    RunID
	Actor  string
	Reason string
	Stack  string
}

// CancelRun asks for the end of the run. Each signal is one message: the first cancels, the second kills, the third gives up.
type CancelRun struct {
	Run    RunID
	N      int    // 1, 2, 3 …: a duplicate does nothing
	Signal string // "SIGINT"; "" when the host's context ended
	Number int
}

// AbandonProcess tells the processes actor that a task's actor is dead: kill what it started, start nothing for it, give its
// grants back when that is gone. Answered by ProcessAbandoned.
type AbandonProcess struct {
	Run    RunID
	Task   int
	Reason string // comes back with the answer
	Stack  string
}

// ProcessAbandoned says that nothing of the task runs any more.
type ProcessAbandoned struct {
	Run    RunID
	Task   int
	Ran    bool // there was a process
	Reason string
	Stack  string
}

// KillProcesses asks for SIGKILL to everything that runs, and for no more starts.
type KillProcesses struct{ Run RunID }

// ReportIdle asks an actor to say when it has nothing under way any more. Answered by IdleReported. Round numbers the question.
type ReportIdle struct {
	Run   RunID
	Round int
}

// IdleReported says that an actor had nothing under way after that question: no process, job, or wait for a lock.
type IdleReported struct {
	Run   RunID
	Round int
	Actor string
}

// CheckStall is the supervisor's own reminder to look whether anything can still move. What it brings was counted without asking
// any actor: one that is busy cannot answer.
type CheckStall struct {
	Run     RunID
	Round   int
	Busy    int  // processes, jobs, waits for locks, actors in the middle of a turn
	Serving int  // services that are ready, and are no work
	Moved   bool // some actor had a turn since the last look
}

// RunEnded tells the root that every task has an outcome and nothing is owed.
type RunEnded struct{ Run RunID }

// ObserveEvent carries the N-th event of a task to the observer, which puts them in order.
type ObserveEvent struct {
	Run   RunID
	Task  int // -1: an event of the run
	N     int
	Event Event
}

// CloseEvents tells the observer that no more events come. Answered by EventsClosed when all were seen.
type CloseEvents struct {
	Run      RunID
	Outcomes []Outcome // for those whose end did not arrive
	Hurry    bool      // do not wait for events that are missing
}

// EventsClosed says that the observer has seen everything.
type EventsClosed struct{ Run RunID }
