package cache_test

import (
	"os"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// at opens the cache of a workspace as it is when it lies at path: one tree that is seen under two paths, or two that share a cache.
func at(t *testing.T, ws fsys.FS, path string) *rig {
	return newRig(t, ws, cache.Options{Root: cache.Root{Path: path}})
}

func holding(text string) *cachetest.Task {
	return &cachetest.Task{Name: "p:configure", Patterns: []string{"/p/out/**"}, Outputs: cachetest.Tree{
		"/p/out/a": cachetest.File("nothing special", 0o644), "/p/out/cache.txt": cachetest.File(text, 0o644)}}
}

// What holds the path of its workspace is a hit there alone, wherever it holds it.
func TestBoundToARoot(t *testing.T) {
	const one, two = "/home/me/one", "/home/me/two"
	filler := strings.Repeat("0123456789abcdef", 40_000)
	for name, tt := range map[string]struct {
		outputs cachetest.Tree
		bound   string // the output that binds it; "" when nothing does
	}{
		"short file":           {cachetest.Tree{"/p/out/b": cachetest.File("HOME="+one+"/p\n", 0o644)}, "/p/out/b"},
		"executable":           {cachetest.Tree{"/p/out/b": cachetest.File("#!"+one+"/bin/sh", 0o755)}, "/p/out/b"},
		"end of a big file":    {cachetest.Tree{"/p/out/b": cachetest.File(filler+one, 0o644)}, "/p/out/b"},
		"across two chunks":    {cachetest.Tree{"/p/out/b": cachetest.File(filler[:256<<10-5]+one+filler, 0o644)}, "/p/out/b"},
		"link":                 {cachetest.Tree{"/p/out/b": cachetest.Link(one + "/p/src")}, "/p/out/b"},
		"second of equal ones": {cachetest.Tree{"/p/out/b": cachetest.File(one, 0o644), "/p/out/c": cachetest.File(one, 0o644)}, "/p/out/b"},
		"another path":         {cachetest.Tree{"/p/out/b": cachetest.File(two+filler, 0o644)}, ""},
		"nothing":              {cachetest.Tree{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				task := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/out/**"}, Outputs: tt.outputs}
				task.Outputs["/p/out/a"] = cachetest.File("a", 0o644)
				k := task.Key()
				at(t, ws, one).put(task, k)
				o := at(t, ws, one).mustHit(task, k)
				if want := map[bool]string{true: one}[tt.bound != ""]; o.Manifest.Root != want || o.Manifest.RootIn != tt.bound {
					t.Errorf("bound to %q because of %q", o.Manifest.Root, o.Manifest.RootIn)
				}
				for _, elsewhere := range []string{two, one + "/more", ""} {
					m, miss := at(t, ws, elsewhere).store.Lookup(k)
					switch {
					case tt.bound == "" && miss != nil:
						t.Errorf("at %s: %v", elsewhere, miss)
					case tt.bound != "" && (m != nil || miss.Reason != entry.OtherRoot || !strings.Contains(miss.Detail, one) || !strings.Contains(miss.Detail, tt.bound)):
						t.Errorf("at %s: %v, %v", elsewhere, m, miss)
					}
				}
			})
		})
	}
}

// Workspaces that share a cache keep their results side by side: none takes the place of another one's.
func TestRootsSideBySide(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		roots := []string{"/home/me/one", "/home/me/two", "/home/me/three"}
		k := holding("").Key()
		store := func(root, text string, replace bool) bool {
			t.Helper()
			r := at(t, ws, root)
			task := holding(text)
			must(t, task.Outputs.Write(ws))
			req := task.Request(fn, k)
			req.Replace = replace
			already, err := cachetest.Store(bg, r.store, req)
			must(t, err)
			must(t, ws.RemoveAll("/p"))
			return already
		}
		hits := func(root, text string) {
			t.Helper()
			must(t, ws.RemoveAll("/p"))
			r := at(t, ws, root)
			r.mustHit(holding(text), k)
		}
		for _, root := range roots {
			if store(root, "at "+root, false) {
				t.Errorf("%s: already there", root)
			}
		}
		for _, root := range roots {
			hits(root, "at "+root)
			if !store(root, "at "+root, false) {
				t.Errorf("%s: stored again", root)
			}
		}
		if store(roots[1], "again at "+roots[1], true) {
			t.Error("forced, and not replaced")
		}
		for i, root := range roots {
			hits(root, []string{"", "again ", ""}[i]+"at "+root)
		}
		report, err := at(t, ws, roots[0]).store.Info(bg)
		if err != nil || report.WellFormed != 3 || report.Corrupt != 0 {
			t.Errorf("%+v, %v", report, err)
		}
		// The first one goes: the others stay, and it comes back.
		must(t, ws.RemoveAll(entryDir(k)))
		if _, miss := at(t, ws, roots[0]).store.Lookup(k); miss == nil || miss.Reason != entry.NoEntry {
			t.Errorf("%v", miss)
		}
		hits(roots[1], "again at "+roots[1])
		if store(roots[0], "at "+roots[0], false) {
			t.Error("already there")
		}
		hits(roots[0], "at "+roots[0])
	})
}

// A damaged entry beside that of another root is set aside like any other, and one that lies in the place of another root is damaged.
func TestDamagedBesideAnotherRoot(t *testing.T) {
	ws := memfs.New()
	k := holding("").Key()
	for _, root := range []string{"/home/me/one", "/home/me/two"} {
		at(t, ws, root).put(holding("at "+root), k)
	}
	two := at(t, ws, "/home/me/two")
	m, miss := two.store.Lookup(k)
	if miss != nil || m.Key == k {
		t.Fatalf("%v", miss)
	}
	must(t, cachetest.WriteFile(ws, entryDir(m.Key)+"/manifest.json", "{}", 0o600))
	if _, miss = two.store.Explain(k); miss == nil || miss.Reason != entry.Damaged {
		t.Errorf("%v", miss)
	}
	if _, miss = two.store.Lookup(k); miss == nil || miss.Reason != entry.Damaged {
		t.Errorf("%v", miss)
	}
	if _, miss = two.store.Lookup(k); miss == nil || miss.Reason != entry.OtherRoot {
		t.Errorf("after it was set aside: %v", miss)
	}
	at(t, ws, "/home/me/one").mustHit(holding("at /home/me/one"), k)

	// Somebody makes the entry of one an entry of two's place.
	b, _, err := ws.ReadFile(entryDir(k)+"/manifest.json", 0)
	must(t, err)
	forged, err := manifest.Decode(b)
	must(t, err)
	forged.Key, forged.Revision = m.Key, manifest.Revision
	text, err := manifest.Encode(forged)
	must(t, err)
	must(t, ws.Rename(entryDir(k), entryDir(m.Key)))
	must(t, ws.Remove(entryDir(m.Key)+"/manifest.json"))
	f, err := ws.OpenFile(entryDir(m.Key)+"/manifest.json", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	must(t, err)
	_, err = f.Write(text)
	must(t, err)
	must(t, f.Close())
	if _, miss = two.store.Lookup(k); miss == nil || miss.Reason != entry.Damaged {
		t.Errorf("%v", miss)
	}
}
