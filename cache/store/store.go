// Package store finds entries by their key, makes them, and sets damaged ones aside (chapter 2, 7.3 and 7.4).
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// Store finds and stores entries.
type Store struct {
	*site.Site
	home        manifest.Root
	keepDamaged bool
	none        digest.Digest // of no bytes
	seek        *spellings    // of the root
}

func New(s *site.Site, home manifest.Root, keepDamaged bool) *Store {
	return &Store{Site: s, home: home, keepDamaged: keepDamaged, none: hasher.Sum(s.Hash, nil), seek: lookFor(home)}
}

const (
	streamMemory    = 64 << 10  // bytes of a stream that are held in memory
	usedRefresh     = time.Hour // how often `used` is touched
	maxPublishTries = 4         // how often a publish makes room for itself before it gives up
)

// Stream is a captured stream: its length and digest, and its bytes, in memory when short, else in a file.
type Stream struct {
	Len    int64
	Digest digest.Digest
	Bytes  []byte // when Path is ""
	Path   string // name in the workspace file system of a spool file
}

// StoreRequest is what to store.
type StoreRequest struct {
	Key            entry.Key
	Outputs        []entry.Output // sorted; digests known
	Stdout, Stderr Stream
	Order          manifest.StreamOrder
	Task           string
	CreatedAt      int64 // unix seconds
	DurationMS     int64
	Attempt        int  // on which it was made; 0, 1: the first
	Replace        bool // the user forced the run: an existing whole dir gives way
}

// ErrReadOnly says that the cache mode forbids to store.
var ErrReadOnly = errors.New("the cache is read-only")

// Staged is an entry in preparation, not yet visible.
type Staged struct {
	s       *Store
	key     entry.Key // of the place where it will lie
	replace bool
	st      *site.Staging // nil once published or discarded

	tidyRoot fsys.FS  // nil when Tidy has nothing to do there
	trash    []string // names in it
}

// Stage does steps 1 to 4 of a store (7.3), off the cache actor. On any error nothing is left behind; the error is a
// sentence for people: why the result is not stored (S-01).
//
// Spool files are copied, not moved: they still belong to the caller.
func (s *Store) Stage(ctx context.Context, r StoreRequest) (*Staged, error) {
	if s.ReadOnly {
		return nil, ErrReadOnly
	}
	m := &manifest.Manifest{
		Revision: manifest.Revision, Hash: s.Hash, Key: r.Key, Outputs: r.Outputs,
		StdoutLen: r.Stdout.Len, StderrLen: r.Stderr.Len, StdoutHash: r.Stdout.Digest, StderrHash: r.Stderr.Digest, Order: r.Order,
		CreatedAt: max(r.CreatedAt, 0), DurationMS: max(r.DurationMS, 0), Task: r.Task,
	}
	if r.Attempt > 1 {
		m.Attempt = r.Attempt
	}
	if err := m.Check(); err != nil { // first, since what cannot be written down need not be copied
		return nil, err
	}
	st, err := s.beginStore(r.Key)
	if err != nil {
		return nil, err
	}
	filled := false
	defer func() {
		if !filled { // also after a panic: a file system of the host may
			st.Remove()
		}
	}()
	if err := s.fill(ctx, st, r, m); err != nil {
		return nil, err
	}
	filled = true
	return &Staged{s: s, key: m.Key, replace: r.Replace, st: st}, nil
}

