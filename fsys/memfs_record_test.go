package fsys_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

const seeds = 300

// outcomes cuts the power with many seeds and counts what describe says of the survivors.
func outcomes(t *testing.T, m *memfs.FS, describe func(s *memfs.FS) string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for seed := range uint64(seeds) {
		seen[describe(m.CrashClone(seed))]++
	}
	return seen
}

func wantOutcomes(t *testing.T, got map[string]int, want ...string) {
	t.Helper()
	for _, w := range want {
		if got[w] == 0 {
			t.Errorf("%q never happened", w)
		}
		delete(got, w)
	}
	if len(got) > 0 {
		t.Errorf("not legal: %v", got)
	}
}

func content(s *memfs.FS, name string) string {
	data, _, err := s.ReadFile(name, 0)
	if err != nil {
		return "absent"
	}
	return string(data)
}

func syncFile(t *testing.T, f fsys.FS, name string) {
	t.Helper()
	x, err := f.Open(name)
	must(t, err)
	must(t, x.Sync())
	must(t, x.Close())
}

func TestPowerCut(t *testing.T) {
	long := strings.Repeat("n", 1024)
	for _, c := range []struct {
		name  string
		do    func(t *testing.T, m *memfs.FS)
		look  string
		legal []string
	}{
		{"nothing done", func(t *testing.T, m *memfs.FS) {}, "/old", []string{"old"}},
		{"synced by SyncAll", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/old", "new")
			must(t, m.Chmod("/old", 0o600))
			must(t, m.SyncAll())
		}, "/old", []string{"new"}},
		{"a new file", func(t *testing.T, m *memfs.FS) { put(t, m, "/x", "x") }, "/x", []string{"absent", "", "x", "\x00"}},
		{"a new file, its bytes synced", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/x", "x")
			syncFile(t, m, "/x")
		}, "/x", []string{"absent", "x"}},
		{"a new file, its name synced", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/x", "x")
			syncFile(t, m, "/")
		}, "/x", []string{"", "x", "\x00"}},
		{"a new file, all synced", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/x", "x")
			syncFile(t, m, "/x")
			syncFile(t, m, "/")
		}, "/x", []string{"x"}},
		{"appended", func(t *testing.T, m *memfs.FS) {
			w, err := m.OpenFile("/old", os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = w.WriteString("er")
			must(t, err)
		}, "/old", []string{"old", "older", "olde", "old\x00", "old\x00\x00"}},
		{"removed", func(t *testing.T, m *memfs.FS) { must(t, m.Remove("/old")) }, "/old", []string{"old", "absent"}},
		{"removed and synced", func(t *testing.T, m *memfs.FS) {
			must(t, m.Remove("/old"))
			syncFile(t, m, "/")
		}, "/old", []string{"absent"}},
		{"replaced, the new bytes synced", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/tmp", long)
			syncFile(t, m, "/tmp")
			must(t, m.Rename("/tmp", "/old"))
		}, "/old", []string{"old", long}},
		{"replaced, all synced", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/tmp", long)
			syncFile(t, m, "/tmp")
			must(t, m.Rename("/tmp", "/old"))
			syncFile(t, m, "/")
		}, "/old", []string{long}},
		{"replaced twice, the first synced", func(t *testing.T, m *memfs.FS) {
			for _, data := range []string{"first", "second"} {
				put(t, m, "/tmp", data)
				syncFile(t, m, "/tmp")
				must(t, m.Rename("/tmp", "/old"))
				if data == "first" {
					must(t, m.SyncAll())
				}
			}
		}, "/old", []string{"first", "second"}},
		{"made, moved to another directory, that one synced", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/x", "x")
			syncFile(t, m, "/x")
			must(t, m.Rename("/x", "/d/x"))
			syncFile(t, m, "/d")
		}, "/d/x", []string{"x"}},
		{"the old name of what was moved", func(t *testing.T, m *memfs.FS) {
			put(t, m, "/x", "x")
			must(t, m.Rename("/x", "/d/x"))
			syncFile(t, m, "/d")
		}, "/x", []string{"absent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := memfs.New()
			put(t, m, "/old", "old")
			must(t, m.Mkdir("/d", 0o755))
			m.RecordUnsynced()
			c.do(t, m)
			wantOutcomes(t, outcomes(t, m, func(s *memfs.FS) string { return content(s, c.look) }), c.legal...)
		})
	}
}

// Without sync a replaced file may be anything between old and new, half a rename is not.
func TestPowerCutRename(t *testing.T) {
	m := memfs.New()
	must(t, m.MkdirAll("/a", 0o755))
	must(t, m.MkdirAll("/b", 0o755))
	put(t, m, "/a/x", "x")
	m.RecordUnsynced()
	must(t, m.Rename("/a/x", "/b/x"))
	must(t, m.Rename("/b/x", "/b/y"))
	must(t, m.Rename("/b", "/a/b"))
	seen := outcomes(t, m, func(s *memfs.FS) string { return tree(t, s) })
	x := func(dirs, name string) string {
		lines := strings.Split(dirs, "|")
		lines = append(lines, fmt.Sprintf("%q file 0644 \"x\"", name))
		return strings.Join(lines, "\n")
	}
	before, after := `"/a" dir 0755`, `"/a" dir 0755|"/a/b" dir 0755`
	wantOutcomes(t, seen,
		before+"\n"+`"/a/x" file 0644 "x"`+"\n"+`"/b" dir 0755`, // nothing
		x(before+`|"/b" dir 0755`, "/b/x"),                      // the first
		x(before+`|"/b" dir 0755`, "/b/y"),                      // two
		x(after, "/a/b/y"),                                      // all
		x(after, "/a/b/x"),                                      // the directory moved and one of the file's
		x(after, "/a/x"),                                        // the directory moved alone
	)
}

