package glob

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// tableFiles is the tree of section 8.3.
var tableFiles = []string{
	"/p/a.c", "/p/b.c", "/p/A.C", "/p/ab", "/p/a-b", "/p/a*b", "/p/a?b", "/p/a]b", "/p/a{b", "/p/.env", "/p/f1", "/p/f2", "/p/f10", "/p/f_", "/p/f-",
	"/p/f.txt", "/p/f.tar.gz", "/p/d1/g", "/p/d1/h/g", "/p/d2/g", "/p/é", "/p/x y", "/p/src/a.c", "/p/src/b.h", "/p/src/.hid.c", "/p/src/.d/e.c",
	"/p/src/x/c.c", "/p/src/x/y/d.c", "/p/haz.yml", "/top.txt", "/other/o.c",
}

// The rows of the first table of section 8.3, and what the text around it says; paths without "/p/" in front. extra are
// files besides those of the table.
var acceptedRows = []struct {
	rule, pattern, want string
	extra               string
}{
	{"PATH-008", `a.c`, `a.c`, ``},
	{"PATH-001", `/p/a.c`, `a.c`, ``},
	{"PATH-001", `/top.txt`, `/top.txt`, ``},
	{"PATH-010", `*.c`, `a.c b.c`, ``},
	{"PATH-010", `*`, `a.c b.c A.C ab a-b a*b a?b a]b a{b .env f1 f2 f10 f_ f- f.txt f.tar.gz é x_y haz.yml`, ``},
	{"PATH-010", `.*`, `.env`, ``},
	{"PATH-010", `src/*.c`, `src/a.c src/.hid.c`, ``},
	{"PATH-011", `src/**`, `src/a.c src/b.h src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-011", `src/**/*.c`, `src/a.c src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-011", `**/c.c`, `src/x/c.c`, ``},
	{"PATH-011", `src/**/c.c`, `src/x/c.c`, ``},
	{"PATH-011", `src/**/x/**/d.c`, `src/x/y/d.c`, ``},
	{"PATH-011", `**/*.c`, `a.c b.c src/a.c src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-001", `/**/*.c`, `a.c b.c src/a.c src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c /other/o.c`, ``},
	{"PATH-001", `/*`, `/top.txt`, ``},
	{"PATH-001", `p/*.c`, ``, ``},
	{"PATH-012", `f?`, `f1 f2 f_ f-`, ``},
	{"PATH-010", `f.*`, `f.txt f.tar.gz`, ``},
	{"PATH-012", `d?/g`, `d1/g d2/g`, ``},
	{"PATH-012", `src?a.c`, ``, ``},
	{"PATH-013", `[a-c].c`, `a.c b.c`, ``},
	{"PATH-013", `[ab].c`, `a.c b.c`, ``},
	{"PATH-013", `[!a].c`, `b.c`, ``},
	{"PATH-013", `[^a].c`, `b.c`, ``},
	{"PATH-013", `f[0-9_-]`, `f1 f2 f_ f-`, ``},
	{"PATH-013", `a[*]b`, `a*b`, ``},
	{"PATH-015", `a\*b`, `a*b`, ``},
	{"PATH-013", `a[]]b`, `a]b`, ``},
	{"PATH-015", `a\]b`, `a]b`, ``},
	{"PATH-015", `a\?b`, `a?b`, ``},
	{"PATH-015", `a\{b`, `a{b`, ``},
	{"PATH-014", `{a,b}.c`, `a.c b.c`, ``},
	{"PATH-014", `{a,b}{.c,.h}`, `a.c b.c`, ``},
	{"PATH-014", `{a.c,src/a.c}`, `a.c src/a.c`, ``},
	{"PATH-014", `{a,src/a}.c`, `a.c src/a.c`, ``},
	{"PATH-014", `src/{a,x/c}.c`, `src/a.c src/x/c.c`, ``},
	{"PATH-014", `src/{x/**/d.c,a.c}`, `src/x/y/d.c src/a.c`, ``},
	{"PATH-014", `a{\,,X}b`, `a,b aXb`, `a,b aXb a,,b`},

	// Section 8.1: ordinary literals.
	{"PATH-008", `a]b`, `a]b`, ``},
	{"PATH-008", `a}b`, `a}b`, `a}b`},
	{"PATH-008", `a,b`, `a,b`, `a,b`},
	{"PATH-008", `!x`, `!x`, `!x`},
	{"PATH-008", `#c`, `#c`, `#c`},
	{"PATH-008", `$v`, `$v`, `$v`},
	{"PATH-008", `~t`, `~t`, `~t`},
	{"PATH-008", `(p)`, `(p)`, `(p)`},
	{"PATH-008", `x y`, `x_y`, ``},
	{"PATH-007", `A.C`, `A.C`, ``},
	{"PATH-016", "e\u0301*", "e\u0301", "e\u0301"}, // no normalisation: not é

	// The deviations of section 8.2.
	{"PATH-012", `?`, `é`, ``},
	{"PATH-012", `??`, `ab f1 f2 f_ f-`, ``},
	{"PATH-013", `[é]`, `é`, ``},
	{"PATH-013", `[à-ÿ]`, `é`, ``},
	{"PATH-013", `[!x]`, `é`, ``},
	{"PATH-013", `src[!x]a.c`, ``, ``},
	{"PATH-013", `src[.-0]a.c`, ``, ``},
	{"PATH-014", `a{,.}c`, `ac`, `ac`}, // with a.c below
	{"PATH-014", `f{,1,10}`, `f f1 f10`, `f`},
	{"PATH-014", `a{}b`, `ab`, ``},
	{"PATH-011", `{**/c.c,a.c}`, `src/x/c.c a.c`, ``},
	{"PATH-011", `src/{x/**,a.c}`, `src/x/c.c src/x/y/d.c src/a.c`, ``},
	{"PATH-011", `{src/**/*.c,a.c}`, `a.c src/a.c src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-011", `src/x{/**,}/c.c`, `src/x/c.c`, ``},
	{"PATH-011", `src{/x/,/}**`, `src/a.c src/b.h src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-011", `src/**{/y/d.c,/e.c}`, `src/.d/e.c src/x/y/d.c`, ``},
	{"PATH-011", `d1/**/**`, `d1/g d1/h/g`, ``},
	{"PATH-011", `**/d1/**/g`, `d1/g d1/h/g`, ``},

	// Inside a set all but "]", "-" and a leading "!" or "^" is itself.
	{"PATH-013", `a[?]b`, `a?b`, ``},
	{"PATH-013", `a[{]b`, `a{b`, ``},
	{"PATH-013", `a[\]b`, `a\b`, `a\b`},
	{"PATH-013", `a[[]b`, `a[b`, `a[b`},
	{"PATH-013", `a[-]b`, `a-b`, ``},
	{"PATH-013", `a[x-]b`, `a-b`, ``},
	{"PATH-013", `a[!x-]b`, `a*b a?b a]b a{b`, ``},
	{"PATH-013", `a[!]*-]b`, `a?b a{b`, ``},
	{"PATH-013", `a[x!]b`, `a!b`, `a!b`},
	{"PATH-013", `[[:alpha:]]`, `a] :] [] p]`, `a] :] [] p] z]`}, // no POSIX classes
	{"PATH-015", `!*.c`, `!a.c`, `!a.c`},                         // no negated patterns
	{"PATH-009", `{a,b}.{c,d},e`, `a.c,e`, `a.c,e`},              // "," is special inside braces only
	{"PATH-009", `*]b`, `a]b`, ``},
	{"PATH-015", `\a.\c`, `a.c`, ``},
	{"PATH-015", `f\}*`, `f}x`, `f}x`},

	// Section 8.4: .git and what is haz's own.
	{"8.4", `**/HEAD`, `x/HEAD`, `.git/HEAD x/HEAD x/.git/HEAD`},
	{"8.4", `.git/**`, `.git/HEAD .git/a/b`, `.git/HEAD .git/a/b`},
	{"8.4", `**/.git/HEAD`, `.git/HEAD x/.git/HEAD`, `.git/HEAD x/.git/HEAD`},
	{"8.4", `{x,.git}/HEAD`, `x/HEAD .git/HEAD`, `.git/HEAD x/HEAD`},
	{"8.4", `.g{it,x}/*`, `.git/HEAD`, `.git/HEAD`},
	{"8.4", `.git*`, `.gitignore`, `.git .gitignore`},
	{"8.4", `?git`, `xgit`, `.git xgit`},
	{"8.4", `[.]git`, ``, `.git`},
	{"8.4", `.git`, `.git`, `.git`},
	{"8.4", `\.git/[a-z]*`, `.git/config`, `.git/config .git/HEAD`},
	{"8.4", `**/q`, `q .haz/q .haz/cache/q .haz/caches/q`, `q .haz/q .haz/cache/q .haz/caches/q .haz-restore-1/q x/.haz-restore-/q`},
	{"8.4", `/.haz/**`, `/.haz/workspace.yml /.haz/caches/x /.haz/tasks/a.yml`, `/.haz/workspace.yml /.haz/cache/x /.haz/cache /.haz/state/index /.haz/caches/x /.haz/tasks/a.yml`},
}

func TestMatchTable(t *testing.T) {
	for _, row := range acceptedRows {
		files := slices.Clone(tableFiles)
		for f := range strings.FieldsSeq(row.extra) {
			files = append(files, inProject(f))
		}
		var want, got []string
		for f := range strings.FieldsSeq(row.want) {
			want = append(want, inProject(strings.ReplaceAll(f, "x_y", "x y")))
		}
		if row.pattern == `a{,.}c` {
			want = append(want, "/p/a.c")
		}
		p := mustParse(t, row.pattern)
		if p.String() != row.pattern {
			t.Errorf("%q prints %q", row.pattern, p)
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
			t.Errorf("%s: %q matches\n got %q\nwant %q", row.rule, row.pattern, got, want)
		}
	}
}

func inProject(f string) string {
	if f[0] == '/' {
		return f
	}
	return "/p/" + f
}

// The rows of the second table of section 8.3, and other errors. place is the marked part of the text.
var rejectedRows = []struct{ rule, pattern, place, reason string }{
	{"PATH-003", "", "", "it is empty"},
	{"PATH-003", "/", "/", "it names the root of the workspace itself"},
	{"PATH-003", "src/", "/", `segment 2 is empty, since it ends with "/"`},
	{"PATH-003", "src/*/", "/", `segment 3 is empty, since it ends with "/"`},
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
