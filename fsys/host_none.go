//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package fsys

import (
	"errors"
	"runtime"
)

// Host fails: the real file system of this platform is not supported.
func Host(dir string) (FS, error) {
	return nil, pathError("open", dir, errors.Join(errors.ErrUnsupported, errors.New(runtime.GOOS+": no real file system")))
}
