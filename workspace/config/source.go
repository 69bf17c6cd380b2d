package config

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// Span is a piece of a file: byte offsets, the end exclusive. The zero Span is the file as a whole.
type Span struct{ Start, End uint32 }

// Source is the text of a file with what it takes to turn spans into places. It is not safe for concurrent use while the
// file is being read, and immutable afterwards.
type Source struct {
	File string // as diagnostics show it
	Text string

	lines  []string // names of them, where the text is no file
	starts []uint32 // offset of each line as editors count: ended by LF or CRLF
	yaml   []uint32 // offset of each line as the YAML reader counts; the same slice, unless the text has odd line breaks
	ascii  bool
	last   cursor
}

// cursor remembers the last position that was asked for, so that many positions in one long line cost one walk along it.
type cursor struct {
	line, column int
	offset       uint32
}

func newSource(file, text string) *Source {
	s := &Source{File: file, Text: text, ascii: true}
	lines := strings.Count(text, "\n") + 1
	s.starts = make([]uint32, 1, lines)
	odd := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			s.starts = append(s.starts, uint32(i+1))
		case c == '\r':
			odd = odd || i+1 == len(text) || text[i+1] != '\n'
		case c >= utf8.RuneSelf:
			s.ascii = false
			// U+0085, U+2028 and U+2029 end a line in YAML 1.1, and so for the reader; for no editor.
			odd = odd || oddBreak(text[i:]) > 0
		}
	}
	s.yaml = s.starts
	if odd {
		s.yaml = oddLines(text)
	}
	return s
}

func oddBreak(text string) int {
	for _, b := range []string{"\u0085", "\u2028", "\u2029"} {
		if strings.HasPrefix(text, b) {
			return len(b)
		}
	}
	return 0
}

func oddLines(text string) []uint32 {
	starts := []uint32{0}
	for i := 0; i < len(text); {
		n := 1
		switch c := text[i]; {
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			n = 2
			starts = append(starts, uint32(i+2))
		case c == '\n' || c == '\r':
			starts = append(starts, uint32(i+1))
		case c >= utf8.RuneSelf:
			if b := oddBreak(text[i:]); b > 0 {
				n = b
				starts = append(starts, uint32(i+b))
			}
		}
		i += n
	}
	return starts
}

// offset turns a position of the YAML reader (line and column from 1, columns in characters) into a byte offset.
func (s *Source) offset(line, column int) uint32 {
	if line < 1 {
		return 0
	}
	if line > len(s.yaml) {
		return uint32(len(s.Text))
	}
	start := s.yaml[line-1]
	if s.ascii {
		return min(start+uint32(max(column-1, 0)), uint32(len(s.Text)))
	}
	at := cursor{line: line, column: 1, offset: start}
	if s.last.line == line && s.last.column <= column {
		at = s.last
	}
	for at.column < column && int(at.offset) < len(s.Text) {
		_, size := utf8.DecodeRuneInString(s.Text[at.offset:])
		at.offset += uint32(size)
		at.column++
	}
	s.last = at
	return at.offset
}

// Place returns where a span stands, with the text of its first line. The zero Span is the file as a whole.
func (s *Source) Place(sp Span) diag.Place {
	p := diag.Place{File: s.File}
	if sp == (Span{}) {
		return p
	}
	if s.lines != nil {
		at, _, _ := s.line(sp.Start)
		return diag.Place{File: s.lines[min(at, len(s.lines))-1]}
	}
	p.Line, p.Column, p.Source = s.line(sp.Start)
	p.EndLine, p.EndColumn = p.Line, p.Column+int(sp.End-sp.Start)
	if p.EndColumn > len(p.Source)+1 {
		p.EndLine, p.EndColumn, _ = s.line(sp.End)
	}
	return p
}

func (s *Source) line(offset uint32) (line, column int, text string) {
	i, found := slices.BinarySearch(s.starts, offset)
	if !found {
		i--
	}
	start := s.starts[i]
	end := uint32(len(s.Text))
	if i+1 < len(s.starts) {
		end = s.starts[i+1]
	}
	text = strings.TrimSuffix(strings.TrimSuffix(s.Text[start:end], "\n"), "\r")
	return i + 1, int(offset-start) + 1, text
}

// lineEnd is the offset where the line that holds offset ends, before its line break, comment and trailing space aside.
func (s *Source) lineEnd(offset uint32) uint32 {
	rest := s.Text[offset:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.Index(rest, " #"); i >= 0 {
		rest = rest[:i]
	}
	return offset + uint32(len(strings.TrimRight(rest, " \t\r")))
}

// Within is the piece of a scalar that its text's bytes from offset to offset+length stand for, where the scalar was written
// literally; otherwise the whole span.
func (s *Source) Within(t Text, offset, length int) Span {
	written := s.Text[t.Span.Start:t.Span.End]
	if i := strings.Index(written, t.Value); i >= 0 && offset <= len(t.Value) {
		start := t.Span.Start + uint32(i+offset)
		return Span{start, min(start+uint32(max(length, 1)), t.Span.End)}
	}
	return t.Span
}
