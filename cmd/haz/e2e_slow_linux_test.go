package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stall makes whoever opens the file wait until the result is called, as a file system does whose server does not answer.
func stall(t *testing.T, file string) (goOn func()) {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		t.Skipf("nobody can be made to wait for a file here: %v", err)
	}
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_PERM, unix.AT_FDCWD, file); err != nil {
		unix.Close(fd)
		t.Skipf("nobody can be made to wait for %s: %v", file, err)
	}
	return func() {
		defer unix.Close(fd) // lets all that come later pass
		buf := make([]byte, 4096)
		n, _ := unix.Read(fd, buf)
		for at := 0; at+24 <= n; at += int(binary.NativeEndian.Uint32(buf[at:])) {
			opened := int32(binary.NativeEndian.Uint32(buf[at+16:]))
			answer := binary.NativeEndian.AppendUint32(nil, uint32(opened))
			_, _ = unix.Write(fd, binary.NativeEndian.AppendUint32(answer, unix.FAN_ALLOW))
			unix.Close(int(opened))
		}
	}
}

// A file system that does not answer: haz says whom it waits for, in a run and before it, and goes on when the answer comes. It does not
// wait for that when it is interrupted.
func TestWaitingForTheDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for more than ten seconds")
	}
	for _, c := range []struct {
		name, file string
		code       int
	}{{"in", "p/in", 0}, {"haz.yml", "p/haz.yml", 0}, {"interrupted", "p/in", 130}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
			mustWrite(t, filepath.Join(root, "p/haz.yml"), "name: p\ntasks:\n  t: {shell: \"cat in > out\", inputs: [in], outputs: [out], env: {from_host: [PATH]}}\n")
			mustWrite(t, filepath.Join(root, "p/in"), "in\n")
			goOn := stall(t, filepath.Join(root, c.file))
			began := time.Now()
			p := startProgram(t, root, fmt.Sprintf("slow-%d-%s", os.Getpid(), c.name), ownHaz(t), "run", "p:t")
			want := "haz: note: waiting 10s for " + filepath.Join(root, c.file) + ": the file system does not answer\n"
			told := eventually(40*time.Second, func() bool { return strings.Contains(p.said(), want) })
			if after := time.Since(began); told && after < diskPatience {
				t.Errorf("told after %v", after)
			}
			if c.code == 0 {
				goOn()
			} else {
				defer goOn()
				_ = p.cmd.Process.Signal(unix.SIGINT)
			}
			if code := p.ends(t, 30*time.Second); code != c.code || !told {
				t.Errorf("exit code %d; stderr:\n%s", code, p.said())
			}
			if n := strings.Count(p.said(), "haz: note: waiting"); n != 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// A run whose output nobody reads ends soon after a signal, with the code of the signal.
func TestSignalEndsARunThatNobodyReads(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz", "workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p", "haz.yml"), `name: p
tasks:
  t: {shell: "yes 0123456789abcdef | head -c 2000000; touch printed", cache: false, env: {from_host: [PATH]}}
`)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var stderr strings.Builder
	cmd := exec.Command(realHaz(t), "run", "p:t")
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = root, w, &stderr, 20*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if !eventually(20*time.Second, func() bool { _, err := os.Stat(filepath.Join(root, "p", "printed")); return err == nil }) {
		t.Fatal("the task did not print")
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	stuck := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d; stderr:\n%s", code, stderr.String())
	}
}
