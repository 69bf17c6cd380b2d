package cache

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

// siteOptions of a site.
type siteOptions struct {
	Hash     digest.Function
	State    *state.State
	ReadOnly bool // cache mode ro: nothing below the cache root is changed
	Now      func() time.Time
	Rand     func() uint64 // makes the random part of temporary names
}

// site is what all rooms share. Safe for concurrent use.
type site struct {
	ws       fsys.FS
	o        siteOptions
	stagings stagings

	noClone atomic.Bool // cloning was tried and cannot work here

	mu      sync.Mutex
	root    fsys.FS   // nil until opened
	gone    []fsys.FS // roots that somebody cleared while we had them open; in use, maybe, until Close
	linked  bool      // .haz/cache is a link
	made    bool      // the .gitignore was looked after
	trouble []string
	denied  *state.Denial
}

// newSite opens nothing yet: what cannot be opened later is in Trouble.
func newSite(ws fsys.FS, o siteOptions) *site {
	s := &site{ws: ws, o: o}
	s.stagings.s = s
	return s
}

// Trouble returns what made the cache unusable, each once.
func (s *site) Trouble() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.trouble)
}

// Denied is the first thing of the cache that may not be opened or made; nil when there is none.
func (s *site) Denied() *state.Denial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied
}

func (s *site) noteLocked(text string, err error) {
	s.denied = s.denied.Or(layout.CacheDir, err)
	if !slices.Contains(s.trouble, text) {
		s.trouble = append(s.trouble, text)
	}
}

// close gives handles back.
func (s *site) close() error {
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

// forget closes the root, and what was wrong with it counts no more: it is about to be cleared.
func (s *site) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root != nil {
		_ = s.root.Close()
		s.root = nil
	}
	s.made, s.trouble = false, nil
}

// renew forgets a root that was cleared by somebody else, so that the next one to store makes a new one.
func (s *site) renew(root fsys.FS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root == root {
		s.gone = append(s.gone, root)
		s.root, s.made = nil, false
	}
}

// errNoCache says that no cache was made yet, which is no trouble.
var errNoCache = errors.New("there is no cache yet")

// open returns the cache root through a handle of its own. The error is errNoCache when there is none yet; every other one
// is noted.
func (s *site) open() (fsys.FS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openLocked()
}

func (s *site) openLocked() (fsys.FS, error) {
	if s.root != nil {
		return s.root, nil
	}
	root, err := s.ws.Sub(layout.CacheDir)
	if err == nil {
		info, lookErr := s.ws.Lstat(layout.CacheDir)
		s.root, s.linked = root, lookErr != nil || info.Kind != fsys.Dir
		return root, nil
	}
	if fsys.Absent(err) {
		info, lookErr := s.ws.Lstat(layout.CacheDir)
		if fsys.Absent(lookErr) {
			return nil, errNoCache
		}
		if lookErr == nil && info.Kind == fsys.Link {
			err = errors.New("it is a link to nothing")
		}
	}
	s.noteLocked(fmt.Sprintf("the cache %s cannot be opened: %v", s.ws.HostPath(layout.CacheDir), fsys.Cause(err)), err)
	return nil, err
}

// create is open, and makes the cache root when there is none.
func (s *site) create() (fsys.FS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	root, err := s.openLocked()
	if err != nil {
		if err != errNoCache {
			return nil, err
		}
		if err := s.ws.MkdirAll(layout.CacheDir, dirPerm); err != nil {
			s.noteLocked(fmt.Sprintf("the cache %s cannot be made: %v", s.ws.HostPath(layout.CacheDir), fsys.Cause(err)), err)
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
		if _, err := root.Lstat("/" + ignoreName); fsys.Absent(err) && holdsOnlyOwn(root) {
			_ = writeNew(root, "/"+ignoreName, []byte("*\n"), filePerm) // failing to do so harms nothing
		}
	}
	return root, nil
}

// shardOf is the directory of the entries whose keys begin like k (CACHE-010).
func shardOf(k entry.Key) string { return "/" + k.Hex()[:2] }

// entryOf is the directory of the entry of k below the cache root.
func entryOf(k entry.Key) string {
	h := k.Hex()
	return "/" + h[:2] + "/" + h
}

// suffix is 16 random hex digits.
func (s *site) suffix() string { return hex16(s.o.Rand()) }
