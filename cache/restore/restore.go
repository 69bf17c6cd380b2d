// Package restore puts the outputs of an entry into the tree, or leaves the tree as it was; takes away what a task made earlier;
// and keeps what was in the way of either and is not the task's (chapter 2, 7.5 and 7.7).
package restore

import (
	"context"
	"fmt"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/store"
	"github.com/haz-build/haz/fsys"
)

// Restored is the result of a restore.
type Restored struct {
	Written        int          // outputs written
	Stdout, Stderr store.Stream // verified
	Products       state.Products
	Kept           []Kept // what gave way to outputs and was not this task's
}

// Restore carries out work (7.5 steps 2 to 6): afterwards every output is as recorded, or the tree is as it was, or what
// could not be put back is absent. Errors are *RestoreError or ctx.Err(). With work that has Nothing to do, only streams
// are verified. The product list is written, unless it says the same already, or p.Unwritten.
//
// Blobs are copied into a staging directory and verified there; then what lies in the way is renamed into its old/, and
// the new files are renamed onto their targets. Until the first rename nothing outside of the staging is touched, and each
// later step is written down, so that a failure, or a cancelled context, is undone in reverse order.
func (s *Restorer) Restore(ctx context.Context, p *Work, spoolDir string) (*Restored, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	done := &Restored{}
	var err error
	if done.Stdout, done.Stderr, err = s.store.Streams(ctx, p.Manifest, spoolDir); err != nil {
		return nil, err
	}
	r := &restore{s: s, p: p, folders: newFolders(s.WS, p.links), areas: map[uint64]*area{}, areaAt: map[*folder]*area{},
		keeper: keeper{s: s, task: p.Target.Task}}
	if !p.Nothing {
		defer r.folders.close()
		err = r.runAndClear(ctx)
		done.Kept = r.keeper.end()
		if err != nil {
			done.Stdout.Drop(s.WS)
			done.Stderr.Drop(s.WS)
			return nil, err
		}
	}
	done.Written = p.writes
	recorded := p.Recorded
	if done.Products = p.products; !p.Nothing {
		done.Products = r.newProducts()
		recorded = isRecorded(&p.Target.Products, &done.Products)
	}
	if !recorded && !p.Unwritten {
		s.State.WriteProducts(done.Products)
	}
	s.store.Touch(p.Manifest)
	return done, nil
}

// restore is one restore under way.
type restore struct {
	s       *Restorer
	p       *Work
	folders *folders
	first   *site.Staging // in .haz/state; nil until needed
	here    *area         // in first
	big     bigCopiers
	areas   map[uint64]*area  // by device
	areaAt  map[*folder]*area // of folders where that of the device cannot be used
	beside  []*area           // all that lie beside targets

	staged  []placed       // what is being copied or stands ready, in the order of the outputs
	unnamed []fsys.Unnamed // files without a name among them; at most maxUnnamed
	mtimes  []int64        // of what is staged, by output
	time    int64          // that what is restored gets
	again   bool           // what the product list lists gets the time back that it had
	journal []step
	keeper  keeper
	olds    int                // names given in old/
	touched map[string]touched // what was written
	opened  map[*folder]uint32 // those that were made writable, and their permission bits of before
	emptied bool               // all that was staged is in its place

	unsettled bool // the product list on disk says that what it lists may not be there
}

// placed is a verified file on its way to its target.
type placed struct {
	output int          // index in the manifest
	file   fsys.Unnamed // it lies in no directory; nil: in an area
	area   *area
	name   string // in the area
}

// touched is an output that was written: the folder it lies in, and how it looked then, where that was seen.
type touched struct {
	in   *folder
	info fsys.Info
}

// runAndClear leaves no staging behind, and the tree as it was when it panics (a file system of the host does): the caller
// turns that into an error, and goes on.
func (r *restore) runAndClear(ctx context.Context) error {
	defer r.clear()
	ended := false
	defer func() {
		if !ended {
			r.undo()
		}
	}()
	err := r.run(ctx)
	ended = true
	return err
}

