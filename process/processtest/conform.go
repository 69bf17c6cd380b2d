package processtest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/process"
)

// Behaviour names what a command of Conform does.
type Behaviour string

const (
	Succeeds Behaviour = "succeeds" // writes "out\n" to stdout, "err" to stderr, ends with 0
	Fails    Behaviour = "fails"    // writes "bad\n" to stderr, ends with 3
	Crashes  Behaviour = "crashes"  // ends by signal 9 of its own
	Hangs    Behaviour = "hangs"    // writes "ready\n" to stdout, then waits for a signal
	Stubborn Behaviour = "stubborn" // ignores all signals but KILL, then writes "ready\n" to stdout and waits
	Missing  Behaviour = "missing"  // does not exist
)

// The signals that only process.Signal sends.
const hup, quit, usr1, usr2 = "HUP", "QUIT", "USR1", "USR2"

// Conform tests what every Spawner owes its callers. open makes a fresh one; Conform closes it.
func Conform(t *testing.T, open func() process.Spawner, command func(Behaviour) process.Command) {
	interrupt, term, kill := process.Interrupt, process.Process.Terminate, process.Process.Kill
	named := func(name string) func(process.Process) {
		return func(p process.Process) { process.Signal(p, name) }
	}
	for _, c := range []struct {
		name     string
		does     Behaviour
		signals  []func(process.Process)
		want     process.Exit
		out, err string
	}{
		{"success", Succeeds, nil, process.Exit{}, "out\n", "err"},
		{"failure", Fails, nil, process.Exit{Code: 3}, "", "bad\n"},
		{"own signal", Crashes, nil, process.Exit{Code: -1, Signal: 9}, "", ""},
		{"interrupted", Hangs, []func(process.Process){interrupt}, process.Exit{Code: -1, Signal: 2, Cancelled: true}, "ready\n", ""},
		{"INT ignored", Stubborn, []func(process.Process){interrupt, term, kill}, process.Exit{Code: -1, Signal: 9, Cancelled: true}, "ready\n", ""},
		{"terminated", Hangs, []func(process.Process){term}, process.Exit{Code: -1, Signal: 15, Cancelled: true}, "ready\n", ""},
		{"killed", Hangs, []func(process.Process){kill}, process.Exit{Code: -1, Signal: 9, Cancelled: true}, "ready\n", ""},
		{"TERM ignored", Stubborn, []func(process.Process){term, kill}, process.Exit{Code: -1, Signal: 9, Cancelled: true}, "ready\n", ""},
		{"signals repeated", Stubborn, []func(process.Process){term, term, kill, kill, term}, process.Exit{Code: -1, Signal: 9, Cancelled: true}, "ready\n", ""},
		{"INT by name", Hangs, []func(process.Process){named("INT")}, process.Exit{Code: -1, Signal: 2, Cancelled: true}, "ready\n", ""},
		{"TERM by name", Hangs, []func(process.Process){named("TERM")}, process.Exit{Code: -1, Signal: 15, Cancelled: true}, "ready\n", ""},
		{"an unknown name", Hangs, []func(process.Process){named("WINCH")}, process.Exit{Code: -1, Signal: 15, Cancelled: true}, "ready\n", ""},
		{hup, Hangs, []func(process.Process){named(hup)}, process.Exit{Code: -1, Signal: int(syscall.SIGHUP), Cancelled: true}, "ready\n", ""},
		{quit, Hangs, []func(process.Process){named(quit)}, process.Exit{Code: -1, Signal: int(syscall.SIGQUIT), Cancelled: true}, "ready\n", ""},
		{usr1, Hangs, []func(process.Process){named(usr1)}, process.Exit{Code: -1, Signal: int(syscall.SIGUSR1), Cancelled: true}, "ready\n", ""},
		{usr2, Hangs, []func(process.Process){named(usr2)}, process.Exit{Code: -1, Signal: int(syscall.SIGUSR2), Cancelled: true}, "ready\n", ""},
		{"named signals ignored", Stubborn, []func(process.Process){named(hup), named(quit), named(usr1), named(usr2), kill}, process.Exit{Code: -1, Signal: 9, Cancelled: true}, "ready\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open()
			r := NewTape()
			p, err := s.Start(command(c.does), r)
			if err != nil {
				t.Fatal(err)
			}
			if _, knows := p.(interface{ Signal(string) }); !knows && slices.Contains([]string{hup, quit, usr1, usr2}, c.name) {
				c.want.Signal = 15
			}
			if err := s.Close(); err == nil && len(c.signals) > 0 {
				t.Error("Close while a process runs: no error")
			}
			if len(c.signals) > 0 {
				r.Await(t, process.Stdout, "ready\n")
			}
			for _, f := range c.signals {
				f(p)
			}
			got := p.Wait()
			if c.signals != nil {
				got.Incomplete = "" // a cancelled task's output may be cut
			}
			if got.Code != c.want.Code || got.Signal != c.want.Signal || got.Cancelled != c.want.Cancelled ||
				got.Incomplete != "" || got.WaitErr != nil || len(got.Leftovers) > 0 {
				t.Errorf("exit %+v, want %+v", got, c.want)
			}
			if r.Text(process.Stdout) != c.out || r.Text(process.Stderr) != c.err {
				t.Errorf("stdout %q, stderr %q, want %q, %q", r.Text(process.Stdout), r.Text(process.Stderr), c.out, c.err)
			}
			// After the end nothing changes any more.
			p.Terminate()
			p.Kill()
			if again := p.Wait(); again.Code != got.Code || again.Cancelled != got.Cancelled {
				t.Errorf("second Wait: %+v, first %+v", again, got)
			}
			for range 2 {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			if _, err := s.Start(command(Succeeds), nil); !isNotStarted(err) {
				t.Errorf("Start after Close: %v", err)
			}
		})
	}

	t.Run("missing program", func(t *testing.T) {
		s := open()
		defer s.Close()
		p, err := s.Start(command(Missing), nil)
		if p != nil || !isNotStarted(err) || !strings.Contains(err.Error(), "not found") {
			t.Errorf("got %v, %v", p, err)
		}
	})
	t.Run("kill all", func(t *testing.T) {
		s := open()
		s.KillAll() // of nothing
		var ps []process.Process
		for range 5 {
			r := NewTape()
			p, err := s.Start(command(Stubborn), r)
			if err != nil {
				t.Fatal(err)
			}
			r.Await(t, process.Stdout, "ready\n")
			ps = append(ps, p)
		}
		s.KillAll()
		for _, p := range ps {
			if e := p.Wait(); e.Signal != 9 || !e.Cancelled {
				t.Errorf("exit %+v", e)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		s := open()
		defer s.Close()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					r := NewTape()
					p, err := s.Start(command(Succeeds), r)
					if err != nil {
						t.Error(err)
						return
					}
					if e := p.Wait(); e.Code != 0 || e.Cancelled || r.Text(process.Stdout) != "out\n" || r.Text(process.Stderr) != "err" {
						t.Errorf("exit %+v, stdout %q", e, r.Text(process.Stdout))
					}
				}
			})
		}
		wg.Wait()
	})
}

func isNotStarted(err error) bool {
	var e *process.NotStartedError
	return errors.As(err, &e)
}

// Tape is a Sink that keeps everything.
type Tape struct {
	mu      sync.Mutex
	text    [3]bytes.Buffer // by stream
	changed chan struct{}
}

// NewTape makes an empty tape.
func NewTape() *Tape { return &Tape{changed: make(chan struct{})} }

// Write implements process.Sink.
func (r *Tape) Write(s process.Stream, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text[s].Write(b)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Text returns what came on a stream so far.
func (r *Tape) Text(s process.Stream) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text[s].String()
}

// Await waits until a stream contains text, and fails the test when that takes very long.
func (r *Tape) Await(t testing.TB, s process.Stream, text string) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		changed, found := r.changed, strings.Contains(r.text[s].String(), text)
		r.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("no %q in %q", text, r.Text(s))
		}
	}
}
