package site

import (
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

// What haz makes has names of one form each, and holds names of a few. A cache may be a link to a folder that holds other
// things as well, or shared with who knows whom: whatever removes goes by these names, and what bears none of them is not ours
// to count, to move or to remove.

func IsShard(name string) bool { return len(name) == 2 && isHex(name) }

func IsKey(name string) bool { return len(name) == 2*digest.Size && isHex(name) }

// isNumbered reports whether name is prefix and what suffix gives.
func isNumbered(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && len(rest) == 16 && isHex(rest)
}

// isKeyed reports whether name is prefix, a key, a hyphen and what suffix gives.
func isKeyed(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && len(rest) == 2*digest.Size+1+16 && IsKey(rest[:2*digest.Size]) && isNumbered(rest[2*digest.Size:], "-")
}

func IsTmpName(name string) bool     { return isKeyed(name, TmpPrefix) }
func IsDamagedName(name string) bool { return isKeyed(name, "") }
func IsTrashName(name string) bool   { return isNumbered(name, TrashPrefix) }
func IsRestoreName(name string) bool { return isKeyed(name, restorePrefix) }
func IsClearedName(name string) bool { return isNumbered(name, ClearedPrefix) }
func IsSpoolName(name string) bool   { return isNumbered(name, state.SpoolPrefix) }
func IsSiblingName(name string) bool { return isNumbered(name, manifest.SiblingPrefix) }

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
	case manifest.ManifestName, StdoutName, StderrName, UsedName, LockName, reasonName:
		return true
	}
	return false
}

// HoldsOnlyOwn reports whether all in the cache root, down to the entries, has names that haz gives.
func HoldsOnlyOwn(root fsys.FS) bool {
	top, err := root.List("/")
	if err != nil {
		return false
	}
	for _, e := range top {
		var ok func(name string) bool
		switch {
		case e.Name == IgnoreName || IsTrashName(e.Name):
			continue
		case e.Name == DamagedName:
			ok = IsDamagedName
		case IsShard(e.Name):
			ok = func(name string) bool { return IsKey(name) || IsTmpName(name) }
		default:
			return false
		}
		list, err := root.List("/" + e.Name)
		if err != nil {
			return false
		}
		for _, in := range list {
			if !ok(in.Name) || ForeignIn(root, "/"+e.Name+"/"+in.Name) != nil {
				return false
			}
		}
	}
	return true
}
