package graph

import (
	"slices"
)

// components walks the edges of all kinds once (Tarjan 1972, with its stack on the heap: chains may be long). It returns the
// tasks with upstreams first, which is an order only of a graph without cycles, and the strongly connected components of two
// or more tasks, members in canonical order, components by their first member.
func (g *Graph) components() (order []int32, cyclic [][]int32) {
	n := len(g.Down)
	w := walk{g: g, number: make([]int32, n), low: make([]int32, n), next: make([]int32, n), order: make([]int32, n), left: n}
	for t := range n {
		if w.number[t] == 0 {
			w.from(int32(t))
		}
	}
	slices.SortFunc(w.cyclic, func(a, b []int32) int { return int(a[0] - b[0]) })
	return w.order, w.cyclic
}

type walk struct {
	g       *Graph
	number  []int32 // order of discovery from 1; 0: not seen
	low     []int32 // the smallest number known to be reachable; done when the component is complete
	next    []int32 // position of the next edge of Down
	open    []int32 // tasks of components that are not complete
	path    []int32 // the recursion
	counter int32
	order   []int32
	left    int // of order, to be filled from its end: components complete downstreams first
	cyclic  [][]int32
}

const done = int32(1<<31 - 1)

func (w *walk) enter(t int32) {
	w.counter++
	w.number[t], w.low[t] = w.counter, w.counter
	w.open = append(w.open, t)
	w.path = append(w.path, t)
}

func (w *walk) from(start int32) {
	w.enter(start)
	for len(w.path) > 0 {
		t := w.path[len(w.path)-1]
		if edges := w.g.Down[t]; int(w.next[t]) < len(edges) {
			d := int32(edges[w.next[t]].Task)
			w.next[t]++
			switch {
			case w.number[d] == 0:
				w.enter(d)
			case w.low[d] != done:
				w.low[t] = min(w.low[t], w.number[d])
			}
			continue
		}
		w.path = w.path[:len(w.path)-1]
		low := w.low[t]
		if low == w.number[t] {
			w.complete(t)
		} else { // the root of a component is its first task, so there is one above
			up := w.path[len(w.path)-1]
			w.low[up] = min(w.low[up], low)
		}
	}
}

// complete takes the component of t, whose first task it is.
func (w *walk) complete(t int32) {
	at := len(w.open) - 1
	for w.open[at] != t {
		at--
	}
	members := w.open[at:]
	w.open = w.open[:at]
	for _, m := range members {
		w.low[m] = done
	}
	w.left -= len(members)
	copy(w.order[w.left:], members)
	if len(members) > 1 {
		c := slices.Clone(members)
		slices.Sort(c)
		w.cyclic = append(w.cyclic, c)
	}
}

// cycleSearch finds a shortest cycle in a component, by a search in breadth from its members, each no deeper than the best
// cycle so far. A member with one way out inside the component is on no cycle that its downstream is not on, so searches
// start only where ways part.
type cycleSearch struct {
	g      *Graph
	inside []int32 // number of the task's component; 0: none
	seen   []int32 // number of the search that saw the task
	parent []step  // how that search came to it
	round  int32
	budget int // edges to look at, for all components together
	queue  []int32
}

// step is an edge on a cycle: task up, and position of the edge in its Down.
type step struct{ up, edge int32 }

// maxCycleSteps bounds the searches of one Build. Cycles of people are short, and found at once; in a hostile graph the cycle
// shown may be longer than another one, which costs nobody anything.
const maxCycleSteps = 1 << 24

func (g *Graph) newCycleSearch() *cycleSearch {
	n := len(g.Down)
	return &cycleSearch{g: g, inside: make([]int32, n), seen: make([]int32, n), parent: make([]step, n), budget: maxCycleSteps}
}

// shortest returns the edges of a cycle, beginning at its canonically first task. number is not used for another component.
func (s *cycleSearch) shortest(members []int32, number int32) []step {
	for _, m := range members {
		s.inside[m] = number
	}
	var best []step
	for _, m := range members {
		if best != nil && (len(best) == 2 || s.budget <= 0) {
			break
		}
		if s.parts(m) {
			if c := s.through(m, len(best)); c != nil {
				best = c
			}
		}
	}
	if best == nil { // one ring
		best = s.through(members[0], 0)
	}
	first := 0
	for i := range best {
		if best[i].up < best[first].up {
			first = i
		}
	}
	return slices.Concat(best[first:], best[:first])
}

// parts reports whether edges lead from t to two tasks of its component.
func (s *cycleSearch) parts(t int32) bool {
	one := -1
	for _, e := range s.g.Down[t] {
		if e.Task != int(t) && s.inside[e.Task] == s.inside[t] && e.Task != one {
			if one >= 0 {
				return true
			}
			one = e.Task
		}
	}
	return false
}

// through searches a shortest cycle through start, shorter than limit where that is not 0; nil when there is none.
func (s *cycleSearch) through(start int32, limit int) []step {
	s.round++
	s.seen[start] = s.round
	s.queue = append(s.queue[:0], start)
	for at, depth, level := 0, 1, 1; at < len(s.queue); at++ {
		if at == level { // the queue holds one depth after the other
			depth, level = depth+1, len(s.queue)
		}
		if limit > 0 && depth >= limit {
			return nil
		}
		t := s.queue[at]
		s.budget -= len(s.g.Down[t])
		for i, e := range s.g.Down[t] {
			d := int32(e.Task)
			if d == t || s.inside[d] != s.inside[t] {
				continue
			}
			if d == start {
				return s.trail(start, step{t, int32(i)})
			}
			if s.seen[d] != s.round {
				s.seen[d], s.parent[d] = s.round, step{t, int32(i)}
				s.queue = append(s.queue, d)
			}
		}
	}
	return nil
}

func (s *cycleSearch) trail(start int32, last step) []step {
	cycle := []step{last}
	for at := last.up; at != start; {
		p := s.parent[at]
		cycle = append(cycle, p)
		at = p.up
	}
	slices.Reverse(cycle)
	return cycle
}
