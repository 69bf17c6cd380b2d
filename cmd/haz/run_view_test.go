//go:build linux

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/cmd/haz/watch"
)

const viewTasks = `name: p
tasks:
  bad: {shell: "echo the reason; exit 3", inputs: [haz.yml]}
  good: {shell: "echo nobody needs this; cat src/a", inputs: ["src/*"]}
  wait: {shell: "echo PATIENCE; until [ -e ../go ]; do sleep 0.02; done; echo went", inputs: [haz.yml], env: {from_host: [PATH]}}
  serve: {shell: "echo serving; trap 'echo stopped; exit 0' TERM; while :; do sleep 0.05; done", cache: false, env: {from_host: [PATH]}}
`

func viewTree(t *testing.T) (root string) {
	root = t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), viewTasks)
	mustWrite(t, filepath.Join(root, "p/src/a"), "first\n")
	return root
}

func viewIn(t *testing.T, root string, args ...string) *terminalScreen {
	return startInTerminal(t, root, 24, 100, append([]string{ownHaz(t)}, args...)...)
}

// below is what is seen on the normal screen, after the view.
func (s *terminalScreen) below() string {
	s.t.Helper()
	s.shows(" Time: ")
	out := s.output()
	return out[strings.LastIndex(out, "\x1b[?1049l")+len("\x1b[?1049l"):]
}

// A run on the full screen: what tasks print is shown in their logs. The view ends with the run, and the normal screen has what failed, with its
// output, and the summary as without the view (AUX-050).
func TestViewOfARun(t *testing.T) {
	root := viewTree(t)
	s := viewIn(t, root, "run", "--ui", "p:bad", "p:good", "p:wait")
	s.shows("p:wait")
	s.types("G")
	s.shows("PATIENCE")
	s.shows("enter log  r restart  c cancel  q stop  ? help")
	s.types("g")
	s.types("j")
	s.shows("the reason")
	goOn(t, root)
	s.ends(1)
	below := s.below()
	plain := exec.Command(ownHaz(t), "run", "--force", "p:bad", "p:good", "p:wait")
	plain.Dir = root
	out, _ := plain.CombinedOutput()
	_, summary, _ := strings.Cut(string(out), "failed:\n")
	first, _, _ := strings.Cut(summary, "\n")
	for _, want := range []string{"[p:bad] the reason", "[p:bad] ✗ failed in", "failed:", first, "Tasks: 2 completed, 1 failed", " Time: "} {
		if !strings.Contains(below, want) {
			t.Errorf("%q is not below the view: %q", want, below)
		}
	}
	if strings.Contains(below, "nobody needs this") || strings.Contains(below, "went") {
		t.Errorf("what succeeded is below the view: %q", below)
	}
}

// r restarts a task, c cancels one, q and Ctrl-C stop the run, and signals do; each way out gives the terminal back.
func TestViewKeys(t *testing.T) {
	root := viewTree(t)
	s := viewIn(t, root, "run", "--ui", "p:serve", "p:wait")
	s.shows("p:wait")
	s.types("g")
	s.types("j")
	s.shows("serving")
	s.types("r")
	s.shows("stopped by request; again")
	s.types("c")
	s.shows("1 cancelled")
	s.types("r")
	s.shows("p:serve is not being carried out")
	goOn(t, root)
	s.ends(1)
	if below := s.below(); !strings.Contains(below, "1 completed, 1 cancelled") {
		t.Errorf("below: %q", below)
	}
	for name, c := range map[string]struct {
		leave func(s *terminalScreen)
		code  int
	}{
		"q":       {func(s *terminalScreen) { s.types("q") }, 130},
		"Ctrl-C":  {func(s *terminalScreen) { s.types("\x03") }, 130},
		"SIGTERM": {func(s *terminalScreen) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, 143},
	} {
		t.Run(name, func(t *testing.T) {
			s := viewIn(t, viewTree(t), "run", "--ui", "p:serve")
			s.shows("serving")
			c.leave(s)
			s.ends(c.code)
			if below := s.below(); !strings.Contains(below, "1 cancelled") {
				t.Errorf("below: %q", below)
			}
		})
	}
}

