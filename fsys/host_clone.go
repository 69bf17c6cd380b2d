//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// CloneFile asks the file system once a device: where it said that it cannot share storage it is not asked again.
func (h *host) CloneFile(src, dst string, perm fs.FileMode) error {
	src, dst = Clean(src), Clean(dst)
	if err := h.cloneFile(src, dst, perm); err != nil {
		return &os.LinkError{Op: "clone", Old: src, New: dst, Err: inner(err)}
	}
	return nil
}

func (h *host) cloneFile(src, dst string, perm fs.FileMode) error {
	defer calls.enter(h.dir, src).leave()
	from, err := h.openRead(src, unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Info()
	if err != nil {
		return err
	}
	if err := WantFile(info.Kind); err != nil {
		return err
	}
	if _, no := h.noClone.Load(info.Dev); no {
		return unix.EOPNOTSUPP
	}
	to, err := h.openWrite(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = withFD(from.f, func(src int) error {
		return withFD(to.f, func(dst int) error { return cloneFD(src, dst) })
	})
	if closeErr := to.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		return nil
	}
	_ = h.Remove(dst)
	if notSupported(err) || err == unix.ENOTTY {
		h.noClone.Store(info.Dev, struct{}{})
	}
	return err
}

// notSupported knows the two names, one number on some systems, and the missing system call.
func notSupported(err error) bool {
	return err == unix.EOPNOTSUPP || err == unix.ENOTSUP || err == unix.ENOSYS
}
