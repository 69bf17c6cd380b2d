// Package dotenv reads files of variables (haz::cfg::046): lines NAME=value, as `.env` files have them.
//
// A library reads each line: comments, `export`, single quotes, double quotes with the escapes of JSON. Nothing is expanded and no command
// is run. Here is what it cannot, a value in quotes of several lines, which it is given as one; and what it lets pass and should not: names
// that no variable has, and a `#` that would cut a value short without a word. An error shows nothing of a value: values are secret.
package dotenv

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/go-envparse"

	"github.com/haz-build/haz/workspace"
)

// FileMax is how many bytes a file of variables may have.
const FileMax = 1 << 20

// Var is a variable.
type Var struct{ Name, Value string }

// An Error says what is wrong with a line. It has no text of the line.
type Error struct {
	Line, Column int // from 1, in characters
	Reason       string
}

func (e *Error) Error() string { return e.Reason }

// Parse reads a file. Of a name given twice the later counts. The first line that is wrong is an error. Lines end with or without a
// carriage return, those of a value too: it has none.
func Parse(file []byte) ([]Var, *Error) {
	text := strings.ReplaceAll(string(bytes.TrimPrefix(file, []byte("\ufeff"))), "\r\n", "\n")
	var vars []Var
	at := map[string]int{}
	for from := 0; from < len(text); {
		v, end, bad := entry(text, from)
		if bad != nil {
			return nil, bad
		}
		from = end + 1
		if v.Name == "" {
			continue
		}
		if i, again := at[v.Name]; again {
			vars[i] = v
			continue
		}
		at[v.Name] = len(vars)
		vars = append(vars, v)
	}
	return vars, nil
}

// entry reads the line that begins at from, and those that its value goes on in; no name for one that is empty or a comment. end is where
// the last of them ends.
func entry(text string, from int) (v Var, end int, err *Error) {
	bad := func(offset int, reason string) (Var, int, *Error) {
		line := 1 + strings.LastIndexByte(text[:offset], '\n')
		return Var{}, 0, &Error{Line: 1 + strings.Count(text[:offset], "\n"), Column: 1 + utf8.RuneCountInString(text[line:offset]), Reason: reason}
	}
	end = from + len(until(text[from:], '\n'))
	l := strings.TrimRight(text[from:end], " \t\r")
	start := len(l) - len(strings.TrimLeft(l, " \t"))
	if start == len(l) || l[start] == '#' {
		return Var{}, end, nil
	}
	if !utf8.ValidString(l) {
		return bad(from, notUTF8)
	}
	before, _, ok := strings.Cut(l, "=")
	if !ok {
		return bad(from+start, "a line is NAME=value, and this one has no =")
	}
	name := strings.TrimRight(before[start:], " \t")
	if rest, exported := strings.CutPrefix(name, "export "); exported {
		start += len(name) - len(strings.TrimLeft(rest, " \t"))
		name = strings.TrimLeft(rest, " \t")
	}
	if err := workspace.CheckEnvName(name); err != nil {
		offset := 0
		var e *workspace.NameError
		if errors.As(err, &e) {
			offset = e.Offset
		}
		return bad(from+start+offset, err.Error())
	}
	value := from + len(before) + 1
	s := scanner{text: text, from: value}
	if end = s.scan(); s.reason != "" {
		return bad(s.offset, s.reason)
	}
	read, failed := envparse.Parse(strings.NewReader(name + "=" + s.line.String()))
	switch {
	case failed != nil:
		return bad(value, "the value cannot be read")
	case strings.IndexByte(read[name], 0) >= 0:
		return bad(value, "the value has a NUL byte, which no program can be given")
	}
	return Var{name, read[name]}, end, nil
}

const (
	notUTF8   = "the line is not UTF-8"
	notClosed = "the quote is not closed: a value ends with its line, unless it begins with a quote; \\n in double quotes stands for another line"
)

