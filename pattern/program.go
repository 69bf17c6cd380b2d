package pattern

import (
	"slices"
	"sync"
)

// program is a glob as an automaton, behind its fixed prefix: instructions that each consume one character, or none and
// fork. It is as long as the text, however many combinations of alternatives there are, and running it keeps a set of
// places and so never backtracks (after Thompson, "Regular expression search algorithm", 1968).
//
// A walk, and every match, goes segment by segment: what is kept between segments are the places that wait for the first
// character of the next one. Segments that are plain text with at most one `*` are compared as strings (shape), the others
// run the automaton.
type Program struct {
	insts  []inst
	sets   []charSet
	start  int32
	shapes []shape   // of segments that begin at an instruction
	shape  []int32   // by instruction: position in shapes, or -1
	roots  [][]int32 // by instruction: its places at the start of a segment; nil in large programs
	tail   string    // what every match ends with
	of     string    // the text that it was compiled from; of the walk of a folder, that of its glob
}

type opcode uint8

const (
	opAccept opcode = iota // the end of the path must be here
	opChar                 // the character arg, then x
	opSet                  // one of sets[arg], then x; also `?`
	opStar                 // any character and again, or go to x
	opSlash                // "/", then x
	opDeep                 // at the start of a segment, `**`: any character, then x, or go to y as if no segment were here
	opInside               // in a segment that `**` takes: any character and again; "/" then y; or go to x
	opFork                 // go to x and to y
)

type inst struct {
	op   opcode
	arg  int32 // opChar: the character; opSet: the set; opDeep: 1 when the pattern may end with this segment
	x, y int32 // -1: nowhere
}

// place is where the program goes on: now, or, when a `**` before it took no segment, in place of a slash that was read
// already (skip, -1 when no slash comes next). end says that the pattern may be over.
type place struct {
	next, skip int32
	end        bool
}

// compile makes the program of the items. They are taken from the end, so that each knows where to go on.
func compile(items []item) *Program {
	p := &Program{insts: make([]inst, 1, len(items)+2)} // 0 is opAccept
	p.start = p.sequence(items, place{next: 0, skip: -1, end: true}).next
	p.findTail(items)
	p.prepare()
	return p
}

func (p *Program) emit(i inst) int32 {
	p.insts = append(p.insts, i)
	return int32(len(p.insts) - 1)
}

func (p *Program) sequence(items []item, to place) place {
	for i := len(items) - 1; i >= 0; i-- {
		to = p.item(&items[i], to)
	}
	return to
}

func (p *Program) item(it *item, to place) place {
	switch it.kind {
	case itemSlash:
		return place{next: p.emit(inst{op: opSlash, x: to.next}), skip: to.next}
	case itemBrace:
		all := place{next: -1, skip: -1}
		for i := len(it.alts) - 1; i >= 0; i-- {
			one := p.sequence(it.alts[i], to)
			all.next = p.fork(one.next, all.next)
			all.skip = p.fork(one.skip, all.skip)
			all.end = all.end || one.end
		}
		return all
	case itemDeep:
		inside := p.emit(inst{op: opInside, x: to.next})
		deep := p.emit(inst{op: opDeep, x: inside, y: to.skip})
		if to.end {
			p.insts[deep].arg = 1
		}
		p.insts[inside].y = deep
		return place{next: deep, skip: -1}
	case itemStar:
		return place{next: p.emit(inst{op: opStar, x: to.next}), skip: -1}
	case itemAny:
		return place{next: p.emit(inst{op: opSet, arg: p.set(anyChar), x: to.next}), skip: -1}
	case itemSet:
		return place{next: p.emit(inst{op: opSet, arg: p.set(it.set), x: to.next}), skip: -1}
	}
	return place{next: p.emit(inst{op: opChar, arg: it.char, x: to.next}), skip: -1}
}

func (p *Program) fork(x, y int32) int32 {
	switch {
	case x < 0:
		return y
	case y < 0 || x == y:
		return x
	}
	return p.emit(inst{op: opFork, x: x, y: y})
}

func (p *Program) set(s charSet) int32 {
	if n := len(p.sets); n > 0 && len(s) > 0 && len(p.sets[n-1]) == len(s) && &p.sets[n-1][0] == &s[0] {
		return int32(n - 1)
	}
	p.sets = append(p.sets, s)
	return int32(len(p.sets) - 1)
}

