package haz_test

import (
	"context"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// What a host hands in may panic, and actors may die: the run ends, every task has an outcome that says why, the host lives.

// broken is a process of a host of which some methods panic.
type broken struct {
	process.Process
	in string
}

func (b broken) panics(method string) {
	if strings.Contains(b.in, method) {
		panic("the client of the host is broken")
	}
}

func (b broken) Interrupt()         { b.panics("Interrupt"); process.Interrupt(b.Process) }
func (b broken) Terminate()         { b.panics("Terminate"); b.Process.Terminate() }
func (b broken) Kill()              { b.panics("Kill"); b.Process.Kill() }
func (b broken) Wait() process.Exit { b.panics("Wait"); return b.Process.Wait() }
func (b broken) PID() int           { b.panics("PID"); return b.Process.PID() }

type brokenSpawner struct {
	*processtest.Spawner
	in string
}

func (s brokenSpawner) Start(c process.Command, out process.Sink) (process.Process, error) {
	if c.Label == "p:t" && s.in == "Start" {
		panic("the client of the host is broken")
	}
	p, err := s.Spawner.Start(c, out)
	if c.Label != "p:t" || err != nil {
		return p, err
	}
	return broken{p, s.in}, nil
}

// Panics in what starts, signals and waits for processes are errors of their task, and other tasks end as ever.
func TestPanicsOfProcesses(t *testing.T) {
	for _, c := range []struct {
		in     string
		cancel string          // "context", "SIGINT" or not at all
		want   messages.Status // of the task whose process it is
	}{
		{"Start", "", messages.Failed},
		{"Wait", "", messages.Failed},
		{"PID", "", messages.Failed},
		{"Interrupt", "SIGINT", messages.Cancelled}, // it is killed instead
		{"Terminate", "context", messages.Cancelled},
		{"Terminate Kill", "context", messages.Failed},
	} {
		t.Run(c.in, func(t *testing.T) {
			w := inMemory(t)
			scripted := w.spawner.Spawner.(*processtest.Spawner)
			defer scripted.KillAll()
			tasks(t, w, `t: shell: "trap '' TERM; stay"`, `other: shell: "echo up; await go"`)
			w.write(t, "/.haz/workspace.yml", "projects: [/p]\nexecution: {cancel_grace: 3600}\n")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			signals := make(chan haz.Interrupt, 1)
			soon(t, "the run", func() {
				ws := w.open(t, haz.WithSpawner(brokenSpawner{scripted, c.in}), haz.WithClock(hurried{}))
				r, err := ws.Run(ctx, targetsOf(t, ws), haz.RunOptions{Signals: signals, Observer: func(e messages.Event) {
					if _, up := e.(messages.TaskOutput); !up {
						return
					}
					for c.cancel != "" && scripted.Count("p:t") == 0 {
						time.Sleep(time.Millisecond)
					}
					switch c.cancel {
					case "context":
						cancel()
					case "SIGINT":
						signals <- haz.Interrupt{Name: c.cancel, Number: 2}
					}
					w.write(t, "/p/go", "")
				}})
				if err != nil || len(r.Violations) > 0 {
					t.Fatalf("%+v, %v", r.Violations, err)
				}
				out := (&ran{Result: r}).outcome(t, "p:t")
				if out.Status != c.want || c.want == messages.Failed && (out.Error == nil || !strings.Contains(out.Error.Reason, "the client of the host is broken")) {
					t.Errorf("%+v, %+v", out, out.Error)
				}
				if c.in != "Terminate Kill" && len(scripted.Alive()) > 0 {
					t.Errorf("%d processes live", len(scripted.Alive()))
				}
				if other := (&ran{Result: r}).outcome(t, "p:other"); c.cancel == "" && other.Status != messages.Completed {
					t.Errorf("the other task: %+v", other)
				}
			})
		})
	}
}

// Panics of the file system, wherever in a run, end neither the host nor hang: cold, with outputs to restore, and with nothing to do.
func TestPanicsOfTheDisk(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *world){
		"cold":    func(*testing.T, *world) {},
		"warm":    func(t *testing.T, w *world) { w.run(t, haz.RunOptions{}) },
		"restore": func(t *testing.T, w *world) { w.run(t, haz.RunOptions{}); w.remove(t, "/lib/out", "/app/bin") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := inMemory(t)
			pair(t, start)
			prepare(t, start)
			step := 4 // HAZ_LONG=1 tries every call
			if os.Getenv("HAZ_LONG") != "" {
				step = 1
			}
			for k := 0; ; k += step {
				w := inTree(t, start.mem.Clone())
				var n, hit atomic.Int64
				ff := faultfs.New(w.mem, 0, faultfs.Rule{At: -1, Match: func(faultfs.Call) bool {
					if hit.Load() == 0 && n.Add(1) > int64(k) && hit.CompareAndSwap(0, 1) {
						panic("the driver of the host is broken")
					}
					return false
				}})
				n.Store(1 << 40 * -1) // not while it is opened
				ws := w.open(t, haz.WithFileSystem(ff), haz.WithClock(hurried{}))
				n.Store(0)
				soon(t, fmt.Sprintf("the run with a panic in call %d", k), func() {
					r, err := ws.Run(t.Context(), []int{0, 1}, haz.RunOptions{})
					if r == nil || len(r.Outcomes) != 2 || len(r.Violations) > 0 {
						t.Fatalf("panic in call %d: %+v, %v", k, r, err)
					}
					for _, o := range r.Outcomes {
						if o.Status == 0 || o.Status == messages.Failed && !strings.Contains(o.Error.Reason, "broken") {
							t.Errorf("panic in call %d: %+v, %+v", k, o, o.Error)
						}
					}
				})
				reached := hit.Swap(1) == 1
				if !reached {
					break
				}
			}
		})
	}
}

