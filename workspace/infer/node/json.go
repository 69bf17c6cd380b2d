package node

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON as JSON.parse of JavaScript does, and knows where everything stands. The library's decoder says offsets of tokens
// only, and takes several times as long. The text is UTF-8; what is read of it is mostly a piece of it, and costs no memory. After the first mistake nothing more is read.
type scanner struct {
	text  string
	at    int
	depth int
	bad   *mistake

	relaxed bool // comments, and a comma behind the last item, are fine, as in turbo.json
}

// span is a piece of the text, the end exclusive.
type span struct{ start, end int }

// mistake says what keeps the text from being JSON.
type mistake struct {
	span
	message, hint string
}

// nestingMax is how deep lists and objects may lie in each other.
const nestingMax = 10000

func (s *scanner) fail(start, end int, message, hint string) {
	if s.bad == nil {
		s.bad = &mistake{span{start, max(end, start)}, message, hint}
	}
	s.at = len(s.text)
}

// next is the first byte of what comes next; 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\n', '\t', '\r':
			s.at++
		default:
			if c != '/' || !s.relaxed || !s.comment() {
				return c
			}
		}
	}
	return 0
}

// comment passes by one. False: there is none, or it has no end.
func (s *scanner) comment() bool {
	rest := s.text[s.at:]
	switch {
	case strings.HasPrefix(rest, "//"):
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			s.at += end
		} else {
			s.at = len(s.text)
		}
		return true
	case strings.HasPrefix(rest, "/*"):
		if end := strings.Index(rest[2:], "*/"); end >= 0 {
			s.at += end + 4
			return true
		}
		s.fail(s.at, s.at+2, "the comment is not closed", "")
		return true
	}
	return false
}

// found names what stands where something else is wanted, and where.
func (s *scanner) unexpected(want string) {
	if s.next(); s.at >= len(s.text) {
		s.fail(len(s.text), len(s.text), "want "+want+", found the end of the file", "")
		return
	}
	hint := ""
	if s.text[s.at] == '/' && !s.relaxed {
		hint = "JSON has no comments"
	}
	_, size := utf8.DecodeRuneInString(s.text[s.at:])
	s.fail(s.at, s.at+size, "want "+want+", found "+strconv.Quote(s.text[s.at:s.at+size]), hint)
}

// document reads all of the text; value has to read one value.
func (s *scanner) document(value func()) *mistake {
	if s.next() == 0 && s.at >= len(s.text) {
		s.fail(0, 0, "the file is empty", "")
		return s.bad
	}
	value()
	if s.bad == nil {
		if s.next(); s.at < len(s.text) {
			s.unexpected("nothing behind the value")
		}
	}
	return s.bad
}

// object reads an object; each has to read the value of the key. False: something else stands there, and nothing was read.
func (s *scanner) object(each func(key string, at span)) bool {
	if s.next() != '{' || !s.enter() {
		return false
	}
	for first := true; s.bad == nil; first = false {
		switch c := s.next(); {
		case c == '}' && (first || s.relaxed):
			s.leave()
			return true
		case c == '"':
			key, at := s.str()
			if s.bad != nil {
				return true
			}
			if s.next() != ':' {
				s.unexpected("`:` behind the key")
				return true
			}
			s.at++
			each(key, at)
		case c == '}':
			s.fail(s.at, s.at+1, "there is a comma before this `}`", "JSON has none behind the last one")
			return true
		default:
			s.unexpected("a key in double quotes")
			return true
		}
		if !s.more('}') {
			return true
		}
	}
	return true
}

// list reads a list; each has to read one item. False: something else stands there, and nothing was read.
func (s *scanner) list(each func()) bool {
	if s.next() != '[' || !s.enter() {
		return false
	}
	for first := true; s.bad == nil; first = false {
		if s.next() == ']' {
			if !first && !s.relaxed {
				s.fail(s.at, s.at+1, "there is a comma before this `]`", "JSON has none behind the last one")
				return true
			}
			s.leave()
			return true
		}
		each()
		if !s.more(']') {
			return true
		}
	}
	return true
}

func (s *scanner) enter() bool {
	if s.depth++; s.depth > nestingMax {
		s.fail(s.at, s.at+1, "lists and objects are nested more than "+strconv.Itoa(nestingMax)+" deep", "")
		return false
	}
	s.at++
	return true
}

