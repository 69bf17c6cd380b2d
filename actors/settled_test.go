package actors

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// asRecorded is a settled task that printed a word.
type asRecorded struct{ name string }

func (h asRecorded) Result() (entry.Key, int, messages.Product) {
	return digest.Digest{1}, 1, messages.Product{StdoutLen: int64(len(h.name))}
}
func (h asRecorded) Printed() (stdout, stderr []byte, order cache.StreamOrder) {
	return []byte(h.name), nil, order
}
func (asRecorded) Kept() []state.Produced  { return nil }
func (asRecorded) Missed() []MissedPattern { return nil }

type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }
func (machineClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// allSettled is a run of two tasks, both of which are settled. b needs a.
func allSettled(t *testing.T, observe func(messages.Event)) *Handle {
	t.Helper()
	w := &workspace.Workspace{}
	for i, name := range []string{"b", "a"} {
		w.Tasks = append(w.Tasks, &workspace.Task{ID: workspace.TaskID{Project: "p", Task: name}, Index: i, Cache: true})
	}
	up := [][]graph.Edge{{{Task: 1, Kind: graph.Hard}}, nil}
	down := [][]graph.Edge{nil, {{Task: 0, Kind: graph.Hard}}}
	plan := &graph.Plan{G: &graph.Graph{W: w, Up: up, Down: down}, Tasks: w.Tasks, Up: up, Down: down, Target: make([]bool, 2), Conflicts: make([][]int, 2)}
	h, err := Start(func() *actor.ActorSystem {
		t.Error("an actor system is asked for")
		return NewSystem(nil)
	}, Options{Run: 1, Name: "r", Plan: plan, Lookup: true, Cap: 1, Clock: machineClock{}, StallEvery: 4 * time.Millisecond,
		Settled: []Settled{{0, asRecorded{"b"}}, {1, asRecorded{"a"}}}, Observe: observe})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ended(t *testing.T, h *Handle) Result {
	t.Helper()
	select {
	case <-h.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the run does not end")
	}
	for _, o := range h.Result().Outcomes {
		if o.Status != messages.Completed || o.Source != messages.FromCache {
			t.Errorf("%+v", o)
		}
	}
	return h.Result()
}

// EXEC-054: a run of which every task is settled asks for no actor system, and tells of each task, upstreams first.
func TestAllSettled(t *testing.T) {
	var told []string
	h := allSettled(t, func(e messages.Event) {
		switch e := e.(type) {
		case messages.TaskStarted:
			told = append(told, "start "+e.Task.Task)
		case messages.TaskOutput:
			told = append(told, "output "+string(e.Bytes))
		case messages.TaskFinished:
			told = append(told, "end "+e.Outcome.Task.Task)
		}
	})
	r := ended(t, h)
	if want := []string{"start a", "output a", "end a", "start b", "output b", "end b"}; !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
	if r.Crash != nil || r.Cancelled || r.ObserverStuck || len(r.Outcomes) != 2 || r.Outcomes[0].Task.Task != "b" {
		t.Errorf("%+v", r)
	}
	h.Cancel("SIGINT", 2) // nobody is there any more
	h.Kill()
}

// EXEC-054: who wants to end such a run does not wait for an observer that is stuck, and what it is told later is nothing.
func TestAllSettledAndAnObserverThatIsStuck(t *testing.T) {
	for _, signals := range []int{1, 3} {
		release, inside := make(chan struct{}), make(chan struct{}, 9)
		h := allSettled(t, func(messages.Event) {
			inside <- struct{}{}
			<-release
		})
		<-inside
		time.Sleep(10 * time.Millisecond) // a slow one is not given up on
		select {
		case <-h.Done():
			t.Error("nobody has asked for the end")
		default:
		}
		for range signals {
			h.Cancel("SIGINT", 2)
		}
		r := ended(t, h)
		if !r.ObserverStuck || !r.Cancelled || r.Signal.Number != 2 || r.Crash != nil {
			t.Errorf("%+v", r)
		}
		close(release)
		time.Sleep(10 * time.Millisecond)
		if len(inside) > 0 {
			t.Error("the observer is told of something after the run")
		}
	}
}

// EXEC-054: an observer that panics, or ends its goroutine, is a crash of the run.
func TestAllSettledAndAnObserverThatPanics(t *testing.T) {
	for want, f := range map[string]func(){"the observer actor died: no": func() { panic("no") }, "ended its goroutine": runtime.Goexit} {
		r := ended(t, allSettled(t, func(messages.Event) { f() }))
		if r.Crash == nil || !strings.Contains(r.Crash.Error(), want) {
			t.Errorf("%v", r.Crash)
		}
	}
}

// EXEC-054: such a run is suspended and resumed as any; a wish to end it ends the suspension.
func TestAllSettledAndSuspended(t *testing.T) {
	release := make(chan struct{})
	h := allSettled(t, func(messages.Event) { <-release })
	resume := h.Suspend()
	h.Cancel("", 0)
	if r := ended(t, h); !r.Cancelled || r.Signal.Signal != "" {
		t.Errorf("%+v", r)
	}
	resume()
	close(release)
}
