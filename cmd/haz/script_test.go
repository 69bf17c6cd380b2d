package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "rewrite expected files")

// The test binary is haz as well: scripts run it under that name. And it is programs that tests need.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"haz": main, "humble": humble, "panicscreen": panicScreen, "mapper": mapper, "cutpower": cutPower, "measured": measured})
}

// hearHangups makes what the tests start hear SIGHUP, also when they run under nohup: haz would leave the signal alone there, as it
// should. A handler is not inherited, and this one does nothing.
func hearHangups() {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
}

// humble COMMAND... runs a command without the powers that let root pass over permission bits, so that tests of them hold
// for root as well. Where there are no such powers it is the command alone.
func humble() {
	if os.Getuid() == 0 {
		if err := dropPowers(); err != nil {
			fmt.Fprintln(os.Stderr, "humble:", err)
			os.Exit(125)
		}
	}
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		err = syscall.Exec(path, os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "humble:", err)
	os.Exit(125)
}

// mapper FILE DONE maps a file, reads from it, and writes each line of stdin to its beginning through the mapping; then it makes
// the file DONE.
func mapper() {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "mapper:", err)
			os.Exit(125)
		}
	}
	f, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
	fail(err)
	page, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	fail(err)
	fail(f.Close())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if page[0] != lines.Bytes()[0] { // reads
			copy(page, lines.Bytes())
		}
		fail(os.WriteFile(os.Args[2], nil, 0o600))
	}
}

// TestScript runs the specification of the command line, one behaviour a file.
func TestScript(t *testing.T) {
	hearHangups()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			bin, err := exec.LookPath("haz")
			if err != nil {
				return err
			}
			e.Setenv("HAZ", bin) // for where there is no PATH
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				e.Setenv("GIT_"+who+"_NAME", "somebody")
				e.Setenv("GIT_"+who+"_EMAIL", "somebody@example.com")
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "humble" { // permission bits can be made to count
				return exec.Command("humble", "true").Run() == nil, nil
			}
			if cond == "tmpfs" { // a file system without a sign of mapped writes is mounted where Linux has it
				return onTmpfs("/dev/shm") && unix.Access("/dev/shm", unix.W_OK) == nil, nil
			}
			if cond == "disks" { // disks can be made of files, and their power be cut
				return canMakeDisks(), nil
			}
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			if cond == "mounts" { // overlays and bind mounts can be made, and go with the process
				return canMount(), nil
			}
			return false, errors.New("unknown condition " + cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"signals": signals,
			"tree":    tree,
			"sameas":  sameTree,
			"absent":  absent,
			"arrives": arrives,
			"empty":   empty,
			"append":  appendTo,
		},
	})
}

// canMount reports whether this user may mount what scripts mount.
var canMount = sync.OnceValue(func() bool {
	dir, err := os.MkdirTemp("", "haz-mounts")
	if err != nil {
		return false
	}
	defer os.RemoveAll(dir)
	try := exec.Command("unshare", "-m", "sh", "-c", "mkdir low up work m && mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work m && "+
		"mount --bind low low && mount -o remount,ro,bind low && mount -t tmpfs tmpfs work")
	try.Dir = dir
	return try.Run() == nil
})

// canMakeDisks reports whether this user may mount a file as a disk of its own, and cut its power.
var canMakeDisks = sync.OnceValue(func() bool {
	dir, err := os.MkdirTemp("", "haz-disks")
	if err != nil {
		return false
	}
	defer os.RemoveAll(dir)
	try := exec.Command("unshare", "-m", "sh", "-c",
		"truncate -s 4M img && mkfs.ext4 -q -F img && mkdir m && mount -o loop img m && cutpower m; code=$?; umount m; exit $code")
	try.Dir = dir
	return try.Run() == nil
})

// cutPower DIR makes the file system of a folder forget what it has not written, as after a power cut; it has to be mounted again.
func cutPower() {
	const shutdown, noFlush = 0x8004587d, 2 // EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH
	dir, err := os.Open(os.Args[1])
	if err == nil {
		err = unix.IoctlSetPointerInt(int(dir.Fd()), shutdown, noFlush)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cutpower:", err)
		os.Exit(125)
	}
}

