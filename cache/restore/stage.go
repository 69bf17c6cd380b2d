package restore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// begin gets the staging in .haz/state, unless it is there.
func (r *restore) begin() error {
	if r.first != nil {
		return nil
	}
	first, dev, err := r.s.Stagings.Restore(r.p.Manifest.Key)
	if err != nil {
		return failed("", err, "a restore cannot be prepared in %s: %v", r.s.WS.HostPath(layout.StateDir), fsys.Cause(err))
	}
	r.first = first
	r.here = &area{name: first.Name, dir: first.Dir}
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
		p, err := r.place(i)
		if err != nil {
			return err
		}
		r.staged = append(r.staged, p)
		if outs[i].Size >= bigBlob {
			r.big.copy(func() error { return r.stageBlob(ctx, root, dir, p) })
		} else if err := r.stageBlob(ctx, root, dir, p); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// maxUnnamed is how many files without a name a restore keeps open.
const maxUnnamed = 32

// place is where the blob of output i is copied to: a file without a name where its folder lies (S-59), or one in a staging.
func (r *restore) place(i int) (placed, error) {
	o := &r.p.Manifest.Outputs[i]
	f, err := r.nearest(o.Path)
	if err != nil {
		return placed{}, err
	}
	if file := r.openUnnamed(f, o); file != nil {
		return placed{output: i, file: file}, nil
	}
	a, err := r.areaOf(o.Path, f)
	if err != nil {
		return placed{}, err
	}
	return placed{output: i, area: a, name: a.newName()}, nil
}

// openUnnamed makes a file without a name for o, where f lies; nil where there are no such files, enough are open, or the file system may be
// able to clone the blob, which goes by names.
func (r *restore) openUnnamed(f *folder, o *entry.Output) fsys.Unnamed {
	if len(r.unnamed) >= maxUnnamed || o.Size > site.SmallFile && !r.s.NoClone.Load() {
		return nil
	}
	if _, none := r.s.noUnnamed.Load(f.info.Dev); none {
		return nil
	}
	file, err := fsys.OpenUnnamed(f.fs, "/", fs.FileMode(o.Mode))
	if err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			r.s.noUnnamed.Store(f.info.Dev, true)
		}
		return nil // a staging does without; what is wrong with the folder shows when something is put there
	}
	r.unnamed = append(r.unnamed, file)
	return file
}

// stageBlob copies the blob of an output to its place, with the mode that the output has.
func (r *restore) stageBlob(ctx context.Context, root fsys.FS, dir string, p placed) error {
	m, i := r.p.Manifest, p.output
	o := &m.Outputs[i]
	d, info, err := r.copyBlob(ctx, root, dir+"/"+site.OutputsName+"/"+o.Digest.Hex(), p)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case site.IsWriteError(err):
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
	case errors.Is(err, fsys.ErrOtherSize):
		return r.s.store.Damaged(m, fmt.Sprintf("%s has not the %d bytes that the manifest says", m.NameBlob(i), o.Size))
	default:
		return r.s.store.SourceError(m, m.NameBlob(i), err)
	}
	r.mtimes[i] = info.MTime
	if d != o.Digest {
		return r.s.store.Damaged(m, m.NameBlob(i)+" is not what was recorded")
	}
	if info.Perm != o.Mode { // the umask took bits away
		if err := p.chmod(fs.FileMode(o.Mode)); err != nil {
			return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
		}
	}
	return nil
}

func (r *restore) copyBlob(ctx context.Context, root fsys.FS, blob string, p placed) (digest.Digest, fsys.Info, error) {
	m := r.p.Manifest
	o, perm := &m.Outputs[p.output], fs.FileMode(m.Outputs[p.output].Mode)
	switch {
	case m.Packed() && p.file != nil: // it came with the manifest, and was compared
		info, err := site.FillWith(p.file, m.PackedBlob(o))
		return o.Digest, info, err
	case m.Packed():
		return site.WriteFile(ctx, p.area.dir, p.name, perm, bytes.NewReader(m.PackedBlob(o)), o.Size, r.s.Hash)
	case p.file != nil:
		return site.Fill(ctx, root, blob, p.file, o.Size, r.s.Hash)
	case p.area.in == nil: // cloning goes by names, and those beside targets are not ours alone
		if d, info, ok := r.s.CloneFile(ctx, layout.CacheDir+blob, p.area.name+p.name, perm, o.Size, nil); ok {
			return d, info, nil
		}
	}
	return site.CopyFile(ctx, root, blob, p.area.dir, p.name, perm, o.Size, r.s.Hash)
}

func (p *placed) chmod(mode fs.FileMode) error {
	if p.file != nil {
		return p.file.Chmod(mode)
	}
	return p.area.dir.Chmod(p.name, mode)
}

// nearest is the directory in which path lies, or the one on the way to it that will hold all that is missing.
func (r *restore) nearest(path string) (*folder, error) {
	prefix, _ := r.p.prefixes.of(path)
	f, k, at := r.folders.to(path, prefix)
	for k != wayDir {
		// If what is there can be moved out of the way at all, its successor will lie where it lies.
		if at == "/" {
			return nil, failed(path, r.folders.troubles["/"], "%s cannot be restored: the workspace cannot be opened", path)
		}
		f, k, at = r.folders.to(at, prefix)
	}
	return f, nil
}

// areaOf is the staging for the folder f, in which path lies or will lie.
func (r *restore) areaOf(path string, f *folder) (*area, error) {
	if a := r.areaAt[f]; a != nil {
		return a, nil
	}
	if err := r.begin(); err != nil {
		return nil, err
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
	err := r.begin()
	if err == nil {
		err = r.notePlace(a.name)
	}
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
	defer r.clearStaging() // also where a file system of the host panics
	closeAll(r.unnamed)
}

// closeAll closes each, whatever becomes of the others: those that got no name are gone then.
func closeAll(files []fsys.Unnamed) {
	if len(files) > 0 {
		defer closeAll(files[1:])
		_ = files[0].Close()
	}
}

func (r *restore) clearStaging() {
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
