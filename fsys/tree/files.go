package tree

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// A Lister names the files of a workspace that somebody keeps track of, or would. Names are workspace-absolute.
type Lister interface {
	// All lists what is tracked, and what would be, in the whole workspace.
	All(ctx context.Context) (list []Listed, err error)
	// New lists those of some names, of files and folders that All did not know, that would be tracked, and all that would be below them.
	New(ctx context.Context, names []string) (list []Listed, err error)
}

// Listed is a name of a Lister.
type Listed struct {
	Path    string
	Tracked bool
	Whole   bool // it is a folder of which the Lister knows no more
}

// Files is which files listed patterns select (pattern.Listed, PATH-025). Where there is a Lister, it is asked for all once, when a walk first
// needs that or Load is called, and then for names that have come since. Without one they are all but hidden folders and node_modules.
// Safe for concurrent use.
type Files struct {
	lister Lister // nil: there is none

	asking sync.Mutex // held while the Lister is asked; taken before mu

	mu   sync.Mutex
	root *listedDir // nil: not asked yet
	err  error      // why there is no list; it is not asked again
}

// listedDir is a folder with something listed in it.
type listedDir struct {
	names map[string]*listedName
	// others are names that are not listed, and were there when the list was made, or of which the Lister was asked since. It is nil until
	// the folder was read.
	others map[string]bool
}

// listedName is a file, or what lies below when it is a folder.
type listedName struct {
	dir     *listedDir // nil: a file, or whole
	tracked bool
	whole   bool
}

// NewFiles makes Files that ask l, which may be nil.
func NewFiles(l Lister) *Files { return &Files{lister: l} }

// WithFiles makes f what the listed patterns of t select, and returns t, which nobody else has yet.
func (t *Tree) WithFiles(f *Files) *Tree {
	t.files = f
	return t
}

// WithFilesOf is WithFiles of those of another tree, which may be nil.
func (t *Tree) WithFilesOf(o *Tree) *Tree {
	if o != nil {
		t.files = o.files
	}
	return t
}

// Load makes the list, and takes note of what else lies in the folders of listed patterns: what is there later, and is not among that, has come
// since. The error is the Lister's, or that of ctx.
func (t *Tree) Load(ctx context.Context, patterns []pattern.Pattern) error {
	f := t.files
	if f == nil || f.lister == nil {
		return nil
	}
	if err := f.load(ctx); err != nil {
		return err
	}
	for _, p := range patterns {
		if d := f.dir(p.Path()); d != nil && p.IsListed() {
			t.note(p, p.Path(), d)
		}
	}
	return ctx.Err()
}

// note reads the folders of a list for the first time. What cannot be read is met by the walk again, which says so.
func (t *Tree) note(p pattern.Pattern, dir string, d *listedDir) {
	entries, err := t.list(dir, false)
	f := t.files
	f.mu.Lock()
	var below []string
	if err == nil && d.others == nil {
		d.others = map[string]bool{}
		for _, e := range entries {
			if d.names[e.Name] == nil {
				d.others[e.Name] = true
			}
		}
	}
	for name, n := range d.names {
		if at := child(dir, name); n.dir != nil && !p.Nested(at) {
			below = append(below, name)
		}
	}
	f.mu.Unlock()
	for _, name := range below {
		if n := f.name(d, name); n != nil && n.dir != nil {
			t.note(p, child(dir, name), n.dir)
		}
	}
}

func (f *Files) load(ctx context.Context) error {
	f.asking.Lock()
	defer f.asking.Unlock()
	if f.root != nil || f.err != nil { // only who asks writes them
		return f.err
	}
	list, err := f.lister.All(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // nobody knows whether there is one
	case err != nil:
		f.err = err
		return err
	}
	f.root = &listedDir{names: map[string]*listedName{}}
	f.put(list)
	return nil
}

// put adds names to the list. The caller holds mu.
func (f *Files) put(list []Listed) {
	var at *listedDir // of the last name: lists are sorted
	last := ""
	for _, l := range list {
		dir := pattern.Parent(l.Path)
		if at == nil || dir != last {
			at, last = f.makeDir(dir), dir
		}
		if at == nil {
			continue // below what is whole
		}
		name := l.Path[strings.LastIndexByte(l.Path, '/')+1:]
		n := at.names[name]
		if n == nil {
			n = &listedName{}
			at.names[name] = n
		}
		n.tracked = n.tracked || l.Tracked
		n.whole = n.whole || l.Whole
		delete(at.others, name)
	}
}

func (f *Files) makeDir(dir string) *listedDir {
	at := f.root
	for rest := strings.TrimPrefix(dir, "/"); rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		n := at.names[name]
		switch {
		case n == nil:
			n = &listedName{}
			at.names[name] = n
			delete(at.others, name)
		case n.whole:
			return nil
		}
		if n.dir == nil {
			n.dir = &listedDir{names: map[string]*listedName{}}
		}
		at = n.dir
	}
	return at
}

// dir is what is listed in a folder; nil for nothing.
func (f *Files) dir(dir string) *listedDir {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, _ := f.at(dir)
	return d
}

func (f *Files) name(d *listedDir, name string) *listedName {
	f.mu.Lock()
	defer f.mu.Unlock()
	return d.names[name]
}

