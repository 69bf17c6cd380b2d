package cache_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
)

// sentinel is a workspace on the real disk, inside a directory that is watched as a whole: whatever an entry says, nothing
// but the declared outputs may ever change in it.
type sentinel struct {
	*rig
	outer  fsys.FS // the directory around the workspace
	before cachetest.Tree
	task   *cachetest.Task
	key    entry.Key
	entry  string
	files  map[string][]byte // of the entry, intact
}

func newSentinel(t testing.TB, task *cachetest.Task) *sentinel {
	t.Helper()
	dir := t.TempDir()
	outer, err := fsys.Host(dir)
	must(t, err)
	t.Cleanup(func() { outer.Close() })
	must(t, cachetest.Tree{
		"/outside/secret": cachetest.File("secret", 0o600), "/outside/dir/x": cachetest.File("x", 0o644),
		"/ws/keep/file": cachetest.File("keep", 0o644), "/ws/keep/link": cachetest.Link("file"), "/ws/haz.yml": cachetest.File("tasks:", 0o644),
	}.Write(outer))
	ws, err := fsys.Host(filepath.Join(dir, "ws"))
	must(t, err)
	t.Cleanup(func() { ws.Close() })
	s := &sentinel{rig: newRig(t, ws, cache.Options{}), outer: outer, task: task, key: task.Key(), entry: entryDir(task.Key()), files: map[string][]byte{}}
	s.put(task, s.key)
	must(t, ws.RemoveAll("/p"))
	all, err := cachetest.Look(ws)
	must(t, err)
	for path, item := range all {
		if strings.HasPrefix(path, s.entry+"/") && item.Kind == fsys.File {
			s.files[strings.TrimPrefix(path, s.entry)] = []byte(item.Text)
		}
	}
	s.before, err = cachetest.Look(outer, "/ws/.haz")
	must(t, err)
	return s
}

// intact puts the entry back as it was.
func (s *sentinel) intact() {
	s.t.Helper()
	must(s.t, s.ws.RemoveAll(s.entry))
	must(s.t, s.ws.RemoveAll("/.haz/cache/.damaged"))
	must(s.t, s.ws.RemoveAll("/p"))
	must(s.t, s.ws.MkdirAll(s.entry+"/outputs", 0o700))
	for name, b := range s.files {
		must(s.t, cachetest.WriteFile(s.ws, s.entry+name, string(b), 0o600))
	}
}

// use hits, as a run would, and demands: right outputs, or a miss that has set the entry aside and left nothing; and a
// world around that is as before. It reports whether it hit.
func (s *sentinel) use(what string) (hit bool) {
	s.t.Helper()
	o := s.hit(s.task, s.key)
	after, err := cachetest.Look(s.outer, "/ws/.haz")
	must(s.t, err)
	switch {
	case o.Miss == nil && o.Err == nil:
		hit = true
		s.same(s.task.Outputs)
		for _, r := range []struct {
			got  cache.Stream
			want string
		}{{o.Restored.Stdout, s.task.Stdout}, {o.Restored.Stderr, s.task.Stderr}} {
			if text, err := cachetest.StreamText(s.ws, r.got); err != nil || text != r.want {
				s.t.Errorf("%s: a wrong stream was shown: %v", what, err)
			}
		}
	case o.Err != nil:
		var e *cache.RestoreError
		if !errors.As(o.Err, &e) {
			s.t.Errorf("%s: %v", what, o.Err)
		} else if e.Damaged {
			if _, err := s.ws.Lstat(s.entry); err == nil {
				s.t.Errorf("%s: damaged (%s), but not set aside", what, e.Reason)
			}
		}
	case o.Miss.Reason == entry.Damaged:
		if _, err := s.ws.Lstat(s.entry); err == nil {
			s.t.Errorf("%s: damaged (%s), but not set aside", what, o.Miss.Detail)
		}
	}
	for path, item := range after {
		was, there := s.before[path]
		declared := s.task.Outputs[strings.TrimPrefix(path, "/ws")]
		leads := item.Kind == fsys.Dir && strings.HasPrefix(path, "/ws/p")
		if there && item == was || hit && item == declared && item.Kind != fsys.Unknown || leads {
			continue
		}
		s.t.Errorf("%s: %s is %v now", what, path, item)
	}
	for path := range s.before {
		if _, there := after[path]; !there {
			s.t.Errorf("%s: %s is gone", what, path)
		}
	}
	return hit
}

