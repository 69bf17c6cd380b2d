package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
)

// moonReader reads files of moon into structures, in the spellings of its versions 1 and 2.
type moonReader struct {
	*source
}

// moonTasks is a file of tasks that projects inherit.
type moonTasks struct {
	name, file string // "node-library"; workspace-absolute
	by         moonBy // of version 2
	said       bool   // it says by whom it is inherited
	shared     moonShared
}

// moonShared is what a file of tasks and that of a project have in common.
type moonShared struct {
	groups  []moonGroup
	deps    []moonDep   // of all tasks
	inputs  []moonInput // likewise
	env     []moonEnv
	tasks   []*moonTask
	options moonOptions
}

type moonGroup struct {
	name  string
	items []moonInput
}

// moonBy says which projects inherit a file: nil is no condition.
type moonBy struct {
	order                           string
	files, languages, layers, stack []string
	tags, toolchains                *moonClause
}

// moonClause is a condition about a set of names.
type moonClause struct{ and, or, not []string }

// moonTask is what one file says of a task. A list that is nil is not said.
type moonTask struct {
	name, extends, preset string
	place                 diag.Place
	description           string
	command, args         *moonWords
	script                string
	scripted              bool
	deps                  []moonDep
	inputs, outputs       []moonInput
	env                   []moonEnv
	toolchains, tags      []string
	options               moonOptions
	notes                 []note
}

// moonWords are a command, or arguments: a text for a shell, or a list.
type moonWords struct {
	words []moonWord
	place diag.Place
}

// moonWord is a word as a shell reads it.
type moonWord string

// moonDep is a task that comes before.
type moonDep struct {
	target, strategy string
	args             []moonWord
	env              []moonEnv
	place            diag.Place
}

// moonInput is an item of inputs, of outputs or of a file group: a path or glob, a file group, a variable, or files of another project.
type moonInput struct {
	text          string
	group, format string
	env           string
	project       string
	filter        []string
	place         diag.Place
}

type moonEnv struct {
	name, text string
	place      diag.Place
}

// moonOptions are options of tasks, by key.
type moonOptions map[string]config.ForeignPair

// top reads a file, which is a map; there is none: false.
func (r *moonReader) top(name string) (config.Foreign, bool) {
	t, bad := r.disk.Manifest(name)
	if bad != nil {
		r.bad(*bad)
	}
	if t == nil {
		return config.Foreign{}, false
	}
	top, mistakes := config.ReadForeign(config.File{Name: t.File(), Text: t.Bytes})
	for _, d := range mistakes {
		r.bad(d)
	}
	if top.IsSet() && !top.IsMap() {
		r.bad(top.Mistake(RuleSource, "a map"))
	}
	return top, true
}

// text is a value that is no list or map.
func (r *moonReader) text(v config.Foreign) string {
	text, ok := v.Text()
	if !ok && v.IsSet() {
		r.bad(v.Mistake(RuleSource, "a text"))
	}
	return text
}

// texts is a list of texts, or one text.
func (r *moonReader) texts(v config.Foreign) []string {
	out := []string{}
	items, ok := v.Items()
	if !ok {
		if v.IsMap() {
			r.bad(v.Mistake(RuleSource, "a text or a list of texts"))
			return out
		}
		if text, ok := v.Text(); ok {
			out = append(out, text)
		}
		return out
	}
	for _, i := range items {
		out = append(out, r.text(i))
	}
	return out
}

// list are the items of a list.
func (r *moonReader) list(v config.Foreign) []config.Foreign {
	items, ok := v.Items()
	if !ok && v.IsSet() {
		r.bad(v.Mistake(RuleSource, "a list"))
	}
	return items
}

// pairs are the keys of a map.
func (r *moonReader) pairs(v config.Foreign) []config.ForeignPair {
	if v.IsSet() && !v.IsMap() {
		r.bad(v.Mistake(RuleSource, "a map"))
	}
	return v.Pairs()
}

// moonExtendsMax is how many files one may extend, one behind the other.
const moonExtendsMax = 20

