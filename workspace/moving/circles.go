package moving

import (
	"maps"
	"slices"

	"github.com/haz-build/haz/workspace/infer"
)

// Packages may use each other in a circle, by what only their tests need mostly; tasks may not wait for each other so (DAG-014). Where there is
// a circle, the task that hands on what a project uses is told by name whom it waits for, in each haz.yml: the others of its circle by
// their files alone, and all that these use outside of it (AUX-038).

// filesOnly is the task that stands for the files of a project in a circle.
const filesOnly = "own-files"

// circles are the groups of at least two folders that use each other, by each of their folders.
type circles map[string][]string

// circlesOf are those that a project of a reader is in (Tarjan 1972); it may be by what another reader knows of it.
func (p *proposal) circlesOf(of []infer.Project) circles {
	found := circles{}
	here := map[string]bool{}
	for _, f := range of {
		here[f.Dir] = true
	}
	index, low := map[string]int{}, map[string]int{}
	waiting := map[string]bool{} // what is on the stack
	var stack []string
	var visit func(dir string)
	visit = func(dir string) {
		index[dir] = len(index) + 1
		low[dir] = index[dir]
		at := len(stack)
		stack = append(stack, dir)
		waiting[dir] = true
		for _, to := range p.uses[dir] {
			if index[to] == 0 {
				visit(to)
				low[dir] = min(low[dir], low[to])
			} else if waiting[to] {
				low[dir] = min(low[dir], index[to])
			}
		}
		if low[dir] < index[dir] {
			return
		}
		group := slices.Sorted(slices.Values(stack[at:]))
		counts := len(group) > 1 && slices.ContainsFunc(group, func(dir string) bool { return here[dir] })
		for _, member := range group {
			waiting[member] = false
			if counts {
				found[member] = group
			}
		}
		stack = stack[:at]
	}
	for _, f := range of {
		if index[f.Dir] == 0 {
			visit(f.Dir)
		}
	}
	return found
}

// carrier is the task of a language that waits for its own name in what the project uses. Where there is none it is `build`, which a package
// that is used may have without such a script.
func carrier(tasks []*task) *task {
	for _, t := range tasks {
		if slices.Contains(t.deps, "^uses:"+t.name) {
			return t
		}
	}
	return &task{name: "build"}
}

// unwound are the dependencies of the carrier of a project, where there are circles.
func (p *proposal) unwound(dir string, in circles, names map[string]string) []string {
	deps := map[string]bool{}
	outside := func(from string) {
		for _, to := range p.uses[from] {
			if name := names[to]; name != "" && !slices.Contains(in[dir], to) {
				deps[p.reference(to, name)] = true
			}
		}
	}
	outside(dir)
	for _, other := range in[dir] {
		if other != dir {
			deps[p.reference(other, filesOnly)] = true
			outside(other)
		}
	}
	return slices.Sorted(maps.Keys(deps))
}

// reference names a task of the project in a folder; one that has a haz.yml already may not have it.
func (p *proposal) reference(dir, name string) string {
	ref := p.at[dir][0].Name + ":" + name
	if p.busy[dir] {
		ref += "?"
	}
	return ref
}

// unwind takes what a language waits for out of the overlay that all its projects have, and gives each its own.
func (p *proposal) unwind(of []infer.Project, t *task, in circles, names map[string]string) {
	waits := len(t.deps) > 0
	t.deps = slices.DeleteFunc(slices.Clone(t.deps), func(ref string) bool { return ref == "^uses:"+t.name })
	inputs := []string{"$project"}
	if slices.Contains(t.inputs, "$project") {
		inputs = t.inputs
	}
	for _, dir := range slices.Sorted(maps.Keys(in)) {
		if own := p.project(dir); !slices.ContainsFunc(own.tasks, func(o *task) bool { return o.name == filesOnly }) {
			files := passedThrough(filesOnly, inputs, nil)
			files.exclude = t.exclude
			files.comments = []string{"projects here use each other in a circle: each depends on the files of the others"}
			own.tasks = append(own.tasks, files)
		}
	}
	for _, f := range of {
		own := p.project(f.Dir)
		deps, name := p.unwound(f.Dir, in, names), names[f.Dir]
		if at := slices.IndexFunc(own.tasks, func(o *task) bool { return o.name == name }); at >= 0 { // it has no such script, or two languages
			own.tasks[at].deps = deps
		} else if len(deps) > 0 && waits {
			own.tasks = append(own.tasks, &task{name: name, body: body{inherit: true, deps: deps}})
		}
	}
}
