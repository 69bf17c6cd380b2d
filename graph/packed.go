package graph

import (
	"github.com/haz-build/haz/packed"
	"github.com/haz-build/haz/workspace"
)

// Pack codes a graph over W, which is there before. A graph of which edges are missing (Unmet) has no packed form.
//
// What is asked of all patterns, which outputs overlap and which may be read beside edges, is worked out before it is written, so that whoever has read a
// graph needs no index of patterns for a plan, nor for a task that is up to date.
func (g *Graph) Pack(c *packed.Coder) {
	n := len(g.W.Tasks)
	if len(g.Unmet) > 0 {
		c.Fail()
	}
	if c.Reading() {
		g.readEdges(c, n)
	} else {
		for _, up := range g.Up {
			edges := len(up)
			packed.Int(c, &edges)
		}
		for t, up := range g.Up {
			for _, e := range up {
				g.edge(c, t, &e)
			}
		}
	}
	g.packOrder(c, n)
	g.packConflicts(c, n)
	g.packBesides(c, n)
}

// readEdges makes Up and Down in one piece of memory each.
func (g *Graph) readEdges(c *packed.Coder, n int) {
	counts := make([]int32, n)
	total := 0
	for t := range counts {
		var edges int
		c.Count(&edges, edgeLeast)
		total += edges
		counts[t] = int32(edges)
	}
	if !c.Fits(total, edgeLeast) {
		c.Fail()
		return
	}
	g.Up = slab(counts)
	clear(counts)
	for t := range g.Up {
		up := g.Up[t][:cap(g.Up[t])]
		g.Up[t] = up
		for i := range up {
			if g.edge(c, t, &up[i]); c.Failed() {
				return
			}
			counts[up[i].Task]++
		}
	}
	g.Down = slab(counts)
	for t, up := range g.Up {
		g.mirror(t, up)
	}
}

// edgeLeast is how many bytes an edge takes at least.
const edgeLeast = 7

// edge is one of those that lead to task t.
func (g *Graph) edge(c *packed.Coder, t int, e *Edge) {
	packed.Int(c, &e.Task)
	packed.Uint(c, &e.Kind)
	c.Bool(&e.Narrow)
	c.Bool(&e.Streams)
	packed.Int(c, &e.ref)
	packed.Int(c, &e.Output)
	packed.Int(c, &e.Input)
	if e.Task < 0 || e.Task >= len(g.W.Tasks) || !leads(g.W.Tasks[e.Task], g.W.Tasks[t], e) {
		c.Fail()
	}
}

// leads reports whether what an edge says of two tasks is there.
func leads(up, down *workspace.Task, e *Edge) bool {
	in := func(i, n int) bool { return i >= 0 && i < n }
	switch e.Kind {
	case Hard:
		return in(int(e.ref), len(down.Deps))
	case Soft:
		return in(int(e.ref), len(down.WeakDeps))
	case Final:
		return in(int(e.ref), len(up.After))
	}
	return e.Kind == Producer && in(e.Output, len(up.Outputs)) && in(e.Input, len(down.Inputs))
}

// packOrder is a permutation of the tasks.
func (g *Graph) packOrder(c *packed.Coder, n int) {
	if c.Reading() {
		g.order = make([]int32, n)
	}
	seen := make([]bool, n)
	for i := range g.order {
		at := &g.order[i]
		if packed.Int(c, at); *at < 0 || int(*at) >= n || seen[*at] {
			c.Fail()
			return
		}
		seen[*at] = true
	}
}

// packConflicts are all pairs of tasks whose outputs overlap.
func (g *Graph) packConflicts(c *packed.Coder, n int) {
	var all [][]int
	with := 0
	if !c.Reading() {
		all = g.Conflicts()
		for _, others := range all {
			if len(others) > 0 {
				with++
			}
		}
	}
	c.Count(&with, 3)
	if !c.Reading() {
		for t, others := range all {
			if len(others) > 0 {
				packConflict(c, n, t, others)
			}
		}
		return
	}
	if with > 0 {
		g.conflicting = make(map[int][]int, with)
	}
	for range with {
		t, others := packConflict(c, n, 0, nil)
		g.conflicting[t] = others
	}
}

func packConflict(c *packed.Coder, n, t int, others []int) (int, []int) {
	packed.Int(c, &t)
	count := len(others)
	if c.Count(&count, 1); c.Reading() {
		others = make([]int, count)
	}
	for i := range others {
		if packed.Int(c, &others[i]); others[i] < 0 || others[i] >= n {
			c.Fail()
		}
	}
	return t, others
}

// packBesides are the tasks of whose outputs there may be readers beside edges.
func (g *Graph) packBesides(c *packed.Coder, n int) {
	list := g.besides
	if !c.Reading() && !g.known {
		list = g.readBeside()
	}
	count := len(list)
	if c.Count(&count, 1); c.Reading() {
		list = make([]int32, count)
	}
	for i := range list {
		if packed.Int(c, &list[i]); list[i] < 0 || int(list[i]) >= n || c.Reading() && i > 0 && list[i] <= list[i-1] {
			c.Fail()
			return
		}
	}
	if c.Reading() {
		g.besides, g.known = list, true
	}
}
