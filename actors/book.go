package actors

import (
	"sync"
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
)

// book is the ledger with a lock, so that the root can still read it when the supervisor is dead.
type book struct {
	mu sync.Mutex
	l  *schedule.Ledger
}

func (b *book) begin() []schedule.Command {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.l.Begin()
}

func (b *book) step(now time.Time, m any) []schedule.Command {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.l.Step(now, m)
}

func (b *book) report() ([]messages.Outcome, []messages.Violation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.l.Report()
}

func (b *book) cancelled() (bool, messages.CancelRun) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.l.Cancelled()
}

func (b *book) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.l.Ended()
}

func (b *book) stopsStarts() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.l.StopsStarts()
}

func (b *book) spares(task int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.l.Spares(task)
}

func (b *book) complete(now time.Time, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.l.Complete(now, reason)
}
