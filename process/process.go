// Package process is the only door to child processes: own session and process group for each task, streams that never
// hang a run, groups that are always ended, descendants that are swept after a cancellation (chapter 2, 4.2 to 4.5 and 6).
//
// System starts real processes; folder processtest has a spawner whose processes are scripts. How a process ends is one
// page: end.go.
package process

import "time"

// Stream is one of the two outputs of a process.
type Stream uint8

const (
	Stdout Stream = iota + 1
	Stderr
)

func (s Stream) String() string {
	switch s {
	case Stderr:
		return "stderr"
	}
	return "stdout"
}

// Command is what to start. Nothing of haz's own environment or working directory leaks in.
type Command struct {
	Label string   // "lib:build", for leftovers and messages
	Dir   string   // absolute host path
	Stand string   // "", or a path that leads to the same directory also when that is moved: where the process starts
	Argv  []string // Argv[0] as the user wrote it; looked up as chapter 2, 4.2 says
	// Found is where somebody who looked as that says found Argv[0] a moment ago; "" where nobody did. It is taken before any other
	// place of PATH is looked at, if it is one of them and there still is a program.
	Found string
	Env   []string // exactly this, "NAME=value", sorted by name
	Umask *uint32  // of the process; nil: that of haz, which stays as it is in any case
	// TTY makes standard output and error one pseudo terminal, of Columns (0: 80); its output is all Stdout's. There is nobody to type.
	TTY     bool
	Columns int
	// Terminal is what the process is lent, if it is not nil: it reads from it and writes to it, and a Sink gets nothing.
	Terminal Terminal
}

// Terminal is what an interactive process is lent, one process at a time: a person with a keyboard and a screen.
type Terminal interface {
	// Lend is called when the process is about to start, and Return of what it gives when the process has ended. resize may be called
	// at any time until then, from any goroutine; the first time before Lend returns.
	Lend(resize func(columns, rows int)) (Lent, error)
}

// Lent is a terminal on loan. What is typed comes as it was typed: no line is edited, no key sends a signal, since the terminal that
// the process sees does that.
type Lent interface {
	// Read gives what was typed. It may block, and ends with an error soon after Return.
	Read(b []byte) (int, error)
	Write(b []byte) (int, error)
	Return()
}

// Sink receives output while the process runs. Write is called from one goroutine a stream, possibly at the same time for
// both streams; it must not keep b. It may block: that holds the process back. It must return at some time, since Wait
// waits for it; a panic in it is caught and makes the output incomplete.
type Sink interface {
	Write(s Stream, b []byte)
}

// Spawner starts processes. All methods are safe for concurrent use.
type Spawner interface {
	// Start starts a process or returns a *NotStartedError. A nil Sink drops the output.
	Start(c Command, out Sink) (Process, error)
	// KillAll sends SIGKILL to the groups of all processes that live, and to escaped descendants: the last act of a program
	// before an immediate exit. See KillEach for some of them.
	KillAll()
	// Close ends the helper that watches over haz's death. It must not be called while processes run: then it does
	// nothing and returns an error. Nothing can be started afterwards. Closing twice is harmless.
	Close() error
}

// Process is a running (or ended) process and its group. Its methods may be called at once: while Wait blocks, and Kill while
// Terminate takes its time.
type Process interface {
	PID() int // a number that tells it from others; see OSPID
	// Terminate sends SIGTERM to the group and marks the process cancelled.
	Terminate()
	// Kill sends SIGKILL to the group and marks the process cancelled; 200 ms later pipes are closed on our side.
	Kill()
	// Wait blocks until the main process was reaped, its group is gone and both streams are at their end (4.5), or, after a
	// signal of ours, until group and escaped descendants were ended (6): the rest of the group may clean up, too,
	// until Kill. All Sink calls happen before it returns.
	// It may be called any number of times.
	Wait() Exit
}

// Interrupt sends SIGINT to the group of p and marks p cancelled: what a terminal does on Ctrl-C. Interpreters and test
// runners clean up after it as they do after no other signal. A process that does not know how to (a method Interrupt, which
// hosts' own spawners need not have) is terminated.
func Interrupt(p Process) {
	if i, ok := p.(interface{ Interrupt() }); ok {
		i.Interrupt()
		return
	}
	p.Terminate()
}

// Signal sends a signal by its name, of those that programs are asked to end with (HUP, INT, QUIT, TERM, USR1, USR2), to the group of p and
// marks p cancelled (EXEC-081). A process that does not know how to (a method Signal, which hosts' own spawners need not have), and a
// name that is none of these, is terminated.
func Signal(p Process, name string) {
	switch name {
	case "HUP", "QUIT", "USR1", "USR2":
		if s, ok := p.(interface{ Signal(name string) }); ok {
			s.Signal(name)
			return
		}
	case "INT":
		Interrupt(p)
		return
	}
	p.Terminate()
}

// Exit says how a process ended.
type Exit struct {
	Code      int  // exit code; -1 when a signal ended it
	Signal    int  // number of the signal that ended it, 0 when none
	Cancelled bool // haz had sent a signal before the end of the main process was seen
	// Incomplete says why the streams may lack bytes or were cut ("output still held by pid 17"); "" when complete.
	Incomplete string
	// Leftovers are processes that left the group and were left alone (4.5).
	Leftovers []Leftover
	// Killed are processes of the group that were still there when the main process had ended by itself, and were ended then
	// (4.5). A cancelled process has none.
	Killed []Leftover
	// Kept says that the process goes on, and whoever waited for it need not.
	Kept bool
	// WaitErr is set when the end of the process could not be learned (task error "wait").
	WaitErr error
}

// Leftover is a process that outlived its task.
type Leftover struct {
	PID     int
	Command string
}

// NotStartedError says why there is no process.
type NotStartedError struct {
	Program string
	Reason  string // "program not found in PATH (/bin:/usr/bin)"; "not executable"; "working directory missing"
	Hint    string
	Err     error
}

func (e *NotStartedError) Error() string { return e.Program + ": " + e.Reason }
func (e *NotStartedError) Unwrap() error { return e.Err }

// Limits are the waits of chapter 2, section 12.
type Limits struct {
	PipesClose time.Duration // pipes closing by themselves: 1 s
	Drain      time.Duration // after the group was ended: 2 s
	GroupTerm  time.Duration // TERM to KILL at normal end: 200 ms
	Sweep      time.Duration // 1 s
}

// DefaultLimits are those of the specification.
var DefaultLimits = Limits{PipesClose: time.Second, Drain: 2 * time.Second, GroupTerm: 200 * time.Millisecond, Sweep: time.Second}

// Option configures System.
type Option uint8

// SoleParent promises that this process starts none in sessions of their own but through package process. Then what tasks have left
// behind is known for that, and reaped the moment it has died.
const SoleParent Option = 1

// Trouble lists what a Spawner could not set up and went on without, one sentence each: without the helper of S-30, tasks
// outlive a haz that is killed. It is empty for a spawner that has nothing of the kind.
func Trouble(s Spawner) []string {
	if t, ok := s.(interface{ Trouble() []string }); ok {
		return t.Trouble()
	}
	return nil
}
