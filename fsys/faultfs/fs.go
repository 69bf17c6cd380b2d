package faultfs

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
)

func (f *FS) Name() string { return "faulty " + f.inner.Name() }

func (f *FS) HostPath(name string) string { return f.inner.HostPath(name) }

// Close closes the file system below. It is no call.
func (f *FS) Close() error { return f.inner.Close() }

func (f *FS) Lstat(name string) (info fsys.Info, err error) {
	err = f.call(OpLstat, name, func() (err error) {
		info, err = f.inner.Lstat(name)
		return err
	})
	return info, err
}

func (f *FS) StatInfo(name string) (info fsys.Info, err error) {
	err = f.call(OpStat, name, func() (err error) {
		info, err = f.inner.StatInfo(name)
		return err
	})
	return info, err
}

func (f *FS) Stat(name string) (info os.FileInfo, err error) {
	err = f.call(OpStat, name, func() (err error) {
		info, err = f.inner.Stat(name)
		return err
	})
	return info, err
}

func (f *FS) List(dir string) (entries []fsys.Entry, err error) {
	err = f.call(OpList, dir, func() (err error) {
		entries, err = f.inner.List(dir)
		return err
	})
	return entries, err
}

func (f *FS) Readlink(name string) (text string, err error) {
	err = f.call(OpReadlink, name, func() (err error) {
		text, err = f.inner.Readlink(name)
		return err
	})
	return text, err
}

func (f *FS) RealPath(name string) (real string, err error) {
	err = f.call(OpRealPath, name, func() (err error) {
		real, err = f.inner.RealPath(name)
		return err
	})
	return real, err
}

func (f *FS) ReadFile(name string, limit int64) (data []byte, info fsys.Info, err error) {
	err = f.call(OpReadFile, name, func() (err error) {
		data, info, err = f.inner.ReadFile(name, limit)
		return err
	})
	if err != nil {
		data = nil
	}
	return data, info, err
}

func (f *FS) ReadStart(name string, into []byte) (n int, whole bool, err error) {
	err = f.call(OpReadFile, name, func() (err error) {
		n, whole, err = f.inner.ReadStart(name, into)
		return err
	})
	if err != nil {
		n, whole = 0, false
	}
	return n, whole, err
}

func (f *FS) ReadUnwritten(name string, limit int64) (data []byte, info fsys.Info, unwritten bool, err error) {
	err = f.call(OpReadFile, name, func() (err error) {
		data, info, unwritten, err = f.inner.ReadUnwritten(name, limit)
		return err
	})
	if err != nil {
		data, unwritten = nil, false
	}
	return data, info, unwritten, err
}

func (f *FS) Volume(name string) (v fsys.Volume, err error) {
	err = f.call(OpStat, name, func() (err error) {
		v, err = f.inner.Volume(name)
		return err
	})
	return v, err
}

func (f *FS) Unwritten(name string) (info fsys.Info, unwritten bool) {
	err := f.call(OpStat, name, func() error {
		info, unwritten = f.inner.Unwritten(name)
		return nil
	})
	return info, unwritten && err == nil
}

func (f *FS) MappingTells(dir string) (tells bool, err error) {
	err = f.call(OpOpenWrite, dir, func() (err error) {
		tells, err = f.inner.MappingTells(dir)
		return err
	})
	return tells, err
}

// Sub counts and fails together with f.
func (f *FS) Sub(dir string) (fsys.FS, error) {
	return f.sub(dir, func() (fsys.FS, error) { return f.inner.Sub(dir) })
}

// Hold is as Sub.
func (f *FS) Hold(dir string) (fsys.FS, error) {
	return f.sub(dir, func() (fsys.FS, error) { return f.inner.Hold(dir) })
}

func (f *FS) sub(dir string, open func() (fsys.FS, error)) (fsys.FS, error) {
	var sub fsys.FS
	err := f.call(OpSub, dir, func() (err error) {
		sub, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &FS{inner: sub, base: f.full(dir), state: f.state}, nil
}

func (f *FS) Open(name string) (afero.File, error) {
	return f.open(OpOpen, name, func() (afero.File, error) { return f.inner.Open(name) })
}

func (f *FS) OpenNoFollow(name string) (afero.File, error) {
	return f.open(OpOpen, name, func() (afero.File, error) { return f.inner.OpenNoFollow(name) })
}

func (f *FS) Create(name string) (afero.File, error) {
	return f.open(OpOpenWrite, name, func() (afero.File, error) { return f.inner.Create(name) })
}

func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	op := OpOpen
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0 {
		op = OpOpenWrite
	}
	return f.open(op, name, func() (afero.File, error) { return f.inner.OpenFile(name, flag, perm) })
}

func (f *FS) open(op Op, name string, open func() (afero.File, error)) (afero.File, error) {
	var opened afero.File
	err := f.call(op, name, func() (err error) {
		opened, err = open()
		return err
	})
	if err != nil {
		if opened != nil { // the power went while it was opened
			_ = opened.Close()
		}
		return nil, err
	}
	return &file{inner: opened, fs: f}, nil
}

func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	return f.call(OpMkdir, name, func() error { return f.inner.Mkdir(name, perm) })
}

