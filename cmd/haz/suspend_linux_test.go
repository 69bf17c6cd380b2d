package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stateOf is what the kernel says of a process: S, R, T (stopped), …; 0 when it is gone.
func stateOf(pid int) byte {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if i := strings.LastIndexByte(string(b), ')'); i >= 0 && len(b) > i+2 {
		return b[i+2]
	}
	return 0
}

func awaitState(t *testing.T, what string, pid int, ok func(c byte) bool) {
	t.Helper()
	if !eventually(20*time.Second, func() bool { return ok(stateOf(pid)) }) {
		t.Fatalf("%s (pid %d) is in state %q", what, pid, stateOf(pid))
	}
}

// D: a shell that waits for a child between fork and exec, which stands still.
func isStopped(c byte) bool { return c == 'T' || c == 'D' }
func isMoving(c byte) bool  { return c == 'S' || c == 'R' || c == 'D' }
func isGone(c byte) bool    { return c == 0 || c == 'Z' }

// numberIn waits for a process number that a task has written.
func numberIn(t *testing.T, file string) (pid int) {
	t.Helper()
	if !eventually(20*time.Second, func() bool {
		b, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return pid > 0 && strings.HasSuffix(string(b), "\n")
	}) {
		t.Fatalf("%s: no number", file)
	}
	return pid
}

// ownHaz is the program in the test's own binary.
func ownHaz(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("haz")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// standingRun is a workspace whose task is a shell with a child and a process in a session of its own, which wait for goOn.
func standingRun(t *testing.T) string {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\nexecution: {cancel_grace: 60}\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), `name: p
tasks:
  t:
    shell: |
      exec 2>/dev/null # a shell that tells of a signal there would die of a pipe whose reader is dead
      await() { until [ -e ../go ]; do sleep 0.02; done; }
      trap 'echo > ../cleaned; exit 1' TERM
      (echo $(exec sh -c 'echo $PPID') > ../child; await) & c=$!
      setsid sh -c 'echo $$ > ../session; exec sleep 987' & s=$!
      echo $$ > ../main
      await
      wait $c
      kill $s
      echo whole > out
    outputs: [out]
    env: {from_host: [PATH]}
`)
	t.Cleanup(func() { _ = os.WriteFile(filepath.Join(root, "go"), nil, 0o666) })
	return root
}

var standing = []string{"main", "child", "session"}

func standingPIDs(t *testing.T, root string) map[string]int {
	t.Helper()
	pids := map[string]int{}
	for _, name := range standing {
		pids[name] = numberIn(t, filepath.Join(root, name))
		t.Cleanup(func() { // by number, and only what stands in this workspace
			if dir, _ := os.Readlink("/proc/" + strconv.Itoa(pids[name]) + "/cwd"); dir == filepath.Join(root, "p") {
				_ = syscall.Kill(pids[name], syscall.SIGKILL)
			}
		})
	}
	return pids
}

func all(t *testing.T, pids map[string]int, ok func(byte) bool) {
	t.Helper()
	for name, pid := range pids {
		awaitState(t, name, pid, ok)
	}
}

// S-45: Ctrl-Z in a shell stops haz with all that its tasks have started, whatever session it is in, and takes the progress line away first;
// `fg` lets all go on, and the result is whole. Twice, as people do.
func TestSuspendInShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no shell with job control: bash")
	}
	root := standingRun(t)
	s := startInTerminal(t, root, 24, 80, bash, "--norc", "--noprofile", "-i")
	s.types("PS1=; " + ownHaz(t) + " run p:t\n")
	s.shows("1 running: p:t")
	pids := standingPIDs(t, root)
	pids["haz"] = parentOf(t, pids["main"])
	for round := 1; round <= 2; round++ {
		s.types("\x1a")
		all(t, pids, isStopped)
		if !eventually(20*time.Second, func() bool { return strings.Count(s.output(), "Stopped") == round }) {
			t.Fatalf("the shell does not say that its job is stopped: %q", s.output())
		}
		before := s.output()[:strings.LastIndex(s.output(), "Stopped")]
		if rest := before[strings.LastIndex(before, "\r\x1b[2K"):]; strings.Contains(rest, "running") {
			t.Errorf("the progress line stays: %q", rest)
		}
		drawn := strings.Count(s.output(), "1 running")
		s.types("fg; echo \"haz: $?\"\n")
		all(t, pids, isMoving)
		if !eventually(20*time.Second, func() bool { return strings.Count(s.output(), "1 running") > drawn }) {
			t.Fatalf("the progress line does not come back: %q", s.output())
		}
	}
	goOn(t, root)
	s.shows("haz: 0")
	if b, _ := os.ReadFile(filepath.Join(root, "p/out")); string(b) != "whole\n" {
		t.Errorf("the output is %q", b)
	}
	s.types("exit\n")
	s.exits(0)
}

