package haz_test

import (
	"slices"
	"sync/atomic"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/messages"
)

// watch records events, and whether two calls overlapped.
type watch struct {
	busy    atomic.Int32
	overlap atomic.Bool
	events  []messages.Event
}

func (w *watch) add(e messages.Event) {
	if w.busy.Add(1) != 1 {
		w.overlap.Store(true)
	}
	if out, ok := e.(messages.TaskOutput); ok {
		out.Bytes = slices.Clone(out.Bytes)
		e = out
	}
	w.events = append(w.events, e)
	w.busy.Add(-1)
}

func (w *watch) all(t *testing.T) []messages.Event {
	t.Helper()
	if w.overlap.Load() {
		t.Error("the observer was called twice at once")
	}
	return w.events
}

// checkRun checks what holds for every run, whatever its tasks did (chapter 2, sections 3 and 13): outcomes, counts and
// errors fit each other and the processes; events come in order, and the bytes observed are those recorded.
func checkRun(t *testing.T, ws *haz.Workspace, targets []int, r *ran) {
	t.Helper()
	plan, err := ws.Plan(targets)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Outcomes) != len(plan.Tasks) {
		t.Fatalf("%d outcomes for %d tasks", len(r.Outcomes), len(plan.Tasks))
	}
	if r.Run == "" || r.Started.IsZero() || r.Ended.Before(r.Started) || r.Crash != nil {
		t.Errorf("run %q from %v to %v, crash %v", r.Run, r.Started, r.Ended, r.Crash)
	}
	var counts messages.Counts
	spawned := map[string]int{}
	var errs []messages.Outcome
	for i, o := range r.Outcomes {
		if o.Task != plan.Tasks[i].ID {
			t.Errorf("outcome %d is of %s, the plan says %s", i, o.Task, plan.Tasks[i].ID)
		}
		counts.Selected++
		switch o.Status {
		case messages.Completed:
			counts.Completed++
			if o.Source == messages.FromCache {
				counts.Cached++
			}
			if o.Source == messages.FromCache && o.Spawned > 0 || o.Source == messages.FromRun && o.Spawned != 1+o.Restarted {
				t.Errorf("%s completed with source %d and %d processes", o.Task, o.Source, o.Spawned)
			}
			if !o.HasKey {
				t.Errorf("%s completed without a key", o.Task)
			}
		case messages.Failed:
			counts.Failed++
		case messages.Skipped:
			counts.Skipped++
		case messages.Cancelled:
			counts.Cancelled++
		default:
			t.Errorf("%s has status %d", o.Task, o.Status)
		}
		if o.Status == messages.Skipped && (o.Spawned > 0 || o.Root == (haz.TaskID{})) {
			t.Errorf("%s was skipped with %d processes and root %s", o.Task, o.Spawned, o.Root)
		}
		if o.Status != messages.Completed && o.Store == messages.Stored {
			t.Errorf("%s did not complete, and was stored", o.Task)
		}
		if o.Error != nil {
			errs = append(errs, o)
		}
		if o.Spawned > 0 {
			spawned[o.Task.String()] = o.Spawned
		}
	}
	if counts != r.Counts {
		t.Errorf("counts %+v, the outcomes say %+v", r.Counts, counts)
	}
	if len(errs) != len(r.TaskErrors) {
		t.Errorf("%d task errors, the outcomes say %d", len(r.TaskErrors), len(errs))
	}
	for _, label := range r.started {
		spawned[label]--
	}
	for label, n := range spawned {
		if n != 0 {
			t.Errorf("%s: the outcome says %d processes more than there were", label, n)
		}
	}
	checkEvents(t, r)
}

