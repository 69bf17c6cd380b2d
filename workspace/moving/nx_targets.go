package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer/node"
)

// read reads what the files of a project say: tags, relations, targets. What several places say of one target is put together as nx does it:
// what plugins and scripts make, then targetDefaults, then the project's own files.
func (n *nx) read(p *nxProject) {
	var base, own []*nxTarget
	base = append(n.made(p), n.scriptsOf(p)...)
	for _, from := range []*node.Value{p.more, p.config} {
		if from == nil {
			continue
		}
		for key, f := range n.object(from).Fields() {
			switch key {
			case "tags":
				p.tags = append(p.tags, n.items(f.Value)...)
			case "implicitDependencies":
				p.implicit = append(p.implicit, n.items(f.Value)...)
			case "namedInputs":
				p.sets = n.namedInputs(f.Value)
			case "targets", "architect":
				for name, t := range n.object(f.Value).Fields() {
					own = append(own, n.nxTarget(name, t))
				}
			case "generators", "release":
				if n.once("project " + key) {
					p.notes = append(p.notes, note{f.Place(), diag.Quote(key) + " does not carry over: nx goes on to read it"})
				}
			}
		}
	}
	for _, t := range slices.Concat(base, own) {
		if p.target(t.name) == nil {
			p.targets = append(p.targets, n.together(named(base, t.name), named(own, t.name)))
		}
	}
}

// named are the targets of one name, put together.
func named(list []*nxTarget, name string) (all *nxTarget) {
	for _, t := range list {
		if t.name == name {
			all = all.extend(t)
		}
	}
	return all
}

// together is a target with what targetDefaults says of it.
func (n *nx) together(base, own *nxTarget) *nxTarget {
	whole := base.extend(own)
	d := n.defaultOf(whole)
	if d == nil || !d.fits(whole) && !(own != nil && own.executor == "" && d.fits(own)) {
		return whole
	}
	if base != nil && own != nil && !base.fits(own) {
		base = nil
	}
	t := base.extend(d).extend(own)
	t.name, t.place = whole.name, whole.place
	return t
}

// defaultOf is what targetDefaults says of a target: by what carries it out, or by its name, which may be a glob.
func (n *nx) defaultOf(t *nxTarget) *nxTarget {
	for _, d := range n.defaults {
		if t.executor != "" && d.name == t.executor {
			return d
		}
	}
	for _, d := range n.defaults {
		if d.name == t.name {
			return d
		}
	}
	for _, d := range n.defaults {
		if is, _ := path.Match(d.name, t.name); is && strings.ContainsAny(d.name, "*?[{") {
			return d
		}
	}
	return nil
}

// scriptsOf are the scripts of a package as targets; nx may be told to look at some alone.
func (n *nx) scriptsOf(p *nxProject) (targets []*nxTarget) {
	scripts, has := []node.Field{}, map[string]bool{}
	if p.pkg != nil {
		scripts, has = p.pkg.scripts, p.pkg.has
	} else if manifest := n.besides(p); manifest != nil {
		for name, f := range manifest.Get("scripts").Fields() {
			scripts, has[name] = append(scripts, f), true
		}
	}
	var only []string
	if list := p.more.Get("includedScripts"); list != nil {
		for _, i := range n.items(list) {
			only = append(only, i.text)
		}
	}
	for _, f := range scripts {
		if p.more.Get("includedScripts") == nil && !lifecycle(f.Key, has) || slices.Contains(only, f.Key) {
			t := &nxTarget{name: f.Key, executor: "nx:run-script", place: f.Place(), notes: map[string]note{}}
			targets = append(targets, t)
		}
	}
	return targets
}

// isScript reports whether a target does nothing but run the script of its name.
func (t *nxTarget) isScript() bool {
	return t.executor == "nx:run-script" && (t.option("script") == "" || t.option("script") == t.name)
}

// serves reports whether a target comes to no end.
func (t *nxTarget) serves() bool {
	return is(t.continuous) || t.continuous == nil && serves(t.name) || t.options["readyWhen"].Value != nil
}

// task is a target in our words, with a configuration of it, or with the one that counts without a word.
func (n *nx) task(p *nxProject, t *nxTarget, configuration string) *task {
	k := &task{name: n.tasks[t.name], family: "has", notes: t.sortedNotes()}
	if k.name != t.name {
		k.notes = append(k.notes, note{t.place, diag.Quote(t.name) + " is no name of a task here, so it is called " + k.name})
	}
	k.description = t.description
	with := t.config
	if configuration != "" {
		k.name += ":" + configuration
		with = configuration
	}
	d := *t
	d.options = over(t.options, t.configurations[with])
	if n.scripts && t.isScript() && p.pkg != nil && p.dir != "/" && configuration == "" {
		k.inherit = true
	} else {
		n.carryOut(p, &d, configuration, k)
	}
	r := n.inputsOf(p, &d, k)
	n.caching(t, r, k)
	if k.groups() {
		k.noCache = false
	} else if !k.noCache || !k.inherit { // otherwise nothing is kept, and its files are those of the script
		n.keyed(p, r, k)
		n.outputsOf(p, &d, k)
	}
	k.cached = !k.noCache && k.inherit && len(k.outputs) == 0
	n.dependencies(p, &d, k)
	return k
}

