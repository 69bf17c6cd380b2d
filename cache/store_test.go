package cache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

func entryDir(k entry.Key) string { return "/.haz/cache/" + k.Hex()[:2] + "/" + k.Hex() }

// 7.1, S-13, CACHE-010: layout and modes.
func TestLayout(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		k := task.Key()
		r.put(task, k)
		entry := entryDir(k)
		blob := func(text string) string { return entry + "/outputs/" + hasher.Sum(fn, []byte(text)).Hex() }
		got, err := cachetest.Look(ws)
		must(t, err)
		table := got[entry+"/manifest.json"]
		m, err := manifest.Decode([]byte(table.Text))
		if err != nil || m.Key != k || m.Task != "p:gen" || m.CreatedAt != cachetest.Epoch.Unix() || m.DurationMS != 7 {
			t.Fatalf("manifest %+v, %v", m, err)
		}
		want := cachetest.Tree{
			layout.Dir:               cachetest.Dir(0o700),
			layout.CacheDir:          cachetest.Dir(0o700),
			"/.haz/cache/.gitignore": cachetest.File("*\n", 0o600),
			filepath.Dir(entry):      cachetest.Dir(0o700),
			entry:                    cachetest.Dir(0o700),
			entry + "/manifest.json": cachetest.File(table.Text, 0o600),
			entry + "/stdout":        cachetest.File(task.Stdout, 0o600),
			entry + "/stderr":        cachetest.File(task.Stderr, 0o600),
			entry + "/outputs":       cachetest.Dir(0o700),
			blob("hello\n"):          cachetest.File("hello\n", 0o400), // once for both
			blob(big):                cachetest.File(big, 0o400),
			blob(""):                 cachetest.File("", 0o400),
			blob("#!/bin/sh\n"):      cachetest.File("#!/bin/sh\n", 0o400),
		}
		for path := range got {
			if !strings.HasPrefix(path, layout.Dir) || strings.HasPrefix(path, layout.StateDir) {
				delete(got, path)
			}
		}
		if d := cachetest.Diff(got, want); d != "" {
			t.Error(d)
		}
	})
}

// CACHE-012: each stream is stored as it was captured, also where the other is empty.
func TestStreams(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		for i, streams := range [][2]string{{"", ""}, {"out", ""}, {"", "err"}, {"out", "err"}, {"same", "same"}} {
			task := sample()
			task.Stdout, task.Stderr = streams[0], streams[1]
			k := hasher.Sum(fn, []byte{byte(i)})
			r.put(task, k)
			for n, name := range []string{"/stdout", "/stderr"} {
				text, info, err := ws.ReadFile(entryDir(k)+name, 0)
				if err != nil || string(text) != streams[n] || info.Perm != 0o600 {
					t.Errorf("%q: %s is %q, %o, %v", streams, name, text, info.Perm, err)
				}
			}
		}
	})
}

// Blobs are independent of the tree: no hard link either way (DESIGN 4).
func TestNoHardLinks(t *testing.T) {
	ws := disk(t)
	r := newRig(t, ws, cache.Options{})
	task := sample()
	r.put(task, task.Key())
	r.mustHit(task, task.Key())
	for path, item := range task.Outputs {
		if info, _ := ws.Lstat(path); item.Kind == fsys.File && info.Nlink != 1 {
			t.Errorf("%s has %d names", path, info.Nlink)
		}
	}
}

// 7.3 step 5: a whole entry is never removed to make room for an equal key, unless the user forced the run.
func TestPublishTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		first := &cachetest.Task{Name: "p:t", Patterns: []string{"/o"}, Outputs: cachetest.Tree{"/o": cachetest.File("first", 0o644)}}
		second := &cachetest.Task{Name: "p:t", Patterns: []string{"/o"}, Outputs: cachetest.Tree{"/o": cachetest.File("second", 0o644)}}
		k := first.Key()
		r.put(first, k)
		must(t, second.Outputs.Write(ws))
		already, err := cachetest.Store(bg, r.store, second.Request(fn, k))
		if !already || err != nil {
			t.Fatalf("already there %v, %v", already, err)
		}
		r.mustHit(first, k)
		must(t, second.Outputs.Write(ws))
		forced := second.Request(fn, k)
		forced.Replace = true
		if already, err = cachetest.Store(bg, r.store, forced); already || err != nil {
			t.Fatalf("forced: already there %v, %v", already, err)
		}
		must(t, second.Outputs.Remove(ws))
		r.mustHit(second, k)
		r.noLeftovers()
	})
}

