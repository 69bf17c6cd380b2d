package moving

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/haz-build/haz/diag"
)

// inherits reports whether a project has the tasks of a file, and how near it is: what has a higher order wins.
func (m *moon) inherits(p *moonProject, f *moonTasks) (order int, ok bool) {
	if m.one {
		at := slices.Index(m.lookups(p), f.name)
		return at, at >= 0
	}
	by := f.by
	among := func(list []string, text string) bool { return list == nil || slices.Contains(list, text) }
	exists := func(file string) bool {
		name := path.Join(p.dir, file)
		return m.disk.Has(name) || m.disk.RealDir(name) != ""
	}
	unknown := func(text string) string {
		if text == "" {
			return "unknown"
		}
		return text
	}
	ok = among(by.languages, unknown(p.language)) && among(by.layers, unknown(p.layer)) && among(by.stack, unknown(p.stack)) && (by.files == nil || slices.ContainsFunc(by.files, exists)) &&
		by.tags.holds(func(tag string) bool { return slices.Contains(p.tags, tag) }) && by.toolchains.holds(func(id string) bool { return p.toolchains[strings.TrimPrefix(id, "unstable_")] })
	if n, err := strconv.Atoi(by.order); err == nil {
		return n, ok
	}
	for _, part := range []struct {
		is     bool
		amount int
	}{{by.toolchains != nil || by.languages != nil, 50}, {by.stack != nil, 100}, {by.layers != nil, 150}, {by.tags != nil, 500}} {
		if part.is {
			order += part.amount
		}
	}
	return order, ok
}

// holds reports whether a condition is met; there is none: it is.
func (c *moonClause) holds(has func(string) bool) bool {
	if c == nil {
		return true
	}
	if len(c.and)+len(c.or)+len(c.not) == 0 || slices.ContainsFunc(c.not, has) {
		return false
	}
	return !slices.ContainsFunc(c.and, func(name string) bool { return !has(name) }) && (len(c.or) == 0 || slices.ContainsFunc(c.or, has))
}

// lookups are the names of files of tasks that a project of version 1 inherits, the widest first.
func (m *moon) lookups(p *moonProject) []string {
	names := []string{"all", p.stack, p.stack + "-" + p.layer}
	kinds := []string{p.language}
	for _, id := range sortedKeys(p.toolchains) {
		if p.toolchains[id] && id != p.language {
			kinds = append(kinds, id)
		}
	}
	for _, join := range []func(kind string) string{
		func(kind string) string { return kind },
		func(kind string) string { return kind + "-" + p.stack },
		func(kind string) string { return kind + "-" + p.layer },
		func(kind string) string { return kind + "-" + p.stack + "-" + p.layer },
	} {
		for _, kind := range kinds {
			names = append(names, join(kind))
		}
	}
	for _, tag := range p.tags {
		names = append(names, "tag-"+tag)
	}
	for i, name := range names {
		if name == "" || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") || strings.Contains(name, "--") {
			names[i] = "\x00" // a part of it is not said
		}
	}
	return names
}

// inherit gives a project the tasks and file groups that it has, from wherever.
func (m *moon) inherit(p *moonProject) {
	type near struct {
		*moonTasks
		order int
	}
	var files []near
	for _, f := range m.files {
		if order, ok := m.inherits(p, f); ok {
			files = append(files, near{f, order})
		}
	}
	slices.SortStableFunc(files, func(a, b near) int { return a.order - b.order })
	global := map[string][]*moonTask{}
	for _, f := range files {
		p.files = append(p.files, f.moonTasks)
		for _, g := range f.shared.groups {
			if m.one {
				p.groups[g.name] = g.items
			} else {
				p.groups[g.name] = slices.Concat(p.groups[g.name], g.items)
			}
		}
		for _, t := range f.shared.tasks {
			if p.include != nil && !slices.Contains(p.include, t.name) || slices.Contains(p.exclude, t.name) {
				continue
			}
			name := t.name
			if other := p.rename[name]; other != "" {
				name = other
			}
			if m.one {
				global[name] = nil // the nearest of the files, whole
			}
			global[name] = append(global[name], t)
		}
	}
	for _, g := range p.shared.groups {
		p.groups[g.name] = m.mergeGroup(p, g)
	}
	local := map[string]*moonTask{}
	for _, t := range p.shared.tasks {
		local[t.name] = t
		if global[t.name] == nil {
			global[t.name] = []*moonTask{}
		}
	}
	for _, f := range p.files {
		p.env = mergeEnv(p.env, f.shared.env, "append")
	}
	p.env = mergeEnv(p.env, p.shared.env, "append")
	p.names = sortedKeys(global)
	for _, name := range p.names {
		p.tasks[name] = m.merged(p, name, global, local)
	}
}

func (m *moon) mergeGroup(p *moonProject, g moonGroup) []moonInput {
	strategy := p.mergeGroups
	if m.one {
		strategy = "replace"
	}
	base, there := p.groups[g.name]
	if !there {
		return g.items
	}
	return merge(base, g.items, strategy)
}

// merge brings two lists together as moon's strategies do.
func merge[T any](base, next []T, strategy string) []T {
	switch strategy {
	case "prepend":
		return slices.Concat(next, base)
	case "preserve":
		return base
	case "replace":
		return next
	}
	return slices.Concat(base, next)
}

