//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// hostLock is flock(2) on a descriptor of its own, so that two handles in one process exclude each other and the kernel
// lets go when the process ends, however it ends.
type hostLock struct {
	mu sync.Mutex
	f  *hostFile // nil once unlocked
}

func (h *host) TryLock(name string, mode LockMode) (Lock, error) {
	l, err := h.tryLock(name, mode)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (h *host) tryLock(name string, mode LockMode) (*hostLock, error) {
	defer calls.enter(h.dir, name).leave()
	name = Clean(name)
	how := unix.LOCK_NB
	switch mode {
	case Shared:
		how |= unix.LOCK_SH
	case Exclusive:
		how |= unix.LOCK_EX
	default:
		return nil, pathError("lock", name, unix.EINVAL)
	}
	for {
		f, err := h.openLockFile(name)
		if err != nil {
			return nil, err
		}
		err = withFD(f.f, func(fd int) error { return flock(fd, how) })
		named := false
		if err == nil {
			named, err = f.hasName()
		}
		if err == nil && named {
			return &hostLock{f: f}, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, pathError("lock", name, err)
		}
		// Somebody removed the file between our open and our lock: a lock that nobody else can find excludes nobody.
	}
}

// openLockFile opens a regular file for locks in it.
func (h *host) openLockFile(name string) (*hostFile, error) {
	f, err := h.openWrite(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Info()
	if err == nil {
		if err = wantFile(info.Kind); err != nil {
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
	var st unix.Stat_t
	err := withFD(f.f, func(fd int) error { return fstat(fd, &st) })
	return err == nil && infoOf(&st).Nlink > 0, err
}

func flock(fd, how int) error { return lockCall(func() error { return unix.Flock(fd, how) }) }

// lockCall makes a system call that never waits for a lock, and says what its error means.
func lockCall(call func() error) error {
	for {
		switch err := call(); {
		case err == unix.EINTR:
			continue
		case err == unix.EWOULDBLOCK:
			return ErrLocked
		case err == unix.ENOLCK, err == unix.EINVAL, notSupported(err):
			return ErrLockUnsupported
		default:
			return err
		}
	}
}

func (l *hostLock) Unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	// Closing alone is not enough: a process that is being forked right now has the descriptor as well, until its exec, and
	// the lock would stay for that long.
	_ = withFD(f.f, func(fd int) error { return flock(fd, unix.LOCK_UN) })
	return f.Close()
}
