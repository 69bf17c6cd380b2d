//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// hostFile is an open file or directory under its name in the file system, which errors carry too.
type hostFile struct {
	f    *os.File
	dir  string // of the file system, on the host
	name string // clean
}

func (f *hostFile) Name() string { return f.name }

// named puts the name of the file into an error of the standard library, which knows the host path or a part of it.
func (f *hostFile) named(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		p.Path = f.name
	}
	return err
}

func (f *hostFile) Read(p []byte) (int, error) {
	defer calls.enter(f.dir, f.name).leave()
	n, err := f.f.Read(p)
	return n, f.named(err)
}

func (f *hostFile) ReadAt(p []byte, off int64) (int, error) {
	defer calls.enter(f.dir, f.name).leave()
	n, err := f.f.ReadAt(p, off)
	return n, f.named(err)
}

func (f *hostFile) Write(p []byte) (int, error) {
	defer calls.enter(f.dir, f.name).leave()
	n, err := f.f.Write(p)
	return n, f.named(err)
}

func (f *hostFile) WriteString(s string) (int, error) {
	defer calls.enter(f.dir, f.name).leave()
	n, err := f.f.WriteString(s)
	return n, f.named(err)
}

func (f *hostFile) WriteAt(p []byte, off int64) (int, error) {
	defer calls.enter(f.dir, f.name).leave()
	n, err := f.f.WriteAt(p, off)
	return n, f.named(err)
}

func (f *hostFile) Seek(offset int64, whence int) (int64, error) {
	n, err := f.f.Seek(offset, whence)
	return n, f.named(err)
}

func (f *hostFile) Truncate(size int64) error {
	defer calls.enter(f.dir, f.name).leave()
	return f.named(f.f.Truncate(size))
}

func (f *hostFile) Sync() error {
	defer calls.enter(f.dir, f.name).leave()
	return f.named(f.f.Sync())
}

func (f *hostFile) Close() error {
	defer calls.enter(f.dir, f.name).leave()
	return f.named(f.f.Close())
}

func (f *hostFile) Info() (Info, error) {
	var st unix.Stat_t
	err := f.stat(&st)
	return infoOf(&st), err
}

func (f *hostFile) Stat() (os.FileInfo, error) {
	var st unix.Stat_t
	if err := f.stat(&st); err != nil {
		return nil, err
	}
	return NewFileInfo(f.name, infoOf(&st), typeMode(uint32(st.Mode))), nil
}

func (f *hostFile) stat(st *unix.Stat_t) error {
	defer calls.enter(f.dir, f.name).leave()
	if err := withFD(f.f, func(fd int) error { return fstat(fd, st) }); err != nil {
		return pathError("stat", f.name, err)
	}
	return nil
}

func (f *hostFile) Readdirnames(n int) ([]string, error) {
	defer calls.enter(f.dir, f.name).leave()
	names, err := f.f.Readdirnames(n)
	return names, f.named(err)
}

// Readdir leaves out names that were removed while it looked.
func (f *hostFile) Readdir(count int) ([]os.FileInfo, error) {
	defer calls.enter(f.dir, f.name).leave()
	names, err := f.Readdirnames(count)
	infos := make([]os.FileInfo, 0, len(names))
	for _, name := range names {
		var st unix.Stat_t
		statErr := withFD(f.f, func(fd int) error { return fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
		switch {
		case statErr == nil:
			infos = append(infos, NewFileInfo(name, infoOf(&st), typeMode(uint32(st.Mode))))
		case statErr != unix.ENOENT && err == nil:
			err = pathError("lstat", join(f.name, "/"+name), statErr)
		}
	}
	return infos, err
}

// withFD calls do with the descriptor of f, which stays open meanwhile.
func withFD(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return inner(err)
	}
	var doErr error
	if err := conn.Control(func(fd uintptr) { doErr = do(int(fd)) }); err != nil {
		return fs.ErrClosed // the one reason there is
	}
	return doErr
}
