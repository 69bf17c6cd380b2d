package watch

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// want is one pattern that makes a look worth its while: what matches it, unless it is excluded.
type want struct {
	pattern pattern.Pattern
	exclude []pattern.Pattern
	leftOut func(dir string) bool // folders in which nothing is wanted; nil: none
}

// below reports whether anything below a directory can be wanted. Names called ".git" are only for patterns that spell them.
func (w want) below(dir string) bool {
	if !w.pattern.MayMatchBelow(dir) || slices.ContainsFunc(w.exclude, func(x pattern.Pattern) bool { return x.CoversAllBelow(dir) }) {
		return false
	}
	if w.leftOut != nil && pattern.IsBelow(dir, w.pattern.FixedPrefix()) && w.leftOut(dir) {
		return false
	}
	return path.Base(dir) != ".git" || strings.HasPrefix(w.pattern.FixedPrefix()+"/", dir+"/")
}

// wants are patterns by the directory from which on they match anything, so that a look at one project does not ask the
// patterns of all others.
type wants struct {
	all  []want
	root *wantNode
}

type wantNode struct {
	children map[string]*wantNode
	here     []int // whose fixed prefix ends here
}

func newWants(all []want) *wants {
	ws := &wants{all: all, root: &wantNode{}}
	for i, w := range all {
		n := ws.root
		for name := range strings.SplitSeq(strings.Trim(w.pattern.FixedPrefix(), "/"), "/") {
			if name == "" {
				continue
			}
			if n.children == nil {
				n.children = map[string]*wantNode{}
			}
			if n.children[name] == nil {
				n.children[name] = &wantNode{}
			}
			n = n.children[name]
		}
		n.here = append(n.here, i)
	}
	return ws
}

// look is one look at a tree. Only directories are entered, and watched, below which something can be wanted; and each of
// them once for what is wanted there, by identity: real ones first, then links in the order of their paths. So the many
// ways through packages that are linked into each other cost no more than the packages.
type look struct {
	machine fsys.FS
	tree    *Tree
	wants   *wants
	seen    map[string]Stamp
	entered map[identity]map[int]bool
	links   []pendingDir    // links to directories, not followed yet
	through map[string]bool // host directories to be watched
}

type identity struct{ device, inode uint64 }

type pendingDir struct {
	path   string
	node   *wantNode // nil: no fixed prefix goes on from here
	active []int     // wants that have begun
}

// Look returns the stamps of all files that can matter, by workspace-absolute path, and of some beside them. It watches
// every directory it comes through, before it reads it, so that nothing slips in between, and no other. What cannot be read
// is not there.
func (t *Tree) Look(i *Interest) map[string]Stamp { return t.look(i.wants) }

func (t *Tree) look(w *wants) map[string]Stamp {
	l := &look{machine: fsys.Machine(), tree: t, wants: w, seen: map[string]Stamp{}, entered: map[identity]map[int]bool{}, through: map[string]bool{}}
	defer t.watchOnly(l.through)
	l.enter(pendingDir{path: "/", node: w.root, active: w.root.here})
	for len(l.links) > 0 {
		slices.SortFunc(l.links, func(a, b pendingDir) int { return cmp.Compare(a.path, b.path) })
		first := l.links[0]
		l.links = l.links[1:]
		l.enter(first)
	}
	return l.seen
}

func (l *look) watch(dir string, info fsys.Info) {
	l.through[dir] = true
	l.tree.watch(dir, identityOf(info))
}

func identityOf(info fsys.Info) identity { return identity{info.Dev, info.Inode} }

func (l *look) host(p string) string { return filepath.Join(l.tree.root, p) }

// fresh is what of the active wants was not looked for in the directory yet, under another name.
func (l *look) fresh(info fsys.Info, active []int) []int {
	id := identityOf(info)
	if id == (identity{}) {
		return active
	}
	if l.entered[id] == nil {
		l.entered[id] = map[int]bool{}
	}
	return slices.DeleteFunc(slices.Clone(active), func(w int) bool {
		again := l.entered[id][w]
		l.entered[id][w] = true
		return again
	})
}

