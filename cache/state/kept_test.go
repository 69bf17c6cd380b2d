package state

import (
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// What was kept is there for the next State, whole or not at all; of another start of the system, of another make, or damaged, it is not.
func TestKept(t *testing.T) {
	ws := memfs.New()
	s := Open(ws, digest.BLAKE3)
	if _, _, ok := s.Kept("file"); ok {
		t.Error("there is something where nothing was kept")
	}
	s.Keep("file", []byte("one, "), nil, []byte("two"))
	s.Flush()
	OpenReadOnly(ws, digest.BLAKE3).Keep("file", []byte("three"))
	name := layout.StateDir + "/file"
	whole, _, err := ws.ReadFile(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	read := func() string {
		s := OpenReadOnly(ws, digest.BLAKE3)
		defer s.Flush()
		payload, told, ok := s.Kept("file")
		if ok != (payload != nil) || ok && told != (bootID() != "") {
			t.Errorf("%q: there %t, of a start that is told %t", payload, ok, told)
		}
		return string(payload)
	}
	if got := read(); got != "one, two" {
		t.Errorf("what was kept is %q", got)
	}
	for i := range whole {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 0x40
		for _, data := range [][]byte{bad, whole[:i]} {
			if err := fsys.WriteFileAtomic(ws, name, data, filePerm); err != nil {
				t.Fatal(err)
			}
			if got := read(); got != "" {
				t.Fatalf("damaged at byte %d it is read as %q", i, got)
			}
		}
	}
	other := Open(ws, digest.BLAKE3)
	other.boot[0]++
	other.Keep("file", []byte("of another start"))
	if got := read(); got != "" {
		t.Errorf("of another start it is read as %q", got)
	}
	other.Flush()
}

// A stat settles what is read from now on only when it is old, on a disk whose times tell.
func TestSettled(t *testing.T) {
	for _, c := range []struct {
		name         string
		times        fsys.Times
		age          time.Duration
		file, folder bool // settled
		ask          bool
	}{
		{"old", fsys.TimesExact, time.Hour, true, true, false},
		{"two seconds old", fsys.TimesExact, 2 * time.Second, true, true, false},
		{"young", fsys.TimesExact, 2*time.Second - 1, false, false, false},
		{"on a disk whose times tell nothing", fsys.TimesLoose, time.Hour, false, false, false},
		{"maybe mapped", fsys.TimesMarked, 10 * time.Second, false, true, true},
		{"written back", fsys.TimesMarked, time.Hour, true, true, false},
	} {
		ws := memfs.New()
		ws.SetVolume(fsys.Volume{Dev: 1, Times: c.times}, false)
		s := Open(ws, digest.BLAKE3)
		stamp := ws.Now().UnixNano()
		at := stamp - int64(c.age)
		root, err := ws.StatInfo("/")
		if err != nil {
			t.Fatal(err)
		}
		for kind, want := range map[fsys.Kind]bool{fsys.File: c.file, fsys.Dir: c.folder, fsys.Link: false} {
			settled, ask := s.Settled("/x", fsys.Info{Kind: kind, Dev: root.Dev, MTime: at - 1, CTime: at}, stamp)
			if settled != want || ask != (c.ask && kind == fsys.File) {
				t.Errorf("%s: a %s is settled: %t, ask %t", c.name, kind, settled, ask)
			}
		}
		s.Flush()
	}
}
