package fsystest

import (
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
)

func lock(t *testing.T, f fsys.FS, name string, mode fsys.LockMode) fsys.Lock {
	t.Helper()
	l, err := f.TryLock(name, mode)
	ok(t, err)
	return l
}

func note(t *testing.T, f fsys.FS, name string) string {
	t.Helper()
	text, err := f.LockNote(name)
	ok(t, err)
	return text
}

var lockCases = []testCase{
	{"exclusive and shared", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		other := sub(t, f, "/d") // a handle of its own
		x := lock(t, f, "/d/l", fsys.Exclusive)
		for _, mode := range []fsys.LockMode{fsys.Exclusive, fsys.Shared} {
			_, err := f.TryLock("/d/l", mode)
			fails(t, err, fsys.ErrLocked)
			_, err = other.TryLock("/l", mode)
			fails(t, err, fsys.ErrLocked)
		}
		ok(t, x.Unlock())
		s1, s2 := lock(t, f, "/d/l", fsys.Shared), lock(t, other, "/l", fsys.Shared)
		_, err := f.TryLock("/d/l", fsys.Exclusive)
		fails(t, err, fsys.ErrLocked)
		ok(t, s1.Unlock())
		ok(t, s1.Unlock()) // does nothing
		_, err = f.TryLock("/d/l", fsys.Exclusive)
		fails(t, err, fsys.ErrLocked)
		ok(t, s2.Unlock())
		x = lock(t, f, "/d/l", fsys.Exclusive)
		ok(t, x.Unlock())
		ok(t, x.Unlock())
		info := lstat(t, f, "/d/l") // stays
		equal(t, "kind", info.Kind, fsys.File)
		equal(t, "perm", info.Perm, 0o600)
	}},
	{"notes", func(t *testing.T, f fsys.FS) {
		x := lock(t, f, "/l", fsys.Exclusive)
		equal(t, "note", note(t, f, "/l"), "")
		for _, text := range []string{"pid 7", "a longer note\n", "b", ""} {
			ok(t, x.SetNote(text))
			equal(t, "note", note(t, f, "/l"), text)
		}
		ok(t, x.SetNote("gone"))
		ok(t, x.Unlock())
		equal(t, "note", note(t, f, "/l"), "")
		fails(t, x.SetNote("late"), fs.ErrClosed)
		s := lock(t, f, "/l", fsys.Shared)
		fails(t, s.SetNote("shared"), fs.ErrPermission)
		ok(t, s.Unlock())
		_, err := f.LockNote("/no")
		fails(t, err, fs.ErrNotExist)
	}},
	{"the note of somebody who died", func(t *testing.T, f fsys.FS) {
		for _, mode := range []fsys.LockMode{fsys.Exclusive, fsys.Shared} {
			write(t, f, "/l", "old note")
			equal(t, "note", note(t, f, "/l"), "old note")
			l := lock(t, f, "/l", mode)
			equal(t, "note", note(t, f, "/l"), "")
			ok(t, l.Unlock())
		}
	}},
	{"a failed try changes nothing", func(t *testing.T, f fsys.FS) {
		x := lock(t, f, "/l", fsys.Exclusive)
		ok(t, x.SetNote("mine"))
		_, err := f.TryLock("/l", fsys.Shared)
		fails(t, err, fsys.ErrLocked)
		equal(t, "note", note(t, f, "/l"), "mine")
		ok(t, x.Unlock())
	}},
	{"what cannot be locked", func(t *testing.T, f fsys.FS) {
		_, err := f.TryLock("/no/l", fsys.Exclusive)
		fails(t, err, fs.ErrNotExist)
		mkdir(t, f, "/d")
		_, err = f.TryLock("/d", fsys.Exclusive)
		fails(t, err, syscall.EISDIR)
		_, err = f.TryLock("/l", 0)
		fails(t, err, syscall.EINVAL)
		absent(t, f, "/l")
		fifo(t, f, "/p")
		_, err = f.TryLock("/p", fsys.Exclusive)
		fails(t, err, fsys.ErrNotRegular)
	}},
	{"two files", func(t *testing.T, f fsys.FS) {
		a, b := lock(t, f, "/a", fsys.Exclusive), lock(t, f, "/b", fsys.Exclusive)
		ok(t, a.SetNote("a"))
		ok(t, b.SetNote("b"))
		equal(t, "note", note(t, f, "/a"), "a")
		ok(t, a.Unlock())
		ok(t, b.Unlock())
	}},
	{"one holder, also while lock files are removed", func(t *testing.T, f fsys.FS) {
		var holders atomic.Int32
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for range 300 {
					l, err := f.TryLock("/l", fsys.Exclusive)
					if errors.Is(err, fsys.ErrLocked) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if n := holders.Add(1); n != 1 {
						t.Errorf("%d holders", n)
					}
					holders.Add(-1)
					if err := f.Remove("/l"); err != nil {
						t.Error(err)
					}
					if err := l.Unlock(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		workers.Wait()
	}},
	{"a removed lock file locks nobody", func(t *testing.T, f fsys.FS) {
		a := lock(t, f, "/l", fsys.Exclusive)
		ok(t, f.Remove("/l"))
		b := lock(t, f, "/l", fsys.Exclusive)
		ok(t, b.SetNote("b"))
		ok(t, a.Unlock())
		equal(t, "note", note(t, f, "/l"), "b")
		ok(t, b.Unlock())
	}},
}
