package moving

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer/node"
)

// turbo is a workspace of Turborepo.
type turbo struct {
	*source
	*packages
	root  *turboFile
	files map[*pkg]*turboFile
	// wanted are tasks that others depend on, and that have no script: turbo passes through them, and what lies in their package counts.
	wanted map[wish]bool
	open   []wish
	names  map[string]string // of tasks: ours by turbo's
}

// wish is a task of a package, by turbo's name.
type wish struct {
	of   *pkg
	task string
}

// readTurbo reads turbo.json, those of packages, and the scripts of package.json.
func readTurbo(ctx context.Context, s *source) {
	t := &turbo{source: s, packages: s.packages(ctx), files: map[*pkg]*turboFile{}, wanted: map[wish]bool{}}
	t.root = s.turboFile(s.file)
	if t.root == nil {
		return
	}
	for _, p := range t.all {
		if p.Dir == "/" {
			continue
		}
		for _, name := range []string{"/turbo.json", "/turbo.jsonc"} {
			if f := s.turboFile(p.Dir + name); f != nil && t.files[p] == nil {
				t.files[p] = f
			}
		}
	}
	t.withRoot()
	t.settings()
	t.taskNames()
	projects := map[*pkg]*project{}
	for _, p := range t.all {
		projects[p] = t.project(p)
		s.draft.projects = append(s.draft.projects, projects[p])
		for _, f := range p.scripts {
			if t.effective(p, f.Key) != nil {
				t.want(wish{p, f.Key})
			}
		}
	}
	for len(t.open) > 0 {
		w := t.open[0]
		t.open = t.open[1:]
		projects[w.of].tasks = append(projects[w.of].tasks, t.task(w))
	}
	for _, p := range t.all {
		t.order(projects[p])
		projects[p].oneMaker()
		projects[p].apart()
	}
	for _, name := range t.root.names {
		t.draft.order = append(t.draft.order, t.nameOf(name))
	}
}

// order puts the tasks of a project in the order of turbo.json.
func (t *turbo) order(p *project) {
	at := func(k *task) int {
		if i := slices.IndexFunc(t.root.names, func(name string) bool { return t.nameOf(name) == k.name }); i >= 0 {
			return i
		}
		return len(t.root.names)
	}
	slices.SortStableFunc(p.tasks, func(a, b *task) int { return at(a) - at(b) })
}

// effective is what turbo does for a task of a package; nil: it is none.
func (t *turbo) effective(p *pkg, name string) *turboTask {
	base := t.root.tasks[p.Name+"#"+name]
	if base == nil && (p.Dir != "/" || t.alone) {
		base = t.root.tasks[name]
	}
	if base == nil && p.Dir == "/" {
		base = t.root.tasks["//#"+name]
	}
	f := t.files[p]
	if f == nil {
		return base
	}
	for _, other := range f.extends {
		if q := t.byName[other]; q != nil && q != p && t.files[q] != nil {
			base = base.extend(t.files[q].tasks[name])
		}
	}
	return base.extend(f.tasks[name])
}

// want makes a task of a package one of the draft.
func (t *turbo) want(w wish) {
	if !t.wanted[w] {
		t.wanted[w] = true
		t.open = append(t.open, w)
	}
}

// task is one of a package. Without a script it is a task all the same, for those that depend on it: what it depends on comes before them,
// and the files of its package are in their keys (S-61).
func (t *turbo) task(w wish) *task {
	def := t.effective(w.of, w.task)
	k := &task{name: t.nameOf(w.task), family: "has", notes: def.sortedNotes(), own: def != t.root.tasks[w.task]}
	if k.name != w.task {
		k.notes = append(k.notes, note{def.place, diag.Quote(w.task) + " is no name of a task here, so it is called " + k.name})
	}
	k.inputs = t.inputs(w, def, k)
	t.dependencies(w, def, k)
	if !w.of.has[w.task] {
		through := passedThrough(k.name, k.inputs, k.deps)
		through.fromHost, through.own = k.fromHost, k.own
		return through
	}
	k.command, k.script = t.run(w.task), w.task
	k.description = def.description
	t.outputs(w, def, k)
	t.environment(def, k)
	k.noCache = def.cache != nil && !*def.cache && !is(def.interactive)
	k.asks = is(def.interactive)
	if is(def.persistent) {
		k.noCache = !k.asks
		k.notes = append(k.notes, note{def.place, diag.Quote("persistent") + " does not carry over: " + config.ForeignSays("task", "persistent")})
	}
	for _, i := range def.with {
		k.notes = append(k.notes, note{i.place, diag.Quote("with") + " does not carry over: two tasks that go on at the same time are started by hand"})
	}
	return k
}

