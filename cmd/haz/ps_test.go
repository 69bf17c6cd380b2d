package main

import (
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cmd/haz/attach"
)

// On a terminal no line of the list is longer than that is wide; elsewhere nothing is cut off. What a command line holds cannot move the cursor.
func TestRunsTable(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	found := []attach.Found{
		{Hello: attach.Hello{PID: 4711, Kind: "watch", Command: []string{"haz", "watch", strings.Repeat("långt:", 20)}, Since: now.Add(-90 * time.Second)}, State: attach.State{Done: 3, Running: 2, Waiting: 10, Failed: 1}},
		{Hello: attach.Hello{PID: 7, Kind: "run", Command: []string{"haz", "run", "\x1b[31m"}, Since: now.Add(time.Second)}},
	}
	for _, width := range []int{0, 60, 80} {
		text := runsTable(found, now, width)
		if strings.Contains(text, "\x1b") || strings.Count(text, "\n") != 3 || !strings.Contains(text, "4711  1m 30s  watch  3     2        10       1       haz") {
			t.Errorf("%d columns:\n%s", width, text)
		}
		for line := range strings.Lines(text) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); width > 0 && n > width {
				t.Errorf("%d columns, and a line of %d", width, n)
			}
		}
		if cut := strings.Contains(text, "…"); cut != (width > 0) {
			t.Errorf("%d columns: cut off %v", width, cut)
		}
	}
}
