package pattern

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/pattern/patterntest"
)

func TestMatchTable(t *testing.T) {
	for _, row := range patterntest.Rows {
		files := slices.Clone(patterntest.Files)
		for f := range strings.FieldsSeq(row.Extra) {
			files = append(files, patterntest.InProject(f))
		}
		var want, got []string
		for f := range strings.FieldsSeq(row.Want) {
			want = append(want, patterntest.InProject(strings.ReplaceAll(f, "x_y", "x y")))
		}
		if row.Pattern == `a{,.}c` {
			want = append(want, "/p/a.c")
		}
		p := mustParse(t, row.Pattern)
		if p.String() != row.Pattern {
			t.Errorf("%q prints %q", row.Pattern, p)
		}
		p = p.Anchor("/p")
		for _, f := range files {
			if p.Match(f) {
				got = append(got, f)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		got = slices.Compact(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q matches\n got %q\nwant %q", row.Rule, row.Pattern, got, want)
		}
	}
}

// The rows of the second table of section 8.3, and other errors. place is the marked part of the text.
var rejectedRows = []struct{ rule, pattern, place, reason string }{
	{"PATH-003", "", "", "it is empty"},
	{"PATH-003", "/", "/", "it names the root of the workspace itself"},
	{"PATH-003", "src//", "/", "segment 2 is empty"},
	{"PATH-003", "src/*//", "/", "segment 3 is empty"},
	{"PATH-003", "a//b", "/", "segment 2 is empty"},
	{"PATH-003", "//p/a.c", "/", "segment 1 is empty"},
	{"PATH-003", "a//*", "/", "segment 2 is empty"},
	{"PATH-003", "//*", "/", "segment 1 is empty"},
	{"PATH-002", "./a.c", ".", `segment 1 is "."`},
	{"PATH-002", "../x", "..", `segment 1 is ".."`},
	{"PATH-002", "src/../a.c", "..", `segment 2 is ".."`},
	{"PATH-002", "./*.c", ".", `segment 1 is "."`},
	{"PATH-002", "/../lib", "..", `segment 1 is ".."`},
	{"PATH-002", "*/..", "..", `segment 2 is ".."`},
	{"PATH-002", ".", ".", `segment 1 is "."`},
	{"PATH-002", `*/\.\./a`, `\.\.`, `segment 2 is ".."`},
	{"PATH-011", "**.c", "**.", `"**" is only a part of segment 1; it stands alone between slashes`},
	{"PATH-011", "a**", "a**", `"**" is only a part of segment 1; it stands alone between slashes`},
	{"PATH-011", "src/**.c", "**.", `"**" is only a part of segment 2; it stands alone between slashes`},
	{"PATH-011", "***", "***", `"***" is no wildcard; "**" stands alone between slashes`},
	{"PATH-011", "**a/b", "**a", `"**" is only a part of segment 1; it stands alone between slashes`},
	{"PATH-011", "x/a{**,b}", "a{**", `"**" is only a part of segment 2; it stands alone between slashes`},
	{"PATH-011", "{**,b}c", "{**,b}c", `"**" is only a part of segment 1; it stands alone between slashes`},
	{"PATH-011", "**{,x}", "**{,x", `"**" is only a part of segment 1; it stands alone between slashes`},
	{"PATH-013", "[abc", "[abc", `"[" is not closed; for the character write \[`},
	{"PATH-013", "[]", "[]", `"[" is not closed; for the character write \[`},
	{"PATH-013", "[!]", "[!]", `"[" is not closed; for the character write \[`},
	{"PATH-013", "x/[", "[", `"[" is not closed; for the character write \[`},
	{"PATH-013", "[a/b", "[a/b", `"[" is not closed; for the character write \[`},
	{"PATH-013", "[z-a]", "z-a", "the range z-a runs backwards"},
	{"PATH-013", "[a-Z]", "a-Z", "the range a-Z runs backwards"},
	{"PATH-013", "a[/]b", "/", `"/" cannot stand in a set, which never matches it`},
	{"PATH-013", "a[.-/]b", "/", `"/" cannot stand in a set, which never matches it`},
	{"PATH-013", "[a-c-e]", "-", `"-" behind a range is unclear; for the character put it first or last in the set`},
	{"PATH-014", "{a,b", "{a,b", `"{" is not closed; for the character write \{`},
	{"PATH-014", "{", "{", `"{" is not closed; for the character write \{`},
	{"PATH-014", "a}*", "}", `"}" closes nothing; for the character write \}`},
	{"PATH-014", "a,b}*", "}", `"}" closes nothing; for the character write \}`},
	{"PATH-014", "{a,{b,c}}", "{", `braces cannot stand inside braces; for the character write \{`},
	{"PATH-015", `a.c\`, `\`, `"\" at the end escapes nothing`},
	{"PATH-015", `a\/b`, `\/`, `"/" cannot be escaped`},
	{"PATH-003", "{,a}", "{,a}", "segment 1 is empty, with one of the alternatives"},
	{"PATH-003", "{/a,b}", "{", "segment 1 is empty, with one of the alternatives"},
	{"PATH-003", "/{,a}/b", "{,a}", "segment 1 is empty, with one of the alternatives"},
	{"PATH-003", "a/{b,}", "{b,}", "segment 2 is empty, with one of the alternatives"},
	{"PATH-003", "a{b/,c}", "/", "segment 2 is empty"},
	{"PATH-002", "a/{.,b}/c", "{.,b}", `segment 2 is ".", with one of the alternatives`},
	{"PATH-002", "a/.{.,b}", ".{.,b}", `segment 2 is "..", with one of the alternatives`},
	{"PATH-002", "a\tb", "\t", "U+0009 in segment 1 is a control character, which no path may hold"},
	{"PATH-002", "a/b\n*", "\n", "U+000A in segment 2 is a control character, which no path may hold"},
	{"PATH-002", "a\x00", "\x00", "U+0000 in segment 1 is a control character, which no path may hold"},
	{"PATH-002", "/a/\u0085", "\u0085", "U+0085 in segment 2 is a control character, which no path may hold"},
	{"PATH-002", "*\u200b", "\u200b", "U+200B in segment 1 is a format character, which no path may hold"},
	{"PATH-002", "[\u00ad]", "\u00ad", "U+00AD in segment 1 is a format character, which no path may hold"},
	{"PATH-002", "\ufeffa", "\ufeff", "U+FEFF in segment 1 is a format character, which no path may hold"},
	{"PATH-002", "{a,\u202e}", "\u202e", "U+202E in segment 1 is a format character, which no path may hold"},
	{"PATH-002", "\\\u2028", "\u2028", "U+2028 in segment 1 is a line separator, which no path may hold"},
	{"PATH-002", "a\u2029", "\u2029", "U+2029 in segment 1 is a line separator, which no path may hold"},
	{"PATH-002", "a/\ue000", "\ue000", "U+E000 in segment 2 is a private use character, which no path may hold"},
	{"PATH-002", "\U0010fffd", "\U0010fffd", "U+10FFFD in segment 1 is a private use character, which no path may hold"},
	{"PATH-002", "\ufdd0", "\ufdd0", "U+FDD0 in segment 1 is a noncharacter, which no path may hold"},
	{"PATH-002", "\U0002fffe", "\U0002fffe", "U+2FFFE in segment 1 is a noncharacter, which no path may hold"},
	{"PATH-002", "src/a\xff", "\xff", "byte 0xFF at position 2 of segment 2 is not UTF-8"},
	{"PATH-002", "\xed\xa0\x80", "\xed", "byte 0xED at position 1 of segment 1 is not UTF-8"},
	{"PATH-009", strings.Repeat("a", MaxPattern+1), "a", "it is longer than 4096 bytes"},
}

func TestRejectTable(t *testing.T) {
	for _, row := range rejectedRows {
		name := row.pattern[:min(len(row.pattern), 50)]
		p, err := Parse(row.pattern)
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("Parse(%q) = %q, %v; want %s", name, p, err, row.rule)
			continue
		}
		if e.Offset < 0 || e.Length < 0 || e.Offset+e.Length > len(row.pattern) || e.Text != row.pattern {
			t.Errorf("Parse(%q): place %d+%d is outside of the text", name, e.Offset, e.Length)
			continue
		}
		if place := row.pattern[e.Offset : e.Offset+e.Length]; e.Rule != row.rule || e.Reason != row.reason || place != row.place {
			t.Errorf("Parse(%q):\n got %s %q %s\nwant %s %q %s", name, e.Rule, place, e.Reason, row.rule, row.place, row.reason)
		}
		if p.Match("/"+row.pattern) || p.String() != "" {
			t.Errorf("Parse(%q) gave a pattern beside the error", name)
		}
	}
	_, err := Parse("a\tb/..")
	if want := `pattern "a\tb/..": segment 2 is ".." (PATH-002)`; err.Error() != want {
		t.Errorf("Error() = %s, want %s", err, want)
	}
}
