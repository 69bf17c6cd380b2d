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
	"cmp"
	"math/rand/v2"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/housekeeping"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/restore"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/store"
	"github.com/haz-build/haz/fsys"
)

// Options of a Store.
type Options struct {
	Hash     digest.Function
	State    *state.State  // nil: one of its own
	ReadOnly bool          // cache mode ro: nothing below the cache root is changed
	Root     manifest.Root // where the workspace lies
	// KeepDamaged: lookups and restores only say that an entry is damaged; the caller sets it aside, in its own order.
	KeepDamaged bool
	Now         func() time.Time
	// DirMode is the mode of folders that a restore makes for what lies in them: what a plain mkdir of a task gives. 0: 0o755.
	DirMode uint32
	// Rand makes the random part of temporary names; nil: the process's own source.
	Rand func() uint64
}

// Store is the open cache of one workspace, all of its rooms. Safe for concurrent use, Publish excepted (see there). Many stores,
// in one process or several, may share one cache.
type Store struct {
	*store.Store
	*restore.Restorer
	*housekeeping.Housekeeper
	site *site.Site
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
	s := site.New(ws, site.Options{Hash: o.Hash, State: o.State, ReadOnly: o.ReadOnly, Now: o.Now, Rand: o.Rand})
	c := store.New(s, o.Root, o.KeepDamaged)
	return &Store{Store: c, Restorer: restore.New(s, c, cmp.Or(o.DirMode, 0o755)), Housekeeper: housekeeping.New(s), site: s}
}

// Trouble returns what made the cache unusable, each once.
func (s *Store) Trouble() []string { return s.site.Trouble() }

// Denied is the first thing of the cache that may not be opened or made; nil when there is none.
func (s *Store) Denied() *state.Denial { return s.site.Denied() }

// Finish ends a run: it removes the staging directories that were kept for stores and restores to come. Nothing is flushed to the
// device (S-63): of what a power cut takes, or leaves with other bytes, a lookup or a restore finds out by sizes and digests, and an index
// of before the last start of the system proves nothing. A sync would wait for what others have written, too.
func (s *Store) Finish() { s.site.Stagings.DropKept() }

// Close gives handles back, and removes what Finish has not.
func (s *Store) Close() error {
	s.site.Stagings.DropKept()
	return s.site.Close()
}
