package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
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

// send signals a process: of a service by the signal that it wants to be stopped with.
func (s stop) send(p process.Process, of *workspace.Service) {
	switch s {
	case kill:
		p.Kill()
		return
	case unstopped:
		return
	}
	if of != nil && of.Stop.Signal != "" {
		process.Signal(p, of.Stop.Signal)
		return
	}
	switch s {
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
func (p *child) signal(s stop) {
	p.mu.Lock()
	proc := p.proc
	p.signalled = max(p.signalled, s)
	p.serve.rouse(p.c)
	if proc == nil || p.ended || p.sending[s] {
		p.mu.Unlock()
		return
	}
	p.sending[s] = true
	p.mu.Unlock()
	p.c.load.Add(1)
	p.c.r.hooks.Go(func() {
		why := caught(func() { s.send(proc, p.task.Service) })
		p.mu.Lock()
		p.sending[s] = false
		p.mu.Unlock()
		switch {
		case why != nil && s == kill:
			p.lose(fmt.Sprintf("sending %v panicked: %s", s, why))
		case why != nil:
			p.signal(kill)
		case s == kill:
			p.c.r.timers.after(killPatience, func() { p.lose(fmt.Sprintf("it has not ended within %v of SIGKILL", killPatience)) })
		}
		p.c.done()
	})
}

// kill sees to it that no process of the task starts any more, or that it is killed as it does.
func (p *post) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed = true; p.now != nil {
		p.now.mu.Lock()
		p.now.signalled = kill
		p.now.mu.Unlock()
	}
}

// lose gives a process up whose end cannot be brought about. Its goroutine waits on for it, and is not waited for.
func (p *child) lose(why string) {
	p.mu.Lock()
	exited := p.exited
	p.mu.Unlock()
	if exited != nil {
		exited(process.Exit{Code: -1, WaitErr: errors.New(why)})
	}
}

// killAll sends KILL to everything that runs; nothing starts any more.
func (c *children) killAll() {
	c.r.stopStarts()
	c.killing.Store(true)
	c.wake()
	for i := range c.all.list {
		if now := c.all.list[i].latest(); now != nil && now.alive() {
			now.signal(kill)
		}
	}
	c.r.budget.open()
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
func (c *children) killNow() {
	c.r.stopStarts()
	c.killing.Store(true)
	c.wake()
	for i := range c.all.list {
		c.all.list[i].kill()
	}
	if c.gate.settled() && len(c.living()) == 0 {
		return
	}
	done, late := make(chan struct{}), make(chan struct{})
	stop := c.r.timers.after(lastKill, func() { close(late) })
	defer stop()
	c.r.hooks.Go(func() {
		defer close(done)
		if c.r.hooks.Await != nil {
			c.r.hooks.Await(func() bool { return c.gate.settled() || isClosed(late) || isClosed(c.r.done) })
		} else {
			c.gate.settle() // a process may run long before the call that starts it has returned
		}
		_ = caught(func() { process.KillEach(c.r.o.Spawner, c.living()) }) // who was in the way is told by whoever waits for the process
	})
	if c.r.hooks.Await != nil {
		c.r.hooks.Await(func() bool { return isClosed(done) || isClosed(late) || isClosed(c.r.done) })
		return
	}
	select {
	case <-done:
	case <-late:
	case <-c.r.done: // whose timers end with it; its host may exit as soon as this returns
		rest := time.NewTimer(lastKill)
		defer rest.Stop()
		select {
		case <-done:
		case <-rest.C:
		}
	}
}
