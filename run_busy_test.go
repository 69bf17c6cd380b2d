package haz_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// Silence is not idleness: a run that is busy for long is waited for, and goes on meanwhile where it can.

// hurried is a clock whose timers come a hundred times too early: what is slow by the tenth of a second is slow by ten.
type hurried struct{}

func (hurried) Now() time.Time { return time.Now() }

func (hurried) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d/100, f).Stop
}

// gated is a disk on which the publishing rename of an entry, and the removal of folders in the cache, take what the test wants.
type gated struct {
	fsys.FS
	base   string
	rename func()
	remove func()
}

func (g gated) at(name string) string { return path.Join(g.base, name) }

func (g gated) Sub(dir string) (fsys.FS, error) {
	f, err := g.FS.Sub(dir)
	g.FS, g.base = f, g.at(dir)
	return g, err
}

func (g gated) Rename(from, to string) error {
	if g.rename != nil && strings.Contains(g.at(from), "/.haz/cache/") && strings.Contains(from, ".tmp-") {
		g.rename()
	}
	return g.FS.Rename(from, to)
}

func (g gated) RemoveAll(name string) error {
	if g.remove != nil && strings.Contains(g.at(name), "/.haz/cache/") {
		g.remove()
	}
	return g.FS.RemoveAll(name)
}

// soon fails the test when f does not return in time; nothing here is slow on purpose.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not return", what)
	}
}

// While one entry is being published, other tasks get what they ask the cache for.
func TestOthersGoOnDuringAPublish(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo a > a.txt", outputs: [a.txt]`, `b: shell: "await go; echo b > b.txt", outputs: [b.txt], cache: false`)
	ended := make(chan struct{})
	var once sync.Once
	disk := gated{FS: w.mem, base: "/", rename: func() {
		w.write(t, "/p/go", "")
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Error("the other task does not end while an entry is being published")
		}
	}}
	r := w.runWith(t, t.Context(), w.open(t, haz.WithFileSystem(disk)), haz.RunOptions{Observer: func(e messages.Event) {
		if end, ok := e.(messages.TaskFinished); ok && end.Outcome.Task.Task == "b" {
			once.Do(func() { close(ended) })
		}
	}})
	r.counts(t, 2, 0, 0, 0, 0)
}

// At most one entry is published at a time, whatever the number of workers.
func TestPublishesTakeTurns(t *testing.T) {
	w := inMemory(t)
	var lines []string
	for i := range 12 {
		lines = append(lines, fmt.Sprintf(`t%d: shell: "echo %d > o%d", outputs: [o%d]`, i, i, i, i))
	}
	tasks(t, w, lines...)
	var mu sync.Mutex
	now, most, all := 0, 0, 0
	disk := gated{FS: w.mem, base: "/", rename: func() {
		mu.Lock()
		now++
		all++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
	}}
	w.runWith(t, t.Context(), w.open(t, haz.WithFileSystem(disk)), haz.RunOptions{}).counts(t, 12, 0, 0, 0, 0)
	if all != 12 || most != 1 {
		t.Errorf("%d entries were published, up to %d at a time", all, most)
	}
}

// A disk that is slow to publish, and to remove what gives way to a forced run, makes a slow run, not a lost task.
func TestSlowDiskLosesNoTask(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo a > a.txt", outputs: [a.txt]`)
	w.run(t, haz.RunOptions{})
	slow := func() { time.Sleep(150 * time.Millisecond) }
	ws := w.open(t, haz.WithFileSystem(gated{FS: w.mem, base: "/", rename: slow, remove: slow}), haz.WithClock(hurried{}))
	w.runWith(t, t.Context(), ws, haz.RunOptions{Cache: haz.WriteOnly}).counts(t, 1, 0, 0, 0, 0)
}

// patient is a process that takes its time for a signal: what wait says.
type patient struct {
	process.Process
	wait func()
}

func (p patient) Interrupt() { p.wait(); process.Interrupt(p.Process) }
func (p patient) Terminate() { p.wait(); p.Process.Terminate() }

type patientSpawner struct {
	process.Spawner
	wait map[string]func() // by label
}

func (s patientSpawner) Start(c process.Command, out process.Sink) (process.Process, error) {
	p, err := s.Spawner.Start(c, out)
	if wait := s.wait[c.Label]; wait != nil && err == nil {
		return patient{p, wait}, nil
	}
	return p, err
}