// Tracked is the first file that is tracked, not only listed, and that a pattern matches; "" for none, and before Load.
func (t *Tree) Tracked(p pattern.Pattern) string {
	f := t.files
	if f == nil || f.lister == nil || p.IsZero() {
		return ""
	}
	d := f.dir(p.FixedPrefix())
	if d == nil {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return d.tracked(p.FixedPrefix(), p)
}

func (d *listedDir) tracked(dir string, p pattern.Pattern) (first string) {
	for name, n := range d.names {
		path := child(dir, name)
		found := ""
		switch {
		case n.dir != nil && p.MayMatchBelow(path):
			found = n.dir.tracked(path, p)
		case n.dir == nil && n.tracked && p.Match(path):
			found = path
		}
		if found != "" && (first == "" || found < first) {
			first = found
		}
	}
	return first
}

// maxLearns is how often names that have come are asked about in one walk, should more come all the time.
const maxLearns = 5

// listedInputs is Inputs for a listed pattern.
func (t *Tree) listedInputs(ctx context.Context, p pattern.Pattern, index int, m *matches, exclude []pattern.Pattern) error {
	f := t.files
	if f == nil {
		f = &Files{}
	}
	if f.lister != nil {
		if err := f.load(ctx); err != nil {
			return err
		}
	}
	for before, learns := len(m.list), 0; ; learns++ {
		w := &inputWalk{walker: walker{ctx: ctx, tree: t, glob: p.Program(), index: index, found: m, exclude: without(exclude, p)}, listed: &listedWalk{files: f, of: p}}
		if err := w.run(p.Path()); err != nil {
			return err
		}
		if len(w.listed.come) == 0 || learns == maxLearns {
			return nil
		}
		more, err := f.learn(ctx, w.listed.come)
		if err != nil || !more {
			return err
		}
		m.forget(before)
	}
}

// learn asks about names that have come since the list was made, and reports whether some of them are listed now.
func (f *Files) learn(ctx context.Context, come []comer) (more bool, err error) {
	f.asking.Lock()
	defer f.asking.Unlock()
	var names []string
	f.mu.Lock()
	for _, c := range come {
		if c.dir.names[c.name] != nil {
			more = true // somebody else has asked meanwhile
		} else if !c.dir.others[c.name] {
			names = append(names, c.path)
		}
	}
	f.mu.Unlock()
	if len(names) == 0 {
		return more, nil
	}
	slices.Sort(names)
	list, err := f.lister.New(ctx, names)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range come {
		if c.dir.names[c.name] == nil {
			c.dir.others[c.name] = true
		}
	}
	f.put(list)
	return more || len(list) > 0, nil
}

// listedWalk is what an input walk knows of a listed pattern.
type listedWalk struct {
	files *Files
	of    pattern.Pattern
	come  []comer // names of which nobody knows yet whether they are listed

	last    string // the folder looked up last, and what is listed there
	lastDir *listedDir
	free    bool // all counts there but hidden folders and node_modules

	firsts map[*listedDir]bool // folders that nobody has read before, so that nothing in them has come since
}

// comer is a name that was not there when the list was made.
type comer struct {
	path, name string
	dir        *listedDir
}

// hears reports whether a name in a folder may count, and, if not, whether it has come since the list was made. What is known of the folder
// is looked up once for all its names.
func (l *listedWalk) hears(dir place, name string) (counts, new bool) {
	if l.files.lister == nil {
		return true, false
	}
	l.files.mu.Lock()
	defer l.files.mu.Unlock()
	if dir.path != l.last {
		l.last = dir.path
		l.lastDir, l.free = l.files.at(dir.path)
		if d := l.lastDir; d != nil {
			if d.others == nil {
				d.others = map[string]bool{}
				if l.firsts == nil {
					l.firsts = map[*listedDir]bool{}
				}
				l.firsts[d] = true
			}
		}
	}
	d := l.lastDir
	switch {
	case l.free:
		return true, false
	case d == nil:
		return false, false
	case d.names[name] != nil:
		return true, false
	case l.firsts[d]:
		d.others[name] = true
	}
	return false, !d.others[name]
}

// at is what is listed in a folder, or that all counts there: below a folder of which the Lister knows no more, and behind a link. The
// caller holds mu.
func (f *Files) at(dir string) (d *listedDir, free bool) {
	at := f.root
	for rest := strings.TrimPrefix(dir, "/"); rest != "" && at != nil; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		n := at.names[name]
		switch {
		case n == nil:
			return nil, false
		case n.dir == nil:
			return nil, true
		}
		at = n.dir
	}
	return at, false
}

// leavesOut reports whether a folder, or a link to one, is not part of what is selected.
func (l *listedWalk) leavesOut(path string) bool {
	if l.of.Nested(path) {
		return true
	}
	if l.files.lister != nil {
		l.files.mu.Lock()
		_, free := l.files.at(pattern.Parent(path))
		l.files.mu.Unlock()
		if !free {
			return false
		}
	}
	return LeftOut(path)
}

// LeftOut reports whether nobody lists what lies in a folder, where there is no Lister: it is hidden, or node_modules.
func LeftOut(dir string) bool {
	name := dir[strings.LastIndexByte(dir, '/')+1:]
	return strings.HasPrefix(name, ".") || name == "node_modules"
}

// step goes on by names that may count.
func (w *inputWalk) step(dir place, at []int32, name string) (next []int32, end bool) {
	next, end = w.walker.step(dir, at, name)
	if w.listed == nil || !end && len(next) == 0 {
		return next, end
	}
	counts, new := w.listed.hears(dir, name)
	if counts {
		return next, end
	}
	if path := child(dir.path, name); new && path != layout.Dir && !w.listed.of.Nested(path) && !w.excluded(path) && !w.covered(path) {
		w.listed.come = append(w.listed.come, comer{path, name, w.listed.lastDir})
	}
	return nil, false
}
