package infer

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// Text is a manifest. It is not safe for concurrent use.
type Text struct {
	Name  string // workspace-absolute
	Bytes []byte // in UTF-8; a byte order mark is not part of them

	mark   int      // bytes of the byte order mark
	starts []uint32 // offset of each line; nil: nobody asked yet
	shown  int      // the line that was asked for last, and its text: many places may be in one line
	text   string
}

const byteOrderMark = "\ufeff"

func newText(name string, text []byte) (*Text, *diag.Diagnostic) {
	t := TextOf(name, text)
	if !utf8.Valid(t.Bytes) {
		at := firstBad(t.Bytes)
		return nil, &diag.Diagnostic{Code: RuleBroken, Place: t.Place(at, at+1), Message: "the file is not UTF-8", Hint: "save it as UTF-8"}
	}
	return t, nil
}

func firstBad(b []byte) (at int) {
	for at < len(b) {
		r, size := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && size < 2 {
			break
		}
		at += size
	}
	return at
}

// NewText is a text that was not read from a disk. It has to be UTF-8.
func NewText(name, text string) *Text {
	t, bad := newText(name, []byte(text))
	if bad != nil {
		return &Text{Name: name, Bytes: []byte(strings.ToValidUTF8(text, "\ufffd"))}
	}
	return t
}

// TextOf is of bytes in UTF-8 that nobody changes as long as the Text is asked.
func TextOf(name string, text []byte) *Text {
	t := &Text{Name: name, Bytes: text}
	if rest, found := bytes.CutPrefix(text, []byte(byteOrderMark)); found {
		t.mark, t.Bytes = len(byteOrderMark), rest
	}
	return t
}

// File is the name as diagnostics show it.
func (t *Text) File() string { return strings.TrimPrefix(t.Name, "/") }

// Place is where the bytes from start to end, which is exclusive, stand. Offsets beyond the text are its end.
func (t *Text) Place(start, end int) diag.Place {
	if t.starts == nil {
		t.starts = append(make([]uint32, 0, 64), 0)
		for i, c := range t.Bytes {
			if c == '\n' {
				t.starts = append(t.starts, uint32(i+1))
			}
		}
	}
	start = min(max(start, 0), len(t.Bytes))
	end = min(max(end, start), len(t.Bytes))
	p := diag.Place{File: t.File(), Source: t.line(start)}
	p.Line, p.Column = t.position(start)
	p.EndLine, p.EndColumn = t.position(end)
	return p
}

// Mistake is an error about the bytes from start to end.
func (t *Text) Mistake(rule string, start, end int, message string) diag.Diagnostic {
	return diag.Diagnostic{Code: rule, Place: t.Place(start, end), Message: message}
}

func (t *Text) position(offset int) (line, column int) {
	at, found := slices.BinarySearch(t.starts, uint32(offset))
	if !found {
		at--
	}
	column = offset - int(t.starts[at]) + 1
	if at == 0 {
		column += t.mark
	}
	return at + 1, column
}

func (t *Text) line(offset int) string {
	line, _ := t.position(offset)
	if line == t.shown {
		return t.text
	}
	start, end := int(t.starts[line-1]), len(t.Bytes)
	if line < len(t.starts) {
		end = int(t.starts[line]) - 1
	}
	text := strings.TrimSuffix(string(t.Bytes[start:end]), "\r")
	if line == 1 && t.mark > 0 {
		text = byteOrderMark + text
	}
	t.shown, t.text = line, text
	return text
}
