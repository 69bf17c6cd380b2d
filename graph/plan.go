package graph

import (
	"cmp"
	"slices"

	"github.com/haz-build/haz/workspace"
)

// Plan is the induced subgraph over targets, their hard upstreams, the finalizers of all these and what those need; tasks are small
// integers in canonical order. Immutable.
type Plan struct {
	G     *Graph
	Tasks []*workspace.Task // canonical order
	// Up and Down hold plan-internal edges; Edge.Task is an index into Tasks.
	Up, Down [][]Edge
	// Conflicts hold plan-internal conflict pairs (S-07).
	Conflicts [][]int
	// Target marks the tasks that were asked for.
	Target []bool
	// Passing says that nobody asked for each of the targets, but for all there are: services among them are started for those that need them, and
	// do not stay (EXEC-072).
	Passing bool
}

// Stays reports whether a task is a service that goes on when nobody needs it.
func (p *Plan) Stays(i int) bool { return p.Tasks[i].Service != nil && p.Target[i] && !p.Passing }

// Plan selects the targets, in any order and any number of times, all their hard upstreams, and the finalizers of what is selected
// (DAG-020) with what these need; soft and producer edges pull nothing in (EXEC-001, EXEC-002, EXEC-008). Edges of all kinds are kept
// between what is in.
func (g *Graph) Plan(targets []int) *Plan {
	at := g.chosen(targets) // becomes the position in the plan, counted from 1; 0: not in it
	p := &Plan{G: g}
	for t := range at {
		if at[t] != 0 {
			p.Tasks = append(p.Tasks, g.W.Tasks[t])
			at[t] = int32(len(p.Tasks))
		}
	}
	p.Target = make([]bool, len(p.Tasks))
	for _, t := range targets {
		p.Target[at[t]-1] = true
	}
	p.Up, p.Down = induce(g.Up, p.Tasks, at), induce(g.Down, p.Tasks, at)
	p.Conflicts = g.conflicts(p.Tasks, at)
	return p
}

// chosen marks what a plan of the targets has: 1 for each.
func (g *Graph) chosen(targets []int) (at []int32) {
	at = make([]int32, len(g.Up))
	var todo []int
	choose := func(t int) {
		if at[t] == 0 {
			at[t] = 1
			todo = append(todo, t)
		}
	}
	for _, t := range targets {
		choose(t)
	}
	for len(todo) > 0 {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range g.Up[t] {
			if e.Kind == Hard {
				choose(e.Task)
			}
		}
		for _, e := range g.Down[t] {
			if e.Kind == Final {
				choose(e.Task)
			}
		}
	}
	return at
}

// induce keeps the edges between tasks of a plan, and with them their order.
func induce(edges [][]Edge, tasks []*workspace.Task, at []int32) [][]Edge {
	sizes := make([]int32, len(tasks))
	for i, t := range tasks {
		for _, e := range edges[t.Index] {
			if at[e.Task] != 0 {
				sizes[i]++
			}
		}
	}
	out := slab(sizes)
	for i, t := range tasks {
		for _, e := range edges[t.Index] {
			if at[e.Task] != 0 {
				e.Task = int(at[e.Task]) - 1
				out[i] = append(out[i], e)
			}
		}
	}
	return out
}

// Neighbour is a task at the other end of one or more edges of a plan.
type Neighbour struct {
	Task  int  // its position in the plan
	Hard  bool // one of the edges is
	Final bool // likewise: the downstream is a finalizer of the upstream
}

// Position is where in a plan a task of the workspace is; false where it is not in it.
func Position(p *Plan, task int) (at int, in bool) {
	return slices.BinarySearchFunc(p.Tasks, task, func(t *workspace.Task, task int) int { return cmp.Compare(t.Index, task) })
}

// OnlyFinal reports whether a task is in the plan as a finalizer and for nothing else: nobody has asked for it, and nothing depends on it.
func (p *Plan) OnlyFinal(i int) bool {
	final := func(e Edge) bool { return e.Kind == Final }
	hard := func(e Edge) bool { return e.Kind == Hard }
	return slices.ContainsFunc(p.Up[i], final) && !p.Target[i] && !slices.ContainsFunc(p.Down[i], hard)
}

// Upstreams are the tasks of the plan that a task waits for, by edges of whatever kinds, each once and in canonical order. It is never
// among them itself: a formatter, which reads what it writes, does not wait for itself (EXEC-018).
func (p *Plan) Upstreams(i int) []Neighbour { return neighbours(p.Up[i], i) }

// Downstreams are the tasks of the plan that wait for a task, likewise.
func (p *Plan) Downstreams(i int) []Neighbour { return neighbours(p.Down[i], i) }

