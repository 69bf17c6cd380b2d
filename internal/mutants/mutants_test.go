package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The patches cannot rot: every bug can still be planted, in one place only, the result compiles, and the tests that ought to notice
// exist. That they do notice is shown by the command itself, which takes an hour.
//
// With -short they are not compiled.
func TestPatches(t *testing.T) {
	root, ms := bugsOfToday(t)
	var c *compiler
	if !testing.Short() {
		c = newCompiler(t, root)
	}
	tests := map[string]map[string]bool{}
	names := map[string]string{}
	for _, m := range ms {
		if other := names[m.name]; other != "" {
			t.Errorf("%s and %s are both named %q", other, m.id, m.name)
		}
		names[m.name] = m.id
		if tests[m.pkg] == nil {
			tests[m.pkg] = testsOf(t, filepath.Join(root, m.pkg))
		}
		for want := range strings.SplitSeq(m.run, "|") {
			name, _, _ := strings.Cut(want, "/")
			if !strings.HasPrefix(name, "^") || !tests[m.pkg][strings.TrimSuffix(name[1:], "$")] {
				t.Errorf("%s: %s has no test %s", m.id, m.pkg, want)
			}
		}
		t.Run(m.id, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := m.apply(root, dir); err != nil {
				t.Fatal(err)
			}
			var before strings.Builder
			for _, file := range m.files {
				before.Write(read(t, filepath.Join(dir, "a", file)))
			}
			if c == nil {
				return // half a minute under the race detector
			}
			if err := c.check(root, filepath.Join(dir, "b"), m.files); err != nil {
				t.Errorf("does not compile: %v", err)
			}
			for _, old := range replaced(m.diff) {
				if n := strings.Count(before.String(), old); n != 1 {
					t.Errorf("%d places look like this one, more context would tell them apart (-refresh leaves it):\n%s", n, old)
				}
			}
		})
	}
}

// replaced is what a diff looks for: of each of its pieces, the lines that are there before.
func replaced(diff string) []string {
	var olds []string
	for _, piece := range strings.Split(diff, "\n@@ ")[1:] {
		var old strings.Builder
		_, lines, _ := strings.Cut(piece+"\n", "\n")
		for line := range strings.Lines(strings.TrimSuffix(lines, "\n")) {
			if line[0] == ' ' || line[0] == '-' {
				old.WriteString(line[1:])
			}
		}
		olds = append(olds, old.String())
	}
	return olds
}

// At least one bug stands for each S-rule of chapter 2, section 15.
func TestEveryRuleHasABug(t *testing.T) {
	_, ms := bugsOfToday(t)
	have := map[string]bool{}
	for _, m := range ms {
		for r := range strings.FieldsSeq(m.rule) {
			have[r] = true
		}
	}
	for n := 1; n <= 37; n++ {
		if rule := fmt.Sprintf("S-%02d", n); !have[rule] {
			t.Errorf("no bug stands for %s", rule)
		}
	}
}

// A bug that is no Go any more would be found only by planting it.
func TestCompiler(t *testing.T) {
	root, _ := bugsOfToday(t)
	c := newCompiler(t, root)
	const file = "pattern/set.go"
	for text, whole := range map[string]bool{
		"package pattern\n": false, "": false, // the others need what is here
		string(read(t, filepath.Join(root, file))):                    true,
		string(read(t, filepath.Join(root, file))) + "var _ = none\n": false,
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, file), text)
		if err := c.check(root, dir, []string{file}); (err == nil) != whole {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func bugsOfToday(t *testing.T) (root string, ms []mutant) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	if ms, err = all(root); err != nil || len(ms) == 0 {
		t.Fatalf("%d patches, %v", len(ms), err)
	}
	return root, ms
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				found[fn.Name.Name] = true
			}
		}
	}
	return found
}

