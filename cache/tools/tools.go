// Package tools finds the programs that a task starts, and digests them (CACHE-035): what a cache key holds of a compiler is its
// bytes, wherever it lies.
//
// A program is looked for as it will be: in the PATH of the task. Where it lies, and all else that PATH says, is left out, so that
// two shells, or two machines, with the same programs agree.
package tools

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/script"
)

// Where programs are looked for when a task has no PATH: the one that is started (chapter 2, 4.2), and those of a script by its
// shell, all that any shell has built in.
const (
	DefaultPath = "/bin:/usr/bin"
	ShellPath   = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/gnu/bin"
)

// How a tool is known.
type How byte

const (
	Absent     How = iota // there is no such program: the task fails, or never comes to it
	Bytes                 // by the digest of its file
	Unreadable            // by the stat of its file, which may be executed and not read
	Probed                // by what its probe printed
)

// A Tool is a program of a task.
type Tool struct {
	Name   string // as it is written
	How    How
	Digest digest.Digest // of bytes, stat, or what a probe printed; zero when absent
	File   string        // on the host; "" when absent. Not in the key

	// Program, of one that is probed, tells the program that was asked from others. It is not in the key.
	Program digest.Digest

	inside string // its name in the workspace; "" where it lies elsewhere
}

// Same reports whether two are one to a key.
func (t *Tool) Same(o *Tool) bool { return t.Name == o.Name && t.How == o.How && t.Digest == o.Digest }

// Inside is the name of the program in the workspace, also of one that is absent; "" where it lies elsewhere.
func (t *Tool) Inside() string { return t.inside }

// Options of a Finder.
type Options struct {
	Host      fsys.FS // of the machine
	Workspace fsys.FS // of the workspace
	Root      string  // of the workspace, on the host
	State     *state.State
	Hash      digest.Function

	// Run runs a probe, and returns what it printed. nil: no program is run, and Last is asked.
	Run func(ctx context.Context, p Probe) (stdout, stderr []byte, err error)
	// Last returns a tool of the last key that a run derived for t.
	Last func(t *workspace.Task, name string) (Tool, bool)
}

// Finder finds programs. Safe for concurrent use. What it found on the machine it keeps, and looks at again after Forget alone:
// nobody is expected to replace a compiler while nothing runs.
type Finder struct {
	o     Options
	era   atomic.Uint64
	names sync.Map // scriptOf → []string
	paths sync.Map // text of a PATH → *searchPath
	kept  atomic.Int64

	folders sync.Map // place → *glimpse

	mu    sync.RWMutex
	lists map[listOf]listed

	answers sync.Map // Probe.key → *asked
}

// maxKept is how many scripts, paths and programs are remembered.
const maxKept = 1 << 16

// New makes a Finder.
func New(o Options) *Finder { return &Finder{o: o} }

// Forget says that something ran, which may have replaced programs: each is looked at again before it is believed.
func (f *Finder) Forget() { f.era.Add(1) }

// An Env is where a task looks for programs.
type Env struct {
	Path string
	Set  bool // the task has a PATH
	// All is the whole environment, which a probe is given.
	All func() []string
}

// orDefault is where the program that haz starts itself is looked for.
func (e *Env) orDefault() string {
	if e.Set {
		return e.Path
	}
	return DefaultPath
}

// Find lists the tools of a task, sorted by name: the program that is started and those that its script starts, and the
// interpreters of those that are scripts; not what the task itself makes. Where the task says what its tools are, these. The list is not to
// be changed: tasks share it. The error is that of ctx, or a *ProbeError.
func (f *Finder) Find(ctx context.Context, t *workspace.Task, env Env) ([]Tool, error) {
	if t.OwnTools || t.Kind != workspace.Shell {
		list, _, err := f.find(ctx, t, env)
		return list, err
	}
	era, of := f.era.Load(), listOf{scriptOf{t.Shell, t.Script}, env.Path, env.Set}
	f.mu.RLock()
	known, ok := f.lists[of]
	f.mu.RUnlock()
	if ok && known.era == era {
		return known.tools, nil
	}
	list, everywhere, err := f.find(ctx, t, env)
	if err == nil && everywhere {
		f.mu.Lock()
		if f.lists == nil {
			f.lists = map[listOf]listed{}
		}
		if ok || len(f.lists) < maxKept {
			f.lists[of] = listed{era, list}
		}
		f.mu.Unlock()
	}
	return list, err
}

// listOf is what a list of tools hangs on, where none of them lies in the workspace.
type listOf struct {
	scriptOf
	path string
	set  bool
}

// listed is such a list, as it was in an era.
type listed struct {
	era   uint64
	tools []Tool
}

// find is Find without memory of lists. everywhere says that tasks with the same script and PATH have the same list.
func (f *Finder) find(ctx context.Context, t *workspace.Task, env Env) (list []Tool, everywhere bool, err error) {
	var names []string
	if t.OwnTools {
		for i := range t.Tools {
			decl := &t.Tools[i]
			if decl.Probe == nil {
				names = append(names, decl.Name)
				continue
			}
			tool, err := f.probe(ctx, t, env, decl)
			if err != nil {
				return nil, false, err
			}
			list = append(list, tool)
		}
	} else {
		names = f.programs(t)
		list = make([]Tool, 0, len(names)+2)
	}
	usual := f.path(env.orDefault())
	everywhere = true
	for _, name := range names {
		path := usual
		if !env.Set && t.Kind == workspace.Shell && name != t.Shell {
			path = f.path(ShellPath)
		}
		found, kept, err := f.search(ctx, t, name, path)
		if err != nil {
			return nil, false, err
		}
		list, everywhere = append(list, found...), everywhere && kept
	}
	inOrder := func(a, b Tool) int { return cmp.Or(strings.Compare(a.Name, b.Name), a.compare(&b)) }
	if !slices.IsSortedFunc(list, inOrder) {
		slices.SortFunc(list, inOrder)
	}
	return slices.CompactFunc(list, func(a, b Tool) bool { return a.Same(&b) }), everywhere, nil
}

// compare puts two tools of one name in order: an interpreter may be looked for elsewhere than a program of that name.
func (t *Tool) compare(o *Tool) int {
	return cmp.Or(cmp.Compare(t.How, o.How), bytes.Compare(t.Digest[:], o.Digest[:]))
}

type scriptOf struct{ shell, text string }

// programs are the names of what a task starts, the one that haz starts first.
func (f *Finder) programs(t *workspace.Task) []string {
	if t.Kind != workspace.Shell {
		return script.Programs(t.Argv)
	}
	key := scriptOf{t.Shell, t.Script}
	if names, ok := f.names.Load(key); ok {
		return names.([]string)
	}
	o := script.Read(t.Shell, t.Script)
	names := append(append([]string{t.Shell}, o.Programs...), o.Asked...)
	if !o.Plain {
		f.keep(&f.names, key, names)
	}
	return names
}

// keep remembers something, while there is not too much.
func (f *Finder) keep(m *sync.Map, key, value any) {
	if f.kept.Load() < maxKept {
		if _, known := m.Swap(key, value); !known {
			f.kept.Add(1)
		}
	}
}
