// Package dotenv reads files of variables (haz::cfg::046): lines NAME=value, as `.env` files have them.
//
// A library reads each line: comments, `export`, single quotes, double quotes with the escapes of JSON. Nothing is expanded and no command
// is run. Here is what it lets pass and should not: names that no variable has, and a `#` that would cut a value short without a word.
// An error shows nothing of a value: values are secret.
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

// Parse reads a file. Of a name given twice the later counts. The first line that is wrong is an error.
func Parse(text []byte) ([]Var, *Error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var vars []Var
	at := map[string]int{}
	line := 0
	for l := range bytes.Lines(text) {
		line++
		l = bytes.TrimRight(l, "\r\n")
		v, bad := parseLine(string(l))
		if bad != nil {
			bad.Line = line
			return nil, bad
		}
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

// parseLine reads a line; no name for one that is empty or a comment.
func parseLine(l string) (Var, *Error) {
	bad := func(offset int, reason string) (Var, *Error) {
		return Var{}, &Error{Column: 1 + utf8.RuneCountInString(l[:offset]), Reason: reason}
	}
	l = strings.TrimRight(l, " \t")
	start := len(l) - len(strings.TrimLeft(l, " \t"))
	if start == len(l) || l[start] == '#' {
		return Var{}, nil
	}
	if !utf8.ValidString(l) {
		return bad(0, "the line is not UTF-8")
	}
	before, _, ok := strings.Cut(l, "=")
	if !ok {
		return bad(start, "a line is NAME=value, and this one has no =")
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
		return bad(start+offset, err.Error())
	}
	if offset, reason := scan(l, len(before)+1); reason != "" {
		return bad(offset, reason)
	}
	read, err := envparse.Parse(strings.NewReader(name + l[len(before):]))
	if err != nil {
		return bad(len(before)+1, "the value cannot be read")
	}
	if strings.IndexByte(read[name], 0) >= 0 {
		return bad(len(before)+1, "the value has a NUL byte, which no program can be given")
	}
	return Var{name, read[name]}, nil
}

// scan finds what is wrong with the value that begins at from.
func scan(l string, from int) (offset int, reason string) {
	quote, opened := byte(0), 0
	for i := from; i < len(l); i++ {
		c := l[i]
		switch {
		case c < ' ' && !(c == '\t' && quote == 0 && strings.TrimLeft(l[from:i], " \t") == ""), c == 0x7f:
			return i, "a value has no control characters; in double quotes \\t and \\n stand for them"
		case quote == 0 && (c == '"' || c == '\''):
			quote, opened = c, i
		case quote == 0 && c == '#':
			if i > from && l[i-1] != ' ' && l[i-1] != '\t' {
				return i, "a # begins a comment: put a space before it, or the value in quotes"
			}
			return 0, ""
		case quote == '"' && c == '\\':
			if i+1 == len(l) || !strings.ContainsRune(`"\/bfnrtu`, rune(l[i+1])) {
				return i, `in double quotes a \ has one of " \ / b f n r t u behind it; single quotes keep it as it is`
			}
			if l[i+1] == 'u' && !isHex(l[min(i+2, len(l)):min(i+6, len(l))]) {
				return i, `\u has four hexadecimal digits behind it`
			}
			i++
		case quote != 0 && c == quote:
			quote = 0
		}
	}
	if quote != 0 {
		return opened, "the quote is not closed: a value ends with its line, and \\n in double quotes stands for another"
	}
	return 0, ""
}

func isHex(digits string) bool {
	return len(digits) == 4 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}
