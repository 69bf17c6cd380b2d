package actorstest

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	cmap "github.com/orcaman/concurrent-map"

	"github.com/haz-build/haz/messages"
)

// HAZ_LONG=1 go test ./actors/actorstest takes 100,000 seeds, two runs or more each. The number of seeds of a test, and the
// first of them, can be set: HAZ_SEEDS=4000 HAZ_SEED=1. A failure prints the one seed that replays it.

func TestMain(m *testing.M) {
	cmap.SHARD_COUNT = 1 // a system per seed: its registries are made a thousand times
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// longFactor makes the seeds of all tests here 100,000 and some.
const longFactor = 31

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func seeds(t *testing.T, n int, check func(seed int64) []string) {
	t.Helper()
	if os.Getenv("HAZ_LONG") != "" {
		n *= longFactor
	}
	first, n := int64(envInt("HAZ_SEED", 1)), envInt("HAZ_SEEDS", n)
	if testing.Short() {
		n = max(1, n/10)
	}
	t.Logf("%d seeds from %d on", n, first)
	var mu sync.Mutex
	var wg sync.WaitGroup
	next, failures := first, 0
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				mu.Lock()
				seed := next
				next++
				stop := seed >= first+int64(n) || failures >= 3
				mu.Unlock()
				if stop {
					return
				}
				if broken := check(seed); len(broken) > 0 {
					mu.Lock()
					failures++
					t.Errorf("seed %d: %s\nreplay: HAZ_SEED=%d HAZ_SEEDS=1 go test -run '^%s$' ./actors/actorstest", seed, strings.Join(broken, "\n  "), seed, t.Name())
					mu.Unlock()
				}
			}
		}()
	}
	wg.Wait()
}

// runTwice says what is broken in a run, or in one after it on what the first has left.
func runTwice(w *World, first, second RunOptions) []string {
	if r := Run(w, first); len(r.Broken) > 0 {
		return r.Broken
	}
	if r := Run(w, second); len(r.Broken) > 0 {
		return append([]string{"the run after it:"}, r.Broken...)
	}
	return nil
}

// slowSystem makes every third seed one in which actors are slow to see what the library has for them.
func slowSystem(seed int64) int {
	if seed%3 == 0 {
		return 400
	}
	return 0
}

func world(seed int64, o WorldOptions) *World {
	w, err := NewWorld(seed, o)
	if err != nil {
		panic(fmt.Sprintf("seed %d: %v", seed, err))
	}
	return w
}

// Delay, reordering and duplication are harmless: I1 to I14 hold, every task that can completes, and a second run finds all
// that was stored and starts nothing for it (chapter 2, 14.1).
func TestReorderedRuns(t *testing.T) {
	seeds(t, 1500, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true, Overlaps: true})
		f := Faults{Late: 100, Twice: 100, System: slowSystem(seed)}
		first := Run(w, RunOptions{Seed: seed, Faults: f, FailFast: seed%5 == 0})
		if len(first.Broken) > 0 {
			return first.Broken
		}
		stored := map[string]bool{}
		for _, o := range first.Result.Outcomes {
			stored[o.Task.String()] = o.Store == messages.Stored
		}
		for i := range int(seed % 3) {
			w.RemoveOutput(i)
		}
		second := Run(w, RunOptions{Seed: seed + 1, Faults: f})
		if len(second.Broken) > 0 {
			return append([]string{"second run:"}, second.Broken...)
		}
		return unexpected(w, first, second, stored)
	})
}

// unexpected looks at a second run after nothing but outputs was removed: what was stored is not run again, unless an
// upstream could not be cached and came out differently.
func unexpected(w *World, first, second *Report, stored map[string]bool) []string {
	if len(first.Result.Violations)+len(second.Result.Violations) > 0 {
		return nil // glob outputs met: results were not stored, and restores may find strangers' files
	}
	for _, t := range w.tasks {
		if t.glob {
			return nil
		}
	}
	var out []string
	for _, o := range second.Result.Outcomes {
		id := o.Task.String()
		if stored[id] && second.Processes[id] > 0 && o.Status == messages.Completed {
			out = append(out, fmt.Sprintf("%s was stored, yet ran again: %+v", id, o.Miss))
		}
	}
	return out
}

// Losing any message, and any actor, ends in a clear error, never in a hang, a wrong outcome or a second execution.
func TestLostMessagesAndPanics(t *testing.T) {
	seeds(t, 700, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		if seed%2 == 0 {
			f.Lost = 10
		} else {
			f.PanicAt = 1 + int(seed/2)%150
		}
		// What was stored before the accident is right.
		return runTwice(w, RunOptions{Seed: seed, Faults: f}, RunOptions{Seed: seed + 1})
	})
}

