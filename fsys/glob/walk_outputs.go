package glob

import (
	"context"
	"errors"
	"fmt"

	"github.com/haz-build/haz/fsys"
)

// OutputsFound is what a walk for outputs saw (chapter 2, 4.6).
type OutputsFound struct {
	Matches []Match   // sorted by path, each once; links are not followed but in fixed prefixes inside the workspace
	Missing []Pattern // literal patterns with nothing there
	// Hidden lists what could hide a match and so makes the result not storable: sentences that name the path.
	Hidden []string
}

// Outputs walks the output patterns of a task: never out of the workspace, directory links only inside a fixed prefix (S-17).
// Directories are matches of globs only when empty; literal patterns yield whatever lies there. What cannot be read is
// Hidden, not an error; the error is that of ctx, or trouble with a thing that matches.
func (t *Tree) Outputs(ctx context.Context, patterns []Pattern) (OutputsFound, error) {
	w := outputWalk{t: t, ctx: ctx}
	for i, p := range patterns {
		if p.p == nil {
			continue
		}
		w.index = i
		var err error
		if p.IsLiteral() {
			err = w.literal(p)
		} else {
			err = w.glob(p)
		}
		if err != nil {
			return OutputsFound{}, err
		}
	}
	w.found.Matches = w.all.sorted()
	return w.found, nil
}

type outputWalk struct {
	t     *Tree
	ctx   context.Context
	index int
	g     *program
	all   matches
	found OutputsFound
}

func (w *outputWalk) hide(format string, args ...any) {
	w.found.Hidden = append(w.found.Hidden, fmt.Sprintf(format, args...))
}

// prefix judges a fixed prefix: whether it can be looked into.
func (w *outputWalk) prefix(dir string) (there bool) {
	real, err := w.t.fs.RealPath(dir)
	switch {
	case err == nil:
		return !w.t.hidden(real) && !w.t.hidden(dir)
	case errors.Is(err, fsys.ErrOutside):
		w.hide("%s leads out of the workspace", dir)
	case !leadsNowhere(err):
		w.hide("%s cannot be examined: %v", dir, err)
	}
	return false
}

func (w *outputWalk) literal(p Pattern) error {
	path := p.p.path
	if w.t.hidden(path) {
		w.found.Missing = append(w.found.Missing, p)
		return nil
	}
	hidden := len(w.found.Hidden)
	if !w.prefix(parent(path)) {
		if len(w.found.Hidden) == hidden {
			w.found.Missing = append(w.found.Missing, p)
		}
		return nil
	}
	info, err := w.t.fs.Lstat(path)
	if err != nil {
		if leadsNowhere(err) {
			w.found.Missing = append(w.found.Missing, p)
			return nil
		}
		w.hide("%s cannot be examined: %v", path, err)
		return nil
	}
	return w.add(path, info, false)
}

func (w *outputWalk) add(path string, info fsys.Info, empty bool) error {
	m, err := w.t.newMatch(path, info, w.index)
	if err != nil {
		return fmt.Errorf("%s cannot be examined: %w", path, err)
	}
	m.Empty = empty
	w.all.list = append(w.all.list, m)
	return nil
}

func (w *outputWalk) glob(p Pattern) error {
	if !w.prefix(p.p.path) {
		return nil
	}
	w.g = p.p.glob
	return w.enter(p.p.path, w.g.begin())
}

func (w *outputWalk) enter(dir string, at []int32) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := w.t.list(dir)
	if err != nil {
		if !gone(err) {
			w.hide("the folder %s cannot be read: %v", dir, err)
		}
		return nil
	}
	for _, e := range entries {
		next, end := w.g.step(at, e.Name, e.Name == gitName)
		if !end && len(next) == 0 {
			continue
		}
		path := below(dir, "/"+e.Name)
		if w.t.hidden(path) {
			continue
		}
		if err := w.entry(path, e.Kind, next, end); err != nil {
			return err
		}
	}
	return nil
}

func (w *outputWalk) entry(path string, kind fsys.Kind, next []int32, end bool) error {
	switch kind {
	case fsys.File, fsys.Link:
		info, err := w.t.fs.Lstat(path)
		switch {
		case err != nil && gone(err):
			return nil
		case err != nil:
			w.hide("%s cannot be examined: %v", path, err)
			return nil
		case end:
			return w.add(path, info, false)
		}
		if kind == fsys.Link { // never entered; but if something below it could match, it hides that
			if target, err := w.t.fs.StatInfo(path); err == nil && target.Kind == fsys.Dir {
				w.hide("%s is a link to a folder, and what lies behind it could match but is not followed", path)
			}
		}
	case fsys.Dir:
		if end {
			if entries, err := w.t.list(path); err == nil && len(entries) == 0 {
				if info, err := w.t.fs.Lstat(path); err == nil && info.Kind == fsys.Dir {
					return w.add(path, info, true)
				}
			}
		}
		if len(next) > 0 {
			return w.enter(path, next)
		}
	}
	return nil
}
