package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A short-lived process that allocates some ten bytes per byte it keeps: collecting half as often, or less, is worth its memory
// as long as that is little. Where it would become much, the collector works harder.
const (
	firstCollection = 32 << 20  // bytes of heap before anything is collected: a run over some hundred tasks with nothing to do ends before it
	collectPercent  = 400       // garbage for each byte in use before a collection, from then on
	easyMemory      = 160 << 20 // bytes up to which that holds
)

// runtimeMinimum is the heap at which the runtime collects for the first time with a percentage of 100; it grows with that.
const runtimeMinimum = 4 << 20

// tameCollector sets the garbage collector up. Who sets GOGC or GOMEMLIMIT knows better.
//
// The limit is a soft one, and must not be one that what is in use comes near to, or the collector would do little else. So it
// grows with that, and is no bound of anything: bounds are where things are read.
func tameCollector() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(100 * firstCollection / runtimeMinimum)
	debug.SetMemoryLimit(easyMemory)
	first := true
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	limit := int64(easyMemory)
	afterEachCollection(func() {
		if first {
			first = false
			debug.SetGCPercent(collectPercent)
		}
		metrics.Read(live)
		if want := memoryLimit(live[0].Value.Uint64()); want != limit {
			limit = want
			debug.SetMemoryLimit(limit)
		}
	})
}

// memoryLimit is the soft limit, in bytes, where a collection has left so much: a quarter as much again has room.
func memoryLimit(live uint64) int64 {
	return int64(max(easyMemory, live+live/4))
}

// afterEachCollection calls f some time after each collection, on a goroutine of the runtime: f must be short.
func afterEachCollection(f func()) {
	type sentinel struct{ _ *byte } // with a pointer: what has none may share its memory with others, and live as long as they
	var arm func(*sentinel)
	arm = func(*sentinel) {
		f()
		runtime.SetFinalizer(&sentinel{new(byte)}, arm)
	}
	runtime.SetFinalizer(&sentinel{new(byte)}, arm)
}