// Two stores of one key at once: one wins, the other finds it there.
func TestPublishRace(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		must(t, task.Outputs.Write(ws))
		a, err := r.store.Stage(bg, task.Request(fn, task.Key()))
		must(t, err)
		b, err := r.store.Stage(bg, task.Request(fn, task.Key()))
		must(t, err)
		if already, err := a.Publish(); already || err != nil {
			t.Fatal(already, err)
		}
		if already, err := b.Publish(); !already || err != nil {
			t.Fatal(already, err)
		}
		if _, err := b.Publish(); err == nil {
			t.Error("published a second time")
		}
		b.Discard()
		must(t, task.Outputs.Remove(ws))
		r.mustHit(task, task.Key())
		r.noLeftovers()
	})
}

func TestDiscard(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		must(t, task.Outputs.Write(ws))
		st, err := r.store.Stage(bg, task.Request(fn, task.Key()))
		must(t, err)
		if _, miss := r.store.Lookup(task.Key()); miss == nil {
			t.Error("a staged entry is visible")
		}
		st.Discard()
		st.Discard()
		r.noLeftovers()
		if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.NoEntry {
			t.Error(miss)
		}
	})
}

// 7.3 step 2: what is stored is what was collected, or nothing is.
func TestStoreGivesUp(t *testing.T) {
	tests := map[string]struct {
		tree   cachetest.Tree
		change func(q *cache.StoreRequest)
		want   string
	}{
		"other bytes":    {tree: cachetest.Tree{"/p/out/a": cachetest.File("HELLO\n", 0o644)}, want: "output /p/out/a changed while it was stored"},
		"other length":   {tree: cachetest.Tree{"/p/out/a": cachetest.File("hello", 0o644)}, want: "output /p/out/a changed while it was stored"},
		"other mode":     {tree: cachetest.Tree{"/p/out/a": cachetest.File("hello\n", 0o600)}, want: "output /p/out/a changed while it was stored"},
		"other big":      {tree: cachetest.Tree{"/p/out/big": cachetest.File(big[1:]+"x", 0o600)}, want: "output /p/out/big changed while it was stored"},
		"a link to it":   {tree: cachetest.Tree{"/p/out/a": cachetest.Link("dir/a2")}, want: "output /p/out/a cannot be read"},
		"a directory":    {tree: cachetest.Tree{"/p/out/a": cachetest.Dir(0o755)}, want: "output /p/out/a cannot be read"},
		"stream digest":  {change: func(q *cache.StoreRequest) { q.Stdout.Digest[0]++ }, want: "stdout is not what was captured"},
		"errors":         {change: func(q *cache.StoreRequest) { q.Stderr.Digest[0]++ }, want: "stderr is not what was captured"},
		"stream length":  {change: func(q *cache.StoreRequest) { q.Stdout.Len++ }, want: "stdout is not what was captured"},
		"no spool file":  {change: func(q *cache.StoreRequest) { q.Stderr.Path = "/spool" }, want: "stderr cannot be read"},
		"order":          {change: func(q *cache.StoreRequest) { slices.Reverse(q.Outputs) }, want: "not in order"},
		"set-uid":        {change: func(q *cache.StoreRequest) { q.Outputs[0].Mode = 0o4755 }, want: "mode"},
		"bytes in links": {change: func(q *cache.StoreRequest) { q.Outputs[1].Target = "\xff" }, want: "not UTF-8"},
	}
	small := sample() // which is packed (CACHE-037)
	small.Outputs["/p/out/big"], small.Stderr = cachetest.File("big", 0o600), "err"
	for size, task := range map[string]*cachetest.Task{"big": sample(), "small": small} {
		for name, tt := range tests {
			t.Run(size+"/"+name, func(t *testing.T) {
				onBoth(t, func(t *testing.T, ws fsys.FS) {
					r := newRig(t, ws, cache.Options{})
					must(t, task.Outputs.Write(ws))
					must(t, tt.tree.Write(ws))
					q := task.Request(fn, task.Key())
					if tt.change != nil {
						tt.change(&q)
					}
					if _, err := r.store.Stage(bg, q); err == nil || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("error %v, want %q", err, tt.want)
					}
					r.noLeftovers()
					if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.NoEntry {
						t.Error(miss)
					}
				})
			})
		}
	}
}

