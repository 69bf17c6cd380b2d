// Package processtest has a spawner whose processes are functions or lists of steps, for tests and for hosts that embed haz.
//
// A scripted process obeys the contract of package process: output before Wait returns, TERM may be ignored, KILL may not,
// an end that came before the first signal counts as its own. It can run in a goroutine of its own, or not move at all
// until a test says Step, which makes whole runs deterministic.
package processtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/haz-build/haz/process"
)

// Script is the body of one scripted process. It runs in its own goroutine and may write files and output. It gets each
// signal once, and must return soon after Kill, since Wait waits for it: what is dead cannot write. Whatever it returns
// then, the process was killed.
type Script func(c process.Command, out process.Sink, signals <-chan Signal) process.Exit

// Signal is what haz sent; the stronger one of two is the greater.
type Signal uint8

const (
	Usr1 Signal = iota + 1
	Usr2
	Hup
	Quit
	Int
	Term
	Kill
)

// names are those that process.Signal knows, and numbers what a process ends by.
var (
	names   = map[string]Signal{"USR1": Usr1, "USR2": Usr2, "HUP": Hup, "QUIT": Quit, "INT": Int, "TERM": Term}
	numbers = map[Signal]syscall.Signal{Usr1: syscall.SIGUSR1, Usr2: syscall.SIGUSR2, Hup: syscall.SIGHUP, Quit: syscall.SIGQUIT, Int: syscall.SIGINT, Term: syscall.SIGTERM, Kill: syscall.SIGKILL}
)

// Named is the signal of a name that process.Signal knows.
func Named(name string) (s Signal, known bool) {
	s, known = names[name]
	return s, known
}

// Number is what the operating system calls it.
func (s Signal) Number() int { return int(numbers[s]) }

// Program is what can be started: one of its fields is set. The zero Program ends at once with exit code 0.
type Program struct {
	Script Script
	Steps  []Step
	Refuse *process.NotStartedError // it cannot be started
}

// Spawner runs scripts instead of programs, and counts and records what was started. Set its fields before the first Start.
// It is safe for concurrent use.
type Spawner struct {
	// Go starts the goroutine of a process; nil is a go statement. A starter that calls its argument at once runs the
	// process within Start.
	Go func(func())
	// Manual processes made of steps move only by Proc.Step.
	Manual bool
	// WriteFile serves the step Write; nil writes to the disk, making folders as needed. The path is absolute.
	WriteFile func(path string, data []byte) error
	// Find comes before all other ways to find a program; false passes on.
	Find func(c process.Command) (Program, bool)

	mu     sync.Mutex
	names  map[string]Program // by Argv[0]
	labels map[string]Program
	procs  []*Proc
	closed bool
}

var _ process.Spawner = (*Spawner)(nil)

// New makes a spawner that looks scripts up by program name (Argv[0]); a missing one is "program not found".
func New(scripts map[string]Script) *Spawner {
	s := &Spawner{names: map[string]Program{}, labels: map[string]Program{}}
	for name, script := range scripts {
		s.names[name] = Program{Script: script}
	}
	return s
}

// Name sets what starts for a program name. The last word wins.
func (s *Spawner) Name(program string, p Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[program] = p
}

// Label sets what starts for a command's label; it comes before the program's name, which is the same for all shell tasks.
func (s *Spawner) Label(label string, p Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.labels[label] = p
}

// Start implements process.Spawner.
func (s *Spawner) Start(c process.Command, out process.Sink) (process.Process, error) {
	c.Argv, c.Env = slices.Clone(c.Argv), slices.Clone(c.Env)
	program, err := s.find(c)
	if err != nil {
		return nil, err
	}
	if out == nil {
		out = discard{}
	}
	p := &Proc{spawner: s, c: c, steps: program.Steps, sink: out, signals: make(chan Signal, 16), done: make(chan struct{})}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, &process.NotStartedError{Program: nameOf(c), Reason: "the spawner is closed"}
	}
	s.procs = append(s.procs, p)
	p.pid = len(s.procs)
	s.mu.Unlock()

	start := s.Go
	if start == nil {
		start = func(f func()) { go f() }
	}
	switch {
	case program.Script != nil:
		start(func() { p.End(program.Script(c, p, p.signals)) })
	case !s.Manual:
		p.wake = make(chan struct{}, 1)
		start(p.run)
	}
	return p, nil
}

func (s *Spawner) find(c process.Command) (Program, error) {
	if s.Find != nil {
		if p, ok := s.Find(c); ok {
			return p, refusal(p)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.labels[c.Label]; ok {
		return p, refusal(p)
	}
	if p, ok := s.names[nameOf(c)]; ok {
		return p, refusal(p)
	}
	return Program{}, &process.NotStartedError{Program: nameOf(c), Reason: "program not found among the scripts", Err: os.ErrNotExist}
}

func refusal(p Program) error {
	if p.Refuse != nil {
		return p.Refuse
	}
	return nil
}

func nameOf(c process.Command) string {
	if len(c.Argv) == 0 {
		return ""
	}
	return c.Argv[0]
}

// KillAll implements process.Spawner.
func (s *Spawner) KillAll() {
	for _, p := range s.Alive() {
		p.Kill()
	}
}

// Close implements process.Spawner.
func (s *Spawner) Close() error {
	if n := len(s.Alive()); n > 0 {
		return fmt.Errorf("close while processes run: %d", n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Count returns how many processes a label had; refused ones do not count.
func (s *Spawner) Count(label string) int {
	n := 0
	for _, c := range s.Commands() {
		if c.Label == label {
			n++
		}
	}
	return n
}

// Commands returns what was started, in order.
func (s *Spawner) Commands() []process.Command {
	ps := s.Procs()
	out := make([]process.Command, len(ps))
	for i, p := range ps {
		out[i] = p.c
	}
	return out
}

// Procs returns all processes that were ever started, in order.
func (s *Spawner) Procs() []*Proc {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.procs)
}

// Alive returns the processes that have not ended, in the order of their starts.
func (s *Spawner) Alive() []*Proc {
	return slices.DeleteFunc(s.Procs(), (*Proc).Ended)
}

// Runnable returns the living processes that Step would move: all but those that hang without a signal.
func (s *Spawner) Runnable() []*Proc {
	return slices.DeleteFunc(s.Procs(), func(p *Proc) bool { return !p.Runnable() })
}

func (s *Spawner) writeFile(path string, data []byte) error {
	if s.WriteFile != nil {
		return s.WriteFile(path, data)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

type discard struct{}

func (discard) Write(process.Stream, []byte) {}
