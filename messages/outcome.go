package messages

import (
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/workspace"
)

// Status is how a task ended (chapter 2, section 3).
type Status uint8

const (
	Completed Status = iota + 1
	Failed           // exit code other than 0, a signal, or a task error (Error is set)
	Skipped
	Cancelled
)

func (s Status) String() string {
	switch s {
	case Completed:
		return "completed"
	case Failed:
		return "failed"
	case Skipped:
		return "skipped"
	}
	return "cancelled"
}

// Source says where a completed result came from.
type Source uint8

const (
	FromRun Source = iota + 1
	FromCache
)

func (s Source) String() string {
	switch s {
	case FromCache:
		return "cache"
	}
	return "run"
}

// Cause says why a task was skipped, or how it was cancelled.
type Cause uint8

const (
	UpstreamDidFail      Cause = iota + 1 // skipped: upstream failed
	UpstreamDidErr                        // skipped: upstream errored
	RunStopped                            // skipped: --fail-fast
	RuntimeCycle                          // skipped: in a cycle found at run time
	Signalled                             // cancelled: its process was signalled by haz
	UpstreamWasCancelled                  // cancelled
	ConditionFalse                        // skipped: its condition does not hold (EXEC-047)
	NotNeeded                             // skipped: a finalizer of tasks that were never started (EXEC-048), or a service of tasks that did not have to run
	ServiceNotReady                       // skipped: a service that it needs was not ready in time
	ServiceDied                           // cancelled: a service that it needed has failed while its process ran
	RunCancelled                          // cancelled: was ready, or would have become ready, or had not spawned
	Requested                             // cancelled: somebody asked for the end of this task (EXEC-083)
)

func (c Cause) String() string {
	switch c {
	case UpstreamDidFail:
		return "upstream failed"
	case UpstreamDidErr:
		return "upstream errored"
	case RunStopped:
		return "run stopped"
	case RuntimeCycle:
		return "runtime cycle"
	case Signalled:
		return "signalled"
	case UpstreamWasCancelled:
		return "upstream cancelled"
	case ConditionFalse:
		return "condition"
	case NotNeeded:
		return "not needed"
	case Requested:
		return "requested"
	case ServiceNotReady:
		return "service not ready"
	case ServiceDied:
		return "service died"
	}
	return "run cancelled"
}

// ErrorKind is the kind of a task error (4.7).
type ErrorKind string

const (
	ErrKey              ErrorKind = "key"
	ErrSpawn            ErrorKind = "spawn"
	ErrWait             ErrorKind = "wait"
	ErrOutputMissing    ErrorKind = "output-missing"
	ErrOutputKind       ErrorKind = "output-kind"
	ErrOutputUnreadable ErrorKind = "output-unreadable"
	ErrCrash            ErrorKind = "crash"
	ErrNotReady         ErrorKind = "not-ready"     // a service that did not answer in time
	ErrServiceEnded     ErrorKind = "service-ended" // a service whose process ended by itself
	ErrPortTaken        ErrorKind = "port-taken"    // a service whose port somebody has already
)

// TaskError says why haz could not carry a task through, or not accept its result.
type TaskError struct {
	Kind   ErrorKind
	Reason string // one sentence with the path
	Hint   string
	Causes []string // chain of causes, outermost first
}

// StoreResult says what became of a result in the cache.
type StoreResult uint8

const (
	Stored StoreResult = iota + 1
	NotStored
	AlreadyThere
)

func (r StoreResult) String() string {
	switch r {
	case Stored:
		return "stored"
	case NotStored:
		return "not stored"
	}
	return "already there"
}

// Leftover is a process that outlived its task (4.5).
type Leftover struct {
	PID     int
	Command string
}

