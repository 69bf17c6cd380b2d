//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// A run in a real terminal of 40 columns: the progress line fits, is taken away before every other line and at the end
// (chapter 3, 10.5).
func TestRunInTerminal(t *testing.T) {
	root := longRun(t)
	s := startInTerminal(t, root, 24, 40, realHaz(t), "run", "--workspace")
	s.shows("2 running")
	goOn(t, root)
	s.exits(0)
	s.shows(" Time: ")
	const wipe = "\r\x1b[2K"
	var drawn int
	for _, piece := range strings.Split(s.output(), wipe) {
		line, _, _ := strings.Cut(piece, "\r\n")
		if !strings.Contains(line, "running") {
			continue
		}
		drawn++
		// The whole piece is the line: what follows it is the next wipe.
		if piece != line || ansi.StringWidth(line) > 39 || strings.Contains(line, "\x1b") {
			t.Errorf("the progress line is %q", piece)
		}
	}
	if drawn == 0 {
		t.Errorf("no progress line: %q", s.output())
	}
	if out := s.output(); strings.LastIndex(out, "running") > strings.LastIndex(out, wipe) {
		t.Errorf("the progress line stays: %q", out)
	}
}

// Nothing is redrawn on CI, on a dumb terminal, on demand, or with -q.
func TestRunInTerminalWithoutProgress(t *testing.T) {
	for name, command := range map[string][]string{
		"CI": {"env", "CI=true", realHaz(t), "run"}, "dumb": {"env", "TERM=dumb", realHaz(t), "run"},
		"off": {realHaz(t), "run", "--progress=off"}, "quiet": {realHaz(t), "run", "-q"},
	} {
		t.Run(name, func(t *testing.T) {
			root := longRun(t)
			s := startInTerminal(t, root, 24, 80, append(command, "--workspace")...)
			if !eventually(20*time.Second, func() bool {
				a, _ := filepath.Glob(filepath.Join(root, "p", "started-*"))
				return len(a) == 2
			}) {
				t.Fatal("the tasks did not start")
			}
			goOn(t, root)
			s.exits(0)
			if out := s.output(); strings.Contains(out, "running") || strings.Contains(out, "\x1b") {
				t.Errorf("output %q", out)
			}
		})
	}
}

// longRun is a workspace of two tasks with long names that wait for goOn.
func longRun(t *testing.T) string {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\nconcurrency: {default: 2}\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), `name: a-project-with-a-name-that-is-long
tasks:
  the-first-of-the-two-tasks: {shell: "echo > started-1; while ! [ -e ../go ]; do sleep 0.02; done", env: {from_host: [PATH]}}
  the-second-of-the-two-tasks: {shell: "echo > started-2; while ! [ -e ../go ]; do sleep 0.02; done; echo ended", env: {from_host: [PATH]}}
`)
	t.Cleanup(func() { _ = os.WriteFile(filepath.Join(root, "go"), nil, 0o666) })
	return root
}

func goOn(t *testing.T, root string) {
	t.Helper()
	mustWrite(t, filepath.Join(root, "go"), "")
}
