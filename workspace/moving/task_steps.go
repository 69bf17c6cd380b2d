package moving

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
	shell "github.com/haz-build/haz/workspace/script"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// unrolled is a command of a loop, with what its templates see.
type unrolled struct {
	cmd   taskCmd
	scope *scope
}

// unroll makes one command of each round of a loop.
func (r *taskRun) unroll(c taskCmd) ([]unrolled, error) {
	if !c.loop.IsSet() {
		return []unrolled{{c, r.scope}}, nil
	}
	as, items, err := r.items(c.loop)
	if err != nil {
		return nil, err
	}
	var out []unrolled
	for _, i := range items {
		s := r.scope.child()
		s.vars[as] = i
		out = append(out, unrolled{c, s})
	}
	return out, nil
}

// items are what a loop goes over.
func (r *taskRun) items(loop config.Foreign) (as string, items []value, err error) {
	as = "ITEM"
	if text, ok := loop.Get("as").Text(); ok {
		as = text
	}
	if list, ok := loop.Items(); ok {
		for _, i := range list {
			text, _ := i.Text()
			v, err := r.scope.expand(text)
			if err != nil {
				return as, nil, err
			}
			items = append(items, v)
		}
		return as, items, nil
	}
	if name, ok := loop.Get("var").Text(); ok {
		v := r.scope.variable(name)
		switch {
		case v.isList:
			return as, v.list, nil
		case v.open || v.later || strings.Contains(v.text, wordMark):
			return as, nil, fmt.Errorf("it goes over %s, which is known only when it runs", diag.Quote(name))
		}
		texts := strings.Fields(v.text)
		if with, ok := loop.Get("split").Text(); ok && with != "" {
			texts = strings.Split(v.text, with)
		}
		for _, t := range texts {
			items = append(items, textValue(t))
		}
		return as, items, nil
	}
	if matrix := loop.Get("matrix"); matrix.IsMap() {
		return as, cells(matrix), nil
	}
	return as, nil, errors.New("what its loop goes over is known only when it runs")
}

// cells are all combinations of a matrix.
func cells(matrix config.Foreign) []value {
	out := []value{{fields: map[string]string{}}}
	for _, row := range matrix.Pairs() {
		list, _ := row.Value.Items()
		var next []value
		for _, v := range out {
			for _, i := range list {
				text, _ := i.Text()
				fields := maps.Clone(v.fields)
				fields[row.Key] = text
				next = append(next, value{fields: fields})
			}
		}
		out = next
	}
	return out
}

// steps are the commands of a task. Calls of other tasks that come first are tasks that come before; one behind a command is put between
// the others, so that the order stays.
func (r *taskRun) steps(d *taskDef) error {
	var before []string // our names of tasks called so far
	reached := map[*taskDef]bool{}
	for _, c := range d.cmds {
		loop, err := r.unroll(c)
		if err != nil {
			return err
		}
		for _, one := range loop {
			if c.task == "" {
				if err := r.command(one.cmd, one.scope); err != nil {
					return err
				}
				continue
			}
			if c.deferred {
				if err := r.finalizer(one.cmd, one.scope); err != nil {
					return err
				}
				continue
			}
			callee, given, err := r.called(one.cmd, one.scope)
			if err != nil {
				return err
			}
			if len(r.recipe.steps) > 0 || reached[callee] && len(given) == 0 || c.ignore || d.ignore || c.cond != "" || len(c.platforms) > 0 {
				if err := r.inline(callee, given); err != nil {
					return err
				}
				continue
			}
			name, err := r.depend(one.cmd, one.scope)
			if err != nil {
				return err
			}
			for _, b := range before {
				r.order = append(r.order, [2]string{b, name})
			}
			for _, other := range r.def.deps {
				if o := r.find(d.file, other.task); o != nil && o != callee {
					r.order = append(r.order, [2]string{r.names[o.name], name})
				}
			}
			before = append(before, name)
			r.reach(callee, reached)
		}
	}
	return nil
}

// reach adds a task and all that it brings into a run.
func (r *taskRun) reach(d *taskDef, to map[*taskDef]bool) {
	if d == nil || to[d] {
		return
	}
	to[d] = true
	for _, c := range slices.Concat(d.deps, d.cmds) {
		if c.task != "" {
			r.reach(r.find(d.file, c.task), to)
		}
	}
}