// inherited reads a file of tasks. seen are those that it is read for.
func (r *moonReader) inherited(name string, seen []string) *moonTasks {
	top, there := r.top(name)
	if !there {
		return nil
	}
	f := &moonTasks{name: strings.TrimSuffix(path.Base(name), path.Ext(name)), file: name}
	f.shared.options = moonOptions{}
	for _, p := range top.Pairs() {
		switch p.Key {
		case "$schema":
		case "extends":
			for _, from := range r.texts(p.Value) {
				r.extended(f, p, from, append(seen, name))
			}
		case "inheritedBy":
			f.said = true
			r.conditions(&f.by, p.Value)
		default:
			r.sharedKey(&f.shared, p, "workspace", &r.draft.notes)
		}
	}
	return f
}

// extended puts what another file says before what this one says.
func (r *moonReader) extended(f *moonTasks, p config.ForeignPair, from string, seen []string) {
	name := path.Join(path.Dir(f.file), from)
	if strings.Contains(from, "://") || strings.HasPrefix(from, "/") || !r.disk.Has(name) {
		r.draft.notes = append(r.draft.notes, note{p.Place, diag.Quote("extends: "+from) + " does not carry over: only files of the workspace are read"})
		return
	}
	if slices.Contains(seen, name) || len(seen) > moonExtendsMax {
		r.bad(diag.Diagnostic{Place: p.Place, Message: diag.Quote(from) + " extends itself"})
		return
	}
	if base := r.inherited(name, seen); base != nil {
		f.shared = base.shared
		if !f.said {
			f.by, f.said = base.by, base.said
		}
	}
}

// sharedKey reads a key that files of tasks and those of projects have.
func (r *moonReader) sharedKey(s *moonShared, p config.ForeignPair, object string, notes *[]note) {
	switch p.Key {
	case "fileGroups":
		for _, g := range r.pairs(p.Value) {
			s.groups = slices.DeleteFunc(s.groups, func(o moonGroup) bool { return o.name == g.Key })
			s.groups = append(s.groups, moonGroup{g.Key, r.inputs(g.Value)})
		}
	case "implicitDeps":
		s.deps = append(s.deps, r.deps(p.Value)...)
	case "implicitInputs":
		s.inputs = append(s.inputs, r.inputs(p.Value)...)
	case "env":
		s.env = r.env(p.Value)
	case "taskOptions":
		s.options = r.taskOptions(p.Value)
	case "tasks":
		for _, t := range r.pairs(p.Value) {
			s.tasks = slices.DeleteFunc(s.tasks, func(o *moonTask) bool { return o.name == t.Key })
			s.tasks = append(s.tasks, r.task(t))
		}
	default:
		*notes = append(*notes, foreign(object, p))
	}
}

// conditions reads inheritedBy.
func (r *moonReader) conditions(by *moonBy, v config.Foreign) {
	for _, p := range r.pairs(v) {
		switch p.Key {
		case "order":
			by.order = r.text(p.Value)
		case "file", "files":
			by.files = r.texts(p.Value)
		case "language", "languages":
			by.languages = r.texts(p.Value)
		case "layer", "layers":
			by.layers = r.texts(p.Value)
		case "stack", "stacks":
			by.stack = r.texts(p.Value)
		case "tag", "tags":
			by.tags = r.clause(p.Value)
		case "toolchain", "toolchains":
			by.toolchains = r.clause(p.Value)
		default:
			r.draft.notes = append(r.draft.notes, foreign("workspace", p))
		}
	}
}

func (r *moonReader) clause(v config.Foreign) *moonClause {
	c := &moonClause{}
	if !v.IsMap() {
		c.or = r.texts(v)
		return c
	}
	for _, p := range v.Pairs() {
		switch p.Key {
		case "and":
			c.and = r.texts(p.Value)
		case "or":
			c.or = r.texts(p.Value)
		case "not":
			c.not = r.texts(p.Value)
		}
	}
	return c
}

// task reads a task.
func (r *moonReader) task(p config.ForeignPair) *moonTask {
	t := &moonTask{name: p.Key, place: p.Place, options: moonOptions{}}
	for _, k := range r.pairs(p.Value) {
		switch k.Key {
		case "extends":
			t.extends = r.text(k.Value)
		case "preset":
			t.preset = r.text(k.Value)
		case "local":
			if r.text(k.Value) == "true" {
				t.preset = "server"
			}
		case "description":
			t.description = r.text(k.Value)
		case "command":
			t.command = r.words(k)
		case "args":
			t.args = r.words(k)
		case "script":
			t.script, t.scripted = r.text(k.Value), true
		case "deps":
			t.deps = r.deps(k.Value)
		case "inputs":
			t.inputs = r.inputs(k.Value)
		case "outputs":
			t.outputs = r.inputs(k.Value)
		case "env":
			t.env = r.env(k.Value)
		case "platform", "toolchain", "toolchains":
			t.toolchains = r.texts(k.Value)
		case "tags":
			t.tags = r.texts(k.Value)
		case "options":
			t.options = r.taskOptions(k.Value)
		case "type":
		default:
			t.notes = append(t.notes, foreign("task", k))
		}
	}
	return t
}