// MkdirAll is a call for each directory, so that a fault can come between two of them.
func (f *FS) MkdirAll(name string, perm fs.FileMode) error {
	name = fsys.Clean(name)
	info, err := f.StatInfo(name)
	switch {
	case err == nil && info.Kind == fsys.Dir:
		return nil
	case err == nil:
		return f.Mkdir(name, perm) // which says what is wrong
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if parent := path.Dir(name); parent != "/" {
		if err := f.MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	err = f.Mkdir(name, perm)
	if errors.Is(err, fs.ErrExist) { // somebody else was faster
		if info, statErr := f.StatInfo(name); statErr == nil && info.Kind == fsys.Dir {
			return nil
		}
	}
	return err
}

func (f *FS) Remove(name string) error {
	return f.call(OpRemove, name, func() error { return f.inner.Remove(name) })
}

// RemoveAll is a call for each look and each removal, so that a fault can come between two of them. It goes on behind
// a failure and returns the first.
func (f *FS) RemoveAll(name string) error {
	name = fsys.Clean(name)
	if name == "/" {
		return f.Remove(name) // which refuses
	}
	info, err := f.Lstat(name)
	if err != nil {
		return ignoreAbsent(err)
	}
	return f.removeAll(name, info.Kind)
}

func (f *FS) removeAll(name string, kind fsys.Kind) error {
	var first error
	if kind == fsys.Dir {
		entries, err := f.List(name)
		first = ignoreAbsent(err)
		for _, e := range entries {
			if err := f.removeAll(path.Join(name, e.Name), e.Kind); first == nil {
				first = err
			}
		}
	}
	if kind == fsys.Unknown {
		return f.RemoveAll(name)
	}
	if err := ignoreAbsent(f.Remove(name)); first == nil {
		first = err
	}
	return first
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *FS) Rename(oldName, newName string) error {
	c := Call{Op: OpRename, Name: f.full(oldName), New: f.full(newName)}
	return f.call2(OpRename, fsys.Clean(oldName), newName, c, func() error { return f.inner.Rename(oldName, newName) })
}

func (f *FS) RenameTo(oldName string, to fsys.FS, newName string) error {
	t, ok := to.(*FS)
	if !ok {
		return f.inner.RenameTo(oldName, to, newName)
	}
	c := Call{Op: OpRename, Name: f.full(oldName), New: t.full(newName)}
	return f.call2(OpRename, fsys.Clean(oldName), newName, c, func() error { return f.inner.RenameTo(oldName, t.inner, newName) })
}

func (f *FS) Link(oldName, newName string) error {
	c := Call{Op: OpLink, Name: f.full(oldName), New: f.full(newName)}
	return f.call2(OpLink, fsys.Clean(oldName), newName, c, func() error { return f.inner.Link(oldName, newName) })
}

// Mkfifo makes a FIFO, if the file system below has a method Mkfifo.
func (f *FS) Mkfifo(name string, perm fs.FileMode) error {
	return f.call(OpMkdir, name, func() error {
		m, ok := f.inner.(interface {
			Mkfifo(name string, perm fs.FileMode) error
		})
		if !ok {
			return &fs.PathError{Op: "mkfifo", Path: name, Err: errors.ErrUnsupported}
		}
		return m.Mkfifo(name, perm)
	})
}

func (f *FS) Symlink(text, name string) error {
	c := Call{Op: OpSymlink, Name: f.full(name)}
	return f.call2(OpSymlink, text, name, c, func() error { return f.inner.Symlink(text, name) })
}

func (f *FS) CloneFile(src, dst string, perm fs.FileMode) error {
	c := Call{Op: OpClone, Name: f.full(src), New: f.full(dst)}
	return f.call2(OpClone, fsys.Clean(src), dst, c, func() error { return f.inner.CloneFile(src, dst, perm) })
}

func (f *FS) Chmod(name string, mode fs.FileMode) error {
	return f.call(OpChmod, name, func() error { return f.inner.Chmod(name, mode) })
}

func (f *FS) Chown(name string, uid, gid int) error {
	return f.call(OpChown, name, func() error { return f.inner.Chown(name, uid, gid) })
}

func (f *FS) Chtimes(name string, atime, mtime time.Time) error {
	return f.call(OpChtimes, name, func() error { return f.inner.Chtimes(name, atime, mtime) })
}
