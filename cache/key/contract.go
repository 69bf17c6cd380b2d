// Package key leads from a task to its cache key: resolves and digests inputs, composes the action, explains differences
// (chapter 2, section 5).
package key

import (
	"context"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/glob"
	"github.com/haz-build/haz/workspace"
)

// Upstream is what a hard upstream contributes.
type Upstream struct {
	Task                    workspace.TaskID
	Stdout, Stderr, Outputs digest.Digest
}

// Place is component 1: what machine and project.
type Place struct {
	OS, Arch string
	Umask    uint32
}

// HostEnv looks a variable of the host's snapshot up.
type HostEnv func(name string) (value string, ok bool)

// Deriver derives keys. Safe for concurrent use.
type Deriver struct{}

// Options of a Deriver.
type Options struct {
	FS    fsys.FS
	Tree  *glob.Tree
	State *state.State
	Hash  digest.Function
	Place Place
	Env   HostEnv
}

// NewDeriver makes a Deriver.
func NewDeriver(o Options) *Deriver { panic("contract") }

// InputKind is the kind byte of an input.
type InputKind byte

// Input is one input of a key, with its stat at key time.
type Input struct {
	Path       string
	Kind       InputKind // 'f', 'l', 'd'
	Exec       bool
	Digest     digest.Digest
	LinkText   string
	Target     byte // of a link: 0x00 absent, 0x01 file, 0x02 entered directory
	Info       fsys.Info
	TargetInfo fsys.Info
}

// Derived is a key and what it was made of.
type Derived struct {
	Key       digest.Digest
	Inputs    []Input // sorted by path
	Upstreams []Upstream
}

// An Error is a task error of kind key: a literal input that is missing or no regular file, an unreadable file, a failed walk.
type Error struct {
	Path   string
	Reason string // sentence without the task: "input /p/a.c does not exist"
	Hint   string
	Err    error
}

func (e *Error) Error() string { return e.Reason }
func (e *Error) Unwrap() error { return e.Err }

// Derive resolves and digests the inputs of t and composes the key. The error is *Error or ctx.Err().
func (d *Deriver) Derive(ctx context.Context, t *workspace.Task, ups []Upstream) (*Derived, error) {
	panic("contract")
}

// Moved walks the input patterns again and compares with key time (S-23). It returns the workspace paths that were added,
// removed or changed, sorted; exempt ones (own outputs that the task wrote) are left out by the caller's function.
func (d *Deriver) Moved(ctx context.Context, t *workspace.Task, at *Derived, exempt func(path string) bool) ([]string, error) {
	panic("contract")
}

// Environment is the exact environment of the task, sorted by name (chapter 2, 4.3).
func (d *Deriver) Environment(t *workspace.Task) []string { panic("contract") }

// Record serializes the components of a derived key for `why --diff` (8.3); environment values are salted digests.
func (d *Deriver) Record(t *workspace.Task, at *Derived, secret []byte, run string, unix int64) []byte {
	panic("contract")
}

// Difference is one line of `why --diff`.
type Difference struct {
	Sign   byte   // '~', '+', '-'
	Kind   string // "input", "env", "command", "upstream", "outputs", "place"
	Name   string
	Detail string // "81c4b7f7 -> 02aa91fe"
}

// Recorded says which run made a record, and when.
type Recorded struct {
	Run  string
	Unix int64
	Key  digest.Digest
}

// Diff compares a record with a derived key. ok is false when the record cannot be read or was made with another secret.
func (d *Deriver) Diff(record []byte, t *workspace.Task, at *Derived, secret []byte) (diffs []Difference, made Recorded, ok bool) {
	panic("contract")
}
