package cache_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// 7.5: nothing is written through a link that lies deeper than the fixed prefix of a pattern, nor through one that leaves
// the workspace or leads into /.haz. Links inside the fixed prefix that stay in the workspace are followed.
func TestLinksOnTheWay(t *testing.T) {
	tests := []struct {
		name    string
		pattern string
		link    string // path of the link
		text    string
		writes  string // where the output must lie in the end; "" when the restore must fail
	}{
		{"prefix, inside", "/p/out/*", "/p/out", "../real", "/real/a"},
		{"above the prefix, inside", "/p/out/*", "/p", "q", "/q/out/a"},
		{"literal, inside", "/p/out/a", "/p/out", "/real", "/real/a"},
		{"deeper", "/p/**", "/p/out", "../real", ""},
		{"deeper, with the right bytes behind it", "/p/**", "/p/out", "../right", ""},
		{"deeper, two patterns, the longer prefix counts", "/p/out/*", "/p/out", "../real", "/real/a"},
		{"out of the workspace", "/p/out/*", "/p/out", "../../outside", ""},
		{"out of the workspace, absolute", "/p/out/*", "/p/out", "/OUTSIDE", ""},
		{"into the cache", "/p/out/*", "/p/out", "../.haz/cache", ""},
		{"into .haz", "/p/out/*", "/p/out", "../.haz", ""},
		{"to nothing", "/p/out/*", "/p/out", "../nowhere", ""},
		{"a loop", "/p/out/*", "/p/out", "out", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			outside := filepath.Join(dir, "outside")
			for _, d := range []string{"ws", "outside/out"} {
				must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
			}
			must(t, os.WriteFile(filepath.Join(outside, "a"), []byte("keep"), 0o644))
			ws, err := fsys.Host(filepath.Join(dir, "ws"))
			must(t, err)
			defer ws.Close()
			r := newRig(t, ws, cache.Options{})
			patterns := []string{tt.pattern}
			if strings.Contains(tt.name, "two patterns") {
				patterns = []string{"/p/**", tt.pattern}
			}
			task := &cachetest.Task{Name: "p:t", Patterns: patterns, Outputs: cachetest.Tree{"/p/out/a": cachetest.File("new", 0o644)}}
			r.put(task, task.Key())
			must(t, ws.RemoveAll("/p"))
			text := tt.text
			if text == "/OUTSIDE" {
				text = outside
			} else if strings.HasPrefix(text, "/") {
				text = filepath.Join(dir, "ws", text)
			}
			must(t, cachetest.Tree{tt.link: cachetest.Link(text), "/real/keep": cachetest.File("k", 0o644), "/q/out/keep": cachetest.File("k", 0o644),
				"/right/a": cachetest.File("new", 0o644)}.Write(ws))
			before, err := cachetest.Look(ws)
			must(t, err)
			o := r.hit(task, task.Key())
			if b, err := os.ReadFile(filepath.Join(outside, "a")); err != nil || string(b) != "keep" {
				t.Errorf("outside: %q, %v", b, err)
			}
			if list, err := os.ReadDir(outside); err != nil || len(list) != 2 {
				t.Errorf("outside: %v, %v", list, err)
			}
			if info, err := ws.Lstat(tt.link); err != nil || info.Kind != fsys.Link {
				t.Errorf("the link was replaced: %+v, %v", info, err)
			}
			if tt.writes == "" {
				var e *cache.RestoreError
				if !errors.As(o.Err, &e) || e.Damaged || e.Path != tt.link {
					t.Errorf("error %+v", o.Err)
				}
				after, err := cachetest.Look(ws)
				must(t, err)
				for path := range after {
					if _, was := before[path]; !was && !strings.HasPrefix(path, layout.StateDir) {
						t.Errorf("new: %s", path)
					}
				}
				return
			}
			if o.Err != nil {
				t.Fatal(o.Err)
			}
			r.same(cachetest.Tree{tt.writes: cachetest.File("new", 0o644)})
			if again := r.hit(task, task.Key()); !again.Nothing {
				t.Errorf("not at rest: %+v", again)
			}
		})
	}
}

