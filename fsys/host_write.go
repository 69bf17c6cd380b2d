//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/sys/unix"
)

// writer returns the os.Root that all writing goes through.
func (h *host) writer() (*os.Root, error) {
	if h.handle.acquire() < 0 {
		return nil, fs.ErrClosed
	}
	defer h.handle.release()
	h.rootOnce.Do(func() { h.root, h.rootErr = openRootAt(&h.handle, h.dir) })
	return h.root, h.rootErr
}

// openRootAt opens the directory behind the handle as an os.Root. An os.Root is opened by a path: that of the directory
// if it leads there still, else the one that the kernel has for each descriptor.
func openRootAt(h *handle, dir string) (*os.Root, error) {
	root, err := openSame(h, dir)
	if err != nil {
		if moved, movedErr := openSame(h, "/proc/self/fd/"+strconv.Itoa(h.fd)); movedErr == nil {
			return moved, nil
		}
	}
	return root, err
}

func openSame(h *handle, dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, inner(err)
	}
	var held, opened unix.Stat_t
	err = fstat(h.fd, &held)
	if err == nil {
		var d *os.File
		if d, err = root.Open("."); err == nil {
			err = withFD(d, func(fd int) error { return fstat(fd, &opened) })
			_ = d.Close()
		}
	}
	if err == nil && (held.Dev != opened.Dev || held.Ino != opened.Ino) {
		err = syscall.ESTALE
	}
	if err != nil {
		_ = root.Close()
		return nil, inner(err)
	}
	return root, nil
}

// errEscapes is what the standard library says, in a value that it does not export, when a name leaves an os.Root.
var errEscapes = sync.OnceValue(func() error {
	root, err := os.OpenRoot("/")
	if err != nil {
		return nil
	}
	defer root.Close()
	_, err = root.Lstat("..")
	return inner(err)
})

// inner is the cause in an error of package os, without the operation and the name, which are told in our words.
func inner(err error) error {
	for {
		switch e := err.(type) {
		case *fs.PathError:
			err = e.Err
		case *os.LinkError:
			err = e.Err
		case *os.SyscallError:
			err = e.Err
		default:
			return err
		}
	}
}

// write carries out do on name below the root. os.Root turns down every link whose text is absolute and every one that
// climbs out of the root and in again; where the place is inside after all, do is tried once more on its real name.
func (h *host) write(name string, last whichLink, do func(root *os.Root, rel string) error) error {
	defer calls.enter(h.dir, name).leave()
	root, err := h.writer()
	if err != nil {
		return err
	}
	err = inner(do(root, relative(name)))
	if err == nil || err != errEscapes() {
		return err
	}
	real, err := h.realName(name, last)
	if err != nil {
		return err
	}
	if err = inner(do(root, real)); err != nil && err == errEscapes() {
		return ErrOutside
	}
	return err
}

// realName is name without links, as os.Root wants it; of the last segment's link only if it is followed. From the first
// segment on that does not exist it is as the links have it. ErrOutside where it is not below the root.
func (h *host) realName(name string, last whichLink) (rel string, err error) {
	dir, base := name, ""
	if last == keepsLink && name != "/" {
		dir, base = split(name)
	}
	realDir, err := h.realDir()
	if err != nil {
		return "", err
	}
	p, err := resolve(join(realDir, dir), len(realDir))
	if err != nil && err != syscall.ENOENT {
		return "", err
	}
	in, ok := below(realDir, p)
	if !ok {
		return "", ErrOutside
	}
	// Not cleaned: a ".." behind what does not exist must fail.
	switch rel = in[1:]; {
	case base == "" && rel == "":
		return ".", nil
	case base == "":
		return rel, nil
	case rel == "":
		return base, nil
	}
	return rel + "/" + base, nil
}

func (h *host) Create(name string) (afero.File, error) {
	return h.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (h *host) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) == 0 {
		return opened(h.openRead(name, flag|unix.O_NONBLOCK|unix.O_NOCTTY))
	}
	return opened(h.openWrite(Clean(name), flag, perm))
}

