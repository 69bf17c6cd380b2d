package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace/infer"
)

// moonBodies are the bodies of tasks of one name that several projects have in the same words, with who has each.
type moonBody struct {
	family string
	task   *task
	of     []*moonProject
	filter []string // all of these tags; none: every project
	made   bool     // the filter is a tag that is made for it
}

// overlays takes the tasks that several projects inherit out of them. They are attached by what moon attaches them by, where that gives them to
// the same projects here; otherwise by a tag that is made for them (AUX-042).
func (m *moon) overlays() {
	names := map[string][]*moonBody{}
	for _, p := range m.all {
		for _, k := range p.made.tasks {
			if k.family == "" {
				continue
			}
			text := k.text("")
			at := slices.IndexFunc(names[k.name], func(b *moonBody) bool { return b.family == k.family && b.task.text("") == text })
			if at < 0 {
				names[k.name] = append(names[k.name], &moonBody{family: k.family, task: k, of: []*moonProject{p}})
			} else {
				names[k.name][at].of = append(names[k.name][at].of, p)
			}
		}
	}
	others := m.others()
	made := map[string]string{}
	used := map[string]bool{}
	for _, p := range m.all {
		for _, tag := range m.tagsOf(p) {
			used[tag] = true
		}
	}
	wanted := map[string]bool{} // tags that a filter has
	var bodies []*moonBody
	for _, name := range sortedKeys(names) {
		list := slices.DeleteFunc(names[name], func(b *moonBody) bool { return len(b.of) < 2 })
		for _, b := range list {
			b.filter = m.filter(b.family)
		}
		if !m.attach(name, list, others) {
			for _, b := range list {
				key := b.family
				for _, p := range b.of {
					key += "\x00" + p.dir
				}
				if made[key] == "" {
					made[key] = unusedName(cleanName(m.stem(b.family)+"-tasks"), used)
				}
				b.filter, b.made = []string{made[key]}, true
			}
		}
		bodies = append(bodies, list...)
	}
	m.place(bodies, wanted)
	m.tag(bodies, wanted)
	m.keepOut(others, bodies)
}

// stem is what a file of tasks is called.
func (m *moon) stem(file string) string {
	at := slices.IndexFunc(m.files, func(f *moonTasks) bool { return f.file == file })
	return m.files[at].name
}

// others are projects that manifests make and moon does not know.
func (m *moon) others() (out []infer.Project) {
	for _, f := range m.found.Projects {
		if slices.Contains(m.draft.infer, f.Reader) && !slices.ContainsFunc(m.all, func(p *moonProject) bool { return p.dir == f.Dir }) && !slices.ContainsFunc(out, func(o infer.Project) bool { return o.Dir == f.Dir }) {
			out = append(out, f)
		}
	}
	return out
}

// tagsOf are the tags of a project: those that it has in moon, its language, layer and stack, and its toolchains.
func (m *moon) tagsOf(p *moonProject) (tags []string) {
	add := func(text string) {
		if text != "" && text != "unknown" {
			tags = append(tags, tagName(text))
		}
	}
	add(p.language)
	add(p.layer)
	add(p.stack)
	for _, tag := range p.tags {
		add(tag)
	}
	for _, id := range sortedKeys(p.toolchains) {
		if p.toolchains[id] {
			add(id)
		}
	}
	return unique(tags)
}

// filter are the tags by which projects inherit a file; nil where tags do not tell.
func (m *moon) filter(file string) []string {
	at := slices.IndexFunc(m.files, func(f *moonTasks) bool { return f.file == file })
	f := m.files[at]
	if m.one {
		if tag, ok := strings.CutPrefix(f.name, "tag-"); ok {
			return []string{tagName(tag)}
		}
		if f.name == "all" {
			return []string{}
		}
		return strings.Split(f.name, "-")
	}
	out := []string{}
	for _, list := range [][]string{f.by.languages, f.by.layers, f.by.stack} {
		if len(list) > 1 {
			return nil
		}
		out = append(out, list...)
	}
	for _, c := range []*moonClause{f.by.tags, f.by.toolchains} {
		if c == nil {
			continue
		}
		if len(c.not) > 0 || len(c.or) > 1 {
			return nil
		}
		out = append(out, c.or...)
		out = append(out, c.and...)
	}
	if f.by.files != nil {
		return nil
	}
	for i, tag := range out {
		out[i] = tagName(tag)
	}
	return out
}

