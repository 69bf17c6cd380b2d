package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

// What haz makes has names of one form each, and holds names of a few. A cache may be a link to a folder that holds other
// things as well, or shared with who knows whom: whatever removes goes by these names, and what bears none of them is not ours
// to count, to move or to remove.

func isShard(name string) bool { return len(name) == 2 && isHex(name) }

func isKey(name string) bool { return len(name) == 2*digest.Size && isHex(name) }

// isNumbered reports whether name is prefix and what suffix gives.
func isNumbered(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && len(rest) == 16 && isHex(rest)
}

// isKeyed reports whether name is prefix, a key, a hyphen and what suffix gives.
func isKeyed(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && len(rest) == 2*digest.Size+1+16 && isKey(rest[:2*digest.Size]) && isNumbered(rest[2*digest.Size:], "-")
}

func isTmpName(name string) bool     { return isKeyed(name, tmpPrefix) }
func isDamagedName(name string) bool { return isKeyed(name, "") }
func isTrashName(name string) bool   { return isNumbered(name, trashPrefix) }
func isRestoreName(name string) bool { return isKeyed(name, restorePrefix) }
func isClearedName(name string) bool { return isNumbered(name, clearedPrefix) }
func isSpoolName(name string) bool   { return isNumbered(name, state.SpoolPrefix) }
func isSiblingName(name string) bool { return isNumbered(name, siblingPrefix) }

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isPart reports whether haz makes a file of that name in an entry, or in a store in progress.
func isPart(name string) bool {
	switch name {
	case manifestName, stdoutName, stderrName, usedName, lockName, reasonName:
		return true
	}
	return false
}

// errForeign says that something stays because haz did not make it.
var errForeign = errors.New("it holds what haz did not make")

func foreign(name string) error { return fmt.Errorf("%w: %q", errForeign, name) }

// foreignIn is the error of the first name in dir, an entry or a staging, that haz does not make there; nil when there is none.
func foreignIn(fsy fsys.FS, dir string) error {
	list, err := fsy.List(dir)
	if err != nil {
		return nil // who removes will see
	}
	for _, e := range list {
		if !isPart(e.Name) && e.Name != outputsName {
			return foreign(e.Name)
		}
	}
	return nil
}

// removeOwn removes an entry, a store in progress or what was once either (trash may hold a whole shard), name by name: the
// manifest first, so that no reader takes what is left for an entry. What haz does not make stays, and so do the directories
// that hold it; then the error is errForeign. When the time is over it stops in between. Of a link in the place of a directory the link
// goes, and nothing behind it.
func removeOwn(fsy fsys.FS, dir string, b *budget) error {
	if isLink(fsy, dir) {
		return ignoreAbsent(fsy.Remove(dir))
	}
	list, err := fsy.List(dir)
	switch {
	case isAbsentNow(err):
		return nil
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		return ignoreAbsent(fsy.Remove(dir)) // something else in an entry's place, which was moved out of the way
	case err != nil:
		return err
	}
	if err := ignoreAbsent(fsy.Remove(join(dir, manifestName))); err != nil {
		return err
	}
	var kept error
	for _, e := range list {
		if b.over() {
			return errBudget
		}
		var err error
		switch path := join(dir, e.Name); {
		case e.Name == outputsName:
			err = removeBlobs(fsy, path, b)
		case isPart(e.Name):
			err = ignoreAbsent(fsy.Remove(path))
		case isKey(e.Name) || isTmpName(e.Name):
			err = removeOwn(fsy, path, b)
		default:
			err = foreign(e.Name)
		}
		if err != nil && !errors.Is(err, errForeign) {
			return err
		}
		if kept == nil {
			kept = err
		}
	}
	if kept != nil {
		return kept
	}
	return removeEmpty(fsy, dir)
}

func isLink(fsy fsys.FS, name string) bool {
	info, err := fsy.Lstat(name)
	return err == nil && info.Kind == fsys.Link
}

// removeBlobs is removeOwn for the folder of blobs.
func removeBlobs(fsy fsys.FS, dir string, b *budget) error {
	if isLink(fsy, dir) {
		return ignoreAbsent(fsy.Remove(dir))
	}
	list, err := fsy.List(dir)
	if err != nil {
		return ignoreAbsent(fsy.Remove(dir))
	}
	var kept error
	for _, e := range list {
		if b.over() {
			return errBudget
		}
		switch {
		case !isKey(e.Name):
			kept = foreign(outputsName + "/" + e.Name)
		default:
			if err := ignoreAbsent(fsy.Remove(join(dir, e.Name))); err != nil {
				return err
			}
		}
	}
	if kept != nil {
		return kept
	}
	return removeEmpty(fsy, dir)
}

// removeEmpty removes a directory. Something that was put there meanwhile is not ours.
func removeEmpty(fsy fsys.FS, dir string) error {
	err := fsy.Remove(dir)
	if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
		return errForeign
	}
	return ignoreAbsent(err)
}

func ignoreAbsent(err error) error {
	if fsys.Absent(err) {
		return nil
	}
	return err
}

// holdsOnlyOwn reports whether all in the cache root, down to the entries, has names that haz gives.
func holdsOnlyOwn(root fsys.FS) bool {
	top, err := root.List("/")
	if err != nil {
		return false
	}
	for _, e := range top {
		var ok func(name string) bool
		switch {
		case e.Name == ignoreName || isTrashName(e.Name):
			continue
		case e.Name == damagedName:
			ok = isDamagedName
		case isShard(e.Name):
			ok = func(name string) bool { return isKey(name) || isTmpName(name) }
		default:
			return false
		}
		list, err := root.List("/" + e.Name)
		if err != nil {
			return false
		}
		for _, in := range list {
			if !ok(in.Name) || foreignIn(root, "/"+e.Name+"/"+in.Name) != nil {
				return false
			}
		}
	}
	return true
}
