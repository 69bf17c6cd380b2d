package faultfs

import (
	"io/fs"
	"time"

	"github.com/haz-build/haz/fsys"
)

// HoldStraight is as Hold.
func (f *FS) HoldStraight(dir string) (fsys.FS, error) {
	return f.sub(dir, func() (fsys.FS, error) { return fsys.HoldStraight(f.inner, dir) })
}

// OpenUnnamed is as OpenFile of a new file.
func (f *FS) OpenUnnamed(dir string, perm fs.FileMode) (fsys.Unnamed, error) {
	var opened fsys.Unnamed
	err := f.call(OpOpenWrite, dir, func() (err error) {
		opened, err = fsys.OpenUnnamed(f.inner, dir, perm)
		return err
	})
	if err != nil {
		if opened != nil { // the power went while it was opened
			_ = opened.Close()
		}
		return nil, err
	}
	return &unnamed{inner: opened, in: fsys.Clean(dir), fs: f}, nil
}

// unnamed is an Unnamed whose operations are calls of its FS, on the directory that it was made in.
type unnamed struct {
	inner fsys.Unnamed
	in    string
	fs    *FS
}

func (f *unnamed) call(op Op, run func() error) error { return f.fs.call(op, f.in, run) }

func (f *unnamed) Write(p []byte) (int, error) {
	return f.fs.move(OpWrite, f.in, p, f.inner.Write)
}

func (f *unnamed) ReadAt(p []byte, off int64) (int, error) {
	return f.fs.move(OpRead, f.in, p, func(p []byte) (int, error) { return f.inner.ReadAt(p, off) })
}

func (f *unnamed) Info() (info fsys.Info, err error) {
	err = f.call(OpStat, func() (err error) {
		info, err = f.inner.Info()
		return err
	})
	return info, err
}

func (f *unnamed) Chmod(mode fs.FileMode) error {
	return f.call(OpChmod, func() error { return f.inner.Chmod(mode) })
}

func (f *unnamed) Chtimes(mtime time.Time) error {
	return f.call(OpChtimes, func() error { return f.inner.Chtimes(mtime) })
}

func (f *unnamed) Name(to fsys.FS, name string) error {
	t, ok := to.(*FS)
	if !ok {
		return f.inner.Name(to, name)
	}
	c := Call{Op: OpLink, Name: f.fs.full(f.in), New: t.full(name)}
	return f.fs.call2(OpLink, f.in, name, c, func() error { return f.inner.Name(t.inner, name) })
}

// Close closes the file in any case.
func (f *unnamed) Close() error {
	return closeAnyway(f.call, f.inner.Close)
}
