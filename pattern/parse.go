package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// isGlob reports whether text is a glob rather than a literal (PATH-008).
func isGlob(text string) bool { return strings.ContainsAny(text, `*?[{\`) }

type itemKind uint8

const (
	itemChar  itemKind = iota // one character, itself
	itemSlash                 // the end of a segment
	itemAny                   // `?`
	itemSet                   // `[...]`
	itemStar                  // `*`
	itemDeep                  // `**`
	itemBrace                 // `{...}`
)

// item is one thing of a glob, in the order of the text.
type item struct {
	kind itemKind
	char rune
	off  int32 // where it stands in the text
	end  int32
	set  charSet
	alts [][]item // of a brace; their items are no braces
}

// parser reads the text of a glob, which has no forbidden character.
type parser struct {
	text string
	pos  int
}

func (p *parser) fail(rule string, from, to int, format string, args ...any) *SyntaxError {
	return &SyntaxError{Rule: rule, Text: p.text, Offset: from, Length: to - from, Reason: fmt.Sprintf(format, args...)}
}

// items reads up to the end of the text, or, inside braces, up to the "," or "}" behind an alternative.
func (p *parser) items(inBrace bool) ([]item, *SyntaxError) {
	var out []item
	if !inBrace {
		out = make([]item, 0, len(p.text)-p.pos)
	}
	for p.pos < len(p.text) {
		start := p.pos
		it := item{kind: itemChar, off: int32(start)}
		switch c := p.text[start]; {
		case inBrace && (c == ',' || c == '}'):
			return out, nil
		case c == '{' && inBrace:
			return nil, p.fail("PATH-014", start, start+1, "braces cannot stand inside braces; for the character write \\{")
		case c == '{':
			alts, err := p.brace()
			if err != nil {
				return nil, err
			}
			it.kind, it.alts = itemBrace, alts
		case c == '}':
			return nil, p.fail("PATH-014", start, start+1, `"}" closes nothing; for the character write \}`)
		case c == '*': // PATH-010, PATH-011
			for p.pos < len(p.text) && p.text[p.pos] == '*' {
				p.pos++
			}
			switch p.pos - start {
			case 1:
				it.kind = itemStar
			case 2:
				it.kind = itemDeep
			default:
				return nil, p.fail("PATH-011", start, p.pos, `%q is no wildcard; "**" stands alone between slashes`, p.text[start:p.pos])
			}
		case c == '?': // PATH-012
			it.kind = itemAny
			p.pos++
		case c == '[':
			set, err := p.set()
			if err != nil {
				return nil, err
			}
			it.kind, it.set = itemSet, set
		case c == '\\':
			p.pos++
			if p.pos == len(p.text) {
				return nil, p.fail("PATH-015", start, p.pos, `"\" at the end escapes nothing`)
			}
			if p.text[p.pos] == '/' {
				return nil, p.fail("PATH-015", start, p.pos+1, `"/" cannot be escaped`)
			}
			it.char = p.char()
		case c == '/':
			it.kind = itemSlash
			p.pos++
		default:
			it.char = p.char()
		}
		it.end = int32(p.pos)
		out = append(out, it)
	}
	return out, nil
}

func (p *parser) char() rune {
	r, size := utf8.DecodeRuneInString(p.text[p.pos:])
	p.pos += size
	return r
}

// brace reads `{a,b}`.
func (p *parser) brace() ([][]item, *SyntaxError) {
	open := p.pos
	var alts [][]item
	for {
		p.pos++ // "{" or ","
		alt, err := p.items(true)
		if err != nil {
			return nil, err
		}
		alts = append(alts, alt)
		if p.pos == len(p.text) {
			return nil, p.fail("PATH-014", open, p.pos, `"{" is not closed; for the character write \{`)
		}
		if p.text[p.pos] == '}' {
			p.pos++
			return alts, nil
		}
	}
}

// set reads `[abc]`, `[a-z]`, `[!a]`, `[^a]`. Everything but "]", "-" and a leading "!" or "^" is itself.
func (p *parser) set() (charSet, *SyntaxError) {
	open := p.pos
	p.pos++
	negated := p.pos < len(p.text) && (p.text[p.pos] == '!' || p.text[p.pos] == '^')
	if negated {
		p.pos++
	}
	var spans []span
	first, afterRange := true, false
	for ; p.pos < len(p.text); first = false {
		at := p.pos
		switch c := p.text[p.pos]; {
		case c == ']' && !first:
			p.pos++
			return makeSet(spans, negated), nil
		case c == '/':
			if strings.IndexByte(p.text[p.pos:], ']') < 0 {
				return nil, p.notClosed(open)
			}
			return nil, p.fail("PATH-013", at, at+1, `"/" cannot stand in a set, which never matches it`)
		}
		lo := p.char()
		isRange := p.pos+1 < len(p.text) && p.text[p.pos] == '-' && p.text[p.pos+1] != ']'
		if lo == '-' && afterRange && (p.pos == len(p.text) || p.text[p.pos] != ']') {
			return nil, p.fail("PATH-013", at, p.pos, `"-" behind a range is unclear; for the character put it first or last in the set`)
		}
		hi := lo
		if isRange {
			p.pos++
			if p.text[p.pos] == '/' {
				continue // reported above
			}
			if hi = p.char(); hi < lo {
				return nil, p.fail("PATH-013", at, p.pos, "the range %s runs backwards", p.text[at:p.pos])
			}
		}
		afterRange = isRange
		spans = append(spans, span{lo, hi})
	}
	return nil, p.notClosed(open)
}

