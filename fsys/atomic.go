package fsys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/afero"
)

const (
	tempMark    = ".haz-tmp"
	tempKeeps   = 200  // bytes of the name that a temporary sibling keeps, so that a long name leaves room for the mark
	maxTempFile = 1000 // siblings that may be there already
)

// WriteFileAtomic makes data the content of the file name, with perm (before umask), as ReplaceFile does.
func WriteFileAtomic(fsys FS, name string, data []byte, perm fs.FileMode) error {
	return ReplaceFile(fsys, name, perm, writing(data))
}

// ReplaceFile makes what fill writes the content of the file name, with perm (before umask): a reader finds the old file or the
// new one, whole. A link at name is replaced, not followed. The directory must exist.
//
// The bytes go to a new sibling (see IsTemporary), which is renamed. After an error the old file is there as it was and
// the sibling is removed; only a crash leaves one. Nothing is synced, unless fill does: a power cut may bring back the old file or, on some
// file systems, leave part of the new one.
func ReplaceFile(fsys FS, name string, perm fs.FileMode, fill func(SyncWriter) error) error {
	return viaSibling(fsys, Clean(name), perm, fill, fsys.Rename)
}

// WriteFileFirst is WriteFileAtomic for a file that must not exist; the error is fs.ErrExist when somebody else has made it meanwhile.
// Where the file system has no second names, the last one wins.
func WriteFileFirst(fsys FS, name string, data []byte, perm fs.FileMode) error {
	return viaSibling(fsys, Clean(name), perm, writing(data), func(temp, name string) error {
		switch err := fsys.Link(temp, name); {
		case err == nil:
			return fsys.Remove(temp)
		case errors.Is(err, fs.ErrExist):
			return err
		}
		return fsys.Rename(temp, name)
	})
}

// A SyncWriter is a file that is being written.
type SyncWriter interface {
	io.Writer
	Sync() error
}

func writing(data []byte) func(SyncWriter) error {
	return func(f SyncWriter) error {
		_, err := f.Write(data)
		return err
	}
}

// viaSibling writes a new file beside name and has it put there. After an error nothing of it is left.
func viaSibling(fsys FS, name string, perm fs.FileMode, fill func(SyncWriter) error, put func(temp, name string) error) error {
	f, temp, err := createSibling(fsys, name, perm)
	if err != nil {
		return err
	}
	err = fill(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = put(temp, name)
	}
	if err != nil {
		_ = fsys.Remove(temp)
	}
	return err
}

// createSibling makes a new file beside name. The number that makes its name new counts up from 0, so that equal
// histories give equal names.
func createSibling(fsys FS, name string, perm fs.FileMode) (f afero.File, temp string, err error) {
	if name == "/" {
		return nil, "", pathError("open", name, syscall.EISDIR)
	}
	dir, base := split(name)
	base = base[:min(len(base), tempKeeps)]
	for i := range maxTempFile {
		temp = join(dir, "/."+base+tempMark+strconv.Itoa(i))
		f, err = fsys.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return f, temp, err
}

// IsTemporary reports whether base, the last segment of a name, has the form that ReplaceFile gives its temporary
// siblings.
func IsTemporary(base string) bool {
	if !strings.HasPrefix(base, ".") {
		return false
	}
	i := strings.LastIndex(base, tempMark)
	if i < 1 {
		return false
	}
	n, err := strconv.Atoi(base[i+len(tempMark):])
	return err == nil && n >= 0 && n < maxTempFile && base[i+len(tempMark)] != '+'
}
