package faultfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/fsystest"
	"github.com/haz-build/haz/fsys/memfs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// small is a tree with one file, "/d/x".
func small(t testing.TB) *memfs.FS {
	m := memfs.New()
	must(t, m.Mkdir("/d", 0o755))
	must(t, fsys.WriteFileAtomic(m, "/d/x", []byte("old"), 0o644))
	return m
}

func tree(t testing.TB, f fsys.FS) string {
	t.Helper()
	lines, err := fsystest.Snapshot(f, "/")
	must(t, err)
	return strings.Join(lines, "\n")
}

func content(t testing.TB, f fsys.FS, name string) string {
	t.Helper()
	data, _, err := f.ReadFile(name, 0)
	must(t, err)
	return string(data)
}

// replace is what the cases below try to disturb: it must leave the old or the new file.
func replace(f fsys.FS) error { return fsys.WriteFileAtomic(f, "/d/x", []byte("new bytes"), 0o644) }

func TestWithoutRulesConforms(t *testing.T) {
	fsystest.Run(t, func(t *testing.T) fsys.FS { return faultfs.New(memfs.New(), 0) })
}

func TestWithoutRulesConformsOnHost(t *testing.T) {
	fsystest.Run(t, func(t *testing.T) fsys.FS {
		h, err := fsys.Host(t.TempDir())
		must(t, err)
		return faultfs.New(h, 0)
	})
}

func TestFailAt(t *testing.T) {
	for _, errno := range []error{syscall.EIO, syscall.ENOSPC, syscall.EACCES, syscall.EROFS, syscall.EMFILE} {
		k := 0
		for ; ; k++ {
			m := small(t)
			f := faultfs.FailAt(m, k, errno)
			err := replace(f)
			switch f.Injected().Total() {
			case 0:
				must(t, err)
			case 1:
				if !errors.Is(err, errno) {
					t.Errorf("call %d failed with %v, the caller says %v", k, errno, err)
				}
			default:
				t.Errorf("call %d: %d faults", k, f.Injected().Total())
			}
			want := "old"
			if err == nil {
				want = "new bytes"
			}
			if got := tree(t, m); got != fmt.Sprintf("\"/d\" dir 0755\n\"/d/x\" file 0644 %q", want) {
				t.Errorf("call %d, %v:\n%s", k, errno, got)
			}
			if f.Injected().Total() == 0 {
				break
			}
		}
		if k != 4 {
			t.Errorf("%d calls, want open, write, close and rename", k)
		}
	}
}

func TestFailFrom(t *testing.T) {
	for k := 0; ; k++ {
		m := small(t)
		f := faultfs.FailFrom(m, k, syscall.EROFS)
		err := replace(f)
		if f.Injected().Total() == 0 {
			must(t, err)
			break
		}
		if got := content(t, m, "/d/x"); err == nil || got != "old" {
			t.Errorf("from call %d on: %v, %q", k, err, got)
		}
		// The sibling cannot be removed either, once it was made.
		if n := strings.Count(tree(t, m), ".haz-tmp"); n != min(k, 1) {
			t.Errorf("from call %d on: %d siblings", k, n)
		}
	}
}

func TestShort(t *testing.T) {
	m := small(t)
	f := faultfs.ShortAt(m, 0)
	if err := replace(f); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("short write: %v", err)
	}
	if got := content(t, m, "/d/x"); got != "old" {
		t.Errorf("after a short write: %q", got)
	}

	f = faultfs.New(m, 0, faultfs.Rule{Do: faultfs.Short, Sticky: true})
	w, err := f.Create("/d/y")
	must(t, err)
	if n, err := w.Write([]byte("12345")); n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("short write: %d, %v", n, err)
	}
	if n, err := w.WriteAt([]byte("z"), 1); n != 0 || err == nil {
		t.Errorf("short write of one byte: %d, %v", n, err)
	}
	must(t, w.Close())
	if got := content(t, m, "/d/y"); got != "12" {
		t.Errorf("after a short write: %q", got)
	}

	must(t, fsys.WriteFileAtomic(m, "/d/y", []byte("1234567"), 0o644))
	r, err := f.Open("/d/y")
	must(t, err)
	buf := make([]byte, 7)
	if n, err := r.Read(buf); n != 4 || err != nil {
		t.Errorf("short read: %d, %v", n, err)
	}
	if n, err := r.ReadAt(buf, 1); n != 4 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short read at: %d, %v", n, err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Error(err)
	}
	if data, err := io.ReadAll(r); err != nil || string(data) != "1234567" {
		t.Errorf("short reads lose bytes: %q, %v", data, err)
	}
	if data, _, err := f.ReadFile("/d/y", 0); data != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short ReadFile: %q, %v", data, err)
	}
	if n := f.Injected()[faultfs.Injection{Op: faultfs.OpWrite, Err: "no space left on device", Short: true}]; n != 2 {
		t.Errorf("counted %d short writes:\n%v", n, f.Injected())
	}
}

