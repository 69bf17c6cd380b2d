//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Tests of the real program on real processes (chapter 2, 4.4, 4.5 and 6): each way a task can misbehave, with each way its run
// can end. By default each kind meets two of the endings, so that each ending is met as well; HAZ_LONG=1 tries the whole table.

// slack is what a loaded machine may add to the times that the specification gives.
const slack = 8 * time.Second

// markVariable stands in the environment of haz and of its tasks, with a value of its own for each test: whoever still carries it
// has outlived something.
const markVariable = "HAZ_E2E_MARK"

func long() bool { return os.Getenv("HAZ_LONG") != "" }

var realBuild struct {
	once sync.Once
	path string
	err  error
}

// realHaz is the program as users get it, built once and beside the test's own haz, with which it is removed.
func realHaz(t testing.TB) string {
	t.Helper()
	realBuild.once.Do(func() {
		hearHangups()
		own, err := exec.LookPath("haz")
		if err != nil {
			realBuild.err = err
			return
		}
		realBuild.path = filepath.Join(filepath.Dir(own), "haz-real")
		if out, err := exec.Command("go", "build", "-o", realBuild.path, ".").CombinedOutput(); err != nil {
			realBuild.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if realBuild.err != nil {
		t.Fatal(realBuild.err)
	}
	return realBuild.path
}

// marked are the living processes that carry a mark, by number, with their command line.
func marked(mark string) map[int]string {
	found := map[int]string{}
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		env, err := os.ReadFile(p + "/environ")
		if err != nil || !bytes.Contains(env, []byte(markVariable+"="+mark+"\x00")) {
			continue
		}
		args, _ := os.ReadFile(p + "/cmdline")
		pid, _ := strconv.Atoi(filepath.Base(p))
		found[pid] = strings.TrimSpace(strings.ReplaceAll(string(args), "\x00", " "))
	}
	return found
}

// eventually polls until ok; it tells whether that came to pass in time.
func eventually(within time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(within); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return ok()
		}
	}
	return true
}

// hazProcess is a started haz.
type hazProcess struct {
	cmd            *exec.Cmd
	stdout, stderr string // files
	done           chan struct{}
	peakKiB        int // of resident memory; to be read after done
}

// startHaz starts a command line in root, with a group of its own, so that signals reach haz alone.
func startHaz(t testing.TB, root, mark string, args ...string) *hazProcess {
	t.Helper()
	return startProgram(t, root, mark, realHaz(t), args...)
}

