package pattern

import (
	"slices"
	"strings"
)

// Overlap reports, exactly, whether some path matches both anchored patterns (S-03). A literal without a slash at its end counts as
// the one path that it names, and as a folder with what can only be meant as something in it: a literal below it, a glob whose fixed
// prefix is it or lies below it.
func Overlap(a, b Pattern) bool {
	_, ok := lessExceptions(a, b, false)
	return ok
}

// lessExceptions is overlap where the patterns may have exceptions. It is exact but for this: of what two patterns have in common it sees
// that exceptions take it away where they take away all that one of the two selects.
func lessExceptions(a, b Pattern, show bool) (path string, ok bool) {
	if a.p == nil || b.p == nil || !a.lessSomething() && !b.lessSomething() {
		return overlap(a, b, show)
	}
	if path, ok = overlap(a, b, true); !ok || a.Match(path) && b.Match(path) {
		return path, ok
	}
	return path, !a.takesAllOf(b) && !b.takesAllOf(a)
}

// takesAllOf reports whether exceptions of p take away all that q selects.
func (p Pattern) takesAllOf(q Pattern) bool {
	if p.inNested(q.p.path) {
		return true
	}
	return slices.ContainsFunc(p.p.except, func(x Pattern) bool {
		if q.p.glob == nil && x.Match(q.p.path) || x.isWholly(q) {
			return true
		}
		return (q.p.glob != nil || q.p.folder) && x.CoversAllBelow(q.p.path)
	})
}

// isWholly reports whether p selects all that q does because it is written the same.
func (p Pattern) isWholly(q Pattern) bool {
	return p.p.text == q.p.text && (!p.lessSomething() || p.identity() == q.identity())
}

// Common is Overlap with a path to show: one that both patterns match, "" when there is none.
func Common(a, b Pattern) (path string, ok bool) {
	return lessExceptions(a, b, true)
}

func overlap(a, b Pattern, show bool) (path string, ok bool) {
	switch {
	case a.p == nil || b.p == nil:
		return "", false
	case a.p.glob == nil && b.p.glob == nil:
		if len(a.p.path) < len(b.p.path) {
			a, b = b, a
		}
		return a.p.path, b.Match(a.p.path)
	case a.p.glob == nil:
		return overlapLiteral(a, b, show)
	case b.p.glob == nil:
		return overlapLiteral(b, a, show)
	}
	if len(a.p.path) > len(b.p.path) {
		a, b = b, a
	}
	if !endAlike(a.p.glob.tail, b.p.glob.tail) {
		return "", false
	}
	at := a.at(b.p.path)
	if len(at) == 0 || Invisible(b.p.path) {
		return "", false
	}
	rest, ok := meet(a.p.glob, at, b.p.glob, b.p.glob.Begin(), pathBehind(b.p.path), show)
	return below(b.p.path, "/"+rest), ok
}

// overlapLiteral is overlap for a literal and a glob. Most literals are files: what one that says nothing of a folder would select
// below it counts only where the glob selects nothing but what lies there.
func overlapLiteral(a, b Pattern, show bool) (path string, ok bool) {
	switch {
	case b.Match(a.p.path):
		return a.p.path, true
	case a.p.folder || IsOrBelow(b.p.path, a.p.path):
		return overlap(a.Inside(), b, show)
	}
	return "", false
}

// endAlike reports whether a path can end with both texts.
func endAlike(s, t string) bool { return strings.HasSuffix(s, t) || strings.HasSuffix(t, s) }

// pair is a place in each of two programs after the same characters. dirtyA says that, in this segment, a wildcard of a took
// part; it is kept only where the segment may become ".git", which no wildcard matches.
type pair struct {
	a, b           int32
	path           pathState
	dirtyA, dirtyB bool
}

// product searches for a word that two programs accept, and that is the rest of a visible path.
type product struct {
	a, b  *Program
	seen  pairSet
	todo  []pair
	trail map[pair]origin // nil unless a word is to be shown
}

// origin is how the search first came to a pair.
type origin struct {
	from pair
	char rune // 0: none was read
}

// meet searches from the places atA and atB at the start of a segment.
func meet(a *Program, atA []int32, b *Program, atB []int32, path pathState, show bool) (word string, ok bool) {
	p := product{a: a, b: b}
	if show {
		p.trail = map[pair]origin{}
	}
	p.seen.init(len(a.insts), len(b.insts))
	for _, x := range atA {
		for _, y := range atB {
			p.reach(pair{a: x, b: y, path: path}, origin{})
		}
	}
	for len(p.todo) > 0 {
		at := p.todo[len(p.todo)-1]
		p.todo = p.todo[:len(p.todo)-1]
		if p.accepts(at) {
			return p.word(at), true
		}
		p.expand(at)
	}
	return "", false
}

func (p *product) reach(next pair, from origin) {
	if next.path == deadPath {
		return
	}
	if !paths[next.path].git {
		next.dirtyA, next.dirtyB = false, false
	}
	if !p.seen.add(next) {
		return
	}
	if p.trail != nil {
		p.trail[next] = from
	}
	p.todo = append(p.todo, next)
}

// segmentMayEnd reports whether both programs and the path allow the segment to end here.
func (at pair) segmentMayEnd() bool { return !paths[at.path].spelled || !at.dirtyA && !at.dirtyB }

