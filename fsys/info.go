package fsys

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"
)

// ErrNotRegular says that a regular file was asked for and something else is there: a FIFO, a socket, a device.
// (For a directory the error is EISDIR, for a link that must not be followed ELOOP.)
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLong says that a file is longer than the limit given to ReadFile.
var ErrTooLong = errors.New("file is too long")

// The bits of a Unix mode that are the same on every Unix.
const (
	modeType   = 0o170000
	modeFIFO   = 0o010000
	modeChar   = 0o020000
	modeDir    = 0o040000
	modeBlock  = 0o060000
	modeFile   = 0o100000
	modeLink   = 0o120000
	modeSocket = 0o140000
	modeSetUID = 0o4000
	modeSetGID = 0o2000
	modeSticky = 0o1000
)

func kindOf(mode uint32) Kind {
	switch mode & modeType {
	case modeFile:
		return File
	case modeDir:
		return Dir
	case modeLink:
		return Link
	case 0:
		return Unknown
	}
	return Special
}

// FileMode returns the permission bits and kind as io/fs has them. Of a special file it says only that it is irregular.
func (i Info) FileMode() fs.FileMode {
	m := PermMode(i.Perm)
	switch i.Kind {
	case Dir:
		m |= fs.ModeDir
	case Link:
		m |= fs.ModeSymlink
	case Special, Unknown:
		m |= fs.ModeIrregular
	}
	return m
}

// PermMode turns the twelve permission bits of Unix (0o7777) into those of io/fs, which keeps the upper three elsewhere.
func PermMode(perm uint32) fs.FileMode {
	m := fs.FileMode(perm & 0o777)
	if perm&modeSetUID != 0 {
		m |= fs.ModeSetuid
	}
	if perm&modeSetGID != 0 {
		m |= fs.ModeSetgid
	}
	if perm&modeSticky != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// ModePerm is the inverse of PermMode: the twelve permission bits of Unix.
func ModePerm(m fs.FileMode) uint32 {
	perm := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		perm |= modeSetUID
	}
	if m&fs.ModeSetgid != 0 {
		perm |= modeSetGID
	}
	if m&fs.ModeSticky != 0 {
		perm |= modeSticky
	}
	return perm
}

// fileInfo is an Info as afero wants it. Sys returns the Info.
type fileInfo struct {
	name string
	info Info
	kind fs.FileMode // the exact type, which Info.Kind does not keep for special files
}

// NewFileInfo describes what lies at the clean name for the methods of afero. Of mode only the type counts.
func NewFileInfo(name string, info Info, mode fs.FileMode) fs.FileInfo {
	return &fileInfo{path.Base(name), info, mode.Type()}
}

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return i.info.Size }
func (i *fileInfo) ModTime() time.Time { return time.Unix(0, i.info.MTime) }
func (i *fileInfo) IsDir() bool        { return i.info.Kind == Dir }
func (i *fileInfo) Sys() any           { return i.info }
func (i *fileInfo) Mode() fs.FileMode  { return PermMode(i.info.Perm) | i.kind }

// typeMode is the type in a Unix mode as io/fs has it.
func typeMode(mode uint32) fs.FileMode {
	switch mode & modeType {
	case modeFile:
		return 0
	case modeDir:
		return fs.ModeDir
	case modeLink:
		return fs.ModeSymlink
	case modeFIFO:
		return fs.ModeNamedPipe
	case modeSocket:
		return fs.ModeSocket
	case modeBlock:
		return fs.ModeDevice
	case modeChar:
		return fs.ModeDevice | fs.ModeCharDevice
	}
	return fs.ModeIrregular
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// OnHost gives an error about a name in f the name that it has on the host, for people who look for it there.
func OnHost(f FS, err error) error { return renamed(err, f.HostPath) }

// renamed gives an error about names other names.
func renamed(err error, name func(string) string) error {
	switch e := err.(type) {
	case *fs.PathError:
		return &fs.PathError{Op: e.Op, Path: name(e.Path), Err: e.Err}
	case *os.LinkError:
		l := *e
		if l.New = name(e.New); e.Op != "symlink" { // else Old is the text of a link
			l.Old = name(e.Old)
		}
		return &l
	}
	return err
}

// WantFile is the error for a thing of kind k where a regular file is needed; nil for one.
func WantFile(k Kind) error {
	switch k {
	case File:
		return nil
	case Dir:
		return syscall.EISDIR
	case Link:
		return syscall.ELOOP
	}
	return ErrNotRegular
}
