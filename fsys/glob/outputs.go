package glob

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
)

// OutputsFound is what a walk for outputs saw (chapter 2, 4.6).
type OutputsFound struct {
	Matches []Match   // sorted by path, each once; links are not followed but in fixed prefixes inside the workspace
	Missing []Pattern // literal patterns with nothing there
	// Hidden lists what could hide a match and so makes the result not storable: sentences that name the path.
	Hidden []string
}

// Outputs walks the output patterns of a task: never out of the workspace, directory links only inside a fixed prefix.
// Directories are matches of globs only when empty; literal patterns yield whatever lies there. The only error is that of
// ctx: what cannot be read is Hidden.
//
// A literal behind a link that leads out of the workspace is Hidden, and Missing too when nothing is there.
func (t *Tree) Outputs(ctx context.Context, patterns []Pattern) (OutputsFound, error) {
	var out OutputsFound
	m := newMatches(patterns)
	for i, p := range patterns {
		if err := ctx.Err(); err != nil {
			return OutputsFound{}, err
		}
		if p.p == nil {
			continue
		}
		w := outputWalk{walk: walk{ctx: ctx, tree: t, glob: p.p.glob, index: i, found: m}, text: p.p.text, out: &out}
		if p.p.glob == nil {
			if !w.literal(p.p.path) {
				out.Missing = append(out.Missing, p)
			}
			continue
		}
		dir, state := w.descend(p.p.path)
		if state == prefixThere {
			w.visit(dir, w.glob.begin())
		}
	}
	if err := ctx.Err(); err != nil {
		return OutputsFound{}, err
	}
	out.Matches = m.sorted()
	slices.Sort(out.Hidden)
	out.Hidden = slices.Compact(out.Hidden)
	return out, nil
}

// outputWalk is the walk of one output pattern.
type outputWalk struct {
	walk
	text string
	out  *OutputsFound
}

// directory is a directory of an output walk, by the path that the pattern has for it and by the one without links.
type directory struct {
	path, real string
}

func (d directory) through() bool { return d.path != d.real }

func (d directory) child(name string) directory {
	if !d.through() {
		path := child(d.path, name)
		return directory{path, path}
	}
	return directory{child(d.path, name), child(d.real, name)}
}

func (w *outputWalk) hide(format ...string) {
	w.out.Hidden = append(w.out.Hidden, strings.Join(format, ""))
}

func (w *outputWalk) unreadable(path string, err error) {
	w.hide("`", path, "` cannot be read: ", reason(err))
}

type prefixState uint8

const (
	prefixThere   prefixState = iota
	prefixMissing             // nothing is there, or nothing that a pattern may see
	prefixHidden              // it was said in Hidden
	prefixOutside             // likewise; it leads out of the workspace
)

// descend goes along a fixed prefix. Links are followed only where they stay in the workspace and out of `.haz` (S-17).
func (w *outputWalk) descend(prefix string) (directory, prefixState) {
	d := directory{"/", "/"}
	for rest := prefix[1:]; rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		d, rest = d.child(name), more
		if w.tree.hides(d.real) {
			return d, prefixMissing
		}
		if !d.through() && w.tree.isReal(d.path) {
			continue
		}
		info, err := w.tree.fs.Lstat(d.path)
		if err == nil && info.Kind == fsys.Link {
			d.real, info, err = w.follow(d.path)
			if errors.Is(err, fsys.ErrOutside) {
				w.hide("`", d.path, "` leads out of the workspace")
				return d, prefixOutside
			}
		}
		switch {
		case err != nil && isAbsent(err):
			return d, prefixMissing
		case err != nil:
			w.unreadable(d.path, err)
			return d, prefixHidden
		case info.Kind != fsys.Dir || w.tree.hides(d.real):
			return d, prefixMissing
		case d.through() && isOrBelow(d.real, "/.haz"):
			w.hide("`", d.path, "` leads into `/.haz`")
			return d, prefixHidden
		}
		if !d.through() {
			w.tree.setReal(d.path)
		}
	}
	return d, prefixThere
}

