package processtest_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/haz-build/haz/process"
	. "github.com/haz-build/haz/process/processtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func cmd(label string, argv ...string) process.Command {
	return process.Command{Label: label, Dir: "/w", Argv: argv}
}

func steps() map[Behaviour][]Step {
	return map[Behaviour][]Step{
		Succeeds: {Out(process.Stdout, "out\n"), Pass(), Out(process.Stderr, "err"), Exit(0)},
		Fails:    {Out(process.Stderr, "bad\n"), Exit(3), Out(process.Stdout, "never")},
		Crashes:  {Crash(9)},
		Hangs:    {Out(process.Stdout, "ready\n"), Hang(), Exit(0)},
		Stubborn: {IgnoreTerm(), Out(process.Stdout, "ready\n"), Hang(), Exit(0)},
	}
}

func TestConformSteps(t *testing.T) {
	open := func() process.Spawner {
		s := New(nil)
		for b, steps := range steps() {
			s.Name(string(b), Program{Steps: steps})
		}
		return s
	}
	Conform(t, open, func(b Behaviour) process.Command { return cmd("l", string(b)) })
}

func TestConformScripts(t *testing.T) {
	write := func(out process.Sink, s process.Stream, text string) { out.Write(s, []byte(text)) }
	untilSignal := func(deaf bool) Script {
		return func(_ process.Command, out process.Sink, signals <-chan Signal) process.Exit {
			write(out, process.Stdout, "ready\n")
			for s := range signals {
				if !deaf || s == Kill {
					return process.Exit{Code: -1, Signal: s.Number()}
				}
			}
			return process.Exit{}
		}
	}
	scripts := map[string]Script{
		string(Succeeds): func(_ process.Command, out process.Sink, _ <-chan Signal) process.Exit {
			write(out, process.Stdout, "out\n")
			write(out, process.Stderr, "err")
			return process.Exit{}
		},
		string(Fails): func(_ process.Command, out process.Sink, _ <-chan Signal) process.Exit {
			write(out, process.Stderr, "bad\n")
			return process.Exit{Code: 3}
		},
		string(Crashes): func(process.Command, process.Sink, <-chan Signal) process.Exit {
			return process.Exit{Code: -1, Signal: 9}
		},
		string(Hangs):    untilSignal(false),
		string(Stubborn): untilSignal(true),
	}
	Conform(t, func() process.Spawner { return New(scripts) }, func(b Behaviour) process.Command { return cmd("l", string(b)) })
}

