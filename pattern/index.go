package pattern

import (
	"slices"
	"strings"
)

// Index finds, among many anchored patterns, those that match a path and those that overlap a pattern, without comparing
// with all: patterns hang on the tree of their fixed prefixes (literals on their path), and a search goes down only where
// it can still meet one. Answers are exact, as those of Match and Overlap. Patterns of equal text are compared once.
//
// Searches are safe for concurrent use once everything was added.
type Index struct {
	root  indexNode
	count int
}

// indexNode is a directory of fixed prefixes, or a literal's path.
type indexNode struct {
	path     string
	children children
	literal  []indexLiteral // that name this path
	globs    []indexGlob
	byText   map[string]int // position in globs; nil while there are few
}

type indexLiteral struct {
	pattern Pattern
	id      int
}

type indexGlob struct {
	pattern Pattern
	ids     []int
}

// NewIndex makes an empty index.
func NewIndex() *Index { return &Index{root: indexNode{path: "/"}} }

// Len is how many patterns were added.
func (x *Index) Len() int { return x.count }

// Add puts an anchored pattern in. One id may stand for several patterns. The zero Pattern matches nothing and is left out.
func (x *Index) Add(id int, p Pattern) {
	if p.p == nil {
		return
	}
	x.count++
	n := x.root.make(p.p.path)
	if p.p.glob == nil {
		n.literal = append(n.literal, indexLiteral{p, id})
		if p.p.folder {
			n.addGlob(id, p.Inside())
		}
		return
	}
	n.addGlob(id, p)
}

func (n *indexNode) make(path string) *indexNode {
	for rest := path[1:]; rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		child := n.children.named(name)
		if child == nil {
			child = &indexNode{path: below(n.path, "/"+name)}
			n.children.add(child)
		}
		n, rest = child, more
	}
	return n
}

// children are the nodes in a directory. Nearly every node has one or two, for which a map would take ten times as much memory.
type children struct {
	few  []*indexNode
	many map[string]*indexNode // nil while they are few
}

const fewChildren = 8

// name is the last segment of the path.
func (n *indexNode) name() string { return n.path[strings.LastIndexByte(n.path, '/')+1:] }

// named is the child of that name, nil when there is none.
func (c *children) named(name string) *indexNode {
	if c.many != nil {
		return c.many[name]
	}
	for _, child := range c.few {
		if child.name() == name {
			return child
		}
	}
	return nil
}

func (c *children) add(child *indexNode) {
	switch {
	case c.many != nil:
		c.many[child.name()] = child
	case len(c.few) < fewChildren:
		c.few = append(c.few, child)
	default:
		c.many = make(map[string]*indexNode, 2*fewChildren)
		for _, child := range append(c.few, child) {
			c.many[child.name()] = child
		}
		c.few = nil
	}
}

// all yields each child with its name, in any order.
func (c *children) all(yield func(string, *indexNode) bool) {
	for _, child := range c.few {
		if !yield(child.name(), child) {
			return
		}
	}
	for name, child := range c.many {
		if !yield(name, child) {
			return
		}
	}
}

const manyGlobs = 8

func (n *indexNode) addGlob(id int, p Pattern) {
	text := p.identity()
	at, found := n.byText[text]
	if !found && n.byText == nil {
		at = slices.IndexFunc(n.globs, func(g indexGlob) bool { return g.pattern.identity() == text })
		found = at >= 0
	}
	if found {
		n.globs[at].ids = append(n.globs[at].ids, id)
		return
	}
	n.globs = append(n.globs, indexGlob{p, []int{id}})
	switch {
	case n.byText != nil:
		n.byText[text] = len(n.globs) - 1
	case len(n.globs) > manyGlobs:
		n.byText = make(map[string]int, 2*manyGlobs)
		for i, g := range n.globs {
			n.byText[g.pattern.identity()] = i
		}
	}
}

// found collects ids.
type found []int

// visit calls visit with each id once, in ascending order.
func (f found) visit(visit func(id int)) {
	slices.Sort(f)
	for _, id := range slices.Compact(f) {
		visit(id)
	}
}

// Matching visits the id of each pattern that matches path, in ascending order, each id once.
func (x *Index) Matching(path string, visit func(id int)) {
	x.matching(path).visit(visit)
}

