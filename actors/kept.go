package actors

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

// Services go on between the runs that have the same ones (EXEC-082): a run leaves a service here that it needs no more, and the next one that needs it takes
// it over, if its key is the same; otherwise it is stopped before another one is started. The zero value has none. What they print while no run
// has them is lost. Close ends them all.
type Services struct {
	mu     sync.Mutex
	list   []*kept // in the order in which they were started
	closed bool
}

// kept is the process of a service that may outlive its run.
type kept struct {
	id   workspace.TaskID
	key  entry.Key
	port int
	sees map[workspace.TaskID]int // the services that it needs, with the ports that it was told
	of   *workspace.Service
	wait time.Duration // grace, if the service says none
	proc process.Process
	sink *relay
	left chan struct{} // closed when the run that has it leaves it; another one with each run
	over chan struct{} // closed when it has ended
	exit process.Exit  // valid then
	used bool          // a run has it
}

// relay hands what a process prints to the run that has it.
type relay struct {
	mu sync.Mutex
	to process.Sink
}

// Write implements process.Sink.
func (r *relay) Write(s process.Stream, b []byte) {
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	if to != nil {
		to.Write(s, b)
	}
}

func (r *relay) turn(to process.Sink) {
	r.mu.Lock()
	r.to = to
	r.mu.Unlock()
}

// take gives the service of a task to a run, if there is one that lives, with that key, and that was told of the same ports. Another one is ended first, and before
// that what needs it: those are started anew as well, since it is in their keys.
func (s *Services) take(id workspace.TaskID, key entry.Key, sees map[workspace.TaskID]int, out process.Sink) *kept {
	s.mu.Lock()
	i := slices.IndexFunc(s.list, func(k *kept) bool { return k.id == id && !k.used })
	if i < 0 {
		s.mu.Unlock()
		return nil
	}
	k := s.list[i]
	if k.key == key && maps.Equal(k.sees, sees) && !isClosed(k.over) {
		k.used, k.left = true, make(chan struct{})
		k.sink.turn(out)
		s.mu.Unlock()
		return k
	}
	s.mu.Unlock()
	gone := map[workspace.TaskID]bool{id: true}
	s.end(func(k *kept) bool { // those that need it were started after it
		for need := range k.sees {
			gone[k.id] = gone[k.id] || gone[need]
		}
		return !k.used && gone[k.id]
	})
	return nil
}

// start notes a process that was just started for a run, which has it.
func (s *Services) start(k *kept) {
	k.used, k.left, k.over = true, make(chan struct{}), make(chan struct{})
	s.mu.Lock()
	s.list = append(s.list, k)
	s.mu.Unlock()
	go func() {
		if p := caught(func() { k.exit = k.proc.Wait() }); p != nil { // a host's
			k.exit = process.Exit{Code: -1, WaitErr: errors.New("waiting for it panicked: " + p.reason)}
		}
		s.mu.Lock()
		s.list = slices.DeleteFunc(s.list, func(o *kept) bool { return o == k })
		s.mu.Unlock()
		close(k.over)
	}()
}

// leave keeps the service beyond its run; false when nothing is kept any more.
func (s *Services) leave(k *kept) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !k.used {
		return !k.used // left already
	}
	k.used = false
	k.sink.turn(nil)
	close(k.left)
	return true
}

// has reports whether the service of a task is here: its port is taken by itself.
func (s *Services) has(id workspace.TaskID) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.list, func(k *kept) bool { return k.id == id })
}

// Retain ends the services that no run has and of which is says that they are none any more.
func (s *Services) Retain(is func(workspace.TaskID) bool) {
	s.end(func(k *kept) bool { return !k.used && !is(k.id) })
}

// Close ends all services that no run has, the last started first, and waits for their end. None is kept from then on.
func (s *Services) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end(func(k *kept) bool { return !k.used })
}

func (s *Services) end(which func(*kept) bool) {
	s.mu.Lock()
	var ends []*kept
	s.list = slices.DeleteFunc(s.list, func(k *kept) bool {
		if which(k) {
			ends = append(ends, k)
			return true
		}
		return false
	})
	s.mu.Unlock()
	for _, k := range slices.Backward(ends) {
		k.stop()
	}
}

// stop ends the process as a run would, and waits for that.
func (k *kept) stop() {
	grace := k.wait
	if k.of.Stop.Grace != nil {
		grace = *k.of.Stop.Grace
	}
	if grace > 0 {
		terminate.send(k.proc, k.of)
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case <-k.over:
			return
		case <-late.C:
		}
	}
	k.proc.Kill()
	patience := time.NewTimer(killPatience)
	defer patience.Stop()
	select {
	case <-k.over:
	case <-patience.C:
	}
}

// keepsServices reports whether the process is of a service that may outlive its run.
func (p *child) keepsServices() bool { return p.task.Service != nil && p.c.r.o.Services != nil }

// leave is what a run does with a service that it needs no more, when such go on.
func (p *child) leave() {
	p.mu.Lock()
	k := p.keeps
	p.leaving = true // before it is known as one that may be left, perhaps
	p.mu.Unlock()
	if k != nil && !p.c.r.o.Services.leave(k) {
		p.signal(terminate)
	}
}

// awaitKept waits for the end of a service, or until the run leaves it.
func (p *child) awaitKept(k *kept, exited func(process.Exit)) {
	select {
	case <-k.over:
		exited(k.exit)
	case <-k.left:
		exited(process.Exit{Cancelled: true, Kept: true})
	}
}

// sees are the services that the process needs, with their ports in this run.
func (p *child) sees() map[workspace.TaskID]int {
	ports := make(map[workspace.TaskID]int, len(p.needs))
	for _, need := range p.needs {
		ports[p.c.r.o.Plan.Tasks[need.Task].ID] = need.Port
	}
	return ports
}

// keep makes a process one that may outlive its run.
func (p *child) keep(m messages.StartProcess, proc process.Process, sink *relay) *kept {
	k := &kept{id: p.task.ID, key: m.Key, port: p.serve.port, sees: p.sees(), of: p.task.Service, wait: p.c.r.o.Grace, proc: proc, sink: sink}
	p.c.r.o.Services.start(k)
	p.mu.Lock()
	p.keeps = k
	leaving := p.leaving
	p.mu.Unlock()
	if leaving {
		p.leave()
	}
	return k
}

// takeOver goes on with the service of an earlier run, if there is one; false when another one has to be started.
func (p *child) takeOver(m messages.StartProcess, out *recorder, exited func(process.Exit)) bool {
	if !p.keepsServices() {
		return false
	}
	k := p.c.r.o.Services.take(p.task.ID, m.Key, p.sees(), out)
	if k == nil {
		return false
	}
	p.mu.Lock()
	p.serve.port, p.keeps = k.port, k
	p.mu.Unlock()
	p.started(k.proc, exited)
	if p.task.Service.Ready.Output != "" || p.task.Service.Ready.File != "" { // it was ready once, and does not say so again
		p.serve.ready()
	} else {
		p.lookWhetherReady()
	}
	p.awaitKept(k, exited)
	return true
}
