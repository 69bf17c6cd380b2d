package actorstest

import "testing"

// A task actor that dies while its process lives: the process is killed, and only when it is gone the task has its outcome and
// its downstreams theirs (4.1; I10).
func TestCrashedTaskActors(t *testing.T) {
	seeds(t, 200, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6})
		return runTwice(w, RunOptions{Seed: seed, Faults: Faults{Late: 50, Twice: 300, System: slowSystem(seed), PanicBusy: true}}, RunOptions{Seed: seed + 1})
	})
}

// Any actor dies at any of its messages, also while the machine is slow and after a cancellation: the run ends and kills what
// it has started; who died is the crash of the run and the reason of each task that has no outcome of its own; no invariant is
// said to be broken that is not, and what was stored before is right (S-10).
func TestDeaths(t *testing.T) {
	victims := []string{"run", "supervisor", "admission", "cache", "processes", "observer", "tasks", "task-0"}
	seeds(t, 800, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true})
		n := int(seed) / len(victims)
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed), PanicIn: victims[int(seed)%len(victims)], PanicAt: 1 + n%40}
		if n%2 == 0 {
			f.Slow, f.Tight = 20, n%4 == 0
		}
		if n%5 == 0 {
			f.CancelAt = 1 + n%90
			f.SecondAt = f.CancelAt + 1 + n%30
		}
		return runTwice(w, RunOptions{Seed: seed, Faults: f}, RunOptions{Seed: seed + 1})
	})
}

// The root dies when it is asked to end the run, while processes live: they are gone before the result is there (I10).
func TestDeathOfTheRoot(t *testing.T) {
	seeds(t, 200, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed), PanicIn: "run", PanicAt: 1, CancelAt: 10 + int(seed)%80}
		return runTwice(w, RunOptions{Seed: seed, Faults: f}, RunOptions{Seed: seed + 1})
	})
}
