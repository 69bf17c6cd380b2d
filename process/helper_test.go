//go:build unix

package process

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// The helper's table holds exactly the groups that run: one too few outlives haz, one too many may be somebody else's by
// then (S-30).
func TestHelperTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, err := tempFile()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		h := &helper{table: f, pipe: -1}
		slots := map[int]int{} // by group
		for i := range rapid.IntRange(0, 40).Draw(t, "steps") {
			if len(slots) > 0 && rapid.Bool().Draw(t, "remove") {
				g := rapid.SampledFrom(sortedKeys(slots)).Draw(t, "group")
				h.remove(slots[g])
				delete(slots, g)
				continue
			}
			g := rapid.SampledFrom([]int{7, 4_000, 4_194_304, 2_147_483_000}).Draw(t, "size") + i
			if _, there := slots[g]; !there {
				slots[g] = h.expect(uint64(1 + i))
				h.enter(slots[g], g)
			}
		}
		text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, w := range strings.Fields(string(text)) {
			n, err := strconv.Atoi(w)
			if err != nil {
				t.Fatalf("table %q", text)
			}
			got = append(got, n)
		}
		slices.Sort(got)
		if want := sortedKeys(slots); !slices.Equal(got, want) {
			t.Fatalf("table holds %v, want %v", got, want)
		}
		if len(text) > 40*slotSize {
			t.Fatalf("the table grows: %d bytes", len(text))
		}
	})
}

// haz dies between the fork of a task and the moment when it knows its number: the helper finds the task by its pipe, also one
// that ignores TERM, with all that is in its group, and nobody else.
func TestHelperFindsWhatIsBeingForked(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc")
	}
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
		for began := time.Now(); unix.Kill(-task.Process.Pid, 0) == nil && !allDead(task.Process.Pid); time.Sleep(10 * time.Millisecond) {
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

// allDead reports whether all of a group are dead, if not reaped.
func allDead(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" {
			return false
		}
	}
	return true
}

func sortedKeys(m map[int]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
