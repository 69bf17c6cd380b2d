package moving

import (
	"slices"
	"strings"
)

// moonNode is a task in the graph of all.
type moonNode struct {
	of   *moonProject
	name string // ours
}

// unwind takes dependencies out of circles that only projects make which use each other: there moon leaves one out as well.
func (m *moon) unwind() {
	byName := map[string]*moonProject{}
	tasks := map[moonNode]*task{}
	var nodes []moonNode
	for _, p := range m.all {
		byName[p.ours] = p
		for _, k := range p.made.tasks {
			n := moonNode{p, k.name}
			tasks[n] = k
			nodes = append(nodes, n)
		}
	}
	g := &moonGraph{m: m, byName: byName, tasks: tasks}
	for range 10 * (len(nodes) + 1) {
		circle := g.circle(nodes)
		if circle == nil || !g.open(circle) {
			return
		}
	}
}

type moonGraph struct {
	m      *moon
	byName map[string]*moonProject
	tasks  map[moonNode]*task
}

// targets are the tasks that a reference of a task means.
func (g *moonGraph) targets(n moonNode, ref string) (out []moonNode) {
	scope, name, _ := strings.Cut(ref, ":")
	has := func(p *moonProject) bool { return g.tasks[moonNode{p, name}] != nil }
	switch {
	case scope == "~":
		out = append(out, moonNode{n.of, name})
	case scope == "^uses":
		seen := map[*moonProject]bool{n.of: true}
		open := []*moonProject{n.of}
		for len(open) > 0 {
			p := open[0]
			open = open[1:]
			for _, u := range p.uses {
				if seen[u.to] {
					continue
				}
				seen[u.to] = true
				if has(u.to) {
					out = append(out, moonNode{u.to, name})
				} else {
					open = append(open, u.to)
				}
			}
		}
	case strings.HasPrefix(scope, "["):
		tag := strings.Trim(scope, "[]~")
		for _, p := range g.m.all {
			if p != n.of && has(p) && slices.ContainsFunc(p.tags, func(t string) bool { return tagName(t) == tag }) {
				out = append(out, moonNode{p, name})
			}
		}
	default:
		if p := g.byName[scope]; p != nil {
			out = append(out, moonNode{p, name})
		}
	}
	return out
}

// moonStep is an edge of a circle.
type moonStep struct {
	from moonNode
	ref  string
	to   moonNode
}

// circle finds one; nil: there is none.
func (g *moonGraph) circle(nodes []moonNode) []moonStep {
	done, on := map[moonNode]bool{}, map[moonNode]int{}
	var steps, found []moonStep
	var visit func(n moonNode)
	visit = func(n moonNode) {
		on[n] = len(steps)
		k := g.tasks[n]
		for _, ref := range slices.Concat(k.deps, k.direct) {
			for _, to := range g.targets(n, ref) {
				if found != nil {
					return
				}
				if g.tasks[to] == nil || done[to] {
					continue
				}
				steps = append(steps, moonStep{n, ref, to})
				if at, is := on[to]; is {
					found = slices.Clone(steps[at:])
					return
				}
				visit(to)
				steps = steps[:len(steps)-1]
			}
		}
		if found == nil {
			delete(on, n)
			done[n] = true
		}
	}
	for _, n := range nodes {
		if !done[n] && found == nil {
			visit(n)
		}
	}
	return found
}

// open takes one edge out of a circle that a relation of projects makes. False: there is none, and the circle is one of moon's as well.
func (g *moonGraph) open(circle []moonStep) bool {
	for at := len(circle) - 1; at >= 0; at-- {
		s := circle[at]
		k := g.tasks[s.from]
		if !strings.HasPrefix(s.ref, "^uses:") {
			continue
		}
		for _, list := range []*[]string{&k.deps, &k.direct} {
			i := slices.Index(*list, s.ref)
			if i < 0 {
				continue
			}
			var refs []string
			for _, to := range g.targets(s.from, s.ref) {
				if to != s.to {
					refs = append(refs, to.of.ours+":"+to.name)
				}
			}
			*list = unique(slices.Concat((*list)[:i:i], refs, (*list)[i+1:]))
		}
		k.comments = unique(append(k.comments, "projects here use each other in a circle: what it would wait for of "+s.to.of.ours+" is left out"))
		return true
	}
	for at := len(circle) - 1; at >= 0; at-- { // what was written out before
		s := circle[at]
		k := g.tasks[s.from]
		if s.to.of == s.from.of || !slices.ContainsFunc(k.comments, func(c string) bool { return strings.HasPrefix(c, "projects here use each other") }) {
			continue
		}
		k.deps = slices.DeleteFunc(k.deps, func(ref string) bool { return ref == s.ref })
		k.direct = slices.DeleteFunc(k.direct, func(ref string) bool { return ref == s.ref })
		k.comments = unique(append(k.comments, "projects here use each other in a circle: what it would wait for of "+s.to.of.ours+" is left out"))
		return true
	}
	return false
}
