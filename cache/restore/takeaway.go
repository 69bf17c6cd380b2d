package restore

import (
	"context"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// Taken is what a task had made in earlier runs and TakeAway took out of the tree. It is not safe for concurrent use, and one
// of PutBack, for some of it or all, and Drop, ends it.
type Taken struct {
	r *restore
}

// TakeAway takes all that the task of t made in earlier runs, that its product list lists and that nobody touched since, out of the
// tree, and directories that this leaves empty: what an execution then leaves behind is a function of its inputs. Found things,
// inputs of the key and what another task made too are left alone, as in a restore (S-34).
//
// It goes by renames into a staging, so that it can be put back. After an error the tree is as it was.
func (s *Restorer) TakeAway(ctx context.Context, key entry.Key, t Target) (*Taken, error) {
	p := &Work{Manifest: &manifest.Manifest{Key: key}, Target: t, prefixes: newPrefixes(t.Patterns), quick: true}
	w := newWays(s.WS)
	if err := s.findStale(ctx, p, w); err != nil {
		return nil, err
	}
	if len(p.stale) == 0 {
		return &Taken{}, nil
	}
	r := &restore{s: s, p: p, folders: newFolders(s.WS, w.links), areas: map[uint64]*area{}, areaAt: map[*folder]*area{}}
	err := r.begin()
	if err == nil {
		r.unsettle()
		err = r.removeStale(ctx)
	}
	if err == nil {
		err = r.setModes()
	}
	if err != nil {
		r.undo()
		r.clear()
		r.folders.close()
		return nil, err
	}
	r.emptied = true
	r.folders.close() // they are opened again when they are needed
	return &Taken{r}, nil
}

// Any reports whether something was taken away.
func (t *Taken) Any() bool { return t != nil && t.r != nil }

// PutBack puts those of the taken files and links that are wanted (nil: all) back where they were, unless something else lies
// there by now. It reports how many that were.
func (t *Taken) PutBack(wanted func(path string) bool) int {
	if t == nil || t.r == nil {
		return 0
	}
	n := 0
	for i := len(t.r.journal) - 1; i >= 0; i-- {
		s := &t.r.journal[i]
		if s.did != moved || wanted != nil && !wanted(s.path) {
			continue
		}
		if t.r.putBack(s) {
			n++
			t.r.emptied = false // what lies in old/ has to be looked for
		}
	}
	return n
}

// Drop removes what was taken away for good.
func (t *Taken) Drop() {
	if t != nil && t.r != nil {
		t.r.clear()
		t.r.folders.close()
		t.r = nil
	}
}

// putBack takes one step back, long after it was taken: directories may be gone, and others in their place.
func (r *restore) putBack(s *step) bool {
	ws := r.s.WS
	if _, err := ws.Lstat(s.path); !fsys.Absent(err) || ws.MkdirAll(pattern.Parent(s.path), 0o777) != nil {
		return false
	}
	prefix, _ := r.p.prefixes.of(s.path)
	r.folders.forget(pattern.Parent(s.path)) // it may be another one than it was
	f, k, _ := r.folders.to(s.path, prefix)
	return k == wayDir && renameTwice(s.area.old, s.old, f.fs, name(s.path))
}