func (p *parser) notClosed(open int) *SyntaxError {
	return p.fail("PATH-013", open, len(p.text), `"[" is not closed; for the character write \[`)
}

// What the part of a segment that was read so far is. Alternatives make several true at once.
type segmentState uint8

const (
	segEmpty  segmentState = iota // nothing yet
	segDot                        // "."
	segDotDot                     // ".."
	segDeep                       // "**"
	segOther
	segStates
)

// reading is one way to have come to a place in the text, by some choice of alternatives.
type reading struct {
	ok     bool
	number int32 // of the segment, from 1
	start  int32 // of the segment in the text
	chosen bool  // an alternative of a brace takes part
}

// readings are all ways, told apart only by what they leave for the rest of the segment. Thus every combination of
// alternatives is checked without making them all.
type readings [segStates]reading

// add keeps the first of two ways that leave the same.
func (r *readings) add(s segmentState, w reading) {
	if !r[s].ok {
		r[s] = w
	}
}

// checkSegments makes sure that every choice of alternatives gives a legal path or glob: no empty, "." or ".." segment, and
// `**` always a whole segment.
func checkSegments(text string, items []item, start int) *SyntaxError {
	var r readings
	r[segEmpty] = reading{ok: true, number: 1, start: int32(start)}
	r, err := readItems(text, r, items)
	if err != nil {
		return err
	}
	_, err = endSegment(text, r, len(text))
	return err
}

func readItems(text string, r readings, items []item) (readings, *SyntaxError) {
	for i := range items {
		var err *SyntaxError
		if r, err = readItem(text, r, &items[i]); err != nil {
			return r, err
		}
	}
	return r, nil
}

func readItem(text string, r readings, it *item) (out readings, err *SyntaxError) {
	switch it.kind {
	case itemSlash:
		return endSegment(text, r, int(it.off))
	case itemBrace:
		for s := range r {
			r[s].chosen = true
		}
		for _, alt := range it.alts {
			end, err := readItems(text, r, alt)
			if err != nil {
				return out, err
			}
			for s, w := range end {
				if w.ok {
					out.add(segmentState(s), w)
				}
			}
		}
		return out, nil
	}
	for s, w := range r {
		switch {
		case !w.ok:
		case segmentState(s) == segDeep:
			return out, badDeep(text, w, int(it.end))
		case it.kind == itemDeep && segmentState(s) == segEmpty:
			out.add(segDeep, w)
		case it.kind == itemDeep:
			return out, badDeep(text, w, int(it.end))
		case it.kind == itemChar && it.char == '.' && segmentState(s) < segDotDot:
			out.add(segmentState(s)+1, w)
		default:
			out.add(segOther, w)
		}
	}
	return out, nil
}

// endSegment is a slash, or the end of the pattern, at offset at.
func endSegment(text string, r readings, at int) (out readings, err *SyntaxError) {
	for s, w := range r {
		if !w.ok {
			continue
		}
		choice := ""
		if w.chosen {
			choice = ", with one of the alternatives"
		}
		switch segmentState(s) {
		case segEmpty:
			err = emptySegment(text, min(at, int(w.start)), int(w.number))
			if w.chosen {
				err = &SyntaxError{Rule: err.Rule, Text: text, Offset: int(w.start), Length: at - int(w.start), Reason: fmt.Sprintf("segment %d is empty", w.number)}
			}
			err.Reason += choice
			return out, err
		case segDot, segDotDot:
			err = dotSegment(text, int(w.start), at, int(w.number), ".."[:s])
			err.Reason += choice
			return out, err
		}
		out.add(segEmpty, reading{ok: true, number: w.number + 1, start: int32(at) + 1})
	}
	return out, nil
}

func badDeep(text string, w reading, end int) *SyntaxError {
	return &SyntaxError{Rule: "PATH-011", Text: text, Offset: int(w.start), Length: max(end-int(w.start), 0),
		Reason: fmt.Sprintf(`"**" is only a part of segment %d; it stands alone between slashes`, w.number)}
}
