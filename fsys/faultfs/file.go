package faultfs

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
)

// file is an open file whose operations are calls of its FS.
type file struct {
	inner afero.File
	fs    *FS
}

func (f *file) Name() string { return f.inner.Name() }

func (f *file) call(op Op, run func() error) error { return f.fs.call(op, f.inner.Name(), run) }

func (f *file) move(op Op, p []byte, run func(p []byte) (int, error)) (int, error) {
	return f.fs.move(op, f.inner.Name(), p, run)
}

// move carries out a call on name that moves the bytes of p, or a part of them.
func (f *FS) move(op Op, name string, p []byte, run func(p []byte) (int, error)) (int, error) {
	v := f.state.enter(Call{Op: op, Name: f.full(name), Bytes: len(p)})
	if !v.hit {
		return run(p)
	}
	err := &fs.PathError{Op: op.String(), Path: name, Err: v.err}
	switch v.do {
	case Short:
		part := len(p) / 2
		if op == OpRead { // which would be taken for the end of the file without a byte
			part = (len(p) + 1) / 2
		}
		n, runErr := run(p[:part])
		if runErr != nil {
			return n, runErr
		}
		return n, err
	case Cut:
		if part := int(v.part * float64(len(p))); op == OpWrite && part > 0 {
			_, _ = run(p[:min(part, len(p))])
		}
	}
	return 0, err
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.move(OpRead, p, f.inner.Read)
	if errors.Is(err, errShortRead) && n > 0 {
		return n, nil // Read may return less than it could
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	return f.move(OpRead, p, func(p []byte) (int, error) { return f.inner.ReadAt(p, off) })
}

func (f *file) Write(p []byte) (int, error) { return f.move(OpWrite, p, f.inner.Write) }

func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	return f.move(OpWrite, p, func(p []byte) (int, error) { return f.inner.WriteAt(p, off) })
}

// Seek is no call: it touches no disk. It fails after a power cut.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	if f.fs.Crashed() {
		return 0, &fs.PathError{Op: "seek", Path: f.inner.Name(), Err: ErrCrashed}
	}
	return f.inner.Seek(offset, whence)
}

func (f *file) Truncate(size int64) error {
	return f.call(OpTruncate, func() error { return f.inner.Truncate(size) })
}

func (f *file) Sync() error { return f.call(OpSync, f.inner.Sync) }

// Close closes the file in any case.
func (f *file) Close() error {
	return closeAnyway(f.call, f.inner.Close)
}

// closeAnyway closes a file by a call, and where that does not come to it without one.
func closeAnyway(call func(Op, func() error) error, inner func() error) error {
	closed := false
	err := call(OpClose, func() error {
		closed = true
		return inner()
	})
	if !closed {
		_ = inner()
	}
	return err
}

func (f *file) Info() (info fsys.Info, err error) {
	err = f.call(OpStat, func() (err error) {
		info, err = fsys.FileInfo(f.inner)
		return err
	})
	return info, err
}

func (f *file) Stat() (info os.FileInfo, err error) {
	err = f.call(OpStat, func() (err error) {
		info, err = f.inner.Stat()
		return err
	})
	return info, err
}

func (f *file) Readdir(count int) (infos []os.FileInfo, err error) {
	err = f.call(OpList, func() (err error) {
		infos, err = f.inner.Readdir(count)
		return err
	})
	return infos, err
}

func (f *file) Readdirnames(n int) (names []string, err error) {
	err = f.call(OpList, func() (err error) {
		names, err = f.inner.Readdirnames(n)
		return err
	})
	return names, err
}
