package haz

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/load"
)

// Declaration is a workspace made in Go. What a value means, and which are allowed, is what docs/workspace-files.md says of the key of
// its name; what is left empty is as if the key was not there.
type Declaration struct {
	Projects    []ProjectDeclaration
	Hash        string              // cache.hash
	Concurrency int                 // concurrency.default; 0: auto
	TagCaps     map[string]int      // concurrency.tags
	CancelGrace time.Duration       // execution.cancel_grace; 0: as if it was not there
	Umask       string              // execution.umask, "022"
	StrictEnv   bool                // env.strict
	Files       map[string][]string // files: sets by name
}

// ProjectDeclaration is one project.
type ProjectDeclaration struct {
	Name  string
	Dir   string // a folder from the root of the workspace, "/lib", that is there; not the root itself
	Tags  []string
	Files map[string][]string // files: sets by name
	Tasks []TaskDeclaration
}

// TaskDeclaration is one task. It has a Command or a Shell script.
type TaskDeclaration struct {
	Name                     string
	Command                  []string
	Shell, ShellType         string
	ShellOptions             []string // nil: the usual ones of the shell
	AppendArguments          bool     // args: append
	Inputs, Exclude, Outputs []string
	Deps, WeakDeps           []string
	NarrowDeps               []string // more deps, of which nothing counts but their outputs (closure: false)
	PrintedDeps              []string // deps, those of NarrowDeps or more, of which what they print counts, too (streams: true)
	Tools                    []Tool   // nil: the programs that are found in the command or the script
	Mutex                    string   // "db", "~:db"
	SharedMutex              bool     // others that say so may hold it as well
	FromHost, Pass           []string
	Override                 map[string]string
	StrictEnv                bool // env.strict; where it is false, what the workspace says
	Uncached                 bool // cache: false
	Incremental              bool
	Interactive, TTY         bool
	Matrix                   map[string][]string
	Description              string
	Internal                 bool
}

// Tool is a program that counts in the cache key of a task.
type Tool struct {
	Name  string
	Probe []string // a command whose output counts in place of the program's bytes; nil: none
}

// New is Open for a workspace that is declared here: dir, an absolute path of a folder on the host, is its root. Files that would say
// what the workspace is are neither needed nor looked at. Checks are those of Open, and the places of mistakes are tasks and projects:
// "task lib:build". Nothing of d is kept. Changes compare files of a base, so they know nothing of such a workspace.
func New(ctx context.Context, dir string, d Declaration, opts ...Option) (*Workspace, error) {
	declared, err := d.texts()
	if err != nil {
		return nil, err
	}
	return open(ctx, dir, declared, opts)
}

// texts spells d as files are spelled, a line for each thing that a mistake can be of: one loader, one set of checks.
func (d *Declaration) texts() (*load.Declared, error) {
	w := declaration{}
	w.line("the workspace", "projects: [", "")
	for i := range d.Projects {
		p := &d.Projects[i]
		w.line(p.String(), "  "+quoted(pattern.Escape(p.Dir))+",", p.Dir)
	}
	w.line("the workspace", "]", "")
	if d.Hash != "" {
		w.line("the workspace", "cache: {hash: "+quoted(d.Hash)+"}", d.Hash)
	}
	w.line("the workspace", "concurrency: {default: "+orAuto(d.Concurrency)+", tags: {", "")
	for _, tag := range slices.Sorted(maps.Keys(d.TagCaps)) {
		w.line("the workspace", fmt.Sprintf("  %s: %d,", quoted(tag), d.TagCaps[tag]), tag)
	}
	w.line("the workspace", "}}", "")
	w.line("the workspace", "execution: {", "")
	if d.CancelGrace != 0 {
		w.line("the workspace", "  cancel_grace: "+strconv.FormatFloat(d.CancelGrace.Seconds(), 'f', -1, 64)+",", "")
	}
	if d.Umask != "" {
		w.line("the workspace", "  umask: "+quoted(d.Umask)+",", d.Umask)
	}
	w.line("the workspace", "}", "")
	if d.StrictEnv {
		w.line("the workspace", "env: {strict: true}", "")
	}
	w.files("the workspace", d.Files)
	all := &load.Declared{Settings: w.file("the workspace", "DISC-004"), Projects: map[string]config.File{}}
	bad := w.bad
	for i := range d.Projects {
		p := d.Projects[i].spell()
		bad = append(bad, p.bad...)
		all.Projects[d.Projects[i].String()] = p.file(d.Projects[i].String(), "DISC-008")
	}
	return all, bad.Err()
}

func (p *ProjectDeclaration) String() string { return "project " + p.Name + " in " + p.Dir }

func (p *ProjectDeclaration) spell() *declaration {
	w := &declaration{}
	w.line(p.String(), "name: "+quoted(p.Name), p.Name)
	w.line(p.String(), "tags: "+quotedList(p.Tags), p.Tags...)
	w.files(p.String(), p.Files)
	w.line(p.String(), "tasks: {", "")
	for i := range p.Tasks {
		t := &p.Tasks[i]
		w.line("task "+p.Name+":"+t.Name, "  "+quoted(t.Name)+": {"+t.spell()+"},", t.texts()...)
	}
	w.line(p.String(), "}", "")
	return w
}

