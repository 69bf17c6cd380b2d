package site

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/fsys"
)

// ErrForeign says that something stays because haz did not make it.
var ErrForeign = errors.New("it holds what haz did not make")

func foreign(name string) error { return fmt.Errorf("%w: %q", ErrForeign, name) }

// ForeignIn is the error of the first name in dir, an entry or a staging, that haz does not make there; nil when there is none.
func ForeignIn(fsy fsys.FS, dir string) error {
	list, err := fsy.List(dir)
	if err != nil {
		return nil // who removes will see
	}
	for _, e := range list {
		if !isPart(e.Name) && e.Name != OutputsName {
			return foreign(e.Name)
		}
	}
	return nil
}

// RemoveOwn removes an entry, a store in progress or what was once either (trash may hold a whole shard), name by name: the
// manifest first, so that no reader takes what is left for an entry. What haz does not make stays, and so do the directories
// that hold it; then the error is ErrForeign. When the time is over it stops in between. Of a link in the place of a directory the link
// goes, and nothing behind it.
func RemoveOwn(fsy fsys.FS, dir string, b *Budget) error {
	if isLink(fsy, dir) {
		return IgnoreAbsent(fsy.Remove(dir))
	}
	list, err := fsy.List(dir)
	switch {
	case IsAbsentNow(err):
		return nil
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		return IgnoreAbsent(fsy.Remove(dir)) // something else in an entry's place, which was moved out of the way
	case err != nil:
		return err
	}
	if err := IgnoreAbsent(fsy.Remove(Join(dir, manifest.ManifestName))); err != nil {
		return err
	}
	var kept error
	for _, e := range list {
		if b.Over() {
			return errBudget
		}
		var err error
		switch path := Join(dir, e.Name); {
		case e.Name == OutputsName:
			err = removeBlobs(fsy, path, b)
		case isPart(e.Name):
			err = IgnoreAbsent(fsy.Remove(path))
		case IsKey(e.Name) || IsTmpName(e.Name):
			err = RemoveOwn(fsy, path, b)
		default:
			err = foreign(e.Name)
		}
		if err != nil && !errors.Is(err, ErrForeign) {
			return err
		}
		if kept == nil {
			kept = err
		}
	}
	if kept != nil {
		return kept
	}
	return RemoveEmpty(fsy, dir)
}

func isLink(fsy fsys.FS, name string) bool {
	info, err := fsy.Lstat(name)
	return err == nil && info.Kind == fsys.Link
}

// removeBlobs is RemoveOwn for the folder of blobs.
func removeBlobs(fsy fsys.FS, dir string, b *Budget) error {
	if isLink(fsy, dir) {
		return IgnoreAbsent(fsy.Remove(dir))
	}
	list, err := fsy.List(dir)
	if err != nil {
		return IgnoreAbsent(fsy.Remove(dir))
	}
	var kept error
	for _, e := range list {
		if b.Over() {
			return errBudget
		}
		switch {
		case !IsKey(e.Name):
			kept = foreign(OutputsName + "/" + e.Name)
		default:
			if err := IgnoreAbsent(fsy.Remove(Join(dir, e.Name))); err != nil {
				return err
			}
		}
	}
	if kept != nil {
		return kept
	}
	return RemoveEmpty(fsy, dir)
}

// RemoveEmpty removes a directory. Something that was put there meanwhile is not ours.
func RemoveEmpty(fsy fsys.FS, dir string) error {
	err := fsy.Remove(dir)
	if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
		return ErrForeign
	}
	return IgnoreAbsent(err)
}

func IgnoreAbsent(err error) error {
	if fsys.Absent(err) {
		return nil
	}
	return err
}