func startProgram(t testing.TB, root, mark, program string, args ...string) *hazProcess {
	t.Helper()
	dir := t.TempDir()
	p := &hazProcess{stdout: filepath.Join(dir, "stdout"), stderr: filepath.Join(dir, "stderr"), done: make(chan struct{})}
	var files [2]*os.File
	for i, name := range []string{p.stdout, p.stderr} {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	p.cmd = exec.Command(program, args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = root, files[0], files[1]
	p.cmd.Env = append(os.Environ(), markVariable+"="+mark)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		// The high-water mark of the kernel, and not the one of wait: that one knows the memory of whoever forked, too.
		status := fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)
		ended := make(chan struct{})
		go func() { _ = p.cmd.Wait(); close(ended) }()
		for {
			if b, err := os.ReadFile(status); err == nil {
				p.peakKiB = max(p.peakKiB, highWater(b))
			}
			select {
			case <-ended:
				close(p.done)
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return p
}

func highWater(status []byte) int {
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte("kB"))
	n, _ := strconv.Atoi(string(bytes.TrimSpace(line)))
	return n
}

// ends waits for haz to exit and returns its exit code; -1 for a death by signal.
func (p *hazProcess) ends(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		_ = p.cmd.Process.Signal(syscall.SIGABRT) // prints what it does
		select {
		case <-p.done:
		case <-time.After(2 * time.Second):
			_ = p.cmd.Process.Kill()
		}
		t.Fatalf("still running after %s; stderr:\n%s", within, p.said())
	}
	return p.cmd.ProcessState.ExitCode()
}

// said is what stands in stderr up to now, from its end.
func (p *hazProcess) said() string {
	b, _ := os.ReadFile(p.stderr)
	return string(b[max(0, len(b)-20_000):])
}

// A kind of task. {tail} stands for how it goes on, {bytes} for how much it prints.
type taskKind struct {
	name   string
	shell  string
	leaves int    // how many processes leave the group, and may stay after a success or failure (4.5)
	prints string // all of its stdout; "" when it is not looked at
	floods bool
}

const untilLeft = "until [ -e left ]; do sleep 0.01; done; echo > started; {tail}"

var taskKinds = []taskKind{
	{name: "background", shell: "sleep 987 >/dev/null 2>&1 & echo > started; {tail}"},
	{name: "pipeline", shell: "true | cat | { echo > started; {tail}; }"},
	{name: "ignores TERM", shell: "trap '' TERM INT HUP; sleep 987 >/dev/null 2>&1 & echo > started; {tail}"},
	{name: "own session", leaves: 1, shell: "setsid sh -c 'echo > left; exec sleep 987' </dev/null >/dev/null 2>&1 & " + untilLeft},
	{name: "double fork", leaves: 1, shell: "(setsid sh -c '(sleep 987 & echo > left) &' </dev/null >/dev/null 2>&1) & " + untilLeft},
	{name: "holds stdout", shell: "sleep 987 & echo > started; {tail}"},
	{name: "holds stdout, own session", leaves: 1, shell: "setsid sh -c 'echo > left; exec sleep 987' & " + untilLeft},
	{name: "flood", floods: true, shell: "echo > started; yes " + floodLine + " | head -c {bytes}; {tail}"},
	{name: "no newline", prints: "no newline", shell: "printf 'no newline'; echo > started; {tail}"},
	{name: "long line", prints: strings.Repeat("x", 10_000_000), shell: `head -c 10000000 /dev/zero | tr '\0' x; echo > started; {tail}`},
	{name: "invalid UTF-8", prints: "\xff\xfe bad\n\xc3", shell: `printf '\377\376 bad\n\303'; echo > started; {tail}`},
}

const floodLine = "0123456789abcdef0123456789abcdef"

// An ending of a run.
type ending struct {
	name    string
	tail    string
	signals []syscall.Signal // the second when haz has answered the first, all others at once
	code    int
	grace   float64
}

var endings = []ending{
	{name: "success", tail: "exit 0"},
	{name: "failure", tail: "exit 3", code: 1},
	{name: "SIGINT", tail: "sleep 987", signals: []syscall.Signal{unix.SIGINT}, code: 130, grace: 1},
	{name: "SIGTERM", tail: "sleep 987", signals: []syscall.Signal{unix.SIGTERM}, code: 143, grace: 1},
	{name: "SIGHUP", tail: "sleep 987", signals: []syscall.Signal{unix.SIGHUP}, code: 129, grace: 0.5},
	{name: "second signal", tail: "sleep 987", signals: []syscall.Signal{unix.SIGINT, unix.SIGTERM}, code: 130, grace: 60},
	{name: "third signal", tail: "sleep 987", signals: []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP}, code: 143, grace: 60},
	{name: "SIGKILL", tail: "sleep 987", signals: []syscall.Signal{unix.SIGKILL}, code: -1, grace: 60},
}

// Every kind with every ending: the exit code, the epilogue, the printed bytes, memory, and that nothing lives on.
func TestRealProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real processes that misbehave")
	}
	realHaz(t)
	for i, k := range taskKinds {
		for j, e := range endings {
			if !long() && j != i%len(endings) && j != (3*i+4)%len(endings) {
				continue
			}
			t.Run(strings.ReplaceAll(k.name+"/"+e.name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				tryEnding(t, k, e, fmt.Sprintf("%d-%d-%d", os.Getpid(), i, j))
			})
		}
	}
}

