package actors

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

const spoolFlags = os.O_WRONLY | os.O_CREATE | os.O_EXCL

func spoolName(task int, s process.Stream) string {
	if s == process.Stderr {
		return fmt.Sprintf("%d.stderr", task)
	}
	return fmt.Sprintf("%d.stdout", task)
}

// children are the processes of a run, those of its tasks: at most one each at a time, one an attempt. Only the processes actor and the
// goroutines that it starts touch them.
type children struct {
	r          *running
	all        ofEach[post]
	gate       gate
	suspension suspension
	load       atomic.Int64 // processes and their goroutines, and signals on their way to them
	resting    atomic.Int64 // services that are ready, which are no load
	killing    atomic.Bool  // whatever runs is killed
}

// post is where the processes of one task come one after the other.
type post struct {
	mu     sync.Mutex
	now    *child // of the latest attempt that was heard of; nil before the first
	ran    bool   // there was one that has been followed by another
	killed bool   // whatever comes is killed
}

// child is the process of one attempt of a task.
type child struct {
	c       *children
	index   int
	task    *workspace.Task
	attempt uint32 // of the request to start it

	mu        sync.Mutex
	proc      process.Process // until it has ended: it keeps what it took to run it
	was       bool            // there is or was a process
	starting  bool
	ended     bool
	signalled stop               // the strongest signal that was asked for
	sending   [kill + 1]bool     // signals that are being sent: a host may take its time
	exited    func(process.Exit) // what its end is told to; nil while there is no process
	untimed   func()             // ends its timeout; nil where none runs

	needs []messages.ServicePort // services that are ready for it
	serve *serving               // of a service
	keeps *kept                  // of a service that may outlive the run
	// leaving: the run needs the service no more, and it is to go on.
	leaving bool
}

func newChildren(r *running) *children {
	return &children{r: r, all: newOfEach[post](r)}
}

// of is the process of an attempt, which need not have been started; nil for one that another one has followed.
func (c *children) of(m messages.Ref) *child {
	p := c.all.of(m.Task)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.now != nil && m.Attempt == p.now.attempt:
		return p.now
	case p.now != nil && m.Attempt < p.now.attempt:
		return nil
	}
	p.ran = p.ran || p.now != nil && p.now.ran()
	p.now = &child{c: c, index: m.Task, task: c.r.o.Plan.Tasks[m.Task], attempt: m.Attempt}
	if p.killed {
		p.now.signalled = kill
	}
	return p.now
}

// latest is the process of the latest attempt; nil when there is none.
func (c *children) latest(task int) *child {
	return c.all.of(task).latest()
}

func (p *post) latest() *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// alive reports whether a task has a process, or is about to have one.
func (c *children) alive(task int) bool {
	now := c.latest(task)
	return now != nil && now.alive()
}

// ran reports whether a task has or had a process.
func (c *children) ran(task int) bool {
	p := c.all.of(task)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ran || p.now != nil && p.now.ran()
}

func (c *children) busy() int { return int(c.load.Load()) }

// present counts services that are ready as well: they are no work, and the run is not over while they are there.
func (c *children) present() int { return c.busy() + int(c.resting.Load()) }

// done ends what counted as load.
func (c *children) done() {
	c.load.Add(-1)
	c.r.doneForProcesses()
}

// alive reports whether there is, or is about to be, a process.
func (p *child) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return (p.starting || p.proc != nil) && !p.ended
}

// ran reports whether there is or was a process.
func (p *child) ran() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.was
}

// start starts the process in a goroutine of its own and calls answer exactly once: when it could not be started, or when all is
// over (4.5).
func (p *child) start(m messages.StartProcess, answer func(any)) {
	p.c.load.Add(1)
	var once sync.Once
	done := func(a any) {
		once.Do(func() {
			p.c.load.Add(-1)
			answer(a)
		})
	}
	p.mu.Lock()
	p.starting = true
	p.mu.Unlock()
	p.c.r.hooks.Go(func() {
		why := caught(func() { p.run(m, done) })
		if why == nil {
			return
		}
		p.signal(kill) // it may have panicked in Wait
		p.end()
		done(messages.ProcessNotStarted{Ref: m.Ref, Ran: p.ran(), Error: messages.TaskError{Kind: messages.ErrCrash,
			Reason: "a defect in haz: " + why.reason, Causes: []string{why.stack}}})
	})
}