func (s *scanner) leave() {
	s.depth--
	s.at++
}

// more reads what stands behind a value of a list or object that ends with closing.
func (s *scanner) more(closing byte) bool {
	if s.bad != nil {
		return false
	}
	switch s.next() {
	case ',':
		s.at++
		return true
	case closing:
		s.leave()
		return false
	}
	s.unexpected("`,` or `" + string(closing) + "` behind the value")
	return false
}

// str reads a text, which has to stand there; the span has the quotes in it.
func (s *scanner) str() (string, span) {
	start := s.at
	i := start + 1
	for i < len(s.text) && s.text[i] != '"' && s.text[i] != '\\' && s.text[i] >= ' ' {
		i++
	}
	if i < len(s.text) && s.text[i] == '"' {
		s.at = i + 1
		return s.text[start+1 : i], span{start, s.at}
	}
	out := append(make([]byte, 0, i-start+16), s.text[start+1:i]...)
	for s.at = i; s.at < len(s.text); {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return string(out), span{start, s.at}
		case c < ' ':
			s.fail(s.at, s.at+1, "a text has a line break or another control character in it", `write it as \n`)
			return "", span{}
		case c == '\\':
			out = s.escape(out)
		default:
			out = append(out, c)
			s.at++
		}
	}
	if s.bad == nil {
		line := strings.IndexByte(s.text[start:], '\n')
		if line < 0 {
			line = len(s.text) - start
		}
		s.fail(start, start+line, "the text is not closed", "")
	}
	return "", span{}
}

// escape reads what begins with \ and appends what it stands for.
func (s *scanner) escape(out []byte) []byte {
	if s.at+1 >= len(s.text) {
		s.at = len(s.text)
		return out
	}
	const names, means = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := s.text[s.at+1]
	if i := strings.IndexByte(names, c); i >= 0 {
		s.at += 2
		return append(out, means[i])
	}
	r := s.unit(s.at)
	if r < 0 {
		_, size := utf8.DecodeRuneInString(s.text[s.at+1:])
		s.fail(s.at, s.at+1+size, "this is no escape of JSON", `a \ itself is written \\`)
		return out
	}
	s.at += 6
	if utf16.IsSurrogate(r) {
		if pair := utf16.DecodeRune(r, s.unit(s.at)); pair != utf8.RuneError {
			s.at += 6
			r = pair
		} else {
			r = utf8.RuneError
		}
	}
	return utf8.AppendRune(out, r)
}

// unit is that of \uXXXX at an offset; -1 when there is none.
func (s *scanner) unit(at int) rune {
	if at+6 > len(s.text) || s.text[at] != '\\' || s.text[at+1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range []byte(s.text[at+2 : at+6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return r
}

// skip reads any value.
func (s *scanner) skip() {
	switch c := s.next(); {
	case c == '{':
		s.object(func(string, span) { s.skip() })
	case c == '[':
		s.list(s.skip)
	case c == '"':
		s.str()
	case c == '-' || '0' <= c && c <= '9':
		s.number()
	case s.word("true"), s.word("false"), s.word("null"):
	default:
		s.unexpected("a value")
	}
}

// word reads a word that stands for a value.
func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.text[s.at:], w) {
		return false
	}
	s.at += len(w)
	return true
}

func (s *scanner) number() {
	start := s.at
	digits := func() bool {
		from := s.at
		for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	peek := func(set string) bool { return s.at < len(s.text) && strings.IndexByte(set, s.text[s.at]) >= 0 }
	if peek("-") {
		s.at++
	}
	fine := true
	if peek("0") {
		s.at++
	} else {
		fine = digits()
	}
	if fine && peek(".") {
		s.at++
		fine = digits()
	}
	if fine && peek("eE") {
		if s.at++; peek("+-") {
			s.at++
		}
		fine = digits()
	}
	if !fine {
		s.fail(start, s.at, "this is no number of JSON", "")
	}
}

// describe names the type of the value that comes next.
func (s *scanner) describe() string {
	switch c := s.next(); {
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == '"':
		return "a text"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == 'n':
		return "null"
	}
	return "a number"
}
