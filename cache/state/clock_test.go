package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// Whatever the clock does and however coarse it is: after any edit the digest is that of the bytes.
// Reading is not saved where it cannot be, so the property is about truth alone.
func TestDigestIsNeverStale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := memfs.New()
		mem.SetTime(time.Unix(1_000_000, 0))
		mem.SetStep(rapid.SampledFrom([]time.Duration{0, 1, time.Microsecond, time.Millisecond, time.Second}).Draw(t, "step"))
		mem.SetGranularity(rapid.SampledFrom([]time.Duration{1, 4 * time.Millisecond, time.Second, 2 * time.Second}).Draw(t, "grain"))
		if rapid.IntRange(0, 2).Draw(t, "fine") == 0 {
			mem.SetFine(rapid.Bool().Draw(t, "in order"))
		}
		s := Open(mem, digest.BLAKE3)
		// A clock that comes a second time, after it was set back, to the very tick of an earlier edit: another edit then, of
		// the same size and in the same inode, is beyond every stat. So nothing is edited near ticks of a time before.
		used, before := map[int64]bool{}, map[int64]bool{}
		edited := func(now time.Time) bool {
			for sec := now.Unix() - 4; sec <= now.Unix()+4; sec++ {
				if before[sec] {
					return true
				}
			}
			return false
		}
		contents := map[string]string{}
		names := []string{"/a", "/b"}
		steps := rapid.IntRange(1, 40).Draw(t, "steps")
		for i := range steps {
			switch rapid.IntRange(0, 6).Draw(t, "do") {
			case 0, 1:
				name := rapid.SampledFrom(names).Draw(t, "name")
				text := fmt.Sprintf("text %d", i%10) // one size
				for edited(mem.Now()) {
					mem.Advance(time.Second)
				}
				if err := put(mem, name, text); err != nil {
					t.Fatal(err)
				}
				contents[name] = text
				used[mem.Now().Unix()] = true
			case 2, 3:
				name := rapid.SampledFrom(names).Draw(t, "name")
				if contents[name] == "" {
					continue
				}
				info, err := mem.StatInfo(name)
				if err != nil {
					t.Fatal(err)
				}
				d, now, err := s.DigestFile(context.Background(), name, info)
				if err != nil || !now.Same(info) || d != hasher.Sum(digest.BLAKE3, []byte(contents[name])) {
					t.Fatalf("step %d: digest of %s is not that of %q: %v", i, name, contents[name], err)
				}
			case 4:
				mem.Advance(time.Duration(rapid.SampledFrom([]int64{1, 1e6, 1e9, 3e9, 3600e9}).Draw(t, "forward")))
			case 5:
				if rapid.Bool().Draw(t, "reopen") {
					s.Flush()
					s = Open(mem, digest.BLAKE3)
					continue
				}
				maps.Copy(before, used)
				mem.SetTime(mem.Now().Add(-time.Duration(rapid.IntRange(3, 100).Draw(t, "back")) * time.Second))
			case 6: // one look at the clock for both, between which somebody edits the second
				if contents["/a"] == "" || contents["/b"] == "" {
					continue
				}
				a, errA := mem.StatInfo("/a")
				b, errB := mem.StatInfo("/b")
				m := s.Moment()
				_, errC := m.Digest(context.Background(), "/a", a)
				if err := errors.Join(errA, errB, errC); err != nil {
					t.Fatal(err)
				}
				was := contents["/b"]
				if rapid.Bool().Draw(t, "edit") && !edited(mem.Now()) {
					contents["/b"] = fmt.Sprintf("text %d", i%10)
					if err := put(mem, "/b", contents["/b"]); err != nil {
						t.Fatal(err)
					}
					used[mem.Now().Unix()] = true
				}
				r, err := m.Digest(context.Background(), "/b", b)
				known := r.Info.Same(b) && r.Digest == hasher.Sum(digest.BLAKE3, []byte(was)) // by that stat, so it was not read
				if err != nil || r.Digest != hasher.Sum(digest.BLAKE3, []byte(contents["/b"])) && !known {
					t.Fatalf("step %d: digest of /b is not that of %q: %v", i, contents["/b"], err)
				}
			}
		}
	})
}

// The clock goes back between two files: a stamp kept from the first would make the second look old.
func TestClockSetBackBetweenFiles(t *testing.T) {
	testClockSetBack(t, func(s *State, name string) { digestOf(t, s, name) })
}

// So it does for one look at the clock for two files, unless both were looked at before.
func TestMomentBeforeTheStat(t *testing.T) {
	var m *Moment
	testClockSetBack(t, func(s *State, name string) {
		if m == nil {
			m = s.Moment()
		}
		if _, err := m.Digest(t.Context(), name, fsys.Info{}); err != nil {
			t.Fatal(err)
		}
	})
}

func testClockSetBack(t *testing.T, read func(s *State, name string)) {
	mem := memfs.New()
	mem.SetStep(0)
	mem.SetTime(time.Unix(5000, 0))
	write(t, mem, "/a", "a")
	mem.SetTime(time.Unix(6000, 0))
	s := Open(mem, digest.BLAKE3)
	read(s, "/a")
	mem.SetTime(time.Unix(5900, 0))
	write(t, mem, "/b", "one")
	read(s, "/b")
	write(t, mem, "/b", "two") // same tick, size and inode
	s.Flush()
	mem.SetTime(time.Unix(7000, 0))
	for _, s := range []*State{s, Open(mem, digest.BLAKE3)} {
		if got := digestOf(t, s, "/b"); got != hasher.Sum(digest.BLAKE3, []byte("two")) {
			t.Errorf("digest is that of the bytes before the edit")
		}
	}
}

// One look at the clock for many files that have to be read.
func TestMomentLooksOnce(t *testing.T) {
	mem := memfs.New()
	for _, name := range []string{"/a", "/b", "/c"} {
		write(t, mem, name, "text")
	}
	mem.Advance(time.Hour)
	f := newCounting(mem)
	s := Open(f, digest.BLAKE3)
	s.Stamp() // makes the file
	ticks := func() int64 {
		info, err := mem.Lstat("/.haz/state/clock")
		if err != nil {
			t.Fatal(err)
		}
		return info.MTime
	}
	var infos []fsys.Info
	for _, name := range []string{"/a", "/b", "/c"} {
		info, err := mem.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		infos = append(infos, info)
	}
	m, at := s.Moment(), int64(0)
	for i, name := range []string{"/a", "/b", "/c"} {
		mem.Advance(time.Second)
		r, err := m.Digest(t.Context(), name, infos[i])
		if err != nil || !r.Sure {
			t.Fatal(r, err)
		}
		if i == 0 {
			at = ticks()
		}
		if ticks() != at {
			t.Errorf("%s: the clock was looked at again", name)
		}
	}
}
