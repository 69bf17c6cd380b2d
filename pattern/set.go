package pattern

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// A character, here, is a Unicode code point, or one byte that is not UTF-8. Names on disk are bytes, so both occur, and
// `?` matches one of either. Characters are numbers: code points as they are, bad bytes behind the last code point.
const (
	firstBad = utf8.MaxRune + 1 // of byte 0; only 0x80 and above occur
	lastChar = firstBad + 0xff
)

// nextChar takes the first character off s, which must not be empty.
func nextChar(s string) (c rune, size int) {
	if b := s[0]; b < utf8.RuneSelf {
		return rune(b), 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return firstBad + rune(s[0]), 1
	}
	return r, size
}

// appendChar puts character c behind b.
func appendChar(b []byte, c rune) []byte {
	if c >= firstBad {
		return append(b, byte(c-firstBad))
	}
	return utf8.AppendRune(b, c)
}

// span is a range of characters, both ends included.
type span struct{ lo, hi rune }

// charSet is a set of characters: sorted spans that neither touch nor overlap. It never holds "/", NUL or the surrogates,
// none of which occurs in a name, so that a set that is not empty has a character that occurs.
type charSet []span

// absent are the numbers that are no character of any name.
var absent = charSet{{0, 0}, {'/', '/'}, {0xd800, 0xdfff}, {firstBad, firstBad + 0x7f}}

// anyChar is what `?` matches.
var anyChar = absent.complement()

// makeSet makes the set of the spans, or its complement.
func makeSet(spans []span, negated bool) charSet {
	s := normal(spans)
	if negated {
		s = normal(append(slices.Clone(s), absent...)).complement()
		return s
	}
	return s.intersect(anyChar)
}

// normal sorts and joins spans.
func normal(spans []span) charSet {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi)) })
	var out charSet
	for _, s := range spans {
		if n := len(out); n > 0 && s.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, s.hi)
			continue
		}
		out = append(out, s)
	}
	return out
}

// complement is every number up to lastChar that s lacks.
func (s charSet) complement() charSet {
	var out charSet
	next := rune(0)
	for _, p := range s {
		if p.lo > next {
			out = append(out, span{next, p.lo - 1})
		}
		next = p.hi + 1
	}
	if next <= lastChar {
		out = append(out, span{next, lastChar})
	}
	return out
}

func (s charSet) intersect(o charSet) charSet {
	var out charSet
	for i, j := 0, 0; i < len(s) && j < len(o); {
		lo, hi := max(s[i].lo, o[j].lo), min(s[i].hi, o[j].hi)
		if lo <= hi {
			out = append(out, span{lo, hi})
		}
		if s[i].hi < o[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

func (s charSet) has(c rune) bool {
	if len(s) <= 4 {
		for _, p := range s {
			if c <= p.hi {
				return c >= p.lo
			}
		}
		return false
	}
	_, found := slices.BinarySearchFunc(s, c, func(p span, c rune) int {
		switch {
		case p.hi < c:
			return -1
		case p.lo > c:
			return 1
		}
		return 0
	})
	return found
}

// common returns a character of both sets that none of the given ones is, a readable one where there is a choice.
func (s charSet) common(o charSet, except []rune) (rune, bool) {
	for _, c := range "abcxyz019AZ_" {
		if s.has(c) && o.has(c) && !slices.Contains(except, c) {
			return c, true
		}
	}
	for i, j := 0, 0; i < len(s) && j < len(o); {
		lo, hi := max(s[i].lo, o[j].lo), min(s[i].hi, o[j].hi)
		for c := lo; c <= hi; c++ { // ends after at most len(except) rounds
			if !slices.Contains(except, c) {
				return c, true
			}
		}
		if s[i].hi < o[j].hi {
			i++
		} else {
			j++
		}
	}
	return 0, false
}
