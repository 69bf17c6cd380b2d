package glob

import (
	"context"
	"slices"

	"github.com/haz-build/haz/fsys"
)

// Inputs walks the input patterns of a task (chapter 1, 8.4; chapter 2, 5.3). A path counts once however many patterns
// match. Matches are sorted by path. Globs yield files, links (to files; to nothing, with the text), entered directory
// links, and empty directories; special files are left out. Literals yield whatever lies there, missing ones are listed
// in missing. exclude takes matches of globs away.
//
// A folder in the way that cannot be read is an error that names it; so is the end of ctx.
func (t *Tree) Inputs(ctx context.Context, patterns, exclude []Pattern) (found []Match, missing []Pattern, err error) {
	var all matches
	for i, p := range patterns {
		switch {
		case p.p == nil:
		case p.IsLiteral():
			there, err := t.literal(p.p.path, i, &all)
			if err != nil {
				return nil, nil, err
			}
			if !there {
				missing = append(missing, p)
			}
		default:
			w := inputWalk{t: t, ctx: ctx, g: p.p.glob, index: i, exclude: exclude, all: &all}
			if err := w.run(p.p.path); err != nil {
				return nil, nil, err
			}
		}
	}
	return all.sorted(), missing, nil
}

// literal looks at what a literal names.
func (t *Tree) literal(path string, index int, all *matches) (there bool, err error) {
	if t.hidden(path) {
		return false, nil
	}
	info, err := t.fs.Lstat(path)
	if err != nil {
		if leadsNowhere(err) {
			return false, nil
		}
		return false, err
	}
	m, err := t.newMatch(path, info, index)
	if err != nil {
		return false, err
	}
	all.list = append(all.list, m)
	return true, nil
}

// inputWalk is the walk of one glob. A directory is entered once, by identity: all real directories first, then always the
// first remaining link in byte order of its path, so that it does not depend on chance under which path a file is seen.
type inputWalk struct {
	t       *Tree
	ctx     context.Context
	g       *program
	index   int
	exclude []Pattern
	all     *matches

	entered []string          // directories entered so far, ancestors of the prefix included
	seen    map[identity]bool // of these, once a link was met; nil before
	links   []linkAhead
}

type identity struct{ dev, inode uint64 }

// linkAhead is a directory link that could be entered.
type linkAhead struct {
	match Match
	at    []int32
}

func (w *inputWalk) run(prefix string) error {
	if w.t.hidden(prefix) {
		return nil
	}
	ok, err := w.prefix(prefix)
	if err != nil || !ok {
		return err
	}
	if err := w.enter(prefix, w.g.begin()); err != nil {
		return err
	}
	for len(w.links) > 0 {
		first := 0
		for i := range w.links {
			if w.links[i].match.Path < w.links[first].match.Path {
				first = i
			}
		}
		l := w.links[first]
		w.links = slices.Delete(w.links, first, first+1)
		if err := w.follow(l); err != nil {
			return err
		}
	}
	return nil
}

// prefix goes down the fixed prefix. Directory links in it are entered, so they are items of their own.
func (w *inputWalk) prefix(prefix string) (ok bool, err error) {
	w.entered = append(w.entered, "/")
	if prefix == "/" {
		return true, nil
	}
	for end := 1; end <= len(prefix); end++ {
		if end < len(prefix) && prefix[end] != '/' {
			continue
		}
		dir := prefix[:end]
		info, err := w.t.lstatDir(dir)
		if err != nil {
			if leadsNowhere(err) {
				return false, nil
			}
			return false, unreadable(dir, err)
		}
		if info.Kind == fsys.Link {
			m, err := w.t.newMatch(dir, info, w.index)
			if err != nil {
				return false, unreadable(dir, err)
			}
			if m.Target.Kind == fsys.Dir && !w.excluded(dir) {
				m.Entered = true
				w.all.list = append(w.all.list, m)
			}
			info = m.Target
		}
		if info.Kind != fsys.Dir {
			return false, nil
		}
		if end < len(prefix) {
			w.entered = append(w.entered, dir)
		}
	}
	return true, nil
}

