package state

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// SpoolPrefix begins the name of a run's spool directory in .haz/state.
const SpoolPrefix = "spool-"

// MakeSpool makes a run's directory for streams that do not fit into memory (S-15), with a lock file that is held while its
// owner lives, so that the sweep can tell a leftover from one in use.
func MakeSpool(ws fsys.FS) (dir string, lock fsys.Lock, err error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", nil, err
	}
	dir = layout.StateDir + "/" + SpoolPrefix + hex.EncodeToString(id[:])
	if err := MakeDir(ws, dir); err != nil {
		return "", nil, fmt.Errorf("make the spool directory: %w", fsys.OnHost(ws, err))
	}
	lock, err = fsys.TryLock(ws, dir+"/lock", fsys.Exclusive)
	if err != nil {
		lock = nil // the file system cannot lock: then leftovers are told by age alone
	}
	return dir, lock, nil
}

// MergeProduced adds rows to those of a product list; for one path the new row counts. Both are sorted by path, and so is the result.
func MergeProduced(old, add []Produced) []Produced {
	out := make([]Produced, 0, len(old)+len(add))
	for len(old) > 0 && len(add) > 0 {
		switch {
		case old[0].Path < add[0].Path:
			out, old = append(out, old[0]), old[1:]
		case old[0].Path > add[0].Path:
			out, add = append(out, add[0]), add[1:]
		default:
			old = old[1:]
		}
	}
	return append(append(out, old...), add...)
}