// Directories that were moved into each other by turns are never lost in a circle.
func TestPowerCutMakesNoCircle(t *testing.T) {
	m := memfs.New()
	must(t, m.Mkdir("/x", 0o755))
	must(t, m.Mkdir("/y", 0o755))
	m.RecordUnsynced()
	must(t, m.Rename("/x", "/y/x"))
	must(t, m.Rename("/y/x", "/x"))
	must(t, m.Rename("/y", "/x/y"))
	dir := func(names ...string) string {
		for i, name := range names {
			names[i] = fmt.Sprintf("%q dir 0755", name)
		}
		return strings.Join(names, "\n")
	}
	wantOutcomes(t, outcomes(t, m, func(s *memfs.FS) string { return tree(t, s) }),
		dir("/x", "/y"), dir("/y", "/y/x"), dir("/x", "/x/y"))
}

func TestPowerCutMakesTornBytes(t *testing.T) {
	m := memfs.New()
	put(t, m, "/x", strings.Repeat("o", 4096))
	m.RecordUnsynced()
	w, err := m.OpenFile("/x", os.O_WRONLY, 0)
	must(t, err)
	_, err = w.Write([]byte(strings.Repeat("n", 4096)))
	must(t, err)
	seen := outcomes(t, m, func(s *memfs.FS) string {
		data := content(s, "/x")
		for i := 0; i < len(data); i += 512 {
			if s := data[i:min(i+512, len(data))]; strings.Count(s, s[:1]) != len(s) || !strings.Contains("on", s[:1]) {
				t.Fatalf("a sector is torn: %q", s)
			}
		}
		switch {
		case len(data) != 4096:
			return "length"
		case strings.Count(data, "o") == 4096:
			return "old"
		case strings.Count(data, "n") == 4096:
			return "new"
		}
		return "mixed"
	})
	wantOutcomes(t, seen, "old", "new", "mixed")
}

// What took the place of something else keeps it, whichever of the directories was synced in between.
func TestPowerCutKeepsTheOrderOfAName(t *testing.T) {
	m := memfs.New()
	must(t, m.Mkdir("/d", 0o755))
	m.RecordUnsynced()
	must(t, m.Mkdir("/x", 0o755))
	must(t, m.Mkdir("/d/y", 0o755))
	must(t, m.Rename("/d/y", "/x"))
	must(t, m.Mkdir("/x/in", 0o755))
	d, err := m.Open("/d")
	must(t, err)
	must(t, d.Sync()) // the rename, and so all that had the name /x before
	must(t, m.SyncAll())
	want := tree(t, m)
	wantOutcomes(t, outcomes(t, m, func(s *memfs.FS) string { return tree(t, s) }), want)
}

// Whatever is done and synced: a seed gives one tree, the tree is sound, what was synced and left alone is there, and
// after SyncAll everything is.
func TestPowerCutProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := memfs.New()
		for _, d := range []string{"/stable", "/stable/d", "/root"} {
			must(t, m.Mkdir(d, 0o755))
		}
		put(t, m, "/stable/d/x", "stays")
		s, err := m.Sub("/root")
		must(t, err)
		side := &side{m, s, ""}
		m.RecordUnsynced()
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			o := drawOp(rt)
			o.run(side)
			switch rapid.IntRange(0, 9).Draw(rt, "sync") {
			case 0:
				if x, err := s.Open(o.a); err == nil {
					must(t, x.Sync())
				}
			case 1:
				if rapid.Bool().Draw(rt, "all") {
					must(t, s.(*memfs.FS).SyncAll())
				}
			}
		}
		sound(rt, m)
		before := tree(t, m)
		for seed := range uint64(8) {
			c := m.CrashClone(seed)
			if a, b := tree(t, c), tree(t, m.CrashClone(seed)); a != b {
				rt.Fatalf("seed %d gives two trees:\n%s\n\n%s", seed, a, b)
			}
			sound(rt, c)
			if got := content(c, "/stable/d/x"); got != "stays" {
				rt.Fatalf("what was synced became %q", got)
			}
		}
		if after := tree(t, m); after != before {
			rt.Fatalf("the power cut changed the running machine:\n%s\n\n%s", before, after)
		}
		must(t, m.SyncAll())
		for seed := range uint64(4) {
			if got := tree(t, m.CrashClone(seed)); got != before {
				rt.Fatalf("after SyncAll there is\n%s\nwant\n%s", got, before)
			}
		}
	})
}

// sound checks the numbers of names, which only a tree has, in which each directory is once.
func sound(t *rapid.T, m *memfs.FS) {
	names, want := map[uint64]uint32{}, map[uint64]fsys.Info{}
	var walk func(dir string)
	walk = func(dir string) {
		info, err := m.Lstat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := want[info.Inode]; twice {
			t.Fatalf("directory %s is in the tree twice", dir)
		}
		want[info.Inode] = info
		names[info.Inode] = 2
		entries, err := m.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := strings.TrimSuffix(dir, "/") + "/" + e.Name
			if e.Kind == fsys.Dir {
				names[info.Inode]++
				walk(name)
				continue
			}
			child, err := m.Lstat(name)
			if err != nil {
				t.Fatal(err)
			}
			want[child.Inode] = child
			names[child.Inode]++
			if real, err := m.RealPath(dir); err != nil || real != dir {
				t.Fatalf("real path of %s: %s, %v", dir, real, err)
			}
		}
	}
	walk("/")
	for inode, info := range want {
		if info.Nlink != names[inode] {
			t.Fatalf("inode %d has %d names and says %d", inode, names[inode], info.Nlink)
		}
	}
}