// Outcome is the record of one task, a plain value (chapter 2, section 3).
type Outcome struct {
	Task   workspace.TaskID
	Status Status
	Cause  Cause            // skipped, cancelled
	Root   workspace.TaskID // root of a cascade; zero when none
	Source Source           // completed

	HasKey bool
	Key    entry.Key
	Miss   *entry.Miss // why it ran; nil for hits and for tasks that were never looked up

	ExitCode int // failed: exit code, -1 when a signal ended it
	Signal   int
	TimedOut time.Duration // failed: the timeout that its process had run out of, 0 when it had not; of a service that was not ready in time, and of what is skipped for that, the time that it had
	Error    *TaskError

	Failures                   []Attempt // attempts that failed and were followed by another one (EXEC-046)
	Allowed                    int       // how many attempts the task may make; 1 where it says no retry
	MadeOn                     int       // completed: on which attempt, by this run or by the one that stored the result
	StdoutLen, StderrLen       int64
	StdoutDigest, StderrDigest digest.Digest
	Outputs                    []entry.Output
	OutputsDigest              digest.Digest

	Store       StoreResult
	StoreReason string // not stored: why
	StoreHint   string

	Served bool // completed: a service, which nobody needed any more
	Kept   bool // Served: its process goes on

	Started, Ended time.Time     // Started is when the key derivation began; zero when it never did
	Queued         time.Duration // waiting for admission, locks
	Spawned        int           // processes started, one an attempt
	Restarted      int           // processes stopped by request and followed by another one (EXEC-084): no attempts of their own
	Leftovers      []Leftover
}

// Attempt is how one process of a task failed.
type Attempt struct {
	ExitCode, Signal int           // as those of an Outcome
	TimedOut         time.Duration // the timeout that ran out; 0 when none did
	Took             time.Duration // of the process
}

// LeftOut reports whether the task was skipped for a reason of its own, so that nothing is wrong: its condition does not hold, and whoever
// depends on it goes on as if it had completed and made nothing; or it is a finalizer with nothing to do.
func (o Outcome) LeftOut() bool {
	return o.Status == Skipped && (o.Cause == ConditionFalse || o.Cause == NotNeeded)
}

// Began reports whether a process of the task was started.
func (o Outcome) Began() bool { return o.Spawned > 0 }

// Flaky reports whether the result came of a later attempt than the first.
func (o Outcome) Flaky() bool { return o.Status == Completed && o.MadeOn > 1 }

// Took is the shown duration: from key derivation to the end, less the time queued.
func (o Outcome) Took() time.Duration {
	if o.Started.IsZero() {
		return 0
	}
	return o.Ended.Sub(o.Started) - o.Queued
}

// ViolationKind is the kind of a broken runtime invariant (2.6).
type ViolationKind string

const (
	RuntimeCycleViolation ViolationKind = "runtime-cycle"  // EXEC-019
	OutputOverlap         ViolationKind = "output-overlap" // EXEC-020
	Internal              ViolationKind = "internal"       // haz itself: a missing or second outcome
)

// Violation is a broken runtime invariant.
type Violation struct {
	Kind     ViolationKind
	Tasks    []workspace.TaskID // overlap: first claimant, second; cycle: members in canonical order
	Path     string
	From, To workspace.TaskID // cycle: the offending edge
	Pattern  string           // cycle: the input pattern that matched
	Glob     bool             // cycle: the pattern is a glob (hint: exclude)
	Message  string           // internal
}

// Counts of a run; Completed + Failed + Skipped + Cancelled = Selected. Cached is part of Completed, and so is Flaky: those that
// this run had to try more than once; LeftOut is part of Skipped: those for which that says so of the outcome.
type Counts struct{ Selected, Completed, Cached, Failed, Skipped, Cancelled, Flaky, LeftOut int }

// Add counts one more outcome.
func (c *Counts) Add(o Outcome) {
	c.Selected++
	switch o.Status {
	case Completed:
		c.Completed++
		if o.Source == FromCache {
			c.Cached++
		} else if o.Flaky() {
			c.Flaky++
		}
	case Failed:
		c.Failed++
	case Skipped:
		c.Skipped++
		if o.LeftOut() {
			c.LeftOut++
		}
	case Cancelled:
		c.Cancelled++
	}
}