func tryEnding(t *testing.T, k taskKind, e ending, mark string) {
	bytesPrinted := 20_000_000
	if long() {
		bytesPrinted = 200_000_000
	}
	many := strconv.Itoa(bytesPrinted)
	if len(e.signals) > 0 {
		many = "999999999999"
	}
	script, err := json.Marshal(strings.NewReplacer("{tail}", e.tail, "{bytes}", many).Replace(k.shell))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), fmt.Sprintf("projects: [/p]\nexecution: {cancel_grace: %g}\n", e.grace))
	mustWrite(t, filepath.Join(root, "p/haz.yml"), fmt.Sprintf(
		"name: p\ntasks:\n  t: {shell: %s, env: {from_host: [PATH], override: {%s: %q}}}\n", script, markVariable, mark))
	t.Cleanup(func() { // by number, and only what carries the mark of this very test
		for pid := range marked(mark) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})

	p := startHaz(t, root, mark, "run", "p:t", "--output-mode=buffered", "-v")
	within := 30 * time.Second
	if len(e.signals) > 0 {
		within = time.Duration(e.grace*float64(time.Second)) + time.Second + slack
		if !eventually(within+20*time.Second, func() bool { _, err := os.Stat(filepath.Join(root, "p/started")); return err == nil }) {
			t.Fatalf("the task did not start; stderr:\n%s", p.said())
		}
		if len(e.signals) > 1 {
			within = time.Second + slack
		}
	}
	for i, s := range e.signals {
		if i == 1 && !eventually(slack, func() bool { return strings.Contains(p.said(), "again to kill") }) {
			t.Fatalf("the first signal was not answered; stderr:\n%s", p.said())
		}
		if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
	}
	if code := p.ends(t, within); code != e.code {
		t.Errorf("exit code %d, want %d; stderr:\n%s", code, e.code, p.said())
	}
	if p.peakKiB >= 64<<10 {
		t.Errorf("haz used %d KiB of memory", p.peakKiB)
	}
	if k.floods {
		t.Logf("peak memory %d KiB", p.peakKiB)
	}
	said := p.said()
	if whole := e.name != "third signal" && e.name != "SIGKILL"; whole && !strings.Contains(said, "\nTasks: ") {
		t.Errorf("no epilogue; stderr:\n%s", said)
	}
	stay := 0
	if len(e.signals) == 0 {
		stay = k.leaves
		if got := strings.Count(said, "note: left running: pid "); got != stay {
			t.Errorf("%d processes listed as left running, want %d; stderr:\n%s", got, stay, said)
		}
		checkPrinted(t, k, p, bytesPrinted)
	}
	most := stay
	if e.name == "SIGKILL" {
		most = k.leaves // who left the group has left the helper's list, too (S-30)
	}
	// One second after the end; two after a death (S-30).
	if !eventually(2*time.Second+slack, func() bool { n := len(marked(mark)); return stay <= n && n <= most }) {
		t.Errorf("alive after the end: %v, want %d to %d; stderr:\n%s", marked(mark), stay, most, said)
	}
}

// checkPrinted compares standard output, in buffered mode, with what the task printed.
func checkPrinted(t *testing.T, k taskKind, p *hazProcess, flood int) {
	t.Helper()
	f, err := os.Open(p.stdout)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, want := sha256.New(), sha256.New()
	n, err := io.Copy(got, f)
	if err != nil {
		t.Fatal(err)
	}
	if k.floods {
		block := []byte(strings.Repeat(floodLine+"\n", 1000))
		for left := flood; left > 0; left -= len(block) {
			want.Write(block[:min(left, len(block))])
		}
	} else {
		io.WriteString(want, k.prints)
	}
	if !slices.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Errorf("standard output is not what the task printed: %d bytes", n)
	}
}
