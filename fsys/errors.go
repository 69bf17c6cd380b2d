package fsys

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Absent reports whether err says that nothing lies at a name: it, or a directory above it, is not there.
func Absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// LeadsNowhere is Absent, also where links on the way lead in a circle: nothing can be read or made through the name.
// One that is too long for the system is another matter: a process whose working directory is deep enough sees what lies there.
func LeadsNowhere(err error) bool { return Absent(err) || errors.Is(err, syscall.ELOOP) }

// Cause takes the operation and the path off an error of a file system, for a sentence that names the path itself: "permission denied".
func Cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
