package cache_test

import (
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// S-60: a restore of what a product list says already leaves it alone, and whoever goes by it does the same as before; where the old
// stat is needed, or reading would cost more than it saves, it is written.
func TestProductListThatSaysTheSame(t *testing.T) {
	link := cachetest.Tree{"/p/out/l": cachetest.Link("x"), "/p/out/d": cachetest.Dir(0o750), "/p/out/x": cachetest.File("x", 0o644)}
	nine := cachetest.Tree{}
	for _, n := range strings.Fields("1 2 3 4 5 6 7 8 9") {
		nine["/p/out/"+n] = cachetest.File(n, 0o644)
	}
	for what, c := range map[string]struct {
		outs    cachetest.Tree
		change  func(r *rig, l *state.Products)
		newer   bool // an input is newer than what was there
		written bool
	}{
		"the same":            {outs: link},
		"an input is newer":   {outs: link, newer: true, written: true},
		"nobody may read it":  {outs: cachetest.Tree{"/p/out/x": cachetest.File("x", 0o200)}, written: true},
		"more than a few":     {outs: nine, written: true},
		"too large":           {outs: cachetest.Tree{"/p/out/x": cachetest.File(strings.Repeat("x", 64<<10+1), 0o644)}, written: true},
		"another mode":        {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Files[2].Info.Perm = 0o600 }},
		"another mode of dir": {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Files[0].Info.Perm = 0o700 }},
		"another digest":      {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Files[2].Digest[0]++ }},
		"another text":        {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Files[1].LinkText = "y" }},
		"found":               {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Files[2].Found = true }},
		"one row less":        {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Files = l.Files[:2] }},
		"unfinished":          {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Unfinished = true }},
		"running":             {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Running = true }},
		"another key":         {outs: link, written: true, change: func(_ *rig, l *state.Products) { l.Key[0]++ }},
	} {
		t.Run(what, func(t *testing.T) {
			mem := memfs.New()
			task := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/out/**"}, Outputs: c.outs}
			r := newRig(t, mem, cache.Options{})
			r.put(task, task.Key())
			r.mustHit(task, task.Key())
			if c.change != nil {
				l := r.state.Products(task.Name)
				c.change(r, &l)
				r.state.WriteProducts(l)
			}
			must(t, task.Outputs.Remove(mem))
			mem.Advance(time.Minute)
			before := r.state.ProductMarks([]string{task.Name})[0]
			target := task.Target(mem, r.state)
			if c.newer {
				target.NewestInput = func() int64 { return mem.Now().UnixNano() }
			}
			o := cachetest.Hit(bg, r.store, task.Key(), target)
			if o.Miss != nil || o.Err != nil {
				t.Fatal(o.Miss, o.Err)
			}
			r.same(task.Outputs)
			if written := r.state.ProductMarks([]string{task.Name})[0] != before; written != c.written {
				t.Errorf("written: %v", written)
			}
			for _, f := range o.Restored.Products.Files { // what the run goes by is what lies there
				if now, err := mem.Lstat(f.Path); err != nil || f.Info != now {
					t.Errorf("%s: %+v, but %+v lies there, %v", f.Path, f.Info, now, err)
				}
			}
			if o := r.mustHit(task, task.Key()); !o.Nothing {
				t.Error("not at rest")
			}
			taken, err := r.store.TakeAway(bg, task.Key("next"), task.Target(mem, r.state))
			must(t, err)
			defer taken.Drop()
			for path := range task.Outputs {
				if _, err := mem.Lstat(path); err == nil {
					t.Errorf("%s is not taken for the task's", path)
				}
			}
		})
	}
}

// S-60: a product list that could not be read says nothing.
func TestProductListThatIsGone(t *testing.T) {
	mem := memfs.New()
	task := smallOnes(1)
	r := newRig(t, mem, cache.Options{})
	r.put(task, task.Key())
	r.mustHit(task, task.Key())
	must(t, task.Outputs.Remove(mem))
	must(t, mem.RemoveAll(layout.StateDir))
	again := newRig(t, mem, cache.Options{})
	again.mustHit(task, task.Key())
	if l := again.state.Products(task.Name); len(l.Files) != 1 || l.Files[0].Found {
		t.Errorf("%+v", l)
	}
}
