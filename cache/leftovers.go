package cache

import (
	"errors"
	"strings"
	"syscall"
	"time"

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
	lock, err := fsy.TryLock(dir+"/"+lockName, fsys.Exclusive)
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
	info, err := fsy.Lstat(dir + "/" + lockName)
	if err != nil || info.Kind != fsys.File {
		return fsys.Absent(err)
	}
	lock, err := fsy.TryLock(dir+"/"+lockName, fsys.Exclusive)
	if err == nil {
		_ = lock.Unlock()
		return true
	}
	return !errors.Is(err, fsys.ErrLocked) && !errors.Is(err, fsys.ErrLockUnsupported) && !fsys.Absent(err)
}

// removeOrphan removes the staging directory dir of fsy if its owner is gone: renamed to trash first, so that an owner
// which has just made it and holds no lock yet finds it gone, not half gone. done is false when there was nothing to do.
func (s *housekeeper) removeOrphan(fsy fsys.FS, dir, trash string, b *budget) (done bool, err error) {
	lock, ok, err := claim(fsy, dir)
	if !ok {
		return false, err
	}
	defer lock.Unlock()
	return s.discard(fsy, dir, trash, func(at string) error { return b.removeAll(fsy, at) })
}

// discard renames dir to trash and has that removed; what cannot be renamed is removed where it is.
func (s *housekeeper) discard(fsy fsys.FS, dir, trash string, remove func(at string) error) (done bool, err error) {
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
func (s *housekeeper) removeStore(root fsys.FS, dir string, b *budget) (done bool, err error) {
	if err := foreignIn(root, dir); err != nil {
		return false, err
	}
	lock, ok, err := claim(root, dir)
	if !ok {
		return false, err
	}
	defer lock.Unlock()
	return s.discard(root, dir, "/"+trashPrefix+s.suffix(), func(at string) error { return removeOwn(root, at, b) })
}

// removeRestore removes what is left of a restore, beginning with what it staged elsewhere.
func (s *housekeeper) removeRestore(dir string, b *budget) (done bool, err error) {
	lock, ok, err := claim(s.ws, dir)
	if !ok {
		return false, err
	}
	defer lock.Unlock()
	list, err := places(s.ws, dir)
	if err != nil {
		return false, err
	}
	for _, place := range list {
		info, err := s.ws.Lstat(place)
		if err == nil && info.Kind == fsys.Dir {
			err = b.removeAll(s.ws, place)
		}
		if err != nil && !fsys.Absent(err) {
			return false, err // the note of the place must stay
		}
	}
	return s.discard(s.ws, dir, layout.StateDir+"/"+clearedPrefix+s.suffix(), func(at string) error { return b.removeAll(s.ws, at) })
}

// places reads where a restore staged elsewhere. A line that is no place where one could have is ignored.
func places(ws fsys.FS, dir string) ([]string, error) {
	data, _, err := ws.ReadFile(dir+"/"+placesName, smallManifest)
	switch {
	case fsys.Absent(err), errors.Is(err, fsys.ErrTooLong), err != nil && isForeignKind(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		line, whole := strings.CutSuffix(line, "\n")
		name := line[strings.LastIndexByte(line, '/')+1:]
		if whole && checkCanonical(line) == nil && isSiblingName(name) && !pattern.IsBelow(line, layout.Dir) {
			out = append(out, line)
		}
	}
	return out, nil
}

// stateNames lists .haz/state, by what kind of leftover the names are.
func (s *housekeeper) stateNames(visit func(path, name string) bool) error {
	list, err := s.ws.List(layout.StateDir)
	if err != nil {
		if fsys.Absent(err) {
			return nil
		}
		return err
	}
	for _, e := range list {
		path := join(layout.StateDir, e.Name)
		if isDir(s.ws, path, e.Kind) && !visit(path, e.Name) {
			return nil
		}
	}
	return nil
}

// A budget bounds work by time. The zero value has no bound.
type budget struct {
	now   func() time.Time
	until time.Time
}

func (b *budget) over() bool { return b != nil && b.now != nil && !b.now().Before(b.until) }

var errBudget = errors.New("no time left")

// removeAll removes path and all below it. When the time is over it stops in between: what is being removed has a name
// that the next sweep looks for.
func (b *budget) removeAll(fsy fsys.FS, path string) error {
	if b == nil || b.now == nil {
		return fsy.RemoveAll(path)
	}
	list, err := fsy.List(path)
	if err != nil {
		return fsy.RemoveAll(path)
	}
	for _, e := range list {
		if b.over() {
			return errBudget
		}
		at := join(path, e.Name)
		if isDir(fsy, at, e.Kind) {
			err = b.removeAll(fsy, at)
		} else {
			err = fsy.Remove(at)
		}
		if err != nil && !fsys.Absent(err) {
			return err
		}
	}
	return fsy.Remove(path)
}
