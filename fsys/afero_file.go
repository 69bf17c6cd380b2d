package fsys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/afero"
)

// aferoFile is an open file or directory of a disk of afero's, held to what package fsys promises.
type aferoFile struct {
	on       *aferoDisk
	node     *aferoNode
	path     string // when it was opened
	name     string
	inner    afero.File
	readable bool
	writable bool
	appends  bool

	mu     sync.Mutex // guards what follows, and the position
	closed bool
	listed []Entry // of a directory: what is still to be told
	lists  bool
}

func (f *aferoFile) Name() string { return f.name }

// use carries out an operation on f, alone.
func (f *aferoFile) use(op string, allowed bool, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := error(fs.ErrClosed)
	if !f.closed {
		if err = syscall.EBADF; allowed {
			err = do()
		}
	}
	if err != nil && err != io.EOF {
		return pathError(op, f.name, f.on.cause(err))
	}
	return err
}

func (f *aferoFile) Read(p []byte) (n int, err error) {
	err = f.use("read", f.readable, func() error {
		if f.node.kind == Dir {
			return syscall.EISDIR
		}
		n, err = f.inner.Read(p)
		if n == 0 && err == io.ErrUnexpectedEOF { // what MemMapFs says behind the end
			err = io.EOF
		}
		return err
	})
	return n, err
}

func (f *aferoFile) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.use("read", f.readable, func() error {
		switch {
		case f.node.kind == Dir:
			return syscall.EISDIR
		case off < 0:
			return errors.New("negative offset")
		}
		n, err = f.inner.ReadAt(p, off)
		if n < len(p) && (err == nil || err == io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return err
	})
	return n, err
}

func (f *aferoFile) Write(p []byte) (n int, err error) {
	err = f.use("write", f.writable, func() error {
		if f.appends {
			f.node.append.Lock()
			defer f.node.append.Unlock()
			if _, err := f.inner.Seek(0, io.SeekEnd); err != nil {
				return err
			}
		}
		n, err = f.inner.Write(p)
		return err
	})
	return n, err
}

func (f *aferoFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt leaves the position where it is, which afero does not promise.
func (f *aferoFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.use("write", f.writable, func() error {
		switch {
		case f.appends:
			return errors.New("file was opened for appending")
		case off < 0:
			return errors.New("negative offset")
		}
		at, err := f.inner.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		n, err = f.inner.WriteAt(p, off)
		_, backErr := f.inner.Seek(at, io.SeekStart)
		return errors.Join(err, backErr)
	})
	return n, err
}

func (f *aferoFile) Truncate(size int64) error {
	return f.use("truncate", true, func() error {
		if size < 0 || !f.writable {
			return syscall.EINVAL
		}
		return f.inner.Truncate(size)
	})
}

func (f *aferoFile) Seek(offset int64, whence int) (at int64, err error) {
	err = f.use("seek", true, func() error {
		f.lists, f.listed = false, nil
		if f.node.kind == Dir {
			return nil
		}
		was, err := f.inner.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if at, err = f.inner.Seek(offset, whence); err == nil && at < 0 { // where MemMapFs goes
			at, err = was, syscall.EINVAL
			_, _ = f.inner.Seek(was, io.SeekStart)
		}
		return err
	})
	return at, err
}

func (f *aferoFile) Sync() error { return f.use("sync", true, f.inner.Sync) }

func (f *aferoFile) Close() error {
	return f.use("close", true, func() error {
		f.closed = true
		return f.inner.Close()
	})
}

func (f *aferoFile) Info() (info Info, err error) {
	err = f.use("stat", true, func() error {
		stat, err := f.inner.Stat()
		if err == nil {
			info = f.node.info(stat)
		}
		return err
	})
	return info, err
}

func (f *aferoFile) Stat() (os.FileInfo, error) {
	info, err := f.Info()
	if err != nil {
		return nil, err
	}
	return NewFileInfo(f.name, info, info.FileMode()), nil
}

// next returns the entries of a directory from where the last call ended: the rest if n is at most 0, without error;
// else at most n, and io.EOF behind the last.
func (f *aferoFile) next(n int) (part []Entry, err error) {
	err = f.use("readdir", f.readable, func() (err error) {
		if f.node.kind != Dir {
			return syscall.ENOTDIR
		}
		if !f.lists {
			if f.listed, err = f.on.list(f.path); err != nil {
				return err
			}
			f.lists = true
		}
		if n <= 0 {
			n = len(f.listed)
		} else if len(f.listed) == 0 {
			return io.EOF
		}
		n = min(n, len(f.listed))
		part, f.listed = f.listed[:n], f.listed[n:]
		return nil
	})
	return part, err
}

func (f *aferoFile) Readdirnames(n int) ([]string, error) {
	entries, err := f.next(n)
	if err != nil {
		return nil, err
	}
	return Names(entries), nil
}

// Readdir leaves out names that were removed since the listing began.
func (f *aferoFile) Readdir(count int) ([]os.FileInfo, error) {
	entries, err := f.next(count)
	if err != nil {
		return nil, err
	}
	infos := make([]os.FileInfo, 0, len(entries))
	for _, e := range entries {
		path := join(f.path, "/"+e.Name)
		if stat, n, err := f.on.look(path); err == nil {
			infos = append(infos, NewFileInfo(path, n.info(stat), stat.Mode()))
		}
	}
	return infos, nil
}
