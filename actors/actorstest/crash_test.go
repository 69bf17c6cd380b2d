package actorstest

import "testing"

// A task actor that dies while its process lives: the process is killed, and only when it is gone the task has its outcome and
// its downstreams theirs (4.1; I10).
func TestCrashedTaskActors(t *testing.T) {
	seeds(t, 200, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6})
		r := Run(w, RunOptions{Seed: seed, Faults: Faults{Late: 50, Twice: 300, PanicBusy: true}})
		if len(r.Broken) > 0 {
			return r.Broken
		}
		second := Run(w, RunOptions{Seed: seed + 1})
		if len(second.Broken) > 0 {
			return append([]string{"the run after it:"}, second.Broken...)
		}
		return nil
	})
}
