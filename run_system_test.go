package haz_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/messages"
)

// systems collects the actor systems in which the actors of runs live.
type systems struct {
	mu  sync.Mutex
	all []*actor.ActorSystem
}

func (s *systems) props(_ string, p *actor.Props) *actor.Props {
	return p.Configure(actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			s.mu.Lock()
			if !slices.Contains(s.all, c.ActorSystem()) {
				s.all = append(s.all, c.ActorSystem())
			}
			s.mu.Unlock()
			next(c, e)
		}
	}))
}

// Runs of one workspace, one after the other and at once, live in one actor system, in which nothing of them is left; another workspace
// has another one. Close stops it.
func TestOneSystemAWorkspace(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo > a.up; await b.up; echo a"`, `b: shell: "echo > b.up; await a.up; echo b"`)
	var met systems
	open := func() *haz.Workspace {
		ws, err := haz.Open(t.Context(), w.dir, append(w.options, haz.WithHooks(haz.Hooks{Props: met.props}))...)
		if err != nil {
			t.Fatal(err)
		}
		return ws
	}
	ws := open()
	if r, err := ws.Run(t.Context(), nil, haz.RunOptions{}); err != nil || !r.OK() || len(met.all) > 0 {
		t.Fatalf("%+v, %v: a run of nothing has %d systems", r, err, len(met.all))
	}
	var both sync.WaitGroup
	for i := range 2 { // each waits for the other's task
		both.Go(func() {
			if r, err := ws.Run(t.Context(), []int{i}, haz.RunOptions{}); err != nil || !r.OK() {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	both.Wait()
	if r, err := ws.Run(t.Context(), []int{0, 1}, haz.RunOptions{}); err != nil || !r.OK() || r.Counts.Cached != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if len(met.all) != 1 || met.all[0].IsStopped() {
		t.Fatalf("three runs had %d systems", len(met.all))
	}
	for _, name := range actorsIn(met.all[0]) {
		if strings.Contains(name, "run-") {
			t.Errorf("%s is left", name)
		}
	}
	other := open()
	if _, err := other.Run(t.Context(), []int{0}, haz.RunOptions{}); err != nil || len(met.all) != 2 {
		t.Errorf("two workspaces had %d systems: %v", len(met.all), err)
	}
	for i, ws := range []*haz.Workspace{ws, other} {
		for range 2 { // the second time it has nothing to stop
			if err := ws.Close(); err != nil && !strings.Contains(err.Error(), "closed") {
				t.Error(err)
			}
		}
		if !met.all[i].IsStopped() {
			t.Error("Close has not stopped the system")
		}
	}
}

// A run that loses an actor and one that is cancelled do nothing to another run in their system.
func TestRunsInOneSystemAreApart(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `dies: shell: "stay"`, `stops: shell: "stay"`, `works: shell: "echo > in; await go; echo done > out", outputs: [out]`)
	var met systems
	ws := w.open(t, haz.WithHooks(haz.Hooks{Props: met.props, Before: func(name string, m any) {
		if c, ok := m.(messages.CancelRun); ok && c.Signal == "SIGDIE" && name == "supervisor" {
			panic("injected")
		}
	}}))
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan haz.Interrupt, 1)
	type ended struct {
		r   *haz.Result
		err error
	}
	ends := make([]chan ended, 3)
	for i, start := range []func() (*haz.Result, error){
		func() (*haz.Result, error) {
			return ws.Run(context.Background(), []int{0}, haz.RunOptions{Signals: signals})
		},
		func() (*haz.Result, error) { return ws.Run(ctx, []int{1}, haz.RunOptions{}) },
		func() (*haz.Result, error) { return ws.Run(context.Background(), []int{2}, haz.RunOptions{}) },
	} {
		ends[i] = make(chan ended, 1)
		go func() { r, err := start(); ends[i] <- ended{r, err} }()
	}
	soon(t, "the three", func() {
		for w.spawner.running() < 3 {
			time.Sleep(time.Millisecond)
		}
	})
	signals <- haz.Interrupt{Name: "SIGDIE", Number: 2}
	if e := <-ends[0]; e.err == nil || !strings.Contains(e.err.Error(), "injected") {
		t.Errorf("the run whose supervisor died: %v", e.err)
	}
	cancel()
	if e := <-ends[1]; e.err != nil || !e.r.Cancelled {
		t.Errorf("the run that was cancelled: %+v, %v", e.r, e.err)
	}
	w.write(t, "/p/go", "")
	if e := <-ends[2]; e.err != nil || !e.r.OK() {
		t.Errorf("the run beside them: %+v, %v", e.r, e.err)
	}
	if len(met.all) != 1 {
		t.Errorf("they had %d systems", len(met.all))
	}
}

// An actor that is stopped from outside, in a system of the host's, is named by the run that cannot go on without it.
func TestActorStoppedFromOutside(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "stay"`)
	system := actors.NewSystem(nil)
	defer system.Shutdown()
	ws := w.open(t, haz.WithActorSystem(system, "host/"))
	go func() {
		for w.spawner.running() < 1 {
			time.Sleep(time.Millisecond)
		}
		for _, name := range actorsIn(system) {
			if strings.Contains(name, "/cache$") {
				system.Root.Stop(system.NewLocalPID(name))
			}
		}
	}()
	var r *haz.Result
	var err error
	soon(t, "the run", func() { r, err = ws.Run(context.Background(), []int{0}, haz.RunOptions{}) })
	if err == nil || !strings.Contains(err.Error(), "/cache$") || w.spawner.running() > 0 {
		t.Fatalf("%v, and %d processes are left", err, w.spawner.running())
	}
	if e := r.Outcomes[0].Error; e == nil || e.Kind != messages.ErrCrash || !strings.Contains(e.Reason, "/cache$") {
		t.Errorf("%+v, %+v", r.Outcomes[0], e)
	}
}
