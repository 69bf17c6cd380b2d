// Package cache is the content-addressed store of results: entries under their key, blobs under their digest, verified
// before every use (chapter 2, sections 7 and 9).
//
// What holds, whatever happens to the disk or to haz:
//
//   - An entry is whole or a miss. Its manifest is written last, and the directory that holds all of it is renamed into
//     place (Staged.Publish).
//   - Verification is the only trust (S-31). No byte of a blob or stream is shown or becomes visible in the tree before
//     its digest was compared with the manifest, and the manifest carries a digest of itself. Nothing is ever flushed for
//     correctness: a power cut loses entries, never truth.
//   - An entry is data from a stranger: nothing in it makes haz write outside of what the task declares as outputs.
//   - A failing cache never fails a task (S-01): every failure is a miss, a store that does not happen, or a restore that
//     leaves the tree as it was, and says why.
//
// Blobs are never linked into the tree; where the file system can share storage they are cloned, else copied.
package cache

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// Options of a Store.
type Options struct {
	Hash     digest.Function
	State    *state.State // nil: one of its own
	ReadOnly bool         // cache mode ro: nothing below the cache root is changed
	Root     Root         // where the workspace lies
	// KeepDamaged: lookups and restores only say that an entry is damaged; the caller sets it aside, in its own order.
	KeepDamaged bool
	Now         func() time.Time
	// Rand makes the random part of temporary names; nil: the process's own source.
	Rand func() uint64
}

// Store is the open cache of one workspace. Safe for concurrent use, Publish excepted (see there). Many stores, in one
// process or several, may share one cache.
type Store struct {
	ws   fsys.FS
	o    Options
	none digest.Digest // of no bytes
	seek *spellings    // of the root

	stored  atomic.Bool // something was published: Finish has something to flush
	noClone atomic.Bool // cloning was tried and cannot work here

	mu      sync.Mutex
	root    fsys.FS    // nil until opened
	gone    []fsys.FS  // roots that somebody cleared while we had them open; in use, maybe, until Close
	idle    []*staging // of restores, empty
	owners  []*staging // see own
	storing bool       // there was a store
	linked  bool       // .haz/cache is a link
	made    bool       // the .gitignore was looked after
	trouble []string
	denied  *state.Denial
}

// Open opens .haz/cache of the workspace file system (a link to a directory anywhere is fine) without creating anything.
// It never fails: a cache that cannot be opened misses every lookup and refuses every store, and Trouble says why.
func Open(ws fsys.FS, o Options) *Store {
	if o.State == nil {
		o.State = state.Open(ws, o.Hash)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Uint64
	}
	return &Store{ws: ws, o: o, none: hasher.Sum(o.Hash, nil), seek: lookFor(o.Root)}
}

// Trouble returns what made the cache unusable, each once.
func (s *Store) Trouble() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.trouble)
}

// Denied is the first thing of the cache that may not be opened or made; nil when there is none.
func (s *Store) Denied() *state.Denial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied
}

func (s *Store) noteLocked(text string, err error) {
	s.denied = s.denied.Or(layout.CacheDir, err)
	if !slices.Contains(s.trouble, text) {
		s.trouble = append(s.trouble, text)
	}
}

// Finish ends a run: it removes the staging directories that were kept for further restores, and flushes what was stored to
// the device, once, and only if something was (7.3). A failure is no news: whatever is lost is found out by the next lookup.
// It should come before state.Flush, so that the rows of the stat index do not reach the device before the outputs that they
// vouch for.
func (s *Store) Finish() {
	s.dropKept()
	if s.stored.Swap(false) {
		if root, err := s.open(); err == nil {
			_ = root.SyncAll()
		}
	}
}

// Close gives handles back, and removes what Finish has not.
func (s *Store) Close() error {
	s.dropKept()
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

// renew forgets a root that was cleared by somebody else, so that the next one to store makes a new one.
func (s *Store) renew(root fsys.FS) {
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
func (s *Store) open() (fsys.FS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openLocked()
}

func (s *Store) openLocked() (fsys.FS, error) {
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
func (s *Store) create() (fsys.FS, error) {
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
func (s *Store) suffix() string { return hex16(s.o.Rand()) }
