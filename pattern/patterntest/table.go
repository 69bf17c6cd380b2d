// Package patterntest has what tests of patterns and of walks share: the table of chapter 1, 8.3, and random patterns.
package patterntest

// Files is the tree of section 8.3.
var Files = []string{
	"/p/a.c", "/p/b.c", "/p/A.C", "/p/ab", "/p/a-b", "/p/a*b", "/p/a?b", "/p/a]b", "/p/a{b", "/p/.env", "/p/f1", "/p/f2", "/p/f10", "/p/f_", "/p/f-",
	"/p/f.txt", "/p/f.tar.gz", "/p/d1/g", "/p/d1/h/g", "/p/d2/g", "/p/é", "/p/x y", "/p/src/a.c", "/p/src/b.h", "/p/src/.hid.c", "/p/src/.d/e.c",
	"/p/src/x/c.c", "/p/src/x/y/d.c", "/p/haz.yml", "/top.txt", "/other/o.c",
}

// Row is a pattern and what it selects; Rule is that of the specification.
type Row struct {
	Rule, Pattern, Want string
	Extra               string
}

// Rows are those of the first table of section 8.3, and what the text around it says; paths without "/p/" in front. Extra are
// files besides those of the table.
var Rows = []Row{
	{"PATH-008", `a.c`, `a.c`, ``},
	{"PATH-001", `/p/a.c`, `a.c`, ``},
	{"PATH-001", `/top.txt`, `/top.txt`, ``},
	{"PATH-010", `*.c`, `a.c b.c`, ``},
	{"PATH-010", `*`, `a.c b.c A.C ab a-b a*b a?b a]b a{b .env f1 f2 f10 f_ f- f.txt f.tar.gz é x_y haz.yml`, ``},
	{"PATH-010", `.*`, `.env`, ``},
	{"PATH-010", `src/*.c`, `src/a.c src/.hid.c`, ``},
	{"PATH-011", `src/**`, `src/a.c src/b.h src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-020", `src/`, `src/a.c src/b.h src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-020", `d?/`, `d1/g d1/h/g d2/g`, ``},
	{"PATH-020", `src/**/`, `src/a.c src/b.h src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-021", `src`, `src/a.c src/b.h src/.hid.c src/.d/e.c src/x/c.c src/x/y/d.c`, ``},
	{"PATH-021", `d1`, `d1/g d1/h/g`, `d1/.git/x`},
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

// InProject is a path of the table.
func InProject(f string) string {
	if f[0] == '/' {
		return f
	}
	return "/p/" + f
}
