package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"pgregory.net/rapid"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

func someProducts(task string, n int) Products {
	l := Products{Task: task, Key: digest.Digest{7}, At: 1_700_000_000}
	for i := range n {
		l.Files = append(l.Files, Produced{Path: fmt.Sprintf("/p/out/%04d", i), Digest: digest.Digest{1, byte(i)}, HasDigest: true,
			Info: fsys.Info{Kind: fsys.File, Perm: 0o644, Size: int64(i), MTime: -5, CTime: 1 << 60, Inode: 1 << 63, Dev: 9}})
	}
	return l
}

// 8.2: what is written is read, whatever it is; paths are bytes.
func TestProductsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := memfs.New()
		s := Open(mem, digest.BLAKE3)
		text := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")) })
		l := Products{Task: text.Draw(t, "task"), At: rapid.Int64().Draw(t, "at")}
		copy(l.Key[:], text.Draw(t, "key"))
		paths := map[string]bool{}
		for range rapid.IntRange(0, 5).Draw(t, "files") {
			p := Produced{Path: text.Draw(t, "path"), LinkText: text.Draw(t, "link"), HasDigest: rapid.Bool().Draw(t, "known")}
			if paths[p.Path] {
				continue
			}
			paths[p.Path] = true
			if p.HasDigest {
				copy(p.Digest[:], text.Draw(t, "digest"))
			}
			p.Info = fsys.Info{Kind: fsys.Kind(rapid.IntRange(0, 4).Draw(t, "kind")), Perm: rapid.Uint32().Draw(t, "perm"),
				Size: rapid.Int64().Draw(t, "size"), MTime: rapid.Int64().Draw(t, "mtime"), CTime: rapid.Int64().Draw(t, "ctime"),
				Inode: rapid.Uint64().Draw(t, "inode"), Dev: rapid.Uint64().Draw(t, "dev")}
			l.Files = append(l.Files, p)
		}
		s.WriteProducts(l)
		got := Open(mem, digest.BLAKE3).Products(l.Task)
		want := l
		want.Files = MergeProduced(nil, got.Files) // in order
		if len(got.Files) != len(l.Files) || got.Key != l.Key || got.At != l.At || got.Task != l.Task {
			t.Fatalf("got %+v, want %+v", got, l)
		}
		for _, f := range l.Files {
			if p, ok := got.Find(f.Path); !ok || !reflect.DeepEqual(*p, f) {
				t.Fatalf("got %+v, want %+v", p, f)
			}
		}
	})
}

func TestProductsOfAnotherHashFunctionHasNoDigests(t *testing.T) {
	mem := memfs.New()
	Open(mem, digest.BLAKE3).WriteProducts(someProducts("p:t", 3))
	l := Open(mem, digest.SHA256).Products("p:t")
	if len(l.Files) != 3 {
		t.Fatalf("%d files, want 3", len(l.Files))
	}
	for _, f := range l.Files {
		if f.HasDigest || !f.Digest.IsZero() {
			t.Errorf("%s has a digest that this hash function did not make", f.Path)
		}
	}
}

func TestProductsIsNotRewrittenWhenOnlyTheTimeDiffers(t *testing.T) {
	mem := memfs.New()
	s := Open(mem, digest.BLAKE3)
	l := someProducts("p:t", 3)
	s.WriteProducts(l)
	name := layout.StateDir + "/" + producedName
	first, err := mem.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	l.At++
	s.WriteProducts(l)
	if again, _ := mem.Lstat(name); !again.Same(first) {
		t.Error("rewritten")
	}
	l.Key[3]++
	s.WriteProducts(l)
	if again, _ := mem.Lstat(name); again.Same(first) {
		t.Error("another key was not written")
	}
}

