package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
)

// publish is steps 3 and 4 of a restore: files in path order, then links and directories.
func (r *restore) publish(ctx context.Context) error {
	r.touched = make(map[string]touched)
	for _, f := range r.staged {
		if err := r.publishFile(ctx, f); err != nil {
			return err
		}
	}
	outs := r.p.Manifest.Outputs
	for i := range outs {
		if r.p.seen[i].Kind != fsys.Unknown || outs[i].Kind == entry.File {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if outs[i].Kind == entry.Link {
			err = r.publishLink(ctx, &outs[i])
		} else {
			err = r.publishDir(ctx, &outs[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *restore) publishFile(ctx context.Context, p placed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &r.p.Manifest.Outputs[p.output]
	if p.file != nil {
		return r.publishUnnamed(ctx, p, o)
	}
	return r.publishStaged(ctx, p, o)
}

// publishUnnamed gives a file its name, where nothing lies there. What does gives way first.
func (r *restore) publishUnnamed(ctx context.Context, p placed, o *entry.Output) error {
	f, err := r.makeParents(ctx, o.Path)
	if err == nil {
		err = r.writable(f)
	}
	if err != nil {
		return err
	}
	r.setTime(p, r.mtimes[p.output])
	err = p.file.Name(f.fs, name(o.Path))
	for try := 0; errors.Is(err, fs.ErrExist) && try < maxAppeared; try++ {
		if f, err = r.clearWay(ctx, o); err != nil {
			return err
		}
		err = p.file.Name(f.fs, name(o.Path))
	}
	if errors.Is(err, syscall.EXDEV) || errors.Is(err, fs.ErrPermission) || fsys.Absent(err) || errors.Is(err, errors.ErrUnsupported) {
		if f, err = r.clearWay(ctx, o); err != nil { // nobody has said yet that nothing lies there, and a rename replaces what does
			return err
		}
		if err = r.publishAcross(ctx, io.NewSectionReader(p.file, 0, o.Size), p.output, f); err == nil {
			r.putThere(o.Path, f)
		}
	} else if err == nil {
		r.putThere(o.Path, f)
		// The stat of the open file is that of what lies there: one look less, and it closes what was written to.
		var info fsys.Info
		info, err = p.file.Info()
		r.unnamed = slices.DeleteFunc(r.unnamed, func(u fsys.Unnamed) bool { return u == p.file })
		if closeErr := p.file.Close(); err == nil {
			err = closeErr
		}
		r.touched[o.Path] = touched{f, info}
	}
	if err != nil {
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
	}
	return nil
}

// maxAppeared is how often something may be put in the place of an output while that is cleared.
const maxAppeared = 3

// publishStaged renames a file from its area.
func (r *restore) publishStaged(ctx context.Context, p placed, o *entry.Output) error {
	f, err := r.clearWay(ctx, o)
	if err != nil {
		return err
	}
	r.setTime(p, r.mtimes[p.output])
	err = p.area.dir.RenameTo(p.name, f.fs, name(o.Path))
	if errors.Is(err, syscall.EXDEV) {
		err = r.publishCopy(ctx, p, f)
	}
	if err != nil {
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
	}
	r.putThere(o.Path, f)
	return nil
}

func (r *restore) publishCopy(ctx context.Context, p placed, f *folder) error {
	from, err := p.area.dir.OpenNoFollow(p.name)
	if err != nil {
		return err
	}
	defer from.Close()
	return r.publishAcross(ctx, from, p.output, f)
}

// putThere writes down that an output lies in f now.
func (r *restore) putThere(path string, f *folder) {
	r.journal = append(r.journal, step{did: put, path: path, in: f})
	r.touched[path] = touched{in: f}
	f.wrote = true
}

// publishAcross is for a folder that is another mount of the device, into which nothing can be renamed: the verified file is
// copied beside its target first.
func (r *restore) publishAcross(ctx context.Context, from io.Reader, output int, f *folder) error {
	o := &r.p.Manifest.Outputs[output]
	a, err := r.across(o.Path, f)
	if err != nil {
		return err
	}
	p := placed{output: output, area: a, name: a.newName()}
	d, info, err := site.WriteFile(ctx, a.dir, p.name, fs.FileMode(o.Mode), from, o.Size, r.s.Hash)
	if err == nil && d != o.Digest {
		err = site.ErrOther
	}
	if err == nil && info.Perm != o.Mode {
		err = p.chmod(fs.FileMode(o.Mode))
	}
	if err != nil {
		return err
	}
	r.setTime(p, info.MTime)
	return a.dir.RenameTo(p.name, f.fs, name(o.Path))
}

// across is the staging beside what lies in f, which is another mount of its device than the staging of the device.
func (r *restore) across(path string, f *folder) (*area, error) {
	if a := r.areaAt[f]; a != nil && a.in == f {
		return a, nil
	}
	a, err := r.siblingArea(path, f)
	if err == nil {
		r.areaAt[f] = a
	}
	return a, err
}

func (r *restore) publishLink(ctx context.Context, o *entry.Output) error {
	f, err := r.clearWay(ctx, o)
	if err != nil {
		return err
	}
	if err := f.fs.Symlink(o.Target, name(o.Path)); err != nil {
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
	}
	r.putThere(o.Path, f)
	return nil
}

// publishDir makes a directory where there is none. Its mode comes later.
func (r *restore) publishDir(ctx context.Context, o *entry.Output) error {
	f, err := r.makeParents(ctx, o.Path)
	if err != nil {
		return err
	}
	if err := r.writable(f); err != nil {
		return err
	}
	info, err := f.fs.Lstat(name(o.Path))
	r.touched[o.Path] = touched{in: f}
	switch {
	case err == nil && info.Kind == fsys.Dir:
		return nil
	case err == nil:
		if err := r.moveBlocker(ctx, o.Path, f, info); err != nil {
			return err
		}
	case !fsys.Absent(err):
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
	}
	return r.makeDir(o.Path, f)
}

// openOutput opens a directory that is an output itself: no link is one.
func (r *restore) openOutput(path, prefix string) (*folder, error) {
	f, k, _ := r.folders.open(path, prefix)
	if k == wayDir && f.linked != path {
		return f, nil
	}
	err := r.folders.trouble(path)
	if err == nil {
		return nil, failed(path, nil, "%s changed while it was restored", path)
	}
	return nil, failed(path, err, "%s cannot be restored: %v", path, fsys.Cause(err))
}

// clearWay makes room for a file or link: parents are made, and what lies at the target is moved into old/. It returns the
// folder of the target.
func (r *restore) clearWay(ctx context.Context, o *entry.Output) (*folder, error) {
	f, err := r.makeParents(ctx, o.Path)
	if err != nil {
		return nil, err
	}
	if err := r.writable(f); err != nil {
		return nil, err
	}
	info, err := f.fs.Lstat(name(o.Path))
	absent := fsys.Absent(err)
	if err != nil && !absent {
		return nil, failed(o.Path, err, "%s cannot be restored: %v", o.Path, fsys.Cause(err))
	}
	switch {
	case absent:
		return f, nil
	case info.Kind == fsys.Dir:
		ours, err := r.onlyOurs(ctx, o.Path)
		if err != nil || !ours {
			return nil, failed(o.Path, err, "the directory %s is in the way and holds what %s did not leave there", o.Path, r.p.Target.Task)
		}
		r.folders.forget(o.Path)
	case !r.replaceable(ctx, o, info):
		return f, r.moveAway(ctx, o.Path, f, info)
	}
	return f, r.moveOld(o.Path, f, info)
}

// replaceable reports whether nothing is lost when o takes the place of what lies there, seen as info: this task made it, and
// nobody touched it since, or the bytes are those of o. What cannot be read is not.
func (r *restore) replaceable(ctx context.Context, o *entry.Output, info fsys.Info) bool {
	f, ok := r.p.Target.Products.Find(o.Path)
	if ok && !f.Found {
		if ours, err := r.s.untouched(ctx, f, info); err == nil && ours {
			return true
		}
	}
	if o.Kind != entry.File || info.Kind != fsys.File || o.Size != info.Size {
		return false
	}
	d, now, err := r.s.State.DigestFile(ctx, o.Path, info)
	return err == nil && d == o.Digest && now.Same(info)
}

// moveAway moves what lies at path, in f, and is not this task's alone, to where it is kept for whoever made it (7.7).
func (r *restore) moveAway(ctx context.Context, path string, f *folder, info fsys.Info) error {
	to, err := r.keeper.keep(ctx, path, f.fs, name(path), info)
	switch {
	case errors.Is(err, errCopied):
		r.journal = append(r.journal, step{did: copiedAway, path: path, in: f, old: to})
		return r.moveOld(path, f, info)
	case err != nil:
		return failed(path, err, "%s, which %s did not leave there, cannot be moved out of the way: %v", path, r.p.Target.Task, fsys.Cause(err))
	}
	r.journal = append(r.journal, step{did: moved, path: path, in: f, area: &area{old: r.keeper.root}, old: to})
	return nil
}

// makeParents makes the directories on the way to path, and returns the last one. What is no directory, where one must go,
// gives way only if it is of this task.
func (r *restore) makeParents(ctx context.Context, path string) (*folder, error) {
	prefix, ok := r.p.prefixes.of(path)
	if !ok {
		return nil, failed(path, nil, "%s matches no output pattern", path)
	}
	for range 2 * strings.Count(path, "/") { // each directory once, and what lies in its place once
		f, k, at := r.folders.to(path, prefix)
		if k == wayDir {
			return f, nil
		}
		if at == "/" {
			return nil, r.blocked(at)
		}
		in, inKind, _ := r.folders.to(at, prefix)
		switch {
		case inKind != wayDir:
			return nil, r.blocked(at)
		case k == wayAbsent:
			if err := r.makeDir(at, in); err != nil {
				return nil, err
			}
		default:
			info, err := in.fs.Lstat(name(at))
			if err != nil || info.Kind == fsys.Dir {
				return nil, r.blocked(at)
			}
			if err := r.moveBlocker(ctx, at, in, info); err != nil {
				return nil, err
			}
		}
	}
	return nil, failed(path, nil, "the directory of %s was removed while it was needed", path)
}

func (r *restore) blocked(at string) error {
	why, err := r.folders.whyBlocked(at)
	return failed(at, err, "%s", why)
}

// moveBlocker moves a file or link that lies in f where a directory must go, if the product list lists it unmodified (step 3).
func (r *restore) moveBlocker(ctx context.Context, path string, f *folder, info fsys.Info) error {
	if ours, err := r.isOurs(ctx, path, info); err != nil {
		return failed(path, err, "%s is in the way and cannot be looked at: %v", path, fsys.Cause(err))
	} else if !ours || info.Kind == fsys.Dir {
		return r.blocked(path)
	}
	return r.moveOld(path, f, info)
}

// isOurs reports whether what lies at path, seen as info, is an unmodified file or link of this task's product list and nobody
// else's business.
func (r *restore) isOurs(ctx context.Context, path string, info fsys.Info) (bool, error) {
	f, ok := r.p.Target.Products.Find(path)
	if !ok || r.p.Target.isInput(path) || r.p.Target.isOthers(path) {
		return false, nil
	}
	return r.s.unmodified(ctx, f, info)
}

// onlyOurs reports whether a directory holds nothing but unmodified files of this task's product list.
func (r *restore) onlyOurs(ctx context.Context, dir string) (bool, error) {
	todo, dirs := []string{dir}, []string{dir}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		list, err := r.s.WS.List(at)
		if err != nil {
			return false, err
		}
		for _, e := range list {
			path := site.Join(at, e.Name)
			info, err := r.s.WS.Lstat(path)
			if err != nil {
				return false, err
			}
			if info.Kind == fsys.Dir {
				todo, dirs = append(todo, path), append(dirs, path)
				continue
			}
			if ours, err := r.isOurs(ctx, path, info); !ours || err != nil {
				return false, err
			}
		}
	}
	return true, r.allWritable(ctx, dirs, r.prefixOf(dir))
}

// moveOld renames what lies at path, in f, into old/ of the staging on its device.
func (r *restore) moveOld(path string, f *folder, info fsys.Info) error {
	a, err := r.areaOf(path, f)
	if err == nil {
		err = r.moveInto(a, path, f, info)
	}
	if errors.Is(err, syscall.EXDEV) && info.Kind != fsys.Dir {
		if a, err = r.across(path, f); err == nil {
			err = r.moveInto(a, path, f, info)
		}
	}
	if err != nil {
		return failed(path, err, "%s cannot be moved out of the way: %v", path, fsys.Cause(err))
	}
	return nil
}

func (r *restore) moveInto(a *area, path string, f *folder, info fsys.Info) error {
	if a.old == nil {
		err := a.dir.Mkdir("/old", site.DirPerm)
		if err == nil || errors.Is(err, fs.ErrExist) {
			a.old, err = a.dir.Hold("/old")
		}
		if err != nil {
			return err
		}
	}
	r.olds++
	to := fmt.Sprintf("/%08d", r.olds)
	if err := f.fs.RenameTo(name(path), a.old, to); err != nil {
		return err
	}
	r.journal = append(r.journal, step{did: moved, path: path, in: f, area: a, old: to, dir: info.Kind == fsys.Dir})
	a.olds = append(a.olds, to)
	return nil
}

// makeDir makes one directory in f, with the mode that a plain mkdir of a task gives.
func (r *restore) makeDir(dir string, f *folder) error {
	if err := r.writable(f); err != nil {
		return err
	}
	switch err := f.fs.Mkdir(name(dir), 0o777); {
	case err == nil:
		r.journal = append(r.journal, step{did: made, path: dir, in: f})
		if err := r.plainMode(name(dir), f); err != nil {
			return failed(dir, err, "the directory %s cannot be made: %v", dir, fsys.Cause(err))
		}
	case !errors.Is(err, fs.ErrExist):
		return failed(dir, err, "the directory %s cannot be made: %v", dir, fsys.Cause(err))
	}
	return nil
}

// plainMode gives a directory that was just made the mode that a task's mkdir gives. What the folder above hands on stays; and where the
// file system knows no modes, a task's mkdir would have left the same.
func (r *restore) plainMode(base string, f *folder) error {
	info, err := f.fs.Lstat(base)
	perm := info.Perm&^0o777 | r.s.dirMode
	if err != nil || info.Perm == perm {
		return err
	}
	if err = f.fs.Chmod(base, fsys.PermMode(perm)); errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
