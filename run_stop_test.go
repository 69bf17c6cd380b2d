package haz_test

import (
	"context"
	"strings"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// onOutput calls f once, when a task has written something: then its process certainly runs.
func onOutput(task string, f func()) func(messages.Event) {
	done := false
	return func(e messages.Event) {
		if out, ok := e.(messages.TaskOutput); ok && out.Task.String() == task && !done {
			done = true
			f()
		}
	}
}

// EXEC-010 turned off: the first failure closes admission; what executes ends normally, the rest is skipped, naming the root.
func TestFailFast(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`a: shell: "await ../p/running; exit 1"`,
			`b: shell: "echo > running; await ended; echo b > b.txt", outputs: [b.txt]`,
			`c: shell: "echo"`,
			`d: shell: "echo", deps: ["~:b"]`)
		r := w.run(t, haz.RunOptions{FailFast: true, Jobs: 2, Observer: func(e messages.Event) {
			if end, ok := e.(messages.TaskFinished); ok && end.Outcome.Task.Task == "a" {
				w.write(t, "/p/ended", "")
			}
		}})
		r.counts(t, 1, 0, 1, 2, 0)
		r.processes(t, "p:a", "p:b")
		for _, id := range []string{"p:c", "p:d"} {
			if o := r.outcome(t, id); o.Cause != messages.RunStopped || o.Root.String() != "p:a" {
				t.Errorf("%+v", o)
			}
		}
		if o := r.outcome(t, "p:b"); o.Status != messages.Completed || o.Store != messages.Stored {
			t.Errorf("%+v", o)
		}
	})
}

// stoppable is the workspace of chapter 2, 14.6: with one job `a` runs, `b` queues, `c` depends on `b`.
func stoppable(t *testing.T, w *world, a string) {
	t.Helper()
	tasks(t, w,
		`a: shell: "`+a+`", outputs: [a.txt]`,
		`b: shell: "echo b"`,
		`c: shell: "echo c", deps: ["~:b"]`)
}

func checkStopped(t *testing.T, w *world, r *ran) {
	t.Helper()
	r.counts(t, 0, 0, 0, 0, 3)
	r.processes(t, "p:a")
	if !r.Cancelled {
		t.Error("the result does not say that the run was cancelled")
	}
	if o := r.outcome(t, "p:a"); o.Cause != messages.Signalled {
		t.Errorf("%+v", o)
	}
	if o := r.outcome(t, "p:b"); o.Cause != messages.RunCancelled {
		t.Errorf("%+v", o)
	}
	if o := r.outcome(t, "p:c"); o.Cause != messages.UpstreamWasCancelled || o.Root.String() != "p:b" {
		t.Errorf("%+v", o)
	}
	if n := len(w.entries(t)); n > 0 {
		t.Errorf("%d entries were stored", n)
	}
}

// The end of the host's context cancels; no signal gives the exit code (EXEC-012..015).
func TestContextCancels(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		stoppable(t, w, "echo half > a.txt; echo up; stay")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r := w.runWith(t, ctx, w.open(t), haz.RunOptions{Jobs: 1, Observer: onOutput("p:a", cancel)})
		checkStopped(t, w, r)
		if r.Interrupt != nil {
			t.Errorf("interrupt %+v", r.Interrupt)
		}
		// Half an output is no result: the next run executes.
		w.write(t, "/p/haz.yml", "name: p\ntasks:\n  a: {shell: 'echo whole > a.txt', outputs: [a.txt]}\n")
		w.run(t, haz.RunOptions{}).counts(t, 1, 0, 0, 0, 0)
		w.has(t, "/p/a.txt", "whole\n")
	})
}

// A context that has ended already: nothing starts, and every task has an outcome.
func TestContextEndedBefore(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		ctx, cancel := context.WithCancel(context.Background())
		ws := w.open(t)
		targets := targetsOf(t, ws)
		cancel()
		r, err := ws.Run(ctx, targets, haz.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		// The end of the context and the first task race; whichever wins, the result is one of a cancelled run.
		if !r.Cancelled && r.Counts.Completed != 2 || r.Counts.Completed+r.Counts.Cancelled != 2 {
			t.Errorf("%+v, cancelled %t", r.Counts, r.Cancelled)
		}
		w.checkNothingLeft(t)
	})
}

