// Package parallel does the same for many numbers at once, on goroutines that have ended when it returns. Whoever calls it asks file systems of hosts, which
// may panic: a panic comes out where it was called, and not in a goroutine, where nobody can catch it.
package parallel

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Pieces calls do for pieces of 0 … n-1, of at most size numbers each, on at most so many goroutines, the caller's included. It ends early, with false, when one
// says no, and with a panic that has the text and the stack of the first one in do. At least one goroutine is used; size is at least 1.
func Pieces(n, size, workers int, do func(from, to int) bool) (all bool) {
	var next atomic.Int64
	var stopped atomic.Bool
	var crash atomic.Pointer[string]
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				text := fmt.Sprintf("%v\n%s", r, debug.Stack())
				crash.CompareAndSwap(nil, &text)
				stopped.Store(true)
			}
		}()
		for !stopped.Load() {
			from := int(next.Add(int64(size))) - size
			if from >= n {
				return
			}
			if !do(from, min(from+size, n)) {
				stopped.Store(true)
			}
		}
	}
	var others sync.WaitGroup
	for range min(workers, (n+size-1)/size) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	if text := crash.Load(); text != nil {
		panic(*text)
	}
	return !stopped.Load()
}

// Each calls do for 0 … n-1 on all usable CPUs. It ends early when the context does, and with a panic as Pieces.
func Each(ctx context.Context, n int, do func(i int)) {
	cpus := runtime.GOMAXPROCS(0)
	size := max(1, min(n/(16*cpus), 16)) // some at a time, so that little is said between CPUs; few, so that all end at once
	Pieces(n, size, cpus, func(from, to int) bool {
		if ctx.Err() != nil {
			return false
		}
		for i := from; i < to; i++ {
			do(i)
		}
		return true
	})
}
