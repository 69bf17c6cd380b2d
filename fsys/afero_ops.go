package fsys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

func (f *AferoFS) Name() string { return "afero " + f.on.fs.Name() }

func (f *AferoFS) HostPath(name string) string { return join(f.base, Clean(name)) }

// Close makes operations through f fail. The disk is not closed, and other file systems on it go on.
func (f *AferoFS) Close() error {
	f.closed.Store(true)
	return nil
}

// read carries out do on what name leads to.
func (f *AferoFS) read(op, name string, last whichLink, do func(p aferoPlace) error) error {
	name = Clean(name)
	f.on.mu.RLock()
	defer f.on.mu.RUnlock()
	p, err := f.find(name, last)
	if err == nil {
		err = do(p)
	}
	if err != nil {
		return pathError(op, name, f.on.cause(err))
	}
	return nil
}

func (f *AferoFS) Lstat(name string) (info Info, err error) {
	err = f.read("lstat", name, keepsLink, func(p aferoPlace) error { info = p.info(); return nil })
	return info, err
}

func (f *AferoFS) StatInfo(name string) (info Info, err error) {
	err = f.read("stat", name, followsLink, func(p aferoPlace) error { info = p.info(); return nil })
	return info, err
}

func (f *AferoFS) Stat(name string) (info os.FileInfo, err error) {
	err = f.read("stat", name, followsLink, func(p aferoPlace) error {
		info = NewFileInfo(Clean(name), p.info(), p.stat.Mode())
		return nil
	})
	return info, err
}

// List returns the entries sorted by name.
func (f *AferoFS) List(dir string) (list []Entry, err error) {
	err = f.read("list", dir, followsLink, func(p aferoPlace) (err error) {
		if p.node.kind != Dir {
			return syscall.ENOTDIR
		}
		list, err = f.on.list(p.path)
		return err
	})
	return list, err
}

func (d *aferoDisk) list(dir string) ([]Entry, error) {
	infos, err := afero.ReadDir(d.fs, dir)
	list := make([]Entry, len(infos))
	for i, info := range infos {
		list[i] = Entry{info.Name(), kindOfMode(info.Mode())}
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

func (f *AferoFS) Readlink(name string) (text string, err error) {
	err = f.read("readlink", name, keepsLink, func(p aferoPlace) (err error) {
		if p.node.kind != Link {
			return syscall.EINVAL
		}
		text, err = f.on.links.ReadlinkIfPossible(p.path)
		return err
	})
	return text, err
}

func (f *AferoFS) RealPath(name string) (real string, err error) {
	err = f.read("realpath", name, followsLink, func(p aferoPlace) error {
		in := false
		if real, in = below(f.base, p.path); !in {
			return ErrOutside
		}
		return nil
	})
	return real, err
}

func (f *AferoFS) Sub(dir string) (FS, error) { return f.sub(dir, followsLink) }

func (f *AferoFS) Hold(dir string) (FS, error) { return f.sub(dir, keepsLink) }

func (f *AferoFS) sub(dir string, last whichLink) (sub FS, err error) {
	err = f.read("open", dir, last, func(p aferoPlace) error {
		if p.node.kind != Dir {
			return syscall.ENOTDIR
		}
		sub = &AferoFS{on: f.on, base: p.path}
		return nil
	})
	return sub, err
}

func (f *AferoFS) Open(name string) (afero.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

func (f *AferoFS) OpenNoFollow(name string) (afero.File, error) {
	return f.open(name, keepsLink, func(p aferoPlace) error { return WantFile(p.node.kind) })
}

// open opens for reading what check lets pass.
func (f *AferoFS) open(name string, last whichLink, check func(p aferoPlace) error) (file afero.File, err error) {
	err = f.read("open", name, last, func(p aferoPlace) error {
		err := check(p)
		if err == nil && p.node.kind == Special {
			err = ErrNotRegular // it might wait for somebody
		}
		if err != nil {
			return err
		}
		inner, err := f.on.fs.Open(p.path)
		if err == nil {
			file = &aferoFile{on: f.on, node: p.node, path: p.path, name: Clean(name), inner: inner, readable: true}
		}
		return err
	})
	return file, err
}

func (f *AferoFS) ReadFile(name string, limit int64) (data []byte, info Info, err error) {
	file, err := f.open(name, followsLink, func(p aferoPlace) error { return nil })
	if errors.Is(err, ErrNotRegular) {
		return nil, info, pathError("read", Clean(name), ErrNotRegular)
	}
	if err != nil {
		return nil, info, err
	}
	defer file.Close()
	if info, err = FileInfo(file); err == nil {
		err = WantFile(info.Kind)
	}
	if err == nil && limit > 0 && info.Size > limit {
		err = ErrTooLong
	}
	if err == nil {
		from := io.Reader(file)
		if limit > 0 {
			from = io.LimitReader(file, limit+1)
		}
		data, err = io.ReadAll(from)
	}
	switch {
	case err != nil:
	case limit > 0 && int64(len(data)) > limit:
		err = ErrTooLong
	case int64(len(data)) < info.Size:
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, info, pathError("read", Clean(name), Cause(err))
	}
	return data, info, nil
}

func (f *AferoFS) ReadUnwritten(name string, limit int64) ([]byte, Info, bool, error) {
	data, info, err := f.ReadFile(name, limit)
	return data, info, false, err
}

func (f *AferoFS) Volume(name string) (v Volume, err error) {
	err = f.read("statfs", name, followsLink, func(aferoPlace) error {
		v = Volume{Dev: aferoDev, Times: TimesLoose, Foreign: true}
		return nil
	})
	return v, err
}

func (f *AferoFS) Unwritten(name string) (Info, bool) {
	info, _ := f.StatInfo(name)
	return info, false
}

func (f *AferoFS) MappingTells(string) (bool, error) { return false, nil }

// SyncAll does nothing: see FromAfero.
func (f *AferoFS) SyncAll() error {
	if f.closed.Load() {
		return pathError("sync", "/", fs.ErrClosed)
	}
	return nil
}

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