// One goroutine drives several processes by a seed; equal seeds give equal histories.
func TestManual(t *testing.T) {
	history := func(seed uint64) (log []string) {
		s := New(nil)
		s.Manual = true
		s.Go = func(func()) { t.Error("a manual process needs no goroutine") }
		names := slices.Sorted(maps.Keys(steps()))
		for _, b := range names {
			s.Label(string(b), Program{Steps: steps()[b]})
			p, err := s.Start(cmd(string(b), "sh", "-c", "x"), logger(&log, string(b)))
			if err != nil {
				t.Fatal(err)
			}
			p.(*Proc).OnExit(func(e process.Exit) {
				log = append(log, fmt.Sprintf("%s: code %d signal %d cancelled %v", b, e.Code, e.Signal, e.Cancelled))
			})
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		for _, signal := range []func(process.Process){nil, process.Process.Terminate, process.Process.Kill} {
			for _, p := range s.Alive() {
				if signal != nil {
					signal(p)
				}
			}
			for run := s.Runnable(); len(run) > 0; run = s.Runnable() {
				run[rng.IntN(len(run))].Step()
			}
		}
		if n := len(s.Alive()); n > 0 {
			t.Errorf("%d processes live", n)
		}
		for _, p := range s.Procs() {
			if p.Step() || p.Runnable() || !p.Ended() {
				t.Errorf("%s moves after its end", p.Command().Label)
			}
			<-p.Done()
		}
		return log
	}
	a, b := history(1), history(1)
	if !slices.Equal(a, b) {
		t.Errorf("one seed, two histories:\n%q\n%q", a, b)
	}
	slices.Sort(a)
	want := []string{
		"crashes: code -1 signal 9 cancelled false",
		"fails: bad\n",
		"fails: code 3 signal 0 cancelled false",
		"hangs: code -1 signal 15 cancelled true",
		"hangs: ready\n",
		"stubborn: code -1 signal 9 cancelled true",
		"stubborn: ready\n",
		"succeeds: code 0 signal 0 cancelled false",
		"succeeds: err",
		"succeeds: out\n",
	}
	if !slices.Equal(a, want) {
		t.Errorf("got %q\nwant %q", a, want)
	}
	differs := false
	for seed := range uint64(20) {
		differs = differs || !slices.Equal(history(seed), b)
	}
	if !differs {
		t.Error("twenty seeds, one history")
	}
}

type sinkFunc func(process.Stream, []byte)

func (f sinkFunc) Write(s process.Stream, b []byte) { f(s, b) }

func logger(log *[]string, name string) process.Sink {
	return sinkFunc(func(_ process.Stream, b []byte) { *log = append(*log, name+": "+string(b)) })
}

func TestFindAndCount(t *testing.T) {
	refused := &process.NotStartedError{Program: "no", Reason: "not executable"}
	s := New(map[string]Script{"sh": func(process.Command, process.Sink, <-chan Signal) process.Exit { return process.Exit{Code: 1} }})
	s.Name("no", Program{Refuse: refused})
	s.Label("p:two", Program{Steps: []Step{Exit(2)}})
	s.Find = func(c process.Command) (Program, bool) {
		return Program{Steps: []Step{Exit(3)}}, c.Label == "p:three"
	}
	for _, c := range []struct {
		label, program string
		code           int
		err            error
	}{
		{"p:one", "sh", 1, nil},
		{"p:two", "sh", 2, nil},
		{"p:two", "gone", 2, nil}, // the label comes before the name
		{"p:three", "no", 3, nil}, // Find comes before both
		{"p:four", "no", 0, refused},
		{"p:five", "gone", 0, os.ErrNotExist},
	} {
		p, err := s.Start(cmd(c.label, c.program, "arg"), nil)
		if !errors.Is(err, c.err) {
			t.Errorf("%s %s: %v, want %v", c.label, c.program, err, c.err)
			continue
		}
		if err == nil {
			if e := p.Wait(); e.Code != c.code {
				t.Errorf("%s %s: code %d, want %d", c.label, c.program, e.Code, c.code)
			}
		}
	}
	for label, want := range map[string]int{"p:one": 1, "p:two": 2, "p:three": 1, "p:four": 0, "p:five": 0} {
		if got := s.Count(label); got != want {
			t.Errorf("%s: %d processes, want %d", label, got, want)
		}
	}
	if got := s.Commands()[0]; got.Label != "p:one" || got.Dir != "/w" || !slices.Equal(got.Argv, []string{"sh", "arg"}) {
		t.Errorf("first command: %+v", got)
	}
}

func TestSteps(t *testing.T) {
	dir := t.TempDir()
	s := New(nil)
	start := func(steps ...Step) (process.Exit, *Tape) {
		t.Helper()
		s.Name("x", Program{Steps: steps})
		r := NewTape()
		p, err := s.Start(process.Command{Dir: dir, Argv: []string{"x"}}, r)
		if err != nil {
			t.Fatal(err)
		}
		return p.Wait(), r
	}
	if e, _ := start(Write("a/b.txt", "text"), Write(filepath.Join(dir, "c"), "more")); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	for name, want := range map[string]string{"a/b.txt": "text", "c": "more"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if e, r := start(Write("c/d", "c is a file"), Exit(0)); e.Code != 1 || !strings.Contains(r.Text(process.Stderr), "not a directory") {
		t.Errorf("exit %+v, stderr %q", e, r.Text(process.Stderr))
	}
	s.WriteFile = func(path string, data []byte) error { return fmt.Errorf("%s: %d bytes, disk full", path, len(data)) }
	if e, r := start(Write("/e", "12"), Exit(0)); e.Code != 1 || r.Text(process.Stderr) != "/e: 2 bytes, disk full\n" {
		t.Errorf("exit %+v, stderr %q", e, r.Text(process.Stderr))
	}
	e, _ := start(Leave(process.Leftover{PID: 7, Command: "daemon"}), HoldOutput(8), Exit(0))
	if e.Incomplete != "output still held by pid 8" || len(e.Leftovers) != 1 || e.Leftovers[0].PID != 7 {
		t.Errorf("exit %+v", e)
	}
	lost := errors.New("lost")
	if e, _ := start(End(process.Exit{WaitErr: lost})); e.WaitErr != lost {
		t.Errorf("exit %+v", e)
	}
}

// A starter that runs its argument at once makes the whole process happen inside Start.
func TestInlineStarter(t *testing.T) {
	s := New(map[string]Script{"x": func(c process.Command, out process.Sink, _ <-chan Signal) process.Exit {
		out.Write(process.Stdout, []byte(strings.Join(c.Env, " ")))
		return process.Exit{Code: 4}
	}})
	s.Go = func(f func()) { f() }
	r := NewTape()
	p, err := s.Start(process.Command{Argv: []string{"x"}, Env: []string{"A=1", "B=2"}}, r)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Alive()) != 0 || p.Wait().Code != 4 || r.Text(process.Stdout) != "A=1 B=2" {
		t.Errorf("alive %d, exit %+v, stdout %q", len(s.Alive()), p.Wait(), r.Text(process.Stdout))
	}
}

// Whoever decides when processes die may do so in the middle of a script: what that says afterwards, and how it ends, is nothing any more.
func TestEnd(t *testing.T) {
	var body func()
	s := New(map[string]Script{"x": func(_ process.Command, out process.Sink, _ <-chan Signal) process.Exit {
		out.Write(process.Stdout, []byte("alive\n"))
		s := out.(*Proc)
		s.Terminate()
		s.End(process.Exit{Code: 7})
		out.Write(process.Stdout, []byte("dead\n"))
		return process.Exit{Code: 1}
	}})
	s.Go = func(f func()) { body = f }
	r := NewTape()
	p, err := s.Start(cmd("p:x", "x"), r)
	if err != nil {
		t.Fatal(err)
	}
	ends := 0
	p.(*Proc).OnExit(func(process.Exit) { ends++ })
	body()
	if e := p.Wait(); e.Code != 7 || !e.Cancelled || ends != 1 || r.Text(process.Stdout) != "alive\n" {
		t.Errorf("exit %+v, told %d times, stdout %q", e, ends, r.Text(process.Stdout))
	}
}
