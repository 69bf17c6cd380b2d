// Package tree walks a workspace for what patterns select: the inputs and outputs of tasks, and the projects (chapter 1, 2.2,
// 8.4; chapter 2, 4.6, 5.3). One listing of a directory serves all walks that see the same state of the tree.
package tree

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// A Tree reads directories of a workspace and remembers the listings, so that one listing serves all patterns and tasks
// that see the same state of the tree. Safe for concurrent use.
//
// It remembers which names a directory has and which paths are real directories, until Forget. What lies at a match
// (lstat, the text of a link, what it leads to) is looked at anew by each walk. Errors are not remembered. Where links at
// haz's own cache and state lead is remembered, until ForgetAll as long as one of both is not there.
type Tree struct {
	fs     fsys.FS
	mu     sync.Mutex
	root   *dirNode
	linked map[string]*listing // of directories whose path leads through a link, so that Forget cannot tell where they lie
	own    *ownPaths           // nil: not looked yet
	files  *Files              // of listed patterns; nil: nobody lists them
}

// dirNode is what is known of one path that leads through no link.
type dirNode struct {
	children map[string]*dirNode
	list     *listing // nil: not read
	real     bool     // it is a directory, and not through a link
}

// listing is one reading of a directory, sorted by name, without what is invisible.
type listing struct {
	once    sync.Once
	done    atomic.Bool // entries and err are set
	entries []fsys.Entry
	err     error
}

// ownPaths is where haz's own directories lie when links lead to them.
type ownPaths struct {
	dirs  []string // workspace paths besides layout.CacheDir and layout.StateDir
	named []string // layout.CacheDir and layout.StateDir, without one that is a link to what it lies in
	whole bool     // both are there
}

// A WalkError says which directory or file kept a walk from knowing what matches.
type WalkError struct {
	Path string // workspace-absolute
	Err  error
}

func (e *WalkError) Error() string {
	return "`" + brief(e.Path) + "` cannot be read: " + fsys.Cause(e.Err).Error()
}
func (e *WalkError) Unwrap() error { return e.Err }

// brief is a path for a message: of one that fills a screen, the beginning and the end.
func brief(path string) string {
	const longest, head, tail = 300, 120, 60
	if len(path) <= longest {
		return path
	}
	return strings.ToValidUTF8(path[:head], "") + "…" + strings.ToValidUTF8(path[len(path)-tail:], "")
}

// New makes a tree without any listing.
func New(fs fsys.FS) *Tree { return &Tree{fs: fs, root: &dirNode{}} }

// ForgetAll drops all listings.
func (t *Tree) ForgetAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.root, t.linked = &dirNode{}, nil
	if t.own != nil && !t.own.whole {
		t.own = nil
	}
}

// Forget drops the listings of the directory dir and of all below it (a task wrote there), and of those above it that do
// not know yet that there is such a directory. Where dir leads through a link, what it leads to is forgotten as well, and
// listings that were reached through links are dropped wherever they are. It looks at the disk, but reads no directory.
func (t *Tree) Forget(dir string) {
	if dir == "/" || dir == "" {
		t.ForgetAll()
		return
	}
	places := []string{dir}
	if !t.isReal(dir) {
		places = t.places(dir)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.linked = nil
	for _, place := range places {
		if place == "/" {
			t.root = &dirNode{}
			continue
		}
		t.forget(place)
	}
}

// places are dir and, where its path leads through links, what it leads to and where each of its names lies: the last of
// them, too, may be a link that has just come.
func (t *Tree) places(dir string) []string {
	real := t.realPath(dir)
	if real == dir {
		return []string{dir}
	}
	list := []string{dir}
	if real != "" {
		list = append(list, real)
	}
	for at := dir; at != "/"; at = pattern.Parent(at) {
		if above := t.realPath(pattern.Parent(at)); above != "" {
			list = append(list, child(above, at[strings.LastIndexByte(at, '/')+1:]))
		}
	}
	return list
}

// realPath is dir without links, also when the end of it is not there; "" outside of the workspace.
func (t *Tree) realPath(dir string) string {
	real, err := t.fs.RealPath(dir)
	switch {
	case err == nil:
		return real
	case dir == "/" || !fsys.LeadsNowhere(err):
		return ""
	}
	if real = t.realPath(pattern.Parent(dir)); real == "" {
		return ""
	}
	return child(real, dir[strings.LastIndexByte(dir, '/')+1:])
}

// forget drops the listings at dir, which is not "/", and below. The caller holds mu.
func (t *Tree) forget(dir string) {
	n := t.root
	for rest := dir[1:]; ; {
		name, more, found := strings.Cut(rest, "/")
		if n.list != nil {
			n.list = n.list.doubt(name, !found)
		}
		if !found {
			delete(n.children, name)
			return
		}
		if n = n.children[name]; n == nil {
			return
		}
		rest = more
	}
}

// doubt is what stays of a listing when a directory at name may have come: nothing when there was none; when it is that
// directory itself that may have changed its kind, the kind is looked at again.
func (l *listing) doubt(name string, itself bool) *listing {
	if !l.done.Load() || l.err != nil {
		return nil
	}
	i, found := l.find(name)
	switch {
	case !found || l.entries[i].Kind == fsys.File || l.entries[i].Kind == fsys.Special:
		return nil
	case !itself || l.entries[i].Kind == fsys.Unknown:
		return l
	}
	m := &listing{entries: slices.Clone(l.entries)}
	m.entries[i].Kind = fsys.Unknown
	m.once.Do(func() {})
	m.done.Store(true)
	return m
}

func (l *listing) find(name string) (int, bool) {
	return slices.BinarySearchFunc(l.entries, name, func(e fsys.Entry, name string) int { return strings.Compare(e.Name, name) })
}

// known is what is known of dir, nil when there is nothing. The caller holds mu.
func (t *Tree) known(dir string) *dirNode {
	n := t.root
	for rest := dir[1:]; rest != "" && n != nil; {
		name, more, _ := strings.Cut(rest, "/")
		n, rest = n.children[name], more
	}
	return n
}

// node is what is known of dir; it is made when there is nothing yet. The caller holds mu.
func (t *Tree) node(dir string) *dirNode {
	n := t.root
	for rest := dir[1:]; rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		child := n.children[name]
		if child == nil {
			child = &dirNode{}
			if n.children == nil {
				n.children = map[string]*dirNode{}
			}
			n.children[name] = child
		}
		n, rest = child, more
	}
	return n
}

