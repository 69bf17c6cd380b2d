package cache

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

// join puts a name below a directory.
func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// isForeignKind reports whether err says that something else than a regular file lies at a name.
func isForeignKind(err error) bool {
	return errors.Is(err, fsys.ErrNotRegular) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ELOOP)
}

// writeNew makes a file that must not exist yet. A half-written one is removed.
func writeNew(fsy fsys.FS, name string, data []byte, perm fs.FileMode) error {
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

// ensureState makes sure that .haz/state is there.
func (s *site) ensureState() error { return state.MakeDir(s.ws, layout.StateDir) }

func saturatingAdd(a, b int64) int64 {
	if sum := a + b; sum >= a && sum >= b {
		return sum
	}
	return 1<<63 - 1
}
