package ui

import (
	"strings"
	"unicode/utf8"
)

// What is kept of logs: of each task its last lines, and of all tasks together so much. The full output of a task is in the cache, or its command shows
// it again.
const (
	logLines    = 10_000
	logBytes    = 1 << 20
	allLogBytes = 64 << 20
	lineBytes   = 4 << 10 // of a line; the rest of it is left out
)

// logs are the logs of all tasks.
type logs struct {
	all   []*log
	bytes int
}

// log is what a task printed last, line by line and safe for a screen.
type log struct {
	lines   []string
	bytes   int
	dropped int       // lines that are not kept any more
	partial [2][]byte // of each stream, the line that has no end yet
}

func (ls *logs) make() *log {
	l := &log{}
	ls.all = append(ls.all, l)
	return l
}

// write takes what a task printed on one of its streams.
func (ls *logs) write(l *log, stream int, b []byte) {
	for len(b) > 0 {
		line, rest, whole := cutLine(b)
		if room := lineBytes - len(l.partial[stream]); room > 0 {
			l.partial[stream] = append(l.partial[stream], line[:min(room, len(line))]...)
		}
		if b = rest; whole {
			ls.end(l, stream)
		}
	}
}

func cutLine(b []byte) (line, rest []byte, whole bool) {
	for i, c := range b {
		if c == '\n' {
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}

// flush ends lines that have no end.
func (ls *logs) flush(l *log) {
	for s := range l.partial {
		if len(l.partial[s]) > 0 {
			ls.end(l, s)
		}
	}
}

func (ls *logs) end(l *log, stream int) {
	ls.add(l, clean(l.partial[stream]))
	l.partial[stream] = l.partial[stream][:0]
}

// add takes a line that is safe for a screen.
func (ls *logs) add(l *log, line string) {
	l.lines = append(l.lines, line)
	l.bytes += len(line)
	ls.bytes += len(line)
	if len(l.lines) > logLines || l.bytes > logBytes {
		ls.drop(l, max(1, len(l.lines)/10))
	}
	for ls.bytes > allLogBytes {
		largest := ls.all[0]
		for _, other := range ls.all {
			if other.bytes > largest.bytes {
				largest = other
			}
		}
		ls.drop(largest, max(1, len(largest.lines)/2))
	}
}

// drop forgets the oldest lines.
func (ls *logs) drop(l *log, n int) {
	for _, line := range l.lines[:n] {
		l.bytes -= len(line)
		ls.bytes -= len(line)
	}
	l.lines = append([]string(nil), l.lines[n:]...)
	l.dropped += n
}

const tabWidth = 8

// clean is a line as it can be shown: colours stay, all else that moves, rings, or turns text round is taken out; what a line overwrote itself (a
// progress bar) is what stands there in the end.
func clean(b []byte) string {
	line := strings.TrimRight(strings.ToValidUTF8(string(b), "\ufffd"), "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	var out strings.Builder
	column, coloured := 0, false
	for i := 0; i < len(line); {
		if line[i] == 0x1b {
			n, colour := sequence(line[i:])
			if colour {
				out.WriteString(line[i : i+n])
				coloured = true
			}
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		i += n
		switch {
		case r == '\t':
			for first := true; first || column%tabWidth != 0; first = false {
				out.WriteByte(' ')
				column++
			}
		case r < ' ', r >= 0x7f && r < 0xa0, turns(r):
		default:
			out.WriteRune(r)
			column++
		}
	}
	if coloured {
		out.WriteString("\x1b[0m")
	}
	return out.String()
}

// turns reports whether a character changes the direction of those around it, or ends a line.
func turns(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 || r == 0xfeff
}

// sequence is how long the escape sequence is that a text begins with, and whether it is one of colours.
func sequence(s string) (n int, colour bool) {
	if len(s) < 2 {
		return len(s), false
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			switch c := s[i]; {
			case c >= 0x40 && c <= 0x7e:
				return i + 1, c == 'm' && plainColour(s[2:i])
			case c < 0x20 || c > 0x7e:
				return i, false
			}
		}
		return len(s), false
	case ']', 'P', 'X', '^', '_': // up to BEL or ESC \
		for i := 2; i < len(s); i++ {
			if s[i] == 0x07 {
				return i + 1, false
			}
			if s[i] == 0x1b {
				if i+1 < len(s) && s[i+1] == '\\' {
					i++
				}
				return i + 1, false
			}
		}
		return len(s), false
	}
	if s[1] < 0x20 || s[1] > 0x7e {
		return 1, false
	}
	return 2, false
}

func plainColour(parameters string) bool {
	return strings.Trim(parameters, "0123456789;:") == ""
}
