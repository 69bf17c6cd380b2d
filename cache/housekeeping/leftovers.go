package housekeeping

import (
	"errors"
	"strings"
	"syscall"

	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// Leftovers are what killed owners leave behind (chapter 2, 11): stores and restores in progress, spool directories, trash.
// Staging of a living process is told by its lock, which the kernel releases when the owner dies. Where the file system
// cannot lock nobody can tell, and staging is left alone (S-35).

// claim takes the lock of a staging directory whose owner is gone. The second result is false when the owner lives, when
// nobody can tell, or when the directory has gone.
func claim(fsy fsys.FS, dir string) (fsys.Lock, bool, error) {
	lock, err := fsys.TryLock(fsy, dir+"/"+site.LockName, fsys.Exclusive)
	switch {
	case err == nil:
		return lock, true, nil
	case fsys.Absent(err), errors.Is(err, fsys.ErrLocked), errors.Is(err, fsys.ErrLockUnsupported):
		return nil, false, nil
	}
	return nil, false, err
}

// isOrphan is claim for those who only look: no lock file is made.
func isOrphan(fsy fsys.FS, dir string) bool {
	info, err := fsy.Lstat(dir + "/" + site.LockName)
	if err != nil || info.Kind != fsys.File {
		return fsys.Absent(err)
	}
	lock, err := fsys.TryLock(fsy, dir+"/"+site.LockName, fsys.Exclusive)
	if err == nil {
		_ = lock.Unlock()
		return true
	}
	return !errors.Is(err, fsys.ErrLocked) && !errors.Is(err, fsys.ErrLockUnsupported) && !fsys.Absent(err)
}

// removeOrphan removes the staging directory dir of fsy if its owner is gone: renamed to trash first, so that an owner
// which has just made it and holds no lock yet finds it gone, not half gone. done is false when there was nothing to do.
func (s *Housekeeper) removeOrphan(fsy fsys.FS, dir, trash string, b *site.Budget) (done bool, err error) {
	lock, ok, err := claim(fsy, dir)
	if !ok {
		return false, err
	}
	defer lock.Unlock()
	return s.discard(fsy, dir, trash, func(at string) error { return b.RemoveAll(fsy, at) })
}

// discard renames dir to trash and has that removed; what cannot be renamed is removed where it is.
func (s *Housekeeper) discard(fsy fsys.FS, dir, trash string, remove func(at string) error) (done bool, err error) {
	switch err := fsy.Rename(dir, trash); {
	case err == nil:
		return true, remove(trash)
	case fsys.Absent(err):
		return false, nil
	case errors.Is(err, syscall.EXDEV):
		return true, remove(dir)
	default:
		return false, err
	}
}

// removeStore is removeOrphan for a store in progress, in a cache that others may have a part in.
func (s *Housekeeper) removeStore(root fsys.FS, dir string, b *site.Budget) (done bool, err error) {
	if err := site.ForeignIn(root, dir); err != nil {
		return false, err
	}
	lock, ok, err := claim(root, dir)
	if !ok {
		return false, err
	}
	defer lock.Unlock()
	return s.discard(root, dir, "/"+site.TrashPrefix+s.Suffix(), func(at string) error { return site.RemoveOwn(root, at, b) })
}

// removeRestore removes what is left of a restore, beginning with what it staged elsewhere.
func (s *Housekeeper) removeRestore(dir string, b *site.Budget) (done bool, err error) {
	lock, ok, err := claim(s.WS, dir)
	if !ok {
		return false, err
	}
	defer lock.Unlock()
	list, err := places(s.WS, dir)
	if err != nil {
		return false, err
	}
	for _, place := range list {
		info, err := s.WS.Lstat(place)
		if err == nil && info.Kind == fsys.Dir {
			err = b.RemoveAll(s.WS, place)
		}
		if err != nil && !fsys.Absent(err) {
			return false, err // the note of the place must stay
		}
	}
	return s.discard(s.WS, dir, layout.StateDir+"/"+site.ClearedPrefix+s.Suffix(), func(at string) error { return b.RemoveAll(s.WS, at) })
}

// maxNotes bounds what is read of such places, in bytes.
const maxNotes = 1 << 20

// places reads where a restore staged elsewhere. A line that is no place where one could have is ignored.
func places(ws fsys.FS, dir string) ([]string, error) {
	data, _, err := ws.ReadFile(dir+"/"+site.PlacesName, maxNotes)
	switch {
	case fsys.Absent(err), errors.Is(err, fsys.ErrTooLong), err != nil && site.IsForeignKind(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		line, whole := strings.CutSuffix(line, "\n")
		name := line[strings.LastIndexByte(line, '/')+1:]
		if whole && manifest.CheckCanonical(line) == nil && site.IsSiblingName(name) && !pattern.IsBelow(line, layout.Dir) {
			out = append(out, line)
		}
	}
	return out, nil
}

// stateNames lists .haz/state, by what kind of leftover the names are.
func (s *Housekeeper) stateNames(visit func(path, name string) bool) error {
	list, err := s.WS.List(layout.StateDir)
	if err != nil {
		if fsys.Absent(err) {
			return nil
		}
		return err
	}
	for _, e := range list {
		path := site.Join(layout.StateDir, e.Name)
		if site.IsDir(s.WS, path, e.Kind) && !visit(path, e.Name) {
			return nil
		}
	}
	return nil
}