// command adds a command.
func (r *taskRun) command(c taskCmd, s *scope) error {
	was := r.scope
	r.scope = s
	defer func() { r.scope = was }()
	text, err := r.script(c.text)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	r.options = append(r.options, c.options...)
	if c.deferred {
		r.recipe.tail = append([]string{text}, r.recipe.tail...) // the last one first
		return nil
	}
	st := step{text: text, ignore: c.ignore || r.def.ignore}
	if c.cond != "" {
		cond, err := r.script(c.cond)
		if err != nil {
			return err
		}
		st.text = "if " + cond + "; then\n" + text + "\nfi"
	}
	if len(c.platforms) > 0 {
		st.os, _, _ = strings.Cut(c.platforms[0], "/")
		if st.os == "windows" && len(c.platforms) == 1 {
			return nil
		}
		if len(c.platforms) > 1 || st.os == "windows" {
			return errors.New("a command of it is for several systems")
		}
	}
	r.recipe.steps = append(r.recipe.steps, st)
	return nil
}

// finalizer is a task that is called when this one has ended.
func (r *taskRun) finalizer(c taskCmd, s *scope) error {
	d, given, err := r.called(c, s)
	if err != nil {
		return err
	}
	name := r.names[d.name]
	if len(given) > 0 {
		if name, err = r.variant(d, given); err != nil {
			return err
		}
	}
	r.task.after = append(r.task.after, "~:"+name)
	return nil
}

// inline puts the commands of another task between those of this one, and what that one depends on before them.
func (r *taskRun) inline(d *taskDef, given map[string]value) error {
	if r.inlined++; r.inlined > maxSteps || len(r.recipe.steps) > maxSteps {
		return errors.New("calls go too deep")
	}
	other := &taskRun{taskMover: r.taskMover, def: d, task: &task{name: r.task.name}, inlined: r.inlined}
	if err := other.alone(given); err != nil {
		return fmt.Errorf("%s, which it calls: %w", diag.Quote(d.name), err)
	}
	r.inlined = other.inlined
	text, kept := other.recipe.alone(other.task, other.head)
	if text == "" {
		return nil
	}
	r.recipe.steps = append(r.recipe.steps, step{text: text})
	r.recipe.never = r.recipe.never || !kept
	return nil
}

// alone carries a task over as a part of another one: what it depends on is done by it.
func (r *taskRun) alone(given map[string]value) error {
	d := r.def
	if d.bad || len(d.dotenv) > 0 || d.asks {
		return errors.New("it says more than a script can")
	}
	r.dir, r.scope = d.file.dir, r.scopeOf(d.file, d.name)
	if err := r.variables(given); err != nil {
		return err
	}
	r.recipe = recipe{name: d.name, binary: r.binary, dir: strings.TrimPrefix(r.dir, "/"), make: r.dir != "/" && r.disk.RealDir(r.dir) == ""}
	if err := r.environment(); err != nil {
		return err
	}
	for _, c := range slices.Concat(d.deps, d.cmds) {
		loop, err := r.unroll(c)
		if err != nil {
			return err
		}
		for _, one := range loop {
			if c.task == "" {
				err = r.command(one.cmd, one.scope)
			} else if callee, given, e := r.called(one.cmd, one.scope); e != nil {
				err = e
			} else {
				err = r.inline(callee, given)
			}
			if err != nil {
				return err
			}
		}
	}
	return r.checks()
}

// alone is the recipe as one step of another one.
func (r *recipe) alone(t *task, head []string) (text string, kept bool) {
	if len(r.steps) == 0 && len(r.checks) == 0 {
		return "", true
	}
	lines := needed(head, r)
	for _, o := range t.override {
		lines = append(lines, "export "+o[0]+"="+diag.ShellWord(o[1]))
	}
	whole := *r
	whole.head = append(lines, r.head...)
	if whole.dir != "" {
		whole.head = append(whole.head, `cd "$HAZ_PROJECT_ROOT"`)
	}
	s, _ := whole.settle()
	return s.text, s.kept
}

// needed are the assignments that a recipe asks for, by what it says or by another of them.
func needed(head []string, r *recipe) (lines []string) {
	text := strings.Join(slices.Concat(r.head, r.checks, r.tail), "\n")
	for _, st := range r.steps {
		text += "\n" + st.text
	}
	for _, line := range slices.Backward(head) {
		name, _, _ := strings.Cut(line, "=")
		if strings.Contains(text, "${"+name+"}") || slices.Contains(r.head, "export "+name) {
			lines = append([]string{line}, lines...)
			text += "\n" + line
		}
	}
	return lines
}

