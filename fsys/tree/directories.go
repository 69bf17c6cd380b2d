package tree

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// A DirectoryError says why an entry of the project list cannot be expanded. For DISC-022 it unwraps to a *fs.PathError of
// the link with fsys.ErrOutside.
type DirectoryError struct {
	Rule   string // DISC-005: the root; DISC-007: missing, or no directory; DISC-022: outside of the workspace; PATH-002: name
	Entry  pattern.Pattern
	Path   string // the directory, or the link, workspace-absolute; bytes
	Link   string // text of the link at Path, "" when it is none
	Reason string // a sentence without the path: "is a regular file"
	Err    error  // the cause, or nil
}

func (e *DirectoryError) Error() string { return "`" + e.Path + "` " + e.Reason }
func (e *DirectoryError) Unwrap() error { return e.Err }

// Directories expands one entry of the workspace's project list (chapter 1, 2.2) to the directories that match, sorted and
// without links in their paths.
//
// A glob gives those real directories whose path matches. Directories that links lead to are judged by where they are, so
// that links add nothing; only a link whose own path matches, and that leads to a directory outside of the workspace, is an
// error (DISC-022). A literal gives the one directory that it leads to. What is wrong is a *DirectoryError, or a
// *WalkError for a directory that cannot be read; several are joined, in the order of their paths, and stand beside the
// directories that are right. No match at all is no error here.
func (t *Tree) Directories(ctx context.Context, p pattern.Pattern) ([]string, error) {
	if p.IsZero() {
		return nil, ctx.Err()
	}
	w := &directoryWalk{walker: walker{ctx: ctx, tree: t, glob: p.Program(), found: &matches{}, whole: true}, entry: p}
	w.guide = w
	if w.glob == nil {
		w.literal(p.Path())
	} else if real, err := t.fs.RealPath(p.Path()); err == nil && real == p.Path() && !t.hides(real) {
		// Where the fixed prefix leads through a link, no path below it is its own canonical one.
		_ = w.visit(placeOf(real), w.glob.Begin()) // nothing but ctx ends it
	} else if errors.Is(err, fsys.ErrOutside) || err != nil && !fsys.LeadsNowhere(err) {
		w.prefix(p.Path(), err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.Sort(w.dirs)
	slices.SortFunc(w.errs, func(a, b pathError) int { return strings.Compare(a.path, b.path) })
	errs := make([]error, len(w.errs))
	for i, e := range w.errs {
		errs[i] = e.err
	}
	return w.dirs, errors.Join(errs...)
}

type pathError struct {
	path string
	err  error
}

type directoryWalk struct {
	walker
	entry pattern.Pattern
	dirs  []string
	errs  []pathError
}

func (w *directoryWalk) fail(path string, err error) { w.errs = append(w.errs, pathError{path, err}) }

func (w *directoryWalk) failEntry(rule, path, link, reason string, cause error) {
	w.fail(path, &DirectoryError{Rule: rule, Entry: w.entry, Path: path, Link: link, Reason: reason, Err: cause})
}

// add takes a directory that matches.
func (w *directoryWalk) add(dir string) {
	if reason := pattern.BadPath(dir); reason != "" {
		w.failEntry("PATH-002", dir, "", "has a name that no project may have: "+reason, nil)
		return
	}
	w.dirs = append(w.dirs, dir)
}

func (w *directoryWalk) literal(path string) {
	if w.tree.hides(path) {
		w.failEntry("DISC-007", path, "", "belongs to haz", nil)
		return
	}
	real, err := w.tree.fs.RealPath(path)
	switch {
	case errors.Is(err, fsys.ErrOutside):
		w.outside(path, err)
		return
	case err != nil:
		text, readErr := w.tree.fs.Readlink(path)
		switch {
		case !fsys.LeadsNowhere(err):
			w.fail(path, &WalkError{path, err})
		case readErr == nil:
			w.failEntry("DISC-007", path, text, "is a link to nothing", err)
		default:
			w.failEntry("DISC-007", path, "", "does not exist", err)
		}
		return
	case real == "/":
		w.failEntry("DISC-005", path, "", "leads to the root of the workspace, which cannot be a project", nil)
		return
	}
	info, err := w.tree.fs.StatInfo(real)
	switch {
	case err != nil:
		w.fail(path, &WalkError{path, err})
	case info.Kind == fsys.File:
		w.failEntry("DISC-007", path, "", "is a regular file, not a directory", nil)
	case info.Kind != fsys.Dir:
		w.failEntry("DISC-007", path, "", "is not a directory", nil)
	case w.tree.hides(real):
		w.failEntry("DISC-007", path, "", "leads to a directory that belongs to haz", nil)
	default:
		w.add(real)
	}
}

// outside reports the link in path that leads out of the workspace: the first that does.
func (w *directoryWalk) outside(path string, cause error) {
	link := path
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if _, err := w.tree.fs.RealPath(path[:i]); errors.Is(err, fsys.ErrOutside) {
			link, cause = path[:i], err
			break
		}
	}
	text, _ := w.tree.fs.Readlink(link)
	w.failEntry("DISC-022", link, text, "leads out of the workspace", cause)
}

// prefix deals with a glob's fixed prefix that cannot be followed inside the workspace. What lies outside matches nothing.
func (w *directoryWalk) prefix(path string, err error) {
	if errors.Is(err, fsys.ErrOutside) {
		w.outside(path, err)
		return
	}
	w.fail(path, &WalkError{path, err})
}

// step is step of all walks, but for haz's own folder: a wildcard selects neither layout.Dir nor what is in it.
func (w *directoryWalk) step(dir place, at []int32, name string) (next []int32, end bool) {
	own := dir.path == "/" && name == layout.Name || pattern.IsOrBelow(dir.path, layout.Dir)
	return w.glob.Step(at, name, name == pattern.GitName || own)
}

func (w *directoryWalk) wants(kind fsys.Kind, end bool) bool {
	return kind == fsys.Unknown || kind == fsys.Link && end
}

func (w *directoryWalk) folder(d place, next []int32, end bool) error {
	if end {
		w.add(d.path)
	}
	if len(next) > 0 {
		return w.visit(d, next)
	}
	return nil
}

// link deals with a link, which adds nothing: what it leads to is judged by where it is.
func (w *directoryWalk) link(d place, m Match, _ []int32, end bool, _ error) error {
	if !end {
		return nil
	}
	if _, err := w.tree.fs.RealPath(d.path); errors.Is(err, fsys.ErrOutside) && m.Target.Kind == fsys.Dir {
		w.outside(d.path, err)
	}
	return nil
}

func (w *directoryWalk) match(Match) error { return nil }

func (w *directoryWalk) trouble(path string, err error) error {
	if _, ok := err.(*WalkError); !ok {
		err = &WalkError{path, err}
	}
	w.fail(path, err)
	return nil
}
