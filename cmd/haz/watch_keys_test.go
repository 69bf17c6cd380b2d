//go:build linux

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/cmd/haz/watch"
)

const keyTasks = `name: p
tasks:
  count: {shell: "echo x >> ../counted; echo counted $(wc -l < ../counted)", cache: false}
  cached: {shell: "echo made of $(cat src/a) at $(date +%s%N)", inputs: ["src/*"], env: {from_host: [PATH]}}
`

// watchInTerminal is a watch whose keys are ours. What comes behind it tells in what mode it has left the terminal.
func watchInTerminal(t *testing.T, tasks, args string) (s *terminalScreen, root string) {
	t.Helper()
	root = t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), tasks)
	mustWrite(t, filepath.Join(root, "p/src/a"), "first\n")
	return startInTerminal(t, root, 24, 100, "sh", "-c", "trap : INT; "+ownHaz(t)+" watch --progress=off "+args+`; code=$?; stty -a | grep -q ' icanon.* echo ' && echo cooked || stty -a; exit $code`), root
}

// showsTimes waits until a text was shown that often.
func (s *terminalScreen) showsTimes(text string, n int) {
	s.t.Helper()
	if !eventually(20*time.Second, func() bool { return strings.Count(s.output(), text) >= n }) {
		s.t.Fatalf("%q is not shown %d times; output:\n%s", text, n, s.output())
	}
}

// Between runs: r runs again what was asked for, a carries out what is cached, too, p holds changes back until it is pressed again, h tells of
// the keys, q leaves with 0; none of them is echoed, and the terminal is given back (AUX-049).
func TestWatchKeys(t *testing.T) {
	s, root := watchInTerminal(t, keyTasks, "p:count p:cached")
	s.shows("waiting for changes (h: keys)")
	s.types("h")
	s.shows("keys: r run again")
	s.types("\x1b[A\x1bOqz") // an arrow and another key that begins with escape mean nothing
	s.types("r")
	s.showsTimes("waiting for changes", 2)
	if out := s.output(); !strings.Contains(out, "counted 2") || strings.Count(out, "cached in") != 1 {
		t.Errorf("r runs everything, or not what has no cache: %q", out)
	}
	s.types("a")
	s.showsTimes("waiting for changes", 3)
	if out := s.output(); !strings.Contains(out, "counted 3") || strings.Count(out, "cached in") != 1 {
		t.Errorf("a does not carry everything out: %q", out)
	}
	s.types("p")
	s.shows("haz: paused")
	mustWrite(t, filepath.Join(root, "p/src/a"), "second\n")
	time.Sleep(5 * watch.Quiet)
	s.types("r")
	s.shows("made of second")
	s.shows("paused, waiting for p")
	mustWrite(t, filepath.Join(root, "p/src/a"), "third\n")
	time.Sleep(5 * watch.Quiet)
	if strings.Contains(s.output(), "third") {
		t.Error("paused, and a change runs something")
	}
	s.types("p")
	s.shows("made of third")
	s.showsTimes("waiting for changes", 4)
	s.types("q")
	s.exits(0)
	s.shows("cooked")
	for _, line := range strings.Split(s.output(), "\r\n") {
		if len(line) == 1 {
			t.Errorf("a key is echoed: %q", line)
		}
	}
}

const keyServer = `name: p
tasks:
  serve: {shell: "echo serving; trap 'echo stopped; exit 0' TERM; while :; do sleep 0.05; done", cache: false, env: {from_host: [PATH]}}
`

// While tasks run: r stops them and runs again, q stops them and leaves with 0, Ctrl-C and signals end the watch with their codes. Every way out
// gives the terminal back.
func TestWatchKeysDuringARun(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(s *terminalScreen)
		code  int
	}{
		"q":       {func(s *terminalScreen) { s.types("q") }, 0},
		"Ctrl-C":  {func(s *terminalScreen) { s.types("\x03") }, 130},
		"SIGTERM": {func(s *terminalScreen) { _ = syscall.Kill(child(s.t, s.cmd.Process.Pid), syscall.SIGTERM) }, 143},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := watchInTerminal(t, keyServer, "p:serve")
			s.shows("] serving")
			s.types("r")
			s.showsTimes("] serving", 2)
			if out := s.output(); !strings.Contains(out, "stopping this run") || strings.Count(out, "] stopped") != 1 {
				t.Errorf("the server was not stopped gently: %q", out)
			}
			c.leave(s)
			s.exits(c.code)
			s.shows("cooked")
		})
	}
}

// Stopped by Ctrl-Z the watch gives the terminal back; its keys work again when it goes on. In the background it reads none.
func TestWatchKeysStopped(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), keyServer)
	s := startInTerminal(t, root, 24, 100, "sh", "-c", "set -m; "+ownHaz(t)+" watch --progress=off p:serve & sleep 1; echo in the background; read x; echo \"read $x\"; fg >/dev/null; echo has stopped; stty -a | grep -q ' icanon.* echo ' && echo cooked; read x; echo \"read $x\"; fg >/dev/null")
	s.shows("in the background")
	s.shows("] serving")
	s.types("r\r")
	s.shows("read r")
	if strings.Contains(s.output(), "stopping this run") {
		t.Error("a key was read in the background")
	}
	raw := func() bool { return *s.termios() != *s.was }
	if !eventually(20*time.Second, raw) {
		t.Fatal("keys are not read in the foreground")
	}
	s.types("\x1a")
	s.shows("has stopped")
	s.shows("cooked")
	s.types("it\r")
	s.shows("read it")
	if !eventually(20*time.Second, raw) {
		t.Fatal("keys are not read again")
	}
	s.types("r")
	s.shows("stopping this run")
	s.showsTimes("] serving", 2)
	s.types("q")
	s.exits(0)
	s.cooked()
}

// An interactive task has the keyboard while it has the terminal, and the watch has it again afterwards.
func TestWatchKeysLent(t *testing.T) {
	s, _ := watchInTerminal(t, `name: p
tasks:
  ask: {shell: "printf 'name? '; read name; echo \"hello, $name\"", interactive: true}
`, "p:ask")
	s.shows("name? ")
	s.types("qrap\r")
	s.shows("hello, qrap")
	s.showsTimes("waiting for changes", 1)
	s.types("r")
	s.showsTimes("name? ", 2)
	s.types("Ann\r")
	s.shows("hello, Ann")
	s.showsTimes("waiting for changes", 2)
	s.types("q")
	s.exits(0)
	s.shows("cooked")
}
