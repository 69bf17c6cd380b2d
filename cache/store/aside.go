package store

import (
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
)

// SetAside moves a damaged entry to .damaged, where people can look at it, and writes the reason beside it (S-31). It is
// removed if that fails, and ignored if that fails too. It looks again before: of is the manifest that was read from the entry,
// nil when none could be; an entry that somebody has put in its place meanwhile is left alone. Nothing happens with ReadOnly.
// became is what became of the entry, as a note says it; "" when nothing was done.
//
// Callers in one process serialize it with Staged.Place (the cache actor does).
func (s *Store) SetAside(k entry.Key, reason string, of *manifest.Manifest) (became string) {
	root, err := s.Open()
	if err != nil || s.ReadOnly {
		return ""
	}
	at := k
	if of != nil {
		if at = of.Key; s.replaced(root, of) {
			return replacedMeanwhile
		}
	} else {
		var miss *entry.Miss
		if _, miss, at = s.find(root, k); miss == nil || miss.Reason != entry.Damaged {
			return replacedMeanwhile
		}
	}
	return s.setAside(root, at, reason)
}

const replacedMeanwhile = "was replaced meanwhile"

// replaced reports whether another entry lies where m was read from.
func (s *Store) replaced(root fsys.FS, m *manifest.Manifest) bool {
	now, miss := manifest.ReadManifest(root, site.EntryOf(m.Key))
	return miss == nil && !now.Same(m)
}

// setAside returns what became of the entry, as a note says it.
func (s *Store) setAside(root fsys.FS, k entry.Key, reason string) (became string) {
	kept, trash, err := s.MoveAside(root, k, reason)
	switch {
	case err != nil:
		return "could not be removed: " + fsys.Cause(err).Error()
	case kept:
		s.TrimDamaged(root)
		return "was set aside"
	case trash != "":
		_ = site.RemoveOwn(root, trash, nil)
	}
	return "was removed"
}

// RestoreError says that a restore failed and how the tree was left.
type RestoreError struct {
	Damaged bool   // the entry was at fault
	Became  string // of it: as Miss.Became
	IsInput bool   // the entry would change an input of its own key: the task has to run
	Path    string // workspace-absolute, where there is one
	Reason  string
	Err     error
}

func (e *RestoreError) Error() string { return e.Reason }
func (e *RestoreError) Unwrap() error { return e.Err }

// Damaged sets the entry that m was read from aside and says so. An entry that somebody else has put in its place
// meanwhile is left alone: it is not what was found wanting.
func (s *Store) Damaged(m *manifest.Manifest, reason string) error {
	root, err := s.Open()
	switch {
	case err != nil || s.ReadOnly:
		return &RestoreError{Damaged: true, Reason: reason}
	case s.replaced(root, m):
		return &RestoreError{Reason: "the cache entry was replaced while it was read (" + reason + ")"}
	case s.keepDamaged:
		return &RestoreError{Damaged: true, Reason: reason}
	}
	return &RestoreError{Damaged: true, Reason: reason, Became: s.setAside(root, m.Key, reason)}
}