func (p *product) accepts(at pair) bool {
	return p.a.insts[at.a].op == opAccept && p.b.insts[at.b].op == opAccept && paths[at.path].end && at.segmentMayEnd()
}

// expand goes on from a pair: without a character in one program, or with a character in both.
func (p *product) expand(at pair) {
	for _, n := range p.a.silent(at.a) {
		if n.to >= 0 {
			next := at
			next.a, next.dirtyA = n.to, at.dirtyA || n.dirty
			p.reach(next, origin{from: at})
		}
	}
	for _, n := range p.b.silent(at.b) {
		if n.to >= 0 {
			next := at
			next.b, next.dirtyB = n.to, at.dirtyB || n.dirty
			p.reach(next, origin{from: at})
		}
	}
	for _, x := range p.a.reads(at.a) {
		for _, y := range p.b.reads(at.b) {
			if x.to < 0 || y.to < 0 {
				continue
			}
			p.read(at, x, y)
		}
	}
}

// read goes on with every kind of character that both edges take.
func (p *product) read(at pair, x, y edge) {
	next := pair{a: x.to, b: y.to, dirtyA: at.dirtyA || x.set != nil, dirtyB: at.dirtyB || y.set != nil}
	switch {
	case x.char == '/' || y.char == '/':
		if x.char == y.char && at.segmentMayEnd() {
			next.path = paths[at.path].slash
			next.dirtyA, next.dirtyB = false, false
			p.reach(next, origin{at, '/'})
		}
	case x.set == nil || y.set == nil:
		c := x.char
		if x.set != nil {
			c = y.char
		}
		if x.takes(c) && y.takes(c) {
			next.path = at.path.read(c)
			p.reach(next, origin{at, c})
		}
	default:
		// Characters that the path does not tell apart are alike.
		known := paths[at.path].chars
		for i, c := range known {
			if x.takes(c) && y.takes(c) {
				next.path = paths[at.path].to[i]
				p.reach(next, origin{at, c})
			}
		}
		if c, ok := x.set.common(y.set, known); ok {
			next.path = paths[at.path].other
			p.reach(next, origin{at, c})
		}
	}
}

// edge is a way on that takes a character of a set, or, when set is nil, the one character.
type edge struct {
	char rune
	set  charSet
	to   int32 // -1: there is no such edge
}

func (e *edge) takes(c rune) bool {
	if e.set == nil {
		return e.char == c
	}
	return e.set.has(c)
}

// reads are the ways on from pc that take a character.
func (g *Program) reads(pc int32) [2]edge {
	none := edge{to: -1}
	switch in := &g.insts[pc]; in.op {
	case opChar:
		return [2]edge{{char: in.arg, to: in.x}, none}
	case opSet:
		return [2]edge{{set: g.sets[in.arg], to: in.x}, none}
	case opStar:
		return [2]edge{{set: anyChar, to: pc}, none}
	case opSlash:
		return [2]edge{{char: '/', to: in.x}, none}
	case opDeep:
		return [2]edge{{set: anyChar, to: in.x}, none}
	case opInside:
		return [2]edge{{set: anyChar, to: pc}, {char: '/', to: in.y}}
	}
	return [2]edge{none, none}
}

// move is a way on that takes no character; dirty when it lets a wildcard match nothing.
type move struct {
	to    int32
	dirty bool
}

func (g *Program) silent(pc int32) [2]move {
	none := move{to: -1}
	switch in := &g.insts[pc]; in.op {
	case opStar:
		return [2]move{{in.x, true}, none}
	case opDeep:
		return [2]move{{in.y, false}, none}
	case opInside:
		return [2]move{{in.x, false}, none}
	case opFork:
		return [2]move{{in.x, false}, {in.y, false}}
	}
	return [2]move{none, none}
}

// word spells the characters on the way to a pair.
func (p *product) word(at pair) string {
	if p.trail == nil {
		return ""
	}
	var chars []rune
	for {
		o := p.trail[at]
		if o.char != 0 {
			chars = append(chars, o.char)
		}
		if o.from == (pair{}) { // no pair has the path state 0
			break
		}
		at = o.from
	}
	var b []byte
	for i := len(chars) - 1; i >= 0; i-- {
		b = appendChar(b, chars[i])
	}
	return string(b)
}

// pairSet is a set of pairs. Nearly all have a path that is like no name it knows, and no dirt: those have a table of bits. The
// others have rows of bits that are made when needed.
type pairSet struct {
	nb    int
	plain []uint64
	rows  map[int][]uint64
}

func (s *pairSet) init(na, nb int) {
	s.nb = nb
	s.plain = make([]uint64, (na*nb+63)/64)
}

// add reports whether the pair is new.
func (s *pairSet) add(p pair) bool {
	if p.path == plainName {
		return setBit(s.plain, int(p.a)*s.nb+int(p.b))
	}
	row := (int(p.a)*len(paths)+int(p.path))*4 + bit(p.dirtyA)*2 + bit(p.dirtyB)
	bits := s.rows[row]
	if bits == nil {
		if s.rows == nil {
			s.rows = map[int][]uint64{}
		}
		bits = make([]uint64, (s.nb+63)/64)
		s.rows[row] = bits
	}
	return setBit(bits, int(p.b))
}

func setBit(bits []uint64, i int) bool {
	w, m := &bits[i/64], uint64(1)<<(i%64)
	if *w&m != 0 {
		return false
	}
	*w |= m
	return true
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
