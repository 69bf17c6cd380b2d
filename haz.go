// Package haz is the embed API: open a workspace, select tasks, run them, watch typed events, read the result.
//
// It never exits, never prints, and leaves no goroutine behind. Several workspaces, and several runs of one, may be under way at once.
// Of the process as a whole it changes, while real processes run, the child subreaper, and it listens to SIGCHLD beside the host (see
// process.System); signals that the process ignores are caught and dropped from the first process on. Settings of the garbage
// collector, directory and environment are the host's. docs/embedding.md has examples, and what must not block.
package haz

import (
	"fmt"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

// Workspace is an open workspace: loaded, checked, ready to select and run. Close it.
type Workspace struct {
	W   *workspace.Workspace
	G   *graph.Graph
	FS  fsys.FS // rooted at the workspace
	dir string
	o   options

	compiled *compiling // nil: it is not kept
	system   keptSystem
}

// CacheMode says how a run uses the cache.
type CacheMode uint8

const (
	ReadWrite CacheMode = iota
	ReadOnly
	WriteOnly // force: nothing is looked up
	Off
)

func (m CacheMode) String() string {
	switch m {
	case ReadOnly:
		return "ro"
	case WriteOnly:
		return "wo"
	case Off:
		return "off"
	}
	return "rw"
}

// RunOptions configures one run.
type RunOptions struct {
	// Jobs is the global cap; 0: the workspace's setting.
	Jobs     int
	FailFast bool
	Cache    CacheMode
	// Fresh are tasks that are carried out whatever the cache has, and whose results take the place of what it has, as with WriteOnly all do. Those
	// that are not in the plan count for nothing.
	Fresh []TaskID
	// Timeout is how long the process of a task may run that says nothing of its own; 0: as long as it likes.
	Timeout time.Duration
	// Observer is called with one event at a time, in order; nil: nobody watches. A slow one holds the run back: output waits for it, and
	// tasks for their output. When a run is to end, it has 5 s to return. The bytes of TaskOutput are its own until then; all else
	// in an event may be kept, and not be changed.
	Observer func(messages.Event)
	// Signals are those to act on, from the host's handler; nil: none. They are received from the beginning of Run to its end. haz itself
	// handles no signal that could end the program.
	Signals <-chan Interrupt
	// Suspend hands functions over that are to be called while the run stands still: its processes, with all that they have
	// started, and its time limits. A program calls one that stops itself, on SIGTSTP. When the function returns, the run goes
	// on; a wish to end the run continues it at once. Each function that is received is called once, and has returned before Run
	// does; they are received from the beginning of Run to its end. nil: none.
	Suspend <-chan func()
	// Commands are what to do about single tasks, and about the number of slots, while the run is under way. They are received from the beginning
	// of Run to its end; of those that are still in the channel then, each is answered as well. nil: none.
	Commands <-chan Command
	// Services go on between the runs that are given the same ones, as those of a watch are; nil: each is stopped when nobody needs it any more.
	Services *Services
	// Terminal is lent to interactive tasks, one at a time; nil: there is none, and a plan with such a task is refused.
	Terminal process.Terminal
	// Columns is the width of the terminal that a task with tty has; 0: 80. Colour tells tasks that what they print is seen in colours.
	Columns int
	Colour  bool
	Explain bool // find out why tasks missed (Miss.Detail); costs reading one file a miss
}

// Interrupt is a signal that the host received: the first cancels, the second kills, the third gives up at once.
type Interrupt struct {
	Name   string // "SIGINT"
	Number int
}

// Result is how a run ended. Every task of the plan has exactly one outcome.
type Result struct {
	Run        string
	Outcomes   []messages.Outcome // canonical order
	TaskErrors []messages.Outcome // those with a task error
	Violations []messages.Violation
	Counts     messages.Counts
	Cancelled  bool
	Interrupt  *Interrupt // the first signal, when one started the cancellation
	Crash      error      // a defect of haz beyond one task
	Started    time.Time
	Ended      time.Time
	Hash       digest.Function
}

// OK reports whether all that was planned succeeded: every task completed or was left out (by its condition, or as a finalizer
// that was not needed), no invariant was broken, nobody cancelled the run.
func (r *Result) OK() bool { return r.Err() == nil }

// Err is nil for a run that succeeded, and otherwise a *RunError.
func (r *Result) Err() error {
	c := r.Counts
	if r.Crash == nil && !r.Cancelled && c.Completed+c.LeftOut == c.Selected && len(r.Violations) == 0 {
		return nil
	}
	return &RunError{Result: r}
}

// A RunError is a run that did not succeed. It unwraps to the crash of the run, if there was one.
type RunError struct{ Result *Result }

func (e *RunError) Error() string {
	r := e.Result
	switch c := r.Counts; {
	case r.Crash != nil:
		return "a defect in haz: " + r.Crash.Error()
	case r.Cancelled:
		return fmt.Sprintf("the run was cancelled: %d of %d tasks completed", c.Completed, c.Selected)
	case c.Failed == 0 && len(r.Violations) == 1:
		return "a runtime invariant was broken"
	case c.Failed == 0 && len(r.Violations) > 1:
		return fmt.Sprintf("%d runtime invariants were broken", len(r.Violations))
	case c.Failed == 0 && c.Skipped == c.LeftOut && c.Cancelled > 0:
		return fmt.Sprintf("%d of %d tasks were cancelled", c.Cancelled, c.Selected)
	default:
		return fmt.Sprintf("%d of %d tasks failed, %d were skipped", c.Failed, c.Selected, c.Skipped+c.Cancelled)
	}
}

func (e *RunError) Unwrap() error { return e.Result.Crash }
