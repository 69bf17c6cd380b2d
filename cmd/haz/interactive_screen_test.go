//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func interactiveTree(t *testing.T, script string) string {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), `name: p
tasks:
  ask:
    shell: `+"|\n      "+strings.ReplaceAll(strings.TrimSpace(script), "\n", "\n      ")+`
    interactive: true
    deps: ["~:before"]
  before: {shell: "echo worked"}
  after: {shell: "echo and after", deps: ["~:ask"]}
`)
	return root
}

// cooked waits until the terminal is as it was.
func (s *terminalScreen) cooked() {
	s.t.Helper()
	if !eventually(10*time.Second, func() bool { return *s.termios() == *s.was }) {
		s.t.Errorf("the terminal is %+v, was %+v", *s.termios(), *s.was)
	}
}

// thenCooked is a command that tells in what mode a run has left the terminal. It outlives the run: with whoever the session belongs to
// the mode would end too.
func thenCooked(t *testing.T, target string) []string {
	return []string{"sh", "-c", realHaz(t) + " run " + target + `; code=$?; stty -a | grep -q ' icanon' && echo cooked || echo raw; exit $code`}
}

// A task that has the terminal asks and is answered there, sees its size, and gives it back; it is never cached (EXEC-060).
func TestInteractiveTask(t *testing.T) {
	root := interactiveTree(t, `
stty size
printf 'name? '
read name
echo "hello, $name"
test "$name" = Ann`)
	for range 2 {
		s := startInTerminal(t, root, 24, 70, thenCooked(t, "p:after")...)
		s.shows("name? ")
		s.types("Ann\r")
		s.shows("[p:after] and after")
		s.exits(0)
		s.shows("cooked")
		out := s.output()
		if !strings.Contains(out, "24 70\r\n") || !strings.Contains(out, "hello, Ann\r\n") || strings.Contains(out, "[p:ask] hello") {
			t.Errorf("output %q", out)
		}
	}
	s := startInTerminal(t, root, 24, 70, thenCooked(t, "p:after")...)
	s.shows("name? ")
	s.types("Bob\r")
	s.exits(1)
	s.shows("cooked")
}

// Ctrl-C is the task's, while it has the terminal: that fails, and haz goes on to its end. A signal to haz ends both.
func TestInteractiveTaskIsInterrupted(t *testing.T) {
	root := interactiveTree(t, `
echo ready
exec sleep 300`)
	s := startInTerminal(t, root, 24, 80, thenCooked(t, "p:ask")...)
	s.shows("ready")
	s.types("\x03")
	s.shows("✗ failed in")
	s.exits(1)
	s.shows("cooked")

	s = startInTerminal(t, root, 24, 80, thenCooked(t, "p:ask")...)
	s.shows("ready")
	_ = syscall.Kill(child(t, s.cmd.Process.Pid), syscall.SIGTERM)
	s.exits(128 + 15)
	s.shows("cooked")
}

// While haz is stopped the terminal is as it was, and the task's again afterwards.
func TestInteractiveTaskStopped(t *testing.T) {
	root := interactiveTree(t, `
echo ready
read x
echo "got $x"`)
	s := startInTerminal(t, root, 24, 80, "sh", "-c", "set -m; "+realHaz(t)+" run p:ask & fg >/dev/null; echo stopped; kill -STOP $$; fg >/dev/null")
	s.shows("ready")
	if *s.termios() == *s.was {
		t.Fatal("the terminal is not in raw mode")
	}
	haz := child(t, s.cmd.Process.Pid)
	_ = syscall.Kill(haz, syscall.SIGTSTP)
	s.shows("stopped")
	s.cooked()
	_ = syscall.Kill(s.cmd.Process.Pid, syscall.SIGCONT)
	if !eventually(10*time.Second, func() bool { return *s.termios() != *s.was }) {
		t.Fatal("the terminal is not in raw mode again")
	}
	s.types("it\r")
	s.shows("got it")
	s.exits(0)
	s.cooked()
}

// child is the only child of a process.
func child(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Skip(err)
	}
	n, err := strconv.Atoi(strings.Fields(string(b) + " none")[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A task with tty has a terminal as wide as ours, and what it prints is recorded all the same (haz::cfg::091).
func TestTaskWithTTY(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), "name: p\ntasks:\n  t: {shell: 'test -t 1 && test -t 2 && ! test -t 0; stty size <&1', tty: true}\n")
	s := startInTerminal(t, root, 24, 72, realHaz(t), "run", "p:t")
	s.shows("[p:t] 24 72")
	s.exits(0)
	s = startInTerminal(t, root, 24, 50, realHaz(t), "run", "p:t")
	s.shows("[p:t] 24 72")
	s.exits(0)
	s.shows("cached")
}

// Tasks are told that colours are seen where haz itself colours, and nothing of it is in the key (EXEC-062).
func TestTasksAreToldOfColours(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), `name: p
tasks:
  t: {shell: 'echo "colours: $FORCE_COLOR $CLICOLOR_FORCE."'}
  own: {shell: 'echo "own: $FORCE_COLOR $CLICOLOR_FORCE."', env: {override: {FORCE_COLOR: "3"}}}
  no: {shell: 'echo "no: $FORCE_COLOR $CLICOLOR_FORCE."', env: {override: {NO_COLOR: "1"}}}
`)
	s := startInTerminal(t, root, 24, 80, "env", "-u", "NO_COLOR", realHaz(t), "run", "p:t", "p:own", "p:no")
	s.shows("colours: 1 1.")
	s.shows("own: 3 1.")
	s.shows("no:  .")
	s.exits(0)
	s = startInTerminal(t, root, 24, 80, realHaz(t), "run", "p:t")
	s.shows("colours: 1 1.")
	s.shows("cached")
	s.exits(0)
	s = startInTerminal(t, root, 24, 80, realHaz(t), "run", "--force", "p:t")
	s.shows("colours:  .")
	s.exits(0)
}