func damageTasks() []*cachetest.Task {
	return []*cachetest.Task{
		{Name: "p:one", Patterns: []string{"/p/out/a"}, Outputs: cachetest.Tree{"/p/out/a": cachetest.File("content of a\n", 0o644)}},
		{Name: "p:none", Patterns: []string{"/p/out/*"}, Stdout: "hello\n"},
		{Name: "p:all", Patterns: []string{"/p/**"}, Stdout: "out\n", Stderr: "err\n", Outputs: cachetest.Tree{
			"/p/a": cachetest.File("a", 0o755), "/p/l": cachetest.Link("../keep/file"), "/p/d": cachetest.Dir(0o700),
			"/p/é": cachetest.File("", 0o444)}},
	}
}

// S-31, 14.4: every bit of three manifests is flipped. Each flip is a miss, and what is there after it is as before.
func TestDamageEveryManifestBit(t *testing.T) {
	flips := 0
	for _, task := range damageTasks() {
		s := newSentinel(t, task)
		good := s.files["/manifest.json"]
		step := pick(67, 1) // an odd step meets every bit position
		for i := 0; i < 8*len(good) && !t.Failed(); i += step {
			s.intact()
			bad := bytes.Clone(good)
			bad[i/8] ^= 1 << (i % 8)
			must(t, cachetest.WriteFile(s.ws, s.entry+"/manifest.json", string(bad), 0o600))
			if s.use(fmt.Sprintf("%s: bit %d", task.Name, i)) {
				t.Errorf("%s: bit %d of the manifest was not missed", task.Name, i)
			}
			flips++
		}
		for n := 0; n < len(good) && !t.Failed(); n += pick(23, 1) { // CACHE-037: all of these are packed, so that this is their only file
			s.intact()
			must(t, cachetest.WriteFile(s.ws, s.entry+"/manifest.json", string(good[:n]), 0o600))
			if s.use(fmt.Sprintf("%s: cut off at %d", task.Name, n)) {
				t.Errorf("%s: cut off at %d was not missed", task.Name, n)
			}
		}
		s.intact()
		if !s.use("intact") {
			t.Error("no hit when intact")
		}
	}
	t.Logf("%d bits flipped", flips)
}

// S-31, 14.4: sampled bit flips, truncations, growth, swaps and deletions of blobs and streams.
func TestDamageContents(t *testing.T) {
	task := sample()
	task.Name = "p:gen"
	s := newSentinel(t, task)
	var names []string
	for name := range s.files {
		if name != "/manifest.json" {
			names = append(names, name)
		}
	}
	write := func(name string, b []byte) { must(t, cachetest.WriteFile(s.ws, s.entry+name, string(b), 0o600)) }
	rng := rand.New(rand.NewPCG(1, 2))
	damages := []struct {
		what string
		do   func(name string, good []byte) bool // false: no damage
	}{
		{"bit flip", func(name string, good []byte) bool {
			if len(good) == 0 {
				return false
			}
			b := bytes.Clone(good)
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			write(name, b)
			return true
		}},
		{"truncation", func(name string, good []byte) bool {
			if len(good) == 0 {
				return false
			}
			write(name, good[:rng.IntN(len(good))])
			return true
		}},
		{"growth", func(name string, good []byte) bool { write(name, append(bytes.Clone(good), 0)); return true }},
		{"deletion", func(name string, _ []byte) bool { must(t, s.ws.Remove(s.entry+name)); return true }},
		{"swap", func(name string, good []byte) bool {
			other := names[rng.IntN(len(names))]
			write(name, s.files[other])
			write(other, good)
			return !bytes.Equal(good, s.files[other])
		}},
		{"directory", func(name string, _ []byte) bool {
			must(t, s.ws.Remove(s.entry+name))
			must(t, s.ws.Mkdir(s.entry+name, 0o700))
			return true
		}},
		{"link to another file with the right bytes", func(name string, good []byte) bool {
			must(t, s.ws.Remove(s.entry+name))
			must(t, cachetest.WriteFile(s.ws, s.entry+"/copy", string(good), 0o600))
			must(t, s.ws.Symlink(s.ws.HostPath(s.entry+"/copy"), s.entry+name))
			return true
		}},
		{"zeros", func(name string, good []byte) bool { write(name, make([]byte, len(good))); return len(good) > 0 }},
	}
	n := 0
	for i := 0; n < pick(150, 5000) && !t.Failed(); i++ {
		d := damages[0]
		if i%2 == 1 {
			d = damages[rng.IntN(len(damages))]
		}
		name := names[rng.IntN(len(names))]
		s.intact()
		if !d.do(name, s.files[name]) {
			continue
		}
		if n++; s.use(d.what + " of " + name) {
			t.Errorf("%s of %s was not missed", d.what, name)
		}
	}
	t.Logf("%d damages", n)
}

