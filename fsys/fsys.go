// Package fsys is the only door to the disk.
//
// A file system is rooted: names are slash-separated and start with "/", which is the root of that file system,
// so a workspace-absolute path ("/lib/src/a.c") is a name in the file system of its workspace. "." and "" mean
// the root as well; see Clean for what else is understood. Names are bytes; they need not be UTF-8.
//
// Reading follows symbolic links wherever they lead, also out of the root (inputs may be read through links).
// Whatever writes, creates, renames or removes refuses to leave the root, links included.
package fsys

import (
	"errors"
	"io/fs"

	"github.com/spf13/afero"
)

// Kind says what lies at a name.
type Kind uint8

const (
	Unknown Kind = iota
	File
	Dir
	Link
	Special // FIFO, socket, device
)

func (k Kind) String() string {
	switch k {
	case File:
		return "file"
	case Dir:
		return "directory"
	case Link:
		return "link"
	case Special:
		return "special file"
	}
	return "unknown"
}

// Info is what lstat or stat says, in the form that the stat index and the attribution of outputs compare.
type Info struct {
	Kind  Kind
	Perm  uint32 // permission bits with set-id and sticky, 0o7777
	Nlink uint32
	Size  int64 // bytes
	MTime int64 // nanoseconds since the epoch
	CTime int64 // nanoseconds since the epoch
	Inode uint64
	Dev   uint64
}

// Same reports whether two looks saw one unchanged thing: kind, size, mtime, ctime, inode and device are equal.
func (i Info) Same(o Info) bool {
	return i.Kind == o.Kind && i.Size == o.Size && i.MTime == o.MTime && i.CTime == o.CTime && i.Inode == o.Inode && i.Dev == o.Dev
}

// Entry is one name in a directory. Kind is Unknown where the directory does not say.
type Entry struct {
	Name string
	Kind Kind
}

// Names are those of some entries, in their order.
func Names(entries []Entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	return names
}

// ErrOutside says that a name leads out of the root of the file system once links are followed.
var ErrOutside = errors.New("path leads out of the root")

