package glob

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/haz-build/haz/fsys"
)

// Directories expands one glob of the workspace's project list (chapter 1, 2.2) to the directories that match, sorted.
//
// Symlinked directories are followed and judged by their canonical path, so a link that leads elsewhere in the workspace may
// select nothing (DISC-020). A link that leads out is not followed, and an error when its own path matches: an
// *fs.PathError with that path and fsys.ErrOutside (DISC-022). A directory is visited once, by identity. A wildcard never
// selects the root, .haz or anything in it, or a directory named ".git".
func (t *Tree) Directories(ctx context.Context, p Pattern) ([]string, error) {
	if p.p == nil {
		return nil, nil
	}
	w := projectWalk{t: t, ctx: ctx, p: p, seen: map[string]bool{}}
	if p.IsLiteral() {
		if info, err := t.fs.StatInfo(p.p.path); err == nil && info.Kind == fsys.Dir {
			return []string{p.p.path}, nil
		}
		return nil, nil
	}
	start, err := t.fs.RealPath(p.p.path)
	switch {
	case errors.Is(err, fsys.ErrOutside):
		return nil, &fs.PathError{Op: "expand", Path: p.p.path, Err: fsys.ErrOutside}
	case err != nil && leadsNowhere(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := w.enter(start, p.p.path); err != nil {
		return nil, err
	}
	slices.Sort(w.found)
	return slices.Compact(w.found), nil
}

type projectWalk struct {
	t     *Tree
	ctx   context.Context
	p     Pattern
	seen  map[string]bool // canonical paths entered: a directory has one
	found []string
}

const hazDir = "/.haz"

// enter looks at the directories in a canonical directory; alias is the path under which the walk came there.
func (w *projectWalk) enter(dir, alias string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.seen[dir] {
		return nil
	}
	w.seen[dir] = true
	entries, err := w.t.list(dir)
	if err != nil {
		if gone(err) {
			return nil
		}
		return unreadable(dir, err)
	}
	var links []string
	for _, e := range entries {
		path := below(dir, "/"+e.Name)
		switch e.Kind {
		case fsys.Dir:
			if err := w.directory(path, below(alias, "/"+e.Name)); err != nil {
				return err
			}
		case fsys.Link:
			links = append(links, e.Name)
		}
	}
	for _, name := range links {
		if err := w.link(below(dir, "/"+name), below(alias, "/"+name)); err != nil {
			return err
		}
	}
	return nil
}

func (w *projectWalk) directory(path, alias string) error {
	if path == "/" || isOrBelow(path, hazDir) {
		return nil
	}
	if w.p.Match(path) {
		w.found = append(w.found, path)
	}
	if w.p.MayMatchBelow(path) || w.p.MayMatchBelow(alias) {
		return w.enter(path, alias)
	}
	return nil
}

func (w *projectWalk) link(path, alias string) error {
	matches, may := w.p.Match(path), w.p.MayMatchBelow(path)
	if !matches && !may {
		return nil
	}
	info, err := w.t.fs.StatInfo(path)
	if err != nil || info.Kind != fsys.Dir {
		return nil // a link to nothing or to a file selects nothing
	}
	real, err := w.t.fs.RealPath(path)
	switch {
	case errors.Is(err, fsys.ErrOutside) && matches:
		return &fs.PathError{Op: "expand", Path: path, Err: fsys.ErrOutside}
	case err != nil:
		return nil
	}
	if w.seen[real] {
		return nil
	}
	return w.directory(real, alias)
}
