package graph

import (
	"slices"

	"github.com/haz-build/haz/workspace"
)

// Affected returns the tasks with an input among what changed, sorted (EXEC-026): paths, workspace-absolute, by text and
// without a look at the disk, and less what a task excludes; and dirs, of which nothing more is known (untracked nested
// repositories): there, every pattern that could match below counts, whatever exclude says.
func (g *Graph) Affected(paths, dirs []string) []int {
	hit := make([]bool, len(g.Up))
	for _, path := range paths {
		g.reading(path, func(in declared) { hit[in.task] = true })
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

// Redefined returns the tasks whose definition is among the changed files: that of their project, or the overlay that their
// body comes from; a change of the workspace file concerns all (chapter 3, 4.4.6). Sorted.
func (g *Graph) Redefined(paths []string) []int {
	changed := make(map[string]bool, len(paths))
	for _, p := range paths {
		changed[p] = true
	}
	overlays := make(map[string]bool, len(g.W.Overlays))
	for _, o := range g.W.Overlays {
		overlays[o.Name] = changed["/"+o.File]
	}
	everything := g.W.Mode == workspace.Explicit && changed["/.haz/workspace.yml"]
	hit := make([]bool, len(g.Up))
	for i, t := range g.W.Tasks {
		hit[i] = everything || changed["/"+t.Project.File] || t.Overlay != "" && overlays[t.Overlay]
	}
	return positions(hit)
}

// Downstream returns what follows from the seeds over hard and producer edges, sorted, without the seeds unless reached.
func (g *Graph) Downstream(seeds []int) []int {
	return closure(g.Down, seeds, func(k EdgeKind) bool { return k == Hard || k == Producer })
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
