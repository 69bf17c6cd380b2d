package actorstest

import (
	"sync"
	"testing"

	"github.com/haz-build/haz/messages"
)

// Single tasks are cancelled and started again, and slots come and go, at any message: there is one outcome a task, one process at a time, no
// process of a task that was cancelled, and no grant beyond the slots (EXEC-083, EXEC-084, EXEC-085).
func TestCommands(t *testing.T) {
	var mu sync.Mutex
	verdicts, restarted, requested := map[messages.Verdict]int{}, 0, 0
	seeds(t, 1000, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true, Overlaps: seed%4 == 0, Timeouts: seed%3 == 0, Finalizers: seed%5 == 0, Retries: seed%2 == 0, Services: seed%3 == 1, Unsteady: seed%6 == 1})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		switch seed % 6 {
		case 1:
			f.CancelAt = 1 + int(seed)%120
		case 2:
			f.Slow = 30
		case 3:
			f.PanicAt = 1 + int(seed)%150
		case 4:
			f.Lost = 5
		}
		r := Run(w, RunOptions{Seed: seed, Faults: f, FailFast: seed%7 == 0, Commands: 40})
		mu.Lock()
		defer mu.Unlock()
		for v, n := range r.Asked {
			verdicts[v] += n
		}
		restarted += r.Restarted
		for _, o := range r.Result.Outcomes {
			if o.Cause == messages.Requested {
				requested++
			}
		}
		if len(r.Broken) > 0 {
			return r.Broken
		}
		if second := Run(w, RunOptions{Seed: seed + 1}); len(second.Broken) > 0 {
			return append([]string{"the run after it:"}, second.Broken...)
		}
		return nil
	})
	for _, v := range []messages.Verdict{messages.Taken, messages.HasEnded, messages.NotExecuting, messages.RunStops, messages.RunIsOver} {
		if verdicts[v] == 0 {
			t.Errorf("nothing that was asked came to %q", v)
		}
	}
	if restarted == 0 || requested == 0 {
		t.Errorf("%d processes were started again, %d tasks cancelled by request", restarted, requested)
	}
	t.Log(verdicts, restarted, requested)
}
