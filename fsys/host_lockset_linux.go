package fsys

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// hostLockSet is one open file description, whose locks are on ranges of bytes that need not be there (fcntl(2), "Open file
// description locks"). Lock id begins at byte id << markBits; an exclusive one is as long as its mark says, which is how others
// can read it: from the kernel, so that it is gone with its holder.
type hostLockSet struct {
	mu sync.Mutex
	f  *hostFile // nil once closed
}

const markBits = 22

func (h *host) OpenLocks(name string) (LockSet, error) {
	f, err := h.openLockFile(Clean(name))
	if err != nil {
		return nil, err
	}
	l := &hostLockSet{f: f}
	// What stands in for a kernel (WSL 1, gVisor) may not know these locks.
	if _, err := l.Mark(0); errors.Is(err, ErrLockUnsupported) {
		_ = f.Close()
		return h.openFileLocks(name)
	}
	return l, nil
}

// do runs what with the descriptor.
func (l *hostLockSet) do(what func(fd int) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return errClosedLocks
	}
	err := withFD(l.f.f, what)
	if err != nil {
		return pathError("lock", l.f.name, err)
	}
	return nil
}

func (l *hostLockSet) TryLock(id LockID, mode LockMode, mark int) error {
	at, err := lockRange(id, mode, mark)
	if err != nil {
		return err
	}
	return l.do(func(fd int) error { return lockBytes(fd, unix.F_OFD_SETLK, &at) })
}

func (l *hostLockSet) Mark(id LockID) (mark int, err error) {
	at, err := lockRange(id, Shared, 0)
	if err != nil {
		return 0, err
	}
	err = l.do(func(fd int) error { return lockBytes(fd, unix.F_OFD_GETLK, &at) })
	if err == nil && at.Type == unix.F_WRLCK {
		mark = int(at.Len)
	}
	return mark, err
}

func (l *hostLockSet) Named() (named bool, err error) {
	err = l.do(func(fd int) error {
		named, err = hasName(fd)
		return err
	})
	return named, err
}

// Unlock does not leave it to the closing: see hostLock.
func (l *hostLockSet) Unlock() error {
	all := unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart}
	return l.do(func(fd int) error { return lockBytes(fd, unix.F_OFD_SETLK, &all) })
}

func (l *hostLockSet) Close() error {
	err := l.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	if closeErr := l.f.Close(); err == nil {
		err = closeErr
	}
	l.f = nil
	return err
}

func lockRange(id LockID, mode LockMode, mark int) (unix.Flock_t, error) {
	at := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart, Start: int64(id) << markBits, Len: 1}
	if mode == Exclusive {
		at.Type, at.Len = unix.F_WRLCK, int64(mark)
	}
	return at, checkLock(id, mode, mark)
}

func lockBytes(fd, cmd int, at *unix.Flock_t) error {
	for {
		switch err := unix.FcntlFlock(uintptr(fd), cmd, at); {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN, err == unix.EACCES:
			return ErrLocked
		case err == unix.ENOLCK, err == unix.EINVAL, notSupported(err):
			return ErrLockUnsupported
		default:
			return err
		}
	}
}
