package moving

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace"
)

// dependencies are what comes before.
func (r *moonRun) dependencies() {
	k := r.task
	for _, d := range r.def.deps {
		for _, ref := range r.references(d) {
			list := &k.deps
			if d.strategy == "outputs" || d.strategy == "ignored" {
				list = &k.direct
			}
			if d.strategy == "ignored" {
				r.note(d.place, "cacheStrategy: ignored", "what a dependency makes counts")
			}
			if !slices.Contains(k.deps, ref) && !slices.Contains(k.direct, ref) {
				*list = append(*list, ref)
			}
		}
	}
}

// references are the tasks that a dependency means.
func (r *moonRun) references(d moonDep) (refs []string) {
	scope, name, scoped := strings.Cut(d.target, ":")
	if !scoped {
		scope, name = "~", d.target
	}
	var of []*moonProject
	switch {
	case strings.HasPrefix(name, "#"):
		return r.tagged(scope, name[1:])
	case scope == "~":
		of = []*moonProject{r.of}
	case scope == "^":
		if len(d.args)+len(d.env) > 0 {
			r.note(d.place, d.target, "arguments for tasks of several projects; each needs a task of its own")
		}
		if slices.ContainsFunc(r.all, func(p *moonProject) bool { return p.has(name) != "" }) {
			return []string{"^uses:" + r.taskName(name)}
		}
		return nil
	case strings.HasPrefix(scope, "^"):
		for _, u := range r.of.uses {
			if strings.HasPrefix(u.scope, scope[1:]) && u.to.has(name) != "" {
				refs = append(refs, u.to.ours+":"+u.to.has(name))
			}
		}
		return refs
	case strings.HasPrefix(scope, "#"):
		tag := scope[1:]
		if slices.ContainsFunc(r.all, func(p *moonProject) bool { return p != r.of && slices.Contains(p.tags, tag) && p.has(name) != "" }) {
			return []string{"[" + tagName(tag) + "]~:" + r.taskName(name)}
		}
		return nil
	default:
		if p := r.byName[scope]; p != nil {
			of = []*moonProject{p}
		}
	}
	if of == nil || of[0].has(name) == "" {
		r.note(d.place, d.target, "there is no such task")
		return nil
	}
	if of[0] == r.of && name == r.def.name {
		return nil
	}
	ours := of[0].has(name)
	if len(d.args)+len(d.env) > 0 {
		ours = r.variant(of[0], name, d)
	}
	if of[0] == r.of {
		return []string{"~:" + ours}
	}
	return []string{of[0].ours + ":" + ours}
}

// has is our name of a task of the project; "" for none.
func (p *moonProject) has(name string) string {
	if p.tasks[name] == nil {
		return ""
	}
	if workspace.CheckFamilyName(name) == nil {
		return name
	}
	return cleanName(name)
}

// tagged are the tasks with a tag.
func (r *moonRun) tagged(scope, tag string) (refs []string) {
	of := []*moonProject{}
	switch {
	case scope == "~":
		of = append(of, r.of)
	case scope == "^":
		for _, u := range r.of.uses {
			of = append(of, u.to)
		}
	case r.byName[scope] != nil:
		of = append(of, r.byName[scope])
	}
	for _, p := range of {
		for _, name := range p.names {
			if t := p.tasks[name]; slices.Contains(t.tags, tag) && (p != r.of || name != r.def.name) {
				refs = append(refs, p.ours+":"+p.has(name))
			}
		}
	}
	return refs
}

// variant is our name of a task with the arguments and variables that a dependency gives it: an internal one of its own.
func (r *moonRun) variant(p *moonProject, name string, d moonDep) string {
	base := *p.tasks[name]
	base.args = &moonWords{}
	if p.tasks[name].args != nil {
		base.args.words = slices.Clone(p.tasks[name].args.words)
	}
	var parts []string
	for _, w := range d.args {
		parts = append(parts, string(w))
	}
	base.args.words = append(base.args.words, d.args...)
	base.env = mergeEnv(base.env, d.env, "append")
	for _, e := range d.env {
		parts = append(parts, e.name+"="+e.text)
	}
	key := p.id + ":" + name + "\x00" + strings.Join(parts, "\x00")
	if t := r.variants[key]; t != nil {
		return t.name
	}
	used := map[string]bool{}
	for other := range p.tasks {
		used[other] = true
	}
	base.name = unusedName(path.Join(r.taskName(name), cmp.Or(cleanName(strings.Join(parts, "-")), "with")), used)
	base.options = moonOptions{}
	for k, v := range p.tasks[name].options {
		base.options[k] = v
	}
	p.tasks[base.name] = &base
	r.variants[key] = &base
	t := r.body(p, &base)
	t.internal = true
	p.made.tasks = append(p.made.tasks, t)
	return base.name
}

// tagName is a tag of moon in our words.
func tagName(tag string) string {
	if workspace.CheckName(tag) == nil {
		return tag
	}
	return cleanName(tag)
}