func (s *Store) beginStore(k entry.Key) (st *site.Staging, err error) {
	for range 2 {
		var root fsys.FS
		if root, err = s.Create(); err != nil {
			return nil, fmt.Errorf("the cache cannot be opened: %w", fsys.Cause(err))
		}
		s.Stagings.Own(root, k)
		if st, err = s.Stagings.Begin(root, site.ShardOf(k), site.TmpPrefix+k.Hex()+"-", shardMaker(root, k)); err == nil {
			return st, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		s.Renew(root) // a shard that cannot be made because its parent is gone: somebody has cleared the cache
	}
	return nil, cannotWrite(err)
}

// shardMaker makes the shard of k. Nobody asks whether it is there before the first mkdir in it has failed.
func shardMaker(root fsys.FS, k entry.Key) func() error {
	return func() error {
		err := root.Mkdir(site.ShardOf(k), site.DirPerm)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
}

// fill writes blobs, streams and, last, the manifest, which then says to what root the entry is bound and where it lies; or all in one file.
func (s *Store) fill(ctx context.Context, st *site.Staging, r StoreRequest, m *manifest.Manifest) error {
	if done, err := s.pack(ctx, st, r, m); done || err != nil {
		return err
	}
	blobs := blobWriter{s: s, st: st, search: rootSearch{l: s.seek}}
	defer blobs.close()
	if err := s.eachContent(ctx, r, m, &blobs.search, func(o *entry.Output, left int) error { return blobs.add(ctx, o, left) }); err != nil {
		return err
	}
	if err := s.storeStream(ctx, st, site.StdoutName, &r.Stdout); err != nil {
		return err
	}
	// Two empty streams are one file, where the file system has links.
	if !r.Stdout.isEmpty(s.none) || !r.Stderr.isEmpty(s.none) || st.Dir.Link("/"+site.StdoutName, "/"+site.StderrName) != nil {
		if err := s.storeStream(ctx, st, site.StderrName, &r.Stderr); err != nil {
			return err
		}
	}
	if err := s.placeFor(st.Root, m); err != nil {
		return cannotWrite(err)
	}
	text, err := manifest.Encode(m)
	if err != nil {
		return err
	}
	if err := site.WriteNew(st.Dir, "/"+manifest.ManifestName, text, site.FilePerm); err != nil {
		return cannotWrite(err)
	}
	return ctx.Err()
}

// eachContent has add take the contents of the outputs that are files, left of them to come with this one. What search finds binds the entry.
func (s *Store) eachContent(ctx context.Context, r StoreRequest, m *manifest.Manifest, search *rootSearch, add func(o *entry.Output, left int) error) error {
	for i := range r.Outputs {
		o := &r.Outputs[i]
		if o.Kind != entry.File {
			if o.Kind == entry.Link && search.text(o.Target) {
				m.Bind(&s.home, o.Path)
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := add(o, len(r.Outputs)-i); err != nil {
			return err
		}
		if search.found {
			m.Bind(&s.home, o.Path)
		}
	}
	return nil
}

// blobWriter copies outputs into the staging, equal contents once.
type blobWriter struct {
	s    *Store
	st   *site.Staging
	dir  fsys.FS // outputs, under a handle of its own when there are several
	sub  bool
	path string // of outputs in dir
	have map[digest.Digest]int64

	search rootSearch
}

// many is from how many blobs on a handle on their directory costs less than the way there each time.
const many = 3

func (w *blobWriter) add(ctx context.Context, o *entry.Output, left int) error {
	if size, ok := w.have[o.Digest]; ok {
		if size != o.Size {
			return changed(o.Path)
		}
		return nil
	}
	if w.dir == nil {
		if err := w.st.Dir.Mkdir("/"+site.OutputsName, site.DirPerm); err != nil {
			return cannotWrite(err)
		}
		w.dir, w.path = w.st.Dir, "/"+site.OutputsName
		if left >= many {
			if d, err := w.st.Dir.Sub("/" + site.OutputsName); err == nil {
				w.dir, w.sub, w.path = d, true, "/"
			}
		}
	}
	if err := w.copy(ctx, o); err != nil {
		return err
	}
	if left > 1 || w.have != nil {
		if w.have == nil {
			w.have = make(map[digest.Digest]int64)
		}
		w.have[o.Digest] = o.Size
	}
	return nil
}

func (w *blobWriter) close() {
	if w.sub {
		_ = w.dir.Close()
	}
}

// copy makes the blob of o from the file in the tree.
func (w *blobWriter) copy(ctx context.Context, o *entry.Output) error {
	name := o.Digest.Hex()
	if done, err := w.clone(ctx, o, name); done || err != nil {
		return err
	}
	return w.s.readOutput(o, func(f io.Reader) (digest.Digest, error) {
		d, _, err := site.WriteFile(ctx, w.dir, site.Join(w.path, name), site.BlobPerm, w.search.over(f), o.Size, w.s.Hash)
		var at *site.WriteError
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case errors.As(err, &at):
			err = cannotWrite(at.Err)
		case err != nil:
			err = cannotRead(o.Path, err)
		}
		return d, err
	})
}

// readOutput has read read an output in the tree. The file must be what was collected: a digest that differs, or a stat that moves
// meanwhile, means that something still writes it.
func (s *Store) readOutput(o *entry.Output, read func(f io.Reader) (digest.Digest, error)) error {
	f, err := s.WS.OpenNoFollow(o.Path)
	if err != nil {
		return cannotRead(o.Path, err)
	}
	defer f.Close()
	before, err := fsys.FileInfo(f)
	if err != nil {
		return cannotRead(o.Path, err)
	}
	if before.Kind != fsys.File || before.Size != o.Size || before.Perm&0o777 != o.Mode {
		return changed(o.Path)
	}
	d, err := read(f)
	if err != nil {
		return err
	}
	after, err := fsys.FileInfo(f)
	if err != nil || !after.Same(before) || d != o.Digest {
		return changed(o.Path)
	}
	return nil
}

// clone is copy for a big output where the file system can share storage.
func (w *blobWriter) clone(ctx context.Context, o *entry.Output, name string) (done bool, err error) {
	if o.Size <= site.SmallFile || w.s.Linked || w.s.NoClone.Load() {
		return false, nil
	}
	before, err := w.s.WS.Lstat(o.Path)
	if err != nil {
		return false, cannotRead(o.Path, err)
	}
	if before.Kind != fsys.File || before.Size != o.Size || before.Perm&0o777 != o.Mode {
		return false, changed(o.Path)
	}
	d, _, ok := w.s.CloneFile(ctx, o.Path, layout.CacheDir+w.st.Name+"/"+site.OutputsName+"/"+name, site.BlobPerm, o.Size, w.search.over)
	if !ok {
		return false, ctx.Err()
	}
	after, err := w.s.WS.Lstat(o.Path)
	if err != nil || !after.Same(before) || d != o.Digest {
		return false, changed(o.Path)
	}
	return true, ctx.Err()
}

func changed(path string) error { return fmt.Errorf("output %s changed while it was stored", path) }

// cannotRead says why an output cannot be stored. One that ends early has changed.
func cannotRead(path string, err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return changed(path)
	}
	return fmt.Errorf("output %s cannot be read: %w", path, fsys.Cause(err))
}

func cannotWrite(err error) error {
	return fmt.Errorf("the cache cannot be written: %w", fsys.Cause(err))
}

// isEmpty reports whether nothing was captured, and the digest says so too.
func (r *Stream) isEmpty(none digest.Digest) bool {
	return r.Path == "" && r.Len == 0 && len(r.Bytes) == 0 && r.Digest == none
}

// check reports that a stream in memory is not what was captured.
func (r *Stream) check(s *Store, name string) error {
	if int64(len(r.Bytes)) != r.Len || (r.Len > 0 || r.Digest != s.none) && hasher.Sum(s.Hash, r.Bytes) != r.Digest {
		return fmt.Errorf("%s is not what was captured", name)
	}
	return nil
}

// storeStream writes one stream. Its digest is known, and checked all the same: a spool file lies on a disk too.
func (s *Store) storeStream(ctx context.Context, st *site.Staging, name string, r *Stream) error {
	if r.Path == "" {
		if err := r.check(s, name); err != nil {
			return err
		}
		if err := site.WriteNew(st.Dir, "/"+name, r.Bytes, site.FilePerm); err != nil {
			return cannotWrite(err)
		}
		return nil
	}
	f, err := s.WS.OpenNoFollow(r.Path)
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", name, fsys.Cause(err))
	}
	defer f.Close()
	d, _, err := site.WriteFile(ctx, st.Dir, "/"+name, site.FilePerm, f, r.Len, s.Hash)
	var at *site.WriteError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &at):
		return cannotWrite(at.Err)
	case err != nil:
		return fmt.Errorf("%s cannot be read: %w", name, fsys.Cause(err))
	}
	if d != r.Digest {
		return fmt.Errorf("%s is not what was captured", name)
	}
	return nil
}