// findTail keeps the plain characters at the end, which reject most paths and pairs of patterns at once.
func (p *Program) findTail(items []item) {
	i := len(items)
	for i > 0 && items[i-1].kind == itemChar {
		i--
	}
	var b []byte
	for _, it := range items[i:] {
		b = appendChar(b, it.char)
	}
	p.tail = string(b)
}

// shape is a segment that is text, or text `*` text.
type shape struct {
	prefix, suffix string
	star           bool
	next           int32 // behind the slash that follows, or -1
	end            bool  // the pattern is over
}

func (s *shape) match(name string, spelled bool) bool {
	if !s.star {
		return name == s.prefix
	}
	return !spelled && len(name) >= len(s.prefix)+len(s.suffix) && name[:len(s.prefix)] == s.prefix && name[len(name)-len(s.suffix):] == s.suffix
}

// What programs remember is bounded: larger ones compute it again.
const (
	maxRemembered = 256     // instructions of a program that remembers roots
	maxShapeBytes = 4 << 10 // of all shapes of a program
)

func (p *Program) prepare() {
	p.shape = make([]int32, len(p.insts))
	for i := range p.shape {
		p.shape[i] = -1
	}
	small := len(p.insts) <= maxRemembered
	if small {
		p.roots = make([][]int32, len(p.insts))
	}
	room := maxShapeBytes
	s := getScratch(len(p.insts))
	defer s.put()
	begin := func(pc int32) {
		roots := s.segmentRoots(p, nil, []int32{pc})
		for _, r := range roots {
			if room > 0 && p.shape[r] < 0 {
				p.addShape(r, &room)
			}
		}
		if small {
			p.roots[pc] = slices.Clone(roots)
		}
	}
	if !small {
		// A large program has many segments that begin in many places. Those that are entered by a single one are enough.
		for i := range p.insts {
			if in := &p.insts[i]; in.op == opSlash && room > 0 {
				p.addShape(in.x, &room)
			}
		}
		return
	}
	begin(p.start)
	for i := range p.insts {
		switch in := &p.insts[i]; in.op {
		case opSlash:
			if p.roots[in.x] == nil {
				begin(in.x)
			}
		case opDeep:
			if p.roots[i] == nil {
				begin(int32(i))
			}
		}
	}
}

func (p *Program) addShape(at int32, room *int) {
	if p.shape[at] >= 0 {
		return
	}
	var text [2][]byte
	sh := shape{next: -1}
	part := 0
	for pc := at; *room > 0; {
		switch in := &p.insts[pc]; in.op {
		case opChar:
			*room--
			text[part] = appendChar(text[part], in.arg)
			pc = in.x
			continue
		case opStar:
			if sh.star {
				return
			}
			sh.star, part = true, 1
			pc = in.x
			continue
		case opSlash:
			sh.next = in.x
		case opAccept:
			sh.end = true
		default:
			return
		}
		sh.prefix, sh.suffix = string(text[0]), string(text[1])
		p.shapes = append(p.shapes, sh)
		p.shape[at] = int32(len(p.shapes) - 1)
		return
	}
}

// Begin is where a match stands before its first segment.
func (p *Program) Begin() []int32 { return p.rootsOf(p.start) }

// rootsOf are the places at the start of a segment that pc stands for. The result must not be changed.
func (p *Program) rootsOf(pc int32) []int32 {
	if p.roots != nil && p.roots[pc] != nil {
		return p.roots[pc]
	}
	s := getScratch(len(p.insts))
	defer s.put()
	return slices.Clone(s.segmentRoots(p, nil, []int32{pc}))
}

// Step takes the segment name at the places at: next are the places for the segment behind it (nil: there can be none),
// end says that a path may end with name. spelled is for names that wildcards do not match.
//
// It looks neither at what is invisible nor at "." and "..". The result must not be changed.
func (p *Program) Step(at []int32, name string, spelled bool) (next []int32, end bool) {
	var first [4]int32 // where next segments begin, mostly one place
	to := first[:0]
	run := 0
	for _, pc := range at {
		if i := p.shape[pc]; i >= 0 {
			if sh := &p.shapes[i]; sh.match(name, spelled) {
				end = end || sh.end
				if sh.next >= 0 {
					to = append(to, sh.next)
				}
			}
			continue
		}
		if in := &p.insts[pc]; in.op == opDeep {
			if !spelled {
				to = append(to, pc)
				end = end || in.arg == 1
			}
			continue
		}
		run++
	}
	if run == 0 {
		switch len(to) {
		case 0:
			return nil, end
		case 1:
			return p.rootsOf(to[0]), end
		}
	}
	s := getScratch(len(p.insts))
	defer s.put()
	if run > 0 {
		var ended bool
		to, ended = s.runSegment(p, at, name, spelled, to)
		end = end || ended
	}
	switch len(to) {
	case 0:
		return nil, end
	case 1:
		return p.rootsOf(to[0]), end
	}
	return slices.Clone(s.segmentRoots(p, nil, to)), end
}

