package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/toml"
)

// miseFiles are the files of mise, the one that wins first. Those that are a user's own (mise.local.toml) are not moved.
var miseFiles = []string{"/mise.toml", "/.mise.toml", "/mise/config.toml", "/.mise/config.toml", "/.config/mise.toml", "/.config/mise/config.toml"}

// miseFolders are where file tasks lie when no file says otherwise.
var miseFolders = []string{"mise-tasks", ".mise-tasks", "mise/tasks", ".mise/tasks", ".config/mise/tasks"}

// miseTask is a task of mise.
type miseTask struct {
	name         string
	place        diag.Place
	file         string // of a file task: from the root
	body         string // the text of that file
	runs         []miseRun
	description  string
	depends      []item
	post, wait   []item
	sources      []item
	outputs      []item
	env          []taskVar
	dir, shell   string
	usage        bool
	hidden, asks bool
	timeout      string
	notes        []note
}

// miseRun is a command of a task, or a call of other tasks.
type miseRun struct {
	text  string
	tasks []string
}

// miseReader reads files of mise into structures.
type miseReader struct {
	*source
	tasks   []*miseTask
	known   map[string]bool
	env     []taskVar
	files   []item            // of variables
	paths   []item            // in front of PATH
	vars    map[string]string // for templates
	folders []string
}

// toml reads a file of mise; nil where there is none, or it is broken.
func (r *miseReader) toml(name string) (*toml.Value, *infer.Text) {
	t, bad := r.disk.Manifest(name)
	if bad != nil {
		r.bad(*bad)
	}
	if t == nil {
		return nil, nil
	}
	v, mistakes := toml.Parse(t)
	for _, d := range mistakes {
		r.bad(d)
	}
	return v, t
}

// config reads one of miseFiles.
func (r *miseReader) config(name string) {
	top, t := r.toml(name)
	for key, v := range top.Fields() {
		switch key {
		case "min_version", "redactions", "tool_alias", "alias", "plugins", "settings":
		case "env":
			r.environment(v, t)
		case "vars":
			for name, value := range v.Fields() {
				if text, ok := value.Plain(); ok && r.vars[name] == "" {
					r.vars[name] = text
				}
			}
		case "tasks":
			for name, task := range v.Fields() {
				r.task(name, task, t)
			}
		case "task_config":
			for _, i := range r.list(v.Get("includes"), t) {
				r.folders = append(r.folders, i.text)
			}
			if d := v.Get("dir"); d != nil {
				r.draft.notes = append(r.draft.notes, note{d.Place(t), diag.Quote("dir") + " of all tasks does not carry over: haz has nothing like it"})
			}
		case "tools":
			r.draft.notes = append(r.draft.notes, note{v.Place(t), diag.Quote("tools") + " does not carry over: programs are those in PATH; mise may put them there"})
		default:
			r.draft.notes = append(r.draft.notes, note{v.Place(t), diag.Quote(key) + " does not carry over: haz has nothing like it"})
		}
	}
}

// environment reads the variables of all tasks.
func (r *miseReader) environment(v *toml.Value, t *infer.Text) {
	if !v.IsTable() {
		r.bad(v.Mistake(t, "want a table, found "+v.Kind()))
	}
	for name, value := range v.Fields() {
		if name != "_" && name != "mise" {
			r.env = r.variable(r.env, name, value, t)
			continue
		}
		for key, d := range value.Fields() {
			switch key {
			case "file":
				r.files = append(r.files, r.list(d, t)...)
			case "path":
				r.paths = append(r.paths, r.list(d, t)...)
			default:
				r.draft.notes = append(r.draft.notes, note{d.Place(t), diag.Quote("_."+key) + " does not carry over: a task has the variables that its files name"})
			}
		}
	}
}

func (r *miseReader) variable(to []taskVar, name string, v *toml.Value, t *infer.Text) []taskVar {
	if v.IsTable() {
		v = v.Get("value")
	}
	text, ok := v.Plain()
	if !ok || slices.ContainsFunc(to, func(k taskVar) bool { return k.name == name }) {
		return to
	}
	if v.Kind() == "a boolean" && text == "false" {
		return to // it unsets the variable, and only what is named is set
	}
	return append(to, taskVar{name: name, text: text, place: v.Place(t)})
}

// list is a text or a list of texts.
func (r *miseReader) list(v *toml.Value, t *infer.Text) (out []item) {
	if v == nil {
		return nil
	}
	if text, ok := v.Text(); ok {
		return []item{{text, v.Place(t)}}
	}
	if v.Kind() != "a list" {
		r.bad(v.Mistake(t, "want a string or a list of strings, found "+v.Kind()))
	}
	for _, i := range v.Items() {
		if text, ok := i.Text(); ok {
			out = append(out, item{text, i.Place(t)})
		} else if i.Get("path") != nil {
			out = append(out, r.list(i.Get("path"), t)...)
		} else {
			var words []string
			for _, w := range i.Items() {
				word, _ := w.Text()
				words = append(words, word)
			}
			if len(words) == 0 {
				r.bad(i.Mistake(t, "want a string, found "+i.Kind()))
			}
			out = append(out, item{strings.Join(words, " "), i.Place(t)})
		}
	}
	return out
}

// task reads a task of a file. The first of a name counts.
func (r *miseReader) task(name string, v *toml.Value, t *infer.Text) {
	k := &miseTask{name: name, place: v.Place(t)}
	if r.known[name] {
		return
	}
	r.known[name] = true
	r.tasks = append(r.tasks, k)
	if !v.IsTable() {
		k.runs = r.runs(v, t)
		return
	}
	for key, value := range v.Fields() {
		r.taskKey(k, key, value, t)
	}
}

