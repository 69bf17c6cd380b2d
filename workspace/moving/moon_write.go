package moving

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace/infer"
)

// write makes the draft.
func (m *moon) write() {
	m.draft.comments = append(m.draft.comments, "moon lets every variable of the host through; a task here sees those that are named, and a few that pass by default")
	for _, p := range m.all {
		p.made = &project{dir: p.dir, name: p.ours, inferred: p.known, notes: p.notes}
		m.draft.projects = append(m.draft.projects, p.made)
	}
	for _, p := range m.all {
		m.projectEnv(p)
		for _, name := range slices.Clone(p.names) {
			k := m.body(p, p.tasks[name])
			k.family = m.family(p, name)
			p.made.tasks = append(p.made.tasks, k)
		}
	}
	m.serial()
	m.unwind()
	m.fileSets()
	m.defaults()
	for _, p := range m.all {
		m.apartOf(p)
		for _, u := range p.uses {
			if !u.found || !p.known || !u.to.known {
				p.made.uses = append(p.made.uses, u.to.ours)
			}
		}
		if p.alias != "" && p.alias != p.ours && !p.known {
			p.made.aliases = []string{p.alias}
		}
	}
	m.infers()
}

// family is the file that a project inherits a task from, the nearest of several; "" for none.
func (m *moon) family(p *moonProject, name string) (family string) {
	for _, f := range p.files {
		for _, t := range f.shared.tasks {
			if t.name == name && p.rename[name] == "" || p.rename[t.name] == name {
				family = f.file
			}
		}
	}
	return family
}

// infers says whose manifests make projects. One that moon does not know has no tasks there, and none here.
func (m *moon) infers() {
	for _, r := range m.readers {
		if slices.ContainsFunc(m.found.Projects, func(f infer.Project) bool {
			return f.Reader == r.Name() && slices.ContainsFunc(m.all, func(p *moonProject) bool { return p.dir == f.Dir })
		}) {
			m.draft.infer = append(m.draft.infer, r.Name())
		} else {
			for _, p := range m.all {
				if slices.ContainsFunc(m.found.Projects, func(f infer.Project) bool { return f.Dir == p.dir && f.Reader == r.Name() }) {
					p.made.inferred = false
				}
			}
		}
	}
	m.draft.scripts = m.scripts && slices.Contains(m.draft.infer, "node")
}

// defaults are what all tasks have: variables that toolchains need.
func (m *moon) defaults() {
	d := &m.draft.defaults
	d.pass = append(d.pass, let...)
	for _, tc := range toolchains {
		if slices.ContainsFunc(m.all, func(p *moonProject) bool {
			return slices.ContainsFunc(tc.manifests, func(name string) bool { return m.disk.Has(p.dir + "/" + name) })
		}) {
			d.fromHost = append(d.fromHost, tc.fromHost...)
			d.pass = append(d.pass, tc.pass...)
		}
	}
	d.pass = unique(d.pass)
	for _, p := range m.all {
		for _, k := range p.made.tasks {
			k.fromHost = slices.DeleteFunc(k.fromHost, func(name string) bool { return slices.Contains(d.fromHost, name) || isSet(k.override, name) })
			if len(k.fromHost) == 0 {
				k.fromHost = nil
			}
		}
	}
}

// fileSets makes the file groups that tasks name sets of files: the definition that most projects have is one of the workspace.
func (m *moon) fileSets() {
	having := map[string]map[string][]*moonProject{} // by name and text
	texts := map[string][]string{}
	for _, p := range m.all {
		for _, k := range p.made.tasks {
			for _, i := range k.inputs {
				name := strings.TrimPrefix(i, "$")
				if _, is := p.groups[name]; !is || name == i {
					continue
				}
				items := m.set(p, p.groups[name])
				key := strings.Join(items, "\x00")
				if having[name] == nil {
					having[name] = map[string][]*moonProject{}
				}
				if list := having[name][key]; len(list) == 0 || list[len(list)-1] != p {
					having[name][key] = append(list, p)
				}
				texts[key] = items
			}
		}
	}
	for _, name := range sortedKeys(having) {
		most := ""
		for _, key := range sortedKeys(having[name]) {
			if len(having[name][key]) > len(having[name][most]) {
				most = key
			}
		}
		for _, key := range sortedKeys(having[name]) {
			if key == most && len(having[name][key]) > 1 {
				m.draft.sets = append(m.draft.sets, fileSet{name, texts[key]})
				continue
			}
			for _, p := range having[name][key] {
				p.made.sets = append(p.made.sets, fileSet{name, texts[key]})
			}
		}
	}
}

