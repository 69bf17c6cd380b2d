//go:build linux || darwin

package fsys

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// hostLockSet is open file descriptions of its own, whose locks are on ranges of bytes that need not be there (fcntl(2), "Open file
// description locks"). Lock id begins at byte id << markBits; an exclusive one is as long as its mark says, which is how others
// can read it: from the kernel, so that it is gone with its holder.
//
// The kernel looks at all locks of a file for each that it takes. So the locks are spread over several files, of which the
// first lends the set its name: a task with ten thousand neighbours takes its locks in milliseconds, not in a second.
type hostLockSet struct {
	h    *host
	name string

	mu     sync.Mutex
	files  [lockFiles]*hostFile // those that were needed; the first is nil once closed
	locked [lockFiles]bool      // holds a lock
}

const lockFiles = 16

const markBits = 22

func (h *host) OpenLocks(name string) (LockSet, error) {
	defer calls.enter(h.dir, name).leave()
	name = Clean(name)
	f, err := h.openLockFile(name)
	if err != nil {
		return nil, err
	}
	l := &hostLockSet{h: h, name: name}
	l.files[0] = f
	// An old kernel, what stands in for one, or a file system that passes locks on to a server may not know these.
	if _, err := l.Mark(0); errors.Is(err, ErrLockUnsupported) {
		_ = f.Close()
		return nil, err
	}
	return l, nil
}

// openLockFile opens a regular file for locks in it.
func (h *host) openLockFile(name string) (*hostFile, error) {
	f, err := h.openWrite(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Info()
	if err == nil {
		if err = WantFile(info.Kind); err != nil {
			err = pathError("lock", name, err)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// hasName reports whether the file has not been removed.
func (f *hostFile) hasName() (bool, error) {
	info, err := f.Info()
	return err == nil && info.Nlink > 0, err
}

// file is the one that a lock lies in.
func (l *hostLockSet) file(id LockID) (*hostFile, error) {
	i := id % lockFiles
	if l.files[i] == nil {
		f, err := l.h.openLockFile(fmt.Sprintf("%s.%x", l.name, i))
		if err != nil {
			return nil, err
		}
		l.files[i] = f
	}
	return l.files[i], nil
}

func (l *hostLockSet) do(what func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.files[0] == nil {
		return closedLocks(l.name)
	}
	return what()
}

// call is one fcntl on a file of the set.
func (l *hostLockSet) call(f *hostFile, cmd int, at *unix.Flock_t) error {
	if err := withFD(f.f, func(fd int) error { return lockBytes(fd, cmd, at) }); err != nil {
		return pathError("lock", l.name, err)
	}
	return nil
}

func (l *hostLockSet) TryLock(id LockID, mode LockMode, mark int) error {
	if err := checkLock(l.name, id, mode, mark); err != nil {
		return err
	}
	at := lockRange(id, mode, mark)
	return l.do(func() error {
		f, err := l.file(id)
		if err == nil {
			err = l.call(f, setLock, &at)
		}
		if err == nil {
			l.locked[id%lockFiles] = true
		}
		return err
	})
}

func (l *hostLockSet) Mark(id LockID) (mark int, err error) {
	if err := checkLock(l.name, id, Shared, 0); err != nil {
		return 0, err
	}
	at := lockRange(id, Shared, 0)
	err = l.do(func() error {
		f, err := l.file(id)
		if err == nil {
			err = l.call(f, getLock, &at)
		}
		return err
	})
	if err == nil && at.Type == unix.F_WRLCK {
		mark = int(at.Len)
	}
	return mark, err
}

// Named asks the first file and those with locks in them.
func (l *hostLockSet) Named() (named bool, err error) {
	err = l.do(func() error {
		for i, f := range l.files {
			if i > 0 && !l.locked[i] {
				continue
			}
			if named, err = f.hasName(); err != nil || !named {
				return err
			}
		}
		return nil
	})
	return named, err
}

// Unlock does not leave it to the closing: a process that is being forked right now has the descriptors as well, until its exec, and
// the locks would stay for that long.
func (l *hostLockSet) Unlock() error { return l.do(l.unlock) }

func (l *hostLockSet) unlock() (err error) {
	for i, f := range l.files {
		if l.locked[i] {
			all := unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart}
			err = errors.Join(err, l.call(f, setLock, &all))
			l.locked[i] = false
		}
	}
	return err
}

func (l *hostLockSet) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.files[0] == nil {
		return nil
	}
	err := l.unlock()
	for i, f := range l.files {
		if f != nil {
			err = errors.Join(err, f.Close())
			l.files[i] = nil
		}
	}
	return err
}

func lockRange(id LockID, mode LockMode, mark int) unix.Flock_t {
	at := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart, Start: int64(id) << markBits, Len: 1}
	if mode == Exclusive {
		at.Type, at.Len = unix.F_WRLCK, int64(mark)
	}
	return at
}

// lockBytes makes a call that never waits for a lock, and says what its error means.
func lockBytes(fd, cmd int, at *unix.Flock_t) error {
	for {
		switch err := unix.FcntlFlock(uintptr(fd), cmd, at); {
		case err == unix.EINTR:
			continue
		case err == unix.EWOULDBLOCK, err == unix.EACCES: // two names of one thing
			return ErrLocked
		case err == unix.ENOLCK, err == unix.EINVAL, notSupported(err):
			return ErrLockUnsupported
		default:
			return err
		}
	}
}
