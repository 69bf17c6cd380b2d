// Package site is the ground that the rooms of the cache stand on: where it lies and how it is opened, the names that haz gives
// there and what may be removed by them, directories in preparation, and copies that are digested on their way.
package site

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// Options of a site.
type Options struct {
	Hash     digest.Function
	State    *state.State
	ReadOnly bool // cache mode ro: nothing below the cache root is changed
	Now      func() time.Time
	Rand     func() uint64 // makes the random part of temporary names
}

// Site is what all rooms share. Safe for concurrent use.
type Site struct {
	WS fsys.FS
	Options
	Stagings Stagings

	NoClone atomic.Bool // cloning was tried and cannot work here

	mu      sync.Mutex
	root    fsys.FS   // nil until opened
	gone    []fsys.FS // roots that somebody cleared while we had them open; in use, maybe, until Close
	Linked  bool      // .haz/cache is a link
	made    bool      // the .gitignore was looked after
	trouble []string
	denied  *state.Denial
}

// New opens nothing yet: what cannot be opened later is in Trouble.
func New(ws fsys.FS, o Options) *Site {
	s := &Site{WS: ws, Options: o}
	s.Stagings.s = s
	return s
}

// Trouble returns what made the cache unusable, each once.
func (s *Site) Trouble() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.trouble)
}

// Denied is the first thing of the cache that may not be opened or made; nil when there is none.
func (s *Site) Denied() *state.Denial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied
}

func (s *Site) noteLocked(text string, err error) {
	s.denied = s.denied.Or(layout.CacheDir, err)
	if !slices.Contains(s.trouble, text) {
		s.trouble = append(s.trouble, text)
	}
}

// Close gives handles back.
func (s *Site) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, root := range append(s.gone, s.root) {
		if root != nil {
			err = errors.Join(err, root.Close())
		}
	}
	s.root, s.gone = nil, nil
	return err
}

// Forget closes the root, and what was wrong with it counts no more: it is about to be cleared.
func (s *Site) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root != nil {
		_ = s.root.Close()
		s.root = nil
	}
	s.made, s.trouble = false, nil
}

// Renew forgets a root that was cleared by somebody else, so that the next one to store makes a new one.
func (s *Site) Renew(root fsys.FS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root == root {
		s.gone = append(s.gone, root)
		s.root, s.made = nil, false
	}
}

// ErrNoCache says that no cache was made yet, which is no trouble.
var ErrNoCache = errors.New("there is no cache yet")

// Open returns the cache root through a handle of its own. The error is ErrNoCache when there is none yet; every other one
// is noted.
func (s *Site) Open() (fsys.FS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openLocked()
}

// madeMeanwhile is how often a cache that was not there and then is, because another haz has just made it, is opened again.
const madeMeanwhile = 3

func (s *Site) openLocked() (fsys.FS, error) {
	if s.root != nil {
		return s.root, nil
	}
	root, err := s.WS.Sub(layout.CacheDir)
	for range madeMeanwhile {
		if !fsys.Absent(err) {
			break
		}
		info, lookErr := s.WS.Lstat(layout.CacheDir)
		if fsys.Absent(lookErr) {
			return nil, ErrNoCache
		}
		if lookErr == nil && info.Kind == fsys.Link {
			err = errors.New("it is a link to nothing")
			break
		}
		root, err = s.WS.Sub(layout.CacheDir)
	}
	if err == nil {
		info, lookErr := s.WS.Lstat(layout.CacheDir)
		s.root, s.Linked = root, lookErr != nil || info.Kind != fsys.Dir
		return root, nil
	}
	s.noteLocked(fmt.Sprintf("the cache %s cannot be opened: %v", s.WS.HostPath(layout.CacheDir), fsys.Cause(err)), err)
	return nil, err
}

// Create is open, and makes the cache root when there is none.
func (s *Site) Create() (fsys.FS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	root, err := s.openLocked()
	if err != nil {
		if err != ErrNoCache {
			return nil, err
		}
		if err := s.WS.MkdirAll(layout.CacheDir, DirPerm); err != nil {
			s.noteLocked(fmt.Sprintf("the cache %s cannot be made: %v", s.WS.HostPath(layout.CacheDir), fsys.Cause(err)), err)
			return nil, err
		}
		if root, err = s.openLocked(); err != nil {
			return nil, err
		}
		if d, ok := root.(interface{ SpreadChildren(dir string) error }); ok {
			_ = d.SpreadChildren("/") // a hint: shards are as far apart as keys
		}
	}
	if !s.made {
		s.made = true
		if _, err := root.Lstat("/" + IgnoreName); fsys.Absent(err) && HoldsOnlyOwn(root) {
			_ = WriteNew(root, "/"+IgnoreName, []byte("*\n"), FilePerm) // failing to do so harms nothing
		}
	}
	return root, nil
}

// ShardOf is the directory of the entries whose keys begin like k (CACHE-010).
func ShardOf(k entry.Key) string { return "/" + k.Hex()[:2] }

// EntryOf is the directory of the entry of k below the cache root.
func EntryOf(k entry.Key) string {
	h := k.Hex()
	return "/" + h[:2] + "/" + h
}

// Suffix is 16 random hex digits.
func (s *Site) Suffix() string { return hex16(s.Rand()) }
