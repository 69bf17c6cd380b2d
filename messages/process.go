package messages

import (
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
)

// PrepareExecution asks the cache actor for everything between grant and spawn: task locks, a last look at the inputs
// (S-23), the snapshot of outputs (S-22). Answered by ExecutionPrepared, InputsMoved, LockRefused or KeyFailed.
type PrepareExecution struct {
	Ref
	// Unchecked: inputs moved too often; run, but do not store.
	Unchecked bool
}

// ExecutionPrepared says that the process may start now.
type ExecutionPrepared struct {
	Ref
	Notes []Note
	Locks Locks // go on to whoever starts the process
	// Program is where the program to be started was found by the look before the start; "" where that looked for none.
	Program string
}

// Locks are the task locks that an execution holds, for whoever runs its process. They stay with the cache actor, which gives them back.
type Locks interface {
	// SetProcess notes the pid of the process, which another haz may look for among its ancestors.
	SetProcess(pid int)
	// DoneReading lets go of what the task reads, if it is one whose result is not kept.
	DoneReading()
}

// Streams are what a process has printed, as it is kept to be stored. They belong to whoever has the message that brings them, and go on
// with the next one; only the cache actor's workers look into them.
type Streams any

// InputsMoved says that inputs are no longer what the key was made from: give everything back and derive the key again.
type InputsMoved struct {
	Ref
	Paths []string
	Notes []Note
}

// LockRefused says that another haz holds a task lock that is needed.
type LockRefused struct {
	Ref
	HeldTask        string // whose lock it is
	HazPID, TaskPID int
	Ancestor        bool // waiting would be for ever: this haz runs inside that very task
	Deep            int  // locks do not work, and so many haz stand above this one; else 0
}

// AwaitLock asks to be told when the lock that was refused is free; it is not kept. Answered by LockFreed, or LockNeverFreed.
type AwaitLock struct{ Ref }

// LockFreed says that trying again makes sense.
type LockFreed struct{ Ref }

// LockNeverFreed says that the wait for a lock would not end: its holder waits for this task, too.
type LockNeverFreed struct {
	Ref
	Reason string
}

// StartProcess asks the processes actor to run the task. Answered by ProcessNotStarted, or by ProcessExited when all is over.
type StartProcess struct {
	Ref
	First int // number of the first output event
	Locks Locks
	// Program is where its program was found a moment ago; "" where that is not known.
	Program string
	// Timeout is how long the process may run; 0: as long as it likes. Then the task hears TimeExpired.
	Timeout time.Duration
	// Key is that of the task, for services that go on between runs.
	Key entry.Key
	// Services are those that the task needs, which are ready: it sees what they export.
	Services []ServicePort
}

// ProcessNotStarted says that there was no process: it could not be started, or (Cancelled) the request to stop came first.
type ProcessNotStarted struct {
	Ref
	Error     TaskError
	Cancelled bool
	Ran       bool // there was one after all, when whoever waited for it panicked
}

// ProcessExited says how the process ended; its group is gone and its streams are at their end (4.5).
type ProcessExited struct {
	Ref
	Code       int
	Signal     int
	Cancelled  bool
	Incomplete string // why the streams may lack bytes
	WaitError  string
	Leftovers  []Leftover
	Killed     []Leftover // members of the group that outlived the main process, and were killed

	StdoutLen, StderrLen       int64
	StdoutDigest, StderrDigest digest.Digest
	Next                       int // number of the next event of the task
	Notes                      []Note
	Streams                    Streams // when it ended well
	Kept                       bool    // it goes on, beyond the run
	Unready                    string  // of a service that was not ready yet: why it was not when somebody looked last
	PortTaken                  bool    // likewise: somebody else listens on its port
}

// SignalProcess asks for SIGTERM, with Interrupt for SIGINT, or with Kill for SIGKILL, to the group of a task. A process that
// is gone is not signalled. A service may want another signal than the first two.
type SignalProcess struct {
	Ref
	Interrupt, Kill bool
}

// LeaveProcess asks that the process of a service goes on beyond the run (EXEC-082). Answered by ProcessExited.
type LeaveProcess struct{ Ref }

// TimeExpired tells a task that its process has run as long as it may (EXEC-045).
type TimeExpired struct{ Ref }

// PatienceExpired tells a task that its process had its share of the grace after SIGINT.
type PatienceExpired struct{ Ref }

// GraceExpired tells a task that its process had all of its grace.
type GraceExpired struct{ Ref }
