package load

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace"
)

const markerGit = ".git"

// Files are named from the root, without a slash in front.
var (
	workspaceFile = layout.WorkspaceFile[1:]
	overlayDir    = layout.TasksDir[1:]
)

// Find walks up from dir (an absolute host path) to the root of a workspace (DISC-001 … DISC-004). host is the file system of
// the machine. The root is canonical: it has no symbolic links. Nothing is written (DISC-030). The error is *diag.Errors.
//
// The nearest directory with a marker is the root: a directory .haz makes it explicit, a directory or file .git implicit. A
// .haz without workspace.yml beside a .git or a haz.yml does not count: it is where an implicit workspace keeps its cache.
// Where no directory has a marker, the nearest one with a haz.yml is the root, and implicit: a build context or a release
// archive, which leave .git out. It comes last, since a project of a workspace has a haz.yml too.
func Find(host fsys.FS, dir string) (root string, mode workspace.Mode, err error) {
	start, err := realStart(host, dir)
	if err != nil {
		return "", 0, err
	}
	root, mode, d := climb(host, start)
	switch {
	case d != nil:
		return "", 0, one(*d)
	case root == "":
		return "", 0, one(diag.Diagnostic{Code: "DISC-002",
			Message: fmt.Sprintf("no workspace: neither %s nor any directory above it has a directory .haz, an entry .git or a file haz.yml", diag.Quote(start)),
			Hint: "for one project: a haz.yml here, with `name: " + nameFor(start) +
				"` and `tasks: {default: {shell: echo hello}}`; for several, each in a folder of its own: haz init"})
	}
	return root, mode, nil
}

// realStart is a directory without links.
func realStart(host fsys.FS, dir string) (string, error) {
	start, err := host.RealPath(path.Clean("/" + dir))
	if err != nil {
		return "", one(diag.Diagnostic{Code: "DISC-001", Place: diag.Place{File: dir},
			Message: "the start directory cannot be examined", Causes: []string{fsys.Cause(err).Error()}})
	}
	return start, nil
}

// find is Find, or the directory itself where files do not say what the workspace is.
func (o *Options) find(host fsys.FS, dir string) (root string, mode workspace.Mode, err error) {
	if o.Declared == nil {
		return Find(host, dir)
	}
	root, err = realStart(host, dir)
	return root, workspace.Explicit, err
}

func one(d diag.Diagnostic) error { return &diag.Errors{List: diag.List{d}} }

// nameFor makes a project name of a directory's.
func nameFor(dir string) string {
	name := path.Base(dir)
	if workspace.CheckName(name) != nil {
		return "app"
	}
	return name
}

// climb looks for markers from dir upwards. The root is "" when there is none.
func climb(host fsys.FS, dir string) (root string, mode workspace.Mode, trouble *diag.Diagnostic) {
	for start := dir; ; {
		haz, d := marker(host, path.Join(dir, layout.Name))
		if d != nil {
			return "", 0, d
		}
		git, d := marker(host, path.Join(dir, markerGit))
		if d != nil {
			return "", 0, d
		}
		isGit := git == fsys.Dir || git == fsys.File
		switch {
		case haz == fsys.Dir && (exists(host, path.Join(dir, workspaceFile)) || !isGit && !hasProject(host, dir)):
			return dir, workspace.Explicit, nil
		case isGit:
			return dir, workspace.Implicit, nil
		case dir == "/":
			return nearestProject(host, start)
		}
		dir = path.Dir(dir)
	}
}

// nearestProject is the nearest directory with a haz.yml, from dir upwards.
func nearestProject(host fsys.FS, dir string) (root string, mode workspace.Mode, trouble *diag.Diagnostic) {
	for {
		switch {
		case hasProject(host, dir):
			return dir, workspace.Implicit, nil
		case dir == "/":
			return "", 0, nil
		}
		dir = path.Dir(dir)
	}
}

// hasProject reports whether a directory has a haz.yml that is a file, or a link to one.
func hasProject(host fsys.FS, dir string) bool {
	info, err := host.StatInfo(path.Join(dir, layout.ProjectFile))
	return err == nil && info.Kind == fsys.File
}

// marker says what a name leads to: Unknown for nothing and for a link to nothing, which are no markers.
func marker(host fsys.FS, name string) (fsys.Kind, *diag.Diagnostic) {
	info, err := host.StatInfo(name)
	switch {
	case err == nil:
		return info.Kind, nil
	case errors.Is(err, fs.ErrNotExist):
		return fsys.Unknown, nil
	}
	return fsys.Unknown, &diag.Diagnostic{Code: "DISC-001", Place: diag.Place{File: name},
		Message: "this would mark the root of a workspace, and cannot be examined", Causes: []string{fsys.Cause(err).Error()}}
}

// exists reports whether anything at all lies at name, a dangling link included.
func exists(f fsys.FS, name string) bool {
	_, err := f.Lstat(name)
	return err == nil
}

// outer finds the explicit workspace around an implicit one; "" when there is none. It is asked only for the sake of a
// message, so trouble on the way is none.
func outer(host fsys.FS, root string) string {
	for root != "/" {
		found, mode, trouble := climb(host, path.Dir(root))
		switch {
		case trouble != nil || found == "":
			return ""
		case mode == workspace.Explicit:
			return found
		}
		root = found
	}
	return ""
}

// Inside is the workspace-absolute path of a host path, without links; "" when it lies outside.
func Inside(w *workspace.Workspace, host fsys.FS, dir string) string {
	real, err := host.RealPath(path.Clean("/" + dir))
	switch {
	case err != nil:
		return ""
	case w.Root == "/":
		return real
	}
	rest, found := strings.CutPrefix(real, w.Root)
	if !found || rest != "" && rest[0] != '/' {
		return ""
	}
	return path.Clean("/" + rest)
}

// Bearing is the project whose directory contains dir, a host path (EXEC-022); nil when none. Links in dir are resolved, as
// they are in the directories of projects; of nested projects it is the innermost.
func Bearing(w *workspace.Workspace, host fsys.FS, dir string) *workspace.Project {
	inside := Inside(w, host, dir)
	if inside == "" {
		return nil
	}
	byDir := make(map[string]*workspace.Project, len(w.Projects))
	for _, p := range w.Projects {
		byDir[p.Dir] = p
	}
	for {
		if p := byDir[inside]; p != nil {
			return p
		}
		if inside == "/" {
			return nil
		}
		inside = path.Dir(inside)
	}
}
