// Package workspace holds what the user declared: projects, tasks, overlays, settings, references; values that know each other and
// no disk (chapter 1). Package load makes them from files.
package workspace

import (
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// TaskID identifies a task in a workspace.
type TaskID struct{ Project, Task string }

func (id TaskID) String() string { return id.Project + ":" + id.Task }

// Compare is the canonical order: by project, then task, byte by byte (EXEC-003).
func (id TaskID) Compare(o TaskID) int {
	if c := strings.Compare(id.Project, o.Project); c != 0 {
		return c
	}
	return strings.Compare(id.Task, o.Task)
}

// Mode is how the workspace was found.
type Mode uint8

const (
	Explicit Mode = iota + 1
	Implicit
)

func (m Mode) String() string {
	switch m {
	case Explicit:
		return "explicit"
	}
	return "implicit"
}

// Workspace is a loaded workspace. It is immutable.
type Workspace struct {
	Root     string // canonical absolute host path
	Mode     Mode
	Settings Settings
	Entries  []pattern.Pattern // of the list of projects
	Projects []*Project        // by name
	Aliases  []Alias           // by name
	Tasks    []*Task           // effective tasks in canonical order; Task.Index is the position here
	Overlays []*Overlay        // by name
	Warnings diag.List         // those of loading; the graph adds its own
	Notes    diag.List         // the warnings that commands which run tasks give, too
	Absent   []Absent          // listed projects that a sparse checkout leaves out (DISC-024)
	Inferred *Inferred         // nil: no manifest of another tool was looked at

	Partial Partial

	index index
}

// Partial says what is missing from a workspace that loaded only in part, because of mistakes in its files: nothing in one that
// loaded whole.
type Partial struct {
	Projects bool              // a project whose name is not known
	Tags     bool              // tags of a project
	Tasks    map[*Project]bool // tasks of these projects
}

// Settings of .haz/workspace.yml with defaults filled in.
type Settings struct {
	Hash        string         // "blake3", "sha256"
	Location    string         // cache.location, as written; "" when it is not set
	LocationAt  diag.Place     // where it stands
	MaxAge      *time.Duration // cache.clean.max_age
	MaxSize     *int64         // cache.clean.max_size, bytes
	MaxSizeText string         // as written, for the note
	Concurrency int            // 0: auto
	TagCaps     map[string]int
	OutputMode  string        // "live", "buffered", "new-only"
	UI          string        // output.ui: "never", "auto"
	CancelGrace time.Duration // execution.cancel_grace
	Umask       uint32        // execution.umask: that of every task
}

// Alias is another name of a project.
type Alias struct {
	Name    string
	Project *Project
}

// Inferred says how projects were found in manifests of other tools.
type Inferred struct {
	Readers []string          // "node", "go": whose manifests were read
	Scripts bool              // of packages are tasks, all or some
	Looked  []pattern.Pattern // of the files that decide it, workspace-absolute: manifests and settings, be they there or not
	// Manifests are those of projects, workspace-absolute.
	Manifests map[string]bool
	Sources   []Sources
}

// Sources are files that are edited all the time, and of which little counts for which projects there are and who uses whom: of a Go file, what it imports.
type Sources struct {
	Patterns []pattern.Pattern
	// LeftOut reports whether nothing counts at a file or folder, and below it; nil: everything does. Of a pattern it is asked below its fixed prefix.
	LeftOut func(name string) bool
	// Part is what counts of a file; nil for that it is there.
	Part func(name string, text []byte) string
	// Folders says that it counts, too, whether a folder has such files at all.
	Folders bool
	// Same tells Parts apart: where it is equal, they agree.
	Same string
}

// Project is one project.
type Project struct {
	Name    string
	Aliases []string // sorted
	Dir     string   // workspace-absolute, "/" for the root
	File    string   // path of its haz.yml relative to the root; "" where it was not read from a file
	Tags    []string // sorted
	Uses    []Use    // by name, each once; those that name a project, which may not be checked out
	Tasks   []*Task  // effective, by name

	// Defaults is what the project and the workspace say of tasks that say nothing (haz::cfg::066); nil for nothing.
	Defaults *Task
}

// Defines reports whether a file, named from the root, is one that says what the workspace is: the haz.yml of a project, a manifest that
// makes its folder one, or what lies in .haz. No task makes it.
func (w *Workspace) Defines(path string) bool {
	if strings.HasPrefix(path, layout.Dir+"/") || w.Inferred != nil && w.Inferred.Manifests[path] {
		return true
	}
	return strings.HasSuffix(path, "/"+layout.ProjectFile) &&
		slices.ContainsFunc(w.Projects, func(p *Project) bool { return "/"+p.File == path })
}

// HasTag reports whether the project carries the tag.
func (p *Project) HasTag(tag string) bool {
	for _, t := range p.Tags {
		if t == tag {
			return true
		}
	}
	return false
}

// Plain is a task of the project that says nothing itself, and has no name.
func (p *Project) Plain() *Task {
	if p.Defaults != nil {
		return p.Defaults
	}
	return &Task{ID: TaskID{Project: p.Name}, Project: p}
}

// Overlay is one file of .haz/tasks.
type Overlay struct {
	Name       string
	File       string
	TagsFilter []string // nil: every project
	Attached   []*Project
}

// ActionKind is command or shell.
type ActionKind uint8

const (
	Command ActionKind = iota + 1
	Shell
)

func (k ActionKind) String() string {
	switch k {
	case Command:
		return "command"
	}
	return "shell"
}

// Task is an effective task: the body that won (5.3), as if it stood in its project.
type Task struct {
	ID      TaskID
	Index   int // position in Workspace.Tasks
	Project *Project
	Overlay string // name of the overlay that the body comes from; "" for the project's own
	// Completed says that other bodies than its own may say something of it: defaults, and those of overlays, of which Inherits has the
	// names, the nearest first.
	Completed bool
	Inherits  []string
	Origins   []*Origin  // of what does not stand in its own body
	Place     diag.Place // of the task's key

	Kind   ActionKind
	Argv   []string // Command
	Shell  string   // Shell: name of the shell
	Script string   // Shell: script
	// AppendsArguments says that arguments of a run stand behind the script (`args: append`). No part of the cache key.
	AppendsArguments bool
	// Arguments are what a run gave it (WithArguments): a part of Argv or Script. None of a task as it is declared.
	Arguments []string
	// OwnOptions are the shell_options of the task; nil: the usual ones of its shell.
	OwnOptions []string

	Inputs, Exclude, Outputs []PatternDecl
	Deps, WeakDeps           []RefDecl
	After                    []RefDecl  // its finalizers: they run when it has ended, whatever its end
	Finalizer                bool       // it is named by `after` of a task, so that it is never cached (EXEC-049)
	SaysCache                diag.Place // of `cache: true`; zero where that is not written
	OwnTools                 bool       // Tools are in the place of the programs that stand in the command or the script
	Tools                    []ToolDecl // in declaration order
	Mutex                    *Mutex
	FromHost                 []string  // hashed; in declaration order
	Pass                     []string  // not hashed; names and PREFIX_*, in declaration order
	EnvNames                 *EnvNames // tables of FromHost and Pass; nil: they are searched
	EnvFiles                 []EnvFile // a later one wins; they are among Inputs, too
	Strict                   bool      // nothing passes by default
	Override                 map[string]string
	Cache                    bool
	NoOutputs                bool // it runs a script of a package, and is not cached since nothing says what that makes
	Incremental              bool // what it made before stays when it runs again
	// Interactive tasks have the terminal of whoever started the run, run alone and are never cached (EXEC-060).
	Interactive bool
	TTY         bool // its output goes to a pseudo terminal
	// Timeout is how long its process may run (EXEC-045): 0 says nothing, NoTimeout is none. No part of the cache key.
	Timeout time.Duration
	Retry   Retry
	If      Condition
	Service *Service // nil: its process ends by itself
	// Description and Internal are for people: what the task is for (bytes, maybe several lines), and that it is not offered to them. No part
	// of the cache key.
	Description string
	Internal    bool
}

// Brief is the first line of the description.
func (t *Task) Brief() string {
	line, _, _ := strings.Cut(strings.TrimSpace(t.Description), "\n")
	return strings.TrimSpace(line)
}

// SharedIn is the project of a task whose body comes from an overlay, and so is that of other projects too, or has other cells, or is completed
// by what others have as well; else "". What is wrong with such a body is one mistake, told once (diag.Diagnostic.Project).
func (t *Task) SharedIn() string {
	if t.Overlay == "" && !t.Completed && t.ID.Family() == t.ID.Task {
		return ""
	}
	return t.Project.Name
}

// Origin says where values of a task stand that are not in its own body.
type Origin struct {
	Key   string   // "inputs", "env.pass", "timeout"
	Items []string // those of a list or a map that stand in one line; of a single value its text, or none where that is long
	Place diag.Place
}

// PatternDecl is a pattern where it was written.
type PatternDecl struct {
	Quiet   bool            // of Inputs: whether it matches is told elsewhere, or no news
	Shared  bool            // it stands where several tasks have it: in an overlay, or among defaults
	Text    string          // as written
	Via     *Item           // of Inputs: what stands in the list, where Text stands in a set of files that this means
	Pattern pattern.Pattern // anchored at the project (PATH-004), or at the root where the text starts with "/" (PATH-001, PATH-005)
	Place   diag.Place
	// Lock, of $lock among Inputs, is what the file that Pattern names pins: in a key stands what the project of the task reaches in it, and
	// not its bytes.
	Lock *Lock
	// Not are the items with "!" that follow it in its list, up to the next one without: what they match is taken from this pattern and
	// all before it (PATH-023), which Pattern knows.
	Not []PatternDecl
}

// Item is what stands in a list for several patterns: "$sources".
type Item struct {
	Text  string
	Place diag.Place
}

// At is where the task says it: of a pattern of a set, where the set is used.
func (d *PatternDecl) At() diag.Place {
	if d.Via != nil {
		return d.Via.Place
	}
	return d.Place
}

// SharedIn is what SharedIn of the task is, of a mistake in one of its patterns: a set of files, and a default, is that of many tasks.
func (d *PatternDecl) SharedIn(t *Task) string {
	if d.Shared {
		return t.Project.Name
	}
	return t.SharedIn()
}

// ProjectInput is the first input that selects the files of the project, $project, also in a set; nil: there is none.
func (t *Task) ProjectInput() *PatternDecl {
	for i := range t.Inputs {
		if t.Inputs[i].Pattern.IsListed() {
			return &t.Inputs[i]
		}
	}
	return nil
}

// Reads reports whether a task reads what it writes there, other than by $project, which does not have what tasks make: a formatter.
func (t *Task) Reads(out pattern.Pattern) bool {
	return slices.ContainsFunc(t.Inputs, func(in PatternDecl) bool { return !in.Pattern.IsListed() && overlap(in.Pattern, out) })
}

// Locks are the lock files that $lock means among the inputs, each once.
func (t *Task) Locks() (locks []*Lock) {
	for i := range t.Inputs {
		if l := t.Inputs[i].Lock; l != nil && !slices.Contains(locks, l) {
			locks = append(locks, l)
		}
	}
	return locks
}

// HasLock reports whether a file is one that $lock means among the inputs.
func (t *Task) HasLock(path string) bool {
	return slices.ContainsFunc(t.Inputs, func(in PatternDecl) bool { return in.Lock != nil && in.Pattern.Path() == path })
}

// Files are the patterns of inputs that files are read by, and what their globs leave out: all but $lock, and the lock files that this stands
// in the place of.
func (t *Task) Files() (inputs, exclude []pattern.Pattern) {
	inputs, exclude = make([]pattern.Pattern, 0, len(t.Inputs)), Patterns(t.Exclude)
	for i := range t.Inputs {
		if in := &t.Inputs[i]; in.Lock == nil {
			inputs = append(inputs, in.Pattern)
		} else {
			exclude = append(exclude, in.Pattern)
		}
	}
	return inputs, exclude
}

// Texts are the items of a list as they were written, in their order. A set that has no pattern is not among them.
func Texts(ds []PatternDecl) []string {
	out := make([]string, 0, len(ds))
	var via *Item
	for i := range ds {
		switch d := &ds[i]; {
		case d.Via == nil:
			out = append(out, d.Text)
		case d.Via != via:
			out = append(out, d.Via.Text)
		}
		via = ds[i].Via
		out = append(out, Texts(ds[i].Not)...)
	}
	return out
}

// Patterns strips the places.
func Patterns(ds []PatternDecl) []pattern.Pattern {
	out := make([]pattern.Pattern, len(ds))
	for i, d := range ds {
		out[i] = d.Pattern
	}
	return out
}

// RefDecl is a reference where it was written.
type RefDecl struct {
	Ref   Reference
	Place diag.Place
	// Optional references may select no task (REF-010).
	Optional bool
	// Narrow, of deps only, says that nothing but the outputs of these tasks counts in the key (`closure: false`).
	Narrow bool
	// Streams, of deps only, says that what these tasks print counts in the key, too (`streams: true`).
	Streams bool
}

// String is the reference as it is written.
func (r *RefDecl) String() string {
	if r.Optional {
		return r.Ref.String() + "?"
	}
	return r.Ref.String()
}

// ToolDecl is a program that counts in the key of a task.
type ToolDecl struct {
	Name string
	// Probe is a command whose output counts in place of the program's bytes; nil for none.
	Probe []string
}

// Mutex is the lock of a task (chapter 1, section 10). It is no part of the cache key (MUTEX-008) and makes no edge (MUTEX-009).
type Mutex struct {
	ProjectScope bool // "~:name"
	Name         string
	Shared       bool
}

// RefForm is one of the forms of section 7.1.
type RefForm uint8

const (
	RefOwn       RefForm = iota + 1 // ~:t
	RefProject                      // p:t
	RefAll                          // ^:t
	RefAllButOwn                    // ^~:t
	RefTag                          // [g]:t
	RefTagButOwn                    // [g]~:t
	RefUses                         // ^uses:t
	RefBare                         // t, command line only
)

// String is the form as the grammar writes it.
func (f RefForm) String() string {
	switch f {
	case RefOwn:
		return "~:task"
	case RefProject:
		return "project:task"
	case RefAll:
		return "^:task"
	case RefAllButOwn:
		return "^~:task"
	case RefTag:
		return "[tag]:task"
	case RefTagButOwn:
		return "[tag]~:task"
	case RefUses:
		return "^uses:task"
	}
	return "task"
}

// Reference is a parsed task reference. String gives the text it was parsed from.
type Reference struct {
	Form    RefForm
	Project string // RefProject
	Tag     string // RefTag, RefTagButOwn
	Task    string
}

// NeedsBearing reports whether the form needs a bearing project.
func (r Reference) NeedsBearing() bool {
	return r.Form == RefOwn || r.Form == RefAllButOwn || r.Form == RefTagButOwn || r.Form == RefUses
}