// list returns the entries of dir that patterns may see. through says that the path of dir leads through a link.
func (t *Tree) list(dir string, through bool) ([]fsys.Entry, error) {
	t.mu.Lock()
	var l *listing
	var n *dirNode
	if through {
		if l = t.linked[dir]; l == nil {
			l = &listing{}
			if t.linked == nil {
				t.linked = map[string]*listing{}
			}
			t.linked[dir] = l
		}
	} else {
		n = t.node(dir)
		if n.list == nil {
			n.list = &listing{}
		}
		l = n.list
	}
	t.mu.Unlock()
	l.once.Do(func() {
		l.entries, l.err = t.read(dir, through)
		l.done.Store(true)
	})
	if l.err != nil {
		t.mu.Lock()
		if n != nil && n.list == l {
			n.list = nil
		}
		if n == nil && t.linked[dir] == l {
			delete(t.linked, dir)
		}
		t.mu.Unlock()
	}
	return l.entries, l.err
}

// listed reports whether list would answer without reading.
func (t *Tree) listed(dir string, through bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.linked[dir]
	if !through {
		l = nil
		if n := t.known(dir); n != nil {
			l = n.list
		}
	}
	return l != nil && l.done.Load()
}

func (t *Tree) read(dir string, through bool) ([]fsys.Entry, error) {
	entries, err := t.fs.List(dir)
	if err != nil {
		return nil, err
	}
	if through {
		dir = t.lies(dir)
	}
	own := t.ownDirs()
	entries = slices.DeleteFunc(entries, func(e fsys.Entry) bool {
		if strings.HasPrefix(e.Name, pattern.RestorePrefix) {
			return true
		}
		if dir != layout.Dir && len(own) == 0 {
			return false
		}
		path := child(dir, e.Name)
		return pattern.Invisible(path) || slices.Contains(own, path)
	})
	slices.SortFunc(entries, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// lies is where a directory lies whose path leads through a link: what is invisible there is so on every way.
func (t *Tree) lies(dir string) string {
	if real, err := t.fs.RealPath(dir); err == nil {
		return real
	}
	return dir
}

func child(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// isReal reports whether dir is known to be a directory at the end of a path without links.
func (t *Tree) isReal(dir string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.known(dir)
	return n != nil && n.real
}

func (t *Tree) setReal(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.node(dir).real = true
}

// ownDirs is where haz's cache and state lie besides their own places, when links lead there (8.4).
func (t *Tree) ownDirs() []string { return t.ownPaths().dirs }

func (t *Tree) ownPaths() *ownPaths {
	t.mu.Lock()
	own := t.own
	t.mu.Unlock()
	if own != nil {
		return own
	}
	own = t.lookForOwn()
	t.mu.Lock()
	t.own = own
	t.mu.Unlock()
	return own
}

// WithOwnOf (S-64) has t hide what another tree of the same workspace, which may be nil, hides of haz's own, without a look: that tree's run
// has its cache and state open, so a link of that name that leads elsewhere by now leads to nothing of it, and what it writes goes on to lie
// where it did. As long as one of the two is not there yet, which a link may lead to all the same, t looks itself.
func (t *Tree) WithOwnOf(o *Tree) *Tree {
	if o == nil {
		return t
	}
	o.mu.Lock()
	own := o.own
	o.mu.Unlock()
	if own == nil || !own.whole {
		own = o.lookForOwn()
		if own.whole {
			o.mu.Lock()
			o.own = own
			o.mu.Unlock()
		}
	}
	t.own = own
	return t
}

func (t *Tree) lookForOwn() *ownPaths {
	own := &ownPaths{whole: true}
	for _, dir := range []string{layout.CacheDir, layout.StateDir} {
		real, err := t.fs.RealPath(dir)
		own.whole = own.whole && err == nil
		if err == nil && pattern.IsOrBelow(layout.Dir, strings.TrimSuffix(real, "/")) {
			continue // a link to what it lies in: else nothing at all would be visible
		}
		own.named = append(own.named, dir)
		if err == nil && real != dir {
			own.dirs = append(own.dirs, real)
		}
	}
	return own
}

// hides reports whether path, which leads through no link, is invisible to every pattern.
func (t *Tree) hides(path string) bool {
	return pattern.Invisible(path) || slices.ContainsFunc(t.ownDirs(), func(dir string) bool { return pattern.IsOrBelow(path, dir) })
}

// identity tells directories apart whatever path leads to them.
type identity struct{ dev, inode uint64 }

func identityOf(i fsys.Info) identity { return identity{i.Dev, i.Inode} }
