package moving

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	shell "github.com/haz-build/haz/workspace/script"
)

// taskMover is a workspace of go-task on its way.
type taskMover struct {
	*taskReader
	*rootTasks
	words words
	defs  map[string]*taskDef
	names map[string]string // ours, by theirs
	calls map[string]string // of tasks with variables: our name, by the call
	depth int
}

// readTask reads Taskfile.yml and what it includes (AUX-034). Each task becomes a script; what cannot be told before it runs is done by task itself.
func readTask(ctx context.Context, s *source) {
	m := &taskMover{taskReader: &taskReader{source: s}, defs: map[string]*taskDef{}, names: map[string]string{}, calls: map[string]string{}}
	m.file(&taskFile{name: s.file, dir: "/"})
	if len(s.mistakes) > 0 || len(m.files) == 0 {
		return
	}
	m.rootTasks = s.rootProject()
	m.nameTasks()
	m.settings()
	for _, f := range m.files {
		for _, d := range f.tasks {
			if m.names[d.name] != "" && ctx.Err() == nil {
				m.add(m.task(d, m.names[d.name], nil, nil))
			}
		}
	}
	s.finish(m.project, m.order)
}

// nameTasks gives each task a name: its own where that is one. `docs:default` is also called `docs`.
func (m *taskMover) nameTasks() {
	var odd []*taskDef
	for _, f := range m.files {
		for _, d := range f.tasks {
			switch {
			case strings.Contains(d.name, "*"):
				m.draft.notes = append(m.draft.notes, note{d.place, diag.Quote(d.name) + " does not carry over: a task has one name; write one for each"})
				continue
			case m.defs[d.name] != nil:
				m.bad(diag.Diagnostic{Place: d.place, Message: "two tasks are called " + diag.Quote(d.name), Related: []diag.Related{{Place: m.defs[d.name].place, Label: "the other one is here"}}})
				continue
			}
			m.defs[d.name] = d
			if workspace.CheckFamilyName(d.name) == nil {
				m.names[d.name], m.used[d.name] = d.name, true
			} else {
				odd = append(odd, d)
			}
		}
	}
	for _, d := range odd {
		m.names[d.name] = unusedName(cleanName(d.name), m.used)
		d.notes = append(d.notes, note{d.place, diag.Quote(d.name) + " is no name of a task here, so it is called " + m.names[d.name]})
	}
	for _, f := range m.files {
		for _, d := range f.tasks {
			for _, alias := range d.aliases {
				if name := f.prefix + alias; m.defs[name] == nil {
					m.defs[name] = d
				}
			}
			if short, ok := strings.CutSuffix(d.name, ":default"); ok && m.defs[short] == nil && d.file.prefix == short+":" {
				m.defs[short] = d
			}
		}
	}
}

// find is the task that a name in a Taskfile means; nil for none.
func (m *taskMover) find(from *taskFile, name string) *taskDef {
	if root, ok := strings.CutPrefix(name, ":"); ok {
		return m.defs[root]
	}
	return m.defs[from.prefix+name]
}

// settings are what Taskfiles say of all tasks: files of variables. An earlier one wins in go-task, a later one here.
func (m *taskMover) settings() {
	d := &m.draft
	s := m.scopeOf(m.files[0], "")
	for _, i := range slices.Backward(m.files[0].dotenv) {
		if file, ok := m.envFile(i, s); ok {
			d.defaults.files = append(d.defaults.files, file)
		} else {
			d.notes = append(d.notes, note{i.place, diag.Quote(i.text) + " does not carry over: it is no path in the workspace"})
		}
	}
	if len(m.files[0].env) > 0 {
		d.notes = append(d.notes, note{m.files[0].env[0].place, "what is set in `env` wins here over the same variables of the host"})
	}
	for _, k := range m.files[0].env {
		v, err := s.expand(k.text)
		if err == nil && k.kind == textVar && !strings.Contains(v.text, wordMark) && workspace.CheckEnvName(k.name) == nil && !byHost[k.name] && !ownDefault[k.name+"="+v.text] {
			d.defaults.override = append(d.defaults.override, [2]string{k.name, v.text})
		}
	}
	if len(d.defaults.files) > 0 {
		d.notes = append(d.notes, note{m.files[0].dotenv[0].place, "what these files say wins here over variables of the host"})
	}
}

