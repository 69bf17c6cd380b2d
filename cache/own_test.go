package cache_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// strangers are files that haz did not make, below the cache root, under names that are near those of its own.
func strangers(entry string) cachetest.Tree {
	t := cachetest.Tree{}
	hex := strings.Repeat("ab", 32)
	for _, name := range []string{
		"/README", "/Documents/letter", "/de/LC_MESSAGES/app.mo", "/ab/.tmp-mine/keep", "/.trash-2024/keep", "/.trash-2025/stdout", "/.damaged/mine/keep", "/tmp/x",
		"/ab/" + hex[:40] + "/x", "/ab/" + hex[:62] + "/stdout", "/ab/" + strings.ToUpper(hex) + "/x", "/cafe/" + hex + "/manifest.json", "/.trash-" + hex[:16] + "/thesis.tex",
		"/ab/" + hex + "/file", "/ab/" + hex + "/outputs/letter", "/ab/.tmp-" + hex + "-" + hex[:16] + "/thesis.tex",
		"/.damaged/" + hex + "-" + hex[:16] + "/file", entry + "/notes", entry + "/outputs/notes",
	} {
		t[layout.CacheDir+name] = cachetest.File("keep "+name, 0o644)
	}
	return t
}

// CACHE-021, CACHE-022, S-35: whatever removes goes by the names that haz gives; a file that it did not make stays, whatever lies
// around it, and the entries go all the same.
func TestOnlyOwnIsRemoved(t *testing.T) {
	soft := cache.CleanOptions{Soft: true, MaxAge: age(0), MaxSize: size(0)}
	removals := map[string]func(r *rig) error{
		"clear": func(r *rig) error { return r.store.Clear(bg) },
		"clean": func(r *rig) error {
			_, err := r.store.Clean(bg, soft)
			return err
		},
		"sweep": func(r *rig) error { r.store.Sweep(bg, cache.SweepOptions{}); return nil },
	}
	for name, remove := range removals {
		for _, linked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, linked %v", name, linked), func(t *testing.T) {
				onBoth(t, func(t *testing.T, ws fsys.FS) {
					if linked {
						must(t, ws.MkdirAll("/home", 0o755))
						must(t, ws.MkdirAll(layout.Dir, 0o755))
						must(t, ws.Symlink("../home", layout.CacheDir))
					}
					r := newRig(t, ws, cache.Options{})
					task := sample()
					r.put(task, task.Key())
					litter(r)
					mine := strangers(strings.TrimPrefix(entryDir(task.Key()), layout.CacheDir))
					must(t, mine.Write(ws))
					r.now = r.now.Add(time.Hour)
					must(t, remove(r))
					all, err := cachetest.Look(ws)
					must(t, err)
					want := mine
					if linked {
						want = cachetest.Tree{}
						for path, item := range mine {
							want[strings.Replace(path, layout.CacheDir, "/home", 1)] = item
						}
					}
					if d := cachetest.Missing(all, want); d != "" {
						t.Error(d)
					}
					if _, miss := r.store.Lookup(task.Key()); (miss == nil) != (name == "sweep") {
						t.Errorf("the entry: %v", miss)
					}
					if got, err := r.store.Info(bg); err != nil || name == "clear" && got.WellFormed != 0 {
						t.Errorf("%+v, %v", got, err)
					}
				})
			})
		}
	}
}

// A link in the place of an entry, or of its blobs, is removed, and nothing behind it, wherever it leads.
func TestLinkInPlaceOfEntry(t *testing.T) {
	removals := map[string]func(r *rig) error{
		"clear": func(r *rig) error { return r.store.Clear(bg) },
		"clean": func(r *rig) error {
			_, err := r.store.Clean(bg, cache.CleanOptions{Soft: true, MaxAge: age(0), MaxSize: size(0)})
			return err
		},
	}
	for name, remove := range removals {
		for _, place := range []string{"", "/outputs"} {
			for _, to := range []string{"/.haz/cache/mine", "/mine"} {
				t.Run(fmt.Sprintf("%s, %q to %s", name, place, to), func(t *testing.T) {
					onBoth(t, func(t *testing.T, ws fsys.FS) {
						r := newRig(t, ws, cache.Options{})
						task := sample()
						r.put(task, task.Key())
						blob := strings.Repeat("0", 64)
						mine := cachetest.Tree{to + "/manifest.json": cachetest.File("x", 0o644), to + "/stdout": cachetest.File("x", 0o644), to + "/" + blob: cachetest.File("x", 0o644)}
						must(t, mine.Write(ws))
						link := entryDir(task.Key()) + place
						must(t, ws.RemoveAll(link))
						up := strings.Repeat("../", strings.Count(link, "/")-1)
						must(t, ws.Symlink(up+strings.TrimPrefix(to, "/"), link))
						if err := remove(r); err != nil {
							t.Error(err)
						}
						all, err := cachetest.Look(ws)
						must(t, err)
						if d := cachetest.Missing(all, mine); d != "" {
							t.Error(d)
						}
						if _, err := ws.Lstat(link); err == nil && name == "clear" {
							t.Error("the link stays")
						}
					})
				})
			}
		}
	}
}