// run does steps 2 to 5. On an error the tree is as it was, or as near to that as the disk allows.
func (r *restore) run(ctx context.Context) error {
	if err := r.stage(ctx); err != nil {
		return err
	}
	r.settleTimes()
	err := r.folders.linksStand()
	if err == nil {
		if r.p.Target.Products.Key != r.key() {
			r.unsettle()
		}
		err = r.publish(ctx)
	}
	if err == nil {
		err = r.removeStale(ctx)
	}
	if err == nil {
		err = r.setModes()
	}
	if err == nil {
		err = r.folders.inPlace()
	}
	if err != nil {
		r.undo()
		return err
	}
	r.emptied = true
	return nil
}

// unsettle writes down, before the first of what the product list lists is taken out of the tree, that it may not be there any more: should haz
// be killed meanwhile, others that count on it find out (outputs.Kept).
func (r *restore) unsettle() {
	l := r.p.Target.Products
	if len(l.Files) > 0 && !l.Running && !l.Unfinished {
		l.Unfinished, r.unsettled = true, true
		r.s.State.WriteProducts(l)
	}
}

// failed is a restore error about path.
func failed(path string, err error, format string, args ...any) error {
	return &store.RestoreError{Path: path, Reason: fmt.Sprintf(format, args...), Err: err}
}

// newProducts is what the task has in the tree now (8.2). The stat index learns nothing: what was just written is too young for
// it (S-26).
func (r *restore) newProducts() state.Products {
	outs := r.p.Manifest.Outputs
	old := &r.p.Target.Products
	l := state.Products{Task: r.p.Target.Task, Key: r.key(), At: r.s.Now().Unix(), Files: make([]state.Produced, 0, len(outs)), Spans: old.Spans}
	for i := range outs {
		o := &outs[i]
		info := r.p.seen[i]
		at, written := r.touched[o.Path]
		if info.Kind == fsys.Unknown {
			info = at.info
		}
		if written && info.Kind == fsys.Unknown {
			info = r.folders.lookIn(at.in, o.Path)
		} else if info.Kind == fsys.Unknown {
			info, _ = r.s.WS.Lstat(o.Path)
		}
		if info.Kind == fsys.Unknown {
			continue // it is gone again; the next run will find out
		}
		was, known := old.Find(o.Path)
		l.Files = append(l.Files, state.Produced{Path: o.Path, Info: info, Digest: o.Digest, HasDigest: o.Kind == entry.File, LinkText: o.Target,
			Found: !written && (!known || was.Found)})
	}
	return l
}

// isRecorded reports whether a product list on disk says what l does, so that l need not be written (S-60). Stats of few small files
// do not count: who finds another one reads the bytes.
func isRecorded(old, l *state.Products) bool {
	if old.Task != l.Task || old.Key != l.Key || old.Running || old.Unfinished || len(old.Files) != len(l.Files) {
		return false
	}
	files, bytes := 0, int64(0)
	for i := range l.Files {
		a, b := &old.Files[i], &l.Files[i]
		if !sameRow(a, b) {
			return false
		}
		if a.Info.Kind == fsys.File && !a.Info.Same(b.Info) {
			files++
			bytes += b.Info.Size
		}
	}
	return files <= maxToRead && bytes <= site.SmallFile
}

// maxToRead is of how many files stats may be old ones in a product list.
const maxToRead = 8

// key is that of the task now.
func (r *restore) key() entry.Key {
	if r.p.Target.Key.IsZero() {
		return r.p.Manifest.Key
	}
	return r.p.Target.Key
}

// sameRow reports whether nobody who goes by b would do otherwise by a. Inode, device and time of change are other ones after each restore,
// and save no more than a look at bytes; but where nobody may read these they are all there is to go by.
func sameRow(a, b *state.Produced) bool {
	if a.Path != b.Path || a.Info.Kind != b.Info.Kind || a.HasDigest != b.HasDigest || a.Digest != b.Digest || a.LinkText != b.LinkText || a.Found != b.Found {
		return false
	}
	switch a.Info.Kind {
	case fsys.Dir: // whose times move with what others put there
		return a.Info.Perm == b.Info.Perm
	case fsys.Link:
		return true
	case fsys.File:
		if a.HasDigest && a.Info.Perm&0o400 != 0 {
			return a.Info.Perm == b.Info.Perm && a.Info.MTime == b.Info.MTime // which a restore gives back (settleTimes)
		}
	}
	return a.Info.Same(b.Info)
}