// words reads a command.
func (r *moonReader) words(p config.ForeignPair) *moonWords {
	w := &moonWords{place: p.Place}
	if items, ok := p.Value.Items(); ok {
		for _, i := range items {
			w.words = append(w.words, quoted(r.text(i)))
		}
		return w
	}
	w.words = splitWords(r.text(p.Value))
	return w
}

// quoted is an item of a list as a shell reads it: moon leaves what a shell expands to the shell.
func quoted(item string) moonWord {
	if n := len(item); n > 1 && (item[0] == '\'' || item[0] == '"') && item[n-1] == item[0] && !strings.Contains(item[1:n-1], item[:1]) {
		return moonWord(item) // it is quoted there
	}
	if item == "" || strings.ContainsAny(item, " \t\n\"'\\;&|<>()`#") && !(strings.HasPrefix(item, "@") && strings.HasSuffix(item, ")")) {
		return moonWord(diag.ShellWord(item))
	}
	return moonWord(item)
}

// splitWords are the words of a text for a shell, each as it stands there.
func splitWords(text string) (words []moonWord) {
	var word strings.Builder
	in, depth := byte(0), 0
	flush := func() {
		if word.Len() > 0 {
			words = append(words, moonWord(word.String()))
			word.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && in != '\'' && i+1 < len(text):
			word.WriteByte(c)
			i++
			c = text[i]
		case in != 0:
			if c == in {
				in = 0
			}
		case c == '\'' || c == '"' || c == '`':
			in = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth <= 0 && (c == ' ' || c == '\t' || c == '\n'):
			flush()
			continue
		}
		word.WriteByte(c)
	}
	flush()
	return words
}

func (r *moonReader) deps(v config.Foreign) []moonDep {
	out := []moonDep{}
	for _, i := range r.list(v) {
		d := moonDep{place: i.Place()}
		if !i.IsMap() {
			d.target = r.text(i)
			out = append(out, d)
			continue
		}
		for _, p := range i.Pairs() {
			switch p.Key {
			case "target":
				d.target = r.text(p.Value)
			case "args":
				d.args = r.words(p).words
			case "env":
				d.env = r.env(p.Value)
			case "cacheStrategy":
				d.strategy = r.text(p.Value)
			}
		}
		if d.target == "" {
			r.bad(diag.Diagnostic{Place: i.Place(), Message: "a dependency needs a " + diag.Quote("target")})
			continue
		}
		out = append(out, d)
	}
	return out
}

func (r *moonReader) env(v config.Foreign) []moonEnv {
	out := []moonEnv{}
	for _, p := range r.pairs(v) {
		if p.Value.IsSet() { // null: the variable is not there, and none is that nobody names
			out = append(out, moonEnv{p.Key, r.text(p.Value), p.Place})
		}
	}
	return out
}

// moonFlags and moonNumbers are options that are true or false, and that are numbers.
var (
	moonFlags   = set("allowFailure inferInputs internal interactive persistent runDepsInParallel runFromWorkspaceRoot shell")
	moonNumbers = set("retryCount timeout")
)

func (r *moonReader) taskOptions(v config.Foreign) moonOptions {
	o := moonOptions{}
	for _, p := range r.pairs(v) {
		if !p.Value.IsSet() {
			continue
		}
		text, isText := p.Value.Text()
		switch {
		case moonFlags[p.Key] && (!isText || text != "true" && text != "false"):
			r.bad(p.Value.Mistake(RuleSource, "a boolean"))
		case moonNumbers[p.Key] && (!isText || text == "" || len(text) > 9 || strings.Trim(text, "0123456789") != ""):
			r.bad(p.Value.Mistake(RuleSource, "a number"))
		}
		o[p.Key] = p
	}
	return o
}

// is reports whether an option is on.
func (o moonOptions) is(key string) bool { return o.text(key) == "true" }

// text is that of an option; "" where it is not said.
func (o moonOptions) text(key string) string {
	text, _ := o[key].Value.Text()
	return text
}