// wired is what package haz hands to the actors, for hooks that it does not pass on.
func wired(t *testing.T, w *world, ws *haz.Workspace) actors.Options {
	t.Helper()
	fn := digest.BLAKE3
	st, tree := state.Open(ws.FS, fn), tree.New(ws.FS)
	store := cache.Open(ws.FS, cache.Options{Hash: fn, State: st, KeepDamaged: true})
	t.Cleanup(func() { st.Flush(); _ = store.Close() })
	return actors.Options{Run: 1, Name: "wired", Plan: ws.G.Plan(targetsOf(t, ws)), Cap: 2, Lookup: true, Store: true, Grace: time.Second,
		FS: ws.FS, Tree: tree, Cache: store, State: st, Hash: fn, Spawner: w.spawner, Clock: set{}, Workers: 2, StallEvery: 20 * time.Millisecond,
		Deriver: key.NewDeriver(key.Options{FS: ws.FS, Tree: tree, State: st, Hash: fn, Place: key.Place{OS: "linux", Arch: "amd64"}, Umask: 0o022, Host: key.NewHostEnv(os.Environ())})}
}

// When an actor dies that the run cannot do without, each outcome that this ends names the cause, and no invariant is said to be
// broken.
func TestDeathOfAnActorNamesItsCause(t *testing.T) {
	for _, name := range []string{"cache", "processes", "admission", "supervisor", "tasks", "run"} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				if deathOfAnActor(t, name) || t.Failed() {
					return
				}
			}
			t.Error("no run has noticed the death")
		})
	}
}

