package state

import (
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// fine makes times exact for who was looked at, in order, and otherwise those of a kernel with 250 ticks a second.
func fine(mem *memfs.FS) {
	mem.SetTime(time.Unix(1_000_000, 123_456_789))
	mem.SetStep(time.Microsecond)
	mem.SetGranularity(4 * time.Millisecond)
	mem.SetFine(true)
}

// S-75: which file systems have fine times is found out by trying; how often what was just written is read by two runs shows it.
func TestFineTimes(t *testing.T) {
	for name, c := range map[string]struct {
		set   func(mem *memfs.FS)
		age   time.Duration
		reads int
	}{
		"fine":         {fine, 0, 1},
		"always exact": {func(mem *memfs.FS) { fine(mem); mem.SetGranularity(0) }, 0, 1},
		"coarse": {func(mem *memfs.FS) {
			mem.SetTime(time.Unix(1_000_000, 123_456_789))
			mem.SetStep(time.Microsecond)
			mem.SetGranularity(4 * time.Millisecond)
		}, 20 * time.Millisecond, 2},
		"a tick each":      {func(mem *memfs.FS) { mem.SetStep(time.Millisecond) }, 0, 2},
		"out of order":     {func(mem *memfs.FS) { fine(mem); mem.SetFine(false) }, 0, 2},
		"of whole seconds": {func(mem *memfs.FS) { fine(mem); mem.SetGranularity(time.Second) }, 0, 2},
		"nobody can be asked who writes": {func(mem *memfs.FS) {
			fine(mem)
			mem.SetVolume(fsys.Volume{Times: fsys.TimesLayered}, true)
		}, 0, 2},
		"of another machine": {func(mem *memfs.FS) {
			fine(mem)
			mem.SetVolume(fsys.Volume{Times: fsys.TimesMarked, Foreign: true}, false)
		}, 0, 2},
		"exact, and mapped writes are seen later": {func(mem *memfs.FS) {
			fine(mem)
			mem.SetVolume(fsys.Volume{Times: fsys.TimesExact}, false)
		}, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			mem := memfs.New()
			c.set(mem)
			write(t, mem, "/a", "text")
			mem.Advance(c.age)
			f := newCounting(mem)
			for range 2 {
				s := Open(f, digest.BLAKE3)
				if got, want := digestOf(t, s, "/a"), hasher.Sum(digest.BLAKE3, []byte("text")); got != want {
					t.Fatalf("digest %s, want %s", got.Hex(), want.Hex())
				}
				s.Flush()
			}
			if f.reads["/a"] != c.reads {
				t.Errorf("read %d times, want %d", f.reads["/a"], c.reads)
			}
			entries, err := mem.List("/.haz/state")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Name == timesName[1:] || fsys.IsTemporary(e.Name) {
					t.Errorf("%s is left", e.Name)
				}
			}
		})
	}
}

// S-75: whoever writes after the look at the clock is seen, and who is still at it keeps a file from being believed.
func TestFineTimesOfWriters(t *testing.T) {
	for name, c := range map[string]struct {
		before, after func(t *testing.T, mem *memfs.FS)
		reads         int
	}{
		"nobody writes":     {nil, nil, 1},
		"somebody writes":   {nil, func(t *testing.T, mem *memfs.FS) { write(t, mem, "/a", "next") }, 2},
		"somebody holds it": {func(t *testing.T, mem *memfs.FS) { mapped(t, mem, "/a") }, nil, 2},
		"of a whole second": {func(t *testing.T, mem *memfs.FS) {
			mem.SetGranularity(time.Second)
			mem.Advance(time.Second)
			write(t, mem, "/a", "text")
			mem.SetGranularity(4 * time.Millisecond)
			mem.Advance(time.Second)
		}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			mem := memfs.New()
			fine(mem)
			write(t, mem, "/a", "text")
			if c.before != nil {
				c.before(t, mem)
			}
			f := newCounting(mem)
			text := "text"
			for range 2 {
				s := Open(f, digest.BLAKE3)
				if got, want := digestOf(t, s, "/a"), hasher.Sum(digest.BLAKE3, []byte(text)); got != want {
					t.Fatalf("digest %s, want that of %s", got.Hex(), text)
				}
				s.Flush()
				if c.after != nil {
					c.after(t, mem)
					text = "next"
				}
			}
			if f.reads["/a"] != c.reads {
				t.Errorf("read %d times, want %d", f.reads["/a"], c.reads)
			}
		})
	}
}

func mapped(t *testing.T, mem *memfs.FS, name string) {
	t.Helper()
	m, err := mem.Map(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
}

// A folder to which something comes after the look at the clock is not told by its stat, nor is one that changed before it in the same tick of a coarse clock.
func TestFineTimesOfFolders(t *testing.T) {
	for _, exact := range []bool{true, false} {
		mem := memfs.New()
		fine(mem)
		if !exact {
			mem.SetFine(false)
		}
		write(t, mem, "/dir/a", "text")
		s := Open(mem, digest.BLAKE3)
		s.Stamp()
		was, _ := mem.Lstat("/dir")
		stamp := s.Stamp()
		if got := s.Tells("/dir", was, stamp); got != exact {
			t.Errorf("exact %v: told %v", exact, got)
		}
		was.CTime = stamp
		if s.Tells("/dir", was, stamp) {
			t.Errorf("exact %v: what changed at the time of the look is told not to have changed after it", exact)
		}
		write(t, mem, "/dir/b", "text")
		if now, _ := mem.Lstat("/dir"); s.Tells("/dir", now, stamp) {
			t.Errorf("exact %v: a folder tells that nothing came after the look at the clock, and something has", exact)
		}
	}
}

// What lies on another device than the clock may have other times.
func TestFineTimesOfAnotherDevice(t *testing.T) {
	d := newDisks()
	fine(d.mem)
	s := Open(d, digest.BLAKE3)
	stamp := s.Stamp()
	young := fsys.Info{Kind: fsys.Dir, Dev: usbDev, MTime: stamp - 1, CTime: stamp - 1}
	if s.Tells("/usb/a", young, stamp) {
		t.Error("times of a device that was not tried are fine")
	}
	if young.Dev = s.Clock().Dev; !s.Tells("/a", young, stamp) {
		t.Error("times of the device that was tried are not fine")
	}
}
