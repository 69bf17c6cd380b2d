package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/haz-build/haz/fsys"
)

// publish is steps 3 and 4 of a restore: files in path order, then links and empty directories, then modes of directories.
func (r *restore) publish(ctx context.Context) error {
	r.touched = make(map[string]bool)
	for _, f := range r.staged {
		if err := r.publishFile(ctx, f); err != nil {
			return err
		}
	}
	outs := r.p.Manifest.Outputs
	for i := range outs {
		if r.p.seen[i].Kind != fsys.Unknown || outs[i].Kind == File {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if outs[i].Kind == Link {
			err = r.publishLink(ctx, &outs[i])
		} else {
			err = r.publishDir(ctx, &outs[i])
		}
		if err != nil {
			return err
		}
	}
	// The deepest first: a directory that may not be written any more must hold all it shall hold.
	for i := len(outs) - 1; i >= 0; i-- {
		if outs[i].Kind == Dir && r.p.seen[i].Kind == fsys.Unknown {
			if err := r.setDirMode(&outs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *restore) publishFile(ctx context.Context, f placed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &r.p.Manifest.Outputs[f.output]
	if err := r.clearWay(ctx, o); err != nil {
		return err
	}
	if err := r.s.ws.Rename(f.name, o.Path); err != nil {
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, cause(err))
	}
	r.journal = append(r.journal, step{did: put, path: o.Path})
	r.touched[o.Path] = true
	return nil
}

func (r *restore) publishLink(ctx context.Context, o *Output) error {
	if err := r.clearWay(ctx, o); err != nil {
		return err
	}
	if err := r.s.ws.Symlink(o.Target, o.Path); err != nil {
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, cause(err))
	}
	r.journal = append(r.journal, step{did: put, path: o.Path})
	r.touched[o.Path] = true
	return nil
}

// publishDir makes a directory where there is none. Its mode comes later.
func (r *restore) publishDir(ctx context.Context, o *Output) error {
	if err := r.makeParents(ctx, o.Path); err != nil {
		return err
	}
	info, err := r.s.ws.Lstat(o.Path)
	r.touched[o.Path] = true
	switch {
	case err == nil && info.Kind == fsys.Dir:
		return nil
	case err == nil:
		if err := r.moveBlocker(ctx, o.Path, info); err != nil {
			return err
		}
	case !isAbsent(err):
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, cause(err))
	}
	return r.makeDir(o.Path)
}

func (r *restore) setDirMode(o *Output) error {
	info, err := r.s.ws.Lstat(o.Path)
	if err == nil && info.Kind != fsys.Dir {
		return failed(o.Path, nil, "%s changed while it was restored", o.Path)
	}
	if err == nil && info.Perm != o.Mode {
		r.journal = append(r.journal, step{did: chmod, path: o.Path, perm: info.Perm})
		err = r.s.ws.Chmod(o.Path, fs.FileMode(o.Mode))
	}
	if err != nil {
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, cause(err))
	}
	return nil
}

// clearWay makes room for a file or link: parents are made, and what lies at the target is moved into old/.
func (r *restore) clearWay(ctx context.Context, o *Output) error {
	if err := r.makeParents(ctx, o.Path); err != nil {
		return err
	}
	info, err := r.s.ws.Lstat(o.Path)
	absent := isAbsent(err)
	if err != nil && !absent {
		return failed(o.Path, err, "%s cannot be restored: %v", o.Path, cause(err))
	}
	if err := r.lookAtInput(ctx, o.Path, info, absent); err != nil {
		return err
	}
	switch {
	case absent:
		return nil
	case info.Kind == fsys.Dir:
		ours, err := r.onlyOurs(ctx, o.Path)
		if err != nil || !ours {
			return failed(o.Path, err, "the directory %s is in the way and holds what %s did not leave there", o.Path, r.p.Target.Task)
		}
	}
	return r.moveOld(o.Path, info)
}

