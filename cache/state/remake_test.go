package state

import (
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys/memfs"
)

// What a run asks for counts in the next one, until it was done; what was in vain is not asked for again, for this key.
func TestRemake(t *testing.T) {
	mem := memfs.New()
	one, two := digest.Digest{1}, digest.Digest{2}
	wants := func(key digest.Digest, want string) {
		t.Helper()
		s := Open(mem, digest.BLAKE3)
		defer s.Flush()
		if got := s.Remake("p:pkg", key); got != want {
			t.Errorf("for %q, want %q", got, want)
		}
	}
	wants(one, "")
	s := Open(mem, digest.BLAKE3)
	if !s.AskRemake("p:pkg", one, "p:test") {
		t.Error("not asked")
	}
	wants(one, "p:test")
	wants(two, "")
	if got := s.Remake("p:other", one); got != "" {
		t.Errorf("another task: for %q", got)
	}
	s.Remade("p:pkg", one, false)
	wants(one, "")
	if !s.AskRemake("p:pkg", one, "p:test") { // another hit has brought it back
		t.Error("not asked again")
	}
	s.Remade("p:pkg", one, true)
	wants(one, "")
	if s.AskRemake("p:pkg", one, "p:test") {
		t.Error("asked again in vain")
	}
	wants(one, "")
	if !s.AskRemake("p:pkg", two, "p:test") {
		t.Error("another key, and not asked")
	}
	wants(two, "p:test")
	s.Flush()
	wants(two, "p:test")

	ro := OpenReadOnly(mem, digest.BLAKE3)
	if ro.Remake("p:pkg", two) != "p:test" || ro.AskRemake("p:pkg", one, "p:test") {
		t.Error("opened for reading only: does not read, or writes")
	}
	ro.Remade("p:pkg", two, false)
	wants(two, "p:test")
	ro.Flush()

	mem.Advance(31 * 24 * time.Hour)
	s = Open(mem, digest.BLAKE3)
	s.SweepTasks(map[string]bool{"p:other": true})
	s.Flush()
	wants(two, "")
}
