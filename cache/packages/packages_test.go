package packages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/lockfile"
)

// bed is a workspace in memory, and how often a lock file in it was read.
type bed struct {
	t    testing.TB
	disk *memfs.FS
	fs   *counting
	f    *Finder
}

// counting counts what is read of a lock file beside its digest: that reads it in one piece as well, so both count, and a look that knows the
// digest has none.
type counting struct {
	fsys.FS
	reads map[string]int
}

func (c *counting) ReadFile(name string, most int64) ([]byte, fsys.Info, error) {
	c.reads[name]++
	return c.FS.ReadFile(name, most)
}

func newBed(t testing.TB) *bed {
	b := &bed{t: t, disk: memfs.New()}
	b.open()
	return b
}

// open begins a run.
func (b *bed) open() {
	b.fs = &counting{b.disk, map[string]int{}}
	b.f = New(Options{FS: b.fs, State: state.Open(b.disk, digest.BLAKE3), Hash: digest.BLAKE3})
}

func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) write(name, text string) {
	b.t.Helper()
	f, err := b.disk.Create(name)
	b.must(err)
	_, err = f.Write([]byte(text))
	b.must(err)
	b.must(f.Close())
}

func (b *bed) find(l *workspace.Lock, dir string) Found {
	b.t.Helper()
	found, err := b.f.Find(context.Background(), l, dir)
	b.must(err)
	return found
}

// pnpm is a lock file in which a reaches left and what that needs, and b right.
func pnpm(left, under, right string) string {
	return strings.NewReplacer("LEFT", left, "UNDER", under, "RIGHT", right).Replace(`lockfileVersion: '9.0'
importers:
  a: {dependencies: {left: {specifier: '*', version: LEFT}}}
  b: {dependencies: {right: {specifier: '*', version: RIGHT}}}
packages:
  left@LEFT: {resolution: {integrity: l}}
  under@UNDER: {resolution: {integrity: u}}
  right@RIGHT: {resolution: {integrity: "r \\n"}}
snapshots:
  left@LEFT: {dependencies: {under: UNDER}}
  under@UNDER: {}
  right@RIGHT: {}
`)
}

func lockOf(file string, dirs ...string) *workspace.Lock {
	l := &workspace.Lock{File: file, Files: []string{file}, Places: map[string]int{}}
	for i, dir := range dirs {
		l.Places[dir] = i
		l.Members = append(l.Members, workspace.LockMember{Dir: dir, Name: strings.TrimPrefix(dir, "/")})
	}
	return l
}

// haz::cfg::114: what a project reaches is another one when a package of it is, and when none is it is not.
func TestFind(t *testing.T) {
	b, l := newBed(t), lockOf("/pnpm-lock.yaml", "/a", "/b", "/c")
	if found := b.find(l, "/a"); found.How != Absent || found.Digest != (digest.Digest{}) {
		t.Fatal(found)
	}
	b.write(l.File, pnpm("1.0.0", "1.0.0", "1.0.0"))
	a, r := b.find(l, "/a"), b.find(l, "/b")
	if a.How != Reached || a.Count != 2 || r.How != Reached || r.Count != 1 || a.Digest == r.Digest {
		t.Fatal(a, r)
	}
	if c := b.find(l, "/c"); c.How != Whole { // the lock file does not list it
		t.Fatal(c)
	}
	if d := b.find(l, "/d"); d.How != Whole { // nobody knows it
		t.Fatal(d)
	}
	b.write(l.File, pnpm("1.0.0", "1.0.1", "1.0.0"))
	a2, r2 := b.find(l, "/a"), b.find(l, "/b")
	if a2.Same(&a) || !r2.Same(&r) {
		t.Fatal(a2, r2)
	}
	b.write(l.File, "none: [")
	if broken := b.find(l, "/a"); broken.How != Whole {
		t.Fatal(broken)
	} else if err := b.f.Untold(context.Background(), &broken, "/a"); !errors.As(err, new(*Broken)) {
		t.Fatal(err)
	}
	b.must(b.disk.Remove(l.File))
	b.must(b.disk.MkdirAll(l.File, 0o755))
	if _, err := b.f.Find(context.Background(), l, "/a"); !errors.As(err, new(*Error)) {
		t.Fatal(err)
	}
}