func (m *taskMover) envFile(i item, s *scope) (string, bool) {
	v, err := s.expand(i.text)
	name, inside := m.inside(m.files[0].dir, v.unset)
	if err != nil || !inside || strings.ContainsAny(name, "*?[{") || name == "" {
		return "", false
	}
	return name + "?", true
}

// inside is a path from the root of the workspace, of a text that stands for one from a folder; a word for the root may begin it.
func (m *taskMover) inside(dir, text string) (string, bool) {
	if rest, ok := strings.CutPrefix(text, m.words.of(sameExpansion("${HAZ_PROJECT_ROOT}"))); ok {
		dir, text = "/", "./"+rest
	}
	if strings.Contains(text, wordMark) || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "~") {
		return "", false
	}
	full := path.Join(dir, text)
	if strings.HasPrefix(path.Join("x", strings.TrimPrefix(dir, "/"), text), "x") && !escapes(dir, text) {
		if strings.HasSuffix(text, "/") {
			full += "/"
		}
		return strings.TrimPrefix(full, "/"), true
	}
	return "", false
}

// escapes reports whether a path from a folder leads out of the workspace.
func escapes(dir, text string) bool {
	return strings.HasPrefix(path.Join(".", strings.TrimPrefix(dir, "/"), text), "..")
}

// scopeOf is what templates of a Taskfile, or of one of its tasks, see. vars are those of the call.
func (m *taskMover) scopeOf(f *taskFile, name string) *scope {
	root := m.words.of(sameExpansion("${HAZ_PROJECT_ROOT}"))
	in := func(dir string) value { return textValue(strings.TrimSuffix(root+dir, "/")) }
	return &scope{words: &m.words, os: m.options.OS, arch: m.options.Arch, opened: map[string]bool{}, vars: map[string]value{
		"ROOT_DIR": in(""), "ROOT_TASKFILE": in(m.files[0].name), "USER_WORKING_DIR": in(""), "TASK": textValue(name), "TASKFILE": in(f.name), "TASKFILE_DIR": in(path.Dir(f.name)),
		"TASK_DIR": in(f.dir), "TASK_EXE": textValue("task"), "ALIAS": textValue(name),
	}}
}

// byHost are variables that say how things are reached from this machine: what it says wins, as with task. ownDefault are settings that
// the tool has without being told.
var (
	byHost     = set("GOPROXY GOSUMDB GOPRIVATE GONOPROXY GONOSUMDB GOCACHE GOMODCACHE GOPATH PATH HOME")
	ownDefault = map[string]bool{"GO111MODULE=on": true, "GO111MODULE=auto": true, "GOPROXY=https://proxy.golang.org,direct": true, "GOPROXY=https://proxy.golang.org": true}
)

// taskRun is one task while it becomes one of ours.
type taskRun struct {
	*taskMover
	def     *taskDef
	scope   *scope
	head    []string // assignments of what scripts print
	task    *task
	recipe  recipe
	dir     string // workspace-absolute
	at      string // where scripts of variables run, likewise
	options []string
	inlined int
}

// maxSteps is how many commands a task has with those of the tasks that it calls between its own.
const maxSteps = 500

// task makes one of ours. given are variables of the call, which caller evaluated.
func (m *taskMover) task(d *taskDef, name string, given map[string]value, caller *taskDef) *task {
	r := &taskRun{taskMover: m, def: d, task: &task{name: name}}
	r.task.description, r.task.notes, r.task.internal = d.description, slices.Clone(d.notes), d.internal || caller != nil
	err := r.carry(given)
	if err == nil && !d.bad {
		return r.task
	}
	k := &task{name: name, notes: r.task.notes}
	if err != nil {
		k.notes = append(k.notes, note{d.place, diag.Quote(d.name) + " is run by task itself: " + err.Error()})
	}
	k.description, k.internal, k.inputs = d.description, d.internal || caller != nil, []string{"$project"}
	k.command = []string{"task", d.name}
	for name, v := range given {
		if !v.open && !v.later && !strings.Contains(v.text, wordMark) {
			k.command = append(k.command, name+"="+v.text)
		}
	}
	slices.Sort(k.command[2:])
	k.asks = d.bad || d.asks
	k.noCache = !k.asks
	return k
}

