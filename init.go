package haz

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// ExistingWorkspaceError says why no workspace is made in a directory (AUX-002).
type ExistingWorkspaceError struct {
	Path   string // on the host: what is in the way
	Reason string
}

func (e *ExistingWorkspaceError) Error() string { return e.Reason + ": " + e.Path }

// ProjectFile is a haz.yml to be made.
type ProjectFile struct {
	Root string // of the project: "/lib"
	Data []byte
}

// InitWorkspace makes a directory (an absolute host path) an explicit workspace without projects: it writes
// .haz/workspace.yml, and nothing else (AUX-007). It refuses, and changes nothing, when that file exists in any form, or when
// .haz is something else than a directory or a link to one; the error is then *ExistingWorkspaceError. A .haz that holds
// other things is no obstacle: an implicit workspace has one after its first run.
func InitWorkspace(dir string, opts ...Option) error {
	return InitProjects(dir, nil, []byte("projects: []\n"), opts...)
}

// InitProjects is InitWorkspace with projects and the text of the workspace file. All project files are written before the
// workspace file, so that a broken run never leaves a workspace that names missing files; nothing is taken back. A haz.yml
// that exists is never touched: it is an error (AUX-006).
func InitProjects(dir string, projects []ProjectFile, workspaceFile []byte, opts ...Option) error {
	o, err := openHost(context.Background(), dir, opts)
	if err != nil {
		return err
	}
	for _, p := range projects {
		if err := withinRoot(p.Root); err != nil {
			return err
		}
	}
	missing, err := mayInit(o.host, dir)
	if err != nil {
		return err
	}
	for _, p := range projects {
		name := dir + p.Root + "/" + layout.ProjectFile
		if _, err := o.host.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists already, and is not touched", name)
		}
		if err := writeFlushed(o.host, name, p.Data); err != nil {
			return err
		}
	}
	if missing {
		if err := o.host.Mkdir(dir+layout.Dir, 0o777); err != nil {
			return err
		}
	}
	return writeFlushed(o.host, dir+layout.WorkspaceFile, workspaceFile)
}

// MayInit says whether InitWorkspace would refuse a directory, with its error.
func MayInit(dir string, opts ...Option) error {
	o, err := openHost(context.Background(), dir, opts)
	if err != nil {
		return err
	}
	_, err = mayInit(o.host, dir)
	return err
}

// mayInit is MayInit, and tells whether there is no .haz yet.
func mayInit(host fsys.FS, dir string) (missing bool, err error) {
	haz, file := dir+layout.Dir, dir+layout.WorkspaceFile
	switch _, err := host.Lstat(file); {
	case err == nil:
		return false, &ExistingWorkspaceError{Path: file, Reason: "there is an existing workspace"}
	case !fsys.Absent(err):
		return false, fmt.Errorf("%s cannot be looked at: %w", file, err)
	}
	if _, err := host.Lstat(haz); errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if info, err := host.StatInfo(haz); err != nil || info.Kind != fsys.Dir {
		return false, &ExistingWorkspaceError{Path: haz, Reason: "not a directory, so there can be no workspace"}
	}
	return false, nil
}

// writeFlushed writes a file through a temporary sibling that is flushed before it is renamed (AUX-006): what a person
// has confirmed must not be lost to a power cut.
func writeFlushed(host fsys.FS, name string, data []byte) error {
	return fsys.ReplaceFile(host, name, 0o666, func(f fsys.SyncWriter) error {
		if _, err := f.Write(data); err != nil {
			return err
		}
		return f.Sync()
	})
}
