package actorstest

import (
	"bytes"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
)

// settled makes a world of which two runs have made all that can be made, draws what of it is settled, and has something happen to the rest.
func settled(seed int64, of WorldOptions) (*World, *Settling, []string) {
	w := world(seed, of)
	if r := Run(w, RunOptions{Seed: seed}); len(r.Broken) > 0 {
		return nil, nil, r.Broken
	}
	second := Run(w, RunOptions{Seed: seed + 1, Faults: Faults{InOrder: true}})
	if len(second.Broken) > 0 {
		return nil, nil, second.Broken
	}
	s := NewSettling(w, second, seed, []int{300, 700, 1000}[seed%3])
	for i, t := range w.tasks {
		if s.Has(t.id()) {
			continue
		}
		switch (seed + int64(i)) % 4 {
		case 0:
			w.Edit(i)
		case 1:
			w.RemoveOutput(i)
		}
	}
	return w, s, nil
}

// A run that knows beforehand what is up to date comes to what it comes to without: outcomes, events, processes, files (EXEC-051, EXEC-052).
func TestSettledRuns(t *testing.T) {
	var some, all atomic.Int64
	seeds(t, 600, func(seed int64) []string {
		of := WorldOptions{MaxTasks: 10, Failures: seed%2 == 0, Finalizers: seed%5 == 0, LeftOut: seed%7 == 0, Retries: seed%11 == 0, Rewrites: seed%3 == 0}
		w, s, broken := settled(seed, of)
		if broken != nil {
			return broken
		}
		other, err := w.Clone()
		if err != nil {
			return []string{err.Error()}
		}
		w.Rewriting, other.Rewriting = true, true
		o := RunOptions{Seed: seed + 2, Faults: Faults{InOrder: true}, Cap: 1}
		long := Run(other, o)
		if len(long.Broken) > 0 {
			return append([]string{"in the long way:"}, long.Broken...)
		}
		o.Settled = s
		short := Run(w, o)
		if len(short.Broken) > 0 {
			return short.Broken
		}
		if short.Took > long.Took {
			return []string{fmt.Sprintf("it takes %v, and %v in the long way", short.Took, long.Took)}
		}
		switch len(s.in) {
		case 0:
		case len(short.Result.Outcomes):
			all.Add(1)
		default:
			some.Add(1)
		}
		return differences(other, w, long, short)
	})
	if some.Load() == 0 || all.Load() == 0 {
		t.Errorf("%d runs in which some tasks are settled, and %d in which all are", some.Load(), all.Load())
	}
}

// Whatever goes wrong among those that are left, all invariants hold; in the run after it too.
func TestSettledRunsAmongFaults(t *testing.T) {
	seeds(t, 900, func(seed int64) []string {
		w, s, broken := settled(seed, WorldOptions{MaxTasks: 8, Failures: true, Overlaps: seed%3 == 0, Clashes: seed%6 == 0, Finalizers: seed%4 == 0})
		if broken != nil {
			return broken
		}
		f := Faults{Late: 50, Twice: 50, System: slowSystem(seed)}
		switch seed % 10 {
		case 0:
			f.Lost = 10
		case 1:
			f.PanicAt = 1 + int(seed/2)%80
		case 2:
			f.PanicBusy = true
		case 3:
			f.Slow = 60
		case 4:
			f.CancelAt, f.HostCancels = 1+int(seed)%60, seed%20 == 4
		case 5:
			f = Faults{Slow: 300, Tight: true, CancelAt: 1 + int(seed)%20}
		case 6:
			f.ObserverAt = 1 + int(seed/10)%12
		case 7:
			f = Faults{Slow: 500, CancelAtEvent: 1 + int(seed/10)%8, SecondAt: int(seed) % 2, ThirdAt: int(seed) % 4 / 3}
		case 8:
			f = Faults{CancelAtEvent: 1 + int(seed/10)%8, HostCancels: true}
		case 9:
			f = Faults{PanicIn: "observer", PanicAt: 1 + int(seed/10)%9}
		}
		return runTwice(w, RunOptions{Seed: seed + 2, Faults: f, Settled: s, FailFast: seed%7 == 0}, RunOptions{Seed: seed + 3})
	})
}