// carry carries a task over. An error says why that cannot be done.
func (r *taskRun) carry(given map[string]value) error {
	d := r.def
	r.dir = d.file.dir
	r.scope = r.scopeOf(d.file, d.name)
	if err := r.variables(given); err != nil {
		return err
	}
	r.options = slices.Concat(r.files[0].options, d.file.options, d.options)
	r.recipe = recipe{name: d.name, binary: r.binary, dir: strings.TrimPrefix(r.dir, "/"), make: r.dir != "/" && r.disk.RealDir(r.dir) == ""}
	if err := r.environment(); err != nil {
		return err
	}
	r.platforms()
	if err := r.dependencies(); err != nil {
		return err
	}
	if err := r.steps(d); err != nil {
		return err
	}
	return r.close()
}

// variables evaluates those that the task sees, the nearer ones last, and its folder.
func (r *taskRun) variables(given map[string]value) (failed error) {
	d := r.def
	var chain []*taskFile
	for f := d.file; f != nil; f = f.above {
		chain = append([]*taskFile{f}, chain...)
	}
	for i, f := range chain {
		if i > 0 {
			r.at = chain[i-1].dir
			r.set(f.given, &failed)
		}
		r.at = f.dir
		r.set(f.env, &failed)
		r.set(f.vars, &failed)
	}
	for name, v := range given {
		r.scope.vars[name] = v
	}
	if strings.Contains(d.dir, "{{") {
		r.set(d.vars, &failed)
		return cmp.Or(failed, r.folder())
	}
	if err := r.folder(); err != nil {
		return err
	}
	r.at = r.dir
	r.set(d.vars, &failed)
	return failed
}

// set evaluates variables, one after the other. What cannot be told matters where the task asks for it.
func (r *taskRun) set(vars []taskVar, failed *error) {
	for _, k := range vars {
		v, err := r.value(k)
		if err != nil && r.mentions(k.name) && *failed == nil {
			*failed = fmt.Errorf("%s: %w", diag.Quote(k.name), err)
		}
		r.scope.vars[k.name] = v
		if r.mentions(k.name) {
			r.noteOpened(k.place)
		}
		clear(r.scope.opened)
	}
}

// mentions reports whether the task, or a variable, names a variable at all.
func (r *taskRun) mentions(name string) bool {
	in := func(text string) bool { return strings.Contains(text, "."+name) }
	d := r.def
	for _, c := range slices.Concat(d.cmds, d.deps) {
		if in(c.text) || in(c.task) || slices.ContainsFunc(c.vars, func(v taskVar) bool { return in(v.text) }) {
			return true
		}
	}
	for _, v := range slices.Concat(d.vars, d.env, d.file.vars, d.file.env) {
		if in(v.text) {
			return true
		}
	}
	for _, text := range slices.Concat(itemTexts(d.sources), itemTexts(d.generates), d.status, []string{d.dir, d.cond}) {
		if in(text) {
			return true
		}
	}
	return slices.ContainsFunc(d.conditions, func(c taskCondition) bool { return in(c.script) || in(c.message) })
}

// value evaluates one. What a script prints is assigned to a variable of the shell.
func (r *taskRun) value(k taskVar) (value, error) {
	switch k.kind {
	case textVar:
		return r.scope.expand(k.text)
	case listVar:
		v := value{isList: true}
		for _, text := range k.list {
			i, err := r.scope.expand(text)
			if err != nil {
				return v, err
			}
			v.list = append(v.list, i)
		}
		return v, nil
	case scriptVar:
		text, err := r.script(k.text)
		if err != nil {
			return value{}, err
		}
		if workspace.CheckEnvName(k.name) != nil {
			return value{}, errors.New("what a script prints needs a name that the shell has")
		}
		if r.at != "/" {
			text = "cd " + diag.ShellWord(r.at[1:]) + " && " + text
		}
		line := k.name + `="$(` + text + `)"`
		word := r.words.of(sameExpansion("${" + k.name + "}"))
		r.head = append(slices.DeleteFunc(r.head, func(l string) bool { return l == line }), line)
		return value{text: word, later: true}, nil
	}
	return value{}, errors.New("its value is no text")
}