// caching says whether the result of a target is kept.
func (n *nx) caching(t *nxTarget, r *nxInputs, k *task) {
	keeps := n.kept[t.name]
	if t.cache != nil {
		keeps = *t.cache
	}
	switch k.noCache = true; {
	case t.serves():
		if t.continuous != nil && n.once("continuous") {
			k.notes = append(k.notes, note{t.place, `"continuous" does not carry over: ` + config.ForeignSays("task", "persistent")})
		}
	case keeps && r.everywhere:
		k.comments = append(k.comments, "it may look into every project, whose files are not in its key")
	default:
		k.noCache = !keeps
	}
}

// dependencies are the deps of a task. What a project does not have is nothing, as in nx.
func (n *nx) dependencies(p *nxProject, t *nxTarget, k *task) {
	if t.dependsOn == nil {
		return
	}
	var first []string
	for _, v := range *t.dependsOn {
		text, ok := v.Text()
		if ok {
			first = append(first, n.reference(p, t, text, v, k)...)
		} else {
			first = append(first, n.longReference(p, t, v, k)...)
		}
	}
	k.deps = unique(append(first, k.deps...))
}

// reference are the deps that a text of dependsOn means.
func (n *nx) reference(p *nxProject, t *nxTarget, text string, v *node.Value, k *task) []string {
	if name, up := strings.CutPrefix(text, "^"); up {
		return n.ofUsed(name)
	}
	if of, name := n.split(text); of != nil && p.target(text) == nil {
		if of.target(name) == nil {
			k.notes = append(k.notes, note{v.Place(), diag.Quote(text) + " does not carry over: there is no such target"})
			return nil
		}
		return n.ofProject(p, of, t, name)
	}
	return n.ofProject(p, p, t, text)
}

// split takes a text apart into a project and a target of it.
func (n *nx) split(text string) (*nxProject, string) {
	for at, c := range text {
		if c == ':' && n.byNx[text[:at]] != nil {
			return n.byNx[text[:at]], text[at+1:]
		}
	}
	return nil, ""
}

// ofUsed are the deps on a target of what a project uses; it may be a glob.
func (n *nx) ofUsed(name string) (refs []string) {
	var names []string
	for _, p := range n.projects {
		for _, t := range p.targets {
			if is, _ := path.Match(name, t.name); is || t.name == name {
				names = append(names, n.tasks[t.name])
			}
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		refs = append(refs, "^uses:"+name)
	}
	return refs
}

// ofProject are the deps on a target of a project; it may be a glob.
func (n *nx) ofProject(p, of *nxProject, t *nxTarget, name string) (refs []string) {
	for _, o := range of.targets {
		if is, _ := path.Match(name, o.name); !is && o.name != name || o.name == t.name && of == p {
			continue
		}
		if of == p {
			refs = append(refs, "~:"+n.tasks[o.name])
		} else {
			refs = append(refs, of.ours+":"+n.tasks[o.name])
		}
	}
	return refs
}

// longReference are the deps that an object of dependsOn means.
func (n *nx) longReference(p *nxProject, t *nxTarget, v *node.Value, k *task) (refs []string) {
	name := ""
	var projects []item
	up := false
	for key, f := range v.Fields() {
		switch key {
		case "target":
			name = n.text(f.Value)
		case "dependencies":
			up, _ = f.Value.Bool()
		case "projects":
			if text, ok := f.Value.Text(); ok {
				projects = []item{{text, f.Value.Place()}}
			} else {
				projects = n.items(f.Value)
			}
		case "params", "options":
			if text, _ := f.Value.Text(); text == "forward" && n.once(key) {
				k.notes = append(k.notes, note{f.Place(), diag.Quote(key) + " does not carry over: arguments of haz run are those of the tasks that it names"})
			}
		}
	}
	if up {
		return n.ofUsed(name)
	}
	if projects == nil {
		return n.ofProject(p, p, t, name)
	}
	for _, i := range projects {
		switch i.text {
		case "self", "{self}":
			refs = append(refs, n.ofProject(p, p, t, name)...)
		case "dependencies", "{dependencies}":
			refs = append(refs, n.ofUsed(name)...)
		}
	}
	for _, of := range n.matching(projects) {
		if of != p {
			refs = append(refs, n.ofProject(p, of, t, name)...)
		}
	}
	return refs
}

// matching are the projects that a list names: by names, which may be globs, by tags and by folders; "!" takes away.
func (n *nx) matching(list []item) (found []*nxProject) {
	for _, i := range list {
		text, not := strings.CutPrefix(i.text, "!")
		is := func(p *nxProject) bool { return p.matches(text) }
		if not {
			found = slices.DeleteFunc(found, is)
			continue
		}
		for _, p := range n.projects {
			if is(p) && !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
	}
	return found
}

func (p *nxProject) matches(text string) bool {
	if tag, ok := strings.CutPrefix(text, "tag:"); ok {
		return slices.ContainsFunc(p.tags, func(i item) bool { is, _ := path.Match(tag, i.text); return is })
	}
	name, _ := path.Match(text, p.name)
	_, short, scoped := strings.Cut(p.name, "/")
	dir, _ := path.Match("/"+strings.Trim(text, "/"), p.dir)
	return name || dir || scoped && strings.HasPrefix(p.name, "@") && short == text || text == "*"
}
