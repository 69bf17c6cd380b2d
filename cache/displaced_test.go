package cache_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// 8.2: what lay there before the task wrote to it is taken away neither by a restore nor before the task runs again; and when
// an output takes its place, it is kept, whatever the task last made of it.
func TestFoundThingsStay(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := &cachetest.Task{Name: "p:fmt", Patterns: []string{"/p/*"}, Outputs: cachetest.Tree{"/p/a": cachetest.File("made", 0o644)}}
		r.put(task, task.Key())
		must(t, ws.RemoveAll("/p"))
		must(t, cachetest.Tree{"/p/a": cachetest.File("formatted", 0o644), "/p/b": cachetest.File("formatted", 0o644)}.Write(ws))
		before := r.tree()
		target := task.Target(ws, r.state)
		for _, path := range []string{"/p/a", "/p/b"} {
			info, err := ws.Lstat(path)
			must(t, err)
			target.Products.Files = append(target.Products.Files,
				state.Produced{Path: path, Info: info, Digest: hasher.Sum(fn, []byte("formatted")), HasDigest: true, Found: true})
		}
		taken, err := r.store.TakeAway(bg, task.Key("next"), target)
		must(t, err)
		taken.Drop()
		if d := cachetest.Diff(r.tree(), before); d != "" {
			t.Error("taken away:\n" + d)
		}
		o := cachetest.Hit(bg, r.store, task.Key(), target)
		if o.Err != nil || o.Miss != nil {
			t.Fatal(o.Err, o.Miss)
		}
		r.same(cachetest.Tree{"/p/a": cachetest.File("made", 0o644), "/p/b": cachetest.File("formatted", 0o644)})
		if len(o.Restored.Kept) != 1 || o.Restored.Kept[0].Path != "/p/a" {
			t.Errorf("kept %v", o.Restored.Kept)
		}
	})
}

// 7.7: an equal stat is not taken for the task's own bytes where it says nothing about them.
func TestMappedEditIsDisplaced(t *testing.T) {
	for _, times := range []fsys.Times{fsys.TimesLoose, fsys.TimesMarked} {
		mem := memfs.New()
		mem.SetVolume(fsys.Volume{Times: times}, false)
		r := newRig(t, mem, cache.Options{})
		task := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/*"}, Outputs: cachetest.Tree{"/p/a": cachetest.File("one", 0o644)}}
		r.put(task, task.Key())
		next := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/*"}, Outputs: cachetest.Tree{"/p/a": cachetest.File("two", 0o644)}}
		r.put(next, next.Key("next"))
		r.mustHit(task, task.Key())
		p, err := mem.Map("/p/a")
		must(t, err)
		_, err = p.WriteAt([]byte("own"), 0)
		must(t, err)
		o := r.mustHit(next, next.Key("next"))
		if len(o.Restored.Kept) != 1 || o.Restored.Kept[0].Path != "/p/a" {
			t.Fatalf("times %v: kept %v", times, o.Restored.Kept)
		}
		if data, _, err := mem.ReadFile(o.Restored.Kept[0].At, 0); err != nil || string(data) != "own" {
			t.Errorf("kept %q, %v", data, err)
		}
	}
}

// 7.7: the oldest folders go when a new one needs the room; an operation that needs more than all of it moves nothing that
// has no room.
func TestDisplacedIsBounded(t *testing.T) {
	mem := memfs.New()
	s := cachetest.Open(mem, cache.Options{})
	defer s.Close()
	const most = 10_000
	displace := func(n int) (int, error) {
		t.Helper()
		var paths []string
		for i := range n {
			p := fmt.Sprintf("/p/out/%05d", i)
			must(t, mem.MkdirAll("/p/out", 0o755))
			f, err := mem.OpenFile(p, os.O_WRONLY|os.O_CREATE, 0o644)
			must(t, err)
			must(t, f.Close())
			paths = append(paths, p)
		}
		kept, err := s.Displace(bg, cache.Target{Task: "p:t", Patterns: cachetest.Patterns("/p/out/*")}, paths)
		return len(kept), err
	}
	for range 3 {
		if n, err := displace(most / 2); n != most/2 || err != nil {
			t.Fatal(n, err)
		}
	}
	info, err := s.Info(bg)
	must(t, err)
	if kept := info.Displaced; len(kept) != most || kept[0].Time.After(kept[most-1].Time) {
		t.Errorf("%d are kept", len(kept))
	}
	n, err := displace(most + 5)
	if n != most || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	if list, err := mem.List("/p/out"); err != nil || len(list) != 5 {
		t.Errorf("%d stay in their place, %v", len(list), err)
	}
}