// A link at a target is replaced, never followed, also one that leads to a file with the right bytes.
func TestLinkAtTarget(t *testing.T) {
	ws := disk(t)
	r := newRig(t, ws, cache.Options{})
	task := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/*"}, Outputs: cachetest.Tree{"/p/a": cachetest.File("new", 0o644)}}
	r.put(task, task.Key())
	victims := cachetest.Tree{"/victim": cachetest.File("new", 0o644), "/q/old": cachetest.File("old", 0o644)}
	must(t, victims.Write(ws))
	for _, text := range []string{"../victim", "../q/old", "../q", "nowhere", "a"} {
		must(t, cachetest.Tree{"/p/a": cachetest.Link(text)}.Write(ws))
		r.mustHit(task, task.Key())
		r.same(victims)
	}
	r.noLeftovers()
}

// 7.5 step 1, S-41: a hit never writes to an input of its key. An entry that would is not restored, whatever happened to the file
// since key time, and nothing of it is. So no edit of a formatter's source is undone, and no checkout.
func TestInputIsNeverWritten(t *testing.T) {
	edits := map[string]func(ws fsys.FS) error{
		"edited":     func(ws fsys.FS) error { return cachetest.WriteFile(ws, "/p/b.go", "edit", 0o644) },
		"removed":    func(ws fsys.FS) error { return ws.Remove("/p/b.go") },
		"a link":     func(ws fsys.FS) error { return cachetest.Tree{"/p/b.go": cachetest.Link("a.go")}.Write(ws) },
		"not at all": func(fsys.FS) error { return nil },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, ws, cache.Options{})
				sources := cachetest.Tree{"/p/b.go": cachetest.File("source.", 0o644)}
				task := &cachetest.Task{Name: "p:fmt", Patterns: []string{"/p/*.go"}, Inputs: []string{"/p/b.go"},
					Outputs: cachetest.Tree{"/p/a.go": cachetest.File("made", 0o644), "/p/b.go": cachetest.File("formatted", 0o644)}}
				r.put(task, task.Key())
				must(t, ws.RemoveAll("/p"))
				must(t, sources.Write(ws))
				target := task.Target(ws, r.state)
				must(t, edit(ws))
				before := r.tree()
				o := cachetest.Hit(bg, r.store, task.Key(), target)
				r.noLeftovers()
				var e *cache.RestoreError
				if !errors.As(o.Err, &e) || !e.IsInput || e.Path != "/p/b.go" || e.Damaged {
					t.Fatalf("error %+v", o.Err)
				}
				if d := cachetest.Diff(r.tree(), before); d != "" {
					t.Error("something was written:\n" + d)
				}
			})
		})
	}
}

// An entry that names a path which the task does not declare is damaged: written by a stranger, or by another task (S-31).
func TestUndeclaredOutput(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/out/*"}, Outputs: cachetest.Tree{"/p/out/a": cachetest.File("a", 0o644)}}
		r.put(task, task.Key())
		must(t, ws.RemoveAll("/p"))
		task.Patterns = []string{"/p/out/*.o", "/q/out/a"}
		o := r.hit(task, task.Key())
		var e *cache.RestoreError
		if !errors.As(o.Err, &e) || !e.Damaged || !strings.Contains(e.Reason, "/p/out/a") {
			t.Fatalf("error %+v", o.Err)
		}
		r.onlyThese(nil)
		if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.NoEntry {
			t.Errorf("not set aside: %v", miss)
		}
	})
}

// An entry that holds what says what the tasks are is damaged, though an output pattern matches it.
func TestDefinitionInEntry(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/**"}, Outputs: cachetest.Tree{"/p/haz.yml": cachetest.File("a", 0o644)}}
		r.put(task, task.Key())
		must(t, ws.RemoveAll("/p"))
		m, miss := r.store.Lookup(task.Key())
		if miss != nil {
			t.Fatal(miss)
		}
		_, err := r.store.Compare(bg, m, cache.Target{Task: task.Name, Patterns: cachetest.Patterns("/p/**"), Defines: func(p string) bool { return p == "/p/haz.yml" }})
		var e *cache.RestoreError
		if !errors.As(err, &e) || !e.Damaged || !strings.Contains(e.Reason, "/p/haz.yml") {
			t.Fatalf("error %+v", err)
		}
	})
}

// twoDevices is a workspace with /p on a device of its own or, with sameDev, under another mount of the one device.
type twoDevices struct {
	fsys.FS
	base    string // of the root below that of the workspace
	sameDev bool
}

func (d twoDevices) far(name string) bool {
	name = path.Join(d.base, fsys.Clean(name))
	return name == "/p" || strings.HasPrefix(name, "/p/")
}

func (d twoDevices) dev(name string, i fsys.Info) fsys.Info {
	if d.far(name) && !d.sameDev {
		i.Dev++
	}
	return i
}

func (d twoDevices) Lstat(name string) (fsys.Info, error) {
	i, err := d.FS.Lstat(name)
	return d.dev(name, i), err
}

func (d twoDevices) StatInfo(name string) (fsys.Info, error) {
	i, err := d.FS.StatInfo(name)
	return d.dev(name, i), err
}

func (d twoDevices) Sub(dir string) (fsys.FS, error) { return d.below(dir, d.FS.Sub) }

func (d twoDevices) Hold(dir string) (fsys.FS, error) { return d.below(dir, d.FS.Hold) }

func (d twoDevices) below(dir string, open func(string) (fsys.FS, error)) (fsys.FS, error) {
	sub, err := open(dir)
	if err != nil {
		return nil, err
	}
	return twoDevices{sub, path.Join("/", d.base, fsys.Clean(dir)), d.sameDev}, nil
}

func (d twoDevices) Rename(from, to string) error { return d.RenameTo(from, d, to) }

func (d twoDevices) RenameTo(from string, other fsys.FS, to string) error {
	o := other.(twoDevices)
	if d.far(from) != o.far(to) {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EXDEV}
	}
	return d.FS.RenameTo(from, o.FS, to)
}

// ReadFile's Info goes to the stat index, which must not be confused by the device.
func (d twoDevices) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	b, i, err := d.FS.ReadFile(name, limit)
	return b, d.dev(name, i), err
}

func (d twoDevices) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	data, info, err := d.ReadFile(name, limit)
	_, unwritten := d.FS.Unwritten(name)
	return data, info, unwritten && err == nil, err
}

// 7.5 step 2: targets on another device, or another mount of the device, are staged next to them, noted before, and nothing
// of it stays behind.
func TestOtherDevice(t *testing.T) {
	for _, sameDev := range []bool{false, true} {
		onBoth(t, func(t *testing.T, ws fsys.FS) { restoreAcross(t, ws, sameDev) })
	}
}

func restoreAcross(t *testing.T, ws fsys.FS, sameDev bool) {
	r := newRig(t, twoDevices{FS: ws, sameDev: sameDev}, cache.Options{})
	task := sample()
	task.Patterns = append(task.Patterns, "/here/*")
	task.Outputs["/here/x"] = cachetest.File("x", 0o644)
	r.put(task, task.Key())
	must(t, ws.MkdirAll("/p", 0o755))
	r.mustHit(task, task.Key())
	r.noLeftovers()
	must(t, cachetest.Tree{"/p/out/a": cachetest.File("edited", 0o644), "/here/x": cachetest.File("edited", 0o644)}.Write(ws))
	r.mustHit(task, task.Key())
	r.onlyThese(task.Outputs)
	r.noLeftovers()
}

// The same, cut off at every call: the sweep of a later run finds what lies on the other device by the note in the staging.
func TestOtherDeviceLeftovers(t *testing.T) {
	for _, sameDev := range []bool{false, true} {
		killedAcross(t, sameDev)
	}
}

func killedAcross(t *testing.T, sameDev bool) {
	base := memfs.New()
	task := sample()
	r := newRig(t, base, cache.Options{})
	r.put(task, task.Key())
	must(t, base.MkdirAll("/p/out", 0o755))
	for k := 0; ; k++ {
		mem := base.Clone()
		ff := faultfs.New(mem, 1, faultfs.Rule{At: k, Do: faultfs.Cut}) // the process is gone; the disk is not
		dead := newRig(t, twoDevices{FS: ff, sameDev: sameDev}, cache.Options{})
		dead.hit(task, task.Key())
		if !ff.Crashed() {
			break
		}
		left := mem.Clone() // locks stay behind: their owner is dead
		later := newRig(t, twoDevices{FS: left, sameDev: sameDev}, cache.Options{})
		if _, err := later.store.Clean(bg, cache.CleanOptions{Soft: true}); err != nil {
			t.Fatal(err)
		}
		later.noLeftovers()
		later.mustHit(task, task.Key())
		if t.Failed() {
			t.Fatalf("killed at %v", k)
		}
	}
}

// A staging directory serves one restore after the other, also after somebody has removed it, until the run ends.
func TestStagingIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		ff := faultfs.New(ws, 1)
		r := newRig(t, ff, cache.Options{})
		task := sample()
		r.put(task, task.Key())
		other := &cachetest.Task{Name: task.Name, Patterns: task.Patterns, Outputs: cachetest.Tree{"/p/out/a": cachetest.File("other", 0o644)}}
		must(t, task.Outputs.Remove(ws))
		r.put(other, other.Key("other"))
		stagings := func() (n int) {
			for _, c := range ff.Calls() {
				if c.Op == faultfs.OpMkdir && strings.Contains(c.Name, "/.haz/state/restore-") && !strings.HasSuffix(c.Name, "/old") {
					n++
				}
			}
			return n
		}
		for i, before := range []func(){func() {}, func() { must(t, ws.RemoveAll(layout.StateDir)) }} {
			before()
			for range 3 {
				must(t, task.Outputs.Remove(ws))
				r.mustHit(task, task.Key())
				r.mustHit(other, other.Key("other")) // moves what is in its place into old/
				r.mustHit(task, task.Key())
				r.onlyThese(task.Outputs)
			}
			if got := stagings(); got != i+1 {
				t.Errorf("%d staging directories, want %d", got, i+1)
			}
		}
		r.noLeftovers()
	})
}

// The umask takes nothing away from the recorded mode.
func TestUmask(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	r := newRig(t, disk(t), cache.Options{})
	task := sample()
	r.put(task, task.Key())
	r.mustHit(task, task.Key())
	for _, mode := range []uint32{0, 0o750} { // EXEC-031: nor is it that of folders that hold outputs
		ws := disk(t)
		r := newRig(t, ws, cache.Options{DirMode: mode})
		r.put(task, task.Key())
		must(t, ws.RemoveAll("/p"))
		r.mustHit(task, task.Key())
		for _, dir := range []string{"/p", "/p/out", "/p/out/dir"} {
			if info, err := ws.Lstat(dir); err != nil || info.Perm != cmp.Or(mode, 0o755) {
				t.Errorf("%s has mode %03o, %v", dir, info.Perm, err)
			}
		}
	}
}

// Streams alone are verified when nothing has to be written, and a damaged one is found then too (S-31, S-33).
func TestStreamsAreVerifiedWhenNothingIsWritten(t *testing.T) {
	for _, name := range []string{"stdout", "stderr"} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, ws, cache.Options{})
				task := sample()
				k := task.Key()
				r.put(task, k)
				r.mustHit(task, k)
				b, _, err := ws.ReadFile(entryDir(k)+"/"+name, 0)
				must(t, err)
				b[len(b)/2] ^= 1
				must(t, cachetest.WriteFile(ws, entryDir(k)+"/"+name, string(b), 0o600))
				o := r.hit(task, k)
				var e *cache.RestoreError
				if !errors.As(o.Err, &e) || !e.Damaged || o.Restored != nil {
					t.Fatalf("outcome %+v", o)
				}
				if list, _ := ws.List(cachetest.SpoolDir); len(list) != 1 { // of the hit before
					t.Errorf("spool files: %v", list)
				}
			})
		})
	}
}

// A cancelled restore writes nothing, or undoes what it did; TestFaults cancels at every call.
func TestRestoreCancelled(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	task := sample()
	r.put(task, task.Key())
	ctx, cancel := context.WithCancel(bg)
	cancel()
	o := cachetest.Hit(ctx, r.store, task.Key(), task.Target(r.ws, r.state))
	if !errors.Is(o.Err, context.Canceled) {
		t.Errorf("outcome %+v", o)
	}
	r.noLeftovers()
	if got := r.tree(); got["/p/tool"].Kind != fsys.Unknown {
		t.Errorf("tree %v", got)
	}
}
