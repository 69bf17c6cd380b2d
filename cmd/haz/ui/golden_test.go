package ui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/report"
)

var update = flag.Bool("update", false, "rewrite expected files")

// The view as golden files, in a wide window, a usual one, a small one and a tiny one: read them as a user would. -update rewrites them.
func TestScreens(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		watch      bool
		more       func(s *state)
	}{
		{name: "running"},
		{name: "log", keys: "enter g"},
		{name: "failure", keys: "k"},
		{name: "found", keys: "enter g / 2 enter"},
		{name: "typing", keys: "/ r e q"},
		{name: "ready", more: func(s *state) {
			s.handle(messages.ServiceStarted{Task: id("serve"), Port: 5432, At: at(1), Took: time.Second})
		}},
		{name: "help", keys: "?", watch: true},
		{name: "haz", keys: "g"},
		{name: "refused", keys: "g c"},
		{name: "sideways", keys: "enter right"},
		{name: "over", watch: true, more: func(s *state) {
			s.handle(messages.TaskFinished{Outcome: messages.Outcome{Task: id("serve"), Status: messages.Cancelled, Cause: messages.Signalled, Started: at(0.2), Ended: at(3)}})
			s.handle(messages.RunFinished{At: at(3)})
			s.paused = true
		}},
	} {
		for _, size := range [][2]int{{120, 20}, {80, 24}, {40, 10}, {16, 3}} {
			s := told(c.watch)
			s.page = 5
			d := drawing{width: size[0], height: size[1]}
			d.screen(s, at(2.5)) // says how many lines fit
			pressed(s, c.keys)
			if c.more != nil {
				c.more(s)
			}
			goldenScreen(t, fmt.Sprintf("%s_%dx%d", c.name, size[0], size[1]), d.screen(s, at(2.5)))
		}
	}
	s := told(false)
	pressed(s, "k enter / b a d enter")
	s.look = report.Look{Glyphs: report.GlyphSet(true), Palette: report.DecidePalette(report.ColorAlways, func(string) string { return "" }, true)}
	d := drawing{width: 110, height: 12}
	goldenScreen(t, "colour_ascii_110x12", strings.ReplaceAll(d.screen(s, at(2.5)), "\x1b", "␛"))
}

// Whatever the window, a screen has no more lines than it, and none is wider; without colours nothing of a task's is left.
func TestScreensFit(t *testing.T) {
	for _, keys := range []string{"", "enter", "g", "?", "enter right right", "/ x", "g r", "enter g / 2 enter"} {
		for width := 1; width < 130; width += 3 {
			for height := 1; height < 40; height++ {
				s := told(true)
				d := drawing{width: width, height: height}
				pressed(s, keys)
				text := d.screen(s, at(3))
				lines := strings.Split(text, "\n")
				if len(lines) > height || strings.Contains(text, "\x1b") {
					t.Fatalf("%q in %dx%d: %d lines: %q", keys, width, height, len(lines), text)
				}
				for _, l := range lines {
					if ansi.StringWidth(l) > width {
						t.Fatalf("%q in %dx%d: %q", keys, width, height, l)
					}
				}
			}
		}
	}
}

func BenchmarkScreen(b *testing.B) {
	s := told(false)
	d := drawing{width: 200, height: 60}
	for b.Loop() {
		d.screen(s, time.Now())
	}
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
			if err := os.MkdirAll("testdata", 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (go test ./cmd/haz/ui -update; -want +got):\n%s", path, diff)
		}
	})
}
