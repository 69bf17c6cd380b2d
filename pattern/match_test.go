package pattern

import (
	"errors"
	"os"
	gopath "path"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/pattern/patterntest"
)

func mustParse(t testing.TB, text string) Pattern {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%.60q): %v", text, err)
	}
	return p
}

// Unassigned characters are fine (8.1), also where a set spans what names cannot hold.
func TestUnassigned(t *testing.T) {
	for _, text := range []string{"\u0378", "*\u0378", "[\ud7ff-\uf900]", "[ -\U000e0fff]"} {
		if _, err := Parse(text); err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for _, p := range []string{"/a", "/a/b.c", "/a*b/[x]", "/é/\u0378", `/a\b`, "/..."} {
		if err := CheckPath(p); err != nil {
			t.Errorf("CheckPath(%q) = %v", p, err)
		}
	}
	for p, rule := range map[string]string{
		"": "PATH-001", "a": "PATH-001", "/": "PATH-003", "//": "PATH-003", "/a/": "PATH-003", "/a//b": "PATH-003", "/.": "PATH-002", "/a/..": "PATH-002",
		"/a/../b": "PATH-002", "/\xff": "PATH-002", "/a\u200b": "PATH-002", "/a\x7f": "PATH-002", "/\ufffe": "PATH-002",
	} {
		var e *SyntaxError
		if !errors.As(CheckPath(p), &e) || e.Rule != rule {
			t.Errorf("CheckPath(%q) = %v, want %s", p, CheckPath(p), rule)
		}
	}
}

// Bad bytes count as one character each, for `?`, sets and `*`, and are in no set that is not negated.
func TestBadBytes(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"/?", "/\xff", true}, {"/??", "/\xff", false}, {"/??", "/\xc3\xff", true}, {"/?", "/\xc3\xa9", true}, {"/???", "/\xed\xa0\x80", true},
		{"/[!a]", "/\xff", true}, {"/[\u00a0-\U000e0fff]", "/\xff", false}, {"/*", "/\xff\xfe", true}, {"/*é", "/\xc3é", true}, {"/?é", "/\xc3é", true},
		{"/\ufffd", "/\xff", false}, {"/[\ufffd]", "/\ufffd", true}, {"/[\ufffd]", "/\xff", false}, {"/[\ufffd]", "/\x80", false},
	} {
		if got := mustParse(t, c.pattern).Match(c.path); got != c.want {
			t.Errorf("%q matches %q = %v", c.pattern, c.path, got)
		}
	}
}

func TestMatchTakesPathsOnly(t *testing.T) {
	for _, text := range []string{"/**", "/*", "/*/*", "/[!a]*", "/{a,**}", "/a"} {
		p := mustParse(t, text)
		for _, path := range []string{"", "/", "a", "//", "/a/", "/a//b", "/.", "/..", "/a/..", "/./a"} {
			if p.Match(path) {
				t.Errorf("%q matches %q", text, path)
			}
		}
	}
	var none Pattern
	if none.Match("/a") || none.IsLiteral() || none.IsAbsolute() || none.MayMatchBelow("/") || none.CoversAllBelow("/") || none.FixedPrefix() != "/" ||
		none.String() != "" || none.Anchor("/a") != none || Overlap(none, mustParse(t, "/**")) || Overlap(mustParse(t, "/**"), none) {
		t.Error("the zero Pattern matches something")
	}
}

func TestPatternProperties(t *testing.T) {
	for _, c := range []struct {
		text              string
		literal, absolute bool
		prefix            string // anchored at /p
	}{
		{"a.c", true, false, "/p"}, {"/a.c", true, true, "/"}, {"out/a.o", true, false, "/p/out"}, {"/lib/out/*.o", false, true, "/lib/out"},
		{"*", false, false, "/p"}, {"/**", false, true, "/"}, {"src/**", false, false, "/p/src"}, {"src/{a,b}/c", false, false, "/p/src"},
		{`a\*b/x[y]`, false, false, "/p/a*b"}, {`a\*b`, false, false, "/p"}, {"/a/b/c?/d/*", false, true, "/a/b"}, {"/{a,b}/c", false, true, "/"},
	} {
		p := mustParse(t, c.text)
		if p.IsLiteral() != c.literal || p.IsAbsolute() != c.absolute || p.Anchor("/p").FixedPrefix() != c.prefix || !p.Anchor("/p").IsAbsolute() {
			t.Errorf("%q: literal %v, absolute %v, prefix %q", c.text, p.IsLiteral(), p.IsAbsolute(), p.Anchor("/p").FixedPrefix())
		}
	}
}