// lookAtInput makes sure that a target which is also an input (a formatter's) is what it was at key time, so that no edit
// is lost. By its stat, and where that is too young to prove anything, by its bytes.
func (r *restore) lookAtInput(ctx context.Context, path string, now fsys.Info, absent bool) error {
	if r.p.Target.Input == nil {
		return nil
	}
	then, d, ok := r.p.Target.Input(path)
	if !ok {
		return nil
	}
	moved := absent || !now.Same(then)
	if !moved && now.Kind == fsys.File && r.s.o.State.Young(now) {
		got, after, err := r.s.o.State.DigestFile(ctx, path, now)
		moved = err != nil || got != d || !after.Same(now)
	}
	if moved {
		return &RestoreError{InputMoved: true, Path: path, Reason: fmt.Sprintf("%s, which is an input too, changed since its digest was taken", path)}
	}
	return nil
}

// makeParents makes the directories on the way to path. What is no directory, where one must go, gives way only if it is
// of this task.
func (r *restore) makeParents(ctx context.Context, path string) error {
	prefix, ok := r.p.prefixes.of(path)
	if !ok {
		return failed(path, nil, "%s matches no output pattern", path)
	}
	for {
		k, at := r.ways.to(path, prefix)
		switch k {
		case wayDir:
			return nil
		case wayBlocked:
			info, err := r.s.ws.Lstat(at)
			if err != nil || info.Kind == fsys.Dir {
				return r.blocked(at)
			}
			if err := r.moveBlocker(ctx, at, info); err != nil {
				return err
			}
		case wayAbsent:
			if err := r.makeDir(at); err != nil {
				return err
			}
		default:
			return r.blocked(at)
		}
	}
}

func (r *restore) blocked(at string) error {
	why, err := r.ways.whyBlocked(at)
	return failed(at, err, "%s", why)
}

// moveBlocker moves a file or link that lies where a directory must go, if the ledger lists it unmodified (step 3).
func (r *restore) moveBlocker(ctx context.Context, path string, info fsys.Info) error {
	if ours, err := r.isOurs(ctx, path, info); err != nil {
		return failed(path, err, "%s is in the way and cannot be looked at: %v", path, cause(err))
	} else if !ours || info.Kind == fsys.Dir {
		return r.blocked(path)
	}
	if err := r.moveOld(path, info); err != nil {
		return err
	}
	r.ways.set(path, wayAbsent)
	return nil
}

// isOurs reports whether what lies at path, seen as info, is an unmodified file or link of this task's ledger and nobody
// else's business.
func (r *restore) isOurs(ctx context.Context, path string, info fsys.Info) (bool, error) {
	f, ok := r.p.Target.Ledger.Find(path)
	if !ok || r.p.Target.isInput(path) || r.p.Target.isOthers(path) {
		return false, nil
	}
	return r.s.unmodified(ctx, f, info)
}

// onlyOurs reports whether a directory holds nothing but unmodified files of this task's ledger.
func (r *restore) onlyOurs(ctx context.Context, dir string) (bool, error) {
	todo := []string{dir}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		list, err := r.s.ws.List(at)
		if err != nil {
			return false, err
		}
		for _, e := range list {
			path := join(at, e.Name)
			info, err := r.s.ws.Lstat(path)
			if err != nil {
				return false, err
			}
			if info.Kind == fsys.Dir {
				todo = append(todo, path)
				continue
			}
			if ours, err := r.isOurs(ctx, path, info); !ours || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// moveOld renames what lies at path into old/ of the staging on its device.
func (r *restore) moveOld(path string, info fsys.Info) error {
	a, err := r.areaFor(path)
	if err == nil && !a.old {
		if err = a.dir.Mkdir("/old", dirPerm); err == nil {
			a.old = true
		}
	}
	if err == nil {
		r.olds++
		to := fmt.Sprintf("%s/old/%08d", a.name, r.olds)
		if err = r.s.ws.Rename(path, to); err == nil {
			r.journal = append(r.journal, step{did: moved, path: path, old: to, dir: info.Kind == fsys.Dir})
			a.olds = append(a.olds, to)
		}
	}
	if err != nil {
		return failed(path, err, "%s cannot be moved out of the way: %v", path, cause(err))
	}
	return nil
}

// makeDir makes one directory.
func (r *restore) makeDir(dir string) error {
	if err := r.s.ws.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return failed(dir, err, "the directory %s cannot be made: %v", dir, cause(err))
	} else if err == nil {
		r.journal = append(r.journal, step{did: made, path: dir})
	}
	r.ways.set(dir, wayUnknown)
	if r.ways.look(dir) == wayAbsent {
		return failed(dir, nil, "the directory %s was removed while it was needed", dir)
	}
	return nil
}