// attach reports whether the filters of the bodies of a name give each project the body that it has, as haz attaches overlays: the one for the
// fewest projects wins, and a task of the project's own wins over all.
func (m *moon) attach(name string, list []*moonBody, others []infer.Project) bool {
	hasAll := func(tags, filter []string) bool {
		return !slices.ContainsFunc(filter, func(tag string) bool { return !slices.Contains(tags, tag) })
	}
	sets := make([][]*moonProject, len(list))
	for i, b := range list {
		if b.filter == nil || len(b.filter) == 0 && len(others) > 0 {
			return false
		}
		for _, p := range m.all {
			if hasAll(m.tagsOf(p), b.filter) {
				sets[i] = append(sets[i], p)
			}
		}
	}
	for _, p := range m.all {
		mine := slices.IndexFunc(list, func(b *moonBody) bool { return slices.Contains(b.of, p) })
		own := mine < 0 && slices.ContainsFunc(p.made.tasks, func(k *task) bool { return k.name == name })
		if own {
			continue
		}
		if mine >= 0 && !slices.Contains(sets[mine], p) {
			return false
		}
		for i := range list {
			if i == mine || !slices.Contains(sets[i], p) {
				continue
			}
			if mine < 0 || !allAmong(sets[mine], sets[i]) || len(sets[mine]) == len(sets[i]) {
				return false
			}
		}
	}
	return true
}

// allAmong reports whether all of a are among b.
func allAmong(a, b []*moonProject) bool {
	return !slices.ContainsFunc(a, func(p *moonProject) bool { return !slices.Contains(b, p) })
}

// place makes overlays of the bodies: one for each filter of a file.
func (m *moon) place(bodies []*moonBody, wanted map[string]bool) {
	at := map[string]int{}
	used := map[string]bool{}
	for _, b := range bodies {
		key := b.family + "\x00" + strings.Join(b.filter, "\x00")
		i, there := at[key]
		if !there {
			i = len(m.draft.overlays)
			at[key] = i
			m.draft.overlays = append(m.draft.overlays, overlay{tag: unusedName(cleanName(m.stem(b.family)), used), filter: b.filter, every: len(b.filter) == 0})
		}
		m.draft.overlays[i].tasks = append(m.draft.overlays[i].tasks, b.task)
		for _, tag := range b.filter {
			wanted[tag] = true
		}
	}
}

// tag gives projects their tags, and takes what overlays give them.
func (m *moon) tag(bodies []*moonBody, wanted map[string]bool) {
	for _, p := range m.all {
		for _, tag := range m.tagsOf(p) {
			if toolchain := p.toolchains[tag] && tag != p.language && !slices.Contains(p.tags, tag); !toolchain || wanted[tag] {
				p.made.tags = append(p.made.tags, tag)
			}
		}
		for _, b := range bodies {
			if !slices.Contains(b.of, p) {
				continue
			}
			if b.made {
				p.made.tags = append(p.made.tags, b.filter...)
			}
			p.made.tasks = slices.DeleteFunc(p.made.tasks, func(k *task) bool { return k.name == b.task.name })
		}
		p.made.tags = unique(p.made.tags)
	}
}

// keepOut gives projects that moon does not know other tags than those of their manifests, where these would give them tasks, and another
// name where theirs is taken.
func (m *moon) keepOut(others []infer.Project, bodies []*moonBody) {
	used := map[string]bool{}
	for _, p := range m.all {
		used[p.ours] = true
	}
	for _, f := range others {
		o := &project{dir: f.Dir, inferred: true}
		name := f.Name
		if name == "" {
			name = path.Base(f.Dir)
			if f.Dir == "/" {
				name = m.options.Folder
			}
		}
		if used[name] {
			o.name = unusedName(cleanName(name+"-root"), used)
		}
		if slices.ContainsFunc(bodies, func(b *moonBody) bool {
			return !slices.ContainsFunc(b.filter, func(tag string) bool { return !slices.Contains(f.Tags, tag) })
		}) {
			o.tags = []string{"no-moon"}
			o.comments = []string{"moon knows no project here; with the tags of its manifest it would have the tasks of others"}
		}
		if o.name != "" || o.tags != nil {
			m.draft.projects = append(m.draft.projects, o)
		}
	}
}
