package haz

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/git"
	"github.com/haz-build/haz/workspace/load"
)

// redefined are the tasks that are not what they were at the base. The base's definitions are read and compared only when something
// changed that could make a difference; that a file changed is no difference yet. When they cannot be read, every task may be another one.
func (w *Workspace) redefined(ctx context.Context, what git.Changes, r *Selected) ([]int, error) {
	files := append(slices.Clone(what.Paths), w.unknown(what)...)
	readers := w.readers(files)
	locks := w.lockFiles()
	also := func(name string) bool { return load.Declares(readers, name) || locks[name] }
	declares := func(name string) bool { return isDefinition(name) || also(name) }
	if len(what.NestedDirs) == 0 && !slices.ContainsFunc(files, declares) {
		return nil, nil
	}
	base, root, err := w.baseGraph(ctx, what.Base, also)
	if err == nil {
		defer root.Close()
		return append(w.G.Differing(base), w.relocked(ctx, side{base.W, root}, side{w.W, w.FS}, nil)...), ctx.Err()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r.Warnings = append(r.Warnings, incomparable("every task counts as affected: the definitions of the base cannot be compared with", err))
	all := make([]int, len(w.W.Tasks))
	for i := range all {
		all[i] = i
	}
	return all, nil
}

// lockedOtherwise are the tasks with $lock of a lock file that changed, whose projects reach something else in it than they did in what was compared
// with: in the work tree or, where only what is staged counts, in the index. Where one of the two cannot be read, all that have it.
func (w *Workspace) lockedOtherwise(ctx context.Context, what git.Changes, r *Selected) ([]int, error) {
	if len(what.NestedDirs) == 0 && !slices.ContainsFunc(what.Paths, func(p string) bool { return w.lockFiles()[p] }) {
		return nil, nil
	}
	also := func(name string) bool { return load.Declares(load.Readers(), name) || w.lockFiles()[name] }
	was, err := w.sideOf(ctx, what.Base, also)
	is := side{w.W, w.FS}
	if err == nil {
		defer was.files.Close()
		if what.Staged != nil {
			if is, err = w.sideOf(ctx, what.Staged, also); err == nil {
				defer is.files.Close()
			}
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		r.Warnings = append(r.Warnings, incomparable("lock files count whole: what they were cannot be compared with", err))
		return w.G.Affected(what.Paths, what.NestedDirs), nil
	}
	return w.relocked(ctx, was, is, func(l *workspace.Lock) bool {
		return slices.ContainsFunc(l.Files, func(name string) bool {
			return slices.Contains(what.Paths, name) || slices.ContainsFunc(what.NestedDirs, func(dir string) bool { return pattern.IsOrBelow(name, dir) })
		})
	}), ctx.Err()
}

// incomparable says why a workspace of another time cannot be read, and what follows.
func incomparable(what string, err error) diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Warning, Code: "EXEC-026", Message: what}
	var said *diag.Errors
	var asked *git.Error
	switch {
	case errors.As(err, &said) && len(said.List) > 0:
		d.Causes = []string{said.List[0].Message}
		if file := said.List[0].Place.File; file != "" {
			d.Causes[0] = diag.Escape(file) + ": " + d.Causes[0]
		}
	case errors.As(err, &asked):
		d.Causes = append([]string{asked.Message}, asked.Causes...)
		d.Hint = asked.Hint
	default:
		d.Causes = []string{err.Error()}
	}
	return d
}

// readers are those of manifests that count now or, where the file that says it changed, may have counted at the base.
func (w *Workspace) readers(changed []string) []string {
	switch {
	case slices.Contains(changed, layout.WorkspaceFile):
		return load.Readers()
	case w.W.Inferred != nil:
		return w.W.Inferred.Readers
	}
	return nil
}

// isDefinition reports whether a file may declare something.
func isDefinition(name string) bool {
	return path.Base(name) == layout.ProjectFile || name == layout.Dir || name == layout.WorkspaceFile || pattern.IsOrBelow(name, layout.TasksDir)
}

// unknown are the definition files that git does not know, since it ignores them: whether they changed cannot be told. One that
// is reached through a link is known by another name.
func (w *Workspace) unknown(what git.Changes) []string {
	var list []string
	add := func(file string) {
		if _, tracked := slices.BinarySearch(what.Tracked, file); tracked {
			return
		}
		if real, err := w.FS.RealPath(file); err == nil && real == file {
			list = append(list, file)
		}
	}
	if w.W.Mode == workspace.Explicit {
		add(layout.WorkspaceFile)
	}
	for _, o := range w.W.Overlays {
		add("/" + o.File)
	}
	for _, p := range w.W.Projects {
		if p.File != "" {
			add("/" + p.File)
		}
	}
	return list
}

// baseGraph loads the workspace as it was at the base, from git's objects, with what else is asked for beside definitions. The caller closes
// its file system.
func (w *Workspace) baseGraph(ctx context.Context, b *git.Base, also func(name string) bool) (*graph.Graph, fsys.FS, error) {
	was, err := w.sideOf(ctx, b, also)
	if err != nil {
		return nil, nil, err
	}
	g, list := graph.Build(was.w)
	if g == nil {
		_ = was.files.Close()
		return nil, nil, &diag.Errors{List: list}
	}
	return g, was.files, nil
}

// side is a workspace as it was, is or will be.
type side struct {
	w     *workspace.Workspace
	files fsys.FS
}

// sideOf loads the one that a commit or the index has.
func (w *Workspace) sideOf(ctx context.Context, b *git.Base, also func(name string) bool) (side, error) {
	tree, err := b.Tree(ctx, also)
	if err != nil {
		return side{}, err
	}
	host, err := plantTree(tree)
	if err != nil {
		return side{}, err
	}
	was, root, err := load.Workspace(ctx, host, path.Join(baseRoot, tree.Root), load.Options{})
	return side{was, root}, err
}

// baseRoot is where the repository of the base lies in memory.
const baseRoot = "/base"

// plantTree makes a file system in memory of what git knows. Files that declare nothing are left out.
func plantTree(t *git.Tree) (fsys.FS, error) {
	host := fsys.Memory()
	// So that a base without a workspace file is what it would be in a work tree of git.
	if err := host.MkdirAll(path.Join(baseRoot, t.Root, ".git"), 0o755); err != nil {
		return nil, err
	}
	for _, dir := range t.Dirs {
		if err := host.MkdirAll(baseRoot+dir, 0o755); err != nil {
			return nil, err
		}
	}
	for name, text := range t.Files {
		f, err := host.Create(baseRoot + name)
		if err != nil {
			return nil, err
		}
		if _, err = f.WriteString(text); err == nil {
			err = f.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	for name, text := range t.Links {
		if err := host.Symlink(text, baseRoot+name); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return host, nil
}
