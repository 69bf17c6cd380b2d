package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// The table cannot rot: every bug can still be planted, the result parses, and the tests that ought to notice exist. That
// they do notice is shown by the command itself, which takes minutes.
func TestTable(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]bool{}
	names := map[string]bool{}
	for _, m := range table() {
		if names[m.name] {
			t.Errorf("two bugs are named %q", m.name)
		}
		names[m.name] = true
		text, err := m.apply(root)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, text, 0); err != nil {
			t.Errorf("%s: does not parse: %v", m.name, err)
		}
		if tests[m.pkg] == nil {
			tests[m.pkg] = testsOf(t, filepath.Join(root, m.pkg))
		}
		for _, want := range strings.Split(m.run, "|") {
			name, _, _ := strings.Cut(want, "/")
			if !strings.HasPrefix(name, "^") || !tests[m.pkg][strings.TrimSuffix(name[1:], "$")] {
				t.Errorf("%s: %s has no test %s", m.name, m.pkg, want)
			}
		}
	}
}

// Issue 5: at least 40 bugs, and at least one for each S-rule of chapter 2, section 15.
func TestTableIsWhole(t *testing.T) {
	all := table()
	if len(all) < 40 {
		t.Errorf("%d bugs", len(all))
	}
	have := map[string]bool{}
	for _, m := range all {
		for _, r := range strings.Fields(m.rule) {
			have[r] = true
		}
	}
	for n := 1; n <= 37; n++ {
		if rule := fmt.Sprintf("S-%02d", n); !have[rule] {
			t.Errorf("no bug stands for %s", rule)
		}
	}
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

// A text that is there twice, or not at all, is an error and not a silent survivor.
func TestApply(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		m    mutant
		want string
	}{
		{mutant{name: "absent", file: "internal/mutants/mutant.go", old: "no such" + " text", new: "x"}, "0 times"},
		{mutant{name: "twice", file: "internal/mutants/mutant.go", old: "string", new: "x"}, "times, not once"},
		{mutant{name: "itself", file: "internal/mutants/mutant.go", old: "package main\n", new: "package main\n"}, "by itself"},
		{mutant{name: "no file", file: "internal/mutants/none.go", old: "a", new: "b"}, "none.go"},
	} {
		if _, err := tc.m.apply(root); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.m.name, err)
		}
	}
	ok := mutant{name: "ok", file: "internal/mutants/mutant.go", old: "package main\n", new: "package other\n"}
	if text, err := ok.apply(root); err != nil || !strings.HasPrefix(text, "package other\n") {
		t.Errorf("%.20q, %v", text, err)
	}
}
