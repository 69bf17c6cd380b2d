package actorstest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/haz-build/haz/messages"
)

// Tasks that have the terminal run alone, whatever comes late, and hold up nobody for ever (EXEC-060); they are never stored.
func TestAlone(t *testing.T) {
	var alone atomic.Int64
	seeds(t, 300, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 10, Failures: true, Overlaps: seed%4 == 0, Alone: true})
		f := Faults{Late: 80, Twice: 80, System: slowSystem(seed)}
		switch seed % 4 {
		case 1:
			f.CancelAt = 1 + int(seed)%120
		case 2:
			f.PanicBusy = true
		case 3:
			f.Lost = 10
		}
		for i := range int64(2) {
			r := Run(w, RunOptions{Seed: seed + i, Faults: f, FailFast: seed%5 == 0})
			if len(r.Broken) > 0 {
				return r.Broken
			}
			for n, o := range r.Result.Outcomes {
				if !w.Graph.W.Tasks[n].Interactive || o.Status != messages.Completed {
					continue
				}
				alone.Add(1)
				if o.Source == messages.FromCache || o.Store == messages.Stored {
					return []string{fmt.Sprintf("%s has the terminal, and comes from the cache, or goes there", o.Task)}
				}
			}
		}
		return nil
	})
	if alone.Load() == 0 {
		t.Error("nobody had the terminal")
	}
}
