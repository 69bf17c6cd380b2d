package parallel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// Each number once, in pieces of the size that was asked for, whatever the number of goroutines.
func TestPieces(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 1000} {
		for _, workers := range []int{0, 1, 2, 7} {
			times := make([]atomic.Int32, n)
			all := Pieces(n, 64, workers, func(from, to int) bool {
				if to-from > 64 || to <= from {
					t.Errorf("%d to %d", from, to)
				}
				for i := from; i < to; i++ {
					times[i].Add(1)
				}
				return true
			})
			if !all {
				t.Errorf("%d on %d: stopped", n, workers)
			}
			for i := range times {
				if times[i].Load() != 1 {
					t.Errorf("%d on %d: %d came %d times", n, workers, i, times[i].Load())
				}
			}
		}
	}
}

// Who says no ends it, and so does a panic, which comes out with the stack of where it was.
func TestPiecesEnd(t *testing.T) {
	var calls atomic.Int32
	if Pieces(1000, 1, 1, func(from, _ int) bool { calls.Add(1); return from < 3 }) || calls.Load() != 4 {
		t.Errorf("%d calls", calls.Load())
	}
	for _, workers := range []int{1, 4} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "odd disk\n") || !strings.Contains(text, "oddDisk") {
					t.Errorf("on %d: %q", workers, text)
				}
			}()
			Pieces(1000, 1, workers, func(from, _ int) bool { oddDisk(from); return true })
			t.Errorf("on %d: no panic", workers)
		}()
	}
}

func oddDisk(i int) {
	if i == 7 {
		panic("odd disk")
	}
}

// Each number once; a panic comes out, and a context that has ended ends it.
func TestEach(t *testing.T) {
	var sum atomic.Int64
	Each(t.Context(), 1000, func(i int) { sum.Add(int64(i)) })
	if sum.Load() != 499500 {
		t.Errorf("sum %d", sum.Load())
	}
	func() {
		defer func() {
			if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "at seven") {
				t.Errorf("recovered %v", r)
			}
		}()
		Each(t.Context(), 10, func(i int) {
			if i == 7 {
				panic(errors.New("at seven"))
			}
		})
	}()
	ctx, end := context.WithCancel(t.Context())
	end()
	Each(ctx, 10, func(int) { t.Error("work after the end") })
}

// One that ends meanwhile does as well.
func TestEachEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int64
	Each(ctx, 1_000_000, func(int) {
		if calls.Add(1) == 100 {
			cancel()
		}
	})
	if calls.Load() > 500_000 {
		t.Errorf("%d calls after the context had ended", calls.Load())
	}
}
