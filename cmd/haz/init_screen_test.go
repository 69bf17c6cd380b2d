//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/charmbracelet/x/ansi"
)

// A screen is `haz init` in a real terminal.
type terminalScreen struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File // our side
	keep *os.File // its side, so that the terminal outlives it
	was  *unix.Termios
	done chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

func startScreen(t *testing.T, root string, rows, cols uint16) *terminalScreen {
	t.Helper()
	s := startInTerminal(t, root, rows, cols, realHaz(t), "init")
	s.shows("Commit selection")
	return s
}

// startInTerminal starts a command in a terminal of its own.
func startInTerminal(t *testing.T, root string, rows, cols uint16, command ...string) *terminalScreen {
	t.Helper()
	ours, its, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	if err := pty.Setsize(ours, &pty.Winsize{Rows: rows, Cols: cols}); err != nil {
		t.Fatal(err)
	}
	s := &terminalScreen{t: t, tty: ours, keep: its, done: make(chan struct{})}
	s.was = s.termios()
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Dir, s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = root, its, its, its
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "CI=", "NO_COLOR=1")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ours.Read(buf)
			s.mu.Lock()
			s.out.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { _ = s.cmd.Wait(); close(s.done) }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
		_ = its.Close()
		_ = ours.Close()
	})
	return s
}

func (s *terminalScreen) termios() *unix.Termios {
	s.t.Helper()
	m, err := unix.IoctlGetTermios(int(s.keep.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *terminalScreen) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// shows waits for a text that was drawn in one piece: only what changes is drawn, so it must come where nothing stood.
func (s *terminalScreen) shows(text string) {
	s.t.Helper()
	if !eventually(20*time.Second, func() bool { return strings.Contains(ansi.Strip(s.output()), text) }) {
		s.t.Fatalf("%q is not shown; output:\n%q", text, s.output())
	}
}

func (s *terminalScreen) types(keys string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// exits wants an exit code.
func (s *terminalScreen) exits(code int) {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("still running; output:\n%q", s.output())
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d; output:\n%q", got, code, s.output())
	}
}

// ends wants an exit code, and the terminal as it was.
func (s *terminalScreen) ends(code int) {
	s.t.Helper()
	s.exits(code)
	if now := s.termios(); *now != *s.was {
		s.t.Errorf("the terminal is %+v, was %+v", *now, *s.was)
	}
	if !eventually(5*time.Second, func() bool {
		out := s.output()
		return strings.LastIndex(out, "\x1b[?1049l") > strings.LastIndex(out, "\x1b[?1049h") && strings.LastIndex(out, "\x1b[?25h") > strings.LastIndex(out, "\x1b[?25l")
	}) {
		s.t.Errorf("the screen or the cursor is not given back; output:\n%q", s.output())
	}
}

func initTree(t *testing.T) string {
	root := t.TempDir()
	for _, dir := range []string{"app", "libs/a", "libs/b", ".hidden"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite(t, filepath.Join(root, "libs/b/haz.yml"), "name: old\ntasks: {t: {shell: 'true'}}\n")
	return root
}

const downKey, rightKey = "\x1b[B", "\x1b[C"

// From the tree to the files; the window changes its size on the way. The result is a workspace that loads.
func TestInitScreenWrites(t *testing.T) {
	root := initTree(t)
	s := startScreen(t, root, 24, 80)
	s.shows("□ app")
	s.types(downKey + " " + downKey + " ")
	s.types(" ")
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: 12, Cols: 50}); err != nil {
		t.Fatal(err)
	}
	s.types("\r")
	s.shows("Write this?")
	s.types("y")
	s.ends(0)
	s.shows("created .haz/workspace.yml")
	for name, want := range map[string]string{
		".haz/workspace.yml": "projects:\n  - /app\n  - /libs/*\n",
		"app/haz.yml":        "name: app\ntasks: {}\n",
		"libs/a/haz.yml":     "name: a\ntasks: {}\n",
		"libs/b/haz.yml":     "name: old\ntasks: {t: {shell: 'true'}}\n",
	} {
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	check := exec.Command(realHaz(t), "check")
	check.Dir = root
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("the workspace does not load: %v\n%s", err, out)
	}
}

// A clash with a project file that exists keeps the tree on the screen: the loader judges the plan.
func TestInitScreenProblem(t *testing.T) {
	root := initTree(t)
	mustWrite(t, filepath.Join(root, "app/haz.yml"), "name: old\ntasks: {}\n")
	s := startScreen(t, root, 24, 100)
	s.types(downKey + " " + downKey + "  \r")
	s.shows("old")
	if strings.Contains(ansi.Strip(s.output()), "Write this?") {
		t.Error("a plan that does not load is offered")
	}
	s.types("q")
	s.ends(0)
	if _, err := os.Lstat(filepath.Join(root, ".haz")); err == nil {
		t.Error(".haz was made")
	}
}

// Every way out gives the terminal back, and writes nothing.
func TestInitScreenWaysOut(t *testing.T) {
	for _, tc := range []struct {
		name, keys string
		signal     os.Signal
		code       int
	}{
		{name: "q", keys: "q"}, {name: "escape", keys: "\x1b"}, {name: "Ctrl+C", keys: "\x03", code: 130},
		{name: "decline", keys: downKey + " \rn"}, {name: "Ctrl+C on the confirmation", keys: "\r\x03", code: 130},
		{name: "SIGINT", signal: syscall.SIGINT, code: 130}, {name: "SIGTERM", signal: syscall.SIGTERM, code: 143},
	} {
		t.Run(strings.ReplaceAll(tc.name, " ", "_"), func(t *testing.T) {
			root := initTree(t)
			s := startScreen(t, root, 10, 60)
			s.types(tc.keys)
			if tc.signal != nil {
				if err := s.cmd.Process.Signal(tc.signal); err != nil {
					t.Fatal(err)
				}
			}
			s.ends(tc.code)
			if _, err := os.Lstat(filepath.Join(root, ".haz")); err == nil {
				t.Error(".haz was made")
			}
		})
	}
}

// A panic of ours gives the terminal back, and is told in one line: no stack over what people had on their screen.
func TestInitScreenPanics(t *testing.T) {
	bin, err := exec.LookPath("panicscreen")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"u": "haz: internal error: a defect in a key (init_guard_test.go:", "v": "haz: internal error: a defect in the drawing (init_guard_test.go:"} {
		t.Run(key, func(t *testing.T) {
			s := startInTerminal(t, t.TempDir(), 24, 80, bin)
			s.shows("Commit selection")
			s.types(key)
			s.ends(2)
			s.shows(want)
			out := s.output()
			if told := out[strings.LastIndex(out, "\x1b[?1049l"):]; !strings.Contains(ansi.Strip(told), want) || strings.Contains(out, "goroutine") {
				t.Errorf("after the screen: %q", told)
			}
		})
	}
}