// S-31: hand-made entries of a stranger, whose manifests carry the right digest of themselves. Nothing is written outside
// of the declared outputs, and nothing crashes.
func TestDamageHostileEntries(t *testing.T) {
	base := damageTasks()[0]
	digits := hasher.Sum(fn, []byte("content of a\n")).Hex()
	path := func(now string) func(string) string { return replace(" /p/out/a\n", " "+now+"\n") }
	for name, change := range map[string]func(text string) string{
		"parent segments": path("/p/out/../../outside/secret"),
		"many parents":    path("/../../../../../../tmp/haz-hostile"),
		"host path":       path("/etc/passwd"),
		"relative":        path("p/out/a"),
		"undeclared":      path("/keep/file"),
		"configuration":   path("/haz.yml"),
		"cache":           path("/.haz/cache/x"),
		"workspace file":  path("/.haz/workspace.yml"),
		"reserved":        path("/.haz-restore-0000000000000000/a"),
		"set-uid":         replace("file 644", "file 4755"),
		"2^63":            replace("file 644 13", "file 644 9223372036854775808"),
		"2^63-1":          replace("file 644 13", "file 644 9223372036854775807"),
		"other size":      replace("file 644 13", "file 644 12"),
		"other blob":      replace(digits, hasher.Sum(fn, []byte("else")).Hex()),
		"zero blob":       replace(digits, strings.Repeat("0", 64)),
		"path in digest":  replace(digits, "../../../../../../outside/secret"+strings.Repeat("0", 32)),
		"other key":       replace(base.Key().Hex(), base.Key("other").Hex()),
		"huge stream":     replace("stdout 0", "stdout 9223372036854775807"),
		"failure":         replace("exit 0", "exit 7"),
		"duplicate path": func(text string) string {
			a, b := outputsOf(text)
			return text[:b] + text[a:]
		},
		"a link where a parent is needed": replace("file 644", "link /p/out ../../outside\nfile 644"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSentinel(t, damageTasks()[0])
			text := change(string(s.files["/manifest.json"]))
			if text == string(s.files["/manifest.json"]) {
				t.Fatal("nothing was changed")
			}
			must(t, cachetest.WriteFile(s.ws, s.entry+"/manifest.json", sealed(text), 0o600))
			if s.use(name) {
				t.Error("hit")
			}
		})
	}
}

func replace(old, new string) func(string) string {
	return func(text string) string { return strings.Replace(text, old, new, 1) }
}

// sealed gives a text the digest that belongs to it.
func sealed(s string) string {
	w := text.Writer{B: []byte(s[:strings.LastIndex(s, "\ndigest ")])}
	w.Seal(digest.BLAKE3)
	return string(w.B)
}

// outputsOf is where the outputs stand in a manifest.
func outputsOf(text string) (from, to int) {
	return strings.Index(text, "\nfile ") + 1, strings.Index(text, "\nstdout ") + 1
}

