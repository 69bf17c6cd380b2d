package haz_test

import (
	"errors"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

func p(task string) haz.TaskID { return haz.TaskID{Project: "p", Task: task} }

// refused checks that a command came to that.
func refused(t *testing.T, err error, want haz.Refusal, status haz.Status) {
	t.Helper()
	var e *haz.CommandError
	if !errors.As(err, &e) || e.Refusal != want || e.Status != status {
		t.Errorf("%v, want refusal %d (%v)", err, want, status)
	}
}

// EXEC-083: one task is cancelled while it runs, and one that waits; what needs them ends with them, and all else goes on.
func TestCancelOneTask(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`a: shell: "echo half > a.txt; echo up; stay", outputs: [a.txt]`,
			`b: shell: "echo b", deps: ["~:a"]`,
			`c: shell: "await ../p/go; echo c"`,
			`d: shell: "echo d", deps: ["~:c"]`,
			`e: shell: "echo e", deps: ["~:d"]`)
		commands, answers := make(chan haz.Command, 4), make(chan error, 4)
		up := onOutput("p:a", func() {
			commands <- haz.Command{Order: haz.CancelTask, Task: p("d"), Answer: answers}
			commands <- haz.Command{Order: haz.CancelTask, Task: p("a"), Answer: answers}
		})
		r := w.run(t, haz.RunOptions{Commands: commands, Observer: func(e messages.Event) {
			up(e)
			if end, ok := e.(messages.TaskFinished); ok && end.Outcome.Task == p("a") {
				w.write(t, "/p/go", "")
			}
		}})
		for range 2 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		r.counts(t, 1, 0, 0, 0, 4)
		r.processes(t, "p:a", "p:c")
		for task, root := range map[string]string{"a": "", "d": "", "b": "p:a", "e": "p:d"} {
			o, want := r.outcome(t, "p:"+task), messages.Requested
			if root != "" {
				want = messages.UpstreamWasCancelled
			}
			if got := o.Root.String(); o.Cause != want || root != "" && got != root {
				t.Errorf("%+v", o)
			}
		}
		if r.Cancelled || r.OK() || r.Err().Error() != "4 of 5 tasks were cancelled" {
			t.Errorf("the run was cancelled: %v, %v", r.Cancelled, r.Err())
		}
		if n := len(w.entries(t)); n != 1 {
			t.Errorf("%d entries, want that of c", n)
		}
	})
}

// EXEC-084: the process is stopped and another one follows. That is no attempt, and what is kept is of the last one.
func TestRestartOneTask(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `a: shell: "echo half > a.txt; echo up; await ../p/go; echo whole > a.txt", outputs: [a.txt], retry: 1`,
			`b: shell: "cat a.txt > b.txt", outputs: [b.txt], deps: ["~:a"]`)
		commands, answers := make(chan haz.Command, 4), make(chan error, 4)
		ups, restarted := 0, 0
		r := w.run(t, haz.RunOptions{Commands: commands, Observer: func(e messages.Event) {
			switch e := e.(type) {
			case messages.TaskRestarted:
				restarted++
			case messages.TaskOutput:
				if ups++; ups < 3 {
					commands <- haz.Command{Order: haz.RestartTask, Task: e.Task, Answer: answers}
				} else {
					w.write(t, "/p/go", "")
				}
			}
		}})
		for range 2 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		r.counts(t, 2, 0, 0, 0, 0)
		r.processes(t, "p:a", "p:a", "p:a", "p:b")
		o := r.outcome(t, "p:a")
		if o.Restarted != 2 || restarted != 2 || len(o.Failures) > 0 || o.Flaky() || o.Store != messages.Stored || o.StdoutLen != 3 {
			t.Errorf("%d words of it, %+v", restarted, o)
		}
		w.has(t, "/p/b.txt", "whole\n")
		w.run(t, haz.RunOptions{}).counts(t, 2, 2, 0, 0, 0)
	})
}

