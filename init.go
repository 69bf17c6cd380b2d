package haz

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
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

// NewFile is a file of a workspace to be made.
type NewFile struct {
	Name string // from the root of the workspace: "/lib/haz.yml", "/.haz/tasks/build.yml"
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
	var files []NewFile
	for _, p := range projects {
		if err := withinRoot(p.Root); err != nil {
			return err
		}
		files = append(files, NewFile{path.Join(p.Root, layout.ProjectFile), p.Data})
	}
	return InitFiles(dir, append(files, NewFile{layout.WorkspaceFile, workspaceFile}), opts...)
}

// InitFiles is InitWorkspace with files, which are written in their order: the workspace file belongs at the end. Folders of theirs below
// /.haz are made. A file that exists is never touched: it is an error, and what stands before it in the list was written (AUX-006).
func InitFiles(dir string, files []NewFile, opts ...Option) error {
	o, err := openHost(context.Background(), dir, opts)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := withinRoot(f.Name); err != nil {
			return err
		}
	}
	if err := mayInit(o.host, dir); err != nil {
		return err
	}
	for _, f := range files {
		name := dir + f.Name
		if _, err := o.host.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists already, and is not touched", name)
		}
		if pattern.IsBelow(f.Name, layout.Dir) {
			if err := o.host.MkdirAll(path.Dir(name), 0o777); err != nil {
				return err
			}
		}
		if err := writeFlushed(o.host, name, f.Data); err != nil {
			return err
		}
	}
	return nil
}

// MayInit says whether InitWorkspace would refuse a directory, with its error.
func MayInit(dir string, opts ...Option) error {
	o, err := openHost(context.Background(), dir, opts)
	if err != nil {
		return err
	}
	return mayInit(o.host, dir)
}

func mayInit(host fsys.FS, dir string) error {
	haz, file := dir+layout.Dir, dir+layout.WorkspaceFile
	switch _, err := host.Lstat(file); {
	case err == nil:
		return &ExistingWorkspaceError{Path: file, Reason: "there is an existing workspace"}
	case !fsys.Absent(err):
		return fmt.Errorf("%s cannot be looked at: %w", file, err)
	}
	if _, err := host.Lstat(haz); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if info, err := host.StatInfo(haz); err != nil || info.Kind != fsys.Dir {
		return &ExistingWorkspaceError{Path: haz, Reason: "not a directory, so there can be no workspace"}
	}
	return nil
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