// moonLink is one of the bodies that a task is made of.
type moonLink struct {
	*moonTask
	inherited bool
}

// chain are the bodies of a task, the widest first.
func (m *moon) chain(name string, global map[string][]*moonTask, local map[string]*moonTask, depth int) (links []moonLink) {
	add := func(t *moonTask, inherited bool) {
		if t.extends != "" && depth < moonExtendsMax {
			if global[t.extends] == nil && local[t.extends] == nil {
				m.bad(diag.Diagnostic{Place: t.place, Message: diag.Quote(t.name) + " extends " + diag.Quote(t.extends) + ", and there is no such task"})
			} else if t.extends != name {
				links = append(links, m.chain(t.extends, global, local, depth+1)...)
			}
		}
		links = append(links, moonLink{t, inherited})
	}
	for _, t := range global[name] {
		add(t, true)
	}
	if t := local[name]; t != nil {
		add(t, false)
	}
	return links
}

// merged is a task as a project has it.
func (m *moon) merged(p *moonProject, name string, global map[string][]*moonTask, local map[string]*moonTask) *moonTask {
	links := m.chain(name, global, local, 0)
	out := &moonTask{name: name, place: links[len(links)-1].place, options: moonOptions{}}
	if name == "dev" || name == "serve" || name == "start" {
		out.preset = "server"
	}
	shared := []moonOptions{}
	for _, f := range p.files {
		shared = append(shared, f.shared.options)
	}
	shared = append(shared, p.shared.options)
	for _, l := range links {
		shared = append(shared, l.options)
		if l.preset != "" {
			out.preset = l.preset
		}
	}
	for _, o := range shared {
		for key, v := range o {
			out.options[key] = v
		}
	}
	how := func(key string) string {
		strategy := out.options.text("merge")
		if s := out.options.text(key); s != "" {
			strategy = s
		}
		return strategy
	}
	args := 0
	for i, l := range links {
		m.mergeCommand(out, l.moonTask, how("mergeArgs"), &args)
		m.mergeLists(p, out, l, i, how)
		if l.description != "" {
			out.description = l.description
		}
		out.notes = append(out.notes, l.notes...)
	}
	if out.scripted {
		out.command, out.args = nil, nil
	}
	for _, f := range p.files {
		out.deps = slices.Concat(out.deps, f.shared.deps)
	}
	return out
}

// mergeCommand takes what a body says of the command: its first word, and arguments.
func (m *moon) mergeCommand(out, t *moonTask, strategy string, sets *int) {
	if t.scripted {
		out.script, out.scripted = t.script, true
		return
	}
	var words []moonWord
	if t.command != nil && len(t.command.words) > 0 {
		words = t.command.words
		out.command = &moonWords{words: words[:1], place: t.command.place}
		words = words[1:]
	}
	if t.args != nil {
		words = slices.Concat(words, t.args.words)
	}
	if t.command == nil && t.args == nil {
		return
	}
	if *sets++; *sets == 1 {
		out.args = &moonWords{words: words}
		return
	}
	out.args = &moonWords{words: merge(out.args.words, words, strategy)}
}

// mergeLists takes the lists of a body.
func (m *moon) mergeLists(p *moonProject, out *moonTask, l moonLink, at int, how func(string) string) {
	strategy := func(key string) string {
		if s := how(key); at > 0 || s != "preserve" {
			return s
		}
		return "append"
	}
	if l.deps != nil {
		deps := l.deps
		if l.inherited {
			deps = m.filtered(p, deps)
		}
		out.deps = merge(out.deps, deps, strategy("mergeDeps"))
	}
	if l.env != nil {
		out.env = mergeEnv(out.env, l.env, strategy("mergeEnv"))
	}
	if l.inputs != nil {
		out.inputs = merge(out.inputs, l.inputs, strategy("mergeInputs"))
		if out.inputs == nil {
			out.inputs = []moonInput{}
		}
	}
	if l.outputs != nil {
		out.outputs = merge(out.outputs, l.outputs, strategy("mergeOutputs"))
	}
	if l.tags != nil {
		out.tags = merge(out.tags, l.tags, strategy("mergeTags"))
	}
	if l.toolchains != nil {
		out.toolchains = l.toolchains
	}
}

// filtered are the dependencies of an inherited task on tasks of the project itself, under the names that they have there.
func (m *moon) filtered(p *moonProject, deps []moonDep) (out []moonDep) {
	for _, d := range deps {
		name, own := strings.CutPrefix(d.target, "~:")
		if own = own || !strings.Contains(d.target, ":"); own {
			if slices.Contains(p.exclude, name) {
				continue
			}
			if other := p.rename[name]; other != "" {
				d.target = "~:" + other
			}
		}
		out = append(out, d)
	}
	return out
}

// mergeEnv brings variables together: of one that both have, the later.
func mergeEnv(base, next []moonEnv, strategy string) []moonEnv {
	switch strategy {
	case "preserve":
		if len(base) > 0 {
			return base
		}
		return next
	case "replace":
		return next
	case "prepend":
		base, next = next, base
	}
	out := slices.Clone(base)
	for _, e := range next {
		out = slices.DeleteFunc(out, func(o moonEnv) bool { return o.name == e.name })
		out = append(out, e)
	}
	return out
}