func TestCloseAndUnlockHappenAllTheSame(t *testing.T) {
	m := small(t)
	f := faultfs.New(m, 0, faultfs.Rule{Match: faultfs.Is(faultfs.OpClose, faultfs.OpUnlock, faultfs.OpSync), Sticky: true})
	w, err := f.Create("/d/y")
	must(t, err)
	if err := w.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("sync: %v", err)
	}
	if err := w.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("close: %v", err)
	}
	if _, err := w.Write([]byte("a")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write after a failed close: %v", err)
	}
	l, err := fsys.TryLock(f, "/d/l", fsys.Exclusive)
	must(t, err)
	if err := l.Unlock(); !errors.Is(err, syscall.EIO) {
		t.Errorf("unlock: %v", err)
	}
	l, err = fsys.TryLock(m, "/d/l", fsys.Exclusive)
	must(t, err)
	must(t, l.Unlock())
	set, err := f.OpenLocks("/d/l")
	must(t, err)
	other, err := m.OpenLocks("/d/l")
	must(t, err)
	for what, free := range map[string]func(fsys.LockSet) error{"unlock": fsys.LockSet.Unlock, "close": fsys.LockSet.Close} {
		must(t, set.TryLock(1, fsys.Exclusive, 1))
		if err := free(set); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s of a set: %v", what, err)
		}
		must(t, other.TryLock(1, fsys.Exclusive, 1))
		must(t, other.Unlock())
		set, err = f.OpenLocks("/d/l")
		must(t, err)
	}
}

func TestLockFaults(t *testing.T) {
	f := faultfs.New(small(t), 0, faultfs.Rule{Match: faultfs.Is(faultfs.OpTryLock), Sticky: true, Errs: []error{syscall.ENOLCK}})
	if _, err := fsys.TryLock(f, "/d/l", fsys.Shared); !errors.Is(err, fsys.ErrLockUnsupported) {
		t.Errorf("ENOLCK: %v", err)
	}
	set, err := f.OpenLocks("/d/l")
	must(t, err)
	if err := set.TryLock(1, fsys.Shared, 0); !errors.Is(err, fsys.ErrLockUnsupported) {
		t.Errorf("ENOLCK of a set: %v", err)
	}
	f = faultfs.FailAt(small(t), 0, syscall.EIO)
	if _, err := fsys.TryLock(f, "/d/l", fsys.Shared); !errors.Is(err, syscall.EIO) {
		t.Errorf("EIO: %v", err)
	}
}

// A failure between two removals leaves the rest, one between two directories the first.
func TestAllIsManyCalls(t *testing.T) {
	m := small(t)
	f := faultfs.New(m, 0, faultfs.Rule{Match: faultfs.All(faultfs.Is(faultfs.OpMkdir), faultfs.Under("/a/b"))})
	if err := f.MkdirAll("/a/b/c", 0o755); !errors.Is(err, syscall.EIO) {
		t.Errorf("mkdirall: %v", err)
	}
	if _, err := m.Lstat("/a"); err != nil {
		t.Error(err)
	}
	if _, err := m.Lstat("/a/b"); err == nil {
		t.Error("/a/b was made")
	}
	must(t, m.Mkdir("/d/e", 0o755))
	must(t, fsys.WriteFileAtomic(m, "/d/y", nil, 0o644))
	f = faultfs.New(m, 0, faultfs.Rule{Match: faultfs.All(faultfs.Is(faultfs.OpRemove), faultfs.Under("/d/x"))})
	if err := f.RemoveAll("/d"); !errors.Is(err, syscall.EIO) {
		t.Errorf("removeall: %v", err)
	}
	if got := tree(t, m); !strings.Contains(got, "/d/x") || strings.Contains(got, "/d/y") {
		t.Errorf("after RemoveAll:\n%s", got)
	}
}

