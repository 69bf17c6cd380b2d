package tree

import (
	"cmp"
	"context"
	"slices"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// Match is one thing on disk that a pattern matched.
type Match struct {
	Path string    // workspace-absolute; bytes
	Info fsys.Info // lstat
	// For links: the text, and what the link leads to (zero Kind: nothing, or a loop).
	LinkText string
	Target   fsys.Info
	// Entered says that Path is a link to a directory that the input walk entered, here or under another name (chapter 2, 5.3).
	Entered bool
	// Empty says that Path is an empty directory.
	Empty bool
	// Literal says that a literal of the walked list names Path.
	Literal bool
	// BadName says why the name is no legal path (S-20), "" when it is one.
	BadName string
	// Pattern is the index in the walked list of the first pattern that matched.
	Pattern int
}

// matches collects what the patterns of one list match, each path once.
type matches struct {
	list []Match
	seen map[string]int // by path: position in list; nil for a list of one glob
}

func newMatches(patterns []pattern.Pattern) *matches {
	if len(patterns) == 0 || len(patterns) == 1 && !patterns[0].IsLiteral() {
		return &matches{}
	}
	return &matches{seen: map[string]int{}}
}

// has reports whether path was collected already.
func (m *matches) has(path string) bool {
	_, ok := m.seen[path]
	return ok
}

func (m *matches) add(n Match) {
	if m.seen != nil {
		m.seen[n.Path] = len(m.list)
	}
	n.BadName = pattern.BadPath(n.Path)
	m.list = append(m.list, n)
}

// forget takes away what was collected after the first n.
func (m *matches) forget(n int) {
	for _, x := range m.list[n:] {
		delete(m.seen, x.Path)
	}
	m.list = m.list[:n]
}

// literal marks what was collected as named by a literal too.
func (m *matches) literal(path string) { m.list[m.seen[path]].Literal = true }

func (m *matches) sorted() []Match {
	slices.SortFunc(m.list, func(a, b Match) int { return cmp.Compare(a.Path, b.Path) })
	return m.list
}

// A walker goes down a tree along one glob: it reads the folders in which the glob can still match, and takes what is in them
// to its guide. Inputs, outputs and projects are walked by it; what they differ in, their guides say.
//
// The places of the glob in a folder are compared with each of its names once, so that a walk costs what lies on its way and
// nothing else.
type walker struct {
	ctx     context.Context
	tree    *Tree
	glob    *pattern.Program
	index   int // of the pattern
	found   *matches
	exclude []pattern.Pattern // what one of them matches is no match
	guide   guide
	outputs bool // what is excluded may be called ".git"
	self    pattern.Pattern
	whole   bool // a folder is always listed, also when only certain names in it can match
	seen    *Seen
}

// A guide decides what becomes of what a walker meets. next are the places of the glob below a thing, end says that it
// matches; one of both holds. An error ends the walk.
type guide interface {
	// step goes on by a name in a folder, from the places at.
	step(dir place, at []int32, name string) (next []int32, end bool)
	// wants reports whether what a listing calls kind is worth a look. It is not asked about folders.
	wants(kind fsys.Kind, end bool) bool
	// folder is told of a directory that is no link. Whether the walk goes on below it is the guide's business.
	folder(d place, next []int32, end bool) error
	// link is told of a link, and of what kept the walk from seeing what it leads to.
	link(d place, m Match, next []int32, end bool, err error) error
	// match is told of any other thing that matches.
	match(m Match) error
	// trouble is told of what could not be read or looked at.
	trouble(path string, err error) error
}

// A place is what a walk has reached: by the path that the pattern has for it, and by the one without links, "" when that is
// not asked for.
type place struct {
	path, real string
}

func placeOf(path string) place { return place{path, path} }

// through reports whether the path leads through a link.
func (d place) through() bool { return d.path != d.real }

func (d place) child(name string) place {
	switch {
	case !d.through():
		return placeOf(child(d.path, name))
	case d.real == "":
		return place{path: child(d.path, name)}
	}
	return place{child(d.path, name), child(d.real, name)}
}

// visit reads a folder and goes on with what is in it. One that is gone since it was seen is empty.
func (w *walker) visit(dir place, at []int32) error {
	entries, err := w.entries(dir, at)
	switch {
	case err == nil:
	case fsys.LeadsNowhere(err):
		return nil
	case w.ctx.Err() != nil:
		return err
	default:
		return w.guide.trouble(dir.path, err)
	}
	for _, e := range entries {
		next, end := w.guide.step(dir, at, e.Name)
		if !end && len(next) == 0 || e.Kind != fsys.Dir && !w.guide.wants(e.Kind, end) {
			continue
		}
		d := dir.child(e.Name)
		if d.real != "" && d.through() && w.tree.hides(d.real) {
			continue
		}
		if end && w.excluded(d.path) {
			if end = false; len(next) == 0 || e.Kind == fsys.File || e.Kind == fsys.Special {
				continue
			}
		}
		if err := w.meet(d, e.Kind, next, end); err != nil {
			return err
		}
	}
	return nil
}

// meet looks at what lies at d and takes it to the guide. A listing may be older than what lies there, so its kind is believed
// only of folders, which are read.
func (w *walker) meet(d place, kind fsys.Kind, next []int32, end bool) error {
	switch {
	case kind == fsys.Dir:
		return w.guide.folder(d, next, end || w.names(d, next))
	case end && (kind == fsys.File || len(next) == 0) && w.found.has(d.path):
		return nil
	}
	m, ok, err := w.look(d.path)
	m.Pattern = w.index
	switch {
	case !ok && err != nil:
		return w.guide.trouble(d.path, err)
	case !ok:
		return nil
	case m.Info.Kind == fsys.Dir:
		return w.guide.folder(d, next, end || w.names(d, next))
	case m.Info.Kind == fsys.Link:
		return w.guide.link(d, m, next, end, err)
	case end:
		return w.guide.match(m)
	}
	return nil
}

// names reports whether d is a folder that a glob with a slash at its end names (PATH-020). All below one can be covered that is not
// named: of "{a/**}/", what lies in a.
func (w *walker) names(d place, next []int32) bool {
	return w.self.IsFolder() && w.glob.CoversAll(next) && w.self.Match(d.path) && !w.excluded(d.path)
}

// excluded reports whether path is no match although the glob matches it.
func (w *walker) excluded(path string) bool {
	return slices.ContainsFunc(w.exclude, func(p pattern.Pattern) bool { return p.Match(path) || w.outputs && p.MatchOutput(path) })
}

// covered reports whether nothing in dir, at any depth, can be a match.
func (w *walker) covered(dir string) bool {
	return slices.ContainsFunc(w.exclude, func(p pattern.Pattern) bool { return p.CoversAllBelow(dir) })
}

// step is what most guides do by a name: a wildcard does not match ".git".
func (w *walker) step(_ place, at []int32, name string) (next []int32, end bool) {
	return w.glob.Step(at, name, name == pattern.GitName)
}

// entries are the names of dir that may be worth a look, from the places at. Where only certain names can match, and dir
// was not read before, they are looked up, since a directory may be large.
func (w *walker) entries(dir place, at []int32) ([]fsys.Entry, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	if names, ok := w.glob.Names(at); ok && !w.whole && !w.tree.listed(dir.path, dir.through()) {
		entries := make([]fsys.Entry, 0, len(names))
		real := dir.path
		if dir.through() {
			real = w.tree.lies(dir.path)
		}
		for _, name := range names {
			if !w.tree.hides(child(real, name)) {
				entries = append(entries, fsys.Entry{Name: name})
			}
		}
		return entries, nil
	}
	w.seen.lists(dir.path, dir.through())
	return w.tree.list(dir.path, dir.through())
}

// isEmpty reports whether a directory has nothing that patterns may see. `/.haz` never counts as empty: whether it holds
// more than what is invisible would change with haz's own runs.
func (t *Tree) isEmpty(dir string, through bool) (bool, error) {
	if dir == layout.Dir {
		return false, nil
	}
	entries, err := t.list(dir, through)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if e.Kind != fsys.Unknown {
			return false, nil
		}
		// Forget may have been told that a task wrote in it, and the task may have removed it.
		if _, err := t.fs.Lstat(child(dir, e.Name)); err == nil || !fsys.LeadsNowhere(err) {
			return false, err
		}
	}
	return true, nil
}

// isEmpty is that of the tree.
func (w *walker) isEmpty(dir string, through bool) (bool, error) {
	w.seen.lists(dir, through)
	return w.tree.isEmpty(dir, through)
}

// look is that of the tree.
func (w *walker) look(path string) (Match, bool, error) {
	m, ok, err := w.tree.look(path)
	w.seen.looks(&m, path)
	return m, ok, err
}

// look fills a match for a path that is there. ok is false when it is not, or no more.
func (t *Tree) look(path string) (m Match, ok bool, err error) {
	info, err := t.fs.Lstat(path)
	if err != nil {
		if fsys.LeadsNowhere(err) {
			return m, false, nil
		}
		return m, false, &WalkError{path, err}
	}
	m = Match{Path: path, Info: info}
	if info.Kind != fsys.Link {
		return m, true, nil
	}
	if m.LinkText, err = t.fs.Readlink(path); err != nil {
		if fsys.LeadsNowhere(err) {
			return m, false, nil
		}
		return m, false, &WalkError{path, err}
	}
	target, err := t.fs.StatInfo(path)
	switch {
	case err == nil:
		m.Target = target
	case !fsys.LeadsNowhere(err):
		return m, true, &WalkError{path, err}
	}
	return m, true, nil
}
