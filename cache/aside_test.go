package cache_test

import (
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// A store that leaves it to its caller to set damaged entries aside only says that they are damaged; the caller does it later, and
// then an entry that was stored in the meantime stays where it is.
func TestSetAsideLater(t *testing.T) {
	task := bigSample()
	for what, damage := range map[string]func(t *testing.T, ws fsys.FS){
		"the manifest": func(t *testing.T, ws fsys.FS) {
			must(t, cachetest.WriteFile(ws, entryDir(task.Key())+"/manifest.json", "{}", 0o600))
		},
		"a blob": func(t *testing.T, ws fsys.FS) {
			text := task.Outputs["/p/out/2"].Text
			blob := entryDir(task.Key()) + "/outputs/" + hasher.Sum(fn, []byte(text)).Hex()
			must(t, ws.Chmod(blob, 0o600))
			must(t, cachetest.WriteFile(ws, blob, "x"+text[1:], 0o400))
		},
	} {
		for _, again := range []bool{false, true} {
			ws := memfs.New()
			r := newRig(t, ws, cache.Options{KeepDamaged: true})
			r.put(task, task.Key())
			damage(t, ws)
			o := r.hit(task, task.Key())
			if o.Restored != nil {
				t.Fatalf("%s: it was used", what)
			}
			if _, err := ws.Lstat(entryDir(task.Key())); err != nil {
				t.Fatalf("%s: it was set aside at once: %v", what, err)
			}
			if again {
				must(t, ws.RemoveAll(entryDir(task.Key())))
				r.now = r.now.Add(1e9)
				must(t, task.Outputs.Write(ws))
				request := task.Request(fn, task.Key())
				request.DurationMS++
				if _, err := cachetest.Store(bg, r.store, request); err != nil {
					t.Fatal(err)
				}
			}
			became := r.store.SetAside(task.Key(), "a test", o.Manifest)
			if _, miss := r.store.Explain(task.Key()); (miss == nil) != again {
				t.Errorf("%s, stored again %t: %q, %v", what, again, became, miss)
			}
		}
	}
}
