package fsys

import (
	"encoding/binary"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openDirFlags opens a directory as a place to start from; it need not be readable.
const openDirFlags = unix.O_PATH

// direntBuffers hold what one getdents call returns.
var direntBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// Where the fields of struct linux_dirent64 lie.
const (
	direntReclen = unsafe.Offsetof(unix.Dirent{}.Reclen)
	direntType   = unsafe.Offsetof(unix.Dirent{}.Type)
	direntName   = unsafe.Offsetof(unix.Dirent{}.Name)
)

// listFD reads the directory fd and closes it.
func listFD(fd int) ([]Entry, error) {
	defer unix.Close(fd)
	return entriesFD(fd)
}

// entriesFD reads the directory fd. It allocates once for the names of each buffer and once for the entries of a small directory.
func entriesFD(fd int) ([]Entry, error) {
	buf := direntBuffers.Get().(*[32 << 10]byte)
	defer direntBuffers.Put(buf)
	var entries []Entry
	for {
		n, err := unix.Getdents(fd, buf[:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		case n <= 0:
			return entries, nil
		}
		entries = appendDirents(entries, buf[:n])
	}
}

// readStarts looks up the names of files in their directory, not on the way to it.
func (h *host) readStarts(dir string, into []byte, choose func([]Entry) []Entry, each func(Entry, int, bool, error)) error {
	defer calls.enter(h.dir, dir).leave()
	at, err := h.openat(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK)
	if err != nil {
		return pathError("list", Clean(dir), err)
	}
	defer unix.Close(at)
	entries, err := entriesFD(at)
	if err != nil {
		return pathError("list", Clean(dir), err)
	}
	for _, e := range choose(entries) {
		fd, err := openat(at, e.Name, readStartFlags, 0)
		n, whole, err := readStartFD(fd, err, into)
		if err != nil {
			err = pathError("read", Clean(dir+"/"+e.Name), err)
		}
		each(e, n, whole, err)
	}
	return nil
}

// appendDirents adds the entries in b, which getdents filled. The names of one buffer share one string.
func appendDirents(entries []Entry, b []byte) []Entry {
	count, bytes := 0, 0
	for name := range dirents(b) {
		count++
		bytes += len(name)
	}
	if entries == nil {
		entries = make([]Entry, 0, count)
	}
	names := make([]byte, 0, bytes)
	for name := range dirents(b) {
		names = append(names, name...)
	}
	all := unsafe.String(unsafe.SliceData(names), len(names)) // names is never written again
	for name, kind := range dirents(b) {
		entries = append(entries, Entry{Name: all[:len(name)], Kind: kind})
		all = all[len(name):]
	}
	return entries
}

// dirents yields what is in b except "." and "..".
func dirents(b []byte) func(yield func(name []byte, kind Kind) bool) {
	return func(yield func([]byte, Kind) bool) {
		for rest := b; uintptr(len(rest)) > direntName; {
			size := int(binary.NativeEndian.Uint16(rest[direntReclen:]))
			if uintptr(size) <= direntName || size > len(rest) {
				return
			}
			rec := rest[:size]
			rest = rest[size:]
			name := rec[direntName:]
			for i, c := range name {
				if c == 0 {
					name = name[:i]
					break
				}
			}
			if len(name) == 0 || string(name) == "." || string(name) == ".." {
				continue
			}
			if !yield(name, direntKind(rec[direntType])) {
				return
			}
		}
	}
}

func direntKind(t byte) Kind {
	switch t {
	case unix.DT_REG:
		return File
	case unix.DT_DIR:
		return Dir
	case unix.DT_LNK:
		return Link
	case unix.DT_UNKNOWN:
		return Unknown
	}
	return Special
}

// cloneFD makes dst share the storage of src (btrfs, xfs, bcachefs, zfs and some others).
func cloneFD(src, dst int) error {
	for {
		err := unix.IoctlFileClone(dst, src)
		if err != unix.EINTR {
			return err
		}
	}
}

// syncFD flushes the file system that fd lies on.
