package manifest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// OutputsDigest is the digest of a list of outputs sorted by path (chapter 2, 5.2): the identity of what an entry holds, and
// what downstream keys see of it (S-25).
func OutputsDigest(fn digest.Function, outs []entry.Output) digest.Digest {
	size := 8
	for i := range outs {
		size += 8 + len(outs[i].Path) + 1 + 4 + max(digest.Size, 8+len(outs[i].Target))
	}
	b := make([]byte, 0, size)
	b = binary.BigEndian.AppendUint64(b, uint64(len(outs)))
	for i := range outs {
		o := &outs[i]
		b = appendStr(b, o.Path)
		b = append(b, byte(o.Kind))
		b = binary.BigEndian.AppendUint32(b, o.Mode)
		switch o.Kind {
		case entry.File:
			b = append(b, o.Digest[:]...)
		case entry.Link:
			b = appendStr(b, o.Target)
		}
	}
	return hasher.Sum(fn, b)
}

// HoldsOutputs reports whether one of outs, which are sorted by path, lies below dir.
func HoldsOutputs(outs []entry.Output, dir string) bool { return FirstBelow(outs, dir) >= 0 }

// appendStr appends the `str` of chapter 2, 5.2.
func appendStr(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// CheckPath reports why p is no place for an output: it must be a canonical workspace path (PATH-002, PATH-003), outside
// of /.haz (haz::cfg::017), and no segment may be a name that is reserved for restoring (7.5).
func CheckPath(p string) error {
	if err := CheckCanonical(p); err != nil {
		return fmt.Errorf("path %q: %w", p[:min(len(p), 200)], err)
	}
	if pattern.IsOrBelow(p, layout.Dir) {
		return fmt.Errorf("path %q lies in /.haz", p)
	}
	if strings.Contains(p, "/"+SiblingPrefix) {
		return fmt.Errorf("path %q uses a reserved name", p)
	}
	return nil
}

func CheckCanonical(p string) error {
	if len(p) > maxPath {
		return fmt.Errorf("longer than %d bytes", maxPath)
	}
	if err := pattern.CheckPath(p); err != nil {
		var e *pattern.SyntaxError
		if errors.As(err, &e) {
			return errors.New(e.Reason)
		}
		return err
	}
	return nil
}

// ProductDigest is the OutputsDigest of outputs and of sources, both sorted by path; where both have a path, the source counts.
func ProductDigest(fn digest.Function, outs, sources []entry.Output) digest.Digest {
	if len(sources) == 0 {
		return OutputsDigest(fn, outs)
	}
	all := make([]entry.Output, 0, len(outs)+len(sources))
	for len(outs) > 0 || len(sources) > 0 {
		switch {
		case len(sources) == 0 || len(outs) > 0 && outs[0].Path < sources[0].Path:
			all, outs = append(all, outs[0]), outs[1:]
		default:
			if len(outs) > 0 && outs[0].Path == sources[0].Path {
				outs = outs[1:]
			}
			all, sources = append(all, sources[0]), sources[1:]
		}
	}
	return OutputsDigest(fn, all)
}

// FirstBelow is the index of the first output below dir, -1 when there is none.
func FirstBelow(outs []entry.Output, dir string) int {
	i, _ := slices.BinarySearchFunc(outs, dir+"/", func(o entry.Output, p string) int { return strings.Compare(o.Path, p) })
	if i < len(outs) && pattern.IsBelow(outs[i].Path, dir) {
		return i
	}
	return -1
}