// waiter is implemented by processes that call back instead of being waited for (simulation).
type waiter interface{ OnExit(func(process.Exit)) }

func (p *child) run(m messages.StartProcess, done func(any)) {
	out := newRecorder(p.c.r, p.index, m.First)
	if p.needs = m.Services; p.task.Service != nil {
		if refused := p.prepareServing(m, out); refused != nil {
			p.end()
			done(*refused)
			return
		}
	}
	exited := func(x process.Exit) {
		if !p.end() {
			return // given up before
		}
		p.c.r.treeChanged()
		done(p.report(m, out, x))
	}
	if p.takeOver(m, out, exited) {
		return
	}
	sink := process.Sink(out)
	if p.keepsServices() {
		sink = &relay{to: out}
	}
	proc, err := p.spawn(m.Program, sink, exited)
	if err == errStopped {
		p.end()
		done(messages.ProcessNotStarted{Ref: m.Ref, Cancelled: true})
		return
	}
	if err != nil {
		p.end()
		done(messages.ProcessNotStarted{Ref: m.Ref, Error: spawnError(err)})
		return
	}
	p.time(m)
	p.lookWhetherReady()
	if m.Locks != nil {
		p.mark(m.Locks, proc)
	}
	if p.c.killing.Load() {
		p.signal(kill) // killAll may have come too early to see it
	}
	if relay, is := sink.(*relay); is {
		p.awaitKept(p.keep(m, proc, relay), exited)
		return
	}
	if w, ok := proc.(waiter); ok {
		w.OnExit(exited)
		return
	}
	exited(proc.Wait())
}

// time tells the task when its process has run as long as it may (EXEC-045). It begins when the process does: what came before, the
// start itself too, is not the process's.
func (p *child) time(m messages.StartProcess) {
	if m.Timeout <= 0 {
		return
	}
	r := p.c.r
	stop := r.timers.after(m.Timeout, func() { r.tell(messages.TimeExpired{Ref: m.Ref}) })
	p.mu.Lock()
	over := p.ended
	if !over {
		p.untimed = stop
	}
	p.mu.Unlock()
	if over {
		stop()
	}
}

// mark notes the process with the locks of its task. What a task reads that is not cached is given up some time after its process has
// begun: nothing of what it makes is kept for others, and a server that has come up may run for days.
func (p *child) mark(l messages.Locks, proc process.Process) {
	if pid, ok := process.OSPID(proc); ok {
		l.SetProcess(pid)
	}
	if r := p.c.r; !p.task.Cache {
		r.timers.after(readersHold, func() { r.attempt("giving back what "+p.task.ID.String()+" reads", l.DoneReading) })
	}
}

// errStopped is why there is no process: a wish to end it came before.
var errStopped = errors.New("stopped before the start")

// spawn starts the process and makes it known, in one piece for a suspension.
func (p *child) spawn(program string, out process.Sink, exited func(process.Exit)) (process.Process, error) {
	p.c.gate.pass()
	defer p.c.gate.leave()
	if p.c.r.mayNot(p.index) || p.stopRequested() { // while the gate was shut
		return nil, errStopped
	}
	c := p.command()
	c.Found = program
	proc, err := p.c.r.o.Spawner.Start(c, out)
	if err == nil {
		p.started(proc, exited) // first of all, so that it is killed should the rest panic
	}
	return proc, err
}

func (p *child) stopRequested() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signalled != unstopped
}