func (x *Index) matching(path string) (ids found) {
	if Invisible(path) || path == "" || path[0] != '/' {
		return nil
	}
	n := &x.root
	for rest := path[1:]; ; {
		for i := range n.globs {
			if n.globs[i].pattern.Match(path) {
				ids = append(ids, n.globs[i].ids...)
			}
		}
		name, more, found := strings.Cut(rest, "/")
		if n = n.children.named(name); n == nil {
			return ids
		}
		if !found {
			return n.literals(ids, func(l Pattern) bool { return l.Match(path) })
		}
		if len(n.literal) > 0 && everything.matches(more) {
			ids = n.literals(ids, func(l Pattern) bool { return l.Match(path) })
		}
		rest = more
	}
}

// Overlapping visits the id of each pattern that has a path in common with the anchored pattern p, in ascending order,
// each id once; so p's own id too, when p was added.
func (x *Index) Overlapping(p Pattern, visit func(id int)) {
	switch {
	case p.p == nil || Invisible(p.p.path):
	case p.p.glob == nil && !p.p.folder:
		x.touching(p.p.path, p).visit(visit)
	case p.p.glob == nil:
		ids := x.overlapping(p.Inside())
		if p.Match(p.p.path) {
			ids = append(ids, x.matching(p.p.path)...)
		}
		ids.visit(visit)
	default:
		x.overlapping(p).visit(visit)
	}
}

// Touching visits the id of each pattern that matches path, and of those whose Path is or lies below it, in ascending order,
// each id once: what has to do with a thing at path of which nobody knows whether it is a folder.
func (x *Index) Touching(path string, visit func(id int)) { x.touching(path, Pattern{}).visit(visit) }

func (x *Index) touching(path string, of Pattern) (ids found) {
	if of.IsZero() || of.Match(path) {
		ids = x.matching(path)
	}
	n := &x.root
	for rest := strings.TrimPrefix(path, "/"); rest != "" && n != nil; {
		name, more, _ := strings.Cut(rest, "/")
		n, rest = n.children.named(name), more
	}
	if n != nil && !Invisible(path) {
		s := overlapSearch{p: everything, of: of, ids: ids}
		s.below(n, s.p.Begin())
		ids = s.ids
	}
	return ids
}

func (x *Index) overlapping(p Pattern) found {
	s := overlapSearch{p: p.p.glob, of: p}
	if n := s.down(&x.root, p); n != nil {
		s.below(n, s.p.Begin())
	}
	return s.ids
}

type overlapSearch struct {
	p   *Program
	of  Pattern // whose program it is; zero: exceptions are not looked at
	ids found
}

// down goes along the fixed prefix of p, takes what overlaps of the globs above its end, and returns the node there.
func (s *overlapSearch) down(n *indexNode, p Pattern) *indexNode {
	for rest := p.p.path[1:]; rest != ""; {
		for i := range n.globs {
			if g := &n.globs[i]; Overlap(g.pattern, p) {
				s.ids = append(s.ids, g.ids...)
			}
		}
		name, more, _ := strings.Cut(rest, "/")
		if n = n.children.named(name); n == nil {
			return nil
		}
		if rest = more; len(n.literal) > 0 && Overlap(insideOf(n.path), p) { // if it is a folder, all that p selects lies in it
			s.ids = n.literals(s.ids, func(l Pattern) bool { return Overlap(l, p) })
		}
	}
	return n
}

// stays reports whether exceptions leave something of what a pattern has in common with that of the search.
func (s *overlapSearch) stays(p Pattern) bool {
	return s.of.IsZero() || !p.lessSomething() && !s.of.lessSomething() || Overlap(p, s.of)
}

// literals appends the ids of the literals of a node where keep says so.
func (n *indexNode) literals(ids found, keep func(Pattern) bool) found {
	for _, l := range n.literal {
		if keep(l.pattern) {
			ids = append(ids, l.id)
		}
	}
	return ids
}

// below takes what overlaps of n, where p stands at the places at, and of all below it.
func (s *overlapSearch) below(n *indexNode, at []int32) {
	for i := range n.globs {
		g := &n.globs[i]
		q := g.pattern.p.glob
		if !endAlike(s.p.tail, q.tail) {
			continue
		}
		if meets(s.p, at, q, n.path) && s.stays(g.pattern) {
			s.ids = append(s.ids, g.ids...)
		}
	}
	for name, child := range n.children.all {
		next, end := s.p.Step(at, name, name == GitName)
		if (!end && len(next) == 0) || Invisible(child.path) {
			continue
		}
		if end {
			s.ids = child.literals(s.ids, s.stays)
		}
		if len(next) > 0 {
			s.below(child, next)
		}
	}
}

func meets(a *Program, at []int32, b *Program, dir string) bool {
	_, ok := meet(a, at, b, b.Begin(), pathBehind(dir), false)
	return ok
}
