package cache_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// Section 10: several handles on one cache, as several haz have them, store, restore, clean and clear at once. Nobody ever
// sees a wrong byte, and every failure is one of the allowed kinds.
func TestConcurrentHandles(t *testing.T) {
	ws := disk(t)
	const handles, keys = 4, 3
	rounds := pick(30, 400)
	var hits, misses, stores, refused atomic.Int64
	var group sync.WaitGroup
	for h := range handles {
		// Task locks (S-36) keep two haz from restoring one task at once, so each has targets of its own; keys are shared.
		group.Go(func() {
			task := func(n int) *cachetest.Task {
				dir := fmt.Sprintf("/p%d/out", h)
				return &cachetest.Task{Name: "p:t", Patterns: []string{dir + "/*"}, Stdout: fmt.Sprint("out", n),
					Outputs: cachetest.Tree{dir + "/a": cachetest.File(fmt.Sprint("content", n), 0o644), dir + "/b": cachetest.File(big, 0o755)}}
			}
			st := state.Open(ws, fn)
			s := cachetest.Open(ws, cache.Options{State: st})
			defer s.Close()
			for round := range rounds {
				n := (round + h) % keys
				my := task(n)
				k := hasher.Sum(fn, fmt.Append(nil, h/2, n)) // two handles share each key, and with it the recorded paths
				owner := task(n)
				if h%2 == 1 {
					owner = my
				}
				o := cachetest.Hit(bg, s, k, my.Target(ws, st))
				var e *cache.RestoreError
				switch {
				case o.Miss != nil:
					misses.Add(1)
					if o.Miss.Reason == entry.Unreadable {
						t.Errorf("handle %d: %v", h, o.Miss)
					}
				case errors.As(o.Err, &e):
					refused.Add(1) // cleared under our hands, or an entry with the paths of the other handle
				case o.Err != nil:
					t.Errorf("handle %d: %v", h, o.Err)
				default:
					hits.Add(1)
					if string(o.Restored.Stdout.Bytes) != my.Stdout {
						t.Errorf("handle %d: stdout %q", h, o.Restored.Stdout.Bytes)
					}
					for path, item := range my.Outputs {
						b, _, err := ws.ReadFile(path, 0)
						if err != nil || string(b) != item.Text {
							t.Errorf("handle %d: %s: %v", h, path, err)
						}
					}
				}
				if o.Miss != nil || o.Err != nil {
					must(t, owner.Outputs.Write(ws))
					q := owner.Request(fn, k)
					q.Replace = round%5 == 0
					if _, err := cachetest.Store(bg, s, q); err == nil {
						stores.Add(1)
					}
				} else {
					must(t, my.Outputs.Remove(ws))
				}
				switch {
				case h == 0 && round%7 == 6:
					if err := s.Clear(bg); err != nil {
						t.Errorf("clear: %v", err)
					}
				case h == 1 && round%5 == 4:
					zero := int64(0)
					if r, err := s.Clean(bg, cache.CleanOptions{Soft: true, MaxSize: &zero}); err != nil || len(r.Failures) > 0 {
						t.Errorf("clean: %+v, %v", r, err)
					}
				case round%3 == 0:
					if _, err := s.Info(bg); err != nil {
						t.Errorf("info: %v", err)
					}
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d hits, %d misses, %d stores, %d refused", hits.Load(), misses.Load(), stores.Load(), refused.Load())
	if hits.Load() == 0 || stores.Load() == 0 {
		t.Error("nothing happened")
	}
	s := cachetest.Open(ws, cache.Options{})
	defer s.Close()
	if _, err := s.Clean(bg, cache.CleanOptions{Soft: true}); err != nil {
		t.Error(err)
	}
	(&rig{t: t, ws: ws}).noLeftovers()
}

// meanwhile makes the cache, as another haz does, between our finding none and our look at what lies there.
type meanwhile struct {
	fsys.FS
	done bool
}

func (m *meanwhile) Sub(dir string) (fsys.FS, error) {
	d, err := m.FS.Sub(dir)
	if dir == layout.CacheDir && err != nil && !m.done {
		m.done = true
		if err := m.FS.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	return d, err
}

// Two haz in a fresh workspace: what one of them stores while the other makes the cache is stored.
func TestCacheMadeMeanwhile(t *testing.T) {
	ws := &meanwhile{FS: memfs.New()}
	s := cachetest.Open(ws, cache.Options{})
	defer s.Close()
	k := hasher.Sum(digest.BLAKE3, []byte("k"))
	if _, miss := s.Lookup(k); miss == nil || miss.Reason != entry.NoEntry {
		t.Errorf("an empty cache: %v", miss)
	}
	if !ws.done || len(s.Trouble()) > 0 {
		t.Errorf("made: %v; trouble: %q", ws.done, s.Trouble())
	}
}

// A run in progress is not harmed when somebody clears the cache: what it had is gone, what it stores then is there (9).
func TestClearedByAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		r.put(task, task.Key())
		other := newRig(t, ws, cache.Options{})
		must(t, other.store.Clear(bg))
		if _, miss := r.store.Lookup(task.Key()); miss == nil || miss.Reason != entry.NoEntry {
			t.Error(miss)
		}
		r.put(task, task.Key())
		r.mustHit(task, task.Key())
		must(t, task.Outputs.Remove(ws))
		other.mustHit(task, task.Key())
		if r.store.Trouble() != nil {
			t.Error(r.store.Trouble())
		}
	})
}

// One handle serves many workers at once.
func TestConcurrentWorkers(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		var publish sync.Mutex // the cache actor
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				task := sample()
				outs := cachetest.Tree{}
				for path, item := range task.Outputs {
					outs[fmt.Sprintf("/w%d%s", w, path)] = item
				}
				task.Name, task.Outputs, task.Patterns = fmt.Sprintf("w%d:t", w), outs, []string{fmt.Sprintf("/w%d/**", w)}
				must(t, outs.Write(ws))
				staged, err := r.store.Stage(bg, task.Request(fn, task.Key()))
				if err != nil {
					t.Error(err)
					return
				}
				publish.Lock()
				_, err = staged.Publish()
				publish.Unlock()
				if err != nil {
					t.Error(err)
				}
				must(t, outs.Remove(ws))
				if o := r.hit(task, task.Key()); o.Miss != nil || o.Err != nil {
					t.Errorf("%v, %v", o.Miss, o.Err)
				}
				must(t, outs.Remove(ws))
				if o := r.hit(task, task.Key()); o.Miss != nil || o.Err != nil || o.Nothing {
					t.Errorf("%v, %v", o.Miss, o.Err)
				}
			})
		}
		group.Wait()
		r.store.Finish()
		r.noLeftovers()
	})
}
