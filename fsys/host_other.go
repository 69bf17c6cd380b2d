//go:build darwin || freebsd || netbsd || openbsd

package fsys

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

const openDirFlags = unix.O_RDONLY

// listFD reads the directory fd and closes it.
func listFD(fd int) ([]Entry, error) {
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	found, err := f.ReadDir(-1)
	if err != nil {
		return nil, inner(err)
	}
	entries := make([]Entry, len(found))
	for i, e := range found {
		entries[i] = Entry{Name: e.Name(), Kind: kindOfType(e.Type())}
	}
	return entries, nil
}

func kindOfType(t fs.FileMode) Kind {
	switch {
	case t.IsRegular():
		return File
	case t.IsDir():
		return Dir
	case t == fs.ModeSymlink:
		return Link
	}
	return Special
}

// cloneFD: no clone from descriptor to descriptor here.
func cloneFD(src, dst int) error { return unix.ENOTSUP }