func (l *look) enter(d pendingDir) {
	info, err := l.machine.StatInfo(l.host(d.path))
	if err != nil {
		return
	}
	if d.active = l.fresh(info, d.active); len(d.active) == 0 && (d.node == nil || len(d.node.children) == 0) {
		return
	}
	l.watch(l.host(d.path), info)
	entries, err := l.machine.List(l.host(d.path))
	if err != nil {
		return
	}
	slices.SortFunc(entries, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	for _, e := range entries {
		l.thing(d, e.Name)
	}
}

func (l *look) thing(d pendingDir, name string) {
	p := path.Join(d.path, name)
	info, err := l.machine.Lstat(l.host(p))
	switch {
	case err != nil:
	case info.Kind == fsys.Link:
		l.link(d, p, info)
	case info.Kind == fsys.Dir:
		if c, ok := l.child(d, p); ok {
			l.enter(c)
		}
	default:
		l.seen[p] = stampOf(info)
	}
}

// link stamps a link: where it points and what is there count both.
func (l *look) link(d pendingDir, p string, info fsys.Info) {
	l.seen[p] = stampOf(info)
	target, err := l.machine.StatInfo(l.host(p))
	switch {
	case err != nil:
	case target.Kind == fsys.Dir:
		if c, ok := l.child(d, p); ok {
			l.links = append(l.links, c)
			l.watchWay(p)
		}
	default:
		s := stampOf(target)
		s.inode ^= l.seen[p].inode<<1 | 1
		l.seen[p] = s
		if slices.ContainsFunc(d.active, func(w int) bool { return l.wants.all[w].pattern.Match(p) }) {
			if real, err := l.machine.RealPath(l.host(p)); err == nil {
				l.watchAbove(real)
			}
			l.watchWay(p)
		}
	}
}

// watchAbove watches the directory in which a thing of the host lies.
func (l *look) watchAbove(name string) {
	dir := filepath.Dir(name)
	if info, err := l.machine.StatInfo(dir); err == nil {
		l.watch(dir, info)
	}
}

// maxLinks is how many links a way may have, as on Linux.
const maxLinks = 40

// watchWay watches where the links lie that the link at p leads through, inside the workspace: each of them may be made to lead
// elsewhere. Outside directories such as /tmp tell of too much that is no concern of ours.
func (l *look) watchWay(p string) {
	name := l.host(p)
	for range maxLinks {
		link, rest := l.firstLink(name)
		if link == "" {
			return
		}
		if l.inside(link) {
			l.watchAbove(link)
		}
		to, err := l.machine.Readlink(link)
		if err != nil {
			return
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(link), to)
		}
		name = filepath.Join(to, rest)
	}
}

func (l *look) inside(name string) bool {
	in, err := filepath.Rel(l.tree.root, name)
	return err == nil && filepath.IsLocal(in)
}

// firstLink is the shortest beginning of a host path that is a link, and the rest of it; the root of the workspace, and what lies above it,
// is taken as it is. "" when there is none, or the path leads nowhere.
func (l *look) firstLink(name string) (link, rest string) {
	at := "/"
	if l.inside(name) {
		at = l.tree.root
		name = strings.TrimPrefix(name, at)
	}
	name = strings.Trim(name, "/")
	for name != "" {
		part, after, _ := strings.Cut(name, "/")
		at, name = filepath.Join(at, part), after
		switch info, err := l.machine.Lstat(at); {
		case err != nil:
			return "", ""
		case info.Kind == fsys.Link:
			return at, name
		}
	}
	return "", ""
}

// child is what is wanted below a directory inside another; false when nothing is.
func (l *look) child(d pendingDir, p string) (pendingDir, bool) {
	if p == layout.CacheDir || p == layout.StateDir {
		return pendingDir{}, false
	}
	c := pendingDir{path: p}
	if d.node != nil {
		c.node = d.node.children[path.Base(p)]
	}
	candidates := d.active
	if c.node != nil {
		candidates = append(slices.Clone(candidates), c.node.here...)
	}
	for _, w := range candidates {
		if l.wants.all[w].below(p) {
			c.active = append(c.active, w)
		}
	}
	return c, len(c.active) > 0 || c.node != nil && len(c.node.children) > 0
}