// script is a text with templates as one for the shell.
func (r *taskRun) script(text string) (string, error) {
	v, err := r.scope.expand(text)
	if err != nil {
		return "", err
	}
	out, ok := shell.Expand(v.text, r.words.expansions)
	if !ok {
		return "", errors.New("it has text that no shell expands")
	}
	return out, nil
}

// folder is where the task runs.
func (r *taskRun) folder() error {
	if r.def.dir == "" {
		return nil
	}
	v, err := r.scope.expand(r.def.dir)
	if err != nil {
		return err
	}
	dir, ok := r.inside(r.dir, v.unset)
	if !ok {
		return errors.New("its folder is not in the workspace")
	}
	r.dir = "/" + strings.TrimSuffix(dir, "/")
	return nil
}

// platforms are the systems on which the task is carried out. Several are told apart by the script.
func (r *taskRun) platforms() {
	var systems []string
	for _, p := range r.def.platforms {
		system, _, _ := strings.Cut(p, "/")
		systems = append(systems, system)
	}
	systems = unique(systems)
	if len(systems) == 1 {
		r.task.os = systems[0]
	} else if len(systems) > 1 {
		r.task.notes = append(r.task.notes, note{r.def.place, diag.Quote("platforms") + " does not carry over: a task is carried out on one system, or on all"})
	}
}

// dependencies are what runs before, side by side.
func (r *taskRun) dependencies() error {
	for _, c := range r.def.deps {
		loop, err := r.unroll(c)
		if err != nil {
			return err
		}
		for _, one := range loop {
			if _, err := r.depend(one.cmd, one.scope); err != nil {
				return err
			}
		}
	}
	return nil
}

// depend makes a called task one that comes before, and gives our name of it.
func (r *taskRun) depend(c taskCmd, s *scope) (string, error) {
	d, given, err := r.called(c, s)
	if err != nil {
		return "", err
	}
	name := r.names[d.name]
	if len(given) > 0 {
		if name, err = r.variant(d, given); err != nil {
			return "", err
		}
	}
	if name == r.task.name {
		return "", errors.New("it calls itself")
	}
	if ref := "~:" + name; !slices.Contains(r.task.deps, ref) {
		r.task.deps = append(r.task.deps, ref)
	}
	return name, nil
}

// called is the task that a call means, with the variables that it gives.
func (r *taskRun) called(c taskCmd, s *scope) (*taskDef, map[string]value, error) {
	v, err := s.expand(c.task)
	if err != nil {
		return nil, nil, err
	}
	s.took(v)
	d := r.find(r.def.file, v.unset)
	if d == nil || r.names[d.name] == "" {
		return nil, nil, fmt.Errorf("it calls %s, which is no task here", diag.Quote(v.unset))
	}
	given := map[string]value{}
	was := r.scope
	r.scope = s
	defer func() { r.scope = was }()
	for _, k := range c.vars {
		g, err := r.value(k)
		if err != nil {
			return nil, nil, err
		}
		if g.later {
			return nil, nil, fmt.Errorf("it gives %s to %s, which is known only when it runs", diag.Quote(k.name), diag.Quote(d.name))
		}
		given[k.name] = g
	}
	return d, given, nil
}

// variant is a task with variables that a call gives it: one for each call that differs.
func (r *taskRun) variant(d *taskDef, given map[string]value) (string, error) {
	var parts, texts []string
	for _, name := range sortedKeys(given) {
		texts = append(texts, name+"="+given[name].text+joined(given[name].list, ","))
		if text := cleanName(given[name].unset + joined(given[name].list, "-")); text != "" {
			parts = append(parts, text)
		}
	}
	key := d.name + " " + strings.Join(texts, "\x00")
	if name := r.calls[key]; name != "" {
		return name, nil
	}
	if r.depth >= 20 || len(r.calls) > 1000 {
		return "", errors.New("calls go too deep")
	}
	name := r.names[d.name] + "/" + cmp.Or(strings.Join(parts, "-"), "with")
	if len(name) > 150 || workspace.CheckFamilyName(name) != nil {
		name = r.names[d.name] + "/with"
	}
	name = unusedName(name, r.used)
	r.calls[key] = name
	r.depth++
	r.add(r.taskMover.task(d, name, given, r.def))
	r.depth--
	return name, nil
}
