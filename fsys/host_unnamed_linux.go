package fsys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// HoldStraight implements what the function of that name looks for: one openat2 in the place of an open for each segment.
func (h *host) HoldStraight(dir string) (FS, error) {
	defer calls.enter(h.dir, dir).leave()
	name := Clean(dir)
	fd, err, ok := h.openBeneathBy(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0, beneath|unix.RESOLVE_NO_SYMLINKS)
	switch {
	case !ok:
		return holdSteps(h, name) // which says where a link lies
	case err != nil:
		return nil, pathError("open", name, notRegular(err))
	}
	s := &host{dir: h.HostPath(name), handle: handle{fd: fd}}
	return s, nil
}

// OpenUnnamed implements what the function of that name looks for.
func (h *host) OpenUnnamed(dir string, perm fs.FileMode) (Unnamed, error) {
	defer calls.enter(h.dir, dir).leave()
	name := Clean(dir)
	if perm&^fs.ModePerm != 0 {
		return nil, pathError("open", name, unix.EINVAL)
	}
	fd, err, ok := h.openBeneath(name, unix.O_TMPFILE|unix.O_RDWR, uint32(perm))
	if !ok || notSupported(err) {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &hostUnnamed{dir: h.dir, in: name, fd: fd}, nil
}

// hostUnnamed is a descriptor alone: no poller knows it, which would be asked for each file.
type hostUnnamed struct {
	dir, in string

	mu sync.Mutex
	fd int // -1 once closed
}

// do carries out a call on the descriptor.
func (f *hostUnnamed) do(op string, what func(fd int) error) error {
	defer calls.enter(f.dir, f.in).leave()
	f.mu.Lock()
	defer f.mu.Unlock()
	err := error(fs.ErrClosed)
	if f.fd >= 0 {
		err = retry(func() error { return what(f.fd) })
	}
	return maybePathError(op, f.in, err)
}

func (f *hostUnnamed) Write(p []byte) (n int, err error) {
	err = f.do("write", func(fd int) error {
		for n < len(p) {
			got, err := unix.Write(fd, p[n:])
			switch {
			case err != nil:
				return err
			case got == 0:
				return io.ErrUnexpectedEOF
			}
			n += got
		}
		return nil
	})
	return n, err
}

func (f *hostUnnamed) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.do("read", func(fd int) error {
		for n < len(p) {
			got, err := unix.Pread(fd, p[n:], off+int64(n))
			if err != nil || got == 0 {
				return err
			}
			n += got
		}
		return nil
	})
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (f *hostUnnamed) Info() (Info, error) {
	var st unix.Stat_t
	err := f.do("stat", func(fd int) error { return unix.Fstat(fd, &st) })
	return infoOf(&st), err
}

func (f *hostUnnamed) Chmod(mode fs.FileMode) error {
	return f.do("chmod", func(fd int) error { return unix.Fchmod(fd, ModePerm(mode)) })
}

func (f *hostUnnamed) Chtimes(mtime time.Time) error {
	at := unix.NsecToTimespec(mtime.UnixNano())
	both := [2]unix.Timespec{at, at}
	return f.do("chtimes", func(fd int) error {
		if _, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&both)), 0, 0, 0); errno != 0 {
			return errno
		}
		return nil
	})
}

func (f *hostUnnamed) Name(to FS, name string) error {
	name = Clean(name)
	err := error(unix.EXDEV)
	if t, ok := to.(*host); ok {
		err = t.atParent(name, func(dir int, base string) error {
			return f.do("link", func(fd int) error { return linkFD(fd, dir, base) })
		})
	}
	if err != nil {
		return &os.LinkError{Op: "link", Old: f.in, New: name, Err: inner(err)}
	}
	return nil
}

// linkFD gives an open file a name. Some kernels let only those who may read everything do that by the descriptor itself; others get there
// by its name in /proc.
func linkFD(fd, dir int, base string) error {
	err := unix.Linkat(fd, "", dir, base, unix.AT_EMPTY_PATH)
	if err != unix.ENOENT && err != unix.EPERM {
		return err
	}
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), dir, base, unix.AT_SYMLINK_FOLLOW)
}

func (f *hostUnnamed) Close() error {
	defer calls.enter(f.dir, f.in).leave()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fd < 0 {
		return pathError("close", f.in, fs.ErrClosed)
	}
	err := unix.Close(f.fd)
	f.fd = -1
	if err == unix.EINTR {
		err = nil // Linux has closed it
	}
	return maybePathError("close", f.in, err)
}