// EXEC-085: more slots let more tasks begin. None is stopped when they are fewer, and none begins until there is room: d, when c has ended.
func TestSetJobs(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`a: shell: "echo up; await ../p/lowered"`,
			`b: shell: "await ../p/lowered"`,
			`c: shell: "echo up; await ../p/go; echo > c.done"`,
			`d: shell: "cat c.done"`)
		commands, answers := make(chan haz.Command, 4), make(chan error, 4)
		a := onOutput("p:a", func() { commands <- haz.Command{Order: haz.SetJobs, Jobs: 3, Answer: answers} })
		c := onOutput("p:c", func() { commands <- haz.Command{Order: haz.SetJobs, Jobs: 1, Answer: answers} })
		go func() {
			for range 2 {
				if err := <-answers; err != nil {
					t.Error(err)
				}
			}
			w.write(t, "/p/lowered", "")
		}()
		ended := 0
		r := w.run(t, haz.RunOptions{Jobs: 1, Commands: commands, Observer: func(e messages.Event) {
			a(e)
			c(e)
			if _, ok := e.(messages.TaskFinished); ok {
				if ended++; ended == 2 {
					w.write(t, "/p/go", "")
				}
			}
		}})
		r.counts(t, 4, 0, 0, 0, 0)
	})
}

// What cannot be done is answered with the reason, also when the run is over.
func TestCommandsThatAreRefused(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`a: shell: "echo a"`,
			`b: shell: "echo up; await ../p/go", deps: ["~:a"]`,
			`c: shell: "echo c", deps: ["~:b"]`)
		commands, answers := make(chan haz.Command, 8), make(chan error, 8)
		ask := func(c haz.Command) {
			c.Answer = answers
			commands <- c
		}
		up := onOutput("p:b", func() {
			go func() {
				defer w.write(t, "/p/go", "")
				for _, c := range []struct {
					command haz.Command
					want    haz.Refusal
					status  haz.Status
				}{
					{haz.Command{Order: haz.CancelTask, Task: p("a")}, haz.TaskEnded, haz.Completed},
					{haz.Command{Order: haz.RestartTask, Task: p("a")}, haz.TaskEnded, haz.Completed},
					{haz.Command{Order: haz.RestartTask, Task: p("c")}, haz.NotExecuting, 0},
					{haz.Command{Order: haz.CancelTask, Task: p("nobody")}, haz.UnknownTask, 0},
					{haz.Command{Order: haz.SetJobs, Jobs: -1}, haz.BadCommand, 0},
					{haz.Command{Task: p("b")}, haz.BadCommand, 0},
				} {
					ask(c.command)
					refused(t, <-answers, c.want, c.status)
				}
			}()
		})
		r := w.run(t, haz.RunOptions{Commands: commands, Observer: func(e messages.Event) {
			up(e)
			if _, ok := e.(messages.RunFinished); ok {
				ask(haz.Command{Order: haz.CancelTask, Task: p("a")})
			}
		}})
		r.counts(t, 3, 0, 0, 0, 0)
		refused(t, <-answers, haz.RunEnded, 0)
		ask(haz.Command{Order: haz.SetJobs, Jobs: 1}) // all of the tasks are settled now
		settled := w.run(t, haz.RunOptions{Commands: commands})
		settled.counts(t, 3, 3, 0, 0, 0)
		<-answers
	})
}

// A fresh task is carried out whatever the cache has, and what it makes takes the place of that. All others are what they would be.
func TestFresh(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`a: shell: "cat n > a.txt; cat n", outputs: [a.txt]`, // n is no input of it
			`b: shell: "cat a.txt > b.txt", outputs: [b.txt], deps: ["~:a"]`,
			`c: shell: "echo c"`)
		w.write(t, "/p/n", "1\n")
		w.run(t, haz.RunOptions{}).counts(t, 3, 0, 0, 0, 0)
		w.write(t, "/p/n", "2\n")
		w.run(t, haz.RunOptions{}).counts(t, 3, 3, 0, 0, 0)
		r := w.run(t, haz.RunOptions{Fresh: []haz.TaskID{p("a"), p("nobody")}})
		r.counts(t, 3, 1, 0, 0, 0)
		r.processes(t, "p:a", "p:b")
		if o := r.outcome(t, "p:a"); o.Store != messages.Stored {
			t.Errorf("%+v", o)
		}
		w.has(t, "/p/b.txt", "2\n")
		w.run(t, haz.RunOptions{}).counts(t, 3, 3, 0, 0, 0)
		w.has(t, "/p/a.txt", "2\n", "/p/b.txt", "2\n")
		w.remove(t, "/p/a.txt")
		w.run(t, haz.RunOptions{}).counts(t, 3, 3, 0, 0, 0)
		w.has(t, "/p/a.txt", "2\n")
	})
}
