package setup

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/report"
)

var update = flag.Bool("update", false, "rewrite expected files")

// The screens of `haz init` as golden files, in a usual window, a small one and a tiny one: read them as a user would.
// -update rewrites them.
func TestInitScreens(t *testing.T) {
	sizes := [][2]int{{80, 24}, {40, 10}, {16, 4}}
	for _, tc := range []struct{ name, keys string }{
		{"tree", "down space down right down space"},
		{"ignored", "h down down space down"},
		{"refused", "down right"},
		{"help", "?"},
		{"confirmation", "down space down space space enter"},
	} {
		s, _ := typed(newState(disk["/"]), tc.keys)
		for _, size := range sizes {
			look := drawing{dir: "/home/me/ws", width: size[0], height: size[1]}
			goldenScreen(t, fmt.Sprintf("%s_%dx%d", tc.name, size[0], size[1]), look.screen(s))
		}
	}
	// The confirmation shows all of itself, whatever the window.
	s, _ := typed(newState(disk["/"]), "down space down space space enter down down down down")
	look := drawing{dir: "/home/me/ws", width: 40, height: 10}
	s.scroll = min(s.scroll, look.scrollMax(s))
	goldenScreen(t, "scrolled_40x10", look.screen(s))

	s, _ = typed(newState(disk["/"]), "h down space down down space right")
	look = drawing{dir: "/home/me/ws", width: 80, height: 24, ascii: true}
	goldenScreen(t, "ascii_80x24", look.screen(s))
	look.ascii, look.palette = false, report.DecidePalette(report.ColorAlways, func(string) string { return "" }, true)
	goldenScreen(t, "colour_80x24", strings.ReplaceAll(look.screen(s), "\x1b", "␛"))
}

func goldenScreen(t *testing.T, name, got string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		path := filepath.Join("testdata", name+".txt")
		var lines []string
		for line := range strings.SplitSeq(got, "\n") {
			lines = append(lines, strings.TrimRight(line, " "))
		}
		got := strings.Join(lines, "\n") + "\n"
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (go test ./cmd/haz/setup -update; -want +got):\n%s", path, diff)
		}
	})
}
