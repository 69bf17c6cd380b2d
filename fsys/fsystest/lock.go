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
	l, err := fsys.TryLock(f, name, mode)
	ok(t, err)
	return l
}

func lockSet(t *testing.T, f fsys.FS, name string) fsys.LockSet {
	t.Helper()
	l, err := f.OpenLocks(name)
	ok(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func mark(t *testing.T, l fsys.LockSet, id fsys.LockID) int {
	t.Helper()
	m, err := l.Mark(id)
	ok(t, err)
	return m
}

var lockCases = []testCase{
	{"exclusive and shared", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		other := sub(t, f, "/d") // a handle of its own
		x := lock(t, f, "/d/l", fsys.Exclusive)
		for _, mode := range []fsys.LockMode{fsys.Exclusive, fsys.Shared} {
			_, err := fsys.TryLock(f, "/d/l", mode)
			fails(t, err, fsys.ErrLocked)
			_, err = fsys.TryLock(other, "/l", mode)
			fails(t, err, fsys.ErrLocked)
		}
		ok(t, x.Unlock())
		s1, s2 := lock(t, f, "/d/l", fsys.Shared), lock(t, other, "/l", fsys.Shared)
		_, err := fsys.TryLock(f, "/d/l", fsys.Exclusive)
		fails(t, err, fsys.ErrLocked)
		ok(t, s1.Unlock())
		ok(t, s1.Unlock()) // does nothing
		_, err = fsys.TryLock(f, "/d/l", fsys.Exclusive)
		fails(t, err, fsys.ErrLocked)
		ok(t, s2.Unlock())
		x = lock(t, f, "/d/l", fsys.Exclusive)
		ok(t, x.Unlock())
		ok(t, x.Unlock())
		info := lstat(t, f, "/d/l") // stays
		equal(t, "kind", info.Kind, fsys.File)
		equal(t, "perm", info.Perm, 0o600)
	}},
	{"what cannot be locked", func(t *testing.T, f fsys.FS) {
		_, err := fsys.TryLock(f, "/no/l", fsys.Exclusive)
		fails(t, err, fs.ErrNotExist)
		mkdir(t, f, "/d")
		_, err = fsys.TryLock(f, "/d", fsys.Exclusive)
		fails(t, err, syscall.EISDIR)
		_, err = fsys.TryLock(f, "/l", 0)
		fails(t, err, syscall.EINVAL)
		absent(t, f, "/l")
		fifo(t, f, "/p")
		_, err = fsys.TryLock(f, "/p", fsys.Exclusive)
		fails(t, err, fsys.ErrNotRegular)
	}},
	{"two files", func(t *testing.T, f fsys.FS) {
		a, b := lock(t, f, "/a", fsys.Exclusive), lock(t, f, "/b", fsys.Exclusive)
		ok(t, a.Unlock())
		ok(t, b.Unlock())
	}},
	{"one holder, also while lock files are removed", func(t *testing.T, f fsys.FS) {
		var holders atomic.Int32
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for range 300 {
					l, err := fsys.TryLock(f, "/l", fsys.Exclusive)
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
		ok(t, a.Unlock())
		_, err := fsys.TryLock(f, "/l", fsys.Shared)
		fails(t, err, fsys.ErrLocked)
		ok(t, b.Unlock())
	}},
	{"sets: exclusive and shared", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		a, b := lockSet(t, f, "/d/l"), lockSet(t, sub(t, f, "/d"), "/l")
		ok(t, a.TryLock(37, fsys.Exclusive, 7))
		ok(t, a.TryLock(38, fsys.Shared, 0))
		fails(t, b.TryLock(37, fsys.Exclusive, 1), fsys.ErrLocked)
		fails(t, b.TryLock(37, fsys.Shared, 0), fsys.ErrLocked)
		fails(t, b.TryLock(38, fsys.Exclusive, 1), fsys.ErrLocked)
		ok(t, b.TryLock(38, fsys.Shared, 0))
		ok(t, b.TryLock(21, fsys.Exclusive, fsys.MaxMark)) // as long as it is, it ends before 37
		ok(t, a.Unlock())
		ok(t, a.Unlock())
		ok(t, b.TryLock(37, fsys.Exclusive, 1))
		fails(t, a.TryLock(38, fsys.Exclusive, 1), fsys.ErrLocked)
		ok(t, b.Close())
		ok(t, a.TryLock(38, fsys.Exclusive, 1))
		equal(t, "kind", lstat(t, f, "/d/l").Kind, fsys.File) // stays
	}},
	{"sets: marks", func(t *testing.T, f fsys.FS) {
		a, b := lockSet(t, f, "/l"), lockSet(t, f, "/l")
		equal(t, "mark of nobody", mark(t, b, 0), 0)
		for i, m := range []int{1, 4711, fsys.MaxMark} {
			id := fsys.LockID(i) * (fsys.MaxLockID / 2)
			ok(t, a.TryLock(id, fsys.Exclusive, m))
			equal(t, "mark", mark(t, b, id), m)
			equal(t, "mark of the set itself", mark(t, a, id), 0)
		}
		ok(t, a.TryLock(3, fsys.Shared, 0))
		equal(t, "mark of a shared lock", mark(t, b, 3), 0)
		ok(t, a.Unlock())
		equal(t, "mark of the past", mark(t, b, 0), 0)
		ok(t, b.TryLock(0, fsys.Shared, 0))
		equal(t, "mark of the past", mark(t, a, 0), 0)
	}},
	{"sets: a failed try changes nothing", func(t *testing.T, f fsys.FS) {
		a, b := lockSet(t, f, "/l"), lockSet(t, f, "/l")
		ok(t, a.TryLock(1, fsys.Exclusive, 8))
		fails(t, b.TryLock(1, fsys.Exclusive, 9), fsys.ErrLocked)
		equal(t, "mark", mark(t, b, 1), 8)
		ok(t, b.Unlock())
		fails(t, b.TryLock(1, fsys.Shared, 0), fsys.ErrLocked)
	}},
	{"sets: a removed directory", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		a := lockSet(t, f, "/d/l")
		named, err := a.Named()
		ok(t, err)
		equal(t, "named", named, true)
		for id := range fsys.LockID(20) {
			ok(t, a.TryLock(id, fsys.Exclusive, 1))
		}
		ok(t, f.RemoveAll("/d"))
		named, err = a.Named()
		ok(t, err)
		equal(t, "named", named, false)
		mkdir(t, f, "/d")
		b := lockSet(t, f, "/d/l")
		for id := range fsys.LockID(20) {
			ok(t, b.TryLock(id, fsys.Exclusive, 1))
		}
		named, err = b.Named()
		ok(t, err)
		equal(t, "named", named, true)
	}},
	{"sets: what cannot be done", func(t *testing.T, f fsys.FS) {
		_, err := f.OpenLocks("/no/l")
		fails(t, err, fs.ErrNotExist)
		mkdir(t, f, "/d")
		_, err = f.OpenLocks("/d")
		fails(t, err, syscall.EISDIR)
		fifo(t, f, "/p")
		_, err = f.OpenLocks("/p")
		fails(t, err, fsys.ErrNotRegular)
		a := lockSet(t, f, "/l")
		fails(t, a.TryLock(fsys.MaxLockID+1, fsys.Shared, 0), syscall.EINVAL)
		fails(t, a.TryLock(1, 0, 1), syscall.EINVAL)
		fails(t, a.TryLock(1, fsys.Exclusive, 0), syscall.EINVAL)
		fails(t, a.TryLock(1, fsys.Exclusive, fsys.MaxMark+1), syscall.EINVAL)
		ok(t, a.Close())
		ok(t, a.Close())
		fails(t, a.TryLock(1, fsys.Shared, 0), fs.ErrClosed)
		fails(t, a.Unlock(), fs.ErrClosed)
		_, err = a.Mark(1)
		fails(t, err, fs.ErrClosed)
		_, err = a.Named()
		fails(t, err, fs.ErrClosed)
	}},
	{"sets: one holder", func(t *testing.T, f fsys.FS) {
		var holders [3]atomic.Int32
		var workers sync.WaitGroup
		for range 4 {
			l := lockSet(t, f, "/l")
			workers.Go(func() {
				for i := range 900 {
					err := l.TryLock(fsys.LockID(i%3), fsys.Exclusive, 1)
					if errors.Is(err, fsys.ErrLocked) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if n := holders[i%3].Add(1); n != 1 {
						t.Errorf("%d holders", n)
					}
					holders[i%3].Add(-1)
					if err := l.Unlock(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		workers.Wait()
	}},
}
