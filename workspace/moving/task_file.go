package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
)

// taskFile is a Taskfile of go-task.
type taskFile struct {
	name      string // workspace-absolute
	dir       string // where its tasks run, workspace-absolute
	prefix    string // of the names of its tasks: "docs:"
	hidden    bool   // its tasks are internal
	vars, env []taskVar
	given     []taskVar // by the include, evaluated where that stands
	above     *taskFile // the one that includes it
	dotenv    []item
	options   []string // of the shell
	tasks     []*taskDef
	method    string
}

// taskVar is a variable: a text, the output of a script, or something else, which no text can say.
type taskVar struct {
	name  string
	text  string
	list  []string
	kind  varKind
	place diag.Place
}

type varKind uint8

const (
	textVar varKind = iota
	scriptVar
	listVar
	otherVar
)

// taskDef is a task of a Taskfile.
type taskDef struct {
	name                string // as the whole workspace calls it
	file                *taskFile
	place               diag.Place
	cmds                []taskCmd
	deps                []taskCmd
	description, dir    string
	method, cond        string
	sources, generates  []item // with "!" in front of what is taken away
	status              []string
	conditions          []taskCondition
	required            []string
	vars, env           []taskVar
	dotenv              []item
	platforms, options  []string
	internal, asks, bad bool
	ignore              bool
	notes               []note
	aliases             []string
}

type taskCondition struct{ script, message string }

// taskCmd is a command, or a call of another task.
type taskCmd struct {
	text, task string
	vars       []taskVar
	deferred   bool
	ignore     bool
	cond       string
	platforms  []string
	loop       config.Foreign
	options    []string
	place      diag.Place
}

var taskFileNames = []string{"Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml", "Taskfile.dist.yml", "taskfile.dist.yml", "Taskfile.dist.yaml", "taskfile.dist.yaml"}

// taskReader reads Taskfiles into structures, and no further.
type taskReader struct {
	*source
	files []*taskFile
}

// file reads a Taskfile and those that it includes.
func (r *taskReader) file(f *taskFile) {
	t, bad := r.disk.Manifest(f.name)
	if bad != nil {
		r.bad(*bad)
		return
	}
	if t == nil {
		return
	}
	top, mistakes := config.ReadForeign(config.File{Name: t.File(), Text: t.Bytes})
	for _, d := range mistakes {
		r.bad(d)
	}
	if !top.IsSet() {
		return
	}
	if !top.IsMap() {
		r.bad(top.Mistake(RuleSource, "a map"))
		return
	}
	r.files = append(r.files, f)
	var includes config.Foreign
	for _, p := range top.Pairs() {
		switch p.Key {
		case "version", "silent", "failfast", "use_gitignore":
		case "vars":
			f.vars = r.vars(p.Value)
		case "env":
			f.env = r.vars(p.Value)
		case "dotenv":
			f.dotenv = r.texts(p.Value)
		case "set", "shopt":
			f.options = append(f.options, itemTexts(r.texts(p.Value))...)
		case "method":
			f.method = r.text(p.Value)
		case "run":
			r.runNote(&r.draft.notes, p)
		case "includes":
			includes = p.Value
		case "tasks":
			r.tasks(f, p.Value)
		default:
			r.draft.notes = append(r.draft.notes, foreign("workspace", p))
		}
	}
	if includes.IsSet() && !includes.IsMap() {
		r.bad(includes.Mistake(RuleSource, "a map"))
	}
	for _, p := range includes.Pairs() {
		r.include(f, p)
	}
}

func (r *taskReader) runNote(notes *[]note, p config.ForeignPair) {
	if text := r.text(p.Value); text != "once" {
		*notes = append(*notes, note{p.Place, diag.Quote("run: "+text) + " does not carry over: a task runs once in a run"})
	}
}

// foreign is the note about a key that haz has nothing like.
func foreign(object string, p config.ForeignPair) note {
	text := diag.Quote(p.Key) + " does not carry over"
	if say := config.ForeignSays(object, p.Key); say != "" {
		return note{p.Place, text + ": " + say}
	}
	text += ": haz has nothing like it"
	return note{p.Place, text}
}

// maxIncludes is how many Taskfiles are read.
const maxIncludes = 500

