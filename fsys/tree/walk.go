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
	seen map[string]int // by path: position in list; nil for a list of one pattern
}

func newMatches(patterns []pattern.Pattern) *matches {
	if len(patterns) <= 1 {
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

// literal marks what was collected as named by a literal too.
func (m *matches) literal(path string) { m.list[m.seen[path]].Literal = true }

func (m *matches) sorted() []Match {
	slices.SortFunc(m.list, func(a, b Match) int { return cmp.Compare(a.Path, b.Path) })
	return m.list
}

// walk is what the walks for inputs and outputs share: one glob, from its fixed prefix down.
type walk struct {
	ctx   context.Context
	tree  *Tree
	glob  *pattern.Program
	index int // of the pattern
	found *matches
}

// entries are the names of dir that may be worth a look, from the places at. Where only certain names can match, and dir
// was not read before, they are looked up, since a directory may be large.
func (w *walk) entries(dir string, through bool, at []int32) ([]fsys.Entry, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	if names, ok := w.glob.Names(at); ok && !w.tree.listed(dir, through) {
		entries := make([]fsys.Entry, 0, len(names))
		real := dir
		if through {
			real = w.tree.lies(dir)
		}
		for _, name := range names {
			if !w.tree.hides(child(real, name)) {
				entries = append(entries, fsys.Entry{Name: name})
			}
		}
		return entries, nil
	}
	return w.tree.list(dir, through)
}

// isEmpty reports whether a directory has nothing that patterns may see. `/.haz` never counts as empty: whether it holds
// more than what is invisible would change with haz's own runs.
func (w *walk) isEmpty(dir string, through bool) (bool, error) {
	if dir == layout.Dir {
		return false, nil
	}
	entries, err := w.tree.list(dir, through)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if e.Kind != fsys.Unknown {
			return false, nil
		}
		// Forget may have been told that a task wrote in it, and the task may have removed it.
		if _, err := w.tree.fs.Lstat(child(dir, e.Name)); err == nil || !fsys.LeadsNowhere(err) {
			return false, err
		}
	}
	return true, nil
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
