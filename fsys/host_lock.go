//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// hostLock is flock(2) on a descriptor of its own, so that two handles in one process exclude each other and the kernel
// lets go when the process ends, however it ends.
type hostLock struct {
	mu   sync.Mutex
	f    *hostFile // nil once unlocked
	mode LockMode
	name string
}

func (h *host) TryLock(name string, mode LockMode) (Lock, error) {
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
		f, err := h.openWrite(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		info, err := lockFile(f, how)
		if err == nil && info.Nlink > 0 {
			return &hostLock{f: f, mode: mode, name: name}, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, pathError("lock", name, err)
		}
		// Somebody removed the file between our open and our lock: a lock that nobody else can find excludes nobody.
	}
}

// lockFile locks f and empties it: a note that is there when we hold the lock was left by somebody who died.
func lockFile(f *hostFile, how int) (info Info, err error) {
	err = withFD(f.f, func(fd int) error {
		var st unix.Stat_t
		if err := fstat(fd, &st); err != nil {
			return err
		}
		if err := wantFile(infoOf(&st).Kind); err != nil {
			return err
		}
		if err := flock(fd, how); err != nil {
			return err
		}
		if err := fstat(fd, &st); err != nil {
			return err
		}
		if info = infoOf(&st); info.Size > 0 {
			_ = unix.Ftruncate(fd, 0)
		}
		return nil
	})
	return info, err
}

func flock(fd, how int) error {
	for {
		switch err := unix.Flock(fd, how); {
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

func (l *hostLock) SetNote(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.f == nil:
		return pathError("note", l.name, fs.ErrClosed)
	case l.mode != Exclusive:
		return pathError("note", l.name, fs.ErrPermission)
	case len(text) > maxNote:
		return pathError("note", l.name, ErrTooLong)
	}
	// Empty first, then one write: who reads meanwhile sees no note or a whole one.
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(text), 0)
	return err
}

func (l *hostLock) Unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	if l.mode == Exclusive {
		_ = f.Truncate(0)
	}
	// Closing alone is not enough: a process that is being forked right now has the descriptor as well, until its exec, and
	// the lock would stay for that long.
	_ = withFD(f.f, func(fd int) error { return flock(fd, unix.LOCK_UN) })
	return f.Close()
}

func (h *host) LockNote(name string) (string, error) {
	f, err := h.openRead(name, unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Info()
	if err != nil {
		return "", err
	}
	if err := wantFile(info.Kind); err != nil {
		return "", pathError("note", f.name, err)
	}
	buf := make([]byte, min(info.Size, maxNote))
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return string(buf[:n]), nil
}
