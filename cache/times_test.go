package cache_test

import (
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// chain is a result of which each file is made from those before it, in the order of their names or against it.
func chain() *cachetest.Task {
	return &cachetest.Task{Name: "p:build", Patterns: []string{"/p/out/**"}, Outputs: cachetest.Tree{
		"/p/out/app": cachetest.File(strings.Repeat("app", 50_000), 0o755), "/p/out/obj/m.o": cachetest.File("m", 0o644),
		"/p/out/obj/z.o": cachetest.File(strings.Repeat("z", 2<<20), 0o644), "/p/out/run.log": cachetest.File("l", 0o600)}}
}

func times(t *testing.T, ws fsys.FS, task *cachetest.Task) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for path := range task.Outputs {
		info, err := ws.Lstat(path)
		must(t, err)
		all[path] = info.MTime
	}
	return all
}

// All files of a restore get one time, so that none is older than what it was made from, and none than an input.
func TestRestoredTimesAreOne(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := chain()
		r.put(task, task.Key())
		must(t, cachetest.Tree{"/p/in": cachetest.File("in", 0o644)}.Write(ws))
		input, err := ws.Lstat("/p/in")
		must(t, err)
		r.mustHit(task, task.Key())
		got := times(t, ws, task)
		for path, at := range got {
			if at != got["/p/out/app"] || at < input.MTime {
				t.Errorf("%s is of %d, app of %d, the input of %d", path, at, got["/p/out/app"], input.MTime)
			}
		}
		// The product list knows the files as they are, and the next hit leaves them alone.
		if o := r.mustHit(task, task.Key()); !o.Nothing {
			t.Error("not at rest")
		}
		for path, at := range times(t, ws, task) {
			if at != got[path] {
				t.Errorf("%s got another time", path)
			}
		}
	})
}

// What was taken away of a result that is in place otherwise comes back with the time that it had; what the product list does not vouch
// for is of now.
func TestTimesOfAPartThatComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task, other := chain(), chain()
		other.Outputs["/p/out/obj/m.o"] = cachetest.File("another", 0o644)
		r.put(task, task.Key())
		r.put(other, other.Key("other"))
		r.mustHit(task, task.Key())
		was := times(t, ws, task)
		later := time.Now().Add(-time.Hour)
		if mem, ok := ws.(*memfs.FS); ok {
			mem.Advance(time.Hour)
			later = mem.Now()
		}
		must(t, ws.Remove("/p/out/obj/z.o"))
		r.mustHit(task, task.Key())
		for path, at := range times(t, ws, task) {
			if at != was[path] {
				t.Errorf("%s was of %d, and is of %d", path, was[path], at)
			}
		}
		// Another result: its own file is new, and the rest stays.
		r.mustHit(other, other.Key("other"))
		for path, at := range times(t, ws, other) {
			if changed := path == "/p/out/obj/m.o"; changed != (at != was[path]) || changed && at < later.UnixNano() {
				t.Errorf("%s was of %d, and is of %d", path, was[path], at)
			}
		}
		// A result of the same key that came out otherwise (a forced run): what differs is new.
		again := chain()
		again.Outputs["/p/out/run.log"] = cachetest.File("of another day", 0o600)
		must(t, again.Outputs.Write(ws))
		req := again.Request(fn, task.Key())
		req.Replace = true
		if _, err := cachetest.Store(bg, r.store, req); err != nil {
			t.Fatal(err)
		}
		must(t, task.Outputs.Write(ws))
		r.mustHit(again, task.Key())
		before := times(t, ws, task)["/p/out/run.log"]
		must(t, ws.Remove("/p/out/run.log"))
		r.state.WriteProducts(state.Products{Task: task.Name, Key: task.Key(), Files: []state.Produced{{Path: "/p/out/run.log",
			Info: fsys.Info{Kind: fsys.File, MTime: before - int64(time.Hour)}, HasDigest: true, Digest: hasher.Sum(fn, []byte("l"))}}})
		r.mustHit(again, task.Key())
		if at := times(t, ws, task)["/p/out/run.log"]; at < before {
			t.Error("other bytes came back with the time of those that the product list lists")
		}
	})
}

// What is gone altogether comes back with the times that it had, unless an input is newer than one of them.
func TestTimesOfWhatIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := chain()
		r.put(task, task.Key())
		r.mustHit(task, task.Key())
		was := times(t, ws, task)
		oldest := was["/p/out/app"]
		for _, newest := range []func() int64{nil, func() int64 { return oldest }, func() int64 { return oldest + 1 }} {
			if mem, ok := ws.(*memfs.FS); ok {
				mem.Advance(time.Minute)
			}
			must(t, task.Outputs.Remove(ws))
			target := task.Target(ws, r.state)
			target.NewestInput = newest
			if o := cachetest.Hit(bg, r.store, task.Key(), target); o.Miss != nil || o.Err != nil {
				t.Fatal(o.Miss, o.Err)
			}
			got, again := times(t, ws, task), newest == nil || newest() <= oldest
			for path, at := range got {
				if (at == was[path]) != again || at != got["/p/out/app"] {
					t.Errorf("the newest input %v: %s was of %d, and is of %d", !again, path, was[path], at)
				}
			}
		}
	})
}

// Bytes that an older result had do not bring their time back: something was made from others since.
func TestTimesOfAnOlderProducts(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task, other := chain(), chain()
		other.Outputs["/p/out/obj/m.o"] = cachetest.File("another", 0o644)
		r.put(task, task.Key())
		r.put(other, other.Key("other"))
		r.mustHit(task, task.Key())
		was := times(t, ws, task)
		if mem, ok := ws.(*memfs.FS); ok {
			mem.Advance(time.Hour)
		}
		r.mustHit(other, other.Key("other"))
		// Back again: the bytes of that file are of an older product list, so its time is of now.
		r.mustHit(task, task.Key())
		if at := times(t, ws, task)["/p/out/obj/m.o"]; at == was["/p/out/obj/m.o"] {
			t.Error("a time of long ago came back with the bytes")
		}
	})
}