// A lock file that was read once is not read again, by no run, until it changes, or what manifests say does.
func TestKept(t *testing.T) {
	b, l := newBed(t), lockOf("/pnpm-lock.yaml", "/a", "/b")
	b.write(l.File, pnpm("1.0.0", "1.0.0", "1.0.0"))
	want := b.find(l, "/a")
	for run := range 3 {
		b.open()
		got := b.find(l, "/a")
		b.find(l, "/b")
		if !got.Same(&want) || got.Count != want.Count || b.fs.reads[l.File] > 0 {
			t.Fatalf("run %d: %v, want %v; reads %v", run, got, want, b.fs.reads)
		}
	}
	other := lockOf("/pnpm-lock.yaml", "/a", "/b")
	other.Members[0].Needs = []workspace.LockNeed{{Name: "x", Spec: "1"}}
	b.open()
	if b.find(other, "/a"); b.fs.reads[l.File] != 1 {
		t.Fatal(b.fs.reads)
	}
}

// EXEC-064: what is wrong with a lock file is kept as well, and said again.
func TestBrokenKept(t *testing.T) {
	b, l := newBed(t), lockOf("/pnpm-lock.yaml", "/a")
	b.write(l.File, "none: [")
	said := ""
	for run := range 3 {
		found := b.find(l, "/a")
		err := b.f.Untold(context.Background(), &found, "/a")
		if run == 0 {
			said = err.Error()
		}
		if found.How != Whole || !errors.As(err, new(*Broken)) || err.Error() != said || said == "" || run > 0 && b.fs.reads[l.File] > 0 {
			t.Fatalf("run %d: %v, %v; reads %v", run, found, err, b.fs.reads)
		}
		b.open()
	}
	b.write(l.File, pnpm("1.0.0", "1.0.0", "1.0.0"))
	if found := b.find(l, "/a"); found.How != Reached {
		t.Fatal(found)
	}
}

// EXEC-064: what is kept is not believed when it does not hold together, is another lock file's, or was made in another start of the system.
func TestNotBelieved(t *testing.T) {
	l := lockOf("/pnpm-lock.yaml", "/a", "/b")
	lie := func(start digest.Digest, lock string, edit func(string) string) []byte {
		var w text.Writer
		w.Head(tableKind, tableRevision, digest.BLAKE3)
		w.Line(wordStart)
		w.Digest(start)
		w.Line(wordLock)
		w.Str(lock)
		w.Line(wordMember)
		w.Str("/a")
		w.Digest(digest.Digest{7})
		w.Num(1)
		w.Seal(digest.BLAKE3)
		return []byte(edit(string(w.B)))
	}
	same := func(s string) string { return s }
	b := newBed(t)
	start := b.f.o.State.Start()
	for name, data := range map[string][]byte{
		"cut":                   lie(start, l.File, func(s string) string { return s[:len(s)-9] }),
		"another digest":        lie(start, l.File, func(s string) string { return strings.Replace(s, " 07", " 08", 1) }),
		"more behind":           lie(start, l.File, func(s string) string { return s + s }),
		"another lock file":     lie(start, "/yarn.lock", same),
		"another start":         lie(digest.Digest{1}, l.File, same),
		"another revision":      lie(start, l.File, func(s string) string { return strings.Replace(s, "packages 1", "packages 9", 1) }),
		"nothing":               nil,
		"no text":               bytes.Repeat([]byte{0}, 100),
		"a line feed and a NUL": []byte("\n\x00\n"),
	} {
		b := newBed(t)
		b.write(l.File, pnpm("1.0.0", "1.0.0", "1.0.0"))
		want := b.find(l, "/a")
		entries, err := b.disk.List("/.haz/state")
		b.must(err)
		for _, e := range entries {
			if strings.HasPrefix(e.Name, "packages-") {
				b.write("/.haz/state/"+e.Name, string(data))
			}
		}
		b.open()
		if got := b.find(l, "/a"); !got.Same(&want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if _, ok := b.f.List(l, "/a", digest.Digest{7}); ok {
			t.Errorf("%s: a list that has another digest", name)
		}
	}
}

// The second look (S-23): what counts moved, was written anew, or nothing was done.
func TestAgain(t *testing.T) {
	b, l := newBed(t), lockOf("/pnpm-lock.yaml", "/a", "/b")
	again := func(was Found, want Fate) {
		t.Helper()
		if _, fate, err := b.f.Again(context.Background(), &was, "/b"); err != nil || fate != want {
			t.Errorf("%v, want %v (%v)", fate, want, err)
		}
	}
	none := b.find(l, "/b")
	again(none, Untouched)
	b.write(l.File, pnpm("1.0.0", "1.0.0", "1.0.0"))
	again(none, Moved)
	was := b.find(l, "/b")
	again(was, Untouched)
	b.write(l.File, pnpm("2.0.0", "1.0.0", "1.0.0"))
	again(was, Rewritten)
	b.write(l.File, pnpm("2.0.0", "1.0.0", "1.0.1"))
	again(was, Moved)
	b.must(b.disk.Remove(l.File))
	again(was, Moved)
}

// What was reached is known as long as it was reached a few lock files ago, and what is told is what has that digest.
func TestList(t *testing.T) {
	b, l := newBed(t), lockOf("/pnpm-lock.yaml", "/a", "/b")
	show := func(sum digest.Digest, dir string) string {
		list, ok := b.f.List(l, dir, sum)
		return fmt.Sprint(list, ok)
	}
	var sums []digest.Digest
	for i := range 30 {
		b.open()
		b.write(l.File, pnpm(fmt.Sprintf("1.0.%d", i), "1.0.0", "1.0.0"))
		sums = append(sums, b.find(l, "/a").Digest)
	}
	b.open()
	if got := show(sums[29], "/a"); got != "[{left 1.0.29 l} {under 1.0.0 u}] true" {
		t.Error(got)
	}
	if got := show(sums[20], "/a"); got != "[{left 1.0.20 l} {under 1.0.0 u}] true" {
		t.Error(got)
	}
	if got := show(b.find(l, "/b").Digest, "/b"); got != `[{right 1.0.0 r \n}] true` {
		t.Error(got)
	}
	for _, bad := range []digest.Digest{sums[0], {1}} {
		if got := show(bad, "/a"); got != "[] false" {
			t.Error(got)
		}
	}
	entries, err := b.disk.List("/.haz/state")
	b.must(err)
	kept := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name, "packages-") {
			kept++
		}
	}
	if kept != 16 {
		t.Errorf("%d texts are kept", kept)
	}
}

