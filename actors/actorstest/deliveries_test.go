package actorstest

import (
	"sync"
	"testing"

	"github.com/haz-build/haz/messages"
)

// What a task costs in messages (ARCHITECTURE.md; nothing when it is settled, EXEC-053), all kinds and receivers counted, beside one word of each further upstream, one event
// of each further piece of output, and notes. In the order of life: a release that comes after who waits for it costs a wait.
const (
	deliveriesOfHit = 14
	deliveriesOfRun = 30
)

func TestDeliveries(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]int{}
	seeds(t, 60, func(seed int64) (broken []string) {
		w := world(seed, WorldOptions{MaxTasks: 12})
		var last *Report
		for _, most := range []int{deliveriesOfRun, deliveriesOfHit} {
			r := Run(w, RunOptions{Seed: seed, Faults: Faults{InOrder: true}})
			if last = r; len(r.Broken) > 0 {
				return r.Broken
			}
			cached := most == deliveriesOfHit
			for i, o := range r.Result.Outcomes {
				if cached && o.Source != messages.FromCache {
					continue
				}
				mu.Lock()
				seen[most] = max(seen[most], r.Deliveries[i])
				mu.Unlock()
				if n := r.Deliveries[i]; n > most || n == 0 {
					t.Errorf("seed %d: %d messages for %s, of at most %d", seed, n, o.Task, most)
				}
			}
		}
		s := NewSettling(w, last, seed, 800)
		r := Run(w, RunOptions{Seed: seed, Faults: Faults{InOrder: true}, Settled: s})
		for i, o := range r.Result.Outcomes {
			if n := r.Deliveries[i]; (n == 0) != s.Has(o.Task.String()) {
				t.Errorf("seed %d: %d messages for %s, which is settled: %v", seed, n, o.Task, s.Has(o.Task.String()))
			}
		}
		return r.Broken
	})
	t.Logf("at most %d of %d for a run, %d of %d for a hit", seen[deliveriesOfRun], deliveriesOfRun, seen[deliveriesOfHit], deliveriesOfHit)
}
