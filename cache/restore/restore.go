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
	switch {
	case recorded:
		done.Products = p.Target.Products
	case !p.Unwritten:
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

func isRecorded(old, l *state.Products) bool {
	return old.Task == l.Task && old.Key == l.Key && !old.Running && !old.Unfinished && sameFiles(old.Files, l.Files)
}

// key is that of the task now.
func (r *restore) key() entry.Key {
	if r.p.Target.Key.IsZero() {
		return r.p.Manifest.Key
	}
	return r.p.Target.Key
}

func sameFiles(a, b []state.Produced) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		// The stat of a directory, but for its mode, changes with what others put there, which does not concern the product list.
		if a[i].Path != b[i].Path || a[i].Info.Kind != b[i].Info.Kind || a[i].Info.Kind == fsys.Dir && a[i].Info.Perm != b[i].Info.Perm ||
			a[i].Info.Kind != fsys.Dir && !a[i].Info.Same(b[i].Info) || a[i].HasDigest != b[i].HasDigest || a[i].Digest != b[i].Digest ||
			a[i].LinkText != b[i].LinkText || a[i].Found != b[i].Found {
			return false
		}
	}
	return true
}