func (r *taskReader) include(from *taskFile, p config.ForeignPair) {
	at := func(why string) {
		r.draft.notes = append(r.draft.notes, note{p.Place, "the include " + diag.Quote(p.Key) + " does not carry over: " + why})
	}
	f := &taskFile{prefix: from.prefix + p.Key + ":", hidden: from.hidden, above: from, dir: from.dir}
	where, optional := "", false
	switch {
	case p.Value.IsMap():
		for _, k := range p.Value.Pairs() {
			switch k.Key {
			case "taskfile":
				where = r.text(k.Value)
			case "dir":
				f.dir = path.Join(from.dir, r.text(k.Value))
			case "optional":
				optional = r.flag(k.Value)
			case "flatten":
				if r.flag(k.Value) {
					f.prefix = from.prefix
				}
			case "internal":
				f.hidden = f.hidden || r.flag(k.Value)
			case "vars":
				f.given = r.vars(k.Value)
			case "aliases":
				r.draft.notes = append(r.draft.notes, note{k.Place, diag.Quote("aliases") + " does not carry over: a task has one name"})
			case "checksum":
			default:
				r.draft.notes = append(r.draft.notes, foreign("workspace", k))
			}
		}
	default:
		where = r.text(p.Value)
	}
	switch {
	case where == "":
		return
	case strings.Contains(where, "://"), strings.Contains(where, "{{"), strings.HasPrefix(where, "/"), strings.HasPrefix(where, "~"):
		at("only files of the workspace are read")
		return
	case len(r.files) > maxIncludes:
		at("more than 500 Taskfiles are not read")
		return
	}
	f.name = r.taskFileAt(path.Join(path.Dir(from.name), where))
	for a := from; a != nil; a = a.above {
		if a.name == f.name {
			at("it includes itself")
			return
		}
	}
	if f.name == "" {
		if !optional {
			r.bad(diag.Diagnostic{Place: p.Place, Message: "there is no Taskfile " + diag.Quote(where)})
		}
		return
	}
	r.file(f)
}

// taskFileAt is the Taskfile that a path means: the file, or the one in that folder.
func (r *taskReader) taskFileAt(name string) string {
	if r.disk.Has(name) {
		return name
	}
	for _, n := range taskFileNames {
		if r.disk.Has(path.Join(name, n)) {
			return path.Join(name, n)
		}
	}
	return ""
}

// text is a value that is no list or map.
func (r *taskReader) text(v config.Foreign) string {
	text, ok := v.Text()
	if !ok && v.IsSet() {
		r.bad(v.Mistake(RuleSource, "a text"))
	}
	return text
}

func (r *taskReader) flag(v config.Foreign) bool {
	text := r.text(v)
	if text != "" && text != "true" && text != "false" && !strings.Contains(text, "{{") {
		r.bad(v.Mistake(RuleSource, "a boolean"))
	}
	return text == "true"
}

// texts is a list of texts, or of maps with `exclude` in the place of one.
func (r *taskReader) texts(v config.Foreign) (out []item) {
	list, ok := v.Items()
	if !ok && v.IsSet() {
		r.bad(v.Mistake(RuleSource, "a list of texts"))
	}
	for _, i := range list {
		if not := i.Get("exclude"); not.IsSet() {
			out = append(out, item{"!" + r.text(not), i.Place()})
		} else if text := r.text(i); text != "" {
			out = append(out, item{text, i.Place()})
		}
	}
	return out
}

func itemTexts(items []item) (texts []string) {
	for _, i := range items {
		texts = append(texts, i.text)
	}
	return texts
}

func (r *taskReader) vars(v config.Foreign) (out []taskVar) {
	if v.IsSet() && !v.IsMap() {
		r.bad(v.Mistake(RuleSource, "a map"))
	}
	for _, p := range v.Pairs() {
		k := taskVar{name: p.Key, place: p.Place}
		switch items, isList := p.Value.Items(); {
		case p.Value.Get("sh").IsSet():
			k.kind, k.text = scriptVar, r.text(p.Value.Get("sh"))
		case p.Value.Get("value").IsSet():
			k.text = r.text(p.Value.Get("value"))
		case p.Value.IsMap():
			k.kind = otherVar
		case isList:
			k.kind = listVar
			for _, i := range items {
				text, ok := i.Text()
				if !ok {
					k.kind = otherVar
				}
				k.list = append(k.list, text)
			}
		default:
			k.text, _ = p.Value.Text()
		}
		out = append(out, k)
	}
	return out
}

func (r *taskReader) tasks(f *taskFile, v config.Foreign) {
	if !v.IsMap() && v.IsSet() {
		r.bad(v.Mistake(RuleSource, "a map"))
	}
	for _, p := range v.Pairs() {
		t := &taskDef{name: f.prefix + p.Key, file: f, place: p.Place, internal: f.hidden}
		if _, isText := p.Value.Text(); isText || !p.Value.IsSet() {
			t.cmds = r.cmd(t.cmds, p.Value)
		} else if items, isList := p.Value.Items(); isList {
			for _, i := range items {
				t.cmds = r.cmd(t.cmds, i)
			}
		} else {
			for _, k := range p.Value.Pairs() {
				r.taskKey(t, k)
			}
		}
		f.tasks = append(f.tasks, t)
	}
}

