// Package haz is the embed API: open a workspace, select tasks, run them, watch typed events, read the result.
//
// It holds no global state, never exits, never prints, and leaves no goroutine behind.
package haz

import (
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Workspace is an open workspace: loaded, checked, ready to select and run. Close it.
type Workspace struct {
	W   *workspace.Workspace
	G   *graph.Graph
	FS  fsys.FS // rooted at the workspace
	dir string
	o   options
}

// CacheMode says how a run uses the cache.
type CacheMode uint8

const (
	ReadWrite CacheMode = iota
	ReadOnly
	WriteOnly // force: nothing is looked up
	Off
)

// RunOptions configures one run.
type RunOptions struct {
	// Jobs is the global cap; 0: the workspace's setting.
	Jobs     int
	FailFast bool
	Cache    CacheMode
	Observer func(messages.Event) // called from one goroutine at a time, in order; a slow one holds the run back
	Signals  <-chan Interrupt     // signals to act on, from the host's handler; nil: none
	// Suspend hands functions over that are to be called while the run stands still: its processes, with all that they have
	// started, and its time limits. A program calls one that stops itself, on SIGTSTP. When the function returns, the run goes
	// on; a wish to end the run continues it at once. Each function that is received is called once, and has returned before Run
	// does; they are received from the beginning of Run to its end. nil: none.
	Suspend <-chan func()
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
