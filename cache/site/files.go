package site

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// What the rest of the package needs from a file system beyond fsys.FS.

// Join puts a name below a directory.
func Join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// IsForeignKind reports whether err says that something else than a regular file lies at a name.
func IsForeignKind(err error) bool {
	return errors.Is(err, fsys.ErrNotRegular) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ELOOP)
}

// WriteNew makes a file that must not exist yet. A half-written one is removed.
func WriteNew(fsy fsys.FS, name string, data []byte, perm fs.FileMode) error {
	f, err := fsy.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		_, err = f.Write(data)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = fsy.Remove(name)
	}
	return err
}

// EnsureState makes sure that .haz/state is there.
func (s *Site) EnsureState() error { return state.MakeDir(s.WS, layout.StateDir) }

func SaturatingAdd(a, b int64) int64 {
	if sum := a + b; sum >= a && sum >= b {
		return sum
	}
	return 1<<63 - 1
}

func IsAbsentNow(err error) bool { return errors.Is(err, syscall.ENOENT) }

func IsDir(fsy fsys.FS, path string, k fsys.Kind) bool {
	if k != fsys.Unknown {
		return k == fsys.Dir
	}
	info, err := fsy.Lstat(path)
	return err == nil && info.Kind == fsys.Dir
}
