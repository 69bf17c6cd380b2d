package workspace

import (
	"context"

	"github.com/haz-build/haz/fsys"
)

// ParseReference reads a reference as in a file; bare names are allowed where bare is true (command line).
func ParseReference(text string, bare bool) (Reference, error) { panic("contract") }

func (r Reference) String() string { panic("contract") }

// Options of Load.
type Options struct {
	// Only settings and root are needed (cache commands): projects and overlays are not read.
	SettingsOnly bool
}

// Find walks up from dir (a host path) to the root of a workspace (DISC-001 … 004). host is the file system of the machine.
func Find(host fsys.FS, dir string) (root string, mode Mode, err error) { panic("contract") }

// Load finds, reads, merges and checks everything but the graph: phases 1 to 6. The error is *diag.Errors with all errors
// of all files; the workspace is then what could be read (for later phases), or nil. fs is the file system of the root.
func Load(ctx context.Context, host fsys.FS, dir string, o Options) (ws *Workspace, fs fsys.FS, err error) {
	panic("contract")
}

// Bearing is the project whose directory contains dir, a host path (EXEC-022); nil when none.
func (w *Workspace) Bearing(host fsys.FS, dir string) *Project { panic("contract") }

// Task finds a task by identity.
func (w *Workspace) Task(id TaskID) *Task { panic("contract") }

// Project finds a project by name.
func (w *Workspace) Project(name string) *Project { panic("contract") }

// A SelectError says why a reference selects nothing: which of the causes of 7.2, with the nearest name as a hint.
type SelectError struct {
	Rule   string // "REF-003"
	Ref    string
	Reason string
	Hint   string
}

func (e *SelectError) Error() string { return e.Reason }

// Resolve returns the tasks that a reference selects, in canonical order; bearing may be nil on the command line. The error is *SelectError.
func (w *Workspace) Resolve(r Reference, bearing *Project) ([]*Task, error) { panic("contract") }