func (r *miseReader) taskKey(k *miseTask, key string, v *toml.Value, t *infer.Text) {
	text := func() string {
		s, ok := v.Text()
		if !ok {
			r.bad(v.Mistake(t, "want a string, found "+v.Kind()))
		}
		return s
	}
	switch key {
	case "run":
		k.runs = r.runs(v, t)
	case "file":
		k.file = strings.TrimPrefix(text(), "./")
	case "description":
		k.description = text()
	case "depends":
		k.depends = r.list(v, t)
	case "depends_post":
		k.post = r.list(v, t)
	case "wait_for":
		k.wait = r.list(v, t)
	case "sources":
		k.sources = r.list(v, t)
	case "outputs":
		if !v.IsTable() { // {auto = true} is what is meant without outputs
			k.outputs = r.list(v, t)
		}
	case "env":
		for name, value := range v.Fields() {
			if name == "_" {
				k.notes = append(k.notes, note{value.Place(t), diag.Quote("env._") + " does not carry over: a task has the variables that its files name"})
				continue
			}
			k.env = r.variable(k.env, name, value, t)
		}
	case "dir":
		k.dir = text()
	case "shell":
		k.shell = text()
	case "usage":
		k.usage = true
	case "hide":
		k.hidden = v.True()
	case "raw", "interactive":
		k.asks = k.asks || v.True()
	case "timeout":
		k.timeout = text()
	case "run_windows", "quiet", "silent", "output":
	case "alias", "aliases":
		k.notes = append(k.notes, note{v.Place(t), diag.Quote(key) + " does not carry over: a task has one name"})
	default:
		say := config.ForeignSays("task", key)
		if say == "" {
			say = "haz has nothing like it"
		}
		k.notes = append(k.notes, note{v.Place(t), diag.Quote(key) + " does not carry over: " + say})
	}
}

// runs are the commands of a task: a text, or a list of texts and of calls.
func (r *miseReader) runs(v *toml.Value, t *infer.Text) (out []miseRun) {
	one := func(v *toml.Value) {
		text, ok := v.Text()
		call, isCall := strings.CutPrefix(strings.TrimSpace(text), "mise run ")
		switch {
		case ok && isCall && !strings.ContainsAny(call, " \n;&|<>$'\"-"):
			out = append(out, miseRun{tasks: []string{call}})
		case ok:
			out = append(out, miseRun{text: text})
		case v.IsTable():
			var run miseRun
			for _, i := range slices.Concat(r.list(v.Get("task"), t), r.list(v.Get("tasks"), t)) {
				run.tasks = append(run.tasks, i.text)
			}
			out = append(out, run)
		default:
			r.bad(v.Mistake(t, "want a string, found "+v.Kind()))
		}
	}
	if v.Kind() != "a list" {
		one(v)
		return out
	}
	for _, i := range v.Items() {
		one(i)
	}
	return out
}

// included reads what task_config includes, or what lies where mise looks for it.
func (r *miseReader) included() {
	for _, name := range slices.Concat(r.folders, miseFolders) {
		name = strings.TrimPrefix(strings.TrimSuffix(name, "/"), "./")
		if strings.Contains(name, "://") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "..") {
			continue
		}
		if path.Ext(name) == ".toml" {
			r.alone(name)
			continue
		}
		r.folder(name, "", 0)
	}
}

// alone reads a file that has tasks alone.
func (r *miseReader) alone(name string) {
	top, t := r.toml("/" + name)
	for name, v := range top.Fields() {
		r.task(name, v, t)
	}
}

// folder reads file tasks, and files of tasks. The names of folders are the first parts of the names of tasks.
func (r *miseReader) folder(dir, prefix string, depth int) {
	if depth > 20 || slices.Contains(r.folders, dir) && depth == 0 && r.known["dir "+dir] {
		return
	}
	r.known["dir "+dir] = true
	for _, e := range r.entries("/" + dir) {
		file := path.Join(dir, e.Name)
		info, err := r.fs.StatInfo("/" + file)
		switch {
		case err != nil || strings.HasPrefix(e.Name, "."):
		case info.Kind == fsys.Dir:
			r.folder(file, prefix+e.Name+":", depth+1)
		case path.Ext(e.Name) == ".toml":
			r.alone(file)
		case info.Perm&0o111 != 0:
			r.fileTask(file, prefix+e.Name)
		}
	}
}

// fileTask reads a program that is a task. What it says of itself stands in its comments, as TOML.
func (r *miseReader) fileTask(file, name string) {
	name = strings.TrimSuffix(strings.TrimSuffix(name, path.Ext(name)), ":_default")
	if r.known[name] {
		return
	}
	r.known[name] = true
	k := &miseTask{name: name, file: file, place: diag.Place{File: file}}
	t, _ := r.disk.Manifest("/" + file)
	r.tasks = append(r.tasks, k)
	if t == nil {
		return // a program
	}
	k.body = string(t.Bytes)
	var head strings.Builder
	for _, line := range strings.Split(k.body, "\n") {
		for _, mark := range []string{"#MISE ", "# MISE ", "# [MISE] ", "#[MISE] ", "//MISE ", "// MISE ", "// [MISE] "} {
			if rest, ok := strings.CutPrefix(line, mark); ok {
				head.WriteString(strings.Repeat(" ", len(mark)) + rest)
			}
		}
		k.usage = k.usage || strings.HasPrefix(strings.TrimLeft(line, "#/ []"), "USAGE ") && strings.ContainsAny(line[:1], "#/")
		head.WriteByte('\n')
	}
	said := infer.NewText("/"+file, head.String())
	v, mistakes := toml.Parse(said)
	for _, d := range mistakes {
		r.bad(d)
	}
	for key, value := range v.Fields() {
		r.taskKey(k, key, value, said)
	}
	k.file, k.runs = file, nil
}