func (t *TaskDeclaration) spell() string {
	var keys []string
	put := func(there bool, key, value string) {
		if there {
			keys = append(keys, key+": "+value)
		}
	}
	list := func(key string, texts []string) { put(len(texts) > 0, key, quotedList(texts)) }
	put(t.Command != nil, "command", quotedList(t.Command))
	put(t.Shell != "", "shell", quoted(t.Shell))
	put(t.ShellType != "", "shell_type", quoted(t.ShellType))
	put(t.AppendArguments, "args", "append")
	put(t.ShellOptions != nil, "shell_options", quotedList(t.ShellOptions))
	list("inputs", t.Inputs)
	list("exclude", t.Exclude)
	list("outputs", t.Outputs)
	deps := make([]string, 0, len(t.Deps)+len(t.NarrowDeps)+len(t.PrintedDeps))
	for _, ref := range t.Deps {
		deps = append(deps, quoted(ref))
	}
	for _, ref := range t.NarrowDeps {
		deps = append(deps, "{task: "+quoted(ref)+", closure: false, streams: "+strconv.FormatBool(slices.Contains(t.PrintedDeps, ref))+"}")
	}
	for _, ref := range t.PrintedDeps {
		if !slices.Contains(t.NarrowDeps, ref) {
			deps = append(deps, "{task: "+quoted(ref)+", streams: true}")
		}
	}
	put(len(deps) > 0, "deps", "["+strings.Join(deps, ", ")+"]")
	list("weakDeps", t.WeakDeps)
	tools := make([]string, len(t.Tools))
	for i, tool := range t.Tools {
		if tools[i] = quoted(tool.Name); tool.Probe != nil {
			tools[i] = "{name: " + tools[i] + ", probe: " + quotedList(tool.Probe) + "}"
		}
	}
	put(t.Tools != nil, "tools", "["+strings.Join(tools, ", ")+"]")
	switch {
	case t.SharedMutex:
		put(true, "mutex", "{name: "+quoted(t.Mutex)+", mode: shared}")
	default:
		put(t.Mutex != "", "mutex", quoted(t.Mutex))
	}
	if env := t.spellEnv(); env != "" {
		put(true, "env", "{"+env+"}")
	}
	put(t.Uncached, "cache", "false")
	put(t.Incremental, "incremental", "true")
	put(t.Interactive, "interactive", "true")
	put(t.TTY, "tty", "true")
	var axes []string
	for _, key := range slices.Sorted(maps.Keys(t.Matrix)) {
		axes = append(axes, quoted(key)+": "+quotedList(t.Matrix[key]))
	}
	put(len(axes) > 0, "matrix", "{"+strings.Join(axes, ", ")+"}")
	put(t.Description != "", "description", quoted(t.Description))
	put(t.Internal, "internal", "true")
	return strings.Join(keys, ", ")
}

// spellEnv spells the keys of env.
func (t *TaskDeclaration) spellEnv() string {
	var keys []string
	if len(t.FromHost) > 0 {
		keys = append(keys, "from_host: "+quotedList(t.FromHost))
	}
	if len(t.Pass) > 0 {
		keys = append(keys, "pass: "+quotedList(t.Pass))
	}
	var set []string
	for _, name := range slices.Sorted(maps.Keys(t.Override)) {
		set = append(set, quoted(name)+": "+quoted(t.Override[name]))
	}
	if len(set) > 0 {
		keys = append(keys, "override: {"+strings.Join(set, ", ")+"}")
	}
	if t.StrictEnv {
		keys = append(keys, "strict: true")
	}
	return strings.Join(keys, ", ")
}

// texts are all that the host has written.
func (t *TaskDeclaration) texts() []string {
	all := slices.Concat([]string{t.Name, t.Shell, t.ShellType, t.Mutex}, t.Command, t.ShellOptions, t.Inputs, t.Exclude, t.Outputs, t.Deps, t.WeakDeps, t.NarrowDeps, t.PrintedDeps, t.FromHost, t.Pass)
	for name, value := range t.Override {
		all = append(all, name, value)
	}
	for _, tool := range t.Tools {
		all = append(append(all, tool.Name), tool.Probe...)
	}
	return all
}

// declaration is a text of YAML with a name for each line.
type declaration struct {
	text  strings.Builder
	names []string
	bad   diag.List
}

// line adds a line. What the host wrote in it must be UTF-8: a quoted text could not say it.
func (w *declaration) line(name, line string, written ...string) {
	w.text.WriteString(line + "\n")
	w.names = append(w.names, name)
	for _, text := range written {
		if !utf8.ValidString(text) {
			w.bad = append(w.bad, diag.Diagnostic{Code: "haz::cfg::002", Place: diag.Place{File: name}, Message: "this is not UTF-8: " + diag.Quote(text)})
		}
	}
}

// files adds named sets, each in a line.
func (w *declaration) files(name string, sets map[string][]string) {
	if len(sets) == 0 {
		return
	}
	w.line(name, "files: {")
	for _, set := range slices.Sorted(maps.Keys(sets)) {
		w.line(name, "  "+quoted(set)+": "+quotedList(sets[set])+",", append([]string{set}, sets[set]...)...)
	}
	w.line(name, "}")
}

func (w *declaration) file(name, rule string) config.File {
	return config.File{Name: name, Text: []byte(w.text.String()), Rule: rule, Lines: w.names}
}

// quoted is a text as YAML has it in double quotes: all escapes of Go's are known there.
func quoted(text string) string { return strconv.QuoteToASCII(text) }

func quotedList(texts []string) string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = quoted(text)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func orAuto(n int) string {
	if n == 0 {
		return "auto"
	}
	return strconv.Itoa(n)
}
