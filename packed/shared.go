package packed

import "unsafe"

// Pointers codes pointers to values of one type: those that were equal are equal again. One serves one Coder.
type Pointers[T any] struct {
	at   map[*T]int
	all  []*T
	slab slab[T]
}

// What stands in the place of a pointer, or a slice.
const (
	isNil   = iota
	isNew   // the value follows
	isKnown // and from here on: the first one, the second …
)

// Code is a pointer and, where it is the first to its value, that, which each codes.
func (p *Pointers[T]) Code(c *Coder, ptr **T, each func(*T)) {
	if !c.reading {
		p.write(c, *ptr, each)
		return
	}
	*ptr = nil
	var n uint64
	switch c.Uint64(&n); {
	case n == isNil:
	case n == isNew:
		if !c.enter() {
			return
		}
		v := &p.slab.take(1)[0]
		each(v)
		p.all = append(p.all, v) // behind what it holds: nothing holds itself
		*ptr = v
		c.depth--
	case n-isKnown < uint64(len(p.all)):
		*ptr = p.all[n-isKnown]
	default:
		c.Fail()
	}
}

func (p *Pointers[T]) write(c *Coder, ptr *T, each func(*T)) {
	n := uint64(isNil)
	if ptr != nil {
		at, known := p.at[ptr]
		if n = uint64(at) + isKnown; !known {
			n = isNew
		}
	}
	if c.Uint64(&n); n != isNew || !c.enter() {
		return
	}
	each(ptr)
	if p.at == nil {
		p.at = map[*T]int{}
	}
	p.at[ptr] = len(p.at)
	c.depth--
}

// Slices codes slices of one type: those that were the same piece of memory are again, and one that is nil is. One serves one Coder.
// What is read has no room behind it.
type Slices[T any] struct {
	at   map[piece[T]]int
	all  [][]T
	slab slab[T]
}

type piece[T any] struct {
	first *T
	n     int
}

// Code is a slice and its elements, which each codes and which take at least so many bytes.
func (s *Slices[T]) Code(c *Coder, list *[]T, least int, each func(*T)) {
	if !c.reading {
		s.write(c, *list, each)
		return
	}
	*list = nil
	var n uint64
	switch c.Uint64(&n); {
	case n == isNil:
	case n == isNew:
		var count int
		if c.Count(&count, least); c.failed || !c.enter() {
			return
		}
		l := []T{}
		if count > 0 {
			l = s.slab.take(count)
			for i := range l {
				each(&l[i])
			}
			s.all = append(s.all, l)
		}
		*list = l
		c.depth--
	case n-isKnown < uint64(len(s.all)):
		*list = s.all[n-isKnown]
	default:
		c.Fail()
	}
}

func (s *Slices[T]) write(c *Coder, list []T, each func(*T)) {
	n := uint64(isNil)
	key := piece[T]{unsafe.SliceData(list), len(list)}
	if list != nil {
		at, known := s.at[key]
		if n = uint64(at) + isKnown; !known {
			n = isNew
		}
	}
	if c.Uint64(&n); n != isNew {
		return
	}
	count := len(list)
	if c.Count(&count, 1); count == 0 || !c.enter() {
		return
	}
	for i := range list {
		each(&list[i])
	}
	if s.at == nil {
		s.at = map[piece[T]]int{}
	}
	s.at[key] = len(s.at)
	c.depth--
}

// Strings are slices of texts.
type Strings struct{ slices Slices[string] }

// Code is a slice of texts.
func (s *Strings) Code(c *Coder, list *[]string) { s.slices.Code(c, list, 1, c.String) }

// slab gives memory for many small values a piece at a time: the collector has less to look at than with one object each.
type slab[T any] struct {
	free []T
	next int
}

const slabMost = 512

func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		s.next = min(max(2*s.next, 8), slabMost)
		if n >= s.next/4 {
			return make([]T, n)
		}
		s.free = make([]T, s.next)
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}
