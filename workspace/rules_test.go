package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every rule of chapter 1, section 13, that is kept here leads, by grep, to code and to a test. (Those of globs are in
// fsys/glob, those of the graph in graph.)
func TestEveryRuleIsCited(t *testing.T) {
	var code, tests strings.Builder
	for _, pattern := range []string{"*.go", "config/*.go", "testdata/errors/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			to := &code
			if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, ".txtar") {
				to = &tests
			}
			if file != "rules_test.go" {
				to.WriteString(file)
				to.Write(text)
			}
		}
	}
	rules := []string{"EXEC-022", "DISC-030"}
	for _, r := range []struct {
		kind        string
		first, last int
	}{
		{"ID", 1, 4}, {"DISC", 1, 10}, {"DISC", 20, 22}, {"CFG", 2, 37}, {"DAG", 1, 6}, {"REF", 1, 8}, {"PATH", 1, 6}, {"MUTEX", 1, 4}, {"MUTEX", 8, 9},
	} {
		for n := r.first; n <= r.last; n++ {
			rules = append(rules, fmt.Sprintf("%s-%03d", r.kind, n))
		}
	}
	for _, rule := range rules {
		switch rule {
		case "PATH-002", "PATH-003", "PATH-006": // kept by fsys/glob
		default:
			if !cites(code.String(), rule) {
				t.Errorf("no code cites %s", rule)
			}
		}
		switch rule {
		case "MUTEX-008", "MUTEX-009": // cache/key, graph
		default:
			if !cites(tests.String(), rule) {
				t.Errorf("no test cites %s", rule)
			}
		}
	}
}

// cites reports whether a text has the rule, its code in diagnostics, or a range "A … B" that it lies in.
func cites(text, rule string) bool {
	if strings.Contains(text, rule) || strings.Contains(text, strings.Replace(rule, "CFG-", "haz::cfg::", 1)) {
		return true
	}
	kind, number, _ := strings.Cut(rule, "-")
	for rest := text; ; {
		i := strings.Index(rest, kind+"-")
		if i < 0 {
			return false
		}
		rest = rest[i+len(kind)+1:]
		var from, to string
		if n, _ := fmt.Sscanf(rest, "%3s … "+kind+"-%3s", &from, &to); n == 2 && from <= number && number <= to {
			return true
		}
	}
}
