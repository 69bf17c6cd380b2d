//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/afero"
	"golang.org/x/sys/unix"
)

// look is one stat of name.
func (h *host) look(name string, st *unix.Stat_t, flags int) error {
	defer calls.enter(h.dir, name).leave()
	fd := h.handle.acquire()
	if fd < 0 {
		return fs.ErrClosed
	}
	err := fstatat(fd, relative(name), st, flags)
	h.handle.release()
	return err
}

func (h *host) Lstat(name string) (Info, error) {
	var st unix.Stat_t
	if err := h.look(name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return Info{}, pathError("lstat", Clean(name), err)
	}
	return infoOf(&st), nil
}

func (h *host) StatInfo(name string) (Info, error) {
	var st unix.Stat_t
	if err := h.look(name, &st, 0); err != nil {
		return Info{}, pathError("stat", Clean(name), err)
	}
	return infoOf(&st), nil
}

// Owner is the user id that name belongs to, a link at its end not followed.
func (h *host) Owner(name string) (uid int, err error) {
	var st unix.Stat_t
	if err := h.look(name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0, pathError("lstat", Clean(name), err)
	}
	return int(st.Uid), nil
}

func (h *host) Stat(name string) (os.FileInfo, error) {
	var st unix.Stat_t
	name = Clean(name)
	if err := h.look(name, &st, 0); err != nil {
		return nil, pathError("stat", name, err)
	}
	return NewFileInfo(name, infoOf(&st), typeMode(uint32(st.Mode))), nil
}

func (h *host) Readlink(name string) (string, error) {
	defer calls.enter(h.dir, name).leave()
	fd := h.handle.acquire()
	if fd < 0 {
		return "", pathError("readlink", Clean(name), fs.ErrClosed)
	}
	defer h.handle.release()
	var small [256]byte
	for buf := small[:]; ; buf = make([]byte, 4*len(buf)) {
		n, err := unix.Readlinkat(fd, relative(name), buf)
		for err == unix.EINTR {
			n, err = unix.Readlinkat(fd, relative(name), buf)
		}
		if err != nil {
			return "", pathError("readlink", Clean(name), err)
		}
		if n < len(buf) {
			return string(buf[:n]), nil
		}
	}
}

func (h *host) List(dir string) ([]Entry, error) {
	defer calls.enter(h.dir, dir).leave()
	fd, err := h.openat(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK)
	if err != nil {
		return nil, pathError("list", Clean(dir), err)
	}
	entries, err := listFD(fd)
	if err != nil {
		return nil, pathError("list", Clean(dir), err)
	}
	return entries, nil
}

// What a first buffer is at most, whatever the size of the file is said to be.
const maxFirstRead = 16 << 20

func (h *host) ReadFile(name string, limit int64) ([]byte, Info, error) {
	data, info, _, err := h.readFile(name, limit, false)
	return data, info, err
}

func (h *host) ReadUnwritten(name string, limit int64) ([]byte, Info, bool, error) {
	return h.readFile(name, limit, true)
}

func (h *host) readFile(name string, limit int64, ask bool) (data []byte, info Info, unwritten bool, err error) {
	defer calls.enter(h.dir, name).leave()
	// O_NONBLOCK: opening a FIFO must not wait for its writer; the look behind it turns it down.
	fd, err := h.openat(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return nil, Info{}, false, pathError("open", Clean(name), notRegular(err))
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return nil, Info{}, false, pathError("stat", Clean(name), err)
	}
	info = infoOf(&st)
	if err := WantFile(info.Kind); err != nil {
		return nil, info, false, pathError("read", Clean(name), err)
	}
	if limit > 0 && info.Size > limit {
		return nil, info, false, pathError("read", Clean(name), ErrTooLong)
	}
	unwritten = ask && unwrittenFD(fd)
	data, err = readAll(fd, info.Size, limit)
	if err != nil {
		return nil, info, false, pathError("read", Clean(name), err)
	}
	return data, info, unwritten, nil
}

func (h *host) ReadStart(name string, into []byte) (n int, whole bool, err error) {
	defer calls.enter(h.dir, name).leave()
	fd, err := h.openat(name, readStartFlags)
	if n, whole, err = readStartFD(fd, err, into); err != nil {
		return 0, false, pathError("read", Clean(name), err)
	}
	return n, whole, nil
}

