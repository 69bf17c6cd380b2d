package fsys

import (
	"errors"
	"io"
	"io/fs"
	"time"
)

// An Unnamed is an open file that lies in no directory. Whatever becomes of its process, nobody finds half of it: it gets its name when it is
// whole, or is gone. Write adds to its end.
type Unnamed interface {
	io.Writer
	io.ReaderAt
	Info() (Info, error)
	Chmod(mode fs.FileMode) error
	Chtimes(mtime time.Time) error
	// Name makes name in the file system to, of the same kind (RenameTo), a name of the file. It must not exist (fs.ErrExist), and its directory
	// must lie where that of OpenUnnamed does (EXDEV).
	Name(to FS, name string) error
	// Close ends it. Without a name it is gone.
	Close() error
}

// OpenUnnamed makes a file without a name, with perm (before umask), where the directory dir lies. The error is errors.ErrUnsupported where
// the system or the file system knows of no such files; what else is said of dir then says whoever makes a file with a name there.
func OpenUnnamed(f FS, dir string, perm fs.FileMode) (Unnamed, error) {
	if o, ok := f.(interface {
		OpenUnnamed(dir string, perm fs.FileMode) (Unnamed, error)
	}); ok {
		return o.OpenUnnamed(dir, perm)
	}
	return nil, pathError("open", Clean(dir), errors.ErrUnsupported)
}