// apartOf takes what tasks of a project make, and packages, out of what globs select that look everywhere: for all tasks of the project, unless
// one of them reads such a thing.
func (m *moon) apartOf(p *moonProject) {
	p.made.overlapping()
	was := make([][]string, len(p.made.tasks))
	for at, k := range p.made.tasks {
		m.keepTracked(p.made, k)
		was[at] = k.inputs
		var expanded []string
		for _, i := range k.inputs {
			if items, is := p.groups[strings.TrimPrefix(i, "$")]; is && strings.HasPrefix(i, "$") {
				expanded = append(expanded, m.set(p, items)...)
			} else {
				expanded = append(expanded, i)
			}
		}
		k.inputs = expanded
	}
	p.made.apart()
	for at, k := range p.made.tasks {
		if slices.ContainsFunc(k.inputs, func(i string) bool { return strings.HasPrefix(i, "**") }) && m.disk.Has(p.dir+"/package.json") {
			m.draft.defaults.exclude = []string{"**/node_modules/**"}
		}
		p.made.defaults.exclude = append(p.made.defaults.exclude, k.exclude...)
		k.inputs = was[at]
	}
	p.made.defaults.exclude = unique(p.made.defaults.exclude)
	if slices.ContainsFunc(p.made.tasks, func(k *task) bool { return readsOneOf(k, p.made.defaults.exclude, p.dir) }) {
		p.made.defaults.exclude = nil
		return
	}
	for _, k := range p.made.tasks {
		k.exclude = nil
	}
}

// readsOneOf reports whether a task has a glob that is about what patterns take.
func readsOneOf(k *task, patterns []string, dir string) bool {
	return slices.ContainsFunc(k.inputs, func(i string) bool {
		p, err := pattern.Parse(i)
		return err == nil && !strings.HasPrefix(i, "*") && !strings.HasPrefix(i, "$") && slices.ContainsFunc(patterns, func(text string) bool {
			q, err := pattern.Parse(text)
			return err == nil && pattern.Overlap(p.Anchor(dir), q.Anchor(dir))
		})
	})
}

// serial makes the dependencies of a task that go one after the other wait for each other.
func (m *moon) serial() {
	for _, p := range m.all {
		byName := map[string]*task{}
		for _, k := range p.made.tasks {
			byName[k.name] = k
		}
		next := func(name string) (names []string) {
			if k := byName[name]; k != nil {
				for _, ref := range slices.Concat(k.deps, k.direct, k.weakDeps) {
					if own, ok := strings.CutPrefix(ref, "~:"); ok {
						names = append(names, own)
					}
				}
			}
			return names
		}
		for _, name := range p.names {
			t := p.tasks[name]
			if t.options.text("runDepsInParallel") != "false" {
				continue
			}
			k := byName[p.has(name)]
			before := ""
			for _, ref := range k.deps {
				own, ok := strings.CutPrefix(ref, "~:")
				if !ok {
					k.notes = append(k.notes, note{t.options["runDepsInParallel"].Place, `"runDepsInParallel" does not carry over: a task waits for another one by its own weakDeps`})
					break
				}
				if before != "" && byName[own] != nil && !reaches(next, before, own) && !slices.Contains(byName[own].deps, "~:"+before) {
					byName[own].weakDeps = unique(append(byName[own].weakDeps, "~:"+before))
				}
				before = own
			}
		}
	}
}
