package script

import (
	"strings"
	"unicode/utf8"
)

// quick reads a script that is so plain that the parser is not needed: words, quoted or not, `;`, `&&`, `||`, `|` and plain
// redirections. ok is false for all else, and for what is no script. Most scripts of tasks are as plain as that, and the parser takes
// twenty times as long, which adds up where a thousand tasks have nothing to do. FuzzQuick holds the two together.
func (f *finder) quick(text string) (ok bool) {
	if !utf8.ValidString(text) {
		return false
	}
	var room [16]word
	q := quickReader{f: f, rest: text, words: room[:0]}
	for q.next() {
	}
	return !q.failed
}

type quickReader struct {
	f      *finder
	rest   string
	words  []word
	began  bool // the command has something: a word, an assignment or a redirection
	owed   bool // an operator stands before that wants a command
	file   bool // a redirection wants its file
	failed bool
}

func (q *quickReader) fail() bool { q.failed = true; return false }

// next reads a word or an operator; false at the end.
func (q *quickReader) next() bool {
	q.rest = strings.TrimLeft(q.rest, " \t")
	if q.rest == "" {
		if q.owed && !q.began || q.file {
			return q.fail()
		}
		q.start()
		return false
	}
	switch c := q.rest[0]; c {
	case '#':
		if i := strings.IndexByte(q.rest, '\n'); i >= 0 {
			q.rest = q.rest[i:]
		} else {
			q.rest = ""
		}
		return true
	case '\n':
		if q.file {
			return q.fail()
		}
		q.rest = q.rest[1:]
		if !q.began {
			return true
		}
		return q.end(false)
	case ';', '&', '|':
		return q.operator()
	case '>', '<':
		return q.redirection()
	}
	return q.word()
}

func (q *quickReader) operator() bool {
	length, owes := 1, false
	switch {
	case strings.HasPrefix(q.rest, "&&"), strings.HasPrefix(q.rest, "||"):
		length, owes = 2, true
	case q.rest[0] == '|':
		owes = true
	case q.rest[0] == '&':
		return q.fail()
	}
	q.rest = q.rest[length:]
	if !q.began || q.file || q.rest != "" && strings.IndexByte(";&|", q.rest[0]) >= 0 {
		return q.fail()
	}
	return q.end(owes)
}

// end ends a command; owes says that another one has to follow.
func (q *quickReader) end(owes bool) bool {
	q.start()
	q.began, q.owed = false, owes
	return !q.failed
}

// start tells of the command that has been read.
func (q *quickReader) start() {
	if len(q.words) > 0 {
		q.f.start(q.words, false)
		q.words = q.words[:0]
	}
}

func (q *quickReader) redirection() bool {
	if q.file {
		return q.fail()
	}
	length := 1
	if strings.HasPrefix(q.rest, ">>") {
		length = 2
	}
	q.rest = q.rest[length:]
	if length == 1 && strings.HasPrefix(q.rest, "&") {
		if len(q.rest) < 2 || q.rest[1] != '1' && q.rest[1] != '2' || len(q.rest) > 2 && isWordByte(q.rest[2]) {
			return q.fail()
		}
		q.rest, q.began = q.rest[2:], true
		return true
	}
	if q.rest != "" && strings.IndexByte("<>&|(", q.rest[0]) >= 0 {
		return q.fail()
	}
	q.file, q.began = true, true
	return true
}

// reserved are words with a meaning of their own where a command begins.
var reserved = set("if then else elif fi for while until do done case esac in select function time coproc let declare typeset local export readonly nameref always repeat foreach end")

func (q *quickReader) word() bool {
	w, raw, plain, ok := q.scan()
	if !ok {
		return q.fail()
	}
	switch {
	case q.file:
		q.file = false
	case plain && strings.Trim(raw, "0123456789") == "" && q.rest != "" && (q.rest[0] == '>' || q.rest[0] == '<'):
		if len(raw) > 1 {
			return q.fail()
		}
	case len(q.words) == 0 && isNameStart(raw[0]) && isAssignment(raw):
	case len(q.words) == 0 && plain && reserved[raw], len(q.words) == 0 && strings.Contains(raw, "+="):
		return q.fail()
	default:
		q.words = append(q.words, w)
	}
	q.began = true
	return true
}

// scan takes a word: its value, its text, and whether nothing in it is quoted or expanded.
func (q *quickReader) scan() (w word, raw string, plain, ok bool) {
	var b []byte // the value, once it is not the text itself
	known, plain := true, true
	i := 0
scan:
	for ; i < len(q.rest); i++ {
		switch c := q.rest[i]; {
		case isWordByte(c):
			if b != nil {
				b = append(b, c)
			}
		case c == '=' && i > 0 || c == '#' && i > 0:
			if b != nil {
				b = append(b, c)
			}
		case c == '*' || c == '?':
			known, plain = false, false
		case c == '\'' || c == '"':
			end := strings.IndexByte(q.rest[i+1:], c)
			if end < 0 {
				return w, "", false, false
			}
			text := q.rest[i+1 : i+1+end]
			if c == '"' && strings.ContainsAny(text, "$`\\") || !isQuiet(text) {
				return w, "", false, false
			}
			if b == nil {
				b = append(make([]byte, 0, len(text)+16), q.rest[:i]...)
			}
			b = append(b, text...)
			i, plain = i+1+end, false
		case c == '$':
			if i+1 == len(q.rest) || !isNameStart(q.rest[i+1]) {
				return w, "", false, false
			}
			known, plain = false, false
		case strings.IndexByte(" \t\n;&|<>", c) >= 0:
			break scan
		default:
			return w, "", false, false
		}
	}
	raw, q.rest = q.rest[:i], q.rest[i:]
	switch {
	case !known:
		return word{}, raw, plain, true
	case b == nil:
		return word{raw, true}, raw, plain, true
	}
	return word{string(b), true}, raw, plain, true
}

func isNameStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func isWordByte(c byte) bool { return wordBytes[c] }

var wordBytes = func() (t [256]bool) {
	for _, c := range []byte(nameCharacters + "-./,:+%@") {
		t[c] = true
	}
	return t
}()

// isQuiet reports whether quoted text has nothing in it that the parser may see otherwise.
func isQuiet(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}
