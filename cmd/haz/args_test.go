package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
	"pgregory.net/rapid"

	"github.com/haz-build/haz/diag"
)

// judged orders a line, and has the library read it: the words that it is given, and what is wrong with them.
func judged(words []string) (l *line, did bool, err error) {
	l = order(words)
	err = l.run(context.Background(), func(*cli.Context, func(*invocation) error) error {
		did = true
		return nil
	})
	if err == error(exit(0)) {
		err = nil
	}
	return l, did, err
}

// What the argument library is given has the arguments behind the options, and values attached.
func TestOrder(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"run", "haz run"},
		{"run a:b --dry-run c:d", "haz run --dry-run -- a:b c:d"},
		{"-q run -j 4 x", "haz --quiet run --jobs=4 -- x"},
		{"run -j4 x -q", "haz run --jobs=4 --quiet -- x"},
		{"run -jauto", "haz run --jobs=auto"},
		{"cache clean --max-age=3d --soft -C /x", "haz cache clean --max-age=3d --soft --directory=/x"},
		{"run -- --all", "haz run -- --all"},
		{"run a -- --all", "haz run -- a"}, // --all is the task's
		{"why -- --all", "haz why -- --all"},
		{"run --summary=a=b", "haz run --summary=a=b"},
		{"query --tags a|b", "haz query --tags=a|b"},
		{"query --tags=", "haz query --tags="},
		{"run all --all", ""},
		{"why -", "haz why -- -"},
		{"-V -q", "haz --quiet --version"},
		{"-V run --format never", ""},
		{"run x --bogus --help --jobs=x", "haz run --help"},
		{"-C /x cache clean -h -V", "haz cache clean --directory=/x --help"},
		{"-V run -h", "haz run --version"},
		{"__complete fish --help", "haz __complete -- fish --help"},
	} {
		l, did, err := judged(strings.Fields(tc.line))
		if tc.want == "" {
			if err == nil {
				t.Errorf("%s: accepted as %q", tc.line, l.words)
			}
			continue
		}
		if got := strings.Join(l.words, " "); got != tc.want || err != nil || !did {
			t.Errorf("%s: %q, want %q; %v, %v", tc.line, got, tc.want, did, err)
		}
	}
}

// No line crashes the parser, and what it accepts means the same in order.
func TestOrderProperty(t *testing.T) {
	var words []string
	for _, path := range append(newTable().all(), nil) {
		l := newLine()
		l.path = path
		words = append(words, strings.Fields(pathName(path))...)
		for _, o := range l.here() {
			words = append(words, o.dashed(), o.dashed()+"=1", o.dashed()+"=auto")
			words = append(words, o.values...)
			for _, letter := range o.Aliases {
				words = append(words, "-"+letter, "-"+letter+"4")
			}
		}
	}
	words = append(words, "--", "-", "", "a:b", "x", "--=", "-=", "\xff", "--all=")
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(words), rapid.String()), 0, 8).Draw(t, "line")
		l, did, err := judged(typed)
		if err != nil {
			if did || diagnose(err, pathName(l.path)).Render(diag.Style{}) == "" {
				t.Fatalf("%v, %q", did, err)
			}
			return
		}
		if !did {
			t.Fatal("nothing was done, and nothing said")
		}
		_, help := l.given["help"]
		_, version := l.given["version"]
		again, _, err := judged(l.words[1:])
		if diff := cmp.Diff(l.words, again.words); !version && (diff != "" && l.path != nil || err != nil) { // a version comes last for the library, and is typed first
			t.Fatalf("%v, %s", err, diff)
		}
		for _, o := range l.globals { // but those depend on nothing else of the line
			if _, typed := l.given[o.Name]; typed != o.IsSet() && !help && !version {
				t.Fatalf("%s is typed: %v, and set: %v", o.dashed(), typed, o.IsSet())
			}
		}
	})
}

// Each value is read once, by the parser of the library.
func TestValuesAreReadOnce(t *testing.T) {
	l, reads := order([]string{"run", "x", "-j", "50%", "y"}), 0
	o := find(l.here(), "--jobs")
	reader := o.reader
	o.reader = func(text string) (any, error) { reads++; return reader(text) }
	err := l.run(t.Context(), func(c *cli.Context, _ func(*invocation) error) error {
		v := &invocation{c: c}
		if got := read[jobs](v, "jobs").of(six{}); got != 3 || reads != 1 || v.value("jobs") != "50%" || !v.has("jobs") || v.has("force") {
			t.Errorf("%d jobs, read %d times", got, reads)
		}
		return nil
	})
	if err != nil || reads != 1 {
		t.Errorf("read %d times, %v", reads, err)
	}
}

// six is a machine of six CPUs.
type six struct{}

func (six) CPUs() int  { return 6 }
func (six) Slots() int { return 12 }

func TestJobs(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "16": 16, "auto": 12, "50%": 3, "1%": 1, "34%": 3, "200%": 12, "100%": 6} {
		if got, err := parseJobs(text); err != nil || got.of(six{}) != want {
			t.Errorf("%s: %v, %v; want %d", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "0", "-1", "+1", "1.5", "%", "0%", "x", "4x", "9999999999999999999", " 1"} {
		if got, err := parseJobs(bad); err == nil {
			t.Errorf("%q is taken for %v", bad, got)
		}
	}
}

// The table holds together: names are unique, constraints name options that exist.
func TestTable(t *testing.T) {
	table := newTable()
	for _, path := range table.all() {
		c := path[len(path)-1]
		seen := map[string]bool{}
		for _, o := range append(slices.Clone(table.globals), c.options()...) {
			for _, name := range o.Names() {
				if seen[name] {
					t.Errorf("%s: %s stands there twice", pathName(path), name)
				}
				seen[name] = true
			}
			if o.Usage == "" || len(o.values) > 0 && o.noun == "" || len(o.Aliases) > 1 || len(o.Name) < 2 {
				t.Errorf("%s: %s is not described", pathName(path), o.dashed())
			}
		}
		inRules := slices.Clone(c.noRefs)
		for _, set := range append(slices.Clone(globalExclusive), c.exclusive...) {
			inRules = append(inRules, set...)
		}
		for _, n := range c.needs {
			inRules = append(inRules, n[:]...)
		}
		for _, n := range inRules {
			if !seen[n] {
				t.Errorf("%s: a rule names --%s, which does not exist", pathName(path), n)
			}
		}
		if c.do == nil || c.Usage == "" || c.Description == "" {
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