func TestCallsAndMatches(t *testing.T) {
	f := faultfs.New(small(t), 0)
	s, err := f.Sub("/d")
	must(t, err)
	_, err = s.Lstat("x")
	must(t, err)
	must(t, s.Rename("/x", "/y"))
	r, err := s.Open("/y")
	must(t, err)
	_, err = io.ReadAll(r)
	must(t, err)
	must(t, r.Close())
	must(t, s.Symlink("y", "/l"))
	var got []string
	for _, c := range f.Calls() {
		got = append(got, c.String())
	}
	want := "0 sub /d|1 lstat /d/x|2 rename /d/x /d/y|3 open /d/y|4 read /d/y|5 read /d/y|6 close /d/y|7 symlink /d/l"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("calls\n%s\nwant\n%s", s, want)
	}
	for name, c := range map[string]struct {
		match func(faultfs.Call) bool
		want  int
	}{
		"all": {nil, 8}, "writes": {faultfs.Call.Writes, 2}, "reads": {faultfs.Call.Reads, 6},
		"under /d": {faultfs.Under("/d"), 8}, "under /d/y": {faultfs.Under("d/y"), 5}, "under /d/": {faultfs.Under("/d/l/"), 1},
		"under /": {faultfs.Under("/"), 8}, "is": {faultfs.Is(faultfs.OpRead, faultfs.OpOpen), 3},
		"both": {faultfs.All(faultfs.Call.Writes, faultfs.Under("/d/y")), 1},
	} {
		if got := f.Count(c.match); got != c.want {
			t.Errorf("%s: %d calls, want %d", name, got, c.want)
		}
	}
}

// Every method of every kind of call can be made to fail, with the error asked for and the promised type.
func TestEveryCallFails(t *testing.T) {
	f := faultfs.New(small(t), 0, faultfs.Rule{Match: func(c faultfs.Call) bool { return c.Index > 3 }, Sticky: true, Errs: []error{syscall.EMFILE}})
	r, err := f.Open("/d/x")
	must(t, err)
	d, err := f.Open("/d")
	must(t, err)
	set, err := f.OpenLocks("/l")
	must(t, err)
	u, err := fsys.OpenUnnamed(f, "/d", 0o644)
	must(t, err)
	for name, do := range map[string]func() error{
		"lstat":    func() error { _, err := f.Lstat("/d"); return err },
		"statinfo": func() error { _, err := f.StatInfo("/d"); return err },
		"stat":     func() error { _, err := f.Stat("/d"); return err },
		"list":     func() error { _, err := f.List("/d"); return err },
		"readlink": func() error { _, err := f.Readlink("/d"); return err },
		"realpath": func() error { _, err := f.RealPath("/d"); return err },
		"readfile": func() error { _, _, err := f.ReadFile("/d/x", 0); return err },
		"sub":      func() error { _, err := f.Sub("/d"); return err },
		"open":     func() error { _, err := f.Open("/d"); return err },
		"nofollow": func() error { _, err := f.OpenNoFollow("/d/x"); return err },
		"create":   func() error { _, err := f.Create("/d/y"); return err },
		"openfile": func() error { _, err := f.OpenFile("/d/x", os.O_RDONLY, 0); return err },
		"mkdir":    func() error { return f.Mkdir("/e", 0o755) },
		"mkdirall": func() error { return f.MkdirAll("/e", 0o755) },
		"remove":   func() error { return f.Remove("/d/x") },
		"removeall": func() error {
			return f.RemoveAll("/d/x")
		},
		"rename":    func() error { return f.Rename("/d/x", "/d/y") },
		"link":      func() error { return f.Link("/d/x", "/d/y") },
		"symlink":   func() error { return f.Symlink("x", "/d/y") },
		"mkfifo":    func() error { return f.Mkfifo("/d/y", 0o644) },
		"chmod":     func() error { return f.Chmod("/d/x", 0) },
		"chown":     func() error { return f.Chown("/d/x", 0, 0) },
		"chtimes":   func() error { return f.Chtimes("/d/x", fixed, fixed) },
		"clone":     func() error { return f.CloneFile("/d/x", "/d/y", 0o644) },
		"trylock":   func() error { _, err := fsys.TryLock(f, "/l2", fsys.Shared); return err },
		"openlocks": func() error { _, err := f.OpenLocks("/l2"); return err },
		"lock one":  func() error { return set.TryLock(1, fsys.Shared, 0) },
		"mark":      func() error { _, err := set.Mark(1); return err },
		"named":     func() error { _, err := set.Named(); return err },
		"read":      func() error { _, err := r.Read(make([]byte, 1)); return err },
		"readat":    func() error { _, err := r.ReadAt(make([]byte, 1), 0); return err },
		"write":     func() error { _, err := r.WriteString("a"); return err },
		"truncate":  func() error { return r.Truncate(0) },
		"sync":      func() error { return r.Sync() },
		"fstat":     func() error { _, err := r.Stat(); return err },
		"info":      func() error { _, err := fsys.FileInfo(r); return err },
		"readdir":   func() error { _, err := d.Readdir(-1); return err },
		"names":     func() error { _, err := d.Readdirnames(-1); return err },
		"straight":  func() error { _, err := fsys.HoldStraight(f, "/d"); return err },
		"unnamed":   func() error { _, err := fsys.OpenUnnamed(f, "/d", 0o644); return err },
		"u write":   func() error { _, err := u.Write([]byte("a")); return err },
		"u readat":  func() error { _, err := u.ReadAt(make([]byte, 1), 0); return err },
		"u info":    func() error { _, err := u.Info(); return err },
		"u chmod":   func() error { return u.Chmod(0o600) },
		"u chtimes": func() error { return u.Chtimes(fixed) },
		"u name":    func() error { return u.Name(f, "/d/u") },
		"u close":   func() error { return u.Close() },
	} {
		before := f.Injected().Total()
		err := do()
		var p *fs.PathError
		var l *os.LinkError
		if !errors.Is(err, syscall.EMFILE) || !errors.As(err, &p) && !errors.As(err, &l) {
			t.Errorf("%s: %v", name, err)
		}
		if n := f.Injected().Total() - before; n != 1 {
			t.Errorf("%s: %d faults", name, n)
		}
	}
}

