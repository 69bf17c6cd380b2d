package fsys

import (
	"os"

	"golang.org/x/sys/unix"
)

// The way of most writes on Linux: one openat2 that the kernel keeps below the root, links included, instead of os.Root's
// walk of one open a segment. Where the kernel turns a name down because it may lead out, or does not know the call, the
// os.Root decides (write): it knows the links that lead out and in again.

const beneath = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS

// openBeneath opens name below the root; ok is false where os.Root has to decide.
func (h *host) openBeneath(name string, flag int, perm uint32) (fd int, err error, ok bool) {
	return h.openBeneathBy(name, flag, perm, beneath)
}

// openBeneathBy is openBeneath by stricter rules.
func (h *host) openBeneathBy(name string, flag int, perm uint32, resolve uint64) (fd int, err error, ok bool) {
	if h.noBeneath.Load() {
		return -1, nil, false
	}
	root := h.handle.acquire()
	if root < 0 {
		return -1, nil, false
	}
	defer h.handle.release()
	how := unix.OpenHow{Flags: uint64(flag | unix.O_CLOEXEC | unix.O_LARGEFILE), Resolve: resolve}
	if flag&unix.O_CREAT != 0 || flag&unix.O_TMPFILE == unix.O_TMPFILE {
		how.Mode = uint64(perm)
	}
	for {
		fd, err = unix.Openat2(root, relative(name), &how)
		if err != unix.EINTR {
			break
		}
	}
	switch err {
	case unix.ENOSYS:
		h.noBeneath.Store(true)
		return -1, nil, false
	case unix.EXDEV, unix.ELOOP, unix.EAGAIN, unix.EPERM, unix.EINVAL, unix.E2BIG:
		return -1, nil, false
	}
	return fd, err, true
}

// openFileBeneath is OpenFile for writing. A file that must not exist yet is a regular one, so nobody has to poll it; of
// others that is not known, and nobody waits for them.
func (h *host) openFileBeneath(name string, flag int, perm os.FileMode) (f *os.File, err error, ok bool) {
	if flag&(os.O_CREATE|os.O_EXCL) != os.O_CREATE|os.O_EXCL {
		flag |= unix.O_NONBLOCK
	}
	fd, err, ok := h.openBeneath(name, flag|unix.O_NOCTTY, uint32(perm.Perm()))
	if !ok || err != nil {
		return nil, err, ok
	}
	return os.NewFile(uintptr(fd), h.HostPath(name)), nil, true
}

// inParent carries out do on the directory of name and its last segment.
func (h *host) inParent(name string, do func(dir int, base string) error) (err error, ok bool) {
	if name == "/" || h.noBeneath.Load() {
		return nil, false
	}
	dir, base := split(name)
	if dir == "/" {
		fd := h.handle.acquire()
		if fd < 0 {
			return nil, false
		}
		defer h.handle.release()
		return retry(func() error { return do(fd, base) }), true
	}
	fd, err, ok := h.openBeneath(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if !ok || err != nil {
		return err, ok
	}
	defer unix.Close(fd)
	return retry(func() error { return do(fd, base) }), true
}

func (h *host) mkdirBeneath(name string, perm os.FileMode) (error, bool) {
	return h.inParent(name, func(dir int, base string) error { return unix.Mkdirat(dir, base, uint32(perm.Perm())) })
}

func (h *host) removeBeneath(name string) (error, bool) {
	return h.inParent(name, func(dir int, base string) error {
		err := unix.Unlinkat(dir, base, 0)
		if err != unix.EISDIR && err != unix.EPERM {
			return err
		}
		if dirErr := unix.Unlinkat(dir, base, unix.AT_REMOVEDIR); dirErr != unix.ENOTDIR {
			return dirErr
		}
		return err
	})
}

func (h *host) symlinkBeneath(text, name string) (error, bool) {
	return h.inParent(name, func(dir int, base string) error { return unix.Symlinkat(text, dir, base) })
}

func (h *host) renameBeneath(oldName, newName string) (err error, ok bool) {
	return h.inParents(oldName, newName, unix.Renameat)
}

func (h *host) linkBeneath(oldName, newName string) (err error, ok bool) {
	return h.inParents(oldName, newName, func(oldDir int, oldBase string, newDir int, newBase string) error {
		return unix.Linkat(oldDir, oldBase, newDir, newBase, 0)
	})
}

// inParents is inParent for two names.
func (h *host) inParents(oldName, newName string, do func(oldDir int, oldBase string, newDir int, newBase string) error) (err error, ok bool) {
	err, ok = h.inParent(oldName, func(oldDir int, oldBase string) error {
		var inner error
		inner, ok = h.inParent(newName, func(newDir int, newBase string) error { return do(oldDir, oldBase, newDir, newBase) })
		if !ok {
			return errUndecided
		}
		return inner
	})
	if err == errUndecided {
		return nil, false
	}
	return err, ok
}

const errUndecided = unix.Errno(0xFFFF)