// parentOf is the haz of a task.
func parentOf(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	ppid, err := strconv.Atoi(strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))[1])
	if err != nil {
		t.Fatal(err)
	}
	return ppid
}

// suspendedHaz is a haz that was stopped with its tasks, by a signal to it alone.
func suspendedHaz(t *testing.T, args ...string) (root string, p *hazProcess, pids map[string]int) {
	t.Helper()
	root = standingRun(t)
	p = startProgram(t, root, t.Name(), ownHaz(t), args...)
	pids = standingPIDs(t, root)
	pids["haz"] = p.cmd.Process.Pid
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	signalHaz(t, p, unix.SIGTSTP)
	all(t, pids, isStopped)
	return root, p, pids
}

func signalHaz(t *testing.T, p *hazProcess, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Signals that end haz are heard when it goes on, and the tasks can clean up.
func TestSignalsWhileSuspended(t *testing.T) {
	for sig, code := range map[syscall.Signal]int{unix.SIGINT: 130, unix.SIGTERM: 143, unix.SIGHUP: 129} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			root, p, pids := suspendedHaz(t, "run", "p:t")
			signalHaz(t, p, sig)
			if !isStopped(stateOf(pids["main"])) {
				t.Error("the task goes on before haz does")
			}
			signalHaz(t, p, unix.SIGCONT)
			if sig == unix.SIGINT { // the shell has a trap for SIGTERM only
				all(t, map[string]int{"main": pids["main"]}, isGone)
			}
			if got := p.ends(t, slack+time.Second); got != code {
				t.Errorf("exit code %d, want %d; stderr:\n%s", got, code, p.said())
			}
			all(t, pids, isGone)
			if _, err := os.Stat(filepath.Join(root, "cleaned")); err != nil && sig != unix.SIGINT {
				t.Error("the task could not clean up")
			}
		})
	}
}

// A haz that is killed while it is suspended leaves nothing behind.
func TestKilledWhileSuspended(t *testing.T) {
	root, p, pids := suspendedHaz(t, "run", "p:t")
	signalHaz(t, p, unix.SIGKILL)
	<-p.done
	all(t, pids, isGone)
	if _, err := os.Stat(filepath.Join(root, "cleaned")); err != nil {
		t.Error("the task could not clean up")
	}
}

// A watch stops with the tasks of its run, and between runs; afterwards it watches on.
func TestSuspendOfAWatch(t *testing.T) {
	root, p, pids := suspendedHaz(t, "watch", "p:t")
	signalHaz(t, p, unix.SIGCONT)
	all(t, pids, isMoving)
	goOn(t, root)
	waiting := func() int { return strings.Count(p.said(), "waiting for changes") }
	if !eventually(20*time.Second, func() bool { return waiting() == 1 }) {
		t.Fatalf("the run does not end; stderr:\n%s", p.said())
	}
	signalHaz(t, p, unix.SIGTSTP)
	awaitState(t, "haz", pids["haz"], isStopped)
	b, err := os.ReadFile(filepath.Join(root, "p/haz.yml"))
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(root, "p/haz.yml"), strings.Replace(string(b), "whole", "second", 1))
	signalHaz(t, p, unix.SIGCONT)
	if !eventually(20*time.Second, func() bool { return waiting() == 2 }) {
		t.Fatalf("no second run; stderr:\n%s", p.said())
	}
	if b, _ := os.ReadFile(filepath.Join(root, "p/out")); string(b) != "second\n" {
		t.Errorf("the output is %q", b)
	}
	signalHaz(t, p, unix.SIGINT)
	if code := p.ends(t, slack); code != 130 {
		t.Errorf("exit code %d", code)
	}
}

// Without a shell that could continue it haz does not stop, nor do its tasks: as everywhere.
func TestSuspendOfAnOrphanedGroup(t *testing.T) {
	root := standingRun(t)
	p := startProgram(t, root, t.Name(), "setsid", "--wait", ownHaz(t), "run", "p:t")
	pids := standingPIDs(t, root)
	haz := parentOf(t, pids["main"])
	t.Cleanup(func() {
		select {
		case <-p.done:
		default:
			_ = syscall.Kill(haz, syscall.SIGKILL)
			<-p.done
		}
	})
	if err := syscall.Kill(haz, unix.SIGTSTP); err != nil {
		t.Fatal(err)
	}
	goOn(t, root)
	if code := p.ends(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d; stderr:\n%s", code, p.said())
	}
}