// Whatever happens to a file here, it is read as it was written, or as none (8.1); and the next write heals it.
func TestDamagedRecordsAreAsNone(t *testing.T) {
	l := someProducts("p:t", 2)
	record := lastKey("p:t", "k", "and more")
	secret := []byte(nil)
	mem := memfs.New()
	write(t, mem, "/a", "a")
	mem.Advance(time.Hour)
	s := Open(mem, digest.BLAKE3)
	s.WriteProducts(l)
	s.WriteLastKey("p:t", record)
	secret, _ = s.Secret(true)
	digestOf(t, s, "/a")
	s.Flush()

	files := map[string]func(s *State) (none bool, err error){
		producedName: func(s *State) (bool, error) {
			switch got := s.Products("p:t"); {
			case reflect.DeepEqual(got, l):
				return false, nil
			case reflect.DeepEqual(got, Products{}):
				return true, nil
			default:
				return false, fmt.Errorf("product list %+v", got)
			}
		},
		keysName: func(s *State) (bool, error) {
			got, ok := s.LastKey("p:t")
			if ok && !bytes.Equal(got, record) {
				return false, fmt.Errorf("record %q", got)
			}
			return !ok, nil
		},
		secretName: func(s *State) (bool, error) {
			got, ok := s.Secret(false)
			if ok && !bytes.Equal(got, secret) {
				return false, errors.New("another secret")
			}
			return !ok, nil
		},
		"index": func(s *State) (bool, error) {
			if got := digestOf(t, s, "/a"); got != hasher.Sum(digest.BLAKE3, []byte("a")) {
				return false, errors.New("wrong digest")
			}
			return s.table().len() == 0, nil
		},
	}
	for name, look := range files {
		whole, _, err := mem.ReadFile(layout.StateDir+"/"+name, 0)
		if err != nil {
			t.Fatal(err)
		}
		if none, err := look(Open(mem, digest.BLAKE3)); none || err != nil {
			t.Fatalf("%s: as written: none %v, %v", name, none, err)
		}
		try := func(what string, data []byte) {
			write(t, mem, layout.StateDir+"/"+name, string(data))
			s := Open(mem, digest.BLAKE3)
			none, err := look(s)
			if err != nil || !none {
				t.Errorf("%s: %s: none %v, %v", name, what, none, err)
			}
			if len(s.Trouble()) > 0 {
				t.Errorf("%s: %s: %q, want silence", name, what, s.Trouble())
			}
		}
		for n := range whole {
			try(fmt.Sprintf("%d bytes of %d", n, len(whole)), whole[:n])
		}
		more := append(bytes.Clone(whole), 0)
		if strings.HasSuffix(name, ".log") { // a record that is being written
			write(t, mem, layout.StateDir+"/"+name, string(more))
			if none, err := look(Open(mem, digest.BLAKE3)); none || err != nil {
				t.Errorf("%s: a byte more: none %v, %v", name, none, err)
			}
		} else {
			try("a byte more", more)
		}
		try("zeros", make([]byte, len(whole)))
		for bit := range 8 * len(whole) {
			bad := bytes.Clone(whole)
			bad[bit/8] ^= 1 << (bit % 8)
			try(fmt.Sprintf("bit %d", bit), bad)
		}
		write(t, mem, layout.StateDir+"/"+name, "bad")
		s := Open(mem, digest.BLAKE3)
		s.WriteProducts(l)
		s.WriteLastKey("p:t", record)
		s.Secret(true)
		digestOf(t, s, "/a")
		s.Flush()
		if name == secretName {
			secret, _ = s.Secret(false)
		}
		if none, err := look(Open(mem, digest.BLAKE3)); none || err != nil {
			t.Errorf("%s was not made again: none %v, %v", name, none, err)
		}
	}
}

// A file with a right sum but wrong content (another version, another task's) is none too, and nothing panics; a product list that is read is
// spelled as haz does.
func FuzzSealedPayloads(f *testing.F) {
	state := Open(memfs.New(), digest.BLAKE3)
	l := someProducts("p:t", 2)
	whole, _ := state.productsText(&l)
	f.Add(string(whole[:len(whole)-text.SealSize]))
	f.Add("haz produced 1 blake3\ntask p:t\nkey " + strings.Repeat("0", 64) + "\nrunning\nspan 1 2\nlink 777 -0 /a unknown found 0 0 0 0 \"\"\nmade 0\n")
	f.Add(string(appendTable(nil, digest.BLAKE3, 0, &table{}, nil, []string{"/a"}, map[string]row{"/a": {recorded: 9}})))
	f.Fuzz(func(t *testing.T, payload string) {
		w := text.Writer{B: []byte(strings.TrimSuffix(payload, "\n"))}
		w.Seal(digest.BLAKE3)
		mem := memfs.New()
		s := Open(mem, digest.BLAKE3)
		s.WriteProducts(Products{Task: "p:u"}) // makes the folder
		s.Flush()
		appendTo(t, mem, logName(producedName), string(w.B))
		if l := Open(mem, digest.BLAKE3).Products("p:t"); l.Task != "" {
			if again, _ := s.productsText(&l); !bytes.Contains(w.B, again) {
				t.Errorf("%s\nis read as\n%s", w.B, again)
			}
		}
		if tab, ok := parseTable([]byte(payload), digest.BLAKE3); ok {
			for i := range tab.len() {
				if at := tab.find(tab.name(i)); at < 0 || tab.name(at) != tab.name(i) {
					t.Errorf("row %d is not found", i)
				}
				tab.row(i)
			}
		}
	})
}