// Of a watch the view stays between runs, its keys do what those of the watch do, and below it the last run is summed up.
func TestViewOfAWatch(t *testing.T) {
	root := viewTree(t)
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\noutput: {ui: auto}\n")
	s := viewIn(t, root, "watch", "p:good")
	s.shows("waiting for changes")
	s.types("g")
	s.types("j")
	mustWrite(t, filepath.Join(root, "p/src/a"), "second\n")
	s.shows("second")
	s.types("p")
	s.shows("paused")
	mustWrite(t, filepath.Join(root, "p/src/a"), "third\n")
	time.Sleep(5 * watch.Quiet)
	s.types("a")
	s.shows("third")
	s.types("q")
	s.ends(0)
	if below := s.below(); strings.Count(below, "Tasks: ") != 1 || !strings.Contains(below, "Tasks: 1 completed") {
		t.Errorf("below: %q", below)
	}
}

// Ctrl-Z takes the view away and stops all that runs; it comes back with `fg`.
func TestViewStopped(t *testing.T) {
	root := viewTree(t)
	s := startInTerminal(t, root, 24, 100, "sh", "-c", "set -m; "+ownHaz(t)+" run --ui p:serve; echo has stopped; stty -a | grep -q ' icanon.* echo ' && echo cooked; read x; echo \"read $x\"; fg >/dev/null; echo \"left with $?\"")
	s.shows("serving")
	s.types("\x1a")
	s.shows("has stopped")
	s.shows("cooked")
	s.types("it\r")
	s.shows("read it")
	if !eventually(20*time.Second, func() bool { return *s.termios() != *s.was }) {
		t.Fatal("the view does not come back")
	}
	s.types("q")
	s.shows("left with 130")
	s.exits(0)
	s.cooked()
}

// An interactive task has the terminal alone, and the view comes back after it.
func TestViewLent(t *testing.T) {
	root := viewTree(t)
	mustWrite(t, filepath.Join(root, "p/haz.yml"), viewTasks+`  ask: {shell: "printf 'name? '; read name; echo \"hello, $name\"", interactive: true, deps: ["~:wait"]}
  after: {shell: "true", deps: ["~:ask"]}
`)
	s := viewIn(t, root, "run", "--ui", "p:after")
	s.shows("p:wait")
	goOn(t, root)
	s.shows("name? ")
	if out := s.output(); strings.LastIndex(out, "\x1b[?1049l") < strings.LastIndex(out, "\x1b[?1049h") {
		t.Error("the task asks on the screen of the view")
	}
	s.types("qrcp\r")
	s.shows("hello, qrcp")
	s.ends(0)
	if below := s.below(); !strings.Contains(below, "Tasks: 3 completed") {
		t.Errorf("below: %q", below)
	}
}

// Where there is no terminal --ui is as without it, with a note; the workspace's word gives way to CI, -q and --no-ui without one.
func TestViewWhereThereIsNone(t *testing.T) {
	root := viewTree(t)
	piped := exec.Command(ownHaz(t), "run", "--ui", "p:good")
	piped.Dir = root
	if out, err := piped.CombinedOutput(); err != nil || !strings.Contains(string(out), "--ui needs a terminal") || !strings.Contains(string(out), "[p:good] first") {
		t.Errorf("%v\n%s", err, out)
	}
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\noutput: {ui: auto}\n")
	piped = exec.Command(ownHaz(t), "run", "p:good")
	piped.Dir = root
	if out, err := piped.CombinedOutput(); err != nil || strings.Contains(string(out), "--ui") {
		t.Errorf("%v\n%s", err, out)
	}
	for name, command := range map[string][]string{
		"CI": {"env", "CI=true", ownHaz(t), "run"}, "-q": {ownHaz(t), "run", "-q"}, "--no-ui": {ownHaz(t), "run", "--no-ui"}, "dumb": {"env", "TERM=dumb", ownHaz(t), "run"},
	} {
		s := startInTerminal(t, root, 24, 100, append(command, "p:good")...)
		s.exits(0)
		if out := s.output(); strings.Contains(out, "\x1b[?1049h") || strings.Contains(out, "--ui") {
			t.Errorf("%s: %q", name, out)
		}
	}
	s := startInTerminal(t, root, 24, 100, ownHaz(t), "run", "p:good")
	s.ends(0)
}
