package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
)

// stop is how a process is asked to end.
type stop uint8

const (
	unstopped stop = iota
	interrupt
	terminate
	kill
)

func (s stop) String() string { return [...]string{"nothing", "SIGINT", "SIGTERM", "SIGKILL"}[s] }

func strength(m messages.SignalProcess) stop {
	switch {
	case m.Kill:
		return kill
	case m.Interrupt:
		return interrupt
	}
	return terminate
}

// send signals a process.
func (s stop) send(p process.Process) {
	switch s {
	case kill:
		p.Kill()
	case terminate:
		p.Terminate()
	case interrupt:
		process.Interrupt(p)
	}
}

const (
	// killPatience is how long a process may live after SIGKILL before its task ends without it.
	killPatience = 30 * time.Second
	// lastKill is how long the last kill of a run that is given up may take.
	lastKill = time.Second
)

// signal asks a process to end. A signal that comes before the process makes sure that there never is one (S-27).
//
// It is sent in a goroutine of its own, each signal in another one: a host's process may take its time for it (`docker stop`),
// and a stronger one must not wait for that. It may panic, too. Then the process is killed, and if that is what panicked, it is
// lost: its task has an error and the run goes on.
func (b *bench) signal(j *job, s stop) {
	j.mu.Lock()
	p := j.proc
	j.signalled = max(j.signalled, s)
	if p == nil || j.ended || j.sending[s] {
		j.mu.Unlock()
		return
	}
	j.sending[s] = true
	j.mu.Unlock()
	b.procs.Add(1)
	b.r.o.Go(func() {
		why := caught(func() { s.send(p) })
		j.mu.Lock()
		j.sending[s] = false
		j.mu.Unlock()
		switch {
		case why != nil && s == kill:
			b.lose(j, fmt.Sprintf("sending %v panicked: %s", s, why))
		case why != nil:
			b.signal(j, kill)
		case s == kill:
			b.r.timers.after(killPatience, func() { b.lose(j, fmt.Sprintf("it has not ended within %v of SIGKILL", killPatience)) })
		}
		b.procs.Add(-1)
		b.r.doneForProcesses()
	})
}

// lose gives a process up whose end cannot be brought about. Its goroutine waits on for it, and is not waited for.
func (b *bench) lose(j *job, why string) {
	j.mu.Lock()
	exited := j.exited
	j.mu.Unlock()
	if exited != nil {
		exited(process.Exit{Code: -1, WaitErr: errors.New(why)})
	}
}

// killAll sends KILL to everything that runs; nothing starts any more.
func (b *bench) killAll() {
	b.stopStarts()
	b.killing.Store(true)
	b.wake()
	for i := range b.jobs {
		if b.jobs[i].alive() {
			b.signal(&b.jobs[i], kill)
		}
	}
	b.budget.open()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// killNow is the last act of a run that is given up: it returns when all of the run's own processes were killed, those that are just
// being started too (others may use the same spawner), or after a second.
func (b *bench) killNow() {
	b.stopStarts()
	b.killing.Store(true)
	b.wake()
	for i := range b.jobs {
		j := &b.jobs[i]
		j.mu.Lock()
		j.signalled = kill
		j.mu.Unlock()
	}
	if b.gate.settled() && len(b.living()) == 0 {
		return
	}
	done, late := make(chan struct{}), make(chan struct{})
	stop := b.r.timers.after(lastKill, func() { close(late) })
	defer stop()
	b.r.o.Go(func() {
		defer close(done)
		if b.r.o.Await != nil {
			b.r.o.Await(func() bool { return b.gate.settled() || isClosed(late) || isClosed(b.r.done) })
		} else {
			b.gate.settle() // a process may run long before the call that starts it has returned
		}
		_ = caught(func() { process.KillEach(b.r.o.Spawner, b.living()) }) // who was in the way is told by whoever waits for the process
	})
	if b.r.o.Await != nil {
		b.r.o.Await(func() bool { return isClosed(done) || isClosed(late) || isClosed(b.r.done) })
		return
	}
	select {
	case <-done:
	case <-late:
	case <-b.r.done: // whose timers end with it; its host may exit as soon as this returns
		rest := time.NewTimer(lastKill)
		defer rest.Stop()
		select {
		case <-done:
		case <-rest.C:
		}
	}
}
