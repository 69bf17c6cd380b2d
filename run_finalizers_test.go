package haz_test

import (
	"context"
	"testing"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// finalized are tasks of which one runs until it is stopped, and one is never started; both have finalizers.
func finalized(t *testing.T, w *world, clean string) {
	t.Helper()
	tasks(t, w,
		`a: shell: "echo up; stay", after: ["~:y"]`,
		`b: shell: "echo b", after: ["~:z"]`,
		`x: shell: "echo x"`,
		`y: shell: "`+clean+`", deps: ["~:x"]`,
		`z: shell: "echo z"`)
}

// asked are the tasks that are no finalizers, nor needed by one.
func asked(t *testing.T, w *haz.Workspace) []int {
	t.Helper()
	var list []int
	for _, name := range []string{"a", "b"} {
		list = append(list, w.W.Task(haz.TaskID{Project: "p", Task: name}).Index)
	}
	return list
}

func end(t *testing.T, r *haz.Result, task string) haz.Outcome {
	t.Helper()
	for _, o := range r.Outcomes {
		if o.Task.Task == task {
			return o
		}
	}
	t.Fatalf("%s has no outcome", task)
	return haz.Outcome{}
}

// When the host's context ends, finalizers of what was started run to their end, with what they depend on, and nobody else does (EXEC-050).
func TestFinalizersOfACancelledRun(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		finalized(t, w, "echo clean > cleaned")
		ws := w.open(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var said haz.RunCancelling
		stop := onOutput("p:a", cancel)
		r, err := ws.Run(ctx, asked(t, ws), haz.RunOptions{Jobs: 1, Observer: func(e messages.Event) {
			stop(e)
			if c, ok := e.(haz.RunCancelling); ok {
				said = c
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := end(t, r, "a"); got.Status != haz.Cancelled || got.Cause != messages.Signalled {
			t.Errorf("a: %+v", got)
		}
		if got := end(t, r, "x"); got.Status != haz.Completed || got.Store != messages.Stored {
			t.Errorf("x: %+v", got)
		}
		if got := end(t, r, "y"); got.Status != haz.Completed || got.Source != haz.FromRun || got.Store != messages.NotStored {
			t.Errorf("y: %+v", got)
		}
		if got := end(t, r, "b"); got.Status != haz.Cancelled || got.Began() {
			t.Errorf("b: %+v", got)
		}
		if got := end(t, r, "z"); !got.LeftOut() || got.Cause != messages.NotNeeded {
			t.Errorf("z: %+v", got)
		}
		if !r.Cancelled || r.OK() {
			t.Errorf("cancelled: %v, %v", r.Cancelled, r.OK())
		}
		going := map[string]bool{}
		for _, id := range said.GoOn {
			going[id.Task] = true
		}
		if !going["x"] || !going["y"] || going["a"] || said.Running != 1 {
			t.Errorf("%+v", said)
		}
	})
}

// A second wish of the host, which is an interrupt, ends them too.
func TestFinalizersEndByAnInterrupt(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		finalized(t, w, "trap '' TERM; echo cleaning; stay")
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\nexecution: {cancel_grace: 3600}\n")
		ws := w.open(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		signals := make(chan haz.Interrupt, 1)
		first, second := onOutput("p:a", cancel), onOutput("p:y", func() { signals <- haz.Interrupt{Name: "SIGTERM", Number: 15} })
		r, err := ws.Run(ctx, asked(t, ws), haz.RunOptions{Jobs: 1, Signals: signals, Observer: func(e messages.Event) {
			first(e)
			second(e)
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := end(t, r, "y"); got.Status != haz.Cancelled || got.Cause != messages.Signalled {
			t.Errorf("y: %+v", got)
		}
	})
}