// Cancellation at any message: nothing starts or is stored after it, nothing survives, everything has an outcome.
func TestCancelledRuns(t *testing.T) {
	seeds(t, 700, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed), CancelAt: 1 + int(seed)%120, HostCancels: seed%4 == 0}
		if seed%3 == 0 {
			f.SecondAt = f.CancelAt + 1 + int(seed)%20
		}
		if seed%9 == 0 {
			f.ThirdAt = f.SecondAt + 1 + int(seed)%7
		}
		return runTwice(w, RunOptions{Seed: seed, Faults: f}, RunOptions{Seed: seed + 1})
	})
}

// Who is asked to end while it starts hears of it as soon as it has started (EXEC-013).
func TestCancelledStarts(t *testing.T) {
	seeds(t, 100, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true})
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed), CancelInStart: 1 + int(seed)%4, HostCancels: seed%5 == 0}
		return Run(w, RunOptions{Seed: seed, Faults: f}).Broken
	})
}

// One history on 1, 2 and 16 slots: same outcomes, same bytes; with cap 1 also the same order, on a slow machine too (I15, S-37).
func TestSlotsMakeNoDifference(t *testing.T) {
	seeds(t, 200, func(seed int64) []string {
		return slotsMakeNoDifference(seed, WorldOptions{MaxTasks: 8, Failures: true})
	})
}

func slotsMakeNoDifference(seed int64, of WorldOptions) []string {
	var want, order string
	for i, o := range []RunOptions{{Cap: 16}, {Cap: 2}, {Cap: 1}, {Cap: 1}, {Cap: 1, Faults: Faults{Slow: 60}}} {
		w := world(seed, of)
		o.Seed = seed*10 + int64(i)
		o.Faults.InOrder = true
		r := Run(w, o)
		if len(r.Broken) > 0 {
			return r.Broken
		}
		got := ""
		for _, out := range r.Result.Outcomes {
			if t := w.Graph.W.Task(out.Task); t.Service != nil {
				continue // it may have been started for somebody who in the end could not run
			}
			// The cause of a skip is left out: of two failed roots the first counts, and which is first depends on the slots.
			got += fmt.Sprintln(out.Task, out.Status, out.ExitCode, out.Key.Short(), out.OutputsDigest.Short(), out.Store, out.Spawned)
		}
		if want == "" {
			want = got
		}
		if got != want {
			return []string{fmt.Sprintf("I15: outcomes with cap %d:\n%s\nwith cap 16:\n%s", o.Cap, got, want)}
		}
		if o.Cap == 1 && !of.Services { // who waits for a service lets others go first
			if starts := strings.Join(r.Order, " "); order == "" {
				order = starts
			} else if starts != order {
				return []string{fmt.Sprintf("I15: order of processes with cap 1: %s, and then: %s", order, starts)}
			}
		}
	}
	return nil
}

// A path that two tasks make is a violation of the run (I13), whatever the order in which they end.
func TestPathsMadeTwice(t *testing.T) {
	var violated atomic.Int64
	seeds(t, 100, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 12, Overlaps: true, Clashes: true})
		r := Run(w, RunOptions{Seed: seed, Faults: Faults{Late: 50, Twice: 50}})
		violated.Add(int64(len(r.Result.Violations)))
		return r.Broken
	})
	if violated.Load() == 0 {
		t.Error("no path was made twice")
	}
}

// Equal seeds give equal traces.
func TestReplay(t *testing.T) {
	for seed := range int64(40) {
		f := Faults{Late: 100, Twice: 100, Lost: int(seed%3) * 10}
		a := Run(world(seed, WorldOptions{MaxTasks: 8, Failures: true}), RunOptions{Seed: seed, Faults: f, KeepTrace: true})
		b := Run(world(seed, WorldOptions{MaxTasks: 8, Failures: true}), RunOptions{Seed: seed, Faults: f, KeepTrace: true})
		if a.Trace != b.Trace {
			for i := range min(len(a.Lines), len(b.Lines)) {
				if a.Lines[i] != b.Lines[i] {
					t.Fatalf("seed %d: step %d is %q, and then %q", seed, i, a.Lines[i], b.Lines[i])
				}
			}
			t.Fatalf("seed %d: %d steps, and then %d", seed, a.Steps, b.Steps)
		}
	}
}
