package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/haz-build/haz/diag"
)

// What the argument library is given is one canonical form, wherever things stood on the line.
func TestCanonical(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"run", "haz run --"},
		{"run a:b --dry-run c:d", "haz run --dry-run -- a:b c:d"},
		{"-q run -j 4 x", "haz --quiet run --jobs=4 -- x"},
		{"run -j4 x -q", "haz --quiet run --jobs=4 -- x"},
		{"run -jauto", "haz run --jobs=auto --"},
		{"cache clean --max-age=3d --soft -C /x", "haz --directory=/x cache clean --max-age=3d --soft --"},
		{"run -- --all", "haz run -- --all"},
		{"run --summary=a=b", "haz run --summary=a=b --"},
		{"query --tags a|b", "haz query --tags=a|b --"},
		{"query --tags=", "haz query --tags= --"},
		{"run all --all", ""},
		{"why -", "haz why -- -"},
	} {
		p, err := parse(strings.Fields(tc.line))
		if tc.want == "" {
			if err == nil {
				t.Errorf("%s: accepted as %q", tc.line, canonical(p))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.line, err)
			continue
		}
		if got := strings.Join(canonical(p), " "); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.line, got, tc.want)
		}
	}
}

// No line crashes the parser, and what it accepts means the same in canonical form.
func TestParseProperty(t *testing.T) {
	var words []string
	for _, path := range append(allCommands(), nil) {
		for _, c := range path {
			words = append(words, c.name)
		}
		for _, o := range optionsAt(path) {
			words = append(words, o.dashed(), o.dashed()+"=1", o.dashed()+"=auto")
			words = append(words, o.values...)
			if o.short != "" {
				words = append(words, "-"+o.short, "-"+o.short+"4")
			}
		}
	}
	words = append(words, "--", "-", "", "a:b", "x", "--=", "-=", "\xff", "--all=")
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(words), rapid.String()), 0, 8).Draw(t, "line")
		p, err := parse(line)
		if err != nil {
			if p == nil || diagnose(err, p.commandName()).Render(diag.Style{}) == "" {
				t.Fatalf("an error without a text: %v", err)
			}
			return
		}
		if p.help || p.version || p.command() == nil || p.command().hidden {
			return
		}
		again, err := parse(canonical(p)[1:])
		if err != nil {
			t.Fatalf("%q became %q: %v", line, canonical(p), err)
		}
		if diff := cmp.Diff(canonical(p), canonical(again)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestJobs(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "16": 16, "auto": 6, "50%": 3, "1%": 1, "34%": 3, "200%": 12, "100%": 6} {
		if got, err := parseJobs(text, 6); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "0", "-1", "+1", "1.5", "%", "0%", "x", "4x", "9999999999999999999", " 1"} {
		if got, err := parseJobs(bad, 6); err == nil {
			t.Errorf("%q is taken for %d", bad, got)
		}
	}
}

// The table holds together: names are unique, constraints name options that exist.
func TestTable(t *testing.T) {
	for _, path := range allCommands() {
		c := path[len(path)-1]
		seen := map[string]bool{}
		for _, o := range append(append([]option{}, globals...), c.opts...) {
			for _, name := range []string{o.dashed(), "-" + o.short} {
				if name != "-" && seen[name] {
					t.Errorf("%s: %s stands there twice", pathName(path), name)
				}
				seen[name] = true
			}
			if o.help == "" || len(o.values) > 0 && o.noun == "" {
				t.Errorf("%s: %s is not described", pathName(path), o.dashed())
			}
		}
		named := append([]string{}, c.noRefs...)
		for _, set := range c.exclusive {
			named = append(named, set...)
		}
		for _, n := range c.needs {
			named = append(named, n[:]...)
		}
		for _, n := range named {
			if !seen["--"+n] {
				t.Errorf("%s: a rule names --%s, which does not exist", pathName(path), n)
			}
		}
		if c.do == nil || c.brief == "" || len(c.about) == 0 {
			t.Errorf("%s is not described", pathName(path))
		}
	}
}

func TestBashWords(t *testing.T) {
	for _, tc := range []struct {
		line, done string
		words      []string
	}{
		{"haz ", "", []string{""}},
		{"haz ru", "", []string{"ru"}},
		{"haz run lib:b", "lib:", []string{"run", "lib:b"}},
		{"haz run ^~:x", "^~:", []string{"run", "^~:x"}},
		{"haz run --cache=r", "--cache=", []string{"run", "--cache=r"}},
		{`haz query --tags 'a & b' --in`, "", []string{"query", "--tags", "a & b", "--in"}},
		{`haz run a\ b "c d" e`, "", []string{"run", "a b", "c d", "e"}},
		{`haz run "lib:b`, "", []string{"run", "lib:b"}},
		{`haz run --cache="r`, "--cache=", []string{"run", "--cache=r"}},
		{`haz run lib\:b`, "", []string{"run", "lib:b"}},
		{`haz run "lib:"b`, "", []string{"run", "lib:b"}},
		{`haz run 'a:b' c`, "", []string{"run", "a:b", "c"}},
	} {
		words, done := bashWords(tc.line, " \t\n\"'><=;|&(:")
		if diff := cmp.Diff(tc.words, words); diff != "" || done != tc.done {
			t.Errorf("%q: done %q, want %q; %s", tc.line, done, tc.done, diff)
		}
	}
}