// Makers are the tasks of the plan whose outputs a task may read, by hard and producer edges: those for which has is true, also by way of
// hard upstreams that declare no outputs.
func (p *Plan) Makers(task int, has func(int) bool) (list []int) {
	seen := map[int]bool{task: true}
	for todo := []int{task}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range p.Up[at] {
			if seen[e.Task] || !e.Kind.Carries() || e.Kind != Hard && at != task {
				continue
			}
			seen[e.Task] = true
			switch {
			case has(e.Task):
				list = append(list, e.Task)
			case len(p.Tasks[e.Task].Outputs) == 0:
				todo = append(todo, e.Task)
			}
		}
	}
	return list
}

// Reads reports whether a task may read what another one makes, by an edge between them.
func (p *Plan) Reads(task, maker int) bool {
	return slices.ContainsFunc(p.Up[task], func(e Edge) bool { return e.Task == maker && e.Kind.Carries() })
}

// Waits reports whether a task of the plan starts only when another has ended.
func (p *Plan) Waits(task, other int) bool {
	seen := map[int]bool{task: true}
	for todo := []int{task}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, u := range p.Upstreams(at) {
			if u.Task == other {
				return true
			}
			if !seen[u.Task] {
				seen[u.Task] = true
				todo = append(todo, u.Task)
			}
		}
	}
	return false
}

func neighbours(edges []Edge, self int) []Neighbour {
	var out []Neighbour
	for _, e := range edges { // sorted by task
		n := len(out)
		switch {
		case e.Task == self:
		case n > 0 && out[n-1].Task == e.Task:
			out[n-1].Hard = out[n-1].Hard || e.Kind == Hard
			out[n-1].Final = out[n-1].Final || e.Kind == Final
		default:
			out = append(out, Neighbour{e.Task, e.Kind == Hard, e.Kind == Final})
		}
	}
	return out
}

// HardClosure is the strict closure over hard edges: up (upstreams) or down (downstreams), sorted, without the seeds unless reached.
func (g *Graph) HardClosure(seeds []int, down bool) []int {
	edges := g.Up
	if down {
		edges = g.Down
	}
	return closure(edges, seeds, func(k EdgeKind) bool { return k == Hard })
}

// closure is what edges lead to from the seeds, sorted.
func closure(edges [][]Edge, seeds []int, follow func(EdgeKind) bool) []int {
	const reached, expanded = 1, 2
	state := make([]uint8, len(edges))
	todo := slices.Clone(seeds)
	found := 0
	for len(todo) > 0 {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if state[t]&expanded != 0 {
			continue
		}
		state[t] |= expanded
		for _, e := range edges[t] {
			if !follow(e.Kind) || state[e.Task]&reached != 0 {
				continue
			}
			state[e.Task] |= reached
			found++
			if state[e.Task]&expanded == 0 {
				todo = append(todo, e.Task)
			}
		}
	}
	out := make([]int, 0, found)
	for t := range state {
		if state[t]&reached != 0 {
			out = append(out, t)
		}
	}
	return out
}

// Conflicts returns, for each task, the other tasks whose output patterns overlap its own (S-07), sorted.
func (g *Graph) Conflicts() [][]int {
	at := make([]int32, len(g.Up))
	for i := range at {
		at[i] = int32(i) + 1
	}
	return g.conflicts(g.W.Tasks, at)
}

// conflicts is about some tasks: at holds their positions, counted from 1. Overlap is exact (S-03), and the index asks only
// patterns that could meet.
func (g *Graph) conflicts(tasks []*workspace.Task, at []int32) [][]int {
	conflicts := make([][]int, len(tasks))
	if g.known {
		g.knownConflicts(conflicts, tasks, at)
		return conflicts
	}
	var found []int
	for i, t := range tasks {
		found = found[:0]
		for _, out := range t.Outputs {
			g.patterns().outputs.Overlapping(out.Pattern, func(id int) {
				if u := int(at[g.patterns().output[id].task]) - 1; u >= 0 && u != i {
					found = append(found, u)
				}
			})
		}
		if len(found) > 0 {
			slices.Sort(found)
			conflicts[i] = slices.Clone(slices.Compact(found))
		}
	}
	return conflicts
}

// knownConflicts picks those among some tasks out of all that there are.
func (g *Graph) knownConflicts(conflicts [][]int, tasks []*workspace.Task, at []int32) {
	if len(g.conflicting) == 0 {
		return
	}
	for i, t := range tasks {
		for _, other := range g.conflicting[t.Index] {
			if u := int(at[other]) - 1; u >= 0 {
				conflicts[i] = append(conflicts[i], u)
			}
		}
	}
}