// A valid entry that installs links first and writes below them later would have to name a path below a link, which no
// manifest may. Links that lie there already are refused too (TestLinksOnTheWay); here one is planted by an entry of an
// earlier key of the same task.
func TestDamagePlantedLink(t *testing.T) {
	s := newSentinel(t, &cachetest.Task{Name: "p:t", Patterns: []string{"/p/**"}, Outputs: cachetest.Tree{"/p/out": cachetest.Link("../../outside")}})
	if !s.use("the link itself") {
		t.Fatal("links are outputs")
	}
	below := &cachetest.Task{Name: "q:t", Patterns: []string{"/p/**"}, Outputs: cachetest.Tree{"/p/out/secret": cachetest.File("stolen", 0o644)}}
	other := newSentinel(t, below)
	for name, b := range other.files {
		must(t, cachetest.Tree{entryDir(below.Key()) + name: cachetest.File(string(b), 0o600)}.Write(s.ws))
	}
	o := s.hit(below, below.Key())
	var e *cache.RestoreError
	if !errors.As(o.Err, &e) || e.Path != "/p/out" {
		t.Errorf("outcome %+v, %v", o, o.Err)
	}
	if b, _, err := s.outer.ReadFile("/outside/secret", 0); err != nil || string(b) != "secret" {
		t.Errorf("outside: %q, %v", b, err)
	}
}

// Bounded memory: manifests that are endless, or of a million outputs, cost what was read and no more than the limit.
func TestDamageHugeManifests(t *testing.T) {
	s := newSentinel(t, damageTasks()[0])
	text := string(s.files["/manifest.json"])
	a, b := outputsOf(text)
	item := text[a:b]
	write := func(fill func(f *os.File)) {
		s.intact()
		f, err := os.Create(s.ws.HostPath(s.entry + "/manifest.json"))
		must(t, err)
		fill(f)
		must(t, f.Close())
	}
	for name, fill := range map[string]func(f *os.File){
		"sparse 400 GiB": func(f *os.File) { must(t, f.Truncate(400<<30)) },
		"sparse 500 MiB": func(f *os.File) { must(t, f.Truncate(500<<20)) },
		"valid head, then nothing": func(f *os.File) {
			f.WriteString(text[:a])
			must(t, f.Truncate(500<<20))
		},
		"out of order, many": func(f *os.File) {
			f.WriteString(text[:a])
			for range 20_000 {
				io.WriteString(f, item)
			}
		},
	} {
		write(fill)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		if s.use(name) {
			t.Errorf("%s: hit", name)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
	if !long() {
		return
	}
	write(func(f *os.File) {
		var all strings.Builder
		all.WriteString(text[:a])
		for i := range 1_000_001 {
			all.WriteString(strings.Replace(item, "/p/out/a", fmt.Sprintf("/p/out/a%07d", i), 1))
		}
		all.WriteString(text[b:])
		f.WriteString(sealed(all.String()))
	})
	if s.use("a million and one outputs") {
		t.Error("hit")
	}
}

// S-31: an entry that was found damaged is replaced by the next store, and .damaged keeps the newest sixteen.
func TestDamagedIsReplacedAndKept(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		k := task.Key()
		var blob string
		for i := range 20 {
			r.now = cachetest.Epoch.Add(time.Duration(i) * time.Second)
			must(t, task.Outputs.Write(ws))
			if already, err := cachetest.Store(bg, r.store, task.Request(fn, k)); already || err != nil {
				t.Fatal(already, err)
			}
			must(t, task.Outputs.Remove(ws))
			blob = entryDir(k) + "/outputs/" + hasher.Sum(fn, []byte("hello\n")).Hex()
			must(t, cachetest.WriteFile(ws, blob, "hellO\n", 0o400))
			o := r.hit(task, k)
			var e *cache.RestoreError
			if !errors.As(o.Err, &e) || !e.Damaged || e.Reason != "blob 1 of 5 is not what was recorded" {
				t.Fatalf("outcome %+v, %v", o, o.Err)
			}
			r.noLeftovers()
		}
		list, err := ws.List("/.haz/cache/.damaged")
		must(t, err)
		if len(list) != 16 {
			t.Errorf("%d are kept", len(list))
		}
		oldest := fmt.Sprintf("%s-%016x", k.Hex(), cachetest.Epoch.Add(4*time.Second).UnixNano())
		found := false
		for _, e := range list {
			found = found || e.Name == oldest
			if e.Name < oldest {
				t.Errorf("%s is kept", e.Name)
			}
		}
		if !found {
			t.Errorf("%s is not kept", oldest)
		}
		reason, _, err := ws.ReadFile("/.haz/cache/.damaged/"+oldest+"/reason", 0)
		if err != nil || string(reason) != "blob 1 of 5 is not what was recorded\n" {
			t.Errorf("reason %q, %v", reason, err)
		}
	})
}

