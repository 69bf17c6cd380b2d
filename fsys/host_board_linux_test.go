package fsys

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func boardOf(t *testing.T, dir string) Board {
	t.Helper()
	f, err := Host(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	b, err := OpenBoard(f, "/")
	if errors.Is(err, ErrLockUnsupported) {
		t.Skip("no locks on directories here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func wantNotes(t *testing.T, b Board, want ...Note) {
	t.Helper()
	got, err := b.Others()
	if err != nil {
		t.Fatal(err)
	}
	byID := func(a, b Note) int { return int(a.ID) - int(b.ID) }
	slices.SortFunc(got, byID)
	slices.SortFunc(want, byID)
	if !slices.Equal(got, want) {
		t.Errorf("notes %v, want %v", got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Others see each note with its mark, until it is removed or its board is closed. One does not see one's own.
func TestBoardShowsTheNotesOfOthers(t *testing.T) {
	dir := t.TempDir()
	a, b, c := boardOf(t, dir), boardOf(t, dir), boardOf(t, dir)
	notes := []Note{{0, 1}, {1, MaxMark}, {2, 7}, {77, 4711}, {MaxLockID / 2, 5}, {MaxLockID, MaxMark}}
	for _, n := range notes {
		must(t, a.Post(n))
	}
	wantNotes(t, a)
	wantNotes(t, b, notes...)
	must(t, b.Post(Note{3, 33}))
	wantNotes(t, a, Note{3, 33})
	wantNotes(t, c, append(notes, Note{3, 33})...)
	must(t, a.Remove(1))
	must(t, a.Remove(MaxLockID))
	must(t, a.Remove(4)) // there is none
	wantNotes(t, b, notes[0], notes[2], notes[3], notes[4])
	must(t, a.Close())
	must(t, a.Close())
	wantNotes(t, c, Note{3, 33})
	if err := a.Post(Note{1, 1}); err == nil {
		t.Error("a closed board takes notes")
	}
}

// No file has to do with it: notes stay when everything in the directory is deleted, and where nothing may be written.
func TestBoardNeedsNoFile(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))
	a := boardOf(t, dir)
	must(t, os.Chmod(dir, 0o500))
	must(t, a.Post(Note{5, 6}))
	must(t, os.Chmod(dir, 0o700))
	must(t, os.Remove(filepath.Join(dir, "f")))
	wantNotes(t, boardOf(t, dir), Note{5, 6})
}

func TestBoardRefusesOddNotes(t *testing.T) {
	b := boardOf(t, t.TempDir())
	for _, n := range []Note{{MaxLockID + 1, 1}, {1, 0}, {1, -1}, {1, MaxMark + 1}} {
		if b.Post(n) == nil {
			t.Errorf("%v was taken", n)
		}
	}
}