func TestListedBy(t *testing.T) {
	mem := memfs.New()
	s := Open(mem, digest.BLAKE3)
	s.WriteProducts(Products{Task: "p:a", Files: []Produced{{Path: "/x"}, {Path: "/y"}}})
	s.WriteProducts(Products{Task: "p:b", Files: []Produced{{Path: "/y"}}})
	all := []string{"p:a", "p:b", "p:none"}
	for _, c := range []struct {
		path string
		want []string
	}{{"/x", []string{"p:a"}}, {"/y", []string{"p:a", "p:b"}}, {"/z", nil}} {
		if got := s.ListedBy(c.path, all); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
	// Another haz replaces a product list; so do we.
	Open(mem, digest.BLAKE3).WriteProducts(Products{Task: "p:a", Files: []Produced{{Path: "/z"}}})
	s.WriteProducts(Products{Task: "p:b"})
	if got := s.ListedBy("/z", all); !reflect.DeepEqual(got, []string{"p:a"}) {
		t.Errorf("/z after a change: %q", got)
	}
	if got := s.ListedBy("/y", all); got != nil {
		t.Errorf("/y after a change: %q", got)
	}
}

// 8.3: written when the key, or the secret, differs from the recorded one.
func TestLastKeyIsWrittenWhenItsHeadDiffers(t *testing.T) {
	s := Open(memfs.New(), digest.BLAKE3)
	if _, ok := s.LastKey("p:t"); ok {
		t.Fatal("a record out of nothing")
	}
	for _, c := range []struct{ key, run, want string }{{"one", "run 1", "run 1"}, {"one", "run 2", "run 1"}, {"two", "run 3", "run 3"}, {"one", "run 4", "run 4"}} {
		s.WriteLastKey("p:t", lastKey("p:t", c.key, c.run))
		if got, _ := s.LastKey("p:t"); !bytes.Equal(got, lastKey("p:t", c.key, c.want)) {
			t.Errorf("got %q", got)
		}
	}
}

// The sweep takes what belongs to no task any more, once it is 30 days old, and what a dead haz left half-written.
func TestSweepTasks(t *testing.T) {
	mem := memfs.New()
	s := Open(mem, digest.BLAKE3)
	for _, task := range []string{"p:known", "p:gone"} {
		s.WriteProducts(Products{Task: task, At: mem.Now().Unix(), Files: []Produced{{Path: "/x"}}})
		s.WriteLastKey(task, lastKeyOf(task, "k", mem.Now().Unix()))
	}
	s.Flush()
	half := layout.StateDir + "/.index.haz-tmp1"
	write(t, mem, half, "half")
	for _, c := range []struct {
		age        time.Duration
		half, gone bool
	}{{23 * time.Hour, false, false}, {2 * time.Hour, true, false}, {28 * 24 * time.Hour, true, false}, {2 * 24 * time.Hour, true, true}} {
		mem.Advance(c.age)
		s := Open(mem, digest.BLAKE3)
		s.SweepTasks(map[string]bool{"p:known": true, "p:gone": false})
		s.Flush()
		if _, err := mem.Lstat(half); (err != nil) != c.half {
			t.Errorf("after %v more: temporary file: %v", c.age, err)
		}
		s = Open(mem, digest.BLAKE3)
		for _, task := range []string{"p:known", "p:gone"} {
			_, key := s.LastKey(task)
			gone := task == "p:gone" && c.gone
			if key == gone || (len(s.Products(task).Files) == 0) != gone {
				t.Errorf("after %v more: %s: key %v, product list %+v", c.age, task, key, s.Products(task))
			}
		}
		s.Flush()
	}
	for _, name := range []string{producedName, keysName} { // really gone
		if data, _, err := mem.ReadFile(layout.StateDir+"/"+name, 0); err != nil || bytes.Contains(data, []byte("p:gone")) {
			t.Errorf("%s: %v, %q", name, err, data)
		}
	}
}

// .haz/state may be deleted at any time, also during a run (8.1).
func TestStateDirectoryMayVanish(t *testing.T) {
	for _, f := range bothDisks(t) {
		s := Open(f, digest.BLAKE3)
		for range 3 {
			s.WriteProducts(someProducts("p:t", 1))
			s.WriteLastKey("p:t", lastKey("p:t", "k"))
			if len(s.Products("p:t").Files) != 1 {
				t.Errorf("%s: the product list is not there", f.Name())
			}
			l, refused, _ := s.TryLockTask(LockRequest{Task: "p:t", Conflicts: []string{"p:u"}})
			if refused != nil {
				t.Errorf("%s: refused: %+v", f.Name(), refused)
			}
			if err := f.RemoveAll(layout.StateDir); err != nil {
				t.Fatal(err)
			}
			l.Unlock()
		}
		s.Flush()
		if len(s.Trouble()) > 0 {
			t.Errorf("%s: %q", f.Name(), s.Trouble())
		}
	}
}

// What is written must not leave the workspace by a link in the place of .haz/state.
func TestStateNeverLeavesTheWorkspace(t *testing.T) {
	disk := bothDisks(t)[1]
	outside := t.TempDir()
	if err := disk.Mkdir(layout.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := disk.Symlink(outside, layout.StateDir); err != nil {
		t.Fatal(err)
	}
	s := Open(disk, digest.BLAKE3)
	s.WriteProducts(someProducts("p:t", 1))
	s.Secret(true)
	s.Flush()
	if list, _ := os.ReadDir(outside); len(list) > 0 {
		t.Errorf("%v was written outside", list)
	}
	if len(s.Trouble()) == 0 {
		t.Error("nothing was said about it")
	}
}

func bothDisks(t *testing.T) []fsys.FS {
	t.Helper()
	return []fsys.FS{memfs.New(), hostDisk(t)}
}

func hostDisk(t testing.TB) fsys.FS {
	t.Helper()
	disk, err := fsys.Host(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	return disk
}

// full is a disk on which nothing can be made.
type full struct{ fsys.FS }

func (f full) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&os.O_CREATE != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOSPC}
	}
	return f.FS.OpenFile(name, flag, perm)
}