// Damage that a lookup sees: the reason says what, and Explain leaves the entry where it is.
func TestLookupReasons(t *testing.T) {
	blob := "/outputs/" + hasher.Sum(fn, []byte(big)).Hex()
	tests := []struct {
		name   string
		do     func(ws fsys.FS, entry string) error
		reason entry.MissReason
		detail string
	}{
		{"no manifest", func(ws fsys.FS, e string) error { return ws.Remove(e + "/manifest.json") }, entry.NoEntry, ""},
		{"no blob", func(ws fsys.FS, e string) error { return ws.Remove(e + blob) }, entry.Damaged, "blob 2 of 5 missing"},
		{"short blob", func(ws fsys.FS, e string) error { return cachetest.WriteFile(ws, e+blob, "x", 0o400) }, entry.Damaged, "blob 2 of 5 has 1 bytes, the manifest says 80000"},
		{"no blobs", func(ws fsys.FS, e string) error { return ws.RemoveAll(e + "/outputs") }, entry.Damaged, "blob 1 of 5 missing"},
		{"no stdout", func(ws fsys.FS, e string) error { return ws.Remove(e + "/stdout") }, entry.Damaged, "stdout missing"},
		{"long stderr", func(ws fsys.FS, e string) error { return cachetest.WriteFile(ws, e+"/stderr", big+big+"x", 0o600) }, entry.Damaged, "stderr has 160001 bytes, the manifest says 160000"},
		{"stdout a link", func(ws fsys.FS, e string) error {
			return cachetest.Tree{e + "/stdout": cachetest.Link("stderr")}.Write(ws)
		}, entry.Damaged, "stdout is no regular file"},
		{"manifest a directory", func(ws fsys.FS, e string) error {
			return cachetest.Tree{e + "/manifest.json": cachetest.Dir(0o700)}.Write(ws)
		}, entry.Damaged, "manifest is no regular file"},
		{"empty manifest", func(ws fsys.FS, e string) error { return cachetest.WriteFile(ws, e+"/manifest.json", "", 0o600) }, entry.Damaged, "manifest: not spelled as haz does"},
		{"a loop for blobs", func(ws fsys.FS, e string) error {
			return errors.Join(ws.RemoveAll(e+"/outputs"), ws.Symlink("outputs", e+"/outputs"))
		}, entry.Damaged, "blob 1 of 5 lies behind a loop of links"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, ws, cache.Options{})
				task := sample()
				r.put(task, task.Key())
				must(t, tt.do(ws, entryDir(task.Key())))
				for range 2 {
					if _, miss := r.store.Explain(task.Key()); miss == nil || miss.Reason != tt.reason || miss.Detail != tt.detail {
						t.Errorf("explained as %v", miss)
					}
				}
				if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != tt.reason || miss.Detail != tt.detail {
					t.Errorf("%v", miss)
				}
				if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.NoEntry {
					t.Errorf("then %v", miss)
				}
				// In any case the next store is a hit again.
				r.put(task, task.Key())
				r.mustHit(task, task.Key())
			})
		})
	}
}

// EACCES is no damage: the entry stays, and becomes a hit when it can be read again (7.4).
func TestLookupUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything; TestFaults injects EACCES")
	}
	r := newRig(t, disk(t), cache.Options{})
	task := sample()
	r.put(task, task.Key())
	must(t, r.ws.Chmod(entryDir(task.Key()), 0))
	if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.Unreadable {
		t.Error(miss)
	}
	must(t, r.ws.Chmod(entryDir(task.Key()), 0o700))
	r.mustHit(task, task.Key())
}
