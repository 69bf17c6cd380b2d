package actors

import (
	"errors"
	"fmt"
	"os"
	"sync"

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

// startProcess starts the process of a task in a goroutine of its own and calls answer exactly once: when it could not be
// started, or when all is over (4.5).
func (b *bench) startProcess(j *job, m messages.StartProcess, answer func(any)) {
	b.procs.Add(1)
	var once sync.Once
	done := func(a any) {
		once.Do(func() {
			b.procs.Add(-1)
			answer(a)
		})
	}
	j.mu.Lock()
	j.starting = true
	j.mu.Unlock()
	b.r.o.Go(func() {
		p := caught(func() { b.runProcess(j, m, done) })
		if p == nil {
			return
		}
		b.signal(j, kill) // it may have panicked in Wait
		j.processEnded()
		done(messages.ProcessNotStarted{Ref: m.Ref, Error: messages.TaskError{Kind: messages.ErrCrash,
			Reason: "a defect in haz: " + p.reason, Causes: []string{p.stack}}})
	})
}

// waiter is implemented by processes that call back instead of being waited for (simulation).
type waiter interface{ OnExit(func(process.Exit)) }

func (b *bench) runProcess(j *job, m messages.StartProcess, done func(any)) {
	exited := func(x process.Exit) {
		if !j.processEnded() {
			return // given up before
		}
		b.treeChanged()
		done(b.exited(j, m, x))
	}
	p, err := b.spawn(j, m.First, exited)
	if err == errStopped {
		j.processEnded()
		done(messages.ProcessNotStarted{Ref: m.Ref, Cancelled: true})
		return
	}
	if err != nil {
		j.processEnded()
		done(messages.ProcessNotStarted{Ref: m.Ref, Error: spawnError(err)})
		return
	}
	if locks := j.locks.Load(); locks != nil {
		if pid, ok := process.OSPID(p); ok {
			locks.SetProcess(pid) // another haz looks for it among its ancestors
		}
		b.letGo(j.task, locks)
	}
	if b.killing.Load() {
		b.signal(j, kill) // killAll may have come too early to see it
	}
	if w, ok := p.(waiter); ok {
		w.OnExit(exited)
		return
	}
	exited(p.Wait())
}

// errStopped is why there is no process: a wish to end it came before.
var errStopped = errors.New("stopped before the start")

// spawn starts the process and makes it known, in one piece for a suspension.
func (b *bench) spawn(j *job, first int, exited func(process.Exit)) (process.Process, error) {
	b.gate.pass()
	defer b.gate.leave()
	if b.noStart.Load() || j.stopRequested() { // while the gate was shut
		return nil, errStopped
	}
	j.rec = newRecorder(b.r, j.index, first)
	p, err := b.r.o.Spawner.Start(command(b, j.task), j.rec)
	if err == nil {
		b.processStarted(j, p, exited) // first of all, so that it is killed should the rest panic
	}
	return p, err
}

func (j *job) stopRequested() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.signalled != unstopped
}

// processStarted makes the process known, and passes a signal on that came while it was starting.
func (b *bench) processStarted(j *job, p process.Process, exited func(process.Exit)) {
	j.mu.Lock()
	j.proc, j.starting, j.exited = p, false, exited
	s := j.signalled
	j.mu.Unlock()
	if s != unstopped {
		b.signal(j, s)
	}
}

// processEnded reports whether this is the first word of it.
func (j *job) processEnded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := !j.ended
	j.starting, j.ended = false, true
	return first
}

func (b *bench) exited(j *job, m messages.StartProcess, x process.Exit) messages.ProcessExited {
	stdout, stderr, _ := j.rec.finish()
	e := messages.ProcessExited{Ref: m.Ref, Code: x.Code, Signal: x.Signal, Cancelled: x.Cancelled, Incomplete: x.Incomplete,
		StdoutLen: stdout.Len, StderrLen: stderr.Len, StdoutDigest: stdout.Digest, StderrDigest: stderr.Digest, Next: j.rec.nextEvent()}
	if x.WaitErr != nil {
		e.WaitError = x.WaitErr.Error()
	}
	if x.Code == notFound && !x.Cancelled {
		e.Notes = noPath(j.task)
	}
	j.rec.incomplete = x.Incomplete
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
	return []messages.Note{{Text: "exit 127 mostly means that a program was not found: the environment of this task has no PATH", Hint: "env: {from_host: [PATH]}"}}
}

// command is what to start (4.2, 4.3).
func command(b *bench, t *workspace.Task) process.Command {
	c := process.Command{Label: t.ID.String(), Dir: b.r.o.FS.HostPath(t.Project.Dir), Env: b.r.o.Deriver.Environment(t), Argv: t.CommandLine()}
	if p, ok := b.r.o.FS.(fsys.Place); ok {
		c.Stand = p.StandingPath(t.Project.Dir)
	}
	return c
}

// moved says that the folder of the workspace is not where it was when the run began: what was read is in one folder, and what
// goes by its path would come to another one, or to none. "" while it is in its place.
func (b *bench) moved() string {
	if p, ok := b.r.o.FS.(fsys.Place); !ok || p.InPlace() {
		return ""
	}
	return fmt.Sprintf("the folder of the workspace, %s, was moved, replaced or removed while haz ran", b.r.o.FS.HostPath("/"))
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