func (f full) Sub(dir string) (fsys.FS, error) {
	sub, err := f.FS.Sub(dir)
	return full{sub}, err
}

func (f full) OpenLocks(name string) (fsys.LockSet, error) {
	return nil, &fs.PathError{Op: "lock", Path: name, Err: fsys.ErrLockUnsupported}
}

// S-01: a failing disk fails nothing. It is said once, not once a task.
func TestFailingDiskIsOneNote(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "a")
	s := Open(full{mem}, digest.BLAKE3)
	for i := range 10 {
		task := fmt.Sprintf("p:%d", i)
		s.WriteProducts(someProducts(task, 1))
		s.WriteLastKey(task, lastKey(task, "k"))
		digestOf(t, s, "/a")
		l, refused, err := s.TryLockTask(LockRequest{Task: task})
		if l == nil || refused != nil || err != nil {
			t.Fatalf("lock: %v %v", refused, err)
		}
		l.SetProcess(5)
		l.Unlock()
	}
	if _, ok := s.Secret(true); ok {
		t.Error("a secret that is nowhere")
	}
	s.Flush()
	got := s.Trouble()
	if len(got) != 2 || !strings.HasPrefix(got[0], "could not write /.haz/state/") || !strings.HasSuffix(got[0], "no space left on device") ||
		!strings.HasSuffix(got[1], "the file system cannot lock") {
		t.Errorf("trouble: %q", got)
	}
}

func BenchmarkProducts(b *testing.B) {
	disk := hostDisk(b)
	s := Open(disk, digest.BLAKE3)
	for _, n := range []int{1, 1000} {
		l := someProducts("p:t", n)
		b.Run(fmt.Sprintf("op=read/files=%d", n), func(b *testing.B) {
			s.WriteProducts(l)
			b.ReportAllocs()
			for b.Loop() {
				s.Products("p:t")
			}
		})
		b.Run(fmt.Sprintf("op=write/files=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.Key[0]++
				s.WriteProducts(l)
			}
		})
	}
}

// A record replaces the one before, whether it is longer or shorter.
func TestRecordsReplaceEachOther(t *testing.T) {
	for _, disk := range bothDisks(t) {
		s := Open(disk, digest.BLAKE3)
		for _, n := range []int{1, 40, 3, 0, 200, 199} {
			want := Products{Task: "p:t", At: int64(n)}
			for i := range n {
				want.Files = append(want.Files, Produced{Path: fmt.Sprintf("/p/%03d", i)})
			}
			s.WriteProducts(want)
			key := lastKey("p:t", fmt.Sprint(n), strings.Repeat("x", n))
			s.WriteLastKey("p:t", key)
			fresh := Open(disk, digest.BLAKE3)
			if got := fresh.Products("p:t"); !reflect.DeepEqual(got, want) {
				t.Errorf("%d files: read %d", n, len(got.Files))
			}
			if got, ok := fresh.LastKey("p:t"); !ok || !bytes.Equal(got, key) {
				t.Errorf("a record of %d bytes: read %d", len(key), len(got))
			}
			if got := fresh.ListedBy("/p/000", []string{"p:t"}); (len(got) == 1) != (n > 0) {
				t.Errorf("%d files: listed by %q", n, got)
			}
		}
	}
}
