package actors

import (
	"sync"
	"time"
)

// timers are those of one run. They end with it: what would come afterwards finds nobody, and would keep all of the run in memory
// until then.
type timers struct {
	clock Clock

	mu     sync.Mutex
	next   int
	live   map[int]func() bool
	closed bool
}

func newTimers(c Clock) *timers { return &timers{clock: c, live: map[int]func() bool{}} }

// after calls f after d, in a goroutine of the clock's, unless it is stopped or the run ends before.
func (t *timers) after(d time.Duration, f func()) (stop func()) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return func() {}
	}
	id := t.next
	t.next++
	t.live[id] = nil // until the clock has said how it is stopped
	t.mu.Unlock()
	halt := t.clock.AfterFunc(d, func() {
		if t.forget(id) {
			f()
		}
	})
	t.mu.Lock()
	if _, waits := t.live[id]; waits {
		t.live[id] = halt
	}
	t.mu.Unlock()
	return func() {
		if t.forget(id) {
			halt()
		}
	}
}

// forget reports whether the timer was still to come.
func (t *timers) forget(id int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, waits := t.live[id]
	delete(t.live, id)
	return waits
}

// close stops all.
func (t *timers) close() {
	t.mu.Lock()
	live := t.live
	t.live, t.closed = nil, true
	t.mu.Unlock()
	for _, halt := range live {
		if halt != nil {
			halt()
		}
	}
}