// deathOfAnActor reports whether the run noticed it: without the actor everything may just have come to its end, cancelled.
func deathOfAnActor(t *testing.T, name string) (noticed bool) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "stay"`, `b: shell: "stay"`, `c: shell: "echo", deps: ["~:a"]`, `d: shell: "echo", weakDeps: ["~:b"]`)
	system := actors.NewSystem(nil)
	defer system.Shutdown()
	o := wired(t, w, w.open(t))
	var armed atomic.Bool
	died := make(chan struct{})
	o.Before = func(at string, m any) {
		if at == name && armed.CompareAndSwap(true, false) {
			close(died)
			panic("injected")
		}
		if _, signal := m.(messages.SignalProcess); signal {
			<-died // else all may be over before it has had a turn
		}
	}
	h, err := actors.Start(func() *actor.ActorSystem { return system }, o)
	if err != nil {
		t.Fatal(err)
	}
	for w.spawner.running() < 2 {
		time.Sleep(time.Millisecond)
	}
	armed.Store(true)
	h.Cancel("SIGINT", 2) // each of them hears something of that
	soon(t, "the run", func() { <-h.Done() })
	r := h.Result()
	if r.Crash != nil && !strings.Contains(r.Crash.Error(), "injected") || len(r.Violations) > 0 {
		t.Errorf("crash %v, violations %+v", r.Crash, r.Violations)
	}
	for _, out := range r.Outcomes {
		switch {
		case r.Crash == nil && out.Status == messages.Failed,
			out.Status == 0, out.Status == messages.Failed && (out.Error == nil || !strings.Contains(out.Error.Reason, "injected")):
			t.Errorf("%+v, error %+v", out, out.Error)
		}
	}
	soon(t, "the last process", func() {
		for w.spawner.running() > 0 {
			time.Sleep(time.Millisecond)
		}
	})
	return r.Crash != nil
}

// A hook that panics while the actors of a run are made is an error, or a crash, and Start comes back.
func TestPanicsOfHooks(t *testing.T) {
	for _, name := range []string{"run", "observer", "cache", "tasks", "supervisor", "task-0"} {
		t.Run(name, func(t *testing.T) {
			w := inMemory(t)
			tasks(t, w, `a: shell: "echo"`)
			system := actors.NewSystem(nil)
			defer system.Shutdown()
			o := wired(t, w, w.open(t))
			o.Props = func(at string, p *actor.Props) *actor.Props {
				if at == name {
					panic("a hook of the host")
				}
				return p
			}
			soon(t, "the run", func() {
				h, err := actors.Start(func() *actor.ActorSystem { return system }, o)
				if err == nil {
					<-h.Done()
					err = h.Result().Crash
				}
				if err == nil || !strings.Contains(err.Error(), "a hook of the host") {
					t.Error(err)
				}
			})
		})
	}
}

// Tasks that only follow one whose worker panicked run, as after any failure; so do those behind what the failure takes along.
func TestTasksBehindACrash(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo", inputs: [in.txt]`, `b: shell: "echo b", weakDeps: ["~:a"]`, `c: shell: "echo", deps: ["~:a"]`, `d: shell: "echo d", weakDeps: ["~:c"]`)
	w.write(t, "/p/in.txt", "1")
	ff := faultfs.New(w.mem, 0, faultfs.Rule{At: -1, Match: func(c faultfs.Call) bool {
		if c.Op == faultfs.OpReadFile && strings.HasSuffix(c.Name, "/p/in.txt") {
			panic("the driver of the host is broken")
		}
		return false
	}})
	ws := w.open(t, haz.WithFileSystem(ff))
	r := w.runWith(t, t.Context(), ws, haz.RunOptions{})
	r.counts(t, 2, 0, 1, 1, 0)
	if o := r.outcome(t, "p:a"); o.Error == nil || o.Error.Kind != messages.ErrCrash || !strings.Contains(o.Error.Reason, "the driver of the host is broken") {
		t.Errorf("%+v, %+v", o, o.Error)
	}
}

