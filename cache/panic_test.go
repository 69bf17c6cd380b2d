package cache_test

import (
	"context"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

func twoBig() *cachetest.Task {
	big := func(digit string) cachetest.Item { return cachetest.File(strings.Repeat(digit, 1<<20), 0o644) }
	return &cachetest.Task{Name: "p:two", Patterns: []string{"/p/out/**"}, Stdout: "done\n", Outputs: cachetest.Tree{
		"/p/out/a": big("a"), "/p/out/b": big("b"), "/p/out/c": cachetest.File("c", 0o644)}}
}

// panicAt is a file system that panics in its k-th call. Once asked whether it has, it works.
func panicAt(mem *memfs.FS, k int) (fsy fsys.FS, reached func() bool) {
	n, armed := 0, true
	ff := faultfs.New(mem, 0, faultfs.Rule{At: -1, Match: func(faultfs.Call) bool {
		if n++; armed && n-1 == k {
			panic("a driver of the host")
		}
		return false
	}})
	return ff, func() bool { armed = false; return n > k }
}

// sweptClean wants that whatever a panic has left belongs to nobody any more: a sweep takes all of it.
func (r *rig) sweptClean() {
	r.t.Helper()
	if _, err := r.store.Clean(bg, cache.CleanOptions{Soft: true}); err != nil {
		r.t.Fatal(err)
	}
	all, err := cachetest.Look(r.ws)
	must(r.t, err)
	for path := range all {
		if strings.Contains(path, "/.tmp-") || strings.Contains(path, "/restore-") {
			r.t.Errorf("held by nobody, and left: %s", path)
		}
	}
}

// A file system that panics anywhere in a restore, also while big blobs are copied side by side, ends neither the program nor
// leaves anything behind: the panic comes out in the goroutine that asked, the tree is as it was or whole, and no staging is held.
func TestPanicsInARestore(t *testing.T) {
	mem := memfs.New()
	task := twoBig()
	newRig(t, mem, cache.Options{}).put(task, task.Key())
	panics, partly := 0, 0
	for k := 0; ; k++ {
		tree := mem.Clone()
		must(t, task.Outputs.Remove(tree))
		fsy, reached := panicAt(tree, k)
		r := newRig(t, fsy, cache.Options{})
		var o cachetest.Outcome
		value := caught(func() { o = cachetest.Hit(context.Background(), r.store, task.Key(), task.Target(fsy, r.state)) })
		if !reached() {
			break
		}
		_ = r.store.Close()
		if value != nil {
			panics++
		}
		after := newRig(t, tree, cache.Options{})
		after.sweptClean()
		got := 0
		for path := range task.Outputs {
			if info, err := tree.Lstat(path); err == nil && info.Kind != fsys.Unknown {
				got++
			}
		}
		if got != 0 && got != len(task.Outputs) {
			partly++
			t.Errorf("panic in call %d: %d of %d outputs are there (%+v)", k, got, len(task.Outputs), o)
		}
		if t.Failed() {
			return
		}
		after.mustHit(task, task.Key())
	}
	if panics < 20 {
		t.Errorf("%d panics came out", panics)
	}
}

// Likewise a store: nothing of it is held, and the same result can be stored afterwards.
func TestPanicsInAStore(t *testing.T) {
	mem := memfs.New()
	task := twoBig()
	must(t, task.Outputs.Write(mem))
	panics := 0
	for k := 0; ; k++ {
		tree := mem.Clone()
		fsy, reached := panicAt(tree, k)
		r := newRig(t, fsy, cache.Options{})
		value := caught(func() { _, _ = cachetest.Store(context.Background(), r.store, task.Request(fn, task.Key())) })
		if !reached() {
			break
		}
		_ = r.store.Close()
		if value != nil {
			panics++
		}
		after := newRig(t, tree, cache.Options{})
		after.sweptClean()
		if _, miss := after.store.Explain(task.Key()); miss != nil { // else it panicked right after it was published
			after.put(task, task.Key())
		}
		must(t, task.Outputs.Remove(tree))
		after.mustHit(task, task.Key())
		if t.Failed() {
			t.Fatalf("after a panic in call %d", k)
		}
	}
	if panics < 20 {
		t.Errorf("%d panics came out", panics)
	}
}

// caught is what f panicked with.
func caught(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}