// A spooled stream is copied and verified; the spool file stays with its owner.
func TestStoreSpooledStream(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		must(t, task.Outputs.Write(ws))
		must(t, cachetest.Tree{"/.haz/state/spool-1/err": cachetest.File(task.Stderr, 0o600)}.Write(ws))
		q := task.Request(fn, task.Key())
		q.Stderr.Bytes, q.Stderr.Path = nil, "/.haz/state/spool-1/err"
		if _, err := cachetest.Store(bg, r.store, q); err != nil {
			t.Fatal(err)
		}
		o := r.mustHit(task, task.Key())
		if o.Restored.Stderr.Path == "" || o.Restored.Stdout.Path != "" {
			t.Errorf("streams at %q and %q", o.Restored.Stdout.Path, o.Restored.Stderr.Path)
		}
		if _, err := ws.Lstat(q.Stderr.Path); err != nil {
			t.Error(err)
		}
		must(t, cachetest.WriteFile(ws, q.Stderr.Path, "?"+task.Stderr[1:], 0o600))
		q.Replace = true
		if _, err := r.store.Stage(bg, q); err == nil {
			t.Error("a damaged spool file was stored")
		}
	})
}

// A cancelled store leaves nothing behind (S-27); one with a cancelled context does not begin.
func TestStoreCancelled(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	task := sample()
	must(t, task.Outputs.Write(r.ws))
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, err := r.store.Stage(ctx, task.Request(fn, task.Key())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	r.noLeftovers()
}

// Cache mode ro (7.3): nothing below the cache root changes: no store, no `used`, and a damaged entry stays.
func TestReadOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		r.put(task, task.Key())
		damagedTask := &cachetest.Task{Name: "p:bad", Patterns: []string{"/bad"}, Outputs: cachetest.Tree{"/bad": cachetest.File("bad", 0o644)}}
		r.put(damagedTask, damagedTask.Key())
		must(t, cachetest.WriteFile(ws, entryDir(damagedTask.Key())+"/manifest.json", "{}", 0o600))
		before, err := cachetest.Look(ws)
		must(t, err)

		ro := newRig(t, ws, cache.Options{ReadOnly: true})
		ro.now = cachetest.Epoch.Add(48 * time.Hour)
		ro.mustHit(task, task.Key())
		if _, miss := ro.store.Lookup(damagedTask.Key()); miss == nil || miss.Reason != entry.Damaged {
			t.Error(miss)
		}
		if _, err := ro.store.Stage(bg, task.Request(fn, task.Key("other"))); !errors.Is(err, cache.ErrReadOnly) {
			t.Error(err)
		}
		ro.setAside(task.Key())
		after, err := cachetest.Look(ws)
		must(t, err)
		for path := range before {
			if strings.HasPrefix(path, layout.CacheDir) && after[path] != before[path] {
				t.Errorf("%s: %v, was %v", path, after[path], before[path])
			}
		}
		for path := range after {
			if _, ok := before[path]; !ok && strings.HasPrefix(path, layout.CacheDir) {
				t.Errorf("new: %s", path)
			}
		}
	})
}

// 7.4: an entry of another hash function is a schema mismatch, and the new entry replaces it.
func TestSchemaMismatch(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		task := sample()
		k := task.Key()
		old := newRig(t, ws, cache.Options{Hash: digest.SHA256})
		must(t, task.Outputs.Write(ws))
		if _, err := cachetest.Store(bg, old.store, task.Request(digest.SHA256, k)); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, ws, cache.Options{})
		if _, miss := r.store.Lookup(k); miss == nil || miss.Reason != entry.Schema || miss.String() != "schema mismatch (revision 4 with sha256)" {
			t.Fatal(miss)
		}
		if already, err := cachetest.Store(bg, r.store, task.Request(fn, k)); already || err != nil {
			t.Fatal(already, err)
		}
		must(t, task.Outputs.Remove(ws))
		r.mustHit(task, k)
		r.noLeftovers()
	})
}

