package haz_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/messages"
)

// The hooks of a host are those of each of its runs: its word on the props of each actor, its goroutines, its look at each message.
func TestHooksOfTheHost(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo a"`, `b: shell: "echo b", deps: ["~:a"]`)
	var mu sync.Mutex
	made, seen := map[string]int{}, map[string]int{}
	var started atomic.Int64
	var all sync.WaitGroup
	ws := w.open(t, haz.WithHooks(haz.Hooks{
		Props: func(name string, p *actor.Props) *actor.Props {
			mu.Lock()
			defer mu.Unlock()
			made[name]++
			return p
		},
		Go: func(f func()) { started.Add(1); all.Go(f) },
		Before: func(name string, m any) {
			mu.Lock()
			defer mu.Unlock()
			if _, ok := m.(messages.StoreEntry); ok {
				seen[name]++
			}
		},
	}))
	w.runWith(t, t.Context(), ws, haz.RunOptions{}).counts(t, 2, 0, 0, 0, 0)
	all.Wait()
	for _, name := range []string{"run", "supervisor", "admission", "cache", "processes", "observer", "tasks", "task-0", "task-1"} {
		if made[name] != 1 {
			t.Errorf("props of %s were shown %d times", name, made[name])
		}
	}
	if len(made) != 9 || seen["cache"] != 2 || len(seen) != 1 || started.Load() < 4 {
		t.Errorf("actors %v, stores %v, %d goroutines", made, seen, started.Load())
	}
}

// A fault that is aimed at an actor and a message ends the run as the death of that actor does, and the next run of the same workspace
// meets it again.
func TestFaultOfTheHost(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo a"`, `b: shell: "echo b", deps: ["~:a"]`)
	ws := w.open(t, haz.WithHooks(haz.Hooks{Faults: []haz.Fault{{Actor: "cache", Message: "StoreEntry", Nth: 2, Panic: "injected"}}}))
	r, err := ws.Run(context.Background(), []int{0, 1}, haz.RunOptions{})
	if err == nil || !strings.Contains(err.Error(), "injected") || r.Outcomes[0].Status != messages.Completed || r.Outcomes[1].Status != messages.Failed {
		t.Fatalf("%v, %+v", err, r)
	}
	w.runWith(t, t.Context(), ws, haz.RunOptions{}).counts(t, 2, 1, 0, 0, 0)                 // one store alone
	r, err = ws.Run(context.Background(), []int{0, 1}, haz.RunOptions{Cache: haz.WriteOnly}) // and two
	if err == nil || !strings.Contains(err.Error(), "injected") {
		t.Fatalf("%v, %+v", err, r)
	}
}

// A Receive that takes its time holds up its actor, and nothing goes wrong.
func TestSlowReceive(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo a"`, `b: shell: "echo b", deps: ["~:a"]`)
	c := &waits{Clock: &steps{now: time.Unix(1e9, 0)}}
	ws := w.open(t, haz.WithClock(c), haz.WithHooks(haz.Hooks{Faults: []haz.Fault{{Actor: "supervisor", Message: "RecordOutcome", Delay: 3 * time.Millisecond}}}))
	w.runWith(t, t.Context(), ws, haz.RunOptions{}).counts(t, 2, 0, 0, 0, 0)
	if n := c.of(3 * time.Millisecond); n < 2 {
		t.Errorf("the supervisor was held up %d times", n)
	}
}

// waits remembers how long timers were set for.
type waits struct {
	actors.Clock
	mu  sync.Mutex
	set []time.Duration
}

func (c *waits) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	c.set = append(c.set, d)
	c.mu.Unlock()
	return c.Clock.AfterFunc(d, f)
}

func (c *waits) of(d time.Duration) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.set {
		if s == d {
			n++
		}
	}
	return n
}
