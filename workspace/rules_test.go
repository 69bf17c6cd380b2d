package workspace

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// chapterRules are the rules of chapter 1, section 13: first and last of each run of numbers.
var chapterRules = []struct {
	kind        string
	first, last int
}{
	{"ID", 1, 4}, {"DISC", 1, 10}, {"DISC", 20, 22}, {"DISC", 30, 30}, {"EXEC", 22, 22}, {"CFG", 2, 37}, {"DAG", 1, 16}, {"REF", 1, 8}, {"PATH", 1, 16},
	{"MUTEX", 1, 4}, {"MUTEX", 8, 9},
}

var ruleID = regexp.MustCompile(`\b(ID|DISC|EXEC|CFG|DAG|REF|PATH|MUTEX)-\d{3}\b`)

// citations reads all sources of the repository, and finds which rules are cited by their whole id in code and in tests: in
// texts, or in the names of golden files, which are names of tests.
func citations(t *testing.T) (code, tests map[string]bool) {
	t.Helper()
	code, tests = map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != ".." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		golden := strings.HasSuffix(name, ".txtar")
		if !d.Type().IsRegular() || !golden && !strings.HasSuffix(name, ".go") || d.Name() == "rules_test.go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		to := code
		if golden || strings.HasSuffix(name, "_test.go") {
			to = tests
			text = append(text, " "+filepath.Base(name)...)
		}
		for _, id := range ruleID.FindAll(text, -1) {
			to[string(id)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return code, tests
}

// Every rule of the chapter leads, by grep, to code and to a test.
func TestEveryRuleIsCited(t *testing.T) {
	code, tests := citations(t)
	count := 0
	for _, r := range chapterRules {
		for n := r.first; n <= r.last; n++ {
			count++
			rule := fmt.Sprintf("%s-%03d", r.kind, n)
			if !code[rule] {
				t.Errorf("no code cites %s", rule)
			}
			if !tests[rule] {
				t.Errorf("no test cites %s", rule)
			}
		}
	}
	if count != 101 || code["CFG-001"] || tests["CFG-999"] {
		t.Errorf("%d rules; what is no rule is cited: %v, %v", count, code["CFG-001"], tests["CFG-999"])
	}
}

// Every row of table 11.4 has a golden file that shows its code as a user sees it. A row with two codes shows the first where
// one thing breaks both (DISC-010 is CFG-012 as well).
func TestEveryErrorIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, pattern := range []string{"testdata/errors/*.txtar", "../graph/testdata/errors/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no archives %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, want, _ := strings.Cut(string(text), "-- want --\n")
			for line := range strings.SplitSeq(want, "\n") {
				if i := strings.LastIndexByte(line, '['); i >= 0 && strings.HasSuffix(line, "]") && !strings.Contains(line, "warning: ") {
					shown[line[i+1:len(line)-1]] = true
				}
			}
		}
	}
	rows := []string{"haz::cfg::yaml"}
	rows = append(rows, strings.Fields(`DISC-001 DISC-002 DISC-003 DISC-004 DISC-005 DISC-006 DISC-007 DISC-008 DISC-009 DISC-010 DISC-022 PATH-002
		DAG-006 DAG-008 DAG-009 DAG-010 DAG-012 DAG-014 DAG-015`)...)
	for n := 2; n <= 37; n++ {
		switch n {
		case 7, 8: // paths and references: codes of the keys that hold them
		case 11, 12: // shown as DISC-010
		case 26: // attachment, which cannot fail
		default:
			rows = append(rows, fmt.Sprintf("haz::cfg::%03d", n))
		}
	}
	for _, code := range rows {
		if !shown[code] {
			t.Errorf("no golden file shows %s", code)
		}
	}
}