func (h *host) openWrite(name string, flag int, perm fs.FileMode) (*hostFile, error) {
	defer calls.enter(h.dir, name).leave()
	if perm&^fs.ModePerm != 0 {
		return nil, pathError("open", name, syscall.EINVAL)
	}
	if f, err, ok := h.openFileBeneath(name, flag, perm); ok {
		if err != nil {
			return nil, pathError("open", name, err)
		}
		return &hostFile{f: f, dir: h.dir, name: name}, nil
	}
	last := followsLink
	if flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL {
		last = keepsLink
	}
	var f *os.File
	err := h.write(name, last, func(root *os.Root, rel string) (err error) {
		f, err = root.OpenFile(rel, flag|unix.O_NONBLOCK|unix.O_NOCTTY, perm)
		return err
	})
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &hostFile{f: f, dir: h.dir, name: name}, nil
}

// change is write for operations that give nothing but an error.
func (h *host) change(op, name string, last whichLink, do func(root *os.Root, rel string) error) error {
	name = Clean(name)
	if err := h.write(name, last, do); err != nil {
		return pathError(op, name, err)
	}
	return nil
}

func (h *host) Mkdir(name string, perm fs.FileMode) error {
	defer calls.enter(h.dir, name).leave()
	if err, ok := h.mkdirBeneath(Clean(name), perm); ok {
		return maybePathError("mkdir", Clean(name), err)
	}
	return h.change("mkdir", name, keepsLink, func(root *os.Root, rel string) error { return root.Mkdir(rel, perm.Perm()) })
}

func maybePathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return pathError(op, name, err)
}

// MkdirAll makes nothing through a link that leads nowhere, as POSIX has it for mkdir -p (os.Root.MkdirAll would).
func (h *host) MkdirAll(name string, perm fs.FileMode) error {
	name = Clean(name)
	err := h.Mkdir(name, perm)
	if errors.Is(err, fs.ErrNotExist) && name != "/" {
		parent, _ := split(name)
		if err := h.MkdirAll(parent, perm); err != nil {
			return err
		}
		err = h.Mkdir(name, perm)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return h.change("mkdir", name, followsLink, func(root *os.Root, rel string) error {
		info, err := root.Stat(rel)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return syscall.EEXIST
		case err == nil && !info.IsDir():
			return syscall.ENOTDIR
		}
		return err
	})
}

func (h *host) Remove(name string) error {
	defer calls.enter(h.dir, name).leave()
	if err, ok := h.removeBeneath(Clean(name)); ok {
		return maybePathError("remove", Clean(name), err)
	}
	return h.change("remove", name, keepsLink, func(root *os.Root, rel string) error {
		if rel == "." {
			return syscall.EBUSY
		}
		return root.Remove(rel)
	})
}

func (h *host) RemoveAll(name string) error {
	return h.change("removeall", name, keepsLink, func(root *os.Root, rel string) error {
		if rel == "." {
			return syscall.EBUSY
		}
		return root.RemoveAll(rel)
	})
}

func (h *host) Chmod(name string, mode fs.FileMode) error {
	return h.change("chmod", name, followsLink, func(root *os.Root, rel string) error { return root.Chmod(rel, mode) })
}

func (h *host) Chown(name string, uid, gid int) error {
	return h.change("chown", name, followsLink, func(root *os.Root, rel string) error { return root.Chown(rel, uid, gid) })
}

func (h *host) Chtimes(name string, atime, mtime time.Time) error {
	return h.change("chtimes", name, followsLink, func(root *os.Root, rel string) error { return root.Chtimes(rel, atime, mtime) })
}

func (h *host) Symlink(text, name string) error {
	defer calls.enter(h.dir, name).leave()
	name = Clean(name)
	err, ok := h.symlinkBeneath(text, name)
	if !ok {
		err = h.write(name, keepsLink, func(root *os.Root, rel string) error { return root.Symlink(text, rel) })
	}
	if err != nil {
		return &os.LinkError{Op: "symlink", Old: text, New: name, Err: err}
	}
	return nil
}

