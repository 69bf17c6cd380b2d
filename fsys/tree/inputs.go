package tree

import (
	"container/heap"
	"context"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// Inputs walks the input patterns of a task (chapter 1, 8.4; chapter 2, 5.3). A path counts once however many patterns
// match. Matches are sorted by path. Globs yield files, links (to files; to nothing, with the text), entered directory
// links, and empty directories; special files are left out. Literals yield whatever lies there, and of a directory, or a link to
// one, also what a glob would find below it; missing ones are listed in missing. exclude takes away what globs match, and what
// lies below a literal.
//
// A directory that cannot be read and is in the way of a glob, or a path that cannot be looked at, is a *WalkError.
func (t *Tree) Inputs(ctx context.Context, patterns, exclude []pattern.Pattern) (found []Match, missing []pattern.Pattern, err error) {
	return t.InputsSeen(ctx, patterns, exclude, nil)
}

// InputsSeen is Inputs, and notes what the walk has looked at.
func (t *Tree) InputsSeen(ctx context.Context, patterns, exclude []pattern.Pattern, seen *Seen) (found []Match, missing []pattern.Pattern, err error) {
	m := newMatches(patterns)
	for i, p := range patterns {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		switch {
		case p.IsZero():
		case p.IsListed():
			seen.odd()
			if err := t.listedInputs(ctx, p, i, m, exclude); err != nil {
				return nil, nil, err
			}
		case p.Program() == nil:
			ok, err := t.literalInput(ctx, p, i, m, exclude, seen)
			if err != nil {
				return nil, nil, err
			}
			if !ok {
				missing = append(missing, p)
			}
		default:
			w := &inputWalk{walker: walker{ctx: ctx, tree: t, glob: p.Program(), index: i, found: m, exclude: without(exclude, p), self: p, seen: seen}}
			if err := w.run(p.Path()); err != nil {
				return nil, nil, err
			}
		}
	}
	return m.sorted(), missing, nil
}

// without is what is excluded, and the exceptions of a pattern.
func without(exclude []pattern.Pattern, p pattern.Pattern) []pattern.Pattern {
	if x := p.Exceptions(); len(x) > 0 {
		return append(slices.Clip(exclude), x...)
	}
	return exclude
}

func (t *Tree) literalInput(ctx context.Context, p pattern.Pattern, index int, m *matches, exclude []pattern.Pattern, seen *Seen) (there bool, err error) {
	path := p.Path()
	switch {
	case !p.Match(path) && p.Exceptions() != nil:
		return true, nil // not asked for
	case t.hides(path):
		return false, nil
	}
	n, ok, err := t.look(path)
	seen.looks(&n, path)
	if !ok || err != nil {
		return false, err
	}
	if n.Info.Kind == fsys.Dir || n.Target.Kind == fsys.Dir {
		w := &inputWalk{walker: walker{ctx: ctx, tree: t, glob: pattern.Everything(), index: index, found: m, exclude: without(exclude, p), seen: seen}}
		if err := w.run(path); err != nil {
			return false, err
		}
		if n.Empty, err = w.isEmpty(path, !t.isReal(path)); err != nil && !fsys.LeadsNowhere(err) {
			return false, &WalkError{path, err}
		}
	}
	if m.has(path) {
		m.literal(path)
		return true, nil
	}
	n.Pattern, n.Literal = index, true
	m.add(n)
	return true, nil
}

// inputWalk is the walk of one glob. A directory is entered once, by identity: all real directories first, then always the
// first remaining link in byte order of its path, so that under which path a file is seen does not depend on chance.
type inputWalk struct {
	walker
	links  linkHeap
	listed *listedWalk // of a listed pattern; else nil
	most   int         // ends the walk with errEnough when so many matches were taken; 0: no limit
	taken  int

	// What was entered. Real directories of the first round are different ones, so that who they are is asked only when
	// there is a link to be judged.
	entered map[identity]bool
	dirs    []string // entered, but not in entered yet
	above   []string // on the way to where the walk began: a link that leads there is skipped
	aboveID []identity
	checks  bool // every directory is judged, since the path leads through a link
	own     []identity
}

// pendingLink is a link to a directory in which the glob may match.
type pendingLink struct {
	path string
	at   []int32
}

type linkHeap []pendingLink

func (h linkHeap) Len() int           { return len(h) }
func (h linkHeap) Less(i, j int) bool { return h[i].path < h[j].path }
func (h linkHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *linkHeap) Push(x any)        { *h = append(*h, x.(pendingLink)) }
func (h *linkHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

func (w *inputWalk) run(prefix string) error {
	w.guide = w
	start, err := w.descend(prefix)
	if !start || err != nil {
		return err
	}
	if err := w.visit(w.place(prefix), w.glob.Begin()); err != nil {
		return err
	}
	w.checks = true
	for len(w.links) > 0 {
		if err := w.enter(heap.Pop(&w.links).(pendingLink)); err != nil {
			return err
		}
	}
	return nil
}

// descend goes along the fixed prefix. start says that there is a directory to be read. Links on the way are entered,
// whatever they lead to: the pattern spells them.
func (w *inputWalk) descend(prefix string) (start bool, err error) {
	if w.covered("/") {
		return false, nil
	}
	var last identity
	var links []Match
	dir := "/"
	for rest := prefix[1:]; rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		if !w.checks {
			w.above = append(w.above, dir)
		}
		dir, rest = child(dir, name), more
		if !w.checks && w.tree.isReal(dir) && !w.tree.hides(dir) {
			w.seen.passes(dir)
			if w.covered(dir) {
				return false, nil
			}
			continue
		}
		m, ok, err := w.look(dir)
		if !ok || err != nil {
			return false, err
		}
		if w.covered(dir) || (!w.checks && w.tree.hides(dir)) || pattern.Invisible(dir) {
			return false, nil
		}
		if w.checks {
			w.aboveID = append(w.aboveID, last)
		}
		switch {
		case m.Info.Kind == fsys.Dir:
			last = identityOf(m.Info)
			if !w.checks {
				w.tree.setReal(dir)
			} else if slices.Contains(w.ownIdentities(), last) {
				return false, nil
			}
		case m.Info.Kind == fsys.Link && m.Target.Kind == fsys.Dir:
			last = identityOf(m.Target)
			w.checks = true
			if w.leadsToOwn(dir, last) {
				return false, nil
			}
			links = append(links, m)
		default:
			return false, nil
		}
	}
	for _, m := range links {
		w.addEntered(m)
	}
	if w.checks {
		w.entered = map[identity]bool{last: true}
	} else {
		w.dirs = append(w.dirs, dir)
	}
	return true, nil
}

// addEntered records a link to a directory: what is read through it depends on where it leads, whether the walk enters it here or
// has been there.
func (w *inputWalk) addEntered(m Match) {
	if w.found.has(m.Path) || w.excluded(m.Path) {
		return
	}
	m.Entered, m.Pattern = true, w.index
	w.found.add(m)
}

// place is what a walk that has come to path knows of it: with links on its way, nobody asks where it lies.
func (w *inputWalk) place(path string) place {
	if w.checks {
		return place{path: path}
	}
	return placeOf(path)
}

func (w *inputWalk) trouble(path string, err error) error {
	if _, ok := err.(*WalkError); ok {
		return err
	}
	return &WalkError{path, err}
}

func (w *inputWalk) wants(kind fsys.Kind, end bool) bool {
	return kind != fsys.Special && (kind != fsys.File || end)
}

// link deals with a link: one to a directory waits until all real ones were entered.
func (w *inputWalk) link(d place, m Match, next []int32, end bool, err error) error {
	if err != nil {
		return err
	}
	switch m.Target.Kind {
	case fsys.Dir:
		switch {
		case w.covered(d.path), w.listed != nil && w.listed.leavesOut(d.path):
		case len(next) > 0:
			heap.Push(&w.links, pendingLink{d.path, next})
		case !w.leadsToOwn(d.path, identityOf(m.Target)):
			w.addEntered(m)
		}
		return nil
	case fsys.Special:
		return nil
	}
	if !end || w.found.has(d.path) {
		return nil
	}
	return w.take(m)
}

func (w *inputWalk) match(m Match) error {
	if m.Info.Kind != fsys.File || w.found.has(m.Path) {
		return nil
	}
	return w.take(m)
}

// take takes a match that is no link on the way.
func (w *inputWalk) take(m Match) error {
	w.found.add(m)
	if w.taken++; w.taken == w.most {
		return errEnough
	}
	return nil
}

func (w *inputWalk) folder(d place, next []int32, end bool) error {
	path := d.path
	if w.listed != nil {
		if end = false; w.listed.leavesOut(path) { // no folder is a file, be it empty
			return nil
		}
	}
	if w.covered(path) { // not entered, so not asked either whether it is empty
		return nil
	}
	if w.checks {
		info, err := w.tree.fs.Lstat(path)
		if err != nil {
			if fsys.LeadsNowhere(err) {
				return nil
			}
			return &WalkError{path, err}
		}
		id := identityOf(info)
		if info.Kind != fsys.Dir || slices.Contains(w.ownIdentities(), id) {
			return nil
		}
		if len(next) > 0 {
			if w.entered[id] {
				next = nil
			} else {
				w.entered[id] = true
			}
		}
	} else if len(next) > 0 {
		w.dirs = append(w.dirs, path)
	}
	if len(next) > 0 {
		if err := w.visit(d, next); err != nil {
			return err
		}
	}
	if !end || w.found.has(path) {
		return nil
	}
	empty, err := w.isEmpty(path, w.checks)
	if err != nil && !fsys.LeadsNowhere(err) {
		return &WalkError{path, err}
	}
	if !empty {
		return nil
	}
	m, ok, err := w.look(path)
	if !ok || err != nil || m.Info.Kind != fsys.Dir {
		return err
	}
	m.Pattern, m.Empty = w.index, true
	return w.take(m)
}

// enter goes through a link, unless the directory that it leads to was entered already or is above the walk.
func (w *inputWalk) enter(l pendingLink) error {
	if err := w.learn(); err != nil {
		return err
	}
	m, ok, err := w.look(l.path)
	if !ok || err != nil || m.Target.Kind != fsys.Dir {
		return err
	}
	id := identityOf(m.Target)
	if w.leadsToOwn(l.path, id) {
		return nil
	}
	w.addEntered(m)
	if w.entered[id] {
		return nil
	}
	w.entered[id] = true
	return w.visit(w.place(l.path), l.at)
}

// learn asks who the directories are that were entered without asking.
func (w *inputWalk) learn() error {
	if w.entered == nil {
		w.entered = map[identity]bool{}
	}
	for _, dir := range slices.Concat(w.above, w.dirs) {
		info, err := w.tree.fs.Lstat(dir)
		if err == nil {
			w.entered[identityOf(info)] = true
		} else if !fsys.LeadsNowhere(err) {
			return &WalkError{dir, err}
		}
	}
	for _, id := range w.aboveID {
		w.entered[id] = true
	}
	w.above, w.dirs, w.aboveID = nil, nil, nil
	return nil
}

// leadsToOwn reports whether a link leads to haz's cache or state, or into them.
func (w *inputWalk) leadsToOwn(link string, target identity) bool {
	if slices.Contains(w.ownIdentities(), target) {
		return true
	}
	real, err := w.tree.fs.RealPath(link)
	return err == nil && w.tree.hides(real)
}

// ownIdentities are who haz's cache and state are.
func (w *inputWalk) ownIdentities() []identity {
	if w.own == nil {
		w.own = []identity{}
		for _, dir := range w.tree.ownPaths().named {
			if info, err := w.tree.fs.StatInfo(dir); err == nil {
				w.own = append(w.own, identityOf(info))
			}
		}
	}
	return w.own
}
