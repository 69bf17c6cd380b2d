//go:build unix

package process

import (
	"io"
	"os"
	"os/exec"
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
// that ignores TERM, and nobody else.
func TestHelperFindsWhatIsBeingForked(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc")
	}
	for _, script := range []string{"sleep 300", "sleep 300 & sleep 300", "trap '' TERM; sleep 300; sleep 300"} {
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
			if _, err := r.Read(make([]byte, 1)); err != nil { // it runs
				t.Fatal(err)
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
		if n, err := pipe.Read(make([]byte, 1)); err != io.EOF { // nobody has the other end
			t.Errorf("%s: read %d bytes, %v", script, n, err)
		}
		if err := unix.Kill(other.Process.Pid, 0); err != nil {
			t.Errorf("%s: a stranger was ended: %v", script, err)
		}
		for !func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.reaped() }() {
			time.Sleep(time.Millisecond)
		}
		h.table.Close()
	}
}

func sortedKeys(m map[int]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
