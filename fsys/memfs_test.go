package fsys_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
	"github.com/haz-build/haz/fsys/memfs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file in place, which keeps its inode.
func put(t testing.TB, f fsys.FS, name, data string) {
	t.Helper()
	w, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	must(t, err)
	_, err = io.WriteString(w, data)
	must(t, err)
	must(t, w.Close())
}

func look(t testing.TB, f fsys.FS, name string) fsys.Info {
	t.Helper()
	info, err := f.Lstat(name)
	must(t, err)
	return info
}

func tree(t testing.TB, f fsys.FS) string {
	t.Helper()
	lines, err := fsystest.Snapshot(f, "/")
	must(t, err)
	return strings.Join(lines, "\n")
}

// S-26: what a stat index must survive can be staged.
func TestMemoryClock(t *testing.T) {
	m := memfs.New()
	put(t, m, "/x", "1")
	first := look(t, m, "/x")
	if start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); first.MTime <= start.UnixNano() || first.MTime > start.Add(time.Second).UnixNano() {
		t.Errorf("time begins at %v", time.Unix(0, first.MTime))
	}
	put(t, m, "/x", "2")
	second := look(t, m, "/x")
	if first.Same(second) || second.MTime <= first.MTime || second.CTime <= first.CTime {
		t.Errorf("an edit went unseen: %+v, %+v", first, second)
	}

	m.SetStep(0)
	put(t, m, "/x", "3")
	third := look(t, m, "/x")
	put(t, m, "/x", "4")
	if !third.Same(look(t, m, "/x")) {
		t.Error("two edits of one size in one tick can be told apart")
	}

	m.Advance(-time.Hour)
	put(t, m, "/x", "5")
	if got := look(t, m, "/x").MTime; got != third.MTime-int64(time.Hour) {
		t.Errorf("the clock did not step back: %d", got)
	}
	m.SetTime(time.Unix(100, 999))
	m.SetGranularity(2 * time.Second)
	m.Advance(3 * time.Second)
	put(t, m, "/x", "6")
	if got := look(t, m, "/x").MTime; got != 102e9 {
		t.Errorf("coarse time stamp %d", got)
	}
	m.SetTime(time.Unix(-3, 0))
	must(t, m.Chmod("/x", 0o600))
	if got := look(t, m, "/x").CTime; got != -4e9 {
		t.Errorf("coarse time stamp before the epoch %d", got)
	}

	m.SetGranularity(0)
	m.SetClock(func() time.Time { return time.Unix(5, 5) })
	put(t, m, "/x", "7")
	if got := look(t, m, "/x").MTime; got != 5e9+5 || !m.Now().Equal(time.Unix(5, 5)) {
		t.Errorf("the given clock is not used: %d, %v", got, m.Now())
	}
	m.SetClock(nil)
	if got := m.Now(); !got.Equal(time.Unix(-3, 0)) {
		t.Errorf("the logical clock did not come back: %v", got)
	}
}

func TestMemoryIsDeterministic(t *testing.T) {
	build := func() string {
		m := memfs.New()
		for i := range 20 {
			must(t, m.MkdirAll(fmt.Sprintf("/d%d/e", i%5), 0o755))
			put(t, m, fmt.Sprintf("/d%d/e/%d", i%5, i), "x")
		}
		must(t, m.RemoveAll("/d3"))
		var all []string
		for i := range 5 {
			entries, err := m.List(fmt.Sprintf("/d%d/e", i))
			if i != 3 {
				must(t, err)
			}
			for _, e := range entries {
				all = append(all, fmt.Sprintf("%+v %+v", e, look(t, m, fmt.Sprintf("/d%d/e/%s", i, e.Name))))
			}
		}
		return strings.Join(all, "\n")
	}
	if a, b := build(), build(); a != b {
		t.Errorf("two equal histories differ:\n%s\n\n%s", a, b)
	}
}

func TestMemoryClone(t *testing.T) {
	m := memfs.New()
	must(t, m.MkdirAll("/a/b", 0o755))
	put(t, m, "/a/x", "1")
	must(t, m.Link("/a/x", "/a/b/y"))
	must(t, m.Symlink("../x", "/a/b/l"))
	l, err := fsys.TryLock(m, "/lock", fsys.Exclusive)
	must(t, err)
	before := tree(t, m)

	c := m.Clone()
	if got := tree(t, c); got != before {
		t.Fatalf("clone:\n%s\nwant:\n%s", got, before)
	}
	for _, name := range []string{"/", "/a", "/a/x", "/a/b/y", "/a/b/l"} {
		if look(t, m, name) != look(t, c, name) {
			t.Errorf("%s: %+v became %+v", name, look(t, m, name), look(t, c, name))
		}
	}
	put(t, c, "/a/b/y", "clone")
	put(t, m, "/a/z", "original")
	must(t, c.Rename("/a/b", "/moved"))
	if data, _, _ := c.ReadFile("/a/x", 0); string(data) != "clone" {
		t.Errorf("the second name holds %q", data)
	}
	if data, _, _ := m.ReadFile("/a/x", 0); string(data) != "1" {
		t.Errorf("writing to the clone made the original %q", data)
	}
	if _, err := c.Lstat("/a/z"); err == nil {
		t.Error("a new file of the original is in the clone")
	}
	w, err := m.OpenFile("/a/x", os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = w.WriteString("23")
	must(t, err)
	if data, _, _ := c.ReadFile("/a/x", 0); string(data) != "clone" {
		t.Errorf("writing to the original made the clone %q", data)
	}
	if _, err := fsys.TryLock(c, "/lock", fsys.Exclusive); err != nil {
		t.Errorf("the lock was copied: %v", err)
	}
	must(t, l.Unlock())

	s, err := m.Sub("/a")
	must(t, err)
	sc := s.(*memfs.FS).Clone()
	if data, _, err := sc.ReadFile("/x", 0); err != nil || string(data) != "123" || sc.HostPath("/x") != "/a/x" {
		t.Errorf("clone of a Sub: %q, %v, %s", data, err, sc.HostPath("/x"))
	}
}

func TestMemoryLimits(t *testing.T) {
	m := memfs.New()
	x, err := m.Create("/x")
	must(t, err)
	for _, off := range []int64{1 << 31, 1 << 62} {
		if _, err := x.WriteAt([]byte("a"), off); err == nil {
			t.Errorf("wrote at %d", off)
		}
		if err := x.Truncate(off); err == nil {
			t.Errorf("truncated to %d", off)
		}
	}
	if pos, err := x.Seek(1<<62, io.SeekStart); err != nil || pos != 1<<62 {
		t.Errorf("seek: %d, %v", pos, err)
	}
	if n, err := x.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read far behind the end: %d, %v", n, err)
	}
	if _, err := x.Write([]byte("a")); err == nil {
		t.Error("wrote far behind the end")
	}
}
