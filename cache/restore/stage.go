package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// An area is where a restore stages for one device: renames work only within one.
type area struct {
	name string  // directory in the workspace
	dir  fsys.FS // its own handle
	in   *folder // where it lies; nil for the one in .haz/state
	old  fsys.FS // old/, once it was made
	olds []string
	base int // names given so far
}

// newName is the name of the next file in a.
func (a *area) newName() string {
	a.base++
	return fmt.Sprintf("/%08d", a.base)
}

// stage is step 2 of a restore: every needed blob is copied and verified. Nothing outside of the staging is touched.
func (r *restore) stage(ctx context.Context) error {
	root, err := r.s.Open()
	if err != nil {
		return failed("", err, "the cache cannot be opened: %v", fsys.Cause(err))
	}
	if err := r.begin(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	// One goroutine copies and another one digests: two big blobs at a time keep both busy.
	big := &r.big
	big.slots, big.failed = make(chan struct{}, bigCopies), cancel
	defer func() { // also where this goroutine panics: no copy outlives the restore
		cancel()
		_ = big.wait()
	}()
	err = r.stageEach(ctx, root)
	if err != nil {
		cancel()
	}
	if bigErr := big.wait(); bigErr != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = bigErr
	}
	big.panics.Rethrow()
	return err
}

// bigCopiers copy big blobs beside the goroutine that restores.
type bigCopiers struct {
	slots  chan struct{}
	failed func() // called when a copy fails: the others end
	all    sync.WaitGroup
	once   sync.Once
	err    error // of the first one that failed
	panics site.Carrier
}

var errPanicked = errors.New("a copy panicked")

// copy runs f when there is a slot, and takes a panic in it to whoever waits.
func (b *bigCopiers) copy(f func() error) {
	b.slots <- struct{}{}
	b.all.Go(func() {
		defer func() { <-b.slots }()
		if err := b.try(f); err != nil {
			b.once.Do(func() {
				b.err = err
				b.failed()
			})
		}
	})
}

func (b *bigCopiers) try(f func() error) (err error) {
	defer func() {
		if b.panics.Caught() && err == nil {
			err = errPanicked // ends the other copies
		}
	}()
	defer b.panics.Catch()
	return f()
}

// wait is the error of the first copy that failed, when all have ended.
func (b *bigCopiers) wait() error {
	b.all.Wait()
	return b.err
}

// begin gets the staging in .haz/state.
func (r *restore) begin() error {
	var dev uint64
	var err error
	if r.first, dev, err = r.s.Stagings.Restore(r.p.Manifest.Key); err != nil {
		return failed("", err, "a restore cannot be prepared in %s: %v", r.s.WS.HostPath(layout.StateDir), fsys.Cause(err))
	}
	r.here = &area{name: r.first.Name, dir: r.first.Dir}
	r.areas[dev] = r.here
	return nil
}

const (
	bigBlob   = 1 << 20 // bytes from which on blobs are copied side by side
	bigCopies = 2
)