// exits CODE COMMAND... runs a command, whose exit code must be CODE; stdout and stderr can be looked at afterwards.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// signals CODE SIGNAL[,SIGNAL...] FILE COMMAND... starts a command in a process group of its own, waits for FILE, sends the
// signals to the command alone (after a comma 100 ms later, after a slash 600 ms, after a plus at once), and wants the exit code within 10 s. Output
// goes to the files stdout.txt and stderr.txt.
func signals(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: signals CODE SIGNAL[,SIGNAL...] FILE COMMAND...")
	}
	var stdout, stderr bytes.Buffer
	bin, err := lookPath(ts, args[3])
	ts.Check(err)
	cmd := &exec.Cmd{Path: bin, Args: args[3:], Dir: ts.MkAbs("."), Stdout: &stdout, Stderr: &stderr, WaitDelay: 10 * time.Second,
		Env: append(environ(ts), "PWD="+ts.MkAbs(".")), SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	ts.Check(cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	await := func(ready func() bool) {
		for deadline := time.Now().Add(10 * time.Second); !ready(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				_ = cmd.Process.Kill()
				ts.Fatalf("%s did not appear; stderr: %s", args[2], stderr.String())
			}
		}
	}
	await(func() bool { _, err := os.Stat(ts.MkAbs(args[2])); return err == nil })
	for i, group := range strings.FieldsFunc(args[1], func(r rune) bool { return r == ',' || r == '/' }) {
		if i > 0 && strings.Contains(args[1], "/") {
			time.Sleep(500 * time.Millisecond) // else equal ones would be one
		}
		if i > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		for _, name := range strings.Split(group, "+") {
			if err := cmd.Process.Signal(unix.SignalNum(name)); err != nil && !errors.Is(err, os.ErrProcessDone) {
				ts.Check(err)
			}
		}
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = cmd.Process.Kill()
		ts.Fatalf("still running 10 s after the signals")
	}
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), stdout.Bytes(), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), stderr.Bytes(), 0o666))
	ts.Logf("[stderr]\n%s", stderr.String())
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// arrives PATTERN FILE COMMAND... wants a line on standard output that holds PATTERN before FILE exists.
func arrives(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: arrives TEXT FILE COMMAND...")
	}
	bin, err := lookPath(ts, args[2])
	ts.Check(err)
	cmd := &exec.Cmd{Path: bin, Args: args[2:], Dir: ts.MkAbs("."), Env: append(environ(ts), "PWD="+ts.MkAbs("."))}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	var seen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(seen, []byte(args[0])) {
		n, err := out.Read(buf)
		seen = append(seen, buf[:n]...)
		if err != nil {
			ts.Fatalf("%q never came: %s", args[0], seen)
		}
	}
	if _, err := os.Stat(ts.MkAbs(args[1])); err == nil {
		ts.Fatalf("%q came only after %s", args[0], args[1])
	}
	ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	for err == nil {
		_, err = out.Read(buf)
	}
	_ = cmd.Wait()
}

func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

func lookPath(ts *testscript.TestScript, name string) (string, error) {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, name); filepath.IsAbs(p) {
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return p, nil
			}
		}
	}
	return "", exec.ErrNotFound
}

// tree FILE writes a list of everything below the working directory: kind, mode, size, time, content; sameas FILE compares.
func tree(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("TMPDIR"), args[0]), snapshot(ts), 0o666))
}

func sameTree(ts *testscript.TestScript, neg bool, args []string) {
	want, err := os.ReadFile(filepath.Join(ts.Getenv("TMPDIR"), args[0]))
	ts.Check(err)
	if got := snapshot(ts); !bytes.Equal(want, got) {
		ts.Fatalf("the tree changed: was\n%s\nis\n%s", want, got)
	}
}

func snapshot(ts *testscript.TestScript) []byte {
	var lines []string
	root := ts.Getenv("WORK")
	ts.Check(filepath.Walk(root, func(p string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if p == ts.Getenv("TMPDIR") || p == filepath.Join(root, ".bin") {
			return filepath.SkipDir
		}
		line := p + " " + info.Mode().String() + " " + info.ModTime().Format(time.RFC3339Nano)
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			line += " " + strconv.Quote(string(b))
		}
		lines = append(lines, line)
		return nil
	}))
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n"))
}

// absent FILE... wants no such files; not even dangling links.
func absent(ts *testscript.TestScript, neg bool, args []string) {
	for _, a := range args {
		if _, err := os.Lstat(ts.MkAbs(a)); err == nil {
			ts.Fatalf("%s exists", a)
		}
	}
}

// empty stdout|stderr|FILE wants nothing in it.
func empty(ts *testscript.TestScript, neg bool, args []string) {
	for _, a := range args {
		if s := ts.ReadFile(a); s != "" {
			ts.Fatalf("%s is not empty: %q", a, s)
		}
	}
}

// append TEXT FILE adds a line.
func appendTo(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString(args[0] + "\n")
	ts.Check(err)
	ts.Check(f.Close())
}

func mustWrite(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