// scratch is the memory of one run.
type scratch struct {
	mark      []uint32 // by instruction: the generation that has seen it
	gen       uint32
	cur, next []int32
	stack     []int32
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func getScratch(size int) *scratch {
	s := scratches.Get().(*scratch)
	if len(s.mark) < size {
		s.mark = make([]uint32, size)
		s.gen = 0
	}
	return s
}

func (s *scratch) put() { scratches.Put(s) }

func (s *scratch) newGeneration() {
	if s.gen++; s.gen == 0 {
		clear(s.mark)
		s.gen = 1
	}
}

// segmentRoots appends, to out, the places that wait for the first character of a segment when the segment begins at pcs.
func (s *scratch) segmentRoots(p *Program, out []int32, pcs []int32) []int32 {
	s.newGeneration()
	for _, pc := range pcs {
		s.stack = append(s.stack[:0], pc)
		for len(s.stack) > 0 {
			pc := s.stack[len(s.stack)-1]
			s.stack = s.stack[:len(s.stack)-1]
			if s.mark[pc] == s.gen {
				continue
			}
			s.mark[pc] = s.gen
			switch in := &p.insts[pc]; in.op {
			case opFork:
				s.stack = append(s.stack, in.y, in.x)
			case opDeep:
				out = append(out, pc)
				if in.y >= 0 {
					s.stack = append(s.stack, in.y)
				}
			default:
				out = append(out, pc)
			}
		}
	}
	return out
}

// runSegment runs the automaton over one name from those places in at that no shape or `**` serves. It appends to to where
// next segments begin and says whether the path may end here.
func (s *scratch) runSegment(p *Program, at []int32, name string, spelled bool, to []int32) ([]int32, bool) {
	s.cur = s.cur[:0]
	s.newGeneration()
	for _, pc := range at {
		if p.shape[pc] < 0 && p.insts[pc].op != opDeep {
			s.cur = s.follow(p, s.cur, pc, spelled)
		}
	}
	for rest := name; rest != ""; {
		c, size := nextChar(rest)
		rest = rest[size:]
		s.next = s.next[:0]
		s.newGeneration()
		for _, pc := range s.cur {
			switch in := &p.insts[pc]; in.op {
			case opChar:
				if in.arg == c {
					s.next = s.follow(p, s.next, in.x, spelled)
				}
			case opSet:
				if !spelled && p.sets[in.arg].has(c) {
					s.next = s.follow(p, s.next, in.x, spelled)
				}
			case opStar:
				if !spelled {
					s.next = s.follow(p, s.next, pc, spelled)
				}
			}
		}
		s.cur, s.next = s.next, s.cur
		if len(s.cur) == 0 {
			return to, false
		}
	}
	end := false
	for _, pc := range s.cur {
		switch in := &p.insts[pc]; in.op {
		case opSlash:
			to = append(to, in.x)
		case opAccept:
			end = true
		}
	}
	return to, end
}

// follow appends, to out, what pc stands for without reading a character.
func (s *scratch) follow(p *Program, out []int32, pc int32, spelled bool) []int32 {
	s.stack = append(s.stack[:0], pc)
	for len(s.stack) > 0 {
		pc := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if s.mark[pc] == s.gen {
			continue
		}
		s.mark[pc] = s.gen
		switch in := &p.insts[pc]; in.op {
		case opFork:
			s.stack = append(s.stack, in.y, in.x)
		case opStar:
			if spelled { // not even as nothing: `.git*` does not spell ".git"
				continue
			}
			out = append(out, pc)
			s.stack = append(s.stack, in.x)
		default:
			out = append(out, pc)
		}
	}
	return out
}

// Names are the names that alone can be met from the places at; ok is false when there are others. A walk looks them up
// and need not read the directory.
func (p *Program) Names(at []int32) (names []string, ok bool) {
	for _, pc := range at {
		i := p.shape[pc]
		if i < 0 || p.shapes[i].star {
			return nil, false
		}
		names = append(names, p.shapes[i].prefix)
	}
	slices.Sort(names)
	return slices.Compact(names), true
}
