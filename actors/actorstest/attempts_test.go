package actorstest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/haz-build/haz/messages"
)

// A process that would run longer than its timeout ends by it, and no other one does (EXEC-045).
func TestTimeouts(t *testing.T) {
	var expired atomic.Int64
	seeds(t, 200, func(seed int64) (broken []string) {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true, Timeouts: true})
		r := Run(w, RunOptions{Seed: seed, Faults: Faults{InOrder: true}})
		for i, o := range r.Result.Outcomes {
			id := r.Result.Outcomes[i].Task.String()
			if o.Spawned == 0 {
				continue
			}
			if o.TimedOut > 0 {
				expired.Add(1)
			}
			for _, wt := range w.tasks {
				if wt.id() == id && wt.takes != wt.timeout && (o.TimedOut > 0) != (wt.timeout > 0 && wt.takes > wt.timeout) {
					broken = append(broken, fmt.Sprintf("%s takes %v, its timeout is %v, and it ends as %v after %v", id, wt.takes, wt.timeout, o.Status, o.TimedOut))
				}
			}
		}
		return append(broken, r.Broken...)
	})
	if expired.Load() == 0 {
		t.Error("no time ran out")
	}
}

// A process that fails is followed by another one, as often as its task says and no oftener; what a failed one left is gone by then
// (EXEC-046). All of it on 1, 2 and 16 slots.
func TestRetries(t *testing.T) {
	var flaky, given atomic.Int64
	seeds(t, 150, func(seed int64) (broken []string) {
		broken = slotsMakeNoDifference(seed, WorldOptions{MaxTasks: 8, Failures: true, Retries: true})
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true, Retries: true})
		r := Run(w, RunOptions{Seed: seed, Faults: Faults{InOrder: true}})
		for _, o := range r.Result.Outcomes {
			for _, wt := range w.tasks {
				if wt.id() != o.Task.String() || o.Spawned == 0 {
					continue
				}
				want := min(wt.fails, wt.retries) + 1
				if wt.exit != 0 {
					want = wt.retries + 1
				}
				if o.Spawned != want || (o.Status == messages.Completed) != (wt.exit == 0 && wt.fails <= wt.retries) {
					broken = append(broken, fmt.Sprintf("%s fails %d times, may be tried %d times again, and is %v after %d processes", o.Task, wt.fails, wt.retries, o.Status, o.Spawned))
				}
			}
			if o.Flaky() {
				flaky.Add(1)
			}
			if o.Status == messages.Failed && len(o.Failures) > 0 {
				given.Add(1)
			}
		}
		return append(broken, r.Broken...)
	})
	if flaky.Load() == 0 || given.Load() == 0 {
		t.Errorf("%d tasks succeeded on a later attempt, %d failed on the last", flaky.Load(), given.Load())
	}
}

// Whatever else goes wrong meanwhile, all invariants hold, and what ran out of time is not stored.
func TestAttemptsAmongFaults(t *testing.T) {
	seeds(t, 600, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true, Timeouts: true, Retries: true})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		switch seed % 5 {
		case 0:
			f.Lost = 10
		case 1:
			f.PanicAt = 1 + int(seed/2)%150
		case 2:
			f.PanicBusy = true
		case 3:
			f.CancelAt, f.HostCancels = 1+int(seed)%120, seed%2 == 0
			f.SecondAt = f.CancelAt + 1 + int(seed)%20
		case 4:
			f.Slow = 60
		}
		first := Run(w, RunOptions{Seed: seed, Faults: f, FailFast: seed%7 == 0})
		if len(first.Broken) > 0 {
			return first.Broken
		}
		second := Run(w, RunOptions{Seed: seed + 1})
		for i, o := range second.Result.Outcomes {
			if first.Result.Outcomes[i].TimedOut > 0 && o.Status == messages.Completed && o.Source == messages.FromCache {
				return []string{fmt.Sprintf("%s ran out of time, and was stored", o.Task)}
			}
		}
		return second.Broken
	})
}

// A task whose condition does not hold is skipped, and takes nobody along (EXEC-047); in the second run likewise.
func TestConditions(t *testing.T) {
	var after atomic.Int64
	seeds(t, 150, func(seed int64) (broken []string) {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true, LeftOut: true})
		f := Faults{InOrder: seed%2 == 0}
		if !f.InOrder {
			f = Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		}
		for range 2 {
			r := Run(w, RunOptions{Seed: seed, Faults: f})
			done := map[string]bool{}
			for _, o := range r.Result.Outcomes {
				done[o.Task.String()] = o.Status == messages.Completed || o.LeftOut()
			}
			for _, wt := range w.tasks {
				want, behind := !wt.missing && wt.exit == 0, false
				for _, u := range wt.hard {
					want, behind = want && done[w.tasks[u].id()], behind || w.tasks[u].leftOut
				}
				for _, u := range wt.reads {
					want = want && !w.tasks[u].leftOut
				}
				if want && behind && !wt.leftOut {
					after.Add(1)
				}
				if want && !done[wt.id()] {
					broken = append(broken, fmt.Sprintf("%s does not go on", wt.id()))
				}
			}
			if broken = append(broken, r.Broken...); len(broken) > 0 {
				return broken
			}
		}
		return nil
	})
	if after.Load() == 0 && !testing.Short() {
		t.Error("nobody depends on a task that is skipped")
	}
}
