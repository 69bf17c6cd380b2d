package actors

import "sync"

// budget bounds what is on its way to the observer, so that a slow terminal holds its tasks back instead of filling memory:
// bytes, and events too, since a thousand empty lines are small, but their events are not. Once opened (the run is being killed)
// nobody waits any more: what does not fit is not shown.
type budget struct {
	mu     sync.Mutex
	room   *sync.Cond
	free   int
	opened bool
	await  func(try func() bool) // Hooks.Await
}

// eventCost is what an event counts beside its bytes: message, envelope, slices, a place in the mailbox.
const eventCost = 256

// largestPiece is how many bytes travel in one event at most, so that any Write fits in time.
const largestPiece = 256 << 10

func newBudget(bytes int, await func(func() bool)) *budget {
	b := &budget{free: bytes, await: await}
	b.room = sync.NewCond(&b.mu)
	return b
}

// acquire waits for room for an event of n bytes and reports whether it was given.
func (b *budget) acquire(n int) (given bool) {
	n += eventCost
	decided := func() bool {
		if b.free >= n {
			b.free -= n
			given = true
		}
		return given || b.opened
	}
	if b.await != nil {
		b.await(func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return decided()
		})
		return given
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for !decided() {
		b.room.Wait()
	}
	return given
}

func (b *budget) release(n int) {
	b.mu.Lock()
	b.free += n + eventCost
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
