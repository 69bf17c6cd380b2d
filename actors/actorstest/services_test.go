package actorstest

import (
	"sync/atomic"
	"testing"
)

// Services start when somebody needs them, once, and end when nobody does, on 1, 2 and 16 slots alike; in a second run, in which most is a hit,
// most of them are not started (EXEC-071 to EXEC-074).
func TestServices(t *testing.T) {
	var served, second atomic.Int64
	of := WorldOptions{MaxTasks: 9, Failures: true, Services: true}
	seeds(t, 300, func(seed int64) []string {
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
			served.Add(int64(r.Served))
			if i == 1 {
				second.Add(int64(r.Served))
			}
		}
		return nil
	})
	if !testing.Short() && 2*second.Load() >= served.Load() {
		t.Errorf("%d services were started, %d of them in the second run", served.Load(), second.Load())
	}
}

// Whatever ends a service, or the run, and whatever else goes wrong: nobody starts without what it needs, and nobody is left.
func TestServicesAmongFaults(t *testing.T) {
	seeds(t, 1500, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true, Services: true, Unsteady: seed%3 > 0, Finalizers: seed%4 == 0, Retries: seed%5 == 0, LeftOut: seed%6 == 0, Alone: seed%7 == 0})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		if seed%2 == 0 {
			f = Faults{InOrder: true}
		}
		staying := false
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
		case 4:
		default:
			staying = true
			f.CancelAt, f.HostCancels = 1+int(seed*37)%250, seed%3 == 0
		}
		if seed%16 == 5 {
			f.SecondAt = f.CancelAt + 1 + int(seed)%40
		}
		if seed%32 == 5 {
			f.ThirdAt = f.SecondAt + 1 + int(seed)%7
		}
		return runTwice(w, RunOptions{Seed: seed, Faults: f, FailFast: seed%7 == 0, Staying: staying}, RunOptions{Seed: seed + 1})
	})
}