// One interrupt: TERM, and the signal is in the result.
func TestInterrupt(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		stoppable(t, w, "echo up; stay")
		signals := make(chan haz.Interrupt, 1)
		r := w.run(t, haz.RunOptions{Jobs: 1, Signals: signals, Observer: onOutput("p:a", func() {
			signals <- haz.Interrupt{Name: "SIGINT", Number: 2}
		})})
		checkStopped(t, w, r)
		if r.Interrupt == nil || *r.Interrupt != (haz.Interrupt{Name: "SIGINT", Number: 2}) {
			t.Errorf("interrupt %+v", r.Interrupt)
		}
		if n := cancellings(r); len(n) != 1 || n[0].Signal != "SIGINT" || n[0].Running != 1 || n[0].Force {
			t.Errorf("%+v", n)
		}
	})
}

// A task that ignores TERM is killed by the second interrupt, without waiting for the grace (S-28).
func TestSecondInterruptKills(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		stoppable(t, w, "trap '' TERM; echo up; stay")
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\nexecution: {cancel_grace: 3600}\n")
		signals := make(chan haz.Interrupt, 2)
		first := onOutput("p:a", func() { signals <- haz.Interrupt{Name: "SIGTERM", Number: 15} })
		second := false
		r := w.run(t, haz.RunOptions{Jobs: 1, Signals: signals, Observer: func(e messages.Event) {
			first(e)
			if _, ok := e.(messages.RunCancelling); ok && !second {
				second = true
				signals <- haz.Interrupt{Name: "SIGINT", Number: 2}
			}
		}})
		checkStopped(t, w, r)
		if r.Interrupt == nil || r.Interrupt.Name != "SIGTERM" {
			t.Errorf("the first signal counts, but the result has %+v", r.Interrupt)
		}
		if n := cancellings(r); len(n) != 2 || n[0].Force || !n[1].Force {
			t.Errorf("%+v", n)
		}
	})
}

// Without a second signal the grace decides.
func TestGraceKills(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		stoppable(t, w, "trap '' TERM; echo up; stay")
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\nexecution: {cancel_grace: 0}\n")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r := w.runWith(t, ctx, w.open(t), haz.RunOptions{Jobs: 1, Observer: onOutput("p:a", cancel)})
		checkStopped(t, w, r)
	})
}

// A host that closes its channel of signals sends none.
func TestClosedSignals(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		signals := make(chan haz.Interrupt)
		close(signals)
		w.run(t, haz.RunOptions{Signals: signals}).counts(t, 2, 0, 0, 0, 0)
	})
}

func cancellings(r *ran) []messages.RunCancelling {
	var all []messages.RunCancelling
	for _, e := range r.events {
		if c, ok := e.(messages.RunCancelling); ok {
			all = append(all, c)
		}
	}
	return all
}

// An observer that panics ends the run with a crash, wherever it does. No panic reaches the host, every task has an outcome,
// nothing is left, and the observer is not called again.
func TestObserverPanics(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		for name, at := range map[string]func(messages.Event) bool{
			"at the first event": func(e messages.Event) bool { _, ok := e.(messages.RunStarted); return ok },
			"at a start":         func(e messages.Event) bool { _, ok := e.(messages.TaskStarted); return ok },
			"at output":          func(e messages.Event) bool { _, ok := e.(messages.TaskOutput); return ok },
			"at an end":          func(e messages.Event) bool { _, ok := e.(messages.TaskFinished); return ok },
			"at the last event":  func(e messages.Event) bool { _, ok := e.(messages.RunFinished); return ok },
		} {
			pair(t, w)
			w.remove(t, "/.haz/cache", "/.haz/state")
			ws := w.open(t)
			after, dead := 0, false
			r, err := ws.Run(context.Background(), targetsOf(t, ws), haz.RunOptions{Observer: func(e messages.Event) {
				if dead {
					after++
				}
				if at(e) {
					dead = true
					panic("the host is broken")
				}
			}})
			if r == nil || err == nil || r.Crash == nil || !strings.Contains(err.Error(), "the host is broken") {
				t.Fatalf("%s: result %+v, error %v", name, r, err)
			}
			if len(r.Outcomes) != 2 || r.Counts.Completed+r.Counts.Failed+r.Counts.Skipped+r.Counts.Cancelled != 2 {
				t.Errorf("%s: %+v", name, r.Outcomes)
			}
			if after > 0 {
				t.Errorf("%s: the observer was called %d times more", name, after)
			}
			w.checkNothingLeft(t)
		}
		// The workspace is usable all the same.
		w.run(t, haz.RunOptions{})
	})
}

// A slow observer holds a run back, but loses nothing.
func TestSlowObserver(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `a: shell: "echo one; echo two; echo three"`, `b: shell: "echo four"`)
		r := w.run(t, haz.RunOptions{Observer: func(messages.Event) { time.Sleep(2 * time.Millisecond) }})
		if got := r.output("p:a", false); got != "one\ntwo\nthree\n" {
			t.Errorf("%q", got)
		}
	})
}
