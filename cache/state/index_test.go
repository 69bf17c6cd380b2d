package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// counting counts what is read through it.
type counting struct {
	fsys.FS
	reads map[string]int
}

func newCounting(f fsys.FS) *counting { return &counting{FS: f, reads: map[string]int{}} }

func (c *counting) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	c.reads[name]++
	return c.FS.ReadFile(name, limit)
}

func (c *counting) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	data, info, err := c.ReadFile(name, limit)
	_, unwritten := c.FS.Unwritten(name)
	return data, info, unwritten && err == nil, err
}

func write(t testing.TB, f fsys.FS, name, text string) {
	t.Helper()
	if err := put(f, name, text); err != nil {
		t.Fatal(err)
	}
}

// put replaces the bytes of a file in place, as editors do that keep the inode.
func put(f fsys.FS, name, text string) error {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		if err := f.MkdirAll(name[:i], 0o755); err != nil {
			return err
		}
	}
	w, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return w.Close()
}

func digestOf(t testing.TB, s *State, name string) digest.Digest {
	t.Helper()
	d, _, err := s.DigestFile(context.Background(), name, fsys.Info{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// S-26: an old file is read once, ever; a young one each time.
func TestIndexSavesReading(t *testing.T) {
	for _, fn := range []digest.Function{digest.BLAKE3, digest.SHA256} {
		for _, c := range []struct {
			age   time.Duration
			reads int // of two runs that look twice each
		}{
			{age: 0, reads: 4},
			{age: racyWindow - 50*time.Millisecond, reads: 4},
			{age: racyWindow + 50*time.Millisecond, reads: 1},
			{age: time.Hour, reads: 1},
		} {
			t.Run(fmt.Sprint(fn, c.age), func(t *testing.T) {
				mem := memfs.New()
				write(t, mem, "/a", "text")
				mem.Advance(c.age)
				f := newCounting(mem)
				for range 2 {
					s := Open(f, fn)
					for range 2 {
						if got, want := digestOf(t, s, "/a"), hasher.Sum(fn, []byte("text")); got != want {
							t.Fatalf("digest %s, want %s", got.Hex(), want.Hex())
						}
					}
					s.Flush()
				}
				if f.reads["/a"] != c.reads {
					t.Errorf("read %d times, want %d", f.reads["/a"], c.reads)
				}
			})
		}
	}
}

// Both mtime and ctime count: tools set mtime back, and copies with times kept have an old one (S-26).
func TestIndexNeedsOldCTimeToo(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "text")
	old := mem.Now()
	mem.Advance(time.Hour)
	if err := mem.Chtimes("/a", old, old); err != nil { // mtime is an hour old, ctime is new
		t.Fatal(err)
	}
	f := newCounting(mem)
	s := Open(f, digest.BLAKE3)
	digestOf(t, s, "/a")
	digestOf(t, s, "/a")
	if f.reads["/a"] != 2 {
		t.Errorf("read %d times, want 2", f.reads["/a"])
	}
}

// And an mtime in the future is never old, whatever ctime says.
func TestIndexNeedsOldMTimeToo(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "text")
	future := mem.Now().Add(2 * time.Hour)
	if err := mem.Chtimes("/a", future, future); err != nil {
		t.Fatal(err)
	}
	mem.Advance(time.Hour)
	f := newCounting(mem)
	s := Open(f, digest.BLAKE3)
	digestOf(t, s, "/a")
	digestOf(t, s, "/a")
	if f.reads["/a"] != 2 {
		t.Errorf("read %d times, want 2", f.reads["/a"])
	}
}

// Every field of the stat counts.
func TestIndexComparesEveryField(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "text")
	mem.Advance(time.Hour)
	f := newCounting(mem)
	s := Open(f, digest.BLAKE3)
	digestOf(t, s, "/a")
	info, err := mem.StatInfo("/a")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(i *fsys.Info){
		"size": func(i *fsys.Info) { i.Size++ }, "mtime": func(i *fsys.Info) { i.MTime-- }, "ctime": func(i *fsys.Info) { i.CTime-- },
		"inode": func(i *fsys.Info) { i.Inode++ }, "device": func(i *fsys.Info) { i.Dev++ },
	} {
		other := info
		change(&other)
		before := f.reads["/a"]
		if _, _, err := s.DigestFile(context.Background(), "/a", other); err != nil {
			t.Fatal(err)
		}
		if f.reads["/a"] != before+1 {
			t.Errorf("with another %s the file was not read", name)
		}
	}
}