// stageEach copies blob after blob, but hands the big ones over.
func (r *restore) stageEach(ctx context.Context, root fsys.FS) error {
	outs := r.p.Manifest.Outputs
	r.mtimes = make([]int64, len(outs))
	dir := site.EntryOf(r.p.Manifest.Key)
	for i := range outs {
		if r.p.seen[i].Kind != fsys.Unknown || outs[i].Kind != entry.File {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		a, err := r.areaFor(outs[i].Path)
		if err != nil {
			return err
		}
		name := a.newName()
		r.staged = append(r.staged, placed{output: i, area: a, name: name})
		if outs[i].Size >= bigBlob {
			r.big.copy(func() error { return r.stageBlob(ctx, root, dir, i, a, name) })
		} else if err := r.stageBlob(ctx, root, dir, i, a, name); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// stageBlob copies the blob of output i to name in a, with the mode that the output has.
func (r *restore) stageBlob(ctx context.Context, root fsys.FS, dir string, i int, a *area, name string) error {
	o := &r.p.Manifest.Outputs[i]
	blob := dir + "/" + site.OutputsName + "/" + o.Digest.Hex()
	perm := fs.FileMode(o.Mode)
	var d digest.Digest
	var info fsys.Info
	cloned := false
	if a.in == nil { // cloning goes by names, and those beside targets are not ours alone
		d, info, cloned = r.s.CloneFile(ctx, layout.CacheDir+blob, a.name+name, perm, o.Size, nil)
	}
	if !cloned {
		f, err := root.OpenNoFollow(blob)
		if err != nil {
			return r.s.store.SourceError(r.p.Manifest, r.p.Manifest.NameBlob(i), err)
		}
		defer f.Close()
		from, err := fsys.FileInfo(f)
		if err != nil {
			return r.s.store.SourceError(r.p.Manifest, r.p.Manifest.NameBlob(i), err)
		}
		if from.Size != o.Size {
			return r.s.store.Damaged(r.p.Manifest, fmt.Sprintf("%s has %d bytes, the manifest says %d", r.p.Manifest.NameBlob(i), from.Size, o.Size))
		}
		d, info, err = site.WriteFile(ctx, a.dir, name, perm, f, o.Size, r.s.Hash)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case site.IsWriteError(err):
			return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
		case errors.Is(err, io.ErrUnexpectedEOF):
			return r.s.store.Damaged(r.p.Manifest, r.p.Manifest.NameBlob(i)+" is shorter than recorded")
		default:
			return r.s.store.SourceError(r.p.Manifest, r.p.Manifest.NameBlob(i), err)
		}
	}
	r.mtimes[i] = info.MTime
	if d != o.Digest {
		return r.s.store.Damaged(r.p.Manifest, r.p.Manifest.NameBlob(i)+" is not what was recorded")
	}
	if info.Perm != o.Mode { // the umask took bits away
		if err := a.dir.Chmod(name, perm); err != nil {
			return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
		}
	}
	return nil
}

// areaFor is the staging on the device of the directory in which path lies or will lie.
func (r *restore) areaFor(path string) (*area, error) {
	prefix, _ := r.p.prefixes.of(path)
	f, k, at := r.folders.to(path, prefix)
	for k != wayDir {
		// If what is there can be moved out of the way at all, its successor will lie where it lies.
		if at == "/" {
			return nil, failed(path, r.folders.troubles["/"], "%s cannot be restored: the workspace cannot be opened", path)
		}
		f, k, at = r.folders.to(at, prefix)
	}
	return r.areaOf(path, f)
}

// areaOf is the staging for the folder f, in which path lies or will lie.
func (r *restore) areaOf(path string, f *folder) (*area, error) {
	if a := r.areaAt[f]; a != nil {
		return a, nil
	}
	if a := r.areas[f.info.Dev]; a != nil {
		return a, nil
	}
	a, err := r.siblingArea(path, f)
	if err == nil {
		r.areas[f.info.Dev] = a
	}
	return a, err
}

// siblingArea stages next to a target on another device. The staging in .haz/state notes the place first, so that a sweep
// finds it whatever happens to us.
func (r *restore) siblingArea(path string, f *folder) (*area, error) {
	base := "/" + manifest.SiblingPrefix + r.s.Suffix()
	a := &area{name: site.Join(f.path, base[1:]), in: f}
	err := r.notePlace(a.name)
	if err == nil {
		err = f.fs.Mkdir(base, site.DirPerm)
	}
	if err == nil {
		r.beside = append(r.beside, a)
		a.dir, err = f.fs.Hold(base)
	}
	if err != nil {
		return nil, failed(path, err, "%s cannot be restored: %v", path, fsys.Cause(err))
	}
	return a, nil
}

// notePlace adds a line to `places`.
func (r *restore) notePlace(name string) error {
	f, err := r.first.Dir.OpenFile("/"+site.PlacesName, os.O_WRONLY|os.O_CREATE|os.O_APPEND, site.FilePerm)
	if err != nil {
		return err
	}
	err = site.WriteAll(f, []byte(name+"\n"))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// clear removes all staging, what did not fit its purpose and what lies in old/ included.
func (r *restore) clear() {
	if r.first == nil {
		return
	}
	for _, a := range r.beside {
		if in := r.folders.again(a.in); in != nil {
			_ = in.RemoveAll(name(a.name))
		}
		a.close()
	}
	here := r.here
	known := len(r.beside) == 0 && r.emptied && r.clearKnown(here)
	if here.old != nil {
		_ = here.old.Close()
	}
	// What is in there is known when all went well: taking just that away is a third of the cost of looking for it.
	if known {
		r.s.Stagings.Keep(r.first)
		return
	}
	r.first.Remove()
}

// close gives the handles of an area beside a target back.
func (a *area) close() {
	for _, d := range []fsys.FS{a.old, a.dir} {
		if d != nil {
			_ = d.Close()
		}
	}
}

// clearKnown removes what a restore that succeeded has left in its staging, which is then as new.
func (r *restore) clearKnown(a *area) bool {
	for _, old := range a.olds {
		if a.old.Remove(old) != nil {
			return false
		}
	}
	return a.old == nil || a.dir.Remove("/old") == nil
}
