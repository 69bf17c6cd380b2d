package actorstest

import (
	"sync/atomic"
	"testing"
)

// Finalizers run once, after all their tasks, if one of these was started (EXEC-048); on 1, 2 and 16 slots alike, and in a second run,
// in which most is a hit, too.
func TestFinalizers(t *testing.T) {
	var unneeded, second atomic.Int64
	of := WorldOptions{MaxTasks: 9, Failures: true, Finalizers: true}
	seeds(t, 150, func(seed int64) []string {
		if broken := slotsMakeNoDifference(seed, of); len(broken) > 0 {
			return broken
		}
		w := world(seed, of)
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		for i := range int64(2) {
			r := Run(w, RunOptions{Seed: seed + i, Faults: f, FailFast: seed%4 == 0})
			if len(r.Broken) > 0 {
				return r.Broken
			}
			unneeded.Add(int64(r.NotNeeded))
			if i == 1 {
				second.Add(int64(r.NotNeeded))
			}
		}
		return nil
	})
	if !testing.Short() && (unneeded.Load() == second.Load() || second.Load() == 0) {
		t.Errorf("%d finalizers were not needed, %d of them in the second run", unneeded.Load(), second.Load())
	}
}

// Whatever ends the run, and whatever else goes wrong: who was started is finalized, and nobody else starts (I9, EXEC-050).
func TestFinalizersAmongFaults(t *testing.T) {
	var goneOn atomic.Int64
	seeds(t, 900, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true, Finalizers: true, Retries: seed%4 == 0, LeftOut: seed%5 == 0 && seed%3 > 0,
			Overlaps: seed%3 == 0, Clashes: seed%6 == 0, Alone: seed%7 == 0})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		if seed%2 == 0 {
			f = Faults{InOrder: true}
		}
		switch seed % 8 {
		case 0:
			f.Lost = 10
		case 1:
			f.PanicAt = 1 + int(seed/2)%150
		case 2:
			f.PanicBusy = true
		case 3:
			f.Slow = 60
			f.CancelAt = 1 + int(seed*37)%150
		default:
			f.CancelAt, f.HostCancels = 1+int(seed*37)%150, seed%3 == 0
		}
		if seed%16 == 5 {
			f.SecondAt = f.CancelAt + 1 + int(seed)%40
		}
		if seed%32 == 5 {
			f.ThirdAt = f.SecondAt + 1 + int(seed)%7
		}
		r := Run(w, RunOptions{Seed: seed, Faults: f, FailFast: seed%7 == 0})
		if len(r.Broken) > 0 {
			return r.Broken
		}
		goneOn.Add(int64(r.GoneOn))
		if r := Run(w, RunOptions{Seed: seed + 1}); len(r.Broken) > 0 {
			return append([]string{"the run after it:"}, r.Broken...)
		}
		return nil
	})
	if goneOn.Load() == 0 {
		t.Error("nobody has gone on after the cancel flag")
	}
	t.Logf("%d processes started after the cancel flag", goneOn.Load())
}
