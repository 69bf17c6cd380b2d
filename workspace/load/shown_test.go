package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every row of table 11.4 has a golden file that shows its code as a user sees it. A row with two codes shows the first where
// one thing breaks both (DISC-010 is haz::cfg::012 as well).
func TestEveryErrorIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, pattern := range []string{"testdata/errors/*.txtar", "../../graph/testdata/errors/*.txtar"} {
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