// The third interrupt of one run ends its own processes, and none of another run that has the same spawner.
func TestThirdInterruptIsOfOneRun(t *testing.T) {
	mem := memfs.New()
	s := processtest.New(map[string]processtest.Script{"x": func(c process.Command, out process.Sink, signals <-chan processtest.Signal) process.Exit {
		out.Write(process.Stdout, []byte("up\n"))
		for sig := range signals {
			if sig == processtest.Kill {
				return process.Exit{Code: -1, Signal: 9}
			}
		}
		return process.Exit{}
	}})
	open := func(dir string) *haz.Workspace {
		for name, text := range map[string]string{"/.haz/workspace.yml": "projects: [/p]\n", "/p/haz.yml": "name: p\ntasks:\n  t: {command: [x]}\n"} {
			writeIn(t, mem, dir+name, text)
		}
		ws, err := haz.Open(t.Context(), dir, haz.WithFileSystem(mem), haz.WithSpawner(s), haz.WithPlatform("linux", "amd64"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ws.Close() })
		return ws
	}
	a, b := open("/a"), open("/b")
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	both.Go(func() { _, _ = b.Run(ctx, []int{0}, haz.RunOptions{}) })
	for len(s.Alive()) == 0 {
		time.Sleep(time.Millisecond)
	}
	other := s.Alive()[0]
	signals := make(chan haz.Interrupt, 3)
	r, err := a.Run(t.Context(), []int{0}, haz.RunOptions{Signals: signals, Observer: onOutput("p:t", func() {
		for range 3 {
			signals <- haz.Interrupt{Name: "SIGINT", Number: 2}
		}
	})})
	if err != nil || r.Counts.Cancelled != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if other.Ended() {
		t.Error("the process of the other run was killed, too")
	}
	other.Kill()
	both.Wait()
	cancel()
	for _, p := range s.Procs() {
		<-p.Done()
	}
}

// slowKills is a spawner of processes that take a moment to be killed.
type slowKills struct {
	process.Spawner
	began, done atomic.Int64
}

func (s *slowKills) Start(c process.Command, out process.Sink) (process.Process, error) {
	p, err := s.Spawner.Start(c, out)
	return slowKill{p, s}, err
}

type slowKill struct {
	process.Process
	of *slowKills
}

func (p slowKill) Kill() {
	p.of.began.Add(1)
	time.Sleep(200 * time.Millisecond)
	p.Process.Kill()
	p.of.done.Add(1)
}

// The third interrupt ends a run at once, but not before its last kill: the program may exit as soon as the run has ended.
func TestLastKillIsWaitedFor(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `t: shell: "trap '' TERM; echo up; stay"`)
	s := &slowKills{Spawner: w.spawner}
	ws := w.open(t, haz.WithSpawner(s))
	signals := make(chan haz.Interrupt, 3)
	if _, err := ws.Run(t.Context(), []int{0}, haz.RunOptions{Signals: signals, Observer: onOutput("p:t", func() {
		for range 3 {
			signals <- haz.Interrupt{Name: "SIGINT", Number: 2}
		}
	})}); err != nil {
		t.Error(err)
	}
	if s.done.Load() == 0 && w.spawner.running() > 0 { // it may have heeded a signal before
		t.Errorf("the run has ended, and %d kills go on", s.began.Load())
	}
	soon(t, "the last kills", func() {
		for s.began.Load() > s.done.Load() || w.spawner.running() > 0 {
			time.Sleep(time.Millisecond)
		}
	})
}

// slowStarts is a spawner whose processes run long before the call that starts them has returned, as under a heavy load.
type slowStarts struct {
	process.Spawner
	goOn chan struct{}
}

func (s slowStarts) Start(c process.Command, out process.Sink) (process.Process, error) {
	p, err := s.Spawner.Start(c, out)
	<-s.goOn
	return p, err
}

// A process that is being started when the third interrupt comes is killed as well: its run waits for that.
func TestLastKillWaitsForStarts(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `t: shell: "echo up; stay"`)
	kills := &slowKills{Spawner: w.spawner}
	s := slowStarts{kills, make(chan struct{})}
	ws := w.open(t, haz.WithSpawner(s))
	signals := make(chan haz.Interrupt)
	go func() {
		for w.spawner.running() == 0 {
			time.Sleep(time.Millisecond)
		}
		for range 3 {
			signals <- haz.Interrupt{Name: "SIGINT", Number: 2}
		}
		time.Sleep(100 * time.Millisecond) // in which a run that does not wait ends
		close(s.goOn)
	}()
	if _, err := ws.Run(t.Context(), []int{0}, haz.RunOptions{Signals: signals}); err != nil {
		t.Error(err)
	}
	if kills.done.Load() == 0 && w.spawner.running() > 0 {
		t.Error("the run has ended, and nobody was killed")
	}
	soon(t, "the last kills", func() {
		for kills.began.Load() > kills.done.Load() || w.spawner.running() > 0 {
			time.Sleep(time.Millisecond)
		}
	})
}