// Packages that are there twice, or with bytes that show badly, are told apart in what is kept as well.
func FuzzTable(f *testing.F) {
	f.Add("left", "1.0.0", "sha512-l", "left", "1.0.1", "")
	f.Add("", "", "", "", "", "")
	f.Add("a b", "\x00", "\xff", "a", "b \n", "\"")
	f.Fuzz(func(t *testing.T, name, version, pin, name2, version2, pin2 string) {
		packages := []lockfile.Package{{Name: name, Version: version, Pin: pin}, {Name: name2, Version: version2, Pin: pin2}, {Name: name, Version: version, Pin: pin}}
		list, rank := ranked(packages)
		for i, p := range packages {
			if list[rank[i]] != p {
				t.Fatalf("%v is not %v", list[rank[i]], p)
			}
		}
		if a, b := sumOf(digest.BLAKE3, packages[0]), sumOf(digest.BLAKE3, packages[1]); (a == b) != (packages[0] == packages[1]) {
			t.Fatal(packages)
		}
	})
}

// Nothing that lies in the state makes a panic, or is believed in vain.
func FuzzKept(f *testing.F) {
	b, l := newBed(f), lockOf("/pnpm-lock.yaml", "/a", "/b")
	b.write(l.File, pnpm("1.0.0", "1.0.0", "1.0.0"))
	sum := b.find(l, "/a").Digest
	var kept []byte
	b.f.o.State.EachPackages(func(data []byte) bool { kept = data; return true })
	if len(kept) == 0 {
		f.Fatal(fs.ErrNotExist)
	}
	f.Add(kept[:bytes.LastIndexByte(kept[:len(kept)-1], '\n')])
	f.Fuzz(func(t *testing.T, body []byte) {
		w := text.Writer{B: bytes.Clone(body)}
		w.Seal(digest.BLAKE3)
		readRows(w.B, l.File)
		if list, ok := b.f.listIn(w.B, l.File, "/a", sum); ok && fmt.Sprint(list) != "[{left 1.0.0 l} {under 1.0.0 u}]" {
			t.Fatal(list)
		}
	})
}