// A .gitignore of "*" would hide from git what a folder held before it became a cache.
func TestForeignFolderIsNotHiddenFromGit(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	must(t, cachetest.Tree{"/.haz/cache/letter": cachetest.File("x", 0o644)}.Write(r.ws))
	task := sample()
	r.put(task, task.Key())
	if _, err := r.ws.Lstat("/.haz/cache/.gitignore"); err == nil {
		t.Error("a .gitignore beside what haz did not make")
	}
}

// lower is a workspace that came with an image: no folder of the cache can be renamed (overlay, redirect_dir=off), only those
// of stores and restores in progress, which are new.
func lower(ws fsys.FS) fsys.FS {
	return faultfs.New(ws, 1, faultfs.Rule{Sticky: true, Errs: []error{syscall.EXDEV}, Match: func(c faultfs.Call) bool {
		if c.Op != faultfs.OpRename || strings.Contains(c.Name, "/.tmp-") && !strings.Contains(c.Name, strings.Repeat(dead, 16)) {
			return false
		}
		info, err := ws.Lstat(c.Name)
		return err == nil && info.Kind == fsys.Dir
	}})
}

// A damaged entry that cannot be moved is taken away all the same, and replaced by the next run's; what is said of it is true.
func TestLowerLayerDamaged(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, lower(ws), cache.Options{})
		task := sample()
		r.put(task, task.Key())
		must(t, cachetest.WriteFile(ws, entryDir(task.Key())+"/manifest.json", "{}", 0o600))
		if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.Damaged || miss.Became != "was removed" {
			t.Fatalf("%#v", miss)
		}
		if _, err := ws.Lstat(entryDir(task.Key())); err == nil {
			t.Error("it is still there")
		}
		r.put(task, task.Key())
		r.mustHit(task, task.Key())

		// Found while it is restored.
		must(t, task.Outputs.Remove(ws))
		blob := entryDir(task.Key()) + "/outputs/" + task.Recorded(fn)[0].Digest.Hex()
		must(t, ws.Chmod(blob, 0o600))
		b, _, err := ws.ReadFile(blob, 0)
		must(t, err)
		b[0] ^= 1
		must(t, cachetest.WriteFile(ws, blob, string(b), 0o400))
		var e *cache.RestoreError
		if o := r.hit(task, task.Key()); !errors.As(o.Err, &e) || !e.Damaged || e.Became != "was removed" {
			t.Fatalf("%+v", o.Err)
		}
		r.put(task, task.Key())
		r.mustHit(task, task.Key())
		r.noLeftovers()
	})
}

// What cannot even be taken apart stays, and is said to.
func TestDamagedThatStays(t *testing.T) {
	mem := memfs.New()
	r := newRig(t, mem, cache.Options{})
	task := sample()
	r.put(task, task.Key())
	must(t, cachetest.WriteFile(mem, entryDir(task.Key())+"/manifest.json", "{}", 0o600))
	stuck := newRig(t, faultfs.New(mem, 1, faultfs.Rule{Sticky: true, Errs: []error{syscall.EROFS}, Match: faultfs.Is(faultfs.OpRename, faultfs.OpRemove)}), cache.Options{})
	if _, miss := stuck.store.Lookup(task.Key()); miss == nil || miss.Became != "could not be removed: read-only file system" {
		t.Errorf("%+v", miss)
	}
	ro := newRig(t, mem, cache.Options{ReadOnly: true})
	if _, miss := ro.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.Damaged || miss.Became != "" {
		t.Errorf("%+v", miss)
	}
}

func TestLowerLayerCleaned(t *testing.T) {
	for name, remove := range map[string]func(r *rig) error{
		"clear": func(r *rig) error { return r.store.Clear(bg) },
		"clean": func(r *rig) error {
			report, err := r.store.Clean(bg, cache.CleanOptions{Soft: true, MaxSize: size(0)})
			if err == nil && len(report.Failures) > 0 {
				err = report.Failures[0].Err
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, lower(ws), cache.Options{})
				task := sample()
				r.put(task, task.Key())
				litter(r)
				must(t, remove(r))
				if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.NoEntry {
					t.Errorf("%v", miss)
				}
				if got, err := r.store.Info(bg); err != nil || got.WellFormed+got.Corrupt != 0 {
					t.Errorf("%+v, %v", got, err)
				}
				if name == "clean" {
					requireLitterGone(r)
				}
			})
		})
	}
}

// A stream that is too long for memory has no place without a directory: certainly not the root of the workspace.
func TestNoSpoolDirectory(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	task := sample()
	task.Stdout = strings.Repeat("x", 100<<10)
	r.put(task, task.Key())
	m, miss := r.store.Lookup(task.Key())
	if miss != nil {
		t.Fatal(miss)
	}
	before := r.tree()
	if _, _, err := r.store.Streams(bg, m, ""); err == nil || !strings.Contains(err.Error(), "cannot be spooled") {
		t.Errorf("%v", err)
	}
	same(t, "tree", r.tree(), before)
}
