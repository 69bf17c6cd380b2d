package main

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// The soft limit of memory is never one that what is in use comes near to.
func TestMemoryLimit(t *testing.T) {
	for _, tt := range []struct{ live, want uint64 }{
		{0, easyMemory}, {100 << 20, easyMemory}, {easyMemory, easyMemory * 5 / 4}, {8 << 30, 10 << 30},
	} {
		if got := memoryLimit(tt.live); got != int64(tt.want) {
			t.Errorf("%d bytes in use: limit %d, want %d", tt.live, got, tt.want)
		}
	}
}

// What is to be done after each collection is done again and again.
func TestAfterEachCollection(t *testing.T) {
	var count atomic.Int64
	afterEachCollection(func() { count.Add(1) })
	for range 3 {
		was := count.Load()
		for range 1000 {
			if runtime.GC(); count.Load() > was {
				break
			}
			time.Sleep(time.Millisecond) // finalizers have a goroutine of their own
		}
		if count.Load() == was {
			t.Fatal("nothing was done after a collection")
		}
	}
}
