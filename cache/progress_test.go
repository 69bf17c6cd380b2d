package cache_test

import (
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// S-35: a store in progress survives the sweep of another haz that comes between any of its steps, and is whole afterwards.
func TestStoreInProgressIsLocked(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		must(t, task.Outputs.Write(ws))
		// The first has a lock of its own, those after it share one.
		var staged []*cache.Staged
		for range 4 {
			st, err := r.store.Stage(bg, task.Request(fn, task.Key()))
			must(t, err)
			staged = append(staged, st)
		}
		must(t, cachetest.Tree{layout.StateDir: cachetest.Dir(0o700)}.Write(ws))
		other := newRig(t, ws, cache.Options{})
		if got := other.store.Sweep(bg, cache.SweepOptions{}); !got.Ran || got.Removed != 0 {
			t.Errorf("the sweep: %+v", got)
		}
		for i, st := range staged {
			if already, err := st.Publish(); already != (i > 0) || err != nil {
				t.Fatalf("%d: already there %v, %v", i, already, err)
			}
		}
		must(t, task.Outputs.Remove(ws))
		r.mustHit(task, task.Key())
		r.noLeftovers()
	})
}