// A process that takes its time for a signal keeps none from others, and is no stall.
func TestSlowSignals(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo up; stay"`, `b: shell: "echo up; stay"`)
	w.write(t, "/.haz/workspace.yml", "projects: [/p]\nexecution: {cancel_grace: 3600}\n")
	var begun sync.WaitGroup
	begun.Add(2)
	wait := func() { // each of them until the other gets its signal, too
		begun.Done()
		both := make(chan struct{})
		go func() { begun.Wait(); close(both) }()
		select {
		case <-both:
		case <-time.After(10 * time.Second):
			t.Error("the other process gets no signal")
		}
		time.Sleep(100 * time.Millisecond)
	}
	s := patientSpawner{w.spawner, map[string]func(){"p:a": wait, "p:b": wait}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up := 0
	r := w.runWith(t, ctx, w.open(t, haz.WithSpawner(s), haz.WithClock(hurried{})), haz.RunOptions{Jobs: 2, Observer: func(e messages.Event) {
		if _, ok := e.(messages.TaskOutput); ok {
			if up++; up == 2 {
				cancel()
			}
		}
	}})
	r.counts(t, 0, 0, 0, 0, 2)
}

// A slow observer with much to see yet, when all tasks have ended, sees all of it.
func TestSlowObserverSeesAll(t *testing.T) {
	w := inMemory(t)
	scripted := processtest.New(map[string]processtest.Script{"x": func(_ process.Command, out process.Sink, _ <-chan processtest.Signal) process.Exit {
		for range 1500 {
			out.Write(process.Stdout, []byte("line\n"))
		}
		return process.Exit{}
	}})
	w.write(t, "/.haz/workspace.yml", "projects: [/p]\n", "/p/haz.yml", "name: p\ntasks:\n  t: {command: [x]}\n")
	w.spawner.Spawner = scripted
	r := w.runWith(t, t.Context(), w.open(t, haz.WithClock(hurried{})), haz.RunOptions{Observer: func(messages.Event) { time.Sleep(100 * time.Microsecond) }})
	if n := len(r.output("p:t", false)); n != 1500*5 {
		t.Errorf("%d bytes of %d were seen", n, 1500*5)
	}
}

// A piece of output of any size passes, in its order.
func TestOnePieceLargerThanTheBudget(t *testing.T) {
	w := inMemory(t)
	var want strings.Builder
	for i := range 700_000 {
		fmt.Fprintf(&want, "%07d\n", i)
	}
	w.write(t, "/.haz/workspace.yml", "projects: [/p]\n", "/p/haz.yml", "name: p\ntasks:\n  t: {command: [x]}\n")
	w.spawner.Spawner = processtest.New(map[string]processtest.Script{"x": func(_ process.Command, out process.Sink, _ <-chan processtest.Signal) process.Exit {
		out.Write(process.Stdout, []byte(want.String()))
		return process.Exit{}
	}})
	soon(t, "a run with a Write of 5 MiB", func() {
		if r := w.run(t, haz.RunOptions{}); r.output("p:t", false) != want.String() {
			t.Error("the output is not what was written")
		}
	})
}

// Whenever a host wants the end of a run, an observer that does not return from an event does not keep it.
func TestStuckObserverDoesNotKeepARun(t *testing.T) {
	is := map[string]func(messages.Event) bool{
		"at the first event": func(e messages.Event) bool { _, ok := e.(messages.RunStarted); return ok },
		"at a start":         func(e messages.Event) bool { _, ok := e.(messages.TaskStarted); return ok },
		"at an end":          func(e messages.Event) bool { _, ok := e.(messages.TaskFinished); return ok },
		"at the last event":  func(e messages.Event) bool { _, ok := e.(messages.RunFinished); return ok },
	}
	for name, at := range is {
		for _, how := range []string{"context", "signal", "three signals"} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				w := inMemory(t)
				tasks(t, w, `t: shell: "echo"`)
				ws := w.open(t, haz.WithClock(hurried{}))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				signals, release := make(chan haz.Interrupt, 3), make(chan struct{})
				defer close(release)
				soon(t, "the run", func() {
					r, err := ws.Run(ctx, targetsOf(t, ws), haz.RunOptions{Signals: signals, Observer: func(e messages.Event) {
						if !at(e) {
							return
						}
						switch how {
						case "context":
							time.AfterFunc(10*time.Millisecond, cancel)
						case "signal":
							signals <- haz.Interrupt{Name: "SIGINT", Number: 2}
						default:
							for range 3 {
								signals <- haz.Interrupt{Name: "SIGINT", Number: 2}
							}
						}
						<-release
					}})
					if err != nil || len(r.Outcomes) != 1 || r.Outcomes[0].Status == 0 || len(r.Violations) > 0 {
						t.Errorf("%+v, %v", r, err)
					}
				})
			})
		}
	}
}

// What a hit has printed is shown however much it is: the start comes first, or the observer would keep the rest, and with it all the room
// there is for what is on its way (S-15).
func TestHitThatHasPrintedMuch(t *testing.T) {
	w := inMemory(t)
	tasks(t, w, `a: shell: "cat in.txt", inputs: [in.txt]`)
	text := strings.Repeat("0123456789abcde\n", 6<<20/16)
	w.write(t, "/p/in.txt", text)
	for range 2 {
		soon(t, "the run", func() {
			r := w.run(t, haz.RunOptions{}, "p:a")
			if got := r.output("p:a", false); got != text {
				t.Errorf("%d bytes were shown, of %d", len(got), len(text))
			}
		})
	}
}
