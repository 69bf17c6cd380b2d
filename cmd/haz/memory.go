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
	collectPercent = 400       // garbage for each byte in use before a collection
	easyMemory     = 160 << 20 // bytes up to which that holds
)

// tameCollector sets the garbage collector up. Who sets GOGC or GOMEMLIMIT knows better.
//
// The limit is a soft one, and must not be one that what is in use comes near to, or the collector would do little else. So it
// grows with that, and is no bound of anything: bounds are where things are read.
func tameCollector() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(collectPercent)
	debug.SetMemoryLimit(easyMemory)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	limit := int64(easyMemory)
	afterEachCollection(func() {
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