// started makes the process known, and passes a signal on that came while it was starting.
func (p *child) started(proc process.Process, exited func(process.Exit)) {
	p.mu.Lock()
	p.proc, p.was, p.starting, p.exited = proc, true, false, exited
	s := p.signalled
	p.mu.Unlock()
	if s != unstopped {
		p.signal(s)
	}
}

// end reports whether this is the first word of it.
func (p *child) end() bool {
	p.mu.Lock()
	first, untimed := !p.ended, p.untimed
	p.serve.rouse(p.c)
	p.proc, p.starting, p.ended, p.exited, p.untimed = nil, false, true, nil, nil
	p.mu.Unlock()
	if untimed != nil {
		untimed()
	}
	p.serve.end()
	return first
}

// report is the answer for a process that has ended. Of one that failed nobody stores what it printed.
func (p *child) report(m messages.StartProcess, out *recorder, x process.Exit) messages.ProcessExited {
	stdout, stderr, _ := out.finish()
	e := messages.ProcessExited{Ref: m.Ref, Code: x.Code, Signal: x.Signal, Cancelled: x.Cancelled, Incomplete: x.Incomplete,
		StdoutLen: stdout.Len, StderrLen: stderr.Len, StdoutDigest: stdout.Digest, StderrDigest: stderr.Digest, Next: out.nextEvent(), Kept: x.Kept}
	if x.WaitErr != nil {
		e.WaitError = x.WaitErr.Error()
	}
	e.Unready, e.PortTaken = p.unready()
	if x.Code == notFound && !x.Cancelled {
		e.Notes = noPath(p.task)
	}
	if out.incomplete = x.Incomplete; x.Code == 0 && x.Signal == 0 && !x.Cancelled && x.WaitErr == nil {
		e.Streams = out
	} else {
		out.drop(p.c.r.o.FS)
	}
	for _, l := range x.Leftovers {
		e.Leftovers = append(e.Leftovers, messages.Leftover(l))
	}
	for _, l := range x.Killed {
		e.Killed = append(e.Killed, messages.Leftover(l))
	}
	return e
}

// notFound is the exit status by which shells, and programs that start others, say that a program was not found.
const notFound = 127

func noPath(t *workspace.Task) []messages.Note {
	if t.HasPath() {
		return nil
	}
	return []messages.Note{{Text: "exit 127 mostly means that a program was not found: the environment of this task has no PATH", Hint: "env: {pass: [PATH]}"}}
}

// command is what to start (4.2, 4.3).
func command(r *running, t *workspace.Task) process.Command {
	umask := r.o.Deriver.Umask()
	c := process.Command{Umask: &umask, Label: t.ID.String(), Dir: r.o.FS.HostPath(t.Project.Dir), Env: r.o.Deriver.Environment(t), Argv: t.CommandLine(),
		TTY: t.TTY, Columns: r.o.Columns}
	if t.Interactive {
		c.Terminal = r.o.Terminal
	}
	if r.o.Colour {
		c.Env = coloured(c.Env)
	}
	if p, ok := r.o.FS.(fsys.Place); ok {
		c.Stand = p.StandingPath(t.Project.Dir)
	}
	return c
}

// coloured tells a task that what it prints is seen in colours (EXEC-062): by variables that are in no key, unless its own say something of that.
func coloured(env []string) []string {
	if _, says := slices.BinarySearchFunc(env, "NO_COLOR", key.CompareEnv); says {
		return env
	}
	for _, name := range []string{"CLICOLOR_FORCE", "FORCE_COLOR"} {
		if i, says := slices.BinarySearchFunc(env, name, key.CompareEnv); !says {
			env = slices.Insert(env, i, name+"=1")
		}
	}
	return env
}

func spawnError(err error) messages.TaskError {
	e := messages.TaskError{Kind: messages.ErrSpawn, Reason: err.Error()}
	var n *process.NotStartedError
	if errors.As(err, &n) {
		e.Hint = n.Hint
		e.Causes = causes(n.Err)
	}
	return e
}