// FS is a rooted file system: afero.Fs, plus what POSIX needs. All methods are safe for concurrent use.
//
// The files that OpenFile and its kin return implement interface{ Info() (Info, error) }; see FileInfo. The FileInfo.Sys of
// afero's methods is an Info.
// Errors are *fs.PathError or *os.LinkError with names as they are in this file system, so errors.Is(err, fs.ErrNotExist)
// and syscall numbers work.
//
// MkdirAll makes nothing through a link that leads nowhere, and the mode of what is created has no bits beyond 0o777
// (OpenFile refuses others, Mkdir ignores them); Chmod takes the set-id and sticky bits of io/fs.
type FS interface {
	afero.Fs

	// Lstat looks at name without following a link there.
	Lstat(name string) (Info, error)
	// StatInfo looks at what name leads to.
	StatInfo(name string) (Info, error)
	// List returns the entries of a directory in no particular order, without "." and "..".
	List(dir string) ([]Entry, error)
	// ReadFile reads a regular file of at most limit bytes (0: no limit). A longer one is ErrTooLong, one that shrinks
	// meanwhile io.ErrUnexpectedEOF, a directory EISDIR, and all else ErrNotRegular: nothing is read from a FIFO or device,
	// and nobody is waited for. The Info is that of the opened file, from before the read.
	ReadFile(name string, limit int64) ([]byte, Info, error)
	// ReadUnwritten is ReadFile, and asks before the first byte is read what Unwritten says.
	ReadUnwritten(name string, limit int64) ([]byte, Info, bool, error)
	// ReadStart reads the first bytes of a regular file, at most as many as into has room for, and says whether that is all of it. The
	// rest is as with ReadFile. It keeps nothing of into, and needs no memory beside it: for those who read the beginnings of many files.
	ReadStart(name string, into []byte) (n int, whole bool, err error)
	// OpenNoFollow opens a regular file for reading and fails when name is a link (ELOOP) or anything but a regular file
	// (EISDIR, ErrNotRegular). Links in the directories of name are followed.
	OpenNoFollow(name string) (afero.File, error)
	// Readlink returns the text of a link, as bytes.
	Readlink(name string) (string, error)
	// Symlink makes a link with that text. The text is not checked.
	Symlink(text, name string) error
	// Link makes newName, which must not exist, another name of the file oldName (a link there is not followed).
	Link(oldName, newName string) error
	// RealPath resolves all links in name and returns the name without them. Where that lies outside of the root the
	// error is ErrOutside.
	RealPath(name string) (string, error)
	// Sub opens the directory dir (links are followed, also out of this root) as the root of a file system of its own.
	Sub(dir string) (FS, error)
	// Hold is Sub for a directory that somebody may swap for a link at any moment: a link at the end of dir is not followed,
	// but ENOTDIR or ELOOP, as all else that is no directory. Links in the directories of dir are followed.
	Hold(dir string) (FS, error)
	// RenameTo is Rename into another file system of the same kind (both from Host, or from one Memory), each name below its
	// own root. EXDEV where the kernel cannot, as between devices, or the kinds differ.
	RenameTo(oldName string, to FS, newName string) error
	// HostPath is the absolute path of name on the host ("/ws/lib" for "/lib"); in memory, the name below the outermost root.
	HostPath(name string) string
	// OpenLocks makes an empty set of locks of the file name, which is created when absent (its directory must exist).
	// ErrLockUnsupported where there are no locks; see also the function TryLock.
	OpenLocks(name string) (LockSet, error)
	// CloneFile makes dst (which must not exist) a copy of the bytes of src that shares storage, where the file system can;
	// otherwise an error and no dst. Callers fall back to copying.
	CloneFile(src, dst string, perm fs.FileMode) error
	// Volume looks at the file system that name leads to, a mount.
	Volume(name string) (Volume, error)
	// Unwritten reports whether nobody had the regular file that name leads to open for writing, or mapped for it, at a moment
	// after the Info was taken; false also where the system does not tell. Whoever writes to it after that leaves a later ctime,
	// on TimesMarked.
	Unwritten(name string) (Info, bool)
	// MappingTells tries, with a file of its own in the directory dir, whether a write through a mapping that was read from before
	// moves the ctime of a file. It takes longer than the clock of the file system needs for one step.
	MappingTells(dir string) (bool, error)
	// Close gives the root handle back. Operations after it fail with fs.ErrClosed. Open files and locks stay.
	Close() error
}

// ReadStarts lists a directory, and reads the beginnings of those of its entries that choose picks, one after the other, as ReadStart
// does, and into the same memory: each is told of what into holds at that moment. The error is that of the listing.
func ReadStarts(f FS, dir string, into []byte, choose func([]Entry) []Entry, each func(e Entry, n int, whole bool, err error)) error {
	if quick, ok := f.(interface {
		readStarts(string, []byte, func([]Entry) []Entry, func(Entry, int, bool, error)) error
	}); ok {
		return quick.readStarts(dir, into, choose, each)
	}
	entries, err := f.List(dir)
	if err != nil {
		return err
	}
	for _, e := range choose(entries) {
		n, whole, err := f.ReadStart(Clean(dir+"/"+e.Name), into)
		each(e, n, whole, err)
	}
	return nil
}

// A Place is a file system whose root is a directory of the host, which somebody may move, replace or remove while it is open.
// What is read and written stays with the directory; who goes by HostPath may come elsewhere.
type Place interface {
	// InPlace reports whether HostPath("/") still leads to the root.
	InPlace() bool
	// StandingPath is HostPath for this process and what it forks, valid until Close, that leads to the root also when it was
	// moved; "" where the system has no such names.
	StandingPath(name string) string
}

// FileInfo looks at an open file.
func FileInfo(f afero.File) (Info, error) {
	if i, ok := f.(interface{ Info() (Info, error) }); ok {
		return i.Info()
	}
	return Info{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: errors.ErrUnsupported}
}
