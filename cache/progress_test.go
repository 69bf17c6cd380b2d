package cache_test

import (
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys"
)

// S-35: a store in progress survives the sweep of another haz that comes between any of its steps, and is whole afterwards.
func TestStoreInProgressIsLocked(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		must(t, task.Outputs.Write(ws))
		st, err := r.store.Stage(bg, task.Request(fn, task.Key()))
		must(t, err)
		must(t, cachetest.Tree{"/.haz/state": cachetest.Dir(0o700)}.Write(ws))
		other := newRig(t, ws, cache.Options{})
		if got := other.store.Sweep(bg, cache.SweepOptions{}); !got.Ran || got.Removed != 0 {
			t.Errorf("the sweep: %+v", got)
		}
		if already, err := st.Publish(); already || err != nil {
			t.Fatalf("already there %v, %v", already, err)
		}
		must(t, task.Outputs.Remove(ws))
		r.mustHit(task, task.Key())
		r.noLeftovers()
	})
}