const readStartFlags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC

// readStartFD reads the beginning of the file that was opened with such an error, and closes it.
func readStartFD(fd int, err error, into []byte) (n int, whole bool, _ error) {
	if err != nil {
		return 0, false, notRegular(err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return 0, false, err
	}
	if err := WantFile(infoOf(&st).Kind); err != nil {
		return 0, false, err
	}
	for n < len(into) {
		got, err := unix.Read(fd, into[n:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, false, err
		case got == 0 && int64(n) < st.Size:
			return 0, false, io.ErrUnexpectedEOF
		case got == 0:
			return n, true, nil
		}
		if n += got; int64(n) == st.Size && n < len(into) { // one read less: a file of /proc says 0
			return n, true, nil
		}
	}
	return n, st.Size > 0 && int64(n) == st.Size, nil
}

// readAll reads a file whose size is said to be size. A file that has grown is read to its end, one that has shrunk is
// an error, so that nobody takes half a file for a whole one.
func readAll(fd int, size, limit int64) ([]byte, error) {
	// One byte more than needed: a read that does not fill the buffer has seen the end. Files of /proc say 0.
	data := make([]byte, 0, max(min(size, maxFirstRead)+1, 512))
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := unix.Read(fd, data[len(data):cap(data)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		data = data[:len(data)+n]
		if limit > 0 && int64(len(data)) > limit {
			return nil, ErrTooLong
		}
		got := int64(len(data))
		switch {
		case n == 0 && got < size:
			return nil, io.ErrUnexpectedEOF
		case n == 0, got == size && size > 0 && len(data) < cap(data):
			return data, nil
		}
	}
}

// ReadExact implements what the function of that name looks for.
func (h *host) ReadExact(name string, into []byte) (Info, error) {
	defer calls.enter(h.dir, name).leave()
	fd, err := h.openat(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return Info{}, pathError("open", Clean(name), notRegular(err))
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return Info{}, pathError("stat", Clean(name), err)
	}
	info := infoOf(&st)
	if err = WantFile(info.Kind); err == nil && info.Size != int64(len(into)) {
		err = ErrOtherSize
	}
	for n := 0; err == nil && n < len(into); {
		var got int
		switch got, err = unix.Read(fd, into[n:]); {
		case err == unix.EINTR:
			got, err = 0, nil
		case err == nil && got == 0:
			err = io.ErrUnexpectedEOF
		}
		n += max(got, 0)
	}
	if err != nil {
		return info, pathError("read", Clean(name), err)
	}
	return info, nil
}

func (h *host) Open(name string) (afero.File, error) {
	return opened(h.openRead(name, unix.O_NONBLOCK|unix.O_NOCTTY))
}

// opened keeps a nil *hostFile from becoming an afero.File that is not nil.
func opened(f *hostFile, err error) (afero.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (h *host) OpenNoFollow(name string) (afero.File, error) {
	f, err := h.openRead(name, unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return nil, err
	}
	info, err := f.Info()
	if err == nil {
		err = WantFile(info.Kind)
	}
	if err != nil {
		_ = f.Close()
		return nil, pathError("open", f.name, err)
	}
	return f, nil
}

func (h *host) openRead(name string, flags int) (*hostFile, error) {
	defer calls.enter(h.dir, name).leave()
	name = Clean(name)
	fd, err := h.openat(name, unix.O_RDONLY|flags)
	if err != nil {
		if flags&unix.O_NOFOLLOW != 0 {
			err = notRegular(err)
		}
		return nil, pathError("open", name, err)
	}
	return &hostFile{f: os.NewFile(uintptr(fd), name), dir: h.dir, name: name}, nil
}

// notRegular is err, told in one way for what can be opened by nobody: sockets and devices without driver.
func notRegular(err error) error {
	switch err {
	case unix.ENXIO, unix.ENODEV, unix.EOPNOTSUPP:
		return ErrNotRegular
	case unix.EMLINK: // FreeBSD's word for a link where none may be followed
		return syscall.ELOOP
	}
	return err
}

func fstat(fd int, st *unix.Stat_t) error {
	for {
		err := unix.Fstat(fd, st)
		if err != unix.EINTR {
			return err
		}
	}
}