// Publish is Place and Tidy.
func (st *Staged) Publish() (alreadyThere bool, err error) {
	defer st.Tidy()
	return st.Place()
}

// Place renames the staged entry into place (7.3 step 5). alreadyThere: a whole entry of that key stays. Callers in one process
// serialize Place (the cache actor does); other processes need not be waited for. Nothing is removed yet: that is Tidy's, which
// must follow, whatever came of this, and may take its time beside other stores.
func (st *Staged) Place() (alreadyThere bool, err error) {
	if st.st == nil {
		return false, errors.New("the entry was discarded")
	}
	root, dir := st.st.Root, site.EntryOf(st.key)
	for range maxPublishTries {
		if err = root.Rename(st.st.Name, dir); err == nil {
			// Only now, since a staging without a lock file would be taken for that of a dead owner.
			_ = st.st.Dir.Remove("/" + site.LockName)
			st.st.Close()
			st.st = nil
			return false, nil
		}
		if _, lookErr := root.Lstat(dir); lookErr != nil {
			break // nothing is in the way: the rename itself cannot be done
		}
		switch m, miss := st.s.examine(root, st.key); {
		case miss == nil && !m.ServesRoot(&st.s.home): // it came while this one was staged
			return false, fmt.Errorf("the result of another workspace, bound to %s, was stored at the same time", m.Root)
		case miss == nil && !st.replace:
			return true, nil
		case miss != nil && miss.Reason == entry.Unreadable && !st.replace:
			return false, fmt.Errorf("the entry that is there cannot be read: %s", miss.Detail)
		case miss != nil && (miss.Reason == entry.Damaged || miss.Reason == entry.NoEntry):
			st.moveAway(root, func() string { _, trash, _ := st.s.MoveAside(root, st.key, miss.Detail); return trash })
		default: // whole but forced, or of another schema
			st.moveAway(root, func() string { trash, _ := st.s.MoveToTrash(root, dir); return trash })
		}
	}
	return false, cannotWrite(err)
}

// moveAway remembers what Tidy has to remove.
func (st *Staged) moveAway(root fsys.FS, move func() (trash string)) {
	st.tidyRoot = root
	if trash := move(); trash != "" {
		st.trash = append(st.trash, trash)
	}
}

// Tidy removes what Place has moved out of the way, and the staged entry unless it was published.
func (st *Staged) Tidy() {
	defer st.Discard()
	if st.tidyRoot == nil {
		return
	}
	for _, trash := range st.trash {
		_ = site.RemoveOwn(st.tidyRoot, trash, nil)
	}
	st.s.TrimDamaged(st.tidyRoot)
	st.tidyRoot, st.trash = nil, nil
}

// Discard removes the staged entry. After Place, or a second time, it does nothing.
func (st *Staged) Discard() {
	if st.st != nil {
		defer func() { st.st = nil }()
		st.st.Remove()
	}
}
