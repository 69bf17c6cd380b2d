package fsys

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

// change carries out do alone, and tells its error as op on name.
func (f *AferoFS) change(op, name string, do func(name string) error) error {
	name = Clean(name)
	f.on.mu.Lock()
	defer f.on.mu.Unlock()
	if err := do(name); err != nil {
		return pathError(op, name, f.on.cause(err))
	}
	return nil
}

func (f *AferoFS) Mkdir(name string, perm fs.FileMode) error {
	return f.change("mkdir", name, func(name string) error {
		p, err := f.reachNew(name)
		if err != nil {
			return err
		}
		return f.on.fs.Mkdir(p.path, perm.Perm())
	})
}

func (f *AferoFS) MkdirAll(name string, perm fs.FileMode) error {
	return f.change("mkdir", name, func(name string) error {
		for end := 0; end < len(name); {
			if i := strings.IndexByte(name[end+1:], '/'); i >= 0 {
				end += 1 + i
			} else {
				end = len(name)
			}
			p, err := f.reach(name[:end], followsLink)
			if at, _ := f.walk(name[:end], keepsLink); at.kind() == Link && (err == syscall.ENOENT || err == nil && p.node == nil) { // to nothing
				return syscall.EEXIST
			}
			switch {
			case err != nil:
				return err
			case p.node == nil:
				if err := f.on.fs.Mkdir(p.path, perm.Perm()); err != nil {
					return err
				}
			case p.node.kind != Dir:
				return syscall.ENOTDIR
			}
		}
		return nil
	})
}

