package haz

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

// ExistingWorkspaceError says why no workspace is made in a directory (AUX-002).
type ExistingWorkspaceError struct {
	Path   string // on the host: what is in the way
	Reason string
}

func (e *ExistingWorkspaceError) Error() string { return e.Reason + ": " + e.Path }

// InitWorkspace makes a directory (an absolute host path) an explicit workspace without projects: it writes
// .haz/workspace.yml, and nothing else (AUX-007). It refuses, and changes nothing, when that file exists in any form, or when
// .haz is something else than a directory or a link to one; the error is then *ExistingWorkspaceError. A .haz that holds
// other things is no obstacle: an implicit workspace has one after its first run.
func InitWorkspace(dir string, opts ...Option) error {
	o, err := openHost(opts)
	if err != nil {
		return err
	}
	host := o.host
	haz, file := dir+"/.haz", dir+"/.haz/workspace.yml"
	switch _, err := host.Lstat(file); {
	case err == nil:
		return &ExistingWorkspaceError{Path: file, Reason: "there is an existing workspace"}
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s cannot be looked at: %w", file, err)
	}
	if _, err := host.Lstat(haz); errors.Is(err, fs.ErrNotExist) {
		if err := host.Mkdir(haz, 0o777); err != nil {
			return err
		}
	} else if info, err := host.StatInfo(haz); err != nil || info.Kind != fsys.Dir {
		return &ExistingWorkspaceError{Path: haz, Reason: "not a directory, so there can be no workspace"}
	}
	return writeFlushed(host, file, []byte("projects: []\n"))
}

// writeFlushed writes a file through a temporary sibling that is flushed before it is renamed (AUX-006): what a person
// has confirmed must not be lost to a power cut.
func writeFlushed(host fsys.FS, name string, data []byte) error {
	temp := name + ".haz-init"
	f, err := host.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = host.Rename(temp, name)
	}
	if err != nil {
		_ = host.Remove(temp)
	}
	return err
}