// enter walks one directory; at is where the glob stands in it.
func (w *inputWalk) enter(dir string, at []int32) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.entered = append(w.entered, dir)
	entries, err := w.t.list(dir)
	if err != nil {
		if gone(err) {
			return nil
		}
		return unreadable(dir, err)
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

func (w *inputWalk) entry(path string, kind fsys.Kind, next []int32, end bool) error {
	switch kind {
	case fsys.File:
		if end && !w.excluded(path) {
			return w.match(path)
		}
	case fsys.Link:
		return w.link(path, next, end)
	case fsys.Dir:
		if end && !w.excluded(path) {
			if entries, err := w.t.list(path); err == nil && len(entries) == 0 {
				return w.emptyDir(path)
			}
		}
		if len(next) == 0 || w.covered(path) {
			return nil
		}
		if w.seen != nil {
			if again, err := w.again(path); err != nil || again {
				return err
			}
		}
		return w.enter(path, next)
	}
	return nil
}

func (w *inputWalk) match(path string) error {
	info, err := w.t.fs.Lstat(path)
	if err != nil {
		if gone(err) {
			return nil // went away since the directory was listed
		}
		return err
	}
	m, err := w.t.newMatch(path, info, w.index)
	if err != nil {
		return err
	}
	w.all.list = append(w.all.list, m)
	return nil
}

func (w *inputWalk) emptyDir(path string) error {
	info, err := w.t.fs.Lstat(path)
	if err != nil || info.Kind != fsys.Dir {
		return nil
	}
	m, err := w.t.newMatch(path, info, w.index)
	m.Empty = true
	w.all.list = append(w.all.list, m)
	return err
}

func (w *inputWalk) link(path string, next []int32, end bool) error {
	info, err := w.t.fs.Lstat(path)
	if err != nil {
		if gone(err) {
			return nil
		}
		return err
	}
	m, err := w.t.newMatch(path, info, w.index)
	if err != nil {
		if end {
			return err
		}
		return nil // trouble off the pattern's path
	}
	switch m.Target.Kind {
	case fsys.Dir:
		if len(next) > 0 && !w.covered(path) {
			w.links = append(w.links, linkAhead{m, next})
		}
	case fsys.Special:
	default: // a file, or nothing
		if end && !w.excluded(path) {
			w.all.list = append(w.all.list, m)
		}
	}
	return nil
}

// follow enters a directory link unless its target was entered before.
func (w *inputWalk) follow(l linkAhead) error {
	if w.seen == nil {
		w.seen = map[identity]bool{}
		for _, dir := range w.entered {
			if info, err := w.t.fs.StatInfo(dir); err == nil {
				w.seen[identity{info.Dev, info.Inode}] = true
			}
		}
	}
	id := identity{l.match.Target.Dev, l.match.Target.Inode}
	if w.seen[id] {
		return nil
	}
	w.seen[id] = true
	if !w.excluded(l.match.Path) {
		l.match.Entered = true
		w.all.list = append(w.all.list, l.match)
	}
	return w.enter(l.match.Path, l.at)
}

// again reports whether a real directory was entered before, under another path.
func (w *inputWalk) again(dir string) (bool, error) {
	info, err := w.t.fs.StatInfo(dir)
	if err != nil {
		if gone(err) {
			return true, nil
		}
		return false, unreadable(dir, err)
	}
	id := identity{info.Dev, info.Inode}
	was := w.seen[id]
	w.seen[id] = true
	return was, nil
}

func (w *inputWalk) excluded(path string) bool {
	return slices.ContainsFunc(w.exclude, func(x Pattern) bool { return x.Match(path) })
}

// covered reports whether an exclude pattern takes all that lies below a directory, so that it need not be entered.
func (w *inputWalk) covered(dir string) bool {
	return slices.ContainsFunc(w.exclude, func(x Pattern) bool { return x.CoversAllBelow(dir) })
}
