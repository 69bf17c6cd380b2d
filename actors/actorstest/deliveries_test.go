package actorstest

import (
	"sync"
	"testing"

	"github.com/haz-build/haz/messages"
)

// What a task costs in messages (ARCHITECTURE.md), all kinds and receivers counted, beside one word of each further upstream, one event
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
		for _, most := range []int{deliveriesOfRun, deliveriesOfHit} {
			r := Run(w, RunOptions{Seed: seed, Faults: Faults{InOrder: true}})
			if len(r.Broken) > 0 {
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
		return nil
	})
	t.Logf("at most %d of %d for a run, %d of %d for a hit", seen[deliveriesOfRun], deliveriesOfRun, seen[deliveriesOfHit], deliveriesOfHit)
}
