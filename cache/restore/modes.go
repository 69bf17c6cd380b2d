package restore

import (
	"context"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
)

// The modes of directories. Some may not be written to, because the task wants it so: these are opened while a restore is at
// work in them, and at its end each directory gets the mode that it shall have.

// writable makes f writable when it is not, if this task has made it so or this result will. What another has closed stays so.
func (r *restore) writable(f *folder) error {
	if f.info.Perm&0o200 != 0 || f.linked == f.path {
		return nil
	}
	if _, open := r.opened[f]; open || !r.isFolder(f) {
		return nil
	}
	if err := r.chmod(f, f.info.Perm, f.info.Perm|0o700); err != nil {
		return failed(f.path, err, "the directory %s cannot be opened for writing: %v", f.path, fsys.Cause(err))
	}
	if r.opened == nil {
		r.opened = make(map[*folder]uint32)
	}
	r.opened[f] = f.info.Perm
	return nil
}

// isFolder reports whether f is a directory of this task: by this result or, with the mode that it has now, by its product list.
func (r *restore) isFolder(f *folder) bool {
	if i := r.p.Manifest.Find(f.path); i >= 0 && r.p.Manifest.Outputs[i].Kind == entry.Dir {
		return true
	}
	row, ok := r.p.Target.Products.Find(f.path)
	return ok && row.Info.Kind == fsys.Dir && row.Info.Perm == f.info.Perm
}

// chmod changes the mode of f, which is open, and writes it down.
func (r *restore) chmod(f *folder, was, perm uint32) error {
	r.journal = append(r.journal, step{did: chmod, path: f.path, in: f, perm: was})
	return f.fs.Chmod("/", fsys.PermMode(perm))
}

// allWritable is writable for directories that are to be moved away, the topmost first.
func (r *restore) allWritable(ctx context.Context, dirs []string, prefix string) error {
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, k, at := r.folders.open(dir, prefix)
		if k != wayDir {
			return r.blocked(at)
		}
		if err := r.writable(f); err != nil {
			return err
		}
	}
	return nil
}

// setModes gives directories their modes, the deepest first: one that may not be written to must hold all it shall hold.
func (r *restore) setModes() error {
	outs := r.p.Manifest.Outputs
	opened := make(map[string]uint32, len(r.opened))
	for f, perm := range r.opened {
		opened[f.path] = perm
	}
	for i := len(outs) - 1; i >= 0; i-- {
		if outs[i].Kind != entry.Dir {
			continue
		}
		_, was := opened[outs[i].Path]
		delete(opened, outs[i].Path)
		if was || r.p.seen[i].Kind == fsys.Unknown {
			if err := r.setDirMode(outs[i].Path, outs[i].Mode, true); err != nil {
				return err
			}
		}
	}
	for _, dir := range r.p.plain {
		opened[dir] = r.p.Target.DirMode
	}
	rest := make([]string, 0, len(opened))
	for dir := range opened {
		rest = append(rest, dir)
	}
	slices.SortFunc(rest, func(a, b string) int { return strings.Compare(b, a) })
	for _, dir := range rest {
		if err := r.setDirMode(dir, opened[dir]&0o777, false); err != nil {
			return err
		}
	}
	return nil
}

// setDirMode leaves the set-id and sticky bits as they are. A directory that is no output need not be there any more.
func (r *restore) setDirMode(dir string, mode uint32, needed bool) error {
	f, err := r.openOutput(dir, r.prefixOf(dir))
	if err != nil {
		if !needed && r.folders.trouble(dir) == nil {
			return nil
		}
		return err
	}
	info, err := f.fs.Lstat("/")
	if err == nil && info.Perm&0o777 != mode {
		err = r.chmod(f, info.Perm, info.Perm&^0o777|mode)
	}
	if err != nil {
		return failed(dir, err, "%s cannot be restored: %v", dir, fsys.Cause(err))
	}
	return nil
}

// prefixOf is a fixed prefix that allows what is on the way to dir, which this or an earlier result has.
func (r *restore) prefixOf(dir string) string {
	if prefix, ok := r.p.prefixes.of(dir); ok {
		return prefix
	}
	if prefix, ok := r.p.prefixes.folder(dir); ok {
		return prefix
	}
	return "/"
}
