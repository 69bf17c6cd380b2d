package cache_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

// smallTask is the task of the peer benchmarks: one output of 4 KiB, no text.
func smallTask(i int) *cachetest.Task {
	return &cachetest.Task{Name: fmt.Sprintf("p%05d:build", i), Patterns: []string{fmt.Sprintf("/p/p%05d/out/result", i)},
		Outputs: cachetest.Tree{fmt.Sprintf("/p/p%05d/out/result", i): cachetest.File(strings.Repeat(fmt.Sprintf("%08d", i), 512), 0o644)}}
}

type benchRig struct {
	ws    fsys.FS
	store *cache.Store
	state *state.State
	tasks []*cachetest.Task
}

func newBench(b *testing.B, n int) *benchRig {
	ws, err := fsys.Host(b.TempDir())
	must(b, err)
	b.Cleanup(func() { ws.Close() })
	st := state.Open(ws, fn)
	r := &benchRig{ws: ws, state: st, store: cache.Open(ws, cache.Options{State: st})}
	b.Cleanup(func() { r.store.Close() })
	for i := range n {
		task := smallTask(i)
		must(b, task.Outputs.Write(ws))
		r.tasks = append(r.tasks, task)
	}
	return r
}

func (r *benchRig) request(i, round int) cache.StoreRequest {
	q := r.tasks[i].Request(fn, r.tasks[i].Key(fmt.Sprint(round)))
	q.CreatedAt = time.Now().Unix()
	return q
}

func BenchmarkStore(b *testing.B) {
	r := newBench(b, 1)
	b.ReportAllocs()
	round := 0
	for b.Loop() {
		round++
		if _, err := cachetest.Store(bg, r.store, r.request(0, round)); err != nil {
			b.Fatal(err)
		}
	}
}

func (r *benchRig) fill(b *testing.B) {
	for i := range r.tasks {
		if _, err := cachetest.Store(bg, r.store, r.request(i, 0)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	r := newBench(b, 1)
	r.fill(b)
	k := r.tasks[0].Key("0")
	b.ReportAllocs()
	for b.Loop() {
		if _, miss := r.store.Lookup(k); miss != nil {
			b.Fatal(miss)
		}
	}
}

// A hit whose outputs are right: lookup, compare, streams, product list, with a stat index that knows the outputs.
func BenchmarkNothingToDo(b *testing.B) {
	r := newBench(b, 1)
	r.fill(b)
	time.Sleep(2100 * time.Millisecond) // older than the racy window
	task, k := r.tasks[0], r.tasks[0].Key("0")
	target := task.Target(r.ws, r.state)
	if o := cachetest.Hit(bg, r.store, k, target); o.Err != nil || !o.Nothing {
		b.Fatal(o)
	}
	target = task.Target(r.ws, r.state)
	b.ReportAllocs()
	for b.Loop() {
		if o := cachetest.Hit(bg, r.store, k, target); o.Err != nil || !o.Nothing {
			b.Fatal(o)
		}
	}
}

func BenchmarkRestore(b *testing.B) {
	for _, name := range []string{"deleted", "changed"} {
		b.Run(name, func(b *testing.B) {
			r := newBench(b, 1)
			r.fill(b)
			task, k := r.tasks[0], r.tasks[0].Key("0")
			path := task.Outputs.Paths()[0]
			target := task.Target(r.ws, r.state)
			b.ReportAllocs()
			for b.Loop() {
				if name == "deleted" {
					must(b, r.ws.Remove(path))
				} else {
					must(b, cachetest.WriteFile(r.ws, path, "other", 0o644))
				}
				if o := cachetest.Hit(bg, r.store, k, target); o.Err != nil || o.Nothing {
					b.Fatal(o.Err)
				}
			}
		})
	}
}

// To be compared with cp of a file of that size.
func BenchmarkRestoreBig(b *testing.B) {
	const size = 256 << 20
	r := newBench(b, 0)
	task := &cachetest.Task{Name: "p:big", Patterns: []string{"/big"}, Outputs: cachetest.Tree{"/big": cachetest.File(strings.Repeat("0123456789abcdef", size/16), 0o644)}}
	must(b, task.Outputs.Write(r.ws))
	r.tasks = append(r.tasks, task)
	r.fill(b)
	target := task.Target(r.ws, r.state)
	b.SetBytes(size)
	for b.Loop() {
		must(b, r.ws.Remove("/big"))
		if o := cachetest.Hit(bg, r.store, task.Key("0"), target); o.Err != nil || o.Nothing {
			b.Fatal(o.Err)
		}
	}
}