func (h *host) Link(oldName, newName string) error {
	return h.move("link", oldName, newName, h.linkBeneath, (*os.Root).Link)
}

func (h *host) Rename(oldName, newName string) error {
	return h.move("rename", oldName, newName, h.renameBeneath, renameIn)
}

// move does something to two names: beneath where the kernel can hold it inside of the root, else do.
func (h *host) move(op, oldName, newName string, beneath func(oldName, newName string) (error, bool), do func(root *os.Root, oldRel, newRel string) error) error {
	defer calls.enter(h.dir, oldName).leave()
	oldName, newName = Clean(oldName), Clean(newName)
	err, ok := beneath(oldName, newName)
	if !ok {
		err = h.writeTwo(oldName, newName, do)
	}
	if err != nil {
		return &os.LinkError{Op: op, Old: oldName, New: newName, Err: err}
	}
	return nil
}

func (h *host) RenameTo(oldName string, to FS, newName string) error {
	oldName, newName = Clean(oldName), Clean(newName)
	err := error(syscall.EXDEV)
	if t, ok := to.(*host); ok {
		err = h.renameTo(oldName, t, newName)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: err}
	}
	return nil
}

func (h *host) renameTo(oldName string, to *host, newName string) error {
	defer calls.enter(h.dir, oldName).leave()
	if oldName == "/" || newName == "/" {
		return syscall.EBUSY
	}
	return h.atParent(oldName, func(oldDir int, oldBase string) error {
		return to.atParent(newName, func(newDir int, newBase string) error {
			return unix.Renameat(oldDir, oldBase, newDir, newBase)
		})
	})
}

// atParent carries out do on the directory of name, reached as all that writes reaches it, and its last segment.
func (h *host) atParent(name string, do func(dir int, base string) error) error {
	defer calls.enter(h.dir, name).leave()
	if err, ok := h.inParent(name, do); ok {
		return err
	}
	return h.write(name, keepsLink, func(root *os.Root, rel string) error {
		dir, base, err := openParent(root, rel)
		if err != nil {
			return err
		}
		defer dir.Close()
		return withFD(dir, func(fd int) error { return retry(func() error { return do(fd, base) }) })
	})
}

func retry(do func() error) error {
	for {
		if err := do(); err != unix.EINTR {
			return err
		}
	}
}

// writeTwo is write for two names whose last links are kept.
func (h *host) writeTwo(oldName, newName string, do func(root *os.Root, oldRel, newRel string) error) error {
	if oldName == "/" || newName == "/" {
		return syscall.EBUSY
	}
	root, err := h.writer()
	if err != nil {
		return err
	}
	err = inner(do(root, relative(oldName), relative(newName)))
	if err == nil || err != errEscapes() {
		return err
	}
	realOld, err := h.realName(oldName, keepsLink)
	if err != nil {
		return err
	}
	realNew, err := h.realName(newName, keepsLink)
	if err != nil {
		return err
	}
	if err = inner(do(root, realOld, realNew)); err != nil && err == errEscapes() {
		return ErrOutside
	}
	return err
}

// renameIn renames as rename(2) does. os.Root.Rename alone refuses every directory as the new name; POSIX allows one
// directory to take the place of another one that is empty, and names the error otherwise.
func renameIn(root *os.Root, oldRel, newRel string) error {
	err := inner(root.Rename(oldRel, newRel))
	if err != syscall.EEXIST {
		return err
	}
	oldDir, oldBase, err := openParent(root, oldRel)
	if err != nil {
		return err
	}
	defer oldDir.Close()
	newDir, newBase, err := openParent(root, newRel)
	if err != nil {
		return err
	}
	defer newDir.Close()
	return withFD(oldDir, func(oldFD int) error {
		return withFD(newDir, func(newFD int) error { return unix.Renameat(oldFD, oldBase, newFD, newBase) })
	})
}

func openParent(root *os.Root, rel string) (*os.File, string, error) {
	dir, base := split("/" + rel)
	f, err := root.OpenFile(relative(dir), os.O_RDONLY|unix.O_DIRECTORY, 0)
	return f, base, err
}