// A tiny window, and one that grows: the keys work, and what did not fit is drawn.
func TestInitScreenResizes(t *testing.T) {
	root := initTree(t)
	s := startInTerminal(t, root, 2, 8, realHaz(t), "init")
	s.shows("> ")
	s.types(downKey + " ")
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: 20, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s.shows("app (project)")
	// The window may have grown before the keys were looked at: then only what they change is drawn, and in pieces. Another size draws all.
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: 21, Cols: 81}); err != nil {
		t.Fatal(err)
	}
	s.shows("Commit selection (1 project)")
	s.types("q")
	s.ends(0)
}

// Where manifests are found the question is whether to write what is shown; c goes to the tree, all else writes nothing (AUX-037).
func TestInitFoundQuestion(t *testing.T) {
	for answer, want := range map[string]string{"y\n": "to begin: haz run", "n\n": "nothing was written", "c\n": "Commit selection", "\n": "nothing was written"} {
		root := t.TempDir()
		mustWrite(t, filepath.Join(root, "package.json"), `{"name": "app", "scripts": {"test": "true"}}`)
		s := startInTerminal(t, root, 24, 80, realHaz(t), "init")
		s.shows("Write this?")
		s.types(answer)
		s.shows(want)
		if answer == "c\n" {
			s.types("q")
		}
		s.exits(0)
		if _, err := os.Stat(filepath.Join(root, ".haz/workspace.yml")); (err == nil) != (answer == "y\n") {
			t.Errorf("%q: %v", answer, err)
		}
	}
}
