package actors

import (
	"bytes"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

// S-15: of a stream, 64 KiB are kept in memory, whatever its length; the rest lies in a file, and nothing is lost. The other
// stream of the process stays where it is.
func TestRecorderSpools(t *testing.T) {
	mem := memfs.New()
	r := &running{o: Options{FS: mem, Hash: digest.BLAKE3, Plan: &graph.Plan{Tasks: []*workspace.Task{{}}}}}
	r.spool = &spool{fs: r.o.FS}
	r.budget = newBudget(0, nil)
	r.budget.open() // nobody watches
	c := newRecorder(r, 0, 0)

	var all bytes.Buffer
	for i := range 100 {
		b := bytes.Repeat([]byte{byte(i)}, 10_007)
		all.Write(b)
		c.Write(process.Stdout, b)
		if n := cap(c.stdout.bytes); n > 2*streamMemory {
			t.Fatalf("%d bytes are held in memory after %d", n, all.Len())
		}
	}
	c.Write(process.Stderr, []byte("short"))

	stdout, stderr, lost := c.finish()
	if lost != "" {
		t.Error(lost)
	}
	if stdout.Len != int64(all.Len()) || stdout.Digest != hasher.Sum(digest.BLAKE3, all.Bytes()) || len(stdout.Bytes) != 0 {
		t.Errorf("stdout: %d bytes, %d of them in memory", stdout.Len, len(stdout.Bytes))
	}
	if got, _, err := mem.ReadFile(stdout.Path, 0); err != nil || !bytes.Equal(got, all.Bytes()) {
		t.Errorf("the spool file holds %d of %d bytes, %v", len(got), all.Len(), err)
	}
	if string(stderr.Bytes) != "short" || stderr.Path != "" {
		t.Errorf("stderr: %q, spooled at %q", stderr.Bytes, stderr.Path)
	}
	r.spool.remove()
	if _, err := mem.Lstat(stdout.Path); err == nil {
		t.Error("the spool file outlives the run")
	}
}
