package haz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/messages"
)

// A host's actor system carries runs one after the other and two at once, is not shut down, and keeps nothing of them.
func TestActorSystemOfTheHost(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`a: shell: "echo > a.up; await b.up; echo a"`,
			`b: shell: "echo > b.up; await a.up; echo b"`)
		system := actors.NewSystem(nil)
		defer system.Shutdown()
		ws := w.open(t, haz.WithActorSystem(system, "host/"))
		own := actor.PropsFromFunc(func(c actor.Context) {
			if text, ok := c.Message().(string); ok {
				c.Respond(text)
			}
		})
		pid := system.Root.Spawn(own)
		before := actorsIn(system)

		// Each of the two runs waits for the other's task.
		var all sync.WaitGroup
		results := make([]*haz.Result, 2)
		for i, task := range []string{"p:a", "p:b"} {
			targets := targetsOf(t, ws, task)
			all.Go(func() {
				r, err := ws.Run(context.Background(), targets, haz.RunOptions{})
				if err != nil {
					t.Error(err)
				}
				results[i] = r
			})
		}
		all.Wait()
		for i, r := range results {
			if r == nil || r.Counts.Completed != 1 || r.Counts.Cached != 0 {
				t.Errorf("run %d: %+v", i, r)
			}
		}
		if results[0].Run == results[1].Run {
			t.Error("two runs have one name")
		}
		if now := actorsIn(system); !slices.Equal(now, before) {
			t.Errorf("actors in the system: %q, before the runs %q", now, before)
		}
		if answer, err := system.Root.RequestFuture(pid, "there?", 5*time.Second).Result(); answer != "there?" || err != nil {
			t.Errorf("the host's own actor answers %v, %v", answer, err)
		}
		w.runWith(t, t.Context(), ws, haz.RunOptions{}).counts(t, 2, 2, 0, 0, 0)
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			t.Error(err)
		}
	})
}

func actorsIn(system *actor.ActorSystem) []string {
	var names []string
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		names = append(names, bucket.Keys()...)
	}
	slices.Sort(names)
	return names
}

// One workspace that is open serves many runs, and sees edits of inputs between them.
func TestManyRunsOfOneWorkspace(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		ws := w.open(t)
		for i := range 5 {
			w.write(t, "/lib/src.txt", fmt.Sprintf("%d\n", i))
			w.runWith(t, t.Context(), ws, haz.RunOptions{}).counts(t, 2, 0, 0, 0, 0)
			w.runWith(t, t.Context(), ws, haz.RunOptions{}).counts(t, 2, 2, 0, 0, 0)
			w.has(t, "/app/bin/app", fmt.Sprintf("%d\nmain\n", i))
		}
	})
}

// The clock of the host gives the times of the result.
func TestClockOfTheHost(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		c := &steps{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
		r := w.runWith(t, t.Context(), w.open(t, haz.WithClock(c)), haz.RunOptions{})
		if r.Started.Year() != 2030 || r.Ended.Year() != 2030 || !r.Ended.After(r.Started) {
			t.Errorf("from %v to %v", r.Started, r.Ended)
		}
		for _, o := range r.Outcomes {
			if o.Started.Year() != 2030 || o.Ended.Before(o.Started) || o.Took() <= 0 || o.Queued < 0 {
				t.Errorf("%s from %v to %v, queued %v", o.Task, o.Started, o.Ended, o.Queued)
			}
		}
	})
}

// steps is a clock that goes on by a second whenever it is looked at; its timers are real.
type steps struct {
	mu  sync.Mutex
	now time.Time
}

func (s *steps) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(time.Second)
	return s.now
}

func (s *steps) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// A logger of the host hears of nothing in a run that goes well.
func TestLoggerOfTheHost(t *testing.T) {
	w := inMemory(t)
	pair(t, w)
	var b bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.runWith(t, t.Context(), w.open(t, haz.WithLogger(logger)), haz.RunOptions{})
	if b.Len() > 0 {
		t.Errorf("logged: %s", b.String())
	}
}

