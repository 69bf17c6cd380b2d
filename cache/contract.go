// Package cache is the content-addressed store of results: entries under their key, blobs under their digest, verified
// before every use (chapter 2, sections 7 and 9).
package cache

import (
	"context"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/glob"
)

// Key finds an entry.
type Key = digest.Digest

// OutputKind is the kind of a recorded output.
type OutputKind byte

const (
	File OutputKind = 'f'
	Link OutputKind = 'l'
	Dir  OutputKind = 'd'
)

// Output is one recorded output.
type Output struct {
	Path   string // workspace-absolute
	Kind   OutputKind
	Digest digest.Digest // files
	Size   int64         // files
	Mode   uint32        // 0o777 at most; 0 for links
	Target string        // links
}

// OutputsDigest is the digest of a list of outputs sorted by path (chapter 2, 5.2).
func OutputsDigest(fn digest.Function, outs []Output) digest.Digest { panic("contract") }

// Manifest is the table of contents of an entry (7.2).
type Manifest struct {
	Revision               int
	Hash                   digest.Function
	Key                    Key
	Outputs                []Output // sorted by path
	StdoutLen, StderrLen   int64
	StdoutHash, StderrHash digest.Digest
	ExitStatus             int
	CreatedAt              int64 // unix seconds
	DurationMS             int64
	Task                   string
}

// MissReason says why there is no hit (7.4).
type MissReason uint8

const (
	NoEntry MissReason = iota + 1
	Schema
	Damaged
	Unreadable
	Uncached
)

// String is the spelling after "miss: " in chapter 3, 6: "no entry", "schema mismatch", "corrupt entry", "unreadable entry", "uncached".
func (r MissReason) String() string { panic("contract") }

// A Miss says why a lookup found nothing usable.
type Miss struct {
	Reason MissReason
	Detail string // "blob 2 of 3 missing"
}

// Store is the open cache of one workspace.
type Store struct{}

// Options of a Store.
type Options struct {
	Hash     digest.Function
	State    *state.State
	ReadOnly bool // cache mode ro: nothing below the cache root is changed
}

// Open opens .haz/cache of the workspace file system (a link to a directory anywhere is fine) without creating anything.
// It never fails: a cache that cannot be opened misses every lookup and refuses every store, and Trouble says why.
func Open(ws fsys.FS, o Options) *Store { panic("contract") }

// Trouble returns what made the cache unusable, each once.
func (s *Store) Trouble() []string { panic("contract") }

// Close gives handles back.
func (s *Store) Close() error { panic("contract") }

// Lookup finds the entry of k (7.4). A damaged entry is set aside (not with ReadOnly).
func (s *Store) Lookup(k Key) (*Manifest, *Miss) { panic("contract") }

// Explain is Lookup without any effect on disk, for why.
func (s *Store) Explain(k Key) (*Manifest, *Miss) { panic("contract") }

// Stream is a captured stream: its length and digest, and its bytes, in memory when short, else in a file.
type Stream struct {
	Len    int64
	Digest digest.Digest
	Bytes  []byte // when Path is ""
	Path   string // name in the workspace file system of a spool file
}

// StoreRequest is what to store.
type StoreRequest struct {
	Key            Key
	Outputs        []Output // sorted; digests known
	Stdout, Stderr Stream
	Task           string
	CreatedAt      int64 // unix seconds
	DurationMS     int64
	Replace        bool // the user forced the run: an existing whole entry gives way
}

// Staged is an entry in preparation, not yet visible.
type Staged struct{}

// Stage does steps 1 to 4 of a store (7.3), off the cache actor. On any error nothing is left behind.
func (s *Store) Stage(ctx context.Context, r StoreRequest) (*Staged, error) { panic("contract") }

// Publish renames the staged entry into place (7.3 step 5). alreadyThere: a whole entry of that key stays, ours is removed.
// Callers serialize Publish (the cache actor does).
func (st *Staged) Publish() (alreadyThere bool, err error) { panic("contract") }

// Discard removes the staged entry.
func (st *Staged) Discard() { panic("contract") }

// Target is what a restore has to know about the task whose outputs it puts back.
type Target struct {
	Task     string
	Patterns []glob.Pattern // output patterns, anchored
	Ledger   state.Ledger   // of this task
	// Input looks up a path among the inputs of the key: its stat and digest at key time.
	Input func(path string) (fsys.Info, digest.Digest, bool)
	// Others reports whether another task's ledger lists path.
	Others func(path string) bool
}

// Plan says what a restore has to do.
type Plan struct {
	Manifest *Manifest
	Target   Target
	Nothing  bool // all outputs are right and nothing is stale: only the streams are to be verified (S-33)
}

// Compare is step 1 of a restore, and finds stale files: what has to be written or removed. It writes nothing.
func (s *Store) Compare(ctx context.Context, m *Manifest, t Target) (*Plan, error) { panic("contract") }

// RestoreError says that a restore failed and how the tree was left.
type RestoreError struct {
	Damaged    bool   // the entry was at fault and has been set aside
	InputMoved bool   // a target that is also an input moved since key time: derive the key again
	Path       string // workspace-absolute, where there is one
	Reason     string
	Err        error
}

func (e *RestoreError) Error() string { return e.Reason }
func (e *RestoreError) Unwrap() error { return e.Err }

// Restored is the result of a restore.
type Restored struct {
	Written        int    // outputs written
	Stdout, Stderr Stream // verified
	Ledger         state.Ledger
}

// Streams verifies and returns the streams of an entry. spoolDir is a directory for spool files in the workspace file system.
func (s *Store) Streams(ctx context.Context, m *Manifest, spoolDir string) (stdout, stderr Stream, err error) {
	panic("contract")
}

// Restore carries out a plan (7.5 steps 2 to 6): afterwards every output is as recorded, or the tree is as it was, or what
// could not be put back is absent. Errors are *RestoreError or ctx.Err(). With a plan that has Nothing to do, only streams
// are verified. The ledger is written.
func (s *Store) Restore(ctx context.Context, p *Plan, spoolDir string) (*Restored, error) {
	panic("contract")
}

// SetAside moves a damaged entry to .damaged.
func (s *Store) SetAside(k Key, reason string) { panic("contract") }