// `used` says when an entry was last hit, at most hourly, and not for what is younger than that (7.1).
func TestUsed(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		r.put(task, task.Key())
		used := entryDir(task.Key()) + "/used"
		look := func(after time.Duration, want time.Duration) {
			t.Helper()
			r.now = cachetest.Epoch.Add(after)
			r.mustHit(task, task.Key())
			info, err := ws.Lstat(used)
			switch {
			case want < 0 && err == nil:
				t.Errorf("after %v: there is one", after)
			case want >= 0 && (err != nil || info.MTime != cachetest.Epoch.Add(want).UnixNano() || info.Size != 0 || info.Perm != 0o600):
				t.Errorf("after %v: %+v, %v", after, info, err)
			}
		}
		look(59*time.Minute, -1)
		look(61*time.Minute, 61*time.Minute)
		look(119*time.Minute, 61*time.Minute)
		look(122*time.Minute, 122*time.Minute)
		look(90*time.Minute, 90*time.Minute) // the clock was set back
	})
}

// 7.1: the cache root may be a link to a directory anywhere; a link to nothing is a cache that cannot be opened (S-01).
func TestLinkedCache(t *testing.T) {
	for name, target := range map[string]func(dir string) string{
		"outside, absolute": func(dir string) string { return filepath.Join(dir, "shared") },
		"outside, relative": func(dir string) string { return "../../shared" },
		"inside":            func(dir string) string { return "../elsewhere" },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, d := range []string{"ws/.haz", "ws/elsewhere", "shared"} {
				must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
			}
			must(t, os.Symlink(target(dir), filepath.Join(dir, "ws/.haz/cache")))
			ws, err := fsys.Host(filepath.Join(dir, "ws"))
			must(t, err)
			defer ws.Close()
			r := newRig(t, ws, cache.Options{})
			task := sample()
			r.put(task, task.Key())
			r.mustHit(task, task.Key())
			r.noLeftovers()
			must(t, r.store.Clear(bg))
			if info, err := ws.Lstat(layout.CacheDir); err != nil || info.Kind != fsys.Link {
				t.Errorf("the link was cleared: %+v, %v", info, err)
			}
			if list, err := ws.List(layout.CacheDir); err != nil || len(list) != 0 {
				t.Errorf("left: %v, %v", list, err)
			}
			must(t, task.Outputs.Remove(ws))
			if _, miss := r.store.Lookup(task.Key()); miss == nil {
				t.Error("hit after clear")
			}
			r.put(task, task.Key())
			r.mustHit(task, task.Key())
		})
	}
}

func TestUnusableCache(t *testing.T) {
	for name, make := range map[string]cachetest.Tree{
		"link to nothing": {layout.CacheDir: cachetest.Link("../nowhere")},
		"file":            {layout.CacheDir: cachetest.File("?", 0o644)},
		"loop":            {layout.CacheDir: cachetest.Link("cache")},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				must(t, make.Write(ws))
				r := newRig(t, ws, cache.Options{})
				task := sample()
				must(t, task.Outputs.Write(ws))
				for range 2 {
					if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.Unreadable {
						t.Error(miss)
					}
					if _, err := r.store.Stage(bg, task.Request(fn, task.Key())); err == nil {
						t.Error("stored")
					}
				}
				if trouble := r.store.Trouble(); len(trouble) != 1 || !strings.Contains(trouble[0], "cannot be opened") {
					t.Errorf("trouble %q", trouble)
				}
				if _, err := r.store.Info(bg); err == nil {
					t.Error("info of it")
				}
				if _, err := r.store.Clean(bg, cache.CleanOptions{Soft: true}); err == nil {
					t.Error("clean of it")
				}
				r.same(task.Outputs)
			})
		})
	}
}
