package graph

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// naive builds everything by its definition: all pairs, all paths.
type naive struct {
	w     *workspace.Workspace
	edges map[[2]int]map[EdgeKind]bool // up, down
	codes map[string]int               // how many errors of a code there are
	reach [][]bool                     // by edges of all kinds, one or more steps
}

func define(w *workspace.Workspace) *naive {
	n := &naive{w: w, edges: map[[2]int]map[EdgeKind]bool{}, codes: map[string]int{}}
	for _, t := range w.Tasks {
		hard := n.selected(t, t.Deps, "DAG-008")
		soft := n.selected(t, t.WeakDeps, "DAG-009")
		for u := range hard {
			if soft[u] {
				n.codes["DAG-010"]++
			}
			n.edge(u, t.Index, Hard)
		}
		for u := range soft {
			if !hard[u] {
				n.edge(u, t.Index, Soft)
			}
		}
	}
	for _, a := range w.Tasks {
		for _, out := range a.Outputs {
			for _, b := range w.Tasks {
				for _, in := range b.Inputs {
					if n.meets(out, b, in) {
						n.edge(a.Index, b.Index, Producer)
					}
				}
			}
		}
	}
	n.collisions()
	n.reach = n.closure(func(EdgeKind) bool { return true })
	for _, c := range n.components() {
		if len(c) > 1 {
			n.codes["DAG-014"]++
		}
	}
	return n
}

func (n *naive) edge(up, down int, k EdgeKind) {
	if n.edges[[2]int{up, down}] == nil {
		n.edges[[2]int{up, down}] = map[EdgeKind]bool{}
	}
	n.edges[[2]int{up, down}][k] = true
}

func (n *naive) selected(t *workspace.Task, refs []workspace.RefDecl, code string) map[int]bool {
	set := map[int]bool{}
	for _, r := range refs {
		var of []int
		for _, u := range n.w.Tasks {
			own := u.Project == t.Project
			tagged := u.Project.HasTag(r.Ref.Tag)
			fits := false
			switch r.Ref.Form {
			case workspace.RefOwn:
				fits = own
			case workspace.RefProject:
				fits = u.ID.Project == r.Ref.Project
			case workspace.RefAll:
				fits = true
			case workspace.RefAllButOwn:
				fits = !own
			case workspace.RefTag:
				fits = tagged
			case workspace.RefTagButOwn:
				fits = tagged && !own
			case workspace.RefUses:
				fits = !own && n.uses(t.Project, u.Project, r.Ref.Task, map[string]bool{})
			}
			if fits && u.ID.Task == r.Ref.Task {
				of = append(of, u.Index)
			}
		}
		switch {
		case len(of) == 0 && r.Ref.Form == workspace.RefUses:
		case len(of) == 0:
			n.codes[code]++
		case slices.Contains(of, t.Index):
			n.codes["DAG-012"]++
		default:
			for _, u := range of {
				set[u] = true
			}
		}
	}
	return set
}

// uses is DAG-023: whether a way leads from p to q by projects that lack the task.
func (n *naive) uses(p, q *workspace.Project, task string, seen map[string]bool) bool {
	for _, use := range p.Uses {
		if use.Name == q.Name {
			return true
		}
		if u := n.w.Project(use.Name); !seen[u.Name] && n.w.Task(workspace.TaskID{Project: u.Name, Task: task}) == nil {
			seen[u.Name] = true
			if n.uses(u, q, task, seen) {
				return true
			}
		}
	}
	return false
}

// meets is the table of DAG-013.
func (n *naive) meets(out workspace.PatternDecl, b *workspace.Task, in workspace.PatternDecl) bool {
	o, i := out.Pattern, in.Pattern
	switch {
	case o.IsLiteral() && i.IsLiteral() && pattern.IsOrBelow(i.Path(), o.Path()):
		return true
	case o.IsLiteral():
		for _, x := range b.Exclude {
			if x.Pattern.Match(o.Path()) || x.Pattern.CoversAllBelow(o.Path()) {
				return false
			}
		}
		return i.Match(o.Path()) && (i.IsLiteral() || !o.IsFolder()) || !i.IsLiteral() && pattern.IsOrBelow(i.Path(), o.Path())
	case i.IsLiteral():
		return o.Match(i.Path()) || pattern.IsOrBelow(o.Path(), i.Path())
	}
	return false
}

func (n *naive) collisions() {
	owners := map[string]map[int]bool{}
	for _, t := range n.w.Tasks {
		for _, out := range t.Outputs {
			if p := out.Pattern.Path(); out.Pattern.IsLiteral() {
				if owners[p] == nil {
					owners[p] = map[int]bool{}
				}
				owners[p][t.Index] = true
			}
		}
	}
	for p, tasks := range owners {
		if len(tasks) > 1 {
			n.codes["DAG-015"]++
		}
		for q, others := range owners {
			if !strings.HasPrefix(q, p+"/") {
				continue
			}
			for t := range tasks {
				if len(others) > 1 || !others[t] || len(tasks) > 1 {
					n.codes["DAG-015"]++
					break
				}
			}
		}
	}
}

func (n *naive) closure(follow func(EdgeKind) bool) [][]bool {
	size := len(n.w.Tasks)
	reach := make([][]bool, size)
	for i := range reach {
		reach[i] = make([]bool, size)
	}
	for pair, kinds := range n.edges {
		for k := range kinds {
			if follow(k) && pair[0] != pair[1] {
				reach[pair[0]][pair[1]] = true
			}
		}
	}
	for k := range size {
		for i := range size {
			for j := range size {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	return reach
}

func (n *naive) components() map[int][]int {
	of := map[int][]int{}
	for i := range n.w.Tasks {
		first := i
		for j := range i {
			if n.reach[i][j] && n.reach[j][i] {
				first = j
				break
			}
		}
		of[first] = append(of[first], i)
	}
	return of
}

// shortest is the length of a shortest cycle among tasks.
func (n *naive) shortest(members []int) int {
	best := len(members) + 1
	for _, start := range members {
		dist := map[int]int{start: 0}
		for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
			for _, m := range members {
				if m == queue[0] || n.edges[[2]int{queue[0], m}] == nil {
					continue
				}
				if m == start {
					best = min(best, dist[queue[0]]+1)
				} else if _, seen := dist[m]; !seen {
					dist[m] = dist[queue[0]] + 1
					queue = append(queue, m)
				}
			}
		}
	}
	return best
}
