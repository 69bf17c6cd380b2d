package graph

import (
	"slices"

	"github.com/haz-build/haz/workspace"
)

// Affected returns the tasks with an input among what changed, sorted (EXEC-026): paths, workspace-absolute, by text and
// without a look at the disk, and less what a task excludes; and dirs, of which nothing more is known (untracked nested
// repositories): there, every pattern that could match below counts, whatever exclude says.
func (g *Graph) Affected(paths, dirs []string) []int {
	return g.affected(paths, dirs, func(declared, string) bool { return true })
}

// AffectedByFiles is Affected, but for what lock files are to tasks with $lock: that they changed says not yet that what these reach did.
func (g *Graph) AffectedByFiles(paths, dirs []string) []int {
	return g.affected(paths, dirs, func(in declared, path string) bool {
		t := g.W.Tasks[in.task]
		by := &t.Inputs[in.at]
		return by.Lock == nil && (by.Pattern.IsLiteral() || !t.HasLock(path))
	})
}

func (g *Graph) affected(paths, dirs []string, counts func(in declared, path string) bool) []int {
	hit := make([]bool, len(g.Up))
	for _, path := range paths {
		g.reading(path, func(in declared) { hit[in.task] = hit[in.task] || counts(in, path) })
	}
	for _, dir := range dirs {
		for i, t := range g.W.Tasks {
			hit[i] = hit[i] || slices.ContainsFunc(t.Inputs, func(in workspace.PatternDecl) bool {
				return in.Pattern.Match(dir) || in.Pattern.MayMatchBelow(dir)
			})
		}
	}
	return positions(hit)
}

// Differing returns the tasks that are not what they were in another graph, that of the same workspace at another time: new
// ones, those that are declared otherwise, and those with other upstreams over hard and producer edges, be it that a reference
// selects others, or that what produced an input is gone. All, when a setting that is in every key differs. Sorted.
func (g *Graph) Differing(base *Graph) []int {
	everything := g.W.Mode != base.W.Mode || g.W.Settings.Hash != base.W.Settings.Hash || g.W.Settings.Umask != base.W.Settings.Umask
	hit := make([]bool, len(g.Up))
	for i, t := range g.W.Tasks {
		was := base.W.Task(t.ID)
		hit[i] = everything || was == nil || !workspace.SameDefinition(t, was) ||
			!slices.Equal(g.upstreams(i), base.upstreams(was.Index))
	}
	return positions(hit)
}

// upstream is an edge by name.
type upstream struct {
	task workspace.TaskID
	kind EdgeKind
}

// upstreams are those that a task's key can depend on.
func (g *Graph) upstreams(task int) []upstream {
	var list []upstream
	for _, e := range g.Up[task] {
		if e.Kind == Hard || e.Kind == Producer {
			list = append(list, upstream{g.W.Tasks[e.Task].ID, e.Kind})
		}
	}
	return list
}

// Downstream returns what follows from the seeds over hard and producer edges, sorted, without the seeds unless reached.
func (g *Graph) Downstream(seeds []int) []int {
	return closure(g.Down, seeds, func(k EdgeKind) bool { return k == Hard || k == Producer })
}

// Concerned returns the tasks of the plan that a change of the files is a reason to carry out again: those with one of them as an
// input, and all that come after these in the plan, over edges of all kinds. Positions in the workspace, sorted.
func (p *Plan) Concerned(paths []string) []int {
	affected := p.G.Affected(paths, nil)
	var seeds []int
	for i, t := range p.Tasks {
		if _, is := slices.BinarySearch(affected, t.Index); is {
			seeds = append(seeds, i)
		}
	}
	hit := make([]bool, len(p.G.Up))
	for _, i := range append(closure(p.Down, seeds, func(EdgeKind) bool { return true }), seeds...) {
		hit[p.Tasks[i].Index] = true
	}
	return positions(hit)
}

func positions(hit []bool) []int {
	var list []int
	for i, h := range hit {
		if h {
			list = append(list, i)
		}
	}
	return list
}