// until is the text before the first such byte; all of it where there is none.
func until(text string, b byte) string {
	if i := strings.IndexByte(text, b); i >= 0 {
		return text[:i]
	}
	return text
}

// scanner goes through a value, finds where it ends and what is wrong with it, and spells it in one line.
type scanner struct {
	text string
	from int

	line   strings.Builder // the value in one line
	offset int             // where something is wrong
	reason string          // what; "": nothing
}

func (s *scanner) wrong(offset int, reason string) int {
	s.offset, s.reason = offset, reason
	return offset
}

// scan returns where the value's last line ends. A value that begins with a quote may go on in the next lines; behind that quote nothing
// but a comment follows then, so that a quote too many does not swallow the lines up to the next one without a word.
func (s *scanner) scan() (end int) {
	first := s.from + len(s.text[s.from:]) - len(strings.TrimLeft(s.text[s.from:], " \t"))
	quote, opened, several, i := byte(0), 0, false, s.from
	for ; i < len(s.text); i++ {
		c := s.text[i]
		switch {
		case c == '\n' && quote == 0:
			return s.ended(i)
		case c == '\n' && opened != first:
			return s.wrong(opened, notClosed)
		case c == '\n', c == '\t' && quote != 0:
			several = several || c == '\n'
			s.escape(quote, c)
			continue
		case several && quote == 0 && c != ' ' && c != '\t' && c != '#':
			return s.wrong(i, "a value of several lines ends with its quote: behind that there is nothing but a comment")
		case c < ' ' && i >= first && s.blank(i):
			i += len(until(s.text[i:], '\n')) - 1
			continue
		case c < ' ' && !(c == '\t' && i < first), c == 0x7f:
			return s.wrong(i, "a value has no control characters; in double quotes \\t and \\n stand for them")
		case quote == 0 && (c == '"' || c == '\''):
			quote, opened = c, i
		case quote == 0 && c == '#':
			if i > s.from && s.text[i-1] != ' ' && s.text[i-1] != '\t' {
				return s.wrong(i, "a # begins a comment: put a space before it, or the value in quotes")
			}
			return s.ended(i + len(until(s.text[i:], '\n')))
		case quote == '"' && c == '\\':
			next := s.text[i+1 : min(i+6, len(s.text))]
			if next == "" || !strings.ContainsRune(`"\/bfnrtu`, rune(next[0])) {
				return s.wrong(i, `in double quotes a \ has one of " \ / b f n r t u behind it; single quotes keep it as it is`)
			}
			if next[0] == 'u' && !isHex(next[1:]) {
				return s.wrong(i, `\u has four hexadecimal digits behind it`)
			}
			s.line.WriteByte(c)
			i++
			c = s.text[i]
		case quote != 0 && c == quote:
			quote = 0
		}
		s.line.WriteByte(c)
	}
	if quote != 0 {
		return s.wrong(opened, notClosed)
	}
	return s.ended(i)
}

// ended is the end, where all that was read is UTF-8.
func (s *scanner) ended(end int) int {
	if text := s.text[s.from:end]; !utf8.ValidString(text) {
		line := s.from + 1 + strings.LastIndexByte(text[:invalid(text)], '\n')
		return s.wrong(line, notUTF8)
	}
	return end
}

// invalid is where a text is no UTF-8 any more.
func invalid(text string) int {
	for i, r := range text {
		if _, size := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && size == 1 {
			return i
		}
	}
	return len(text)
}

// blank reports whether a line has nothing but white space from there on.
func (s *scanner) blank(i int) bool {
	return strings.Trim(until(s.text[i:], '\n'), " \t\r") == ""
}

// escape spells a character that ends or disturbs a line, within a quote.
func (s *scanner) escape(quote, c byte) {
	spelled := `\n`
	if c == '\t' {
		spelled = `\t`
	}
	if quote == '\'' {
		spelled = `'"` + spelled + `"'`
	}
	s.line.WriteString(spelled)
}

func isHex(digits string) bool {
	return len(digits) == 4 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}