func TestHeads(t *testing.T) {
	const diff = "\n--- a/x.go\n+++ b/x.go\n@@ -1 +1 @@\n-a\n+b\n"
	const whole = "name: n\nrule: S-01\npackage: ./x\ntest: ^TestA$\n"
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "", "no name"},
		{"no rule", "name: n\npackage: ./x\ntest: ^TestA$\n" + diff, "no rule"},
		{"an unknown key", whole + "file: x.go\n" + diff, `"file: x.go"`},
		{"a key twice", whole + "name: m\n" + diff, `"name: m"`},
		{"no value", whole + "limit:\n" + diff, `"limit:"`},
		{"no blank line", whole + diff[1:], `"--- a/x.go`},
		{"no diff", whole + "\nx\n", "--- a/FILE"},
		{"no time", whole + "limit: soon\n" + diff, "soon"},
		{"a new file", whole + "\n--- /dev/null\n+++ b/x.go\n", "--- a/FILE"},
	} {
		if _, err := parse(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	m, err := parse(whole + "environment: A=b: c\nlimit: 20s\n" + diff + "--- a/y.go\n")
	if err != nil || m.env != "A=b: c" || m.limit.Seconds() != 20 || strings.Join(m.files, " ") != "x.go y.go" || m.head+m.diff[:6] != whole+"environment: A=b: c\nlimit: 20s\n\n--- a/" {
		t.Errorf("%+v, %v", m, err)
	}
}

// A bug follows its lines through the file. Where its surroundings have changed nothing is planted until the patch was written again, and
// where its own lines are gone nothing is planted at all.
func TestApplyAndRefresh(t *testing.T) {
	const text = "0\n0\n1\n2\n3\nold\n4\n5\n6\n"
	for _, tc := range []struct {
		name, now     string
		apply, mended bool
	}{
		{"as it was", text, true, true},
		{"moved", strings.Repeat("0\n", 40) + text, true, true},
		{"surroundings changed", strings.NewReplacer("1", "one", "5", "five").Replace(text), false, true},
		{"gone", strings.Replace(text, "old", "older", 1), false, false},
	} {
		root := t.TempDir()
		patch := filepath.Join(root, bugs, "s", "b.patch")
		write(t, filepath.Join(root, "d", "x.go"), tc.now)
		write(t, patch, "name: n\nrule: r\npackage: p\ntest: t\n\n--- a/d/x.go\n+++ b/d/x.go\n@@ -3,7 +3,7 @@\n 1\n 2\n 3\n-old\n+new\n 4\n 5\n 6\n")
		planted := func() bool {
			ms, err := all(root)
			if err != nil || len(ms) != 1 || ms[0].id != "s/b" {
				t.Fatalf("%s: %+v, %v", tc.name, ms, err)
			}
			dir := t.TempDir()
			if err := ms[0].apply(root, dir); err != nil {
				return false
			}
			got := string(read(t, filepath.Join(dir, "b", "d", "x.go")))
			if want := strings.Replace(tc.now, "old", "new", 1); got != want {
				t.Errorf("%s: planted\n%s", tc.name, got)
			}
			return true
		}
		if got := planted(); got != tc.apply {
			t.Errorf("%s: applies %t", tc.name, got)
		}
		m, err := parse(string(read(t, patch)))
		m.id = "s/b"
		if err := errors.Join(err, m.refresh(root, t.TempDir())); (err == nil) != tc.mended {
			t.Errorf("%s: refreshed, %v", tc.name, err)
		}
		if got := planted(); got != tc.mended {
			t.Errorf("%s: refreshed, applies %t:\n%s", tc.name, got, read(t, patch))
		}
		if got := string(read(t, filepath.Join(root, "d", "x.go"))); got != tc.now {
			t.Errorf("%s: the tree was changed", tc.name)
		}
	}
}

func TestJudge(t *testing.T) {
	red := errors.New("exit status 1")
	for _, tc := range []struct {
		name, said string
		err        error
		want       string // a test, "" for survived, "error"
	}{
		{"green", "ok  \tx\t0.1s\n", nil, ""},
		{"one test", "--- FAIL: TestA (0.00s)\n    a_test.go:1: no\nFAIL\nFAIL\tx\t0.1s\n", red, "TestA"},
		{"the deepest of the first", "--- FAIL: TestA (0.0s)\n    --- FAIL: TestA/b (0.0s)\n        --- FAIL: TestA/b/c (0.0s)\n    --- FAIL: TestA/d (0.0s)\n--- FAIL: TestB (0.0s)\n", red, "TestA/b/c"},
		{"a hang", "panic: test timed out after 1s\n\trunning tests:\n\t\tTestA (1s)\n\t\tTestA/b (0s)\n\ngoroutine 7 [running]:\n", red, "TestA/b (hangs)"},
		{"a panic elsewhere", "panic: oh\n\ngoroutine 7 [running]:\nFAIL\tx\t0.1s\n", red, "(the test program dies)"},
		{"does not compile", "# x\nx.go:1: undefined: y\nFAIL\tx [build failed]\n", red, "error"},
		{"no such test", "ok  \tx\t0.1s [no tests to run]\n", errNoTests, "error"},
		{"no word", "", errors.New("signal: killed"), "error"},
	} {
		v := judge(tc.said, tc.err)
		got := v.test
		if v.err != nil {
			got = "error"
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
