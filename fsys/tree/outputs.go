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

// OutputsFound is what a walk for outputs saw (chapter 2, 4.6).
type OutputsFound struct {
	Matches []Match           // sorted by path, each once; links are not followed but in fixed prefixes inside the workspace
	Missing []pattern.Pattern // literal patterns with nothing there
	// Folders are the directories on the way to what a pattern could match, its fixed prefix first, and those that match but
	// hold something. Sorted by path, each once.
	Folders []Folder
	// Specials are FIFOs, sockets and devices that a glob matches, sorted by path.
	Specials []Match
	// Git lists what is called ".git", was met by a wildcard and is none of the task's business; sorted by path.
	Git []Match
	// Hidden lists what could hide a match and so makes the result not storable: sentences that name the path.
	Hidden []string
}

// Folder is a directory that a walk for outputs went through. None lies behind a link.
type Folder struct {
	Path   string
	Info   fsys.Info
	Prefix bool // it is the fixed prefix of a pattern
	Empty  bool // it is one, and patterns see nothing in it
}

// EnterGit says whether a wildcard of an output pattern matches the thing called ".git" at path, and what is in it: only
// the caller knows whether the task made it.
type EnterGit func(path string, info fsys.Info) bool

// Outputs walks the output patterns of a task: never out of the workspace, directory links only inside a fixed prefix.
// Directories are matches of globs only when empty; literal patterns yield whatever lies there, and of a directory what a glob
// would find below it, in place of itself. The only error is that of ctx: what cannot be read is Hidden.
//
// A literal behind a link that leads out of the workspace is Hidden, and Missing too when nothing is there.
func (t *Tree) Outputs(ctx context.Context, patterns []pattern.Pattern) (OutputsFound, error) {
	return t.OutputsAndGit(ctx, patterns, func(string, fsys.Info) bool { return false })
}

// OutputsAndGit is Outputs where wildcards match things called ".git" when enter says so. The one in the root of the
// workspace is never asked for.
func (t *Tree) OutputsAndGit(ctx context.Context, patterns []pattern.Pattern, enter EnterGit) (OutputsFound, error) {
	var out OutputsFound
	m := newMatches(patterns)
	for i, p := range patterns {
		if err := ctx.Err(); err != nil {
			return OutputsFound{}, err
		}
		if p.IsZero() {
			continue
		}
		w := &outputWalk{walker: walker{ctx: ctx, tree: t, glob: p.Program(), index: i, found: m, exclude: p.Exceptions(), outputs: true, self: p}, text: p.String(), out: &out, enterGit: enter}
		w.guide = w
		if p.Program() == nil {
			if p.IsFolder() && !w.below(p.Path()) || !p.IsFolder() && !w.literal(p.Path()) {
				out.Missing = append(out.Missing, p)
			}
			continue
		}
		w.below(p.Path())
	}
	if err := ctx.Err(); err != nil {
		return OutputsFound{}, err
	}
	out.Matches = m.sorted()
	out.Folders = eachOnce(out.Folders)
	out.Specials, out.Git = eachMatchOnce(out.Specials), eachMatchOnce(out.Git)
	slices.Sort(out.Hidden)
	out.Hidden = slices.Compact(out.Hidden)
	return out, nil
}

// outputWalk is the walk of one output pattern.
type outputWalk struct {
	walker
	text     string
	out      *OutputsFound
	enterGit EnterGit
}

// eachOnce sorts folders, and makes one of those that several patterns went through.
func eachOnce(list []Folder) []Folder {
	slices.SortFunc(list, func(a, b Folder) int { return strings.Compare(a.Path, b.Path) })
	out := list[:0]
	for _, f := range list {
		if n := len(out); n > 0 && out[n-1].Path == f.Path {
			out[n-1].Prefix, out[n-1].Empty = out[n-1].Prefix || f.Prefix, out[n-1].Empty || f.Empty
			continue
		}
		out = append(out, f)
	}
	return out
}