// taskNames gives each task that a turbo.json names a name in haz: its own where that is one.
func (t *turbo) taskNames() {
	var names []string
	for _, f := range append([]*turboFile{t.root}, slices.Collect(maps.Values(t.files))...) {
		for _, name := range f.names {
			names = append(names, name[strings.LastIndexByte(name, '#')+1:])
		}
	}
	t.names = taskNames(names)
}

// nameOf is our name of a task; one that no turbo.json names is none of ours.
func (t *turbo) nameOf(name string) string { return cmp.Or(t.names[name], cleanName(name)) }

// dependencies are the deps of a task. What they name is wanted.
func (t *turbo) dependencies(w wish, def *turboTask, k *task) {
	add := func(ref string) {
		if !slices.Contains(k.deps, ref) {
			k.deps = append(k.deps, ref)
		}
	}
	for _, i := range def.dependsOn {
		missing := func(why string) {
			k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " does not carry over: " + why})
		}
		if name, ok := strings.CutPrefix(i.text, "$"); ok {
			t.variable(item{name, i.place}, &k.fromHost, k)
			continue
		}
		if name, ok := strings.CutPrefix(i.text, "^"); ok {
			for _, u := range w.of.uses {
				if t.effective(u, name) != nil {
					t.want(wish{u, name})
				}
			}
			if used := t.names[name]; used != "" {
				add("^uses:" + used)
			} else {
				missing("there is no such task")
			}
			continue
		}
		of, name := w.of, i.text
		if at := strings.LastIndexByte(i.text, '#'); at >= 0 {
			of, name = t.byName[i.text[:at]], i.text[at+1:]
			if i.text[:at] == "//" {
				of = t.packages.root
			}
		}
		switch {
		case of == nil:
			missing("there is no such package")
		case t.effective(of, name) == nil:
			missing("there is no such task")
		case of == w.of && name == w.task:
		case of == w.of:
			t.want(wish{of, name})
			add("~:" + t.nameOf(name))
		default:
			t.want(wish{of, name})
			add(of.ours + ":" + t.nameOf(name))
		}
	}
}

// passedThrough is a task in the place of a script that a package lacks: what depends on it depends on the files of the package.
func passedThrough(name string, inputs, deps []string) *task {
	k := &task{name: name, family: "no"}
	k.command, k.inputs, k.deps, k.internal = []string{"true"}, inputs, deps, true
	k.comments = []string{"there is no such script; what depends on it depends on the files of the package"}
	return k
}

// withRoot adds the root, where turbo.json names tasks of it: //#task.
func (t *turbo) withRoot() {
	if !t.alone && t.packages.root != nil && slices.ContainsFunc(t.root.names, func(name string) bool { return strings.HasPrefix(name, "//#") }) {
		t.all = append(t.all, t.packages.root)
	}
}

// environment are the variables of a task. One that counts for all is not let through for one.
func (t *turbo) environment(def *turboTask, k *task) {
	for _, i := range def.env {
		t.variable(i, &k.fromHost, k)
	}
	for _, i := range def.pass {
		if !slices.Contains(k.fromHost, i.text) && !slices.Contains(t.draft.defaults.fromHost, i.text) {
			t.variable(i, &k.pass, k)
		}
	}
	k.fromHost, k.pass = unique(k.fromHost), unique(k.pass)
}

