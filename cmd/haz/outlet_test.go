//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// reader is the far end of a stream that an outlet writes to.
type reader struct {
	name string
	far  *os.File
	near *os.File
}

// readers makes one of each kind; the near end of each is non-blocking when asked for.
func readers(t *testing.T, nonBlocking bool) []reader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	rs := []reader{{"pipe", r, w}}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	rs = append(rs, reader{"socket", os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")})
	if ours, its, err := pty.Open(); err == nil {
		raw, _ := unix.IoctlGetTermios(int(its.Fd()), unix.TCGETS)
		raw.Oflag &^= unix.OPOST
		_ = unix.IoctlSetTermios(int(its.Fd()), unix.TCSETS, raw)
		rs = append(rs, reader{"terminal", ours, its})
	}
	for _, x := range rs {
		// Fd makes the file blocking, for all who share it.
		if err := unix.SetNonblock(int(x.near.Fd()), nonBlocking); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { x.near.Close(); x.far.Close() })
	}
	return rs
}

// Every byte arrives however slowly it is read, also when somebody made the stream non-blocking.
func TestNothingIsLostOnTheWayOut(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef\n"), 30_000)
	for _, nonBlocking := range []bool{false, true} {
		for _, x := range readers(t, nonBlocking) {
			t.Run(x.name, func(t *testing.T) {
				o := newOutlet(x.near, &patience{})
				if nonBlocking {
					_ = unix.SetNonblock(int(x.near.Fd()), true)
				}
				done := make(chan error, 1)
				go func() {
					_, err := o.Write(text)
					done <- err
				}()
				got := make([]byte, len(text))
				if _, err := io.ReadFull(x.far, got); err != nil {
					t.Fatal(err)
				}
				if err := <-done; err != nil || !bytes.Equal(got, text) {
					t.Errorf("error %v, equal %v", err, bytes.Equal(got, text))
				}
			})
		}
	}
}

// A reader that stands still is waited for without end, and after a signal only for a moment.
func TestReaderThatStandsStill(t *testing.T) {
	for _, x := range readers(t, false) {
		t.Run(x.name, func(t *testing.T) {
			p := &patience{}
			o := newOutlet(x.near, p)
			done := make(chan error, 1)
			go func() {
				_, err := o.Write(make([]byte, 10<<20))
				done <- err
			}()
			select {
			case err := <-done:
				t.Fatalf("given up without a signal: %v", err)
			case <-time.After(2*stuckFor + 4*glance):
			}
			p.end(time.Hour)
			select {
			case err := <-done:
				if !errors.Is(err, errStuck) || !p.hasDropped() {
					t.Errorf("%v, dropped %v", err, p.hasDropped())
				}
			case <-time.After(20 * time.Second):
				t.Fatal("still waiting")
			}
		})
	}
}

// Who reads slowly is not given up before the grace is over.
func TestSlowReaderAfterASignal(t *testing.T) {
	p := &patience{}
	p.end(time.Hour)
	if p.over(time.Now()) {
		t.Error("given up at once")
	}
	q := &patience{}
	q.end(0)
	q.deadline = time.Now().Add(-time.Second)
	if !q.over(time.Now()) {
		t.Error("not given up after the grace")
	}
	if new(patience).over(time.Time{}) {
		t.Error("given up without a signal")
	}
}

// A reader that is gone is an error at once.
func TestReaderThatIsGone(t *testing.T) {
	for _, x := range readers(t, false)[:2] {
		t.Run(x.name, func(t *testing.T) {
			o := newOutlet(x.near, &patience{})
			x.far.Close()
			if _, err := o.Write([]byte("text")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("%v", err)
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
