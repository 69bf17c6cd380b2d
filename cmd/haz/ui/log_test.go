package ui

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// A line is shown without what would move, ring, or turn text round, whatever a task prints.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "": "", "a\tb": "a       b", "12345678\tb": "12345678        b", "wide 漢字 ✓": "wide 漢字 ✓",
		"\x1b[31mred\x1b[0m": "\x1b[31mred\x1b[0m\x1b[0m", "\x1b[38;2;1;2;3mx": "\x1b[38;2;1;2;3mx\x1b[0m", "\x1b[38:5:1mx": "\x1b[38:5:1mx\x1b[0m",
		"\x1b[2Jgone": "gone", "\x1b[10;10Hmoved": "moved", "\x1b[?1049lscreen": "screen", "\x1b[>4mkeys": "keys", "a\x1b": "a", "a\x1b[": "a", "a\x1b[3": "a",
		"\x1b]0;title\x07rest": "rest", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link", "\x1bPq#0\x1b\\after": "after", "\x1b]never ends": "", "\x1bcreset": "reset",
		"10%\r20%\r100%": "100%", "dos line\r": "dos line", "bell\a \b\v\f\x00\x7f": "bell ", "c1 \u009b31m": "c1 31m", "bad \xff\xfe": "bad \ufffd",
		"rtl \u202eabc\u2066": "rtl abc", "sep\u2028": "sep",
	} {
		if got := clean([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte("\x1b[31ma\x1b]0;\x07\r\t漢\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := clean(b)
		if !utf8.ValidString(got) || clean([]byte(got)) != got && !strings.Contains(got, "\x1b") {
			t.Fatalf("%q becomes %q", b, got)
		}
		for i, r := range got {
			if r < ' ' && r != 0x1b || r >= 0x7f && r < 0xa0 {
				t.Fatalf("%q keeps %q", b, r)
			}
			if r == 0x1b {
				if n, colour := sequence(got[i:]); !colour || n < 3 {
					t.Fatalf("%q keeps the sequence %q", b, got[i:])
				}
			}
		}
	})
}

// Logs are bounded: of a task in lines and bytes, of all together in bytes, and of a line.
func TestLogsAreBounded(t *testing.T) {
	var ls logs
	a := ls.make()
	for i := range 3 * logLines {
		ls.write(a, i%2, []byte(fmt.Sprintf("line %d\n", i)))
	}
	if n := len(a.lines); n > logLines || n < logLines/2 || a.lines[n-1] != fmt.Sprintf("line %d", 3*logLines-1) || a.dropped+n != 3*logLines {
		t.Errorf("%d lines, %d dropped, the last %q", n, a.dropped, a.lines[n-1])
	}
	long := strings.Repeat("x", 100_000)
	ls.write(a, 0, []byte(long))
	if len(a.partial[0]) > lineBytes {
		t.Errorf("%d bytes of a line are kept", len(a.partial[0]))
	}
	ls.write(a, 0, []byte("\n"))
	if got := a.lines[len(a.lines)-1]; len(got) != lineBytes {
		t.Errorf("a line has %d bytes", len(got))
	}
	line := []byte(strings.Repeat("y", 1000) + "\n")
	for range 200 {
		l := ls.make()
		for range 1000 {
			ls.write(l, 0, line)
		}
		if l.bytes > logBytes {
			t.Fatalf("%d bytes of one task", l.bytes)
		}
	}
	sum := 0
	for _, l := range ls.all {
		for _, line := range l.lines {
			sum += len(line)
		}
	}
	if sum != ls.bytes || sum > allLogBytes {
		t.Errorf("%d bytes of all, counted %d", sum, ls.bytes)
	}
}

// The streams of a task do not cut each other's lines; a line without an end is shown when the task ends.
func TestLogStreams(t *testing.T) {
	var ls logs
	l := ls.make()
	for _, w := range []struct {
		stream int
		text   string
	}{{0, "out "}, {1, "err "}, {0, "one\ntwo"}, {1, "one\n"}} {
		ls.write(l, w.stream, []byte(w.text))
	}
	ls.flush(l)
	if got := strings.Join(l.lines, "|"); got != "out one|err one|two" {
		t.Errorf("%q", got)
	}
}