// All mistakes come from Open at once, as *diag.Errors with places; nothing is made on disk.
func TestOpenReportsAllMistakes(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\nspeed: fast\n",
			"/p/haz.yml", "name: p\ntasks:\n  a: {shell: echo, deps: ['~:b', '~:nope']}\n  b: {shell: echo, deps: ['~:a']}\n  c: {command: 7}\n")
		before := w.infos(t)
		ws, err := haz.Open(context.Background(), w.dir, w.options...)
		var list *diag.Errors
		if ws != nil || !errors.As(err, &list) {
			t.Fatalf("%v, %v", ws, err)
		}
		text := err.Error()
		for _, want := range []string{"speed", "nope", "command"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not named in:\n%s", want, text)
			}
		}
		for _, d := range list.List {
			if d.Place.File == "" || d.Place.Line == 0 {
				t.Errorf("no place: %+v", d)
			}
		}
		sameInfos(t, before, w.infos(t))
	})
}

func TestOpenWithoutWorkspace(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		if _, err := haz.Open(context.Background(), w.dir, w.options...); err == nil {
			t.Error("there is no workspace, but Open says nothing")
		}
		if _, err := haz.Open(context.Background(), w.dir+"/nowhere", w.options...); err == nil {
			t.Error("there is no directory, but Open says nothing")
		}
	})
}

// Every kind of outcome at once, with all that its record says (chapter 2, section 3).
func TestResultRecords(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`done: shell: "echo out; echo err >&2; echo text > out.txt", outputs: [out.txt]`,
			`failed: shell: "echo so; exit 9"`,
			`errored: shell: "echo", outputs: [nothing.txt]`,
			`skipped: shell: "echo", deps: ["~:failed"]`)
		w.run(t, haz.RunOptions{}, "p:done")
		r := w.run(t, haz.RunOptions{})
		if len(r.TaskErrors) != 1 || r.TaskErrors[0].Task.String() != "p:errored" || r.Cancelled || r.Interrupt != nil {
			t.Errorf("%+v", r.Result)
		}

		o := r.outcome(t, "p:done")
		if o.Status != messages.Completed || o.Source != messages.FromCache || !o.HasKey || o.Miss != nil || o.Spawned != 0 {
			t.Errorf("%+v", o)
		}
		if len(o.Outputs) != 1 || o.Outputs[0].Path != "/p/out.txt" || o.Outputs[0].Size != 5 || o.Outputs[0].Digest != hasher.Sum(r.Hash, []byte("text\n")) || o.Outputs[0].Mode != 0o644 {
			t.Errorf("%+v", o.Outputs)
		}
		if o.StdoutLen != 4 || o.StderrLen != 4 || o.StdoutDigest != hasher.Sum(r.Hash, []byte("out\n")) || o.StderrDigest != hasher.Sum(r.Hash, []byte("err\n")) {
			t.Errorf("%+v", o)
		}

		o = r.outcome(t, "p:failed")
		if o.Status != messages.Failed || o.ExitCode != 9 || o.Signal != 0 || o.Error != nil || o.Spawned != 1 || o.StdoutLen != 3 || !o.HasKey || o.Miss == nil {
			t.Errorf("%+v", o)
		}
		o = r.outcome(t, "p:errored")
		if o.Status != messages.Failed || o.Error == nil || o.Error.Kind != messages.ErrOutputMissing || o.Spawned != 1 {
			t.Errorf("%+v", o)
		}
		o = r.outcome(t, "p:skipped")
		if o.Status != messages.Skipped || o.Cause != messages.UpstreamDidFail || o.Root.String() != "p:failed" || o.HasKey || !o.Started.IsZero() || o.Took() != 0 {
			t.Errorf("%+v", o)
		}
		var names []string
		for _, o := range r.Outcomes {
			names = append(names, o.Task.String())
		}
		if !slices.IsSorted(names) {
			t.Errorf("outcomes in the order %q", names)
		}
	})
}

// A signal that haz did not send is a failure with that signal.
func TestTaskDiesOfASignal(t *testing.T) {
	w := onDisk(t)
	tasks(t, w, `t: shell: "kill -SEGV $$"`)
	r := w.run(t, haz.RunOptions{})
	if o := r.outcome(t, "p:t"); o.Status != messages.Failed || o.Signal != int(syscall.SIGSEGV) || o.ExitCode != -1 || r.Cancelled {
		t.Errorf("%+v", o)
	}
}