// checkEvents checks order and completeness: RunStarted, per task start?, output and exactly one end, RunFinished.
func checkEvents(t *testing.T, r *ran) {
	t.Helper()
	if len(r.events) < 2 {
		t.Fatalf("only %d events", len(r.events))
	}
	first, ok := r.events[0].(messages.RunStarted)
	if !ok || first.Run != r.Run || len(first.Tasks) != len(r.Outcomes) {
		t.Errorf("the first event is %#v", r.events[0])
	}
	last, ok := r.events[len(r.events)-1].(messages.RunFinished)
	if !ok || last.Counts != r.Counts {
		t.Errorf("the last event is %#v", r.events[len(r.events)-1])
	}
	type task struct {
		started, ended bool
		out, err       []byte
	}
	tasks := map[haz.TaskID]*task{}
	for _, id := range first.Tasks {
		tasks[id] = &task{}
	}
	of := func(id haz.TaskID, what string) *task {
		s := tasks[id]
		if s == nil {
			t.Fatalf("%s of %s, which is not in the run", what, id)
		}
		if s.ended {
			t.Errorf("%s of %s after its end", what, id)
		}
		return s
	}
	for i, e := range r.events {
		switch e := e.(type) {
		case messages.RunStarted, messages.RunFinished:
			if i > 0 && i < len(r.events)-1 {
				t.Errorf("event %d is %#v", i, e)
			}
		case messages.TaskStarted:
			s := of(e.Task, "start")
			if s.started {
				t.Errorf("%s started twice", e.Task)
			}
			s.started = true
		case messages.TaskOutput:
			s := of(e.Task, "output")
			if !s.started {
				t.Errorf("output of %s before its start", e.Task)
			}
			if e.Stderr {
				s.err = append(s.err, e.Bytes...)
			} else {
				s.out = append(s.out, e.Bytes...)
			}
		case messages.TaskNoted:
			of(e.Task, "note")
		case messages.TaskRestarted: // what is recorded is of the last process
			s := of(e.Task, "another process")
			s.out, s.err = nil, nil
		case messages.TaskFinished:
			s := of(e.Outcome.Task, "end")
			s.ended = true
			if o := e.Outcome; (o.Spawned > 0 || o.Source == messages.FromCache) && !s.started {
				t.Errorf("%s ended as %d without a start", o.Task, o.Status)
			}
		}
	}
	for i, o := range r.Outcomes {
		s := tasks[o.Task]
		if s == nil || !s.ended {
			t.Errorf("%s has no end", o.Task)
			continue
		}
		if o.Status == messages.Skipped && s.started {
			t.Errorf("%s was skipped, and had a start", o.Task)
		}
		if o.Spawned == 0 && o.Source != messages.FromCache {
			continue
		}
		if o.StdoutLen != int64(len(s.out)) || o.StderrLen != int64(len(s.err)) {
			t.Errorf("outcome %d, %s: streams of %d and %d bytes, observed were %d and %d", i, o.Task, o.StdoutLen, o.StderrLen, len(s.out), len(s.err))
		}
		if got := [2]digest.Digest{hasher.Sum(r.Hash, s.out), hasher.Sum(r.Hash, s.err)}; got != [2]digest.Digest{o.StdoutDigest, o.StderrDigest} {
			t.Errorf("%s: the bytes observed are not those recorded", o.Task)
		}
	}
}

// outcome is that of one task.
func (r *ran) outcome(t *testing.T, id string) messages.Outcome {
	t.Helper()
	for _, o := range r.Outcomes {
		if o.Task.String() == id {
			return o
		}
	}
	t.Fatalf("no outcome of %s", id)
	return messages.Outcome{}
}

// output is what a task wrote to a stream, as it was observed.
func (r *ran) output(id string, stderr bool) string {
	var b []byte
	for _, e := range r.events {
		if out, ok := e.(messages.TaskOutput); ok && out.Task.String() == id && out.Stderr == stderr {
			b = append(b, out.Bytes...)
		}
	}
	return string(b)
}

// notes are the remarks on a task.
func (r *ran) notes(id string) []string {
	var found []string
	for _, e := range r.events {
		if n, ok := e.(messages.TaskNoted); ok && n.Task.String() == id {
			found = append(found, n.Text)
		}
	}
	return found
}

// counts wants so many tasks, in this order, and no violation.
func (r *ran) counts(t *testing.T, completed, cached, failed, skipped, cancelled int) {
	t.Helper()
	want := messages.Counts{Selected: completed + failed + skipped + cancelled, Completed: completed, Cached: cached,
		Failed: failed, Skipped: skipped, Cancelled: cancelled}
	if r.Counts != want {
		t.Errorf("counts %+v, want %+v", r.Counts, want)
	}
	if len(r.Violations) > 0 {
		t.Errorf("violations: %+v", r.Violations)
	}
}

// processes wants exactly these to have started; order does not count.
func (r *ran) processes(t *testing.T, want ...string) {
	t.Helper()
	got := slices.Clone(r.started)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("processes %q, want %q", got, want)
	}
}
