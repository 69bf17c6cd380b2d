package actorstest

import (
	"testing"

	"github.com/haz-build/haz/messages"
)

// A host, a disk and processes that take their time, and an observer that holds output back, are no reason to give anything up:
// everything that can completes, and nothing is invented (S-10).
func TestSlowRuns(t *testing.T) {
	seeds(t, 400, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true, Overlaps: true})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed), Slow: 30, Tight: seed%2 == 0}
		if seed%4 < 2 {
			f.Late, f.Twice, f.InOrder = 0, 0, true
		}
		if seed%3 == 0 {
			f.CancelAt = 1 + int(seed)%120
		}
		if seed%7 == 0 {
			f.Long = 10
		}
		first := Run(w, RunOptions{Seed: seed, Faults: f, FailFast: seed%5 == 0})
		if len(first.Broken) > 0 {
			return first.Broken
		}
		stored := map[string]bool{}
		for _, o := range first.Result.Outcomes {
			stored[o.Task.String()] = o.Store == messages.Stored
		}
		f.CancelAt = 0
		damaged := seed%5 < 2
		if damaged { // each is set aside, and its task runs again
			w.Damage()
			for i := range w.tasks {
				w.RemoveOutput(i)
			}
		}
		second := Run(w, RunOptions{Seed: seed + 1, Faults: f})
		if len(second.Broken) > 0 {
			return append([]string{"the run after it:"}, second.Broken...)
		}
		if damaged {
			for _, o := range second.Result.Outcomes {
				if o.Source == messages.FromCache && second.Processes[o.Task.String()] == 0 {
					return []string{o.Task.String() + " came from a damaged entry"}
				}
			}
			return nil
		}
		return unexpected(w, first, second, stored)
	})
}

// A run that the third signal ends while much is at work is over at once: what is at work gives back what it holds when it is done,
// an observer that is not in the middle of something sees every end, and one that is sees nothing more (S-28, section 13).
func TestGivenUpRuns(t *testing.T) {
	seeds(t, 500, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true})
		f := Faults{Late: 250, Twice: 50, System: slowSystem(seed), Slow: 80, Tight: seed%2 == 0, CancelAt: 1 + int(seed)%120}
		if seed%4 < 2 {
			f.Late, f.Twice, f.InOrder = 0, 0, true
		}
		f.SecondAt = f.CancelAt + 1 + int(seed)%20
		f.ThirdAt = f.SecondAt + 1 + int(seed)%7
		return runTwice(w, RunOptions{Seed: seed, Faults: f}, RunOptions{Seed: seed + 1})
	})
}
