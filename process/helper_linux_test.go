package process

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// haz dies between the fork of a task and the moment when it knows its number: the helper finds the task by its pipe, also one
// that ignores TERM, with all that is in its group, and nobody else.
func TestHelperFindsWhatIsBeingForked(t *testing.T) {
	for _, script := range []string{
		"sleep 300",
		"sleep 300 & sleep 300",
		"trap '' TERM; sleep 300; sleep 300",
		"(trap '' TERM; exec >/dev/null; sleep 300) & sleep 0.2; echo; sleep 300", // seen with the first signal only
	} {
		begin := func(script string) (*exec.Cmd, *os.File) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			c := exec.Command("/bin/sh", "-c", "echo; "+script)
			c.Stdout, c.SysProcAttr = w, &syscall.SysProcAttr{Setsid: true}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				unix.Kill(-c.Process.Pid, unix.SIGKILL)
				_ = c.Wait()
				r.Close()
			})
			for range 1 + strings.Count(script, "echo") { // it runs
				if _, err := r.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			return c, r
		}
		task, pipe := begin(script)
		other, _ := begin("sleep 300")
		var h helper
		h.start()
		h.await()
		if slot := h.expect(inodeOf(int(pipe.Fd()))); slot != 0 {
			t.Fatalf("slot %d, trouble %q", slot, h.troubles())
		}
		unix.Close(h.pipe) // as if we had died
		done := make(chan error, 1)
		go func() { done <- task.Wait() }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: alive", script)
		}
		if _, err := io.Copy(io.Discard, pipe); err != nil { // nobody has the other end
			t.Errorf("%s: %v", script, err)
		}
		for began := time.Now(); !onlyZombies(task.Process.Pid); time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s: a part of its group is alive", script)
			}
		}
		var status syscall.WaitStatus
		if pid, err := syscall.Wait4(other.Process.Pid, &status, syscall.WNOHANG, nil); pid != 0 || err != nil {
			t.Errorf("%s: a stranger was ended: %v, %v", script, status, err)
		}
		for !func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.reaped() }() {
			time.Sleep(time.Millisecond)
		}
		h.table.Close()
	}
}