// differences are what is not the same of two runs, times aside.
func differences(wa, wb *World, a, b *Report) (out []string) {
	for i := range a.Result.Outcomes {
		if x, y := timeless(a.Result.Outcomes[i]), timeless(b.Result.Outcomes[i]); !reflect.DeepEqual(x, y) {
			out = append(out, fmt.Sprintf("in the long way:\n%+v\nwith settled tasks:\n%+v", x, y))
		}
	}
	if x, y := fmt.Sprintf("%+v", a.Result.Violations), fmt.Sprintf("%+v", b.Result.Violations); x != y {
		out = append(out, x+", and "+y)
	}
	if x, y := strings.Join(a.Order, " "), strings.Join(b.Order, " "); x != y {
		out = append(out, "I15: processes start as "+x+", and then as "+y)
	}
	for _, t := range wa.tasks {
		if x, y := eventsOf(a, t.id()), eventsOf(b, t.id()); x != y {
			out = append(out, "I14: "+x+"\nand then: "+y)
		}
	}
	if x, y := treeOf(wa.FS), treeOf(wb.FS); x != y {
		out = append(out, "the trees differ:\n"+x+"\nand:\n"+y)
	}
	return out
}

func timeless(o messages.Outcome) messages.Outcome {
	o.Started, o.Ended, o.Queued = time.Time{}, time.Time{}, 0
	o.Failures = slices.Clone(o.Failures)
	for i := range o.Failures {
		o.Failures[i].Took = 0
	}
	return o
}

// eventsOf is what was told of a task; pieces of output that follow each other are one.
func eventsOf(r *Report, id string) string {
	var b strings.Builder
	for _, e := range r.Events {
		if taskOf(e) != id {
			continue
		}
		switch e := e.(type) {
		case messages.TaskStarted:
			fmt.Fprintf(&b, "start %v\n", e.Miss)
		case messages.TaskOutput:
			fmt.Fprintf(&b, "output %v %v %q\n", e.Stderr, e.Replayed, e.Bytes)
		case messages.TaskNoted:
			fmt.Fprintf(&b, "note %s (%s)\n", e.Text, e.Hint)
		case messages.AttemptFailed:
			fmt.Fprintf(&b, "attempt %d of %d\n", e.N, e.Allowed)
		case messages.TaskFinished:
			fmt.Fprintf(&b, "end %v\n", e.Outcome.Status)
		}
	}
	return b.String()
}

// treeOf is what lies in a workspace beside what haz keeps.
func treeOf(f fsys.FS) string {
	var b bytes.Buffer
	_ = afero.Walk(f, "/", func(path string, info fs.FileInfo, err error) error {
		switch {
		case err != nil:
			return err
		case path == "/.haz":
			return fs.SkipDir
		case info.IsDir():
			fmt.Fprintln(&b, path, info.Mode())
		default:
			text, _ := afero.ReadFile(f, path)
			fmt.Fprintf(&b, "%s %v %q\n", path, info.Mode(), text)
		}
		return nil
	})
	return b.String()
}

// What another haz has left half made of a settled upstream is put back for the task that needs it (EXEC-055).
func TestSettledUpstreamIsPutBack(t *testing.T) {
	var back atomic.Int64
	seeds(t, 60, func(seed int64) []string {
		w, s, broken := settled(seed, WorldOptions{MaxTasks: 8})
		if broken != nil {
			return broken
		}
		var lost []string
		for i, wt := range w.tasks {
			if s.Has(wt.id()) || wt.uncached {
				continue
			}
			for _, u := range wt.reads {
				if s.Has(w.tasks[u].id()) {
					w.Edit(i)
					lost = append(lost, w.tasks[u].id())
				}
			}
		}
		r := Run(w, RunOptions{Seed: seed + 2, Faults: Faults{InOrder: true}, Settled: s, Break: func(o *actors.Options) {
			for _, id := range lost { // after the look that found it up to date
				l := o.State.Products(id)
				l.Running = true
				o.State.WriteProducts(l)
			}
			for i, wt := range w.tasks {
				if slices.Contains(lost, wt.id()) {
					w.RemoveOutput(i)
				}
			}
		}})
		for _, e := range r.Events {
			if n, ok := e.(messages.TaskNoted); ok && strings.Contains(n.Text, "what it made before was put back") {
				back.Add(1)
			}
		}
		return r.Broken
	})
	if back.Load() == 0 {
		t.Error("nothing was put back")
	}
}