// checks are what a task looks at before it does anything.
func (r *taskRun) checks() error {
	d := r.def
	for _, name := range d.required {
		if v := r.scope.variable(name); v.open && v.host == name {
			r.recipe.checks = append(r.recipe.checks, ": \"${"+name+":?}\"")
		}
	}
	for _, c := range d.conditions {
		text, err := r.script(c.script)
		if err != nil {
			return err
		}
		message := c.message
		if message == "" {
			message = "a precondition does not hold: " + c.script
		}
		v, err := r.scope.expand(message)
		if err != nil {
			return err
		}
		say, ok := shell.Expand("echo "+diag.ShellWord(v.text)+" >&2", r.words.expansions)
		if !ok {
			return errors.New("it has text that no shell expands")
		}
		r.recipe.checks = append(r.recipe.checks, "("+text+") || { "+say+"; exit 1; }")
	}
	if d.cond != "" {
		text, err := r.script(d.cond)
		if err != nil {
			return err
		}
		r.recipe.checks = append(r.recipe.checks, "("+text+") || exit 0")
	}
	if len(d.status) > 0 {
		var all []string
		for _, s := range d.status {
			text, err := r.script(s)
			if err != nil {
				return err
			}
			all = append(all, "("+text+") >/dev/null 2>&1")
		}
		r.recipe.checks = append(r.recipe.checks, "if "+strings.Join(all, " && ")+"; then exit 0; fi")
		r.recipe.never, r.recipe.why = true, "its `status` looks at things that are in no key"
	}
	return nil
}

// close makes the task of what was gathered.
func (r *taskRun) close() error {
	d, k := r.def, r.task
	if err := r.checks(); err != nil {
		return err
	}
	if err := r.paths(); err != nil {
		return err
	}
	r.noteOpened(d.place)
	if len(r.recipe.steps) == 0 && len(r.recipe.checks) == 0 && len(r.recipe.tail) == 0 {
		k.command, k.inputs, k.override, k.files = []string{"true"}, nil, nil, nil
		return nil
	}
	r.recipe.head = append(needed(r.head, &r.recipe), r.recipe.head...)
	s, ok := r.recipe.settle()
	if !ok {
		return errors.New("its commands are no script for bash")
	}
	s.into(k, r.options)
	if d.asks {
		k.asks, k.noCache = true, false
	}
	if s.kept && !r.recipe.said {
		k.outputs = unique(append(k.outputs, s.outputs...))
	}
	k.plain(s)
	if !k.noCache && !k.asks && len(s.asks) > 0 {
		k.streams = []string{"~:" + r.asker(s.asks)}
	}
	return nil
}

// noteOpened says which variables of the host were taken as not set since it was said last.
func (r *taskRun) noteOpened(at diag.Place) {
	if names := sortedKeys(r.scope.opened); len(names) > 0 {
		r.task.notes = append(r.task.notes, note{at, "what a template makes of " + strings.Join(names, ", ") + " does not carry over: it is taken as not set"})
		clear(r.scope.opened)
	}
}

// withoutHidden takes hidden names away from what wildcards find, which do not take them in go-task, unless one of them is for such names.
func withoutHidden(inputs []string) []string {
	var wild, named []string
	for _, i := range inputs {
		switch {
		case strings.HasPrefix(i, "!"):
			wild = append(wild, i)
		case !strings.ContainsAny(i, "*?"):
			named = append(named, i)
		case strings.Contains("/"+i, "/."):
			return inputs
		default:
			wild = append(wild, i)
		}
	}
	if len(wild) == 0 || strings.HasPrefix(wild[0], "!") {
		return inputs
	}
	return slices.Concat(wild, []string{"!**/.*", "!**/.*/**"}, named)
}

// paths are what the task reads and makes.
func (r *taskRun) paths() error {
	d, k := r.def, r.task
	if d.method == "timestamp" || d.method == "" && r.files[0].method == "timestamp" {
		k.notes = append(k.notes, note{d.place, diag.Quote("method: timestamp") + " does not carry over: bytes are compared, not times"})
	}
	if d.method == "none" {
		r.recipe.never, r.recipe.why = true, "`method: none` runs it each time"
	}
	for _, list := range []struct {
		items []item
		to    *[]string
		spell func(string) []string
	}{{d.sources, &k.inputs, r.source.given}, {d.generates, &k.outputs, r.source.makes}} {
		for _, i := range list.items {
			v, err := r.scope.expand(strings.TrimPrefix(i.text, "!"))
			if err != nil {
				return err
			}
			r.scope.took(v)
			not := strings.HasPrefix(i.text, "!")
			name, inside := r.inside(r.dir, v.unset)
			if !inside || name == "" {
				k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " does not carry over: it is no path in the workspace"})
				continue
			}
			for _, p := range list.spell(name) {
				if not {
					p = "!" + p
				}
				*list.to = append(*list.to, p)
			}
		}
	}
	k.inputs, k.outputs = unique(k.inputs), unique(k.outputs)
	k.inputs = withoutHidden(k.inputs)
	r.recipe.said = len(d.sources) > 0 && len(k.outputs) > 0 && len(k.inputs) > 0
	if len(k.inputs) == 0 || strings.HasPrefix(k.inputs[0], "!") {
		k.inputs = append([]string{"$project"}, k.inputs...)
	}
	if len(k.outputs) > 0 && strings.HasPrefix(k.outputs[0], "!") {
		k.outputs = nil
	}
	return nil
}