func (f *AferoFS) Create(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (f *AferoFS) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) == 0 {
		return f.open(name, followsLink, func(aferoPlace) error { return nil })
	}
	var file *aferoFile
	err := f.change("open", name, func(name string) (err error) {
		file, err = f.openWrite(name, flag, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f *AferoFS) openWrite(name string, flag int, perm fs.FileMode) (*aferoFile, error) {
	writable := flag&(os.O_WRONLY|os.O_RDWR) != 0
	last := followsLink
	if flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL {
		last = keepsLink
	}
	if perm&^fs.ModePerm != 0 {
		return nil, syscall.EINVAL
	}
	p, err := f.reach(name, last)
	switch {
	case err != nil:
		return nil, err
	case p.node == nil && flag&os.O_CREATE == 0:
		return nil, syscall.ENOENT
	case p.node == nil:
	case last == keepsLink:
		return nil, syscall.EEXIST
	case p.node.kind == Dir:
		return nil, syscall.EISDIR
	case p.node.kind == Special:
		return nil, syscall.ENXIO
	}
	inner, err := f.on.fs.OpenFile(p.path, flag, perm)
	if err != nil {
		return nil, err
	}
	return &aferoFile{on: f.on, node: f.on.node(p.path, File), path: p.path, name: name, inner: inner,
		readable: flag&os.O_WRONLY == 0, writable: writable, appends: flag&os.O_APPEND != 0}, nil
}

func (f *AferoFS) Symlink(text, name string) error {
	err := f.change("symlink", name, func(name string) error {
		if err := CheckLinkText(text); err != nil {
			return err
		}
		p, err := f.reachNew(name)
		if err != nil {
			return err
		}
		if f.on.links == nil {
			return errors.ErrUnsupported
		}
		return f.on.links.SymlinkIfPossible(text, p.path)
	})
	if err != nil {
		return &os.LinkError{Op: "symlink", Old: text, New: Clean(name), Err: Cause(err)}
	}
	return nil
}

// Link fails: see FromAfero.
func (f *AferoFS) Link(oldName, newName string) error {
	return &os.LinkError{Op: "link", Old: Clean(oldName), New: Clean(newName), Err: errors.ErrUnsupported}
}

// CloneFile fails: see FromAfero.
func (f *AferoFS) CloneFile(src, dst string, _ fs.FileMode) error {
	return &os.LinkError{Op: "clone", Old: Clean(src), New: Clean(dst), Err: errors.ErrUnsupported}
}

func (f *AferoFS) Rename(oldName, newName string) error { return f.RenameTo(oldName, f, newName) }

func (f *AferoFS) RenameTo(oldName string, to FS, newName string) error {
	err := error(syscall.EXDEV)
	if t, ok := to.(*AferoFS); ok && t.on == f.on {
		err = f.change("rename", oldName, func(oldName string) error { return f.rename(oldName, t, Clean(newName)) })
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: Clean(oldName), New: Clean(newName), Err: Cause(err)}
	}
	return nil
}

func (f *AferoFS) rename(oldName string, t *AferoFS, newName string) error {
	if oldName == "/" || newName == "/" {
		return syscall.EBUSY
	}
	from, err := f.reachOld(oldName, keepsLink)
	if err != nil {
		return err
	}
	to, err := t.reach(newName, keepsLink)
	if err != nil {
		return err
	}
	_, inItself := below(from.path, to.dir)
	switch {
	case from.path == to.path:
		return nil
	case from.node.kind == Dir && inItself:
		return syscall.EINVAL
	case to.node == nil:
	case from.node.kind == Dir && to.node.kind != Dir:
		return syscall.ENOTDIR
	case from.node.kind != Dir && to.node.kind == Dir:
		return syscall.EISDIR
	case to.node.kind == Dir:
		if err := f.on.empty(to.path); err != nil {
			return err
		}
		if err := f.on.remove(to.path); err != nil { // the disk may refuse to rename over it
			return err
		}
	}
	if err := f.on.fs.Rename(from.path, to.path); err != nil {
		return err
	}
	f.on.moved(from.path, to.path)
	return nil
}

// empty fails for a directory that is not.
func (d *aferoDisk) empty(dir string) error {
	list, err := d.list(dir)
	if err == nil && len(list) > 0 {
		err = syscall.ENOTEMPTY
	}
	return err
}

func (d *aferoDisk) remove(path string) error {
	err := d.fs.Remove(path)
	if err == nil {
		d.forget(path)
	}
	return err
}

func (f *AferoFS) Remove(name string) error {
	return f.change("remove", name, func(name string) error {
		p, err := f.reachOld(name, keepsLink)
		switch {
		case err != nil:
			return err
		case name == "/":
			return syscall.EBUSY
		case p.node.kind == Dir:
			if err := f.on.empty(p.path); err != nil {
				return err
			}
		}
		return f.on.remove(p.path)
	})
}

func (f *AferoFS) RemoveAll(name string) error {
	return f.change("removeall", name, func(name string) error {
		p, err := f.reach(name, keepsLink)
		switch {
		case err == syscall.ENOENT:
			return nil
		case err != nil:
			return err
		case name == "/":
			return syscall.EBUSY
		case p.node == nil:
			return nil
		}
		return f.on.removeAll(p.path, p.node.kind)
	})
}

func (d *aferoDisk) removeAll(path string, kind Kind) error {
	if kind == Dir {
		list, err := d.list(path)
		if err != nil {
			return err
		}
		for _, e := range list {
			if err := d.removeAll(join(path, "/"+e.Name), e.Kind); err != nil {
				return err
			}
		}
	}
	return d.remove(path)
}

// alter changes what name leads to.
func (f *AferoFS) alter(op, name string, do func(path string) error) error {
	return f.change(op, name, func(name string) error {
		p, err := f.reachOld(name, followsLink)
		if err != nil {
			return err
		}
		return do(p.path)
	})
}

func (f *AferoFS) Chmod(name string, mode fs.FileMode) error {
	return f.alter("chmod", name, func(path string) error { return f.on.fs.Chmod(path, mode) })
}

func (f *AferoFS) Chown(name string, uid, gid int) error {
	return f.alter("chown", name, func(path string) error { return f.on.fs.Chown(path, uid, gid) })
}

// Chtimes sets the time of modification, and of access where the disk has it. A zero time leaves it as it is.
func (f *AferoFS) Chtimes(name string, atime, mtime time.Time) error {
	return f.alter("chtimes", name, func(path string) error {
		if mtime.IsZero() {
			info, err := f.on.fs.Stat(path)
			if err != nil {
				return err
			}
			mtime = info.ModTime()
		}
		return f.on.fs.Chtimes(path, atime, mtime)
	})
}

func (f *AferoFS) OpenLocks(name string) (set LockSet, err error) {
	err = f.change("lock", name, func(name string) error {
		p, err := f.reach(name, followsLink)
		if err == nil && p.node == nil {
			var file *aferoFile
			if file, err = f.openWrite(name, os.O_RDWR|os.O_CREATE, 0o600); err == nil {
				p.node = file.node
				err = file.inner.Close()
			}
		}
		if err == nil {
			err = WantFile(p.node.kind)
		}
		if err != nil {
			return err
		}
		set = p.node.locks.Open(name, func() bool {
			_, n, err := f.on.look(p.path)
			return err == nil && n == p.node
		})
		return nil
	})
	return set, err
}
