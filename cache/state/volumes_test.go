package state

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// kindsOfVolume are the file systems that there are, as far as times go.
var kindsOfVolume = []struct {
	name  string
	times fsys.Times
	tells bool
}{
	{"loose", fsys.TimesLoose, false}, {"marked", fsys.TimesMarked, false}, {"layered", fsys.TimesLayered, true},
	{"layered, loose", fsys.TimesLayered, false}, {"exact", fsys.TimesExact, false},
}

// S-26: how often an old file is read in two runs, while nobody writes to it and while somebody holds it mapped.
func TestIndexByVolume(t *testing.T) {
	for _, c := range []struct {
		kind         int // of kindsOfVolume
		age          time.Duration
		free, mapped int
	}{
		{kind: 0, age: time.Hour, free: 2, mapped: 2},
		{kind: 1, age: 10 * time.Second, free: 1, mapped: 2},
		{kind: 1, age: writeBack, free: 1, mapped: 1},
		{kind: 2, age: 10 * time.Second, free: 2, mapped: 2}, // nobody can be asked
		{kind: 2, age: writeBack, free: 1, mapped: 1},
		{kind: 3, age: time.Hour, free: 2, mapped: 2},
		{kind: 4, age: 10 * time.Second, free: 1, mapped: 1},
	} {
		for _, mapped := range []bool{false, true} {
			k := kindsOfVolume[c.kind]
			mem := memfs.New()
			mem.SetVolume(fsys.Volume{Times: k.times}, k.tells)
			write(t, mem, "/a", "text")
			want := c.free
			if mapped {
				want = c.mapped
				if _, err := mem.Map("/a"); err != nil {
					t.Fatal(err)
				}
			}
			mem.Advance(c.age)
			f := newCounting(mem)
			for range 2 {
				s := Open(f, digest.BLAKE3)
				r, err := s.Digest(context.Background(), "/a", fsys.Info{})
				if err != nil || r.Digest != hasher.Sum(digest.BLAKE3, []byte("text")) {
					t.Fatal(r, err)
				}
				if sure := want == 1; r.Sure != sure {
					t.Errorf("%s, %v old, mapped %v: sure %v, want %v", k.name, c.age, mapped, r.Sure, sure)
				}
				s.Flush()
			}
			if got := f.reads["/a"]; got != want {
				t.Errorf("%s, %v old, mapped %v: read %d times, want %d", k.name, c.age, mapped, got, want)
			}
		}
	}
}

// A row of a file system whose times turned out to say nothing is not used, whoever wrote it.
func TestIndexBelievesNoLooseVolume(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "text")
	mem.Advance(time.Hour)
	s := Open(mem, digest.BLAKE3)
	digestOf(t, s, "/a")
	s.Flush()
	mem.SetVolume(fsys.Volume{Times: fsys.TimesLoose}, false)
	f := newCounting(mem)
	digestOf(t, Open(f, digest.BLAKE3), "/a")
	if f.reads["/a"] != 1 {
		t.Errorf("read %d times", f.reads["/a"])
	}
}

// A file that cannot be looked at, or lies elsewhere than it seems, is believed nothing.
func TestUnknownVolume(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "text")
	info, _ := mem.Lstat("/a")
	info.Dev++
	if s := Open(mem, digest.BLAKE3); s.Believes("/a", info) || s.Steady("/a", info, info.CTime+int64(time.Hour)) {
		t.Error("a file of an unknown device is believed")
	}
}

// Whatever is written in whatever way: a digest that is asked for after it is that of the bytes, and one that is sure stays so
// until the stat is another.
func TestIndexIsNeverWrong(t *testing.T) {
	for _, k := range kindsOfVolume {
		t.Run(k.name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { neverWrong(t, k.times, k.tells) }) })
	}
}

func neverWrong(t *rapid.T, times fsys.Times, tells bool) {
	mem := memfs.New()
	mem.SetVolume(fsys.Volume{Times: times}, tells)
	mem.SetStep(rapid.SampledFrom([]time.Duration{0, time.Millisecond}).Draw(t, "step"))
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(put(mem, "/a", "00"))
	s := Open(mem, digest.BLAKE3)
	var mappings []*memfs.Mapping
	var last Read
	text := rapid.StringMatching("[0-9]{2}")
	check := func() {
		data, info, err := mem.ReadFile("/a", 0)
		must(err)
		if last.Sure && info.Same(last.Info) && hasher.Sum(digest.BLAKE3, data) != last.Digest {
			t.Fatalf("was sure of %s, holds %q", last.Digest.Short(), data)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"": func(*rapid.T) { check() },
		"look": func(*rapid.T) {
			r, err := s.Digest(context.Background(), "/a", fsys.Info{})
			must(err)
			data, _, err := mem.ReadFile("/a", 0)
			must(err)
			if r.Digest != hasher.Sum(digest.BLAKE3, data) {
				t.Fatalf("the digest of other bytes than %q", data)
			}
			last = r
		},
		"run": func(*rapid.T) {
			s.Flush()
			s = Open(mem, digest.BLAKE3)
		},
		"write": func(t *rapid.T) { must(put(mem, "/a", text.Draw(t, "text"))) },
		"map": func(t *rapid.T) {
			p, err := mem.Map("/a")
			must(err)
			mappings = append(mappings, p)
		},
		"write mapped": func(t *rapid.T) {
			if len(mappings) > 0 {
				p := rapid.SampledFrom(mappings).Draw(t, "mapping")
				_, err := p.WriteAt([]byte(text.Draw(t, "text")), 0)
				must(err)
			}
		},
		"unmap": func(*rapid.T) {
			if len(mappings) > 0 {
				must(mappings[0].Close())
				mappings = mappings[1:]
			}
		},
		"time": func(t *rapid.T) {
			mem.Advance(rapid.SampledFrom([]time.Duration{time.Second, 3 * time.Second, 20 * time.Second, time.Minute, 10 * time.Minute}).Draw(t, "time"))
		},
	})
}
