package actors

import (
	"sync"
	"time"
)

// budget bounds the bytes of output on their way to the observer, so that a slow terminal holds its tasks back instead of
// filling memory. Once opened (the run is being killed) nobody waits any more: what does not fit is not shown.
type budget struct {
	mu        sync.Mutex
	room      *sync.Cond
	free      int
	unbounded bool
	opened    bool
}

func newBudget(bytes int, unbounded bool) *budget {
	b := &budget{free: bytes, unbounded: unbounded}
	b.room = sync.NewCond(&b.mu)
	return b
}

// acquire waits for room for n bytes and reports whether it was given.
func (b *budget) acquire(n int) bool {
	if b.unbounded {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.free < n && !b.opened {
		b.room.Wait()
	}
	if b.free < n {
		return false
	}
	b.free -= n
	return true
}

func (b *budget) release(n int) {
	b.mu.Lock()
	b.free += n
	b.mu.Unlock()
	b.room.Broadcast()
}

// open lets everybody pass who waits, now and later.
func (b *budget) open() {
	b.mu.Lock()
	b.opened = true
	b.mu.Unlock()
	b.room.Broadcast()
}

// openLater opens after a while: a cancelled run shows what its tasks say while they end, but does not wait for ever.
func (b *budget) openLater(c Clock, d time.Duration) { c.AfterFunc(d, b.open) }