func (r *taskReader) taskKey(t *taskDef, k config.ForeignPair) {
	switch k.Key {
	case "cmds", "deps":
		items, ok := k.Value.Items()
		if !ok && k.Value.IsSet() {
			r.bad(k.Value.Mistake(RuleSource, "a list"))
		}
		for _, i := range items {
			if k.Key == "cmds" {
				t.cmds = r.cmd(t.cmds, i)
			} else {
				t.deps = r.dep(t.deps, i)
			}
		}
	case "cmd":
		t.cmds = r.cmd(t.cmds, k.Value)
	case "desc":
		t.description = r.text(k.Value)
	case "summary":
		if text := r.text(k.Value); t.description == "" {
			t.description = text
		}
	case "dir":
		t.dir = r.text(k.Value)
	case "method":
		t.method = r.text(k.Value)
	case "run":
		r.runNote(&t.notes, k)
	case "if":
		t.cond = r.text(k.Value)
	case "sources":
		t.sources = r.texts(k.Value)
	case "generates":
		t.generates = r.texts(k.Value)
	case "status":
		t.status = itemTexts(r.texts(k.Value))
	case "preconditions":
		r.conditions(t, k.Value)
	case "requires":
		r.requires(t, k.Value)
	case "vars":
		t.vars = r.vars(k.Value)
	case "env":
		t.env = r.vars(k.Value)
	case "dotenv":
		t.dotenv = r.texts(k.Value)
	case "platforms":
		t.platforms = itemTexts(r.texts(k.Value))
	case "set", "shopt":
		t.options = append(t.options, itemTexts(r.texts(k.Value))...)
	case "internal":
		t.internal = t.internal || r.flag(k.Value)
	case "interactive":
		t.asks = r.flag(k.Value)
	case "ignore_error":
		t.ignore = r.flag(k.Value)
	case "aliases":
		t.aliases = itemTexts(r.texts(k.Value))
		t.notes = append(t.notes, note{k.Place, diag.Quote("aliases") + " does not carry over: a task has one name"})
	case "prompt":
		t.bad = true
		t.notes = append(t.notes, note{k.Place, diag.Quote("prompt") + " does not carry over: no task asks before it runs, so this one is run by task itself"})
	case "silent", "failfast", "use_gitignore":
	default:
		t.notes = append(t.notes, foreign("task", k))
	}
}

func (r *taskReader) conditions(t *taskDef, v config.Foreign) {
	items, ok := v.Items()
	if !ok && v.IsSet() {
		r.bad(v.Mistake(RuleSource, "a list"))
	}
	for _, i := range items {
		if i.IsMap() {
			t.conditions = append(t.conditions, taskCondition{r.text(i.Get("sh")), r.text(i.Get("msg"))})
		} else {
			t.conditions = append(t.conditions, taskCondition{script: r.text(i)})
		}
	}
}

func (r *taskReader) requires(t *taskDef, v config.Foreign) {
	items, _ := v.Get("vars").Items()
	for _, i := range items {
		if i.IsMap() {
			i = i.Get("name")
		}
		if text := r.text(i); text != "" {
			t.required = append(t.required, text)
		}
	}
}

// cmd reads a command: a text, or a map with `cmd`, `task` or `defer`.
func (r *taskReader) cmd(to []taskCmd, v config.Foreign) []taskCmd {
	if !v.IsSet() {
		return to
	}
	c := taskCmd{place: v.Place()}
	if !v.IsMap() {
		c.text = r.text(v)
		return append(to, c)
	}
	for _, k := range v.Pairs() {
		switch k.Key {
		case "cmd":
			c.text = r.text(k.Value)
		case "task":
			c.task = r.text(k.Value)
		case "vars":
			c.vars = r.vars(k.Value)
		case "defer":
			c.deferred = true
			if k.Value.IsMap() {
				c.task, c.vars = r.text(k.Value.Get("task")), r.vars(k.Value.Get("vars"))
			} else {
				c.text = r.text(k.Value)
			}
		case "ignore_error":
			c.ignore = r.flag(k.Value)
		case "if":
			c.cond = r.text(k.Value)
		case "for":
			c.loop = k.Value
		case "platforms":
			c.platforms = itemTexts(r.texts(k.Value))
		case "set", "shopt":
			c.options = append(c.options, itemTexts(r.texts(k.Value))...)
		}
	}
	return append(to, c)
}

func (r *taskReader) dep(to []taskCmd, v config.Foreign) []taskCmd {
	if v.IsMap() {
		return slices.DeleteFunc(r.cmd(to, v), func(c taskCmd) bool { return c.task == "" })
	}
	return append(to, taskCmd{task: r.text(v), place: v.Place()})
}