func writeIn(t *testing.T, fs fsys.FS, name, text string) {
	t.Helper()
	if err := fs.MkdirAll(path.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := fs.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		_, err = f.Write([]byte(text))
		_ = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// counting is a clock that knows how many of its timers may still come.
type counting struct{ waiting atomic.Int64 }

func (c *counting) Now() time.Time { return time.Now() }

func (c *counting) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.waiting.Add(1)
	var once sync.Once
	gone := func() { once.Do(func() { c.waiting.Add(-1) }) }
	timer := time.AfterFunc(d, func() { gone(); f() })
	return func() bool { gone(); return timer.Stop() }
}

// When a run has returned, none of its timers comes any more, and no message is on its way in the host's system.
func TestNothingComesAfterARun(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `t: shell: "echo up; stay"`, `u: shell: "echo", deps: ["~:t"]`)
		system := actors.NewSystem(nil)
		defer system.Shutdown()
		var dead atomic.Int64
		system.EventStream.Subscribe(func(m any) {
			if d, ok := m.(*actor.DeadLetterEvent); ok && strings.HasPrefix(fmt.Sprintf("%T", d.Message), "messages.") {
				dead.Add(1)
			}
		})
		c := &counting{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.runWith(t, ctx, w.open(t, haz.WithClock(c), haz.WithActorSystem(system, "h/")), haz.RunOptions{Observer: onOutput("p:t", cancel)})
		before := dead.Load()
		if n := c.waiting.Load(); n != 0 {
			t.Errorf("%d timers are left", n)
		}
		time.Sleep(50 * time.Millisecond)
		if n := dead.Load() - before; n != 0 {
			t.Errorf("%d messages came after the run", n)
		}
	})
}

// keepsNothing is a spawner of processes that say something and are gone.
type keepsNothing struct{ text []byte }

func (s keepsNothing) Start(_ process.Command, out process.Sink) (process.Process, error) {
	out.Write(process.Stdout, s.text)
	return ended{}, nil
}
func (keepsNothing) KillAll()     {}
func (keepsNothing) Close() error { return nil }

type ended struct{}

func (ended) PID() int           { return 0 }
func (ended) Terminate()         {}
func (ended) Kill()              {}
func (ended) Wait() process.Exit { return process.Exit{} }

// What tasks have said does not stay in memory when they have ended, neither of those that ran nor of hits.
func TestEndedTasksLeaveMemory(t *testing.T) {
	const n, size = 600, 60 << 10
	w := inMemory(t)
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(`t%d: command: [x, "%d"]`, i, i))
	}
	tasks(t, w, lines...)
	ws := w.open(t, haz.WithSpawner(keepsNothing{make([]byte, size)}), haz.WithCPUs(2))
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, source := range []string{"fresh", "from the cache"} {
		var half, end int64
		ends := 0
		mode := haz.Off // an entry in a file system in memory is memory, too
		if source != "fresh" {
			mode = haz.ReadWrite
			if _, err := ws.Run(t.Context(), targetsOf(t, ws), haz.RunOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := ws.Run(t.Context(), targetsOf(t, ws), haz.RunOptions{Cache: mode, Observer: func(e messages.Event) {
			if _, ok := e.(messages.TaskFinished); ok {
				switch ends++; ends {
				case n / 2:
					half = live()
				case n:
					end = live()
				}
			}
		}})
		if err != nil || r.Counts.Completed != n || (r.Counts.Cached == n) == (source == "fresh") {
			t.Fatalf("%s: %+v, %v", source, r.Counts, err)
		}
		if grew := end - half; grew > n/2*size/4 {
			t.Errorf("%s: %d KiB live after half of the tasks, %d KiB more after all; they said %d KiB", source, half>>10, grew>>10, n/2*size>>10)
		}
	}
}
