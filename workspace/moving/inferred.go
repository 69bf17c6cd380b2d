package moving

import (
	"cmp"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer/node"
)

// What manifests say need not be written again: `infer` reads which projects there are, how they are called and who uses whom, and makes tasks of
// scripts. So what all packages do with a script is said once, in an overlay that completes it, and a new package needs nothing (AUX-043).

// infer leaves out of a draft that says everything what `infer: {node: …}` says by itself, so that the files mean the same. Where that would
// make another project, or another relation, nothing is left out, nor where the reader has said itself what is inferred.
func (s *source) infer() {
	ps, d := s.members, &s.draft
	if ps == nil || ps.alone || len(ps.all) == 0 || len(d.infer) > 0 {
		return
	}
	related := map[string]map[string]bool{} // names in haz by folder
	for _, e := range ps.found.Edges {
		if related[e.From] == nil {
			related[e.From] = map[string]bool{}
		}
		related[e.From][ps.byDir[e.To].ours] = true
	}
	at := map[string]*project{}
	for _, o := range d.projects {
		at[o.dir] = o
	}
	for _, p := range ps.byDir {
		if o := at[p.Dir]; o == nil && p != ps.root || o != nil && !within(related[p.Dir], o.uses) {
			return
		}
	}
	d.infer = []string{"node"}
	s.nameRoot(ps)
	members := map[string]*pkg{}
	for _, o := range d.projects {
		p := ps.byDir[o.dir]
		if p == nil {
			continue
		}
		o.inferred, o.given = true, p.Tags
		o.uses = slices.DeleteFunc(o.uses, func(name string) bool { return related[p.Dir][name] })
		if o.name == cmp.Or(p.Name, p.Dir[1:]) {
			o.name = ""
		}
		if p != ps.root {
			members[p.Dir] = p
		}
	}
	if common := d.common(members); len(common) > 0 {
		d.overlays = append(d.overlays, overlay{tag: "node", tasks: common})
	}
	d.locks(s)
}

// within reports whether a list has all of a set.
func within(set map[string]bool, list []string) bool {
	for name := range set {
		if !slices.Contains(list, name) {
			return false
		}
	}
	return true
}

// nameRoot makes sure that the root, which is a project now, is called as it was in the draft, and as no other one.
func (s *source) nameRoot(ps *packages) {
	if ps.root == nil || slices.ContainsFunc(s.draft.projects, func(o *project) bool { return o.dir == "/" }) {
		return
	}
	name := ps.root.Name
	if name == "" {
		name = s.options.Folder
	}
	other := func(p *pkg) bool { return p.ours == name && p.Dir != "/" }
	if workspace.CheckProjectName(name) != nil || slices.ContainsFunc(ps.all, other) {
		s.draft.projects = append(s.draft.projects, &project{dir: "/", name: ps.root.ours})
	}
}

// common takes the tasks out of projects that the overlay of all packages gives them.
func (d *draft) common(members map[string]*pkg) (list []*task) {
	for _, name := range d.names() {
		shared := d.most(name, members)
		if shared == nil {
			continue
		}
		k := shared.completes()
		takes := func(o *project, t *task) bool {
			return t.name == name && members[o.dir] != nil && (t.script != "" && t.text("") == shared.text("") || t.script == "" && t.standsIn(k))
		}
		for _, o := range d.projects {
			o.tasks = slices.DeleteFunc(o.tasks, func(t *task) bool {
				if !takes(o, t) {
					return false
				}
				for _, n := range t.notes {
					if !slices.Contains(k.notes, n) {
						k.notes = append(k.notes, n)
					}
				}
				return true
			})
		}
		if shared.script != "" {
			d.only = append(d.only, name)
		}
		list = append(list, k)
	}
	for _, k := range list {
		for i, ref := range k.deps {
			of, own := strings.CutPrefix(ref, "~:")
			if own && !slices.ContainsFunc(list, func(o *task) bool { return o.name == of && slices.Contains(o.deps, "^uses:"+of) }) {
				k.deps[i] += "?" // a new package may have no such script
			}
		}
	}
	return list
}

// names are those of the tasks of all projects, each once, in the order of the tool or in which they first stand somewhere.
func (d *draft) names() (names []string) {
	for _, o := range d.projects {
		for _, t := range o.tasks {
			names = append(names, t.name)
		}
	}
	return unique(append(slices.Clone(d.order), names...))
}

// most is the task of a name that most members have; nil where an overlay cannot give them theirs: a script that is no task of one of them, has
// another name here, or does not have all files of the package among its inputs. Where none of them has a script of the name it is one that
// stands in for it.
func (d *draft) most(name string, members map[string]*pkg) (best *task) {
	count := map[string]int{}
	says := map[string]bool{} // by folder: its haz.yml can say it
	rank := func(t *task) int {
		if t.script == "" {
			return 0
		}
		return count[t.text("")]
	}
	for _, o := range d.projects {
		for _, t := range o.tasks {
			if t.name != name || members[o.dir] == nil {
				continue
			}
			says[o.dir] = true
			if t.own || !slices.Contains(t.inputs, "$project") || t.script == "" && !t.standsIn(t.completes()) || t.script != "" && t.script != name {
				continue
			}
			count[t.text("")]++
			if best == nil || rank(t) > rank(best) {
				best = t
			}
		}
	}
	for dir, p := range members {
		if p.has[name] && !says[dir] {
			return nil
		}
	}
	return best
}

// completes is the task as a body of an overlay that completes the script of its name.
func (t *task) completes() *task {
	k := &task{name: t.name, body: t.body}
	k.inherit, k.command, k.comments, k.internal = true, nil, nil, false
	if t.script != "" {
		k.comments = t.comments
		k.cached = !t.noCache && !t.asks && len(t.outputs) == 0
	}
	k.deps = slices.Clone(t.deps)
	k.inputs = slices.DeleteFunc(slices.Clone(t.inputs), func(i string) bool { return i == "$project" })
	return k
}

// standsIn reports whether the loader makes this task, which has no script, of the body of an overlay (haz::cfg::126).
func (t *task) standsIn(k *task) bool {
	return t.internal && slices.Contains(k.deps, "^uses:"+k.name) && slices.Equal(t.completes().inputs, k.inputs) && slices.Equal(t.exclude, k.exclude) &&
		slices.Equal(t.deps, k.deps) && !slices.ContainsFunc(t.fromHost, func(name string) bool { return !slices.Contains(k.fromHost, name) })
}

// locks puts what a project reaches in a lock file in the place of the whole file, which scripts have by themselves.
func (d *draft) locks(s *source) {
	files := node.LockFiles(s.disk)
	if len(files) == 0 {
		return
	}
	d.defaults.inputs = slices.DeleteFunc(d.defaults.inputs, func(i string) bool { return slices.Contains(files, i) })
	if slices.ContainsFunc(d.projects, func(o *project) bool { return len(o.tasks) > 0 }) {
		d.defaults.inputs = append(d.defaults.inputs, "$"+workspace.LockSet)
	}
	if len(d.defaults.inputs) == 0 {
		d.defaults.inputs = nil
	}
}
