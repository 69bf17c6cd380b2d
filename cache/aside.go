package cache

import (
	"reflect"
	"slices"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
)

// SetAside moves a damaged entry to .damaged, where people can look at it, and writes the reason beside it (S-31). It is
// removed if that fails, and ignored if that fails too. It looks again before: of is the manifest that was read from the entry,
// nil when none could be; an entry that somebody has put in its place meanwhile is left alone. Nothing happens with ReadOnly.
// became is what became of the entry, as a note says it; "" when nothing was done.
//
// Callers in one process serialize it with Staged.Place (the cache actor does).
func (s *core) SetAside(k entry.Key, reason string, of *Manifest) (became string) {
	root, err := s.open()
	if err != nil || s.o.ReadOnly {
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
func (s *core) replaced(root fsys.FS, m *Manifest) bool {
	now, miss := readManifest(root, entryOf(m.Key))
	return miss == nil && !sameManifest(now, m)
}

// setAside returns what became of the entry, as a note says it.
func (s *core) setAside(root fsys.FS, k entry.Key, reason string) (became string) {
	kept, trash, err := s.moveAside(root, k, reason)
	switch {
	case err != nil:
		return "could not be removed: " + fsys.Cause(err).Error()
	case kept:
		s.trimDamaged(root)
		return "was set aside"
	case trash != "":
		_ = removeOwn(root, trash, nil)
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

// damaged sets the entry that m was read from aside and says so. An entry that somebody else has put in its place
// meanwhile is left alone: it is not what was found wanting.
func (s *core) damaged(m *Manifest, reason string) error {
	root, err := s.open()
	switch {
	case err != nil || s.o.ReadOnly:
		return &RestoreError{Damaged: true, Reason: reason}
	case s.replaced(root, m):
		return &RestoreError{Reason: "the cache entry was replaced while it was read (" + reason + ")"}
	case s.keepDamaged:
		return &RestoreError{Damaged: true, Reason: reason}
	}
	return &RestoreError{Damaged: true, Reason: reason, Became: s.setAside(root, m.Key, reason)}
}

func sameManifest(a, b *Manifest) bool {
	x, y := *a, *b
	x.Outputs, y.Outputs = nil, nil
	return reflect.DeepEqual(x, y) && slices.Equal(a.Outputs, b.Outputs)
}
