package key

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// chapterRevision changes whenever the meaning of a component changes (CACHE-003). It is manifest.Revision.
const chapterRevision = 4

// preimageKind is the kind of the text whose digest a key is (5.2).
const preimageKind = "key"

// The words that the lines of components begin with, in the order in which they are fed. What `why --diff` says of each is in the table
// comparisons.
const (
	wordPlace       = "place"
	wordName        = "name" // of project and task
	wordUmask       = "umask"
	wordCommand     = "command" // of a command, one a word; a shell action has the next three instead
	wordShell       = "shell"
	wordOption      = "option"
	wordScript      = "script" // one a line
	wordOutput      = "output"
	wordIncremental = "incremental"
	wordTTY         = "tty"
	wordService     = "service" // the port: a number, auto or none
	wordExport      = "export"
	wordInput       = "input"
	wordLock        = "lock"
	wordUpstream    = "upstream"
	wordEnv         = "env"
)

// components is all that a key is made of, in canonical order: the action made concrete (CACHE-001).
type components struct {
	hash      digest.Function
	place     Place
	task      workspace.TaskID
	umask     uint32
	dir       string // of the project; "" for the workspace root
	shell     bool
	argv      []string // of a shell action: the shell's name, its options, the script
	tools     []tools.Tool
	outputs   []outputPattern
	keeps     bool // incremental
	tty       bool
	service   *workspace.Service
	inputs    []Input
	locks     []packages.Found
	upstreams []Upstream
	env       []variable
}

// outputPattern is one item of component 3.
type outputPattern struct {
	except string // of each exception: NUL, kind, NUL, text
	kind   string // "glob" or "literal"
	text   string
}

// variable is one effective variable of the environment.
type variable struct {
	name    string
	present bool
	value   string
	host    bool // from the host; neither this nor the next is in the key
	file    bool // from a file; else an override
}

// components brings together what the key of t is made of. Tools, inputs and upstreams are used as they are: sorted.
func (d *Deriver) components(t *workspace.Task, at *Derived) *components {
	c := &components{hash: d.o.Hash, place: d.o.Place, task: t.ID, umask: d.o.Umask, tools: at.Tools, inputs: at.Inputs, locks: at.Locks, upstreams: at.Upstreams, env: d.variables(t), keeps: t.Incremental, tty: t.TTY, service: t.Service}
	if t.Project != nil && t.Project.Dir != "/" {
		c.dir = t.Project.Dir
	}
	if t.Kind == workspace.Shell {
		c.shell, c.argv = true, append(append([]string{t.Shell}, t.ShellOptions()...), t.Script)
	} else {
		c.argv = t.Argv
	}
	c.outputs = d.outputPatterns(t)
	if len(c.outputs) > 1 {
		slices.SortFunc(c.outputs, compareOutputs)
		c.outputs = slices.Compact(c.outputs)
	}
	return c
}

// fewExceptions are spelled in the key. Of more there is a digest, so that a long list costs what it is long, and not its square.
const fewExceptions = 8

// outputPatterns are the patterns of a task with their exceptions, the last first.
func (d *Deriver) outputPatterns(t *workspace.Task) []outputPattern {
	list := make([]outputPattern, 0, len(t.Outputs))
	all := "" // a digest of all exceptions that follow
	for i := len(t.Outputs) - 1; i >= 0; i-- {
		decl := &t.Outputs[i]
		for _, x := range slices.Backward(decl.Not) {
			kind, text := kindOf(x.Pattern)
			all = hasher.Sum(d.o.Hash, []byte(kind+"\x00"+text+"\x00"+all)).Hex()
		}
		o := outputPattern{}
		o.kind, o.text = kindOf(decl.Pattern)
		if not := decl.Pattern.Exceptions(); len(not) > fewExceptions {
			o.except = fmt.Sprintf("\x00less\x00%d patterns, digest %s", len(not), all)
		} else {
			for _, x := range not {
				kind, text := kindOf(x)
				o.except += "\x00" + kind + "\x00" + text
			}
		}
		list = append(list, o)
	}
	return list
}

// kindOf is what an output pattern is, and its text: that of a folder without the slash.
func kindOf(p pattern.Pattern) (kind, text string) {
	switch {
	case !p.IsLiteral():
		return "glob", p.String()
	case p.IsFolder():
		return "folder", p.Path()
	}
	return "literal", p.Path()
}

func compareOutputs(a, b outputPattern) int {
	return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.text, b.text), strings.Compare(a.except, b.except))
}

