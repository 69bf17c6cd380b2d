package fsys

import (
	"slices"
	"sync"
	"testing"
)

// A call is told of once, after so many looks, and only if it was the same one all the time.
func TestCallsThatDoNotReturn(t *testing.T) {
	b := &callBoard{}
	if b.enter("/ws", "/p/unwatched") != nil {
		t.Error("a call is noted, and nobody watches")
	}
	b.watched.Store(true)
	stuck := b.enter("/ws", "/p/stuck")
	same := b.enter("/ws", "p/stuck")
	w := watch{looks: 3}
	free := 0 // a place that each of the quick ones gets
	for b.calls[free].busy.Load() {
		free++
	}
	for i := range 10 {
		quick := &b.calls[free]
		quick.busy.Store(true)
		quick.dir, quick.name = "/ws", "/p/quick"
		var want []string
		switch i {
		case 3:
			want = []string{"/ws/p/stuck"}
		case 8:
			want = []string{"/ws/p/late"}
		}
		if got := w.look(b); !slices.Equal(got, want) {
			t.Errorf("look %d: %v, want %v", i, got, want)
		}
		if i == 4 {
			stuck.leave()
			same.leave()
			stuck = b.enter("/ws", "/p/late")
		}
		quick.leave()
	}
	stuck.leave()
}

// More calls than there are places for are made all the same, and places are given back.
func TestManyCallsAtOnce(t *testing.T) {
	b := &callBoard{}
	b.watched.Store(true)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 100 {
				var held []*call
				for range 50 {
					held = append(held, b.enter("/ws", "/p"))
				}
				for _, c := range held {
					c.leave()
				}
			}
		})
	}
	all.Go(func() {
		var w watch
		for range 100 {
			w.look(b)
		}
	})
	all.Wait()
	for i := range b.calls {
		if b.calls[i].busy.Load() {
			t.Fatal("a place is taken, and nobody is there")
		}
	}
}

func BenchmarkWatchedCall(b *testing.B) {
	board := &callBoard{}
	board.watched.Store(true)
	b.ReportAllocs()
	for b.Loop() {
		board.enter("/ws", "/p/src/main.go").leave()
	}
}
