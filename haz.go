// Package haz is the embed API: open a workspace, select tasks, run them, watch typed events, read the result.
//
// It holds no global state, never exits, never prints, and leaves no goroutine behind.
package haz

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

// Workspace is an open workspace: loaded, checked, ready to select and run. Close it.
type Workspace struct {
	W        *workspace.Workspace
	G        *graph.Graph
	FS       fsys.FS // rooted at the workspace
	Warnings diag.List
	o        options
}

type options struct {
	host    fsys.FS
	env     []string
	dir     string
	spawner process.Spawner
	clock   Clock
	system  *actor.ActorSystem
	logger  *slog.Logger
	os      string
	arch    string
	umask   int
	cpus    int
}

// Clock is the time that a run sees.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine after d; stop prevents that.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Option configures Open.
type Option func(*options)

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
	Jobs      int
	FailFast  bool
	Cache     CacheMode
	Observer  func(messages.Event) // called from one goroutine at a time, in order; a slow one holds the run back
	Signals   <-chan Interrupt     // signals to act on, from the host's handler; nil: none
	ExtraHook any                  // reserved
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
