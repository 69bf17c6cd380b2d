package actors

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Everything that is handed to the pool runs, also while others wait for it and after close; goroutines are used again, and
// none is left in the end.
func TestPool(t *testing.T) {
	before := runtime.NumGoroutine()
	p := &pool{}
	var ran atomic.Int32
	for round := range 3 {
		var group sync.WaitGroup
		gate := make(chan struct{})
		const blocked = 2 * maxIdle // at once, each waiting for the last
		for i := range blocked {
			group.Add(1)
			p.Schedule(func() {
				defer group.Done()
				ran.Add(1)
				if i == blocked-1 {
					close(gate)
				}
				<-gate
			})
		}
		group.Wait()
		if round == 1 {
			p.close()
		}
	}
	if n := ran.Load(); n != 6*maxIdle {
		t.Errorf("%d ran, want %d", n, 6*maxIdle)
	}
	for began := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// One after the other, all run in one goroutine.
func TestPoolReuses(t *testing.T) {
	p := &pool{}
	defer p.close()
	for range 100 {
		done := make(chan struct{})
		p.Schedule(func() { close(done) })
		<-done
		for began := time.Now(); ; time.Sleep(10 * time.Microsecond) {
			p.mu.Lock()
			idle := len(p.idle)
			p.mu.Unlock()
			if idle == 1 {
				break
			}
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%d are idle, want 1", idle)
			}
		}
	}
}
