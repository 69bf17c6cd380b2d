package housekeeping

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// Clear removes the cache (CACHE-021); fine when there is none. The root is renamed to trash and then deleted, so that it
// is gone in one step; one that cannot be renamed (a mount point), is a link to a directory, or holds what haz did not make is
// emptied instead of what haz has made. A run in progress is not harmed: its stores report an error, its lookups miss.
func (s *Housekeeper) Clear(ctx context.Context) error {
	s.Forget()
	info, err := s.WS.Lstat(layout.CacheDir)
	if fsys.Absent(err) {
		return nil
	}
	if err != nil {
		return s.notCleared(err)
	}
	root, err := s.WS.Sub(layout.CacheDir)
	switch {
	case fsys.Absent(err) && info.Kind == fsys.Link:
		return nil // a link to nothing holds nothing
	case err != nil:
		return s.notCleared(err)
	}
	defer root.Close()
	linked := info.Kind == fsys.Link
	if !linked && site.HoldsOnlyOwn(root) && s.EnsureState() == nil {
		trash := layout.StateDir + "/" + site.ClearedPrefix + s.Suffix()
		if s.WS.Rename(layout.CacheDir, trash) == nil {
			return s.removeCleared(trash)
		}
	}
	return s.empty(ctx, root, linked)
}

// removeCleared deletes what was the cache root. A run in progress may go on writing there through its own handle; what it
// puts there while we delete is trash all the same, and left to the sweep if it does not stop.
func (s *Housekeeper) removeCleared(trash string) error {
	for range 5 {
		err := s.WS.RemoveAll(trash)
		if err == nil || fsys.Absent(err) {
			return nil
		}
		if !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, fs.ErrExist) {
			return s.notCleared(err)
		}
	}
	return nil
}

func (s *Housekeeper) notCleared(err error) error {
	return fmt.Errorf("the cache %s cannot be cleared: %w", s.WS.HostPath(layout.CacheDir), fsys.Cause(err))
}

// empty removes all that haz has made in the cache root, each thing in one step as far as a reader can see.
func (s *Housekeeper) empty(ctx context.Context, root fsys.FS, linked bool) error {
	list, err := root.List("/")
	if err != nil {
		return s.notCleared(err)
	}
	var first error
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.emptyOne(root, e.Name); err != nil && !fsys.Absent(err) && !errors.Is(err, site.ErrForeign) && first == nil {
			first = err
		}
	}
	if first != nil {
		return s.notCleared(first)
	}
	if left, err := root.List("/"); err == nil && len(left) == 1 && left[0].Name == site.IgnoreName {
		_ = root.Remove("/" + site.IgnoreName)
	}
	if !linked {
		_ = s.WS.Remove(layout.CacheDir) // unless something is left, or it is a mount point
	}
	return nil
}

// emptyOne removes what haz has made at or below one name in the root.
func (s *Housekeeper) emptyOne(root fsys.FS, name string) error {
	dir := "/" + name
	ours := func(name string) bool { return site.IsKey(name) || site.IsTmpName(name) }
	switch {
	case site.IsTrashName(name):
		return site.RemoveOwn(root, dir, nil)
	case name == site.DamagedName:
		ours = site.IsDamagedName
	case !site.IsShard(name):
		return nil
	}
	list, err := root.List(dir)
	if err != nil {
		return site.IgnoreAbsent(err)
	}
	var first error
	for _, e := range list {
		if !ours(e.Name) {
			continue
		}
		if err := s.Evict(root, site.Join(dir, e.Name)); err != nil && first == nil {
			first = err
		}
	}
	if err := site.RemoveEmpty(root, dir); first == nil {
		first = err
	}
	return first
}
