package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

// bigSample has blobs that are copied side by side, and small ones between them.
func bigSample() *cachetest.Task {
	task := &cachetest.Task{Name: "p:big", Patterns: []string{"/p/out/**"}, Outputs: cachetest.Tree{}}
	for i := range 7 {
		text := fmt.Sprintf("%d", i)
		if i%3 < 2 {
			text = strings.Repeat(text, 1<<20+i)
		}
		task.Outputs[fmt.Sprintf("/p/out/%d", i)] = cachetest.File(text, 0o644)
	}
	return task
}

// Blobs that are copied side by side are restored, or refused, as others are.
func TestBigBlobs(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := bigSample()
		r.put(task, task.Key())
		r.mustHit(task, task.Key())
		for path, item := range task.Outputs {
			if item.Kind != fsys.File {
				continue
			}
			must(t, task.Outputs.Remove(ws))
			before := r.tree()
			blob := entryDir(task.Key()) + "/outputs/" + hasher.Sum(fn, []byte(item.Text)).Hex()
			must(t, ws.Chmod(blob, 0o600))
			must(t, cachetest.WriteFile(ws, blob, "x"+item.Text[1:], 0o400))
			o := r.hit(task, task.Key())
			var e *cache.RestoreError
			if !errors.As(o.Err, &e) || !e.Damaged || o.Restored != nil {
				t.Fatalf("%s: outcome %+v", path, o)
			}
			r.same(before)
			if got := r.tree(); got[path].Kind != fsys.Unknown {
				t.Errorf("%s is there", path)
			}
			r.put(task, task.Key())
		}
		r.noLeftovers()
	})
}

// A disk that is full for one of them, or a cancellation in the middle, leaves the tree as it was.
func TestBigBlobsStopTogether(t *testing.T) {
	mem := memfs.New()
	task := bigSample()
	newRig(t, mem, cache.Options{}).put(task, task.Key())
	whole, refused := 0, 0
	for k := 0; k < 40; k += 4 {
		for _, rule := range []faultfs.Rule{
			{At: k, Match: faultfs.Is(faultfs.OpWrite, faultfs.OpOpenWrite)},
			{At: k, Match: faultfs.Is(faultfs.OpRead, faultfs.OpOpen)},
		} {
			ff := faultfs.New(mem.Clone(), uint64(k), rule)
			r := newRig(t, ff, cache.Options{})
			o := r.hit(task, task.Key())
			r.noLeftovers()
			switch got := r.tree(); {
			case o.Restored != nil:
				whole++
				r.same(task.Outputs)
			case got["/p/out/0"].Kind != fsys.Unknown || got["/p/out/3"].Kind != fsys.Unknown:
				t.Errorf("%v at %d: %v, and a part is there", ff.Injected(), k, o.Err)
			default:
				refused++
			}
		}
		ctx, cancel := context.WithCancel(bg)
		n := 0
		ff := faultfs.New(mem.Clone(), 0, faultfs.Rule{Match: func(faultfs.Call) bool {
			if n++; n == 5*k {
				cancel()
			}
			return false
		}})
		r := newRig(t, ff, cache.Options{})
		o := cachetest.Hit(ctx, r.store, task.Key(), task.Target(ff, r.state))
		cancel()
		r.noLeftovers()
		if got := r.tree(); o.Restored == nil && got["/p/out/0"].Kind != fsys.Unknown {
			t.Errorf("cancelled at %d: %v, and a part is there", 5*k, o.Err)
		}
	}
	if whole == 0 || refused == 0 {
		t.Errorf("%d restored, %d refused", whole, refused)
	}
}