// variable adds one, or a note about what is none here. A name of several is fine where it is let through, and no part of a key.
func (t *turbo) variable(i item, to *[]string, k *task) {
	name, several := strings.CutSuffix(i.text, "*")
	switch {
	case several && to == &k.pass && workspace.CheckEnvName(name) == nil, workspace.CheckEnvName(i.text) == nil:
		*to = append(*to, i.text)
	case several && to != &k.pass && workspace.CheckEnvName(name) == nil:
		k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " does not carry over: what counts in a key is named, variable by variable: env: {from_host: [" + name + "ONE]}"})
	default:
		k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " does not carry over: it is no name of a variable"})
	}
}

// let are variables that turbo and package managers let through to every task, and haz does not.
var let = []string{"CI", "COREPACK_HOME", "NODE_OPTIONS"}

// settings are what turbo.json says of all tasks.
func (t *turbo) settings() {
	d := &t.draft
	k := &task{}
	for key, f := range t.root.top.Fields() {
		switch key {
		case "$schema", "tasks", "pipeline", "extends":
		case "globalEnv":
			for _, i := range t.items(f.Value) {
				t.variable(i, &k.fromHost, k)
			}
		case "globalPassThroughEnv":
			for _, i := range t.items(f.Value) {
				t.variable(i, &k.pass, k)
			}
		case "globalDependencies", "globalDotEnv":
			for _, i := range t.items(f.Value) {
				k.inputs = append(k.inputs, t.global(i, k)...)
			}
		case "concurrency":
			t.concurrency(f)
		case "envMode", "experimentalEnvMode":
			if mode, _ := f.Value.Text(); mode == "loose" {
				d.notes = append(d.notes, note{f.Place(), diag.Quote(key) + " does not carry over: a task sees the variables that it names, and a few that pass by default"})
			}
		default:
			d.notes = append(d.notes, notCarried("workspace", key, f))
		}
	}
	d.notes = append(d.notes, k.notes...)
	d.defaults.inputs = unique(append(k.inputs, node.LockFiles(t.disk)...))
	if slices.ContainsFunc(d.defaults.inputs, func(i string) bool { return strings.HasPrefix(i, "/**") }) {
		d.defaults.exclude = []string{"/**/node_modules/**"}
	}
	d.defaults.fromHost = unique(k.fromHost)
	for _, name := range slices.Concat(k.pass, let) {
		if !slices.Contains(k.fromHost, name) {
			d.defaults.pass = append(d.defaults.pass, name)
		}
	}
	d.defaults.pass = unique(d.defaults.pass)
}

// global is a file that counts for all tasks.
func (t *turbo) global(i item, k *task) []string {
	not, text := "", i.text
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		not, text = "!", rest
	}
	text = "/" + strings.TrimLeft(strings.TrimPrefix(config.RespellPattern(text), "./"), "/")
	p, err := pattern.Parse(text)
	name, everywhere := strings.CutPrefix(text, "/**/")
	switch {
	case err == nil && everywhere && not == "" && !strings.Contains(name, "/"):
		k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " looks into fewer folders here: the root, and that of the task's project"})
		return []string{"/" + name, name}
	case err != nil:
		k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " does not carry over: " + err.Error()})
		return nil
	case not != "" || !p.IsLiteral() || t.disk.Has(text):
		return []string{not + text}
	case t.disk.RealDir(text) != "":
		return []string{text + "/**"}
	}
	return []string{asGlob(text)}
}

func (t *turbo) concurrency(f node.Field) {
	text, _ := f.Value.Text()
	if text == "" {
		text = f.Value.Source()
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		t.draft.concurrency = strconv.Itoa(n)
		return
	}
	t.draft.notes = append(t.draft.notes, note{f.Place(), diag.Quote("concurrency") + " does not carry over: twice as many tasks run as there are CPUs, at most 8 more, or a number of them: concurrency: {default: 4}"})
}

// unique are the items, each once, where it stands first.
func unique(items []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, i := range items {
		if !seen[i] {
			seen[i] = true
			out = append(out, i)
		}
	}
	return out
}
