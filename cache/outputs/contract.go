// Package outputs decides what a task has produced: snapshot before the process, attribution after it (chapter 2, 4.6).
package outputs

import (
	"context"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/glob"
)

// Snapshot is the stat of everything that matched the output patterns before the spawn.
type Snapshot struct{}

// TakeSnapshot looks at everything that matches.
func TakeSnapshot(ctx context.Context, fs fsys.FS, patterns []glob.Pattern) (*Snapshot, error) {
	panic("contract")
}

// Request is what Collect has to know.
type Request struct {
	Task     string
	Patterns []glob.Pattern // anchored
	Before   *Snapshot
	Ledger   state.Ledger // of this task
	// Input: stat and digest that the key has for a path.
	Input func(path string) (fsys.Info, digest.Digest, bool)
	// MadeBy: the other task that claimed path in this run or lists it in its ledger, "" when none. Only tasks that exist and
	// whose patterns still match count; the caller sees to that.
	MadeBy func(path string) string
	// PresenceOnly: look at presence and kind, digest nothing (cancelled while collecting).
	PresenceOnly bool
}

// RejectKind is the kind of a task error found while collecting.
type RejectKind string

const (
	OutputMissing    RejectKind = "output-missing"
	OutputKind       RejectKind = "output-kind"
	OutputUnreadable RejectKind = "output-unreadable"
)

// A RejectError is a task error: the outputs cannot be accepted.
type RejectError struct {
	Kind   RejectKind
	Path   string
	Reason string // "declared output bin/app was not produced"
	Hint   string
	Err    error
}

func (e *RejectError) Error() string { return e.Reason }
func (e *RejectError) Unwrap() error { return e.Err }

// Collected is what a task has produced.
type Collected struct {
	Outputs []cache.Output // sorted by path
	Digest  digest.Digest  // OutputsDigest
	Wrote   []string       // paths written by this task in this run, sorted: what it claims (EXEC-020)
	// NotStorable is the reason why the result must not be stored, "" when nothing speaks against it; with Hint.
	NotStorable string
	Hint        string
	Produced    []state.Produced // for the ledger
}

// Collect resolves the output patterns after a success. The error is *RejectError or ctx.Err().
func Collect(ctx context.Context, fs fsys.FS, st *state.State, fn digest.Function, r Request) (*Collected, error) {
	panic("contract")
}

// Written lists what an execution that failed, was cancelled or was not stored was seen to write, without digests (8.2).
func Written(ctx context.Context, fs fsys.FS, patterns []glob.Pattern, before *Snapshot) []state.Produced {
	panic("contract")
}
