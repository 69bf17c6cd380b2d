package restore

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// did is what a step of a restore did to the tree.
type did uint8

const (
	moved      did = iota + 1 // path was renamed to old
	put                       // a new file or link was put at path, where nothing was
	made                      // the directory path was made
	chmod                     // the directory path had perm
	removed                   // the empty directory path was removed; it had perm
	copiedAway                // path was copied to old, which is on another device
)

// step is one line of the journal of a restore.
type step struct {
	did  did
	path string
	in   *folder // that path lies in; of chmod, path itself
	area *area   // where old is
	old  string
	perm uint32
	dir  bool // what was moved is a directory
}

// undo takes the journal back, the last step first. Files that were there go back by a rename over what was put in their
// place. What cannot be put back is removed, so that a target is as before or absent, never something of both runs.
func (r *restore) undo() {
	for i := len(r.journal) - 1; i >= 0; i-- {
		s := &r.journal[i]
		in := r.folders.again(s.in)
		if in == nil {
			continue // its folder has gone elsewhere, and what is there now is not ours
		}
		base := name(s.path)
		switch s.did {
		case put:
			if i > 0 && r.journal[i-1].did == moved && r.journal[i-1].path == s.path && !r.journal[i-1].dir {
				continue // the rename back replaces it in one step
			}
			_ = in.Remove(base)
		case moved:
			if !renameTwice(s.area.old, s.old, in, base) {
				if info, err := in.Lstat(base); err == nil && info.Kind != fsys.Dir {
					_ = in.Remove(base)
				}
			}
		case copiedAway:
			r.keeper.forget(s.old)
		case made:
			r.folders.forget(s.path)
			_ = in.Remove(base)
		case chmod:
			_ = in.Chmod("/", fsys.PermMode(s.perm))
		case removed:
			if in.Mkdir(base, fs.FileMode(s.perm&0o777)) == nil {
				_ = in.Chmod(base, fs.FileMode(s.perm&0o777))
			}
		}
	}
	r.journal = nil
	if r.unsettled {
		r.s.State.WriteProducts(r.p.Target.Products)
	}
}

// removeStale is step 5 of a restore (S-34): what this task left in an earlier run, and nobody touched, is renamed into
// old/; then directories that this left empty are removed, as long as they lie below the fixed prefix of the pattern.
func (r *restore) removeStale(ctx context.Context) error {
	emptied := map[string]string{} // directory → fixed prefix
	for i := range r.p.stale {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &r.p.stale[i]
		in, k, at := r.folders.to(f.path, f.prefix)
		if k != wayDir {
			if err := r.folders.trouble(at); err != nil {
				return failed(f.path, err, "the stale output %s cannot be removed: %v", f.path, fsys.Cause(err))
			}
			continue // it went away with what was in the way of an output, or by itself
		}
		info, err := in.fs.Lstat(name(f.path))
		switch {
		case fsys.Absent(err):
			continue
		case err != nil:
			return failed(f.path, err, "the stale output %s cannot be removed: %v", f.path, fsys.Cause(err))
		case !info.Same(f.info):
			continue // somebody has it now
		}
		if info.Kind == fsys.Dir {
			emptied[f.path] = f.prefix
		} else if err := r.writable(in); err != nil {
			return err
		} else if err := r.moveOld(f.path, in, info); err != nil {
			return err
		}
		for dir := pattern.Parent(f.path); pattern.IsBelow(dir, f.prefix); dir = pattern.Parent(dir) {
			if was, ok := emptied[dir]; !ok || len(f.prefix) > len(was) {
				emptied[dir] = f.prefix
			}
		}
	}
	return r.removeEmptied(emptied)
}

// removeEmptied removes directories, the deepest first; one that holds something stays.
func (r *restore) removeEmptied(dirs map[string]string) error {
	list := make([]string, 0, len(dirs))
	for dir := range dirs {
		list = append(list, dir)
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(b, a) })
	for _, dir := range list {
		if r.p.Manifest.Find(dir) >= 0 {
			continue // it is an output itself
		}
		if err := r.removeIfEmpty(dir, dirs[dir]); err != nil {
			return failed(dir, err, "the directory %s, which is empty now, cannot be removed: %v", dir, fsys.Cause(err))
		}
	}
	return nil
}

func (r *restore) removeIfEmpty(dir, prefix string) error {
	f, k, at := r.folders.open(dir, prefix)
	if k != wayDir {
		return r.folders.trouble(at)
	}
	info, err := f.fs.Lstat("/")
	var left []fsys.Entry
	if err == nil {
		// Asked first: Remove alone would also take a file that somebody puts there this very moment.
		left, err = f.fs.List("/")
	}
	if err == nil && len(left) == 0 {
		in, k, at := r.folders.to(dir, prefix)
		if k != wayDir {
			return r.folders.trouble(at)
		}
		if err := r.writable(in); err != nil {
			return err
		}
		if err = in.fs.Remove(name(dir)); err == nil {
			r.journal = append(r.journal, step{did: removed, path: dir, in: in, perm: info.Perm})
			r.folders.forget(dir)
		}
	}
	if fsys.Absent(err) || errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		return nil
	}
	return err
}

// renameTwice tries a second time: what failed once need not fail again, and this is the last chance to put a file back.
func renameTwice(from fsys.FS, old string, to fsys.FS, base string) bool {
	for range 2 {
		if from.RenameTo(old, to, base) == nil {
			return true
		}
	}
	return false
}