// Sorted returns ups by (project, task).
func Sorted(ups []Upstream) []Upstream {
	byTask := func(a, b Upstream) int { return a.Task.Compare(b.Task) }
	if slices.IsSortedFunc(ups, byTask) {
		return ups
	}
	ups = slices.Clone(ups)
	slices.SortStableFunc(ups, byTask)
	return ups
}

// write writes the lines that are digested to the key (CACHE-004).
func (c *components) write(w *text.Writer) {
	w.Head(preimageKind, chapterRevision, c.hash)
	c.writeBody(w, false)
	for i := range c.upstreams {
		c.upstreams[i].write(w)
	}
	for i := range c.env {
		v := &c.env[i]
		w.Line(wordEnv)
		w.Str(v.name)
		if v.present {
			w.Digest(valueDigest(c.hash, v))
		} else {
			w.Word(wordAbsent)
		}
	}
}

// valueDigest stands for a value, so that a key can be shown. The name is part of it: equal values of two variables do not show.
func valueDigest(fn digest.Function, v *variable) digest.Digest {
	b := make([]byte, 0, 64)
	b = append(append(b, v.name...), 0) // no name has a NUL in it
	return hasher.Sum(fn, append(b, v.value...))
}

// writeBody writes the components 1 to 4, which a record holds in the same form, but for what it has more of a tool.
func (c *components) writeBody(w *text.Writer, record bool) {
	w.Line(wordPlace)
	w.Str(c.place.OS)
	w.Str(c.place.Arch)
	w.Str(cmp.Or(c.dir, "/"))
	w.Line(wordName)
	w.Str(c.task.Project)
	w.Str(c.task.Task)
	w.Line(wordUmask)
	w.Octal(c.umask)
	c.writeAction(w)
	for i := range c.tools {
		writeTool(w, &c.tools[i], record)
	}
	for _, o := range c.outputs {
		w.Line(wordOutput)
		w.Word(o.kind)
		w.Str(o.text)
		for i, x := range strings.Split(o.except, "\x00")[1:] {
			if i%2 == 0 {
				w.Word(x)
			} else {
				w.Str(x)
			}
		}
	}
	if c.keeps {
		w.Line(wordIncremental)
	}
	if c.tty {
		w.Line(wordTTY)
	}
	c.writeService(w)
	for i := range c.inputs {
		c.inputs[i].write(w)
	}
	for i := range c.locks {
		writeLock(w, &c.locks[i])
	}
}

// writeService writes what those that depend on a service see of it, with the port as it is declared (EXEC-077).
func (c *components) writeService(w *text.Writer) {
	s := c.service
	if s == nil {
		return
	}
	w.Line(wordService)
	switch {
	case s.AutoPort:
		w.Word("auto")
	case s.Port != 0:
		w.Word(strconv.Itoa(s.Port))
	default:
		w.Word("none")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Exports)) {
		w.Line(wordExport)
		w.Str(name)
		w.Str(s.Exports[name])
	}
}

func (c *components) writeAction(w *text.Writer) {
	line := func(word, s string) {
		w.Line(word)
		w.Str(s)
	}
	if !c.shell {
		for _, a := range c.argv {
			line(wordCommand, a)
		}
		return
	}
	last := len(c.argv) - 1
	line(wordShell, c.argv[0])
	for _, a := range c.argv[1:last] {
		line(wordOption, a)
	}
	for l := range strings.SplitSeq(c.argv[last], "\n") {
		line(wordScript, l)
	}
}

const (
	wordAbsent     = "absent"
	wordDir        = "dir"
	wordExecutable = "executable" // a file that the owner may execute
	wordFile       = "file"
	wordLink       = "link"
)

// write writes one item of component 4.
func (in *Input) write(w *text.Writer) {
	w.Line(wordInput)
	w.Str(in.Path)
	switch in.Kind {
	case DirInput:
		w.Word(wordDir)
	case LinkInput:
		w.Word(wordLink)
		w.Str(in.LinkText)
	}
	switch {
	case in.hasContent() && in.Exec:
		w.Word(wordExecutable)
		w.Digest(in.Digest)
	case in.hasContent():
		w.Word(wordFile)
		w.Digest(in.Digest)
	case in.Kind == LinkInput && in.Target == TargetDir:
		w.Word(wordDir)
	case in.Kind == LinkInput:
		w.Word(wordAbsent)
	}
}