// A file that grows, shrinks or vanishes between the look and the reading.
func TestDigestOfMovingFile(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "short")
	info, _ := mem.StatInfo("/a")
	s := Open(mem, digest.BLAKE3)
	for _, text := range []string{strings.Repeat("long", smallFile), "", "other"} {
		write(t, mem, "/a", text)
		d, now, err := s.DigestFile(context.Background(), "/a", info)
		if err != nil || d != hasher.Sum(digest.BLAKE3, []byte(text)) || now.Size != int64(len(text)) {
			t.Errorf("%d bytes: %s, size %d, %v", len(text), d.Short(), now.Size, err)
		}
	}
	if err := mem.Remove("/a"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.DigestFile(context.Background(), "/a", info); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
	if err := mem.Mkdir("/a", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.DigestFile(context.Background(), "/a", info); err == nil {
		t.Error("a directory has a digest")
	}
}

func TestDigestStopsAtTheNextChunk(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/big", strings.Repeat("x", 3*chunk))
	s := Open(mem, digest.BLAKE3)
	if got := digestOf(t, s, "/big"); got != hasher.Sum(digest.BLAKE3, []byte(strings.Repeat("x", 3*chunk))) {
		t.Error("wrong digest")
	}
	ctx, cancel := context.WithCancel(context.Background())
	stop := &cancelling{FS: mem, cancel: cancel}
	s = Open(stop, digest.BLAKE3)
	if _, _, err := s.DigestFile(ctx, "/big", fsys.Info{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// cancelling cancels when a file is opened.
type cancelling struct {
	fsys.FS
	cancel func()
}

func (c *cancelling) Open(name string) (afero.File, error) {
	defer c.cancel()
	return c.FS.Open(name)
}

// Nothing is written before there is something to say, and nothing when nothing is new.
func TestIndexIsWrittenOnlyWhenItLearned(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "a")
	mem.Advance(time.Hour)
	s := Open(mem, digest.BLAKE3)
	s.Flush()
	if _, err := mem.Lstat(layout.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(".haz was made for nothing")
	}
	digestOf(t, s, "/a")
	s.Flush()
	first, err := mem.Lstat(layout.StateDir + "/index")
	if err != nil {
		t.Fatal(err)
	}
	s = Open(mem, digest.BLAKE3)
	digestOf(t, s, "/a")
	s.Flush()
	if again, _ := mem.Lstat(layout.StateDir + "/index"); !again.Same(first) {
		t.Error("the index was written although nothing was learned")
	}
	for name, perm := range map[string]uint32{layout.StateDir: 0o700, layout.StateDir + "/index": 0o600, layout.StateDir + "/.gitignore": 0o600} { // S-13
		if info, err := mem.Lstat(name); err != nil || info.Perm != perm {
			t.Errorf("%s: %o, want %o (%v)", name, info.Perm, perm, err)
		}
	}
}

// The rows of files that are gone are dropped in the course of a few flushes, the others stay.
func TestIndexForgetsWhatIsGone(t *testing.T) {
	mem := memfs.New()
	const n = 200
	for i := range n {
		write(t, mem, fmt.Sprintf("/d/%03d", i), "x")
	}
	mem.Advance(time.Hour)
	s := Open(mem, digest.BLAKE3)
	for i := range n {
		digestOf(t, s, fmt.Sprintf("/d/%03d", i))
	}
	s.Flush()
	for i := 0; i < n; i += 2 {
		if err := mem.Remove(fmt.Sprintf("/d/%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		name := fmt.Sprintf("/new%d", i)
		write(t, mem, name, "new")
		mem.Advance(time.Hour)
		s := Open(mem, digest.BLAKE3)
		digestOf(t, s, name)
		s.Flush()
	}
	f := newCounting(mem)
	s = Open(f, digest.BLAKE3)
	if got := s.table().len(); got != n/2+10 {
		t.Errorf("%d rows, want %d", got, n/2+10)
	}
	for i := 1; i < n; i += 2 {
		digestOf(t, s, fmt.Sprintf("/d/%03d", i))
	}
	for name, k := range f.reads {
		if strings.HasPrefix(name, "/d/") {
			t.Fatalf("%s was read %d times", name, k)
		}
	}
}

// Rows of one hash function are nothing to another.
func TestIndexPerHashFunction(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "a")
	mem.Advance(time.Hour)
	for range 2 {
		for _, fn := range []digest.Function{digest.BLAKE3, digest.SHA256} {
			s := Open(mem, fn)
			if got := digestOf(t, s, "/a"); got != hasher.Sum(fn, []byte("a")) {
				t.Errorf("%s: wrong digest", fn)
			}
			s.Flush()
		}
	}
	// One in the other's place is dropped.
	if err := mem.Rename(layout.StateDir+"/index-sha256", layout.StateDir+"/index"); err != nil {
		t.Fatal(err)
	}
	if got := digestOf(t, Open(mem, digest.BLAKE3), "/a"); got != hasher.Sum(digest.BLAKE3, []byte("a")) {
		t.Error("a row of sha256 was used for blake3")
	}
}

// RememberAt trusts no digest that was computed from a file that was young then.
func TestRememberAt(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "a")
	info, _ := mem.StatInfo("/a")
	told := hasher.Sum(digest.BLAKE3, []byte("told"))
	s := Open(mem, digest.BLAKE3)
	s.RememberAt("/a", info, told, s.Stamp())
	if got := digestOf(t, s, "/a"); got == told {
		t.Error("a young file was remembered")
	}
	s.RememberAt("/a", info, told, 0)
	if got := digestOf(t, s, "/a"); got == told {
		t.Error("a digest without a stamp was remembered")
	}
	mem.Advance(time.Hour)
	s.RememberAt("/a", info, told, s.Stamp())
	if got := digestOf(t, s, "/a"); got != told {
		t.Error("an old file was not remembered")
	}
}

// Young means: when it was read in this run, although it is old by now.
func TestYoung(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/read", "a")
	write(t, mem, "/unread", "a")
	s := Open(mem, digest.BLAKE3)
	proven := func(name string) bool {
		info, _ := mem.StatInfo(name)
		return s.Proven(name, info, hasher.Sum(digest.BLAKE3, []byte("a")))
	}
	digestOf(t, s, "/read")
	for _, name := range []string{"/read", "/unread"} {
		if proven(name) {
			t.Errorf("%s is not young", name)
		}
	}
	mem.Advance(time.Hour)
	if proven("/read") {
		t.Error("what was read while young is trusted later")
	}
	if digestOf(t, s, "/unread"); !proven("/unread") {
		t.Error("an old file is young")
	}
}

func TestReadOnlyStateWritesNothing(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "a")
	mem.Advance(time.Hour)
	s := OpenReadOnly(mem, digest.BLAKE3)
	digestOf(t, s, "/a")
	s.WriteProducts(Products{Task: "p:t"})
	s.WriteLastKey("p:t", []byte("record"))
	s.SweepTasks(nil)
	if _, ok := s.Secret(true); ok {
		t.Error("a secret was made")
	}
	if l, refused, err := s.TryLockTask(LockRequest{Task: "p:t"}); l == nil || refused != nil || err != nil {
		t.Errorf("lock: %v, %v", refused, err)
	}
	s.Flush()
	if _, err := mem.Lstat(layout.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written")
	}
	if len(s.Trouble()) > 0 {
		t.Errorf("trouble: %q", s.Trouble())
	}
}

// After a power cut a file may have its stat without its bytes: an index of before the system started proves nothing (S-26).
func TestIndexOfAnotherBoot(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "one")
	mem.Advance(time.Hour)
	for i, c := range []struct {
		boot  string
		reads int
	}{{"first", 1}, {"first", 0}, {"second", 1}, {"second", 0}, {"first", 1}} {
		f := newCounting(mem)
		s := Open(f, digest.BLAKE3)
		s.boot = hasher.Sum(digest.BLAKE3, []byte(c.boot))
		if digestOf(t, s, "/a"); f.reads["/a"] != c.reads {
			t.Errorf("%d, %s boot: read %d times, want %d", i, c.boot, f.reads["/a"], c.reads)
		}
		s.Flush()
	}
}

func BenchmarkDigestKnown(b *testing.B) {
	for _, n := range []int{5000, 50000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			s, names, info := knownIndex(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, _, err := s.DigestFile(context.Background(), names[i%n], info); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoadIndex(b *testing.B) {
	for _, n := range []int{5000, 50000} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			s, _, _ := knownIndex(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if s.loadIndex().len() != n {
					b.Fatal("not loaded")
				}
			}
		})
	}
}

func BenchmarkFlushIndex(b *testing.B) {
	for _, n := range []int{5000, 50000} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			s, names, info := knownIndex(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s.RememberAt(names[0], info, digest.Digest{1}, info.MTime+int64(time.Hour))
				s.Flush()
			}
		})
	}
}

// knownIndex makes a state on disk that knows n files.
func knownIndex(b *testing.B, n int) (*State, []string, fsys.Info) {
	b.Helper()
	disk, err := fsys.Host(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = disk.Close() })
	s := Open(disk, digest.BLAKE3)
	root, err := disk.Lstat("/")
	if err != nil {
		b.Fatal(err)
	}
	info := fsys.Info{Kind: fsys.File, Size: 1024, MTime: 1e18, CTime: 1e18, Inode: 7, Dev: root.Dev}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("/projects/p%04d/src/file%d.c", i/4, i%4)
		s.RememberAt(names[i], info, digest.Digest{byte(i)}, info.MTime+int64(time.Hour))
	}
	s.Flush()
	s = Open(disk, digest.BLAKE3)
	s.table()
	return s, names, info
}
