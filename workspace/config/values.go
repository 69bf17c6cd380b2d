package config

import (
	"time"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// What a file says, typed, with the places where it says so. A value that was wrong is absent (or the list lacks the item),
// and a diagnostic says why.

// Text is a scalar: its text as written (quotes and escapes removed), and where.
type Text struct {
	Value string
	Span  Span
	Set   bool
}

// Items is a list, and where it stands.
type Items[T any] struct {
	Items []T
	Span  Span
	Set   bool
}

// List is a list of texts.
type List = Items[Text]

// Pattern is a path or glob, or stands for a set of files.
type Pattern struct {
	Text
	Glob pattern.Pattern // not anchored
	Not  bool            // the text begins with "!", which Glob is without
	Set  string          // the name behind "$"; Glob is the zero one then
}

// FileSet is a named set of files.
type FileSet struct {
	Name  Text
	Items Patterns
}

// Patterns is a list of patterns.
type Patterns = Items[Pattern]

// Dep is an item of deps, in its short form or as a map.
type Dep struct {
	Task             Text
	Closure, Streams Bool
}

// Deps is a list of deps.
type Deps = Items[Dep]

// Tool is an item of tools, in its short form or as a map.
type Tool struct {
	Name  Text
	Probe List
}

// Tools is a list of tools.
type Tools = Items[Tool]

// Bool is a boolean.
type Bool struct {
	Value, Set bool
	Span       Span
}

// Pair is a key with a text.
type Pair struct{ Key, Value Text }

// TagCap is an entry of concurrency.tags.
type TagCap struct {
	Tag Text
	Max int
}

// Duration is a duration with its text.
type Duration struct {
	Text
	Duration time.Duration
}

// Size is a number of bytes with its text.
type Size struct {
	Text
	Bytes int64
}

// Infer says whose manifests are read.
type Infer struct {
	Auto    bool
	Readers List // what is listed; not with Auto
	Scripts Bool // of node: scripts of a package.json are tasks
	Only    List // those of these names alone, of members; not Set: all of them
	Span    Span
	Set     bool
}

// Workspace is .haz/workspace.yml.
type Workspace struct {
	Source   *Source
	Projects Patterns
	Infer    Infer
	Cache    struct {
		Hash     Text
		Location Text
		Clean    struct {
			MaxAge  Duration
			MaxSize Size
		}
	}
	Concurrency struct {
		Default Text
		Max     int // 0: auto
		Tags    []TagCap
	}
	Output    struct{ Mode, UI Text }
	Execution struct {
		CancelGrace Duration
		Umask       Text
	}
	Env      struct{ Strict Bool }
	Files    []FileSet
	Defaults *Body // the keys that defaults have, and no other; nil where a file has none

	// ProjectsKnown is false when the list of projects could not be read whole, FilesKnown when the sets could not.
	ProjectsKnown, FilesKnown bool
}

// Project is a haz.yml.
type Project struct {
	Source   *Source
	Name     Text // not Set when missing or wrong
	Nameless bool // it is missing
	Aliases  List
	Tags     List
	Uses     List // names of projects
	Env      struct{ Strict Bool }
	Files    []FileSet
	Defaults *Body // the keys that defaults have, and no other; nil where a file has none
	Tasks    []Task

	AliasesKnown, TagsKnown, TasksKnown, FilesKnown bool // false when some of them could not be read
}

// Overlay is a file of .haz/tasks.
type Overlay struct {
	Source     *Source
	TagsFilter List
	Tasks      []Task

	FilterKnown, TasksKnown bool // false when some of it could not be read
}

// Task is a name with a body. Names that share a body by an alias share the pointer.
type Task struct {
	Name Text
	Body *Body
}

// Body is what a task says. Command and Shell are not both set, unless an error says so.
type Body struct {
	Command                  List
	Shell, ShellType         Text
	ShellOptions             List
	Args                     Text
	Inputs, Exclude, Outputs Patterns
	Deps                     Deps
	WeakDeps, After          List
	Mutex                    Mutex
	Tools                    Tools
	Env                      struct {
		FromHost, Pass List
		Files          List
		Override       []Pair
		Strict         Bool
	}
	Cache       Bool
	Incremental Bool
	Matrix      []Axis
	Cells       []Cell // of the matrix, in its order; the first one's body is this one
	Interactive Bool
	TTY         Bool
	Timeout     Duration
	Retry       Retry
	If          If
	Service     Service
	Description Text
	Internal    Bool
	Inherit     Bool

	// again reads the body for a cell of another body's matrix; nil: it is the same in all.
	again func(cell []workspace.CellValue) (*Body, diag.List)

	path         string // of keys, for diagnostics of later phases
	actionFailed bool   // command or shell was there, but wrong
}

func (b *Body) incomplete(key string) {
	b.actionFailed = b.actionFailed || key == "" || key == "command" || key == "shell"
}

// present is the body of defaults, that is there once something is to be put into it.
func present(b **Body) *Body {
	if *b == nil {
		*b = &Body{path: "defaults"}
	}
	return *b
}

// ActionFailed reports whether command or shell was there, but wrong.
func (b *Body) ActionFailed() bool { return b.actionFailed }

// KeyPath is the path of keys to the body, as it was first read: "tasks.build".
func (b *Body) KeyPath() string { return b.path }

// Mutex is a lock with its mode.
type Mutex struct {
	Name, Mode Text // Mode is not Set in the short form
	Span       Span
	Set        bool
}

// Retry says how often and when a task is tried again.
type Retry struct {
	Times  Int
	On     []RetryCause
	Delay  Duration
	Factor Factor
	Span   Span
	Set    bool
}

// Service says that a task is one.
type Service struct {
	Ready Ready
	Port  Port
	Stop  struct {
		Signal Text
		Grace  Duration
	}
	Restart Text
	Limit   Int
	Exports []Pair
	Span    Span
	Set     bool
}

// Ready says how one sees that a service answers.
type Ready struct {
	Port Port
	HTTP struct {
		URL    Text
		Status Int
		Span   Span
		Set    bool
	}
	Output   Text
	Command  List
	File     Text
	Timeout  Duration
	Interval Duration
	Span     Span
	Set      bool
}

// Port is the number of a port, or `auto`.
type Port struct {
	Text
	Port int // 0: auto
}

// If says when a task is carried out.
type If struct{ OS, Env, Exists Text }

// Int is an integer.
type Int struct {
	Text
	Int int
}

// Factor is a number of at least 1.
type Factor struct {
	Text
	Factor float64
}

// RetryCause is timeout, signal, or an exit code.
type RetryCause struct {
	Text
	Code int // 0 for the words
}

// A record is a struct that takes the values of an Object: slot returns the pointer that a key's value goes to.
type record interface{ slot(key string) any }

func (w *Workspace) slot(key string) any {
	switch key {
	case "projects":
		return &w.Projects
	case "infer":
		return &w.Infer
	case "cache":
		return slots{"hash": &w.Cache.Hash, "location": &w.Cache.Location, "clean": slots{"max_age": &w.Cache.Clean.MaxAge, "max_size": &w.Cache.Clean.MaxSize}}
	case "concurrency":
		return slots{"default": &concurrency{&w.Concurrency.Default, &w.Concurrency.Max}, "tags": &w.Concurrency.Tags}
	case "output":
		return slots{"mode": &w.Output.Mode, "ui": &w.Output.UI}
	case "execution":
		return slots{"cancel_grace": &w.Execution.CancelGrace, "umask": &w.Execution.Umask}
	case "env":
		return slots{"strict": &w.Env.Strict}
	case "files":
		return &w.Files
	case "defaults":
		return present(&w.Defaults)
	}
	return nil
}

// slots is a record made on the spot, for maps that are rare.
type slots map[string]any

func (s slots) slot(key string) any { return s[key] }

// concurrency is where concurrency.default goes.
type concurrency struct {
	text *Text
	max  *int
}

func (p *Project) slot(key string) any {
	switch key {
	case "name":
		return &p.Name
	case "tags":
		return &p.Tags
	case "aliases":
		return &p.Aliases
	case "uses":
		return &p.Uses
	case "env":
		return slots{"strict": &p.Env.Strict}
	case "files":
		return &p.Files
	case "defaults":
		return present(&p.Defaults)
	case "tasks":
		return &p.Tasks
	}
	return nil
}

func (o *Overlay) slot(key string) any {
	switch key {
	case "tagsFilter":
		return &o.TagsFilter
	case "tasks":
		return &o.Tasks
	}
	return nil
}

func (b *Body) slot(key string) any {
	switch key {
	case "command":
		return &b.Command
	case "shell":
		return &b.Shell
	case "shell_type":
		return &b.ShellType
	case "args":
		return &b.Args
	case "shell_options":
		return &b.ShellOptions
	case "inputs":
		return &b.Inputs
	case "exclude":
		return &b.Exclude
	case "outputs":
		return &b.Outputs
	case "deps":
		return &b.Deps
	case "weakDeps":
		return &b.WeakDeps
	case "after":
		return &b.After
	case "mutex":
		return &b.Mutex
	case "tools":
		return &b.Tools
	case "env":
		return (*env)(b)
	case "cache":
		return &b.Cache
	case "incremental":
		return &b.Incremental
	case "matrix":
		return &b.Matrix
	case "interactive":
		return &b.Interactive
	case "tty":
		return &b.TTY
	case "timeout":
		return &b.Timeout
	case "retry":
		return &b.Retry
	case "if":
		return &b.If
	case "service":
		return &b.Service
	case "description":
		return &b.Description
	case "internal":
		return &b.Internal
	case "inherit":
		return &b.Inherit
	}
	return nil
}

// env is a Body seen as the record of its env.
type env Body

func (e *env) slot(key string) any {
	switch key {
	case "from_host":
		return &e.Env.FromHost
	case "pass":
		return &e.Env.Pass
	case "files":
		return &e.Env.Files
	case "strict":
		return &e.Env.Strict
	case "override":
		return &e.Env.Override
	}
	return nil
}

func (d *Dep) slot(key string) any {
	switch key {
	case "task":
		return &d.Task
	case "closure":
		return &d.Closure
	case "streams":
		return &d.Streams
	}
	return nil
}

func (t *Tool) slot(key string) any {
	switch key {
	case "name":
		return &t.Name
	case "probe":
		return &t.Probe
	}
	return nil
}

func (m *Mutex) slot(key string) any {
	switch key {
	case "name":
		return &m.Name
	case "mode":
		return &m.Mode
	}
	return nil
}

func (r *Retry) slot(key string) any {
	switch key {
	case "times":
		return &r.Times
	case "on":
		return &r.On
	case "delay":
		return &r.Delay
	case "factor":
		return &r.Factor
	}
	return nil
}

func (s *Service) slot(key string) any {
	switch key {
	case "ready":
		return &s.Ready
	case "port":
		return &s.Port
	case "stop":
		return slots{"signal": &s.Stop.Signal, "grace": &s.Stop.Grace}
	case "restart":
		return &s.Restart
	case "limit":
		return &s.Limit
	case "exports":
		return &s.Exports
	}
	return nil
}

func (r *Ready) slot(key string) any {
	switch key {
	case "port":
		return &r.Port
	case "http":
		return (*readyHTTP)(r)
	case "output":
		return &r.Output
	case "command":
		return &r.Command
	case "file":
		return &r.File
	case "timeout":
		return &r.Timeout
	case "interval":
		return &r.Interval
	}
	return nil
}

// readyHTTP is a Ready seen as the record of its http.
type readyHTTP Ready

func (r *readyHTTP) slot(key string) any {
	switch key {
	case "url":
		return &r.HTTP.URL
	case "status":
		return &r.HTTP.Status
	}
	return nil
}

func (c *If) slot(key string) any {
	switch key {
	case "os":
		return &c.OS
	case "env":
		return &c.Env
	case "exists":
		return &c.Exists
	}
	return nil
}

// NewSource is the source of values that stand in a file of another tool.
func NewSource(file, text string) *Source { return newSource(file, text) }

// NewScript is the body of a task that runs a script of a package: by a command, on sets of files, "project" and "lock". All of it stands at
// the name of the script.
func NewScript(name string, at Span, command, sets []string) *Body {
	here := func(text string) Text { return Text{Value: text, Span: at, Set: true} }
	b := &Body{path: "scripts." + name}
	b.Command = List{Span: at, Set: true}
	for _, word := range command {
		b.Command.Items = append(b.Command.Items, here(word))
	}
	b.Inputs = Patterns{Span: at, Set: true}
	for _, set := range sets {
		b.Inputs.Items = append(b.Inputs.Items, Pattern{Text: here("$" + set), Set: set})
	}
	return b
}