func eachMatchOnce(list []Match) []Match {
	slices.SortFunc(list, func(a, b Match) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(list, func(a, b Match) bool { return a.Path == b.Path })
}

func (w *outputWalk) hide(format ...string) {
	w.out.Hidden = append(w.out.Hidden, strings.Join(format, ""))
}

func (w *outputWalk) unreadable(path string, err error) {
	w.hide("`", brief(path), "` cannot be read: ", fsys.Cause(err).Error())
}

func (w *outputWalk) trouble(path string, err error) error {
	w.unreadable(path, err)
	return nil
}

type prefixState uint8

const (
	prefixThere   prefixState = iota
	prefixMissing             // nothing is there, or nothing that a pattern may see
	prefixHidden              // it was said in Hidden
	prefixOutside             // likewise; it leads out of the workspace
)

// descend goes along a fixed prefix. Links are followed only where they stay in the workspace and out of `.haz` (S-17).
func (w *outputWalk) descend(prefix string) (place, prefixState) {
	d := placeOf("/")
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
		case err != nil && fsys.LeadsNowhere(err):
			return d, prefixMissing
		case err != nil:
			w.unreadable(d.path, err)
			return d, prefixHidden
		case info.Kind != fsys.Dir || w.tree.hides(d.real):
			return d, prefixMissing
		case d.through() && pattern.IsOrBelow(d.real, layout.Dir):
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

// below walks what lies below a fixed prefix, and says whether that is there, or may be.
func (w *outputWalk) below(prefix string) (there bool) {
	if w.glob == nil {
		w.glob = pattern.Everything()
	}
	dir, state := w.descend(prefix)
	if state == prefixThere {
		_ = w.visit(dir, w.glob.Begin()) // nothing but ctx ends it, which the caller asks
		w.prefix(dir)
	}
	return state != prefixMissing
}

// literal looks at a literal's path, and says whether it counts as produced.
func (w *outputWalk) literal(path string) bool {
	if w.excluded(path) {
		return true // not asked for
	}
	if w.found.has(path) {
		w.found.literal(path)
		return true
	}
	d, state := w.descend(pattern.Parent(path))
	switch state {
	case prefixMissing:
		return false
	case prefixHidden:
		return true
	case prefixOutside:
		_, err := w.tree.fs.Lstat(path)
		return err == nil || !fsys.LeadsNowhere(err)
	}
	if w.tree.hides(d.child(path[strings.LastIndexByte(path, '/')+1:]).real) {
		return false
	}
	if info, err := w.tree.fs.Lstat(path); err == nil && info.Kind == fsys.Dir {
		return w.below(path)
	}
	w.prefix(d)
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

// step goes on by a name in dir. What is called ".git" is matched by wildcards only when the task made it: where it is the
// user's, storing it would be to store a repository (8.4).
func (w *outputWalk) step(dir place, at []int32, name string) (next []int32, end bool) {
	next, end = w.glob.Step(at, name, name == pattern.GitName)
	if name != pattern.GitName {
		return next, end
	}
	wildNext, wildEnd := w.glob.Step(at, name, false)
	if wildEnd == end && len(wildNext) == len(next) {
		return next, end // the pattern spells it, or does not match it at all
	}
	path := dir.child(name)
	if path.real == "/"+pattern.GitName {
		return next, end
	}
	m, ok, err := w.tree.look(path.path)
	switch {
	case err != nil:
		w.unreadable(path.path, err)
	case ok && w.enterGit(path.path, m.Info):
		return wildNext, wildEnd
	case ok:
		w.out.Git = append(w.out.Git, m)
	}
	return next, end
}

// prefix notes the end of a fixed prefix, unless it lies behind a link.
func (w *outputWalk) prefix(d place) {
	if d.path == "/" || d.through() {
		return
	}
	m, ok, err := w.tree.look(d.path)
	switch {
	case err != nil:
		w.unreadable(d.path, err)
	case ok && m.Info.Kind == fsys.Dir:
		empty, err := w.tree.isEmpty(d.path, false)
		if err != nil && !fsys.LeadsNowhere(err) {
			w.unreadable(d.path, err)
		}
		w.out.Folders = append(w.out.Folders, Folder{Path: d.path, Info: m.Info, Prefix: true, Empty: empty && err == nil})
	}
}

func (w *outputWalk) wants(kind fsys.Kind, end bool) bool {
	return end || kind != fsys.File && kind != fsys.Special
}

// link deals with a link. It is not entered, so one to a directory may hide a match.
func (w *outputWalk) link(d place, m Match, _ []int32, end bool, err error) error {
	switch {
	case end:
		w.collect(m)
	case err != nil:
		w.unreadable(d.path, err)
	case m.Target.Kind == fsys.Dir:
		w.hide("`", d.path, "` is a link to a directory, and a path below it could match `", w.text, "`")
	}
	return nil
}

func (w *outputWalk) match(m Match) error {
	if m.Info.Kind == fsys.File {
		w.collect(m)
	} else {
		w.out.Specials = append(w.out.Specials, m)
	}
	return nil
}

func (w *outputWalk) collect(m Match) {
	if !w.found.has(m.Path) {
		w.found.add(m)
	}
}

func (w *outputWalk) folder(d place, next []int32, end bool) error {
	if w.covered(d.path) {
		return nil
	}
	if len(next) > 0 {
		if err := w.visit(d, next); err != nil {
			return err
		}
	}
	if w.found.has(d.path) {
		return nil
	}
	empty := false
	if end {
		var err error
		if empty, err = w.tree.isEmpty(d.path, d.through()); err != nil && !fsys.LeadsNowhere(err) {
			w.unreadable(d.path, err)
		}
	}
	if !empty && d.through() {
		return nil
	}
	m, ok, err := w.tree.look(d.path)
	switch {
	case !ok && err != nil:
		w.unreadable(d.path, err)
	case !ok || m.Info.Kind != fsys.Dir:
	case empty:
		m.Pattern, m.Empty = w.index, true
		w.collect(m)
	default:
		w.out.Folders = append(w.out.Folders, Folder{Path: d.path, Info: m.Info})
	}
	return nil
}