// follow looks where the link at path leads.
func (w *outputWalk) follow(path string) (real string, target fsys.Info, err error) {
	if real, err = w.tree.fs.RealPath(path); err != nil {
		return path, target, err
	}
	target, err = w.tree.fs.Lstat(real)
	return real, target, err
}

// literal looks at a literal's path, and says whether it counts as produced.
func (w *outputWalk) literal(path string) bool {
	if w.found.has(path) {
		w.found.literal(path)
		return true
	}
	d, state := w.descend(parent(path))
	switch state {
	case prefixMissing:
		return false
	case prefixHidden:
		return true
	case prefixOutside:
		_, err := w.tree.fs.Lstat(path)
		return err == nil || !isAbsent(err)
	}
	if w.tree.hides(d.child(path[strings.LastIndexByte(path, '/')+1:]).real) {
		return false
	}
	return w.add(path, Match{Pattern: w.index, Literal: true})
}

// add looks at a match and collects it, and says whether something is there.
func (w *outputWalk) add(path string, like Match) bool {
	m, ok, err := w.tree.look(path)
	switch {
	case ok: // what a link leads to may be out of reach: the link is the output
	case err != nil:
		w.unreadable(path, err)
		return true
	default:
		return false
	}
	m.Pattern, m.Literal = like.Pattern, like.Literal
	w.found.add(m)
	return true
}

func (w *outputWalk) visit(dir directory, at []int32) {
	entries, err := w.entries(dir.path, dir.through(), at)
	if err != nil {
		if !isAbsent(err) && w.ctx.Err() == nil {
			w.unreadable(dir.path, err)
		}
		return
	}
	for _, e := range entries {
		next, end := w.glob.step(at, e.Name, e.Name == gitName)
		if !end && len(next) == 0 {
			continue
		}
		d := dir.child(e.Name)
		if d.through() && w.tree.hides(d.real) {
			continue
		}
		w.thing(d, e.Kind, next, end)
	}
}

// thing deals with what lies at d: end says that it matches, next are the places below it. A listing may be older than
// what lies there, so a match is judged by a look of its own.
func (w *outputWalk) thing(d directory, kind fsys.Kind, next []int32, end bool) {
	if kind == fsys.Dir {
		w.dir(d, next, end)
		return
	}
	if kind == fsys.Special || kind == fsys.File && !end || end && len(next) == 0 && w.found.has(d.path) {
		return
	}
	m, ok, err := w.tree.look(d.path)
	if !ok {
		if err != nil {
			w.unreadable(d.path, err)
		}
		return
	}
	switch m.Info.Kind {
	case fsys.Dir:
		w.dir(d, next, end)
	case fsys.Link:
		switch {
		case end:
			w.collect(m)
		case err != nil:
			w.unreadable(d.path, err)
		case m.Target.Kind == fsys.Dir:
			// It is not entered, so it may hide a match.
			w.hide("`", d.path, "` is a link to a directory, and a path below it could match `", w.text, "`")
		}
	case fsys.File:
		if end {
			w.collect(m)
		}
	}
}

func (w *outputWalk) collect(m Match) {
	if !w.found.has(m.Path) {
		m.Pattern = w.index
		w.found.add(m)
	}
}

func (w *outputWalk) dir(d directory, next []int32, end bool) {
	if len(next) > 0 {
		w.visit(d, next)
	}
	if !end || w.found.has(d.path) {
		return
	}
	empty, err := w.isEmpty(d.path, d.through())
	if err != nil && !isAbsent(err) {
		w.unreadable(d.path, err)
	}
	if !empty {
		return
	}
	if m, ok, err := w.tree.look(d.path); ok && m.Info.Kind == fsys.Dir {
		m.Empty = true
		w.collect(m)
	} else if !ok && err != nil {
		w.unreadable(d.path, err)
	}
}
