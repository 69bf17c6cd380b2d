package pattern

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPattern is how long the text of a pattern may be, in bytes. It bounds what Parse, Match and Overlap can cost; no
// path that a system call takes is as long.
const MaxPattern = 4 << 10

// A SyntaxError says why a text is no pattern.
type SyntaxError struct {
	Rule   string // "PATH-002", "PATH-011" ...
	Text   string // the pattern
	Offset int    // of the place in Text, in bytes
	Length int    // of the place, in bytes; at least 0
	Reason string // a sentence without the pattern: `segment 2 is ".."`
}

func (e *SyntaxError) Error() string {
	text := e.Text
	if len(text) > 200 {
		text = text[:200] + "..."
	}
	return fmt.Sprintf("pattern %q: %s (%s)", text, e.Reason, e.Rule)
}

// CheckPath says whether path is a canonical workspace path: it begins with "/", is not the root itself, has no empty, "."
// or ".." segment and no slash at the end (PATH-003), is UTF-8 and holds no forbidden character (PATH-002). It is what
// manifests may name and what outputs and projects may be called. The error is a *SyntaxError.
func CheckPath(path string) error {
	if e := checkPath(path); e != nil {
		return e
	}
	return nil
}

// BadPath is the reason why path is no canonical workspace path, "" when it is one.
func BadPath(path string) string {
	if e := checkPath(path); e != nil {
		return e.Reason
	}
	return ""
}

func checkPath(path string) *SyntaxError {
	if path == "" || path[0] != '/' {
		return &SyntaxError{Rule: "PATH-001", Text: path, Reason: `the path does not begin with "/"`}
	}
	if e := checkLiteral(path); e != nil {
		return e
	}
	return checkCharacters(path)
}

// checkLiteral looks for segments that no path has, in a text where no character is special.
func checkLiteral(text string) *SyntaxError {
	switch {
	case text == "":
		return &SyntaxError{Rule: "PATH-003", Text: text, Reason: "it is empty"}
	case text == "/":
		return &SyntaxError{Rule: "PATH-003", Text: text, Length: 1, Reason: "it names the root of the workspace itself"}
	}
	start := 0
	if text[0] == '/' {
		start = 1
	}
	for n := 1; ; n++ {
		end := strings.IndexByte(text[start:], '/')
		last := end < 0
		if last {
			end = len(text)
		} else {
			end += start
		}
		switch segment := text[start:end]; segment {
		case "":
			return emptySegment(text, start, n)
		case ".", "..":
			return dotSegment(text, start, end, n, segment)
		}
		if last {
			return nil
		}
		start = end + 1
	}
}

func emptySegment(text string, at, number int) *SyntaxError {
	e := &SyntaxError{Rule: "PATH-003", Text: text, Offset: max(at-1, 0), Length: 1, Reason: fmt.Sprintf("segment %d is empty", number)}
	if at == len(text) {
		e.Reason += `, since it ends with "/"`
	}
	return e
}

// dotSegment refuses "." and "..", so that no path leaves its project by going up (PATH-006).
func dotSegment(text string, start, end, number int, segment string) *SyntaxError {
	return &SyntaxError{Rule: "PATH-002", Text: text, Offset: start, Length: end - start, Reason: fmt.Sprintf("segment %d is %q", number, segment)}
}

// checkCharacters looks for bytes that are not UTF-8 and characters that no pattern or legal path holds (PATH-002).
func checkCharacters(text string) *SyntaxError {
	number, start, before := 1, 0, rune(0)
	if text != "" && text[0] == '/' {
		number = 0
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c == '/' {
			number, start = number+1, i+1
		}
		if c >= ' ' && c < 0x7f {
			before = rune(c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return &SyntaxError{Rule: "PATH-002", Text: text, Offset: i, Length: 1,
				Reason: fmt.Sprintf("byte 0x%02X at position %d of segment %d is not UTF-8", c, i-start+1, number)}
		}
		if what := forbidden(r); what != "" && !joins(before, r) {
			return &SyntaxError{Rule: "PATH-002", Text: text, Offset: i, Length: size,
				Reason: fmt.Sprintf("%U in segment %d is a %s, which no path may hold", r, number, what)}
		}
		before = r
		i += size
	}
	return nil
}

// joins reports whether r is a format character that people type: a joiner, of which emoji like a family and words of many
// scripts are made, or a tag in the sequence of a flag.
func joins(before, r rune) bool {
	const zwnj, zwj, blackFlag = '\u200c', '\u200d', '\U0001f3f4'
	return r == zwj || r == zwnj || isTag(r) && (before == blackFlag || isTag(before))
}

func isTag(r rune) bool { return r >= 0xe0020 && r <= 0xe007f }

// forbidden says what kind of forbidden character r is, "" when it is allowed. Unassigned characters are allowed, since
// what is assigned depends on the version of a table; noncharacters never will be.
func forbidden(r rune) string {
	switch {
	case r < 0x7f && r >= ' ':
		return ""
	case unicode.Is(unicode.Cc, r):
		return "control character"
	case r < 0xad:
		return ""
	case unicode.Is(unicode.Cf, r):
		return "format character"
	case r == '\u2028', r == '\u2029': // all of Zl and Zp
		return "line separator"
	case unicode.Is(unicode.Co, r):
		return "private use character"
	case r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe:
		return "noncharacter"
	}
	return ""
}