// Glob characters in a directory mean themselves (7.3, "app/[slug]").
func TestAnchor(t *testing.T) {
	for _, c := range []struct{ text, dir, want, match, no string }{
		{"*.c", "/app/[slug]", `/app/\[slug]/*.c`, "/app/[slug]/a.c", "/app/s/a.c"},
		{"a.c", "/app/[slug]", "/app/[slug]/a.c", "/app/[slug]/a.c", "/app/s/a.c"},
		{"src/**", `/{a,b}*?\`, `/\{a,b\}\*\?\\/src/**`, `/{a,b}*?\/src/x`, "/a/src/x"},
		{"*", "/", "/*", "/a", "/a/b"},
		{"a", "/", "/a", "/a", "/b"},
		{"/x/*", "/a", "/x/*", "/x/y", "/a/x/y"},
		{"{a,b/c}", "/d", "/d/{a,b/c}", "/d/b/c", "/a"},
	} {
		p := mustParse(t, c.text).Anchor(c.dir)
		if p.String() != c.want || !p.Match(c.match) || p.Match(c.no) {
			t.Errorf("%q at %q: %q, matches %v %v", c.text, c.dir, p, p.Match(c.match), p.Match(c.no))
		}
		if p.IsLiteral() {
			continue
		}
		again := mustParse(t, p.String())
		if !again.Match(c.match) || again.Match(c.no) || again.FixedPrefix() != p.FixedPrefix() {
			t.Errorf("%q parsed again differs", p)
		}
	}
}

func TestCoversAllBelow(t *testing.T) {
	for _, c := range []struct {
		pattern, dir string
		want         bool
	}{
		{"/a/**", "/a", true}, {"/a/**", "/a/b", true}, {"/a/**", "/", false}, {"/**", "/", true}, {"/**", "/x/y", true}, {"/a/**/*", "/a", true},
		{"/a/*", "/a", false}, {"/a/**/*.c", "/a", false}, {"/**/a/**", "/b", false}, {"/**/a/**", "/b/a", true}, {"/**/a/**", "/b/a/c", true},
		{"/a/{*,*/**}", "/a", true}, {"/a/{*.c,**}", "/a", true}, {"/a/{x,y}/**", "/a/x", true}, {"/a/{x,y}/**", "/a/z", false}, {"/a", "/", false},
		{"/a/*/**", "/a", false}, {"/a", "/a", true}, {"/a", "/a/b", true}, {"/a/", "/a/b", true}, {"/a/b", "/a", false}, {"/*/", "/a", true}, {"/*/", "/", false}, {"/**/", "/", true}, {"/a/**", "/ab", false}, {"/**/?*", "/", false}, {"/a/b/**", "/a", false}, {"/**/node_modules/**", "/x/node_modules", true},
	} {
		if got := mustParse(t, c.pattern).CoversAllBelow(c.dir); got != c.want {
			t.Errorf("%q covers all below %q = %v", c.pattern, c.dir, got)
		}
	}
}

func TestMayMatchBelow(t *testing.T) {
	for _, c := range []struct {
		pattern, dir string
		want         bool
	}{
		{"/src/*.c", "/", true}, {"/src/*.c", "/src", true}, {"/src/*.c", "/src/x", false}, {"/src/*.c", "/lib", false}, {"/src/**", "/src/x/y", true},
		{"/a/b", "/", true}, {"/a/b", "/a", true}, {"/a/b", "/a/b", true}, {"/a/b", "/a/b/c/d", true}, {"/a/b", "/a/c", false}, {"/a/b", "/a/b/.git", false}, {"/a/*/", "/a/b", true}, {"/a/*/", "/b", false}, {"/*/x/*.c", "/q", true}, {"/*/x/*.c", "/q/y", false},
		{"/**/x", "/.git", false}, {"/**", "/.haz/cache", false}, {"/.git/*", "/.git", true}, {"/{a,b/c}/*", "/b", true}, {"/{a,b/c}/*", "/c", false},
		{"/a/**", "/a", true}, {"/ab/*", "/a", false},
	} {
		if got := mustParse(t, c.pattern).MayMatchBelow(c.dir); got != c.want {
			t.Errorf("%q may match below %q = %v", c.pattern, c.dir, got)
		}
	}
}

// Parse and Match agree with the oracle on random patterns, and MayMatchBelow and CoversAllBelow with all paths.
func TestMatchProperties(t *testing.T) {
	paths := smallPaths()
	rapid.Check(t, func(t *rapid.T) {
		text := patterntest.Text(true).Draw(t, "pattern")
		o, legal := newOracle(text)
		p, err := Parse(text)
		if legal != (err == nil) {
			t.Fatalf("Parse(%q) = %v, legal is %v", text, err, legal)
		}
		if err != nil {
			return
		}
		below := map[string]int{}
		for _, path := range paths {
			got := p.Match(path)
			if want := o.match(path); got != want {
				t.Fatalf("%q matches %q: got %v, want %v", text, path, got, want)
			}
			if got && path != p.Path() && !strings.HasPrefix(path, strings.TrimSuffix(p.FixedPrefix(), "/")+"/") {
				t.Fatalf("%q matches %q outside of its fixed prefix %q", text, path, p.FixedPrefix())
			}
			for dir := gopath.Dir(path); ; dir = gopath.Dir(dir) {
				if got && !p.MayMatchBelow(dir) {
					t.Fatalf("%q matches %q, but may not match below %q", text, path, dir)
				}
				if !got && p.CoversAllBelow(dir) && !Invisible(path) && !strings.Contains(path+"/", "/.git/") {
					t.Fatalf("%q covers all below %q, but not %q", text, dir, path)
				}
				below[dir]++
				if dir == "/" {
					break
				}
			}
		}
	})
}

// A million patterns, behind an environment variable.
func TestMatchCampaign(t *testing.T) {
	if os.Getenv("HAZ_CAMPAIGN") == "" {
		t.Skip("set HAZ_CAMPAIGN to run")
	}
	paths := smallPaths()
	gen := patterntest.Text(true)
	for seed := range 1_000_000 {
		text := gen.Example(seed)
		o, legal := newOracle(text)
		p, err := Parse(text)
		if legal != (err == nil) {
			t.Fatalf("Parse(%q) = %v, legal is %v", text, err, legal)
		}
		for _, path := range paths {
			if err == nil && p.Match(path) != o.match(path) {
				t.Fatalf("%q matches %q: got %v", text, path, p.Match(path))
			}
		}
	}
}

// FuzzParse: no panic, places inside the text, and parse, print, parse is the identity (chapter 1, 12).
func FuzzParse(f *testing.F) {
	for _, row := range patterntest.Rows {
		f.Add(row.Pattern)
	}
	for _, row := range rejectedRows {
		f.Add(row.pattern)
	}
	f.Add(strings.Repeat("{a,b}", 40))
	f.Add(strings.Repeat("{,*/}", 400))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || !strings.HasPrefix(e.Rule, "PATH-") || e.Reason == "" || e.Offset < 0 || e.Length < 0 || e.Offset+e.Length > len(text) {
				t.Fatalf("Parse(%q): %#v", text, err)
			}
			return
		}
		if p.String() != text || !utf8.ValidString(text) {
			t.Fatalf("Parse(%q) prints %q", text, p)
		}
		dir := "/d[*]"
		q := p.Anchor(dir)
		if p.IsLiteral() {
			if !q.Match(q.Path()) || q.IsFolder() && !q.Match(q.Path()+"/x") {
				t.Fatalf("literal %q does not match itself", q)
			}
			return
		}
		again, err := Parse(q.String())
		if err != nil || again.String() != q.String() || again.FixedPrefix() != q.FixedPrefix() {
			t.Fatalf("%q parsed again: %q, %v", q, again, err)
		}
		for _, path := range []string{"/a", "/d[*]/a", "/" + text, dir + "/" + text, "/d[*]/a/b.c"} {
			if q.Match(path) != again.Match(path) {
				t.Fatalf("%q and its copy differ on %q", q, path)
			}
			if q.Match(path) && !q.MayMatchBelow(gopath.Dir(path)) {
				t.Fatalf("%q matches %q, but may not match below its directory", q, path)
			}
		}
		if len(text) < 200 {
			path, ok := Common(q, again)
			if ok && !q.Match(path) {
				t.Fatalf("%q does not match %q", q, path)
			}
		}
	})
}
