package glob

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

// A Tree reads directories of a workspace and remembers the listings, so that one listing serves all patterns and tasks
// that see the same state of the tree. What is found in a directory is looked at afresh each time. Safe for concurrent use.
type Tree struct {
	fs fsys.FS

	mu    sync.Mutex
	dirs  map[string]*listing
	infos map[string]fsys.Info // of directories in fixed prefixes
	cache string               // what a link at .haz/cache leads to, in this file system; "" when nothing
	asked bool
}

// listing is the entries of one directory, sorted by name, read once.
type listing struct {
	once    sync.Once
	entries []fsys.Entry
	err     error
}

// NewTree makes a tree without any listing.
func NewTree(fs fsys.FS) *Tree {
	return &Tree{fs: fs, dirs: map[string]*listing{}, infos: map[string]fsys.Info{}}
}

// Forget drops the listings of the directory dir and of all below it (a task wrote there).
func (t *Tree) Forget(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for d := range t.dirs {
		if isOrBelow(d, dir) || dir == "/" {
			delete(t.dirs, d)
		}
	}
	clear(t.infos)
}

// ForgetAll drops all listings.
func (t *Tree) ForgetAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.dirs)
	clear(t.infos)
	t.asked = false
}

// list returns the entries of a directory; kinds that the directory does not tell are looked up.
func (t *Tree) list(dir string) ([]fsys.Entry, error) {
	t.mu.Lock()
	l := t.dirs[dir]
	if l == nil {
		l = &listing{}
		t.dirs[dir] = l
	}
	t.mu.Unlock()
	l.once.Do(func() {
		l.entries, l.err = t.fs.List(dir)
		slices.SortFunc(l.entries, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
		for i := range l.entries {
			if e := &l.entries[i]; e.Kind == fsys.Unknown {
				if info, err := t.fs.Lstat(below(dir, "/"+e.Name)); err == nil {
					e.Kind = info.Kind
				}
			}
		}
	})
	return l.entries, l.err
}

// lstatDir is Lstat for the directories of fixed prefixes, which many patterns share.
func (t *Tree) lstatDir(dir string) (fsys.Info, error) {
	t.mu.Lock()
	info, known := t.infos[dir]
	t.mu.Unlock()
	if known {
		return info, nil
	}
	info, err := t.fs.Lstat(dir)
	if err == nil {
		t.mu.Lock()
		t.infos[dir] = info
		t.mu.Unlock()
	}
	return info, err
}

// hidden reports whether no pattern may see path: haz's own, by text, and what a link at .haz/cache leads to.
func (t *Tree) hidden(path string) bool {
	if invisible(path) {
		return true
	}
	t.mu.Lock()
	if !t.asked {
		t.asked = true
		t.cache = ""
		if info, err := t.fs.Lstat(cacheDir); err == nil && info.Kind == fsys.Link {
			if real, err := t.fs.RealPath(cacheDir); err == nil {
				t.cache = real
			}
		}
	}
	cache := t.cache
	t.mu.Unlock()
	return cache != "" && isOrBelow(path, cache)
}

// Match is one thing on disk that a pattern matched.
type Match struct {
	Path string    // workspace-absolute; bytes
	Info fsys.Info // lstat
	// For links: the text, and what the link leads to (zero Kind: nothing, or a loop).
	LinkText string
	Target   fsys.Info
	// Entered says that Path is a directory link that the input walk entered (chapter 2, 5.3).
	Entered bool
	// Empty says that Path is an empty directory.
	Empty bool
	// BadName says why the name is no legal path (S-20), "" when it is one.
	BadName string
	// Pattern is the index in the walked list of the first pattern that matched.
	Pattern int
}

// newMatch completes a match: the text and target of a link, and what is wrong with the name.
func (t *Tree) newMatch(path string, info fsys.Info, pattern int) (Match, error) {
	m := Match{Path: path, Info: info, Pattern: pattern}
	if err := CheckPath(path); err != nil {
		m.BadName = err.Error()
		var s *SyntaxError
		if errors.As(err, &s) {
			m.BadName = s.Reason
		}
	}
	if info.Kind != fsys.Link {
		return m, nil
	}
	text, err := t.fs.Readlink(path)
	if err != nil {
		return m, err
	}
	m.LinkText = text
	target, err := t.fs.StatInfo(path)
	if err != nil && !leadsNowhere(err) {
		return m, err
	}
	if err == nil {
		m.Target = target
	}
	return m, nil
}

// gone reports whether nothing is there: also a file where a directory would have to be.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// leadsNowhere reports whether following a link failed because its target is missing, or a loop.
func leadsNowhere(err error) bool {
	return gone(err) || errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENAMETOOLONG)
}

// matches collects what several patterns found; a path counts once, for the first that matched it.
type matches struct {
	list []Match
}

func (m *matches) sorted() []Match {
	slices.SortStableFunc(m.list, func(a, b Match) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return a.Pattern - b.Pattern
	})
	out := m.list[:0]
	for _, x := range m.list {
		if n := len(out); n > 0 && out[n-1].Path == x.Path {
			out[n-1].Entered = out[n-1].Entered || x.Entered
			continue
		}
		out = append(out, x)
	}
	return out
}

func unreadable(dir string, err error) error {
	return fmt.Errorf("folder %s cannot be read: %w", dir, err)
}