func TestRandom(t *testing.T) {
	run := func(seed uint64) (string, int) {
		m := small(t)
		f := faultfs.Random(m, seed, 0.2, syscall.EIO, syscall.ENOSPC)
		var log strings.Builder
		for range 200 {
			fmt.Fprintln(&log, replace(f))
		}
		return log.String() + f.Injected().String() + tree(t, m), f.Injected().Total()
	}
	a, n := run(1)
	if b, _ := run(1); a != b {
		t.Error("one seed, two histories")
	}
	if b, _ := run(2); a == b {
		t.Error("two seeds, one history")
	}
	if n < 80 || n > 300 {
		t.Errorf("%d faults in about 800 calls at 20 %%", n)
	}
}

func TestCounts(t *testing.T) {
	c := faultfs.Counts{{Op: faultfs.OpWrite, Err: "b"}: 2, {Op: faultfs.OpWrite, Err: "a"}: 1, {Op: faultfs.OpRead, Short: true}: 10}
	c.Add(faultfs.Counts{{Op: faultfs.OpWrite, Err: "b"}: 3})
	if got, want := c.String(), "     10  short read\n      1  write: a\n      5  write: b\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if c.Total() != 16 {
		t.Errorf("total %d", c.Total())
	}
}

// A descriptor that a failing call leaves open would show here sooner or later.
func TestFaultsLeaveNoDescriptor(t *testing.T) {
	h, err := fsys.Host(t.TempDir())
	must(t, err)
	defer h.Close()
	must(t, h.Mkdir("/d", 0o755))
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	must(t, replace(h))
	before := open()
	for k := range 8 {
		for _, do := range []faultfs.Action{faultfs.Fail, faultfs.Short, faultfs.Cut} {
			f := faultfs.New(h, 0, faultfs.Rule{At: k, Do: do})
			_ = replace(f)
			if r, err := f.OpenNoFollow("/d/x"); err == nil {
				_, _ = io.ReadAll(r)
				_ = r.Close()
			}
			_, _, _ = f.ReadFile("/d/x", 0)
		}
	}
	if after := open(); after != before {
		t.Errorf("%d descriptors became %d", before, after)
	}
}
