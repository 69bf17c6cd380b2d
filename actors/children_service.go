package actors

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/ready"
	"github.com/haz-build/haz/workspace"
)

// serving is what there is of a service beside its process, in one attempt (EXEC-073).
type serving struct {
	p       *child
	m       messages.StartProcess
	out     *recorder
	port    int // that it is to listen on; 0: none is known
	ctx     context.Context
	cancel  context.CancelFunc
	started time.Time
	before  *fsys.Info // of the file of ready: what lay there already; nil: nothing

	// Held with the mutex of the child.
	why     string // why it was not at the last look
	up      bool   // it was seen to be ready
	resting bool   // it counts as nothing under way: it may go on for days, and nobody waits for it
}

// prepareServing finds the port of a service that is about to start; refused says why it does not.
func (p *child) prepareServing(m messages.StartProcess, out *recorder) (refused *messages.ProcessNotStarted) {
	r, s := p.c.r, p.task.Service
	v := &serving{p: p, m: m, out: out, port: s.Port}
	switch {
	case s.AutoPort:
		port, err := r.o.Network.FreePort()
		if err != nil {
			return &messages.ProcessNotStarted{Ref: m.Ref, Error: messages.TaskError{Kind: messages.ErrSpawn, Reason: "no free port for the service: " + err.Error()}}
		}
		v.port = port
	case s.Port != 0 && !r.o.Services.has(p.task.ID):
		if holder, taken := r.o.Network.Taken(s.Port); taken {
			return &messages.ProcessNotStarted{Ref: m.Ref, Error: portTaken(s.Port, holder)}
		}
	}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	v.started = r.o.Clock.Now()
	if s.Ready.File != "" {
		if info, err := r.o.FS.Lstat(s.Ready.File); err == nil {
			v.before = &info
		}
	}
	if s.Ready.Output != "" {
		out.awaited = &awaitedLine{text: []byte(s.Ready.Output), seen: v.ready}
	}
	p.mu.Lock()
	p.serve = v
	p.mu.Unlock()
	return nil
}

// portTaken is the task error of a service whose port somebody has already.
func portTaken(port int, by ready.Holder) messages.TaskError {
	e := messages.TaskError{Kind: messages.ErrPortTaken, Reason: fmt.Sprintf("port %d is taken already", port),
		Hint: "end what listens there, or let haz find a free one: port: auto"}
	switch {
	case by.PID != 0 && by.Name != "":
		e.Reason = fmt.Sprintf("port %d is taken already, by pid %d (%s)", port, by.PID, by.Name)
	case by.PID != 0:
		e.Reason = fmt.Sprintf("port %d is taken already, by pid %d", port, by.PID)
	}
	return e
}

// command is what to start: of a task that needs services, and of one that is a service, with what these say.
func (p *child) command() process.Command {
	c := command(p.c.r, p.task)
	if given := p.given(); len(given) > 0 {
		env := p.c.r.o.Deriver.EnvironmentWith(p.task, given)
		if p.c.r.o.Colour {
			env = coloured(env)
		}
		c.Env = env
	}
	return c
}

// given are the variables that services give: theirs to those that need them, and to a service its port.
func (p *child) given() map[string]string {
	given, ports := map[string]string{}, []string(nil)
	for _, need := range p.needs {
		s := p.c.r.o.Plan.Tasks[need.Task].Service
		for name, text := range s.Exports {
			given[name] = workspace.ExpandPort(text, need.Port)
		}
		if need.Port != 0 {
			ports = append(ports, fmt.Sprint(need.Port))
		}
	}
	if len(ports) == 1 { // of several, none is the one
		given[workspace.PortVariable] = ports[0]
	}
	if p.task.Service != nil {
		delete(given, workspace.PortVariable)
		if p.serve.port != 0 {
			given[workspace.PortVariable] = fmt.Sprint(p.serve.port)
		}
	}
	return given
}

// lookWhetherReady looks for the first time, and again after each interval, until the service is ready or has ended.
func (p *child) lookWhetherReady() {
	p.mu.Lock()
	v := p.serve
	p.mu.Unlock()
	if v != nil && p.task.Service.Ready.Output == "" {
		v.again()
	}
}

// again looks once, in a goroutine of its own: a look may take its time, and a host's network may panic.
func (v *serving) again() {
	r := v.p.c.r
	if v.ctx.Err() != nil || r.closed.Load() {
		return
	}
	r.hooks.Go(func() {
		var answer error
		if why := caught(func() { answer = v.look() }); why != nil {
			r.attempt("looking whether "+v.p.task.ID.String()+" is ready", func() { panic(why.reason) })
			return // its time runs out
		}
		if answer == nil {
			v.ready()
			return
		}
		v.p.mu.Lock()
		if v.ctx.Err() == nil { // else it was stopped in the middle of a look
			v.why = answer.Error()
		}
		v.p.mu.Unlock()
		r.timers.after(v.p.task.Service.Ready.Interval, v.again)
	})
}

// look asks the service once; nil: it is ready.
func (v *serving) look() error {
	r, s := v.p.c.r, &v.p.task.Service.Ready
	switch {
	case s.Command != nil:
		return v.askCommand()
	case s.File != "":
		if now, err := r.o.FS.Lstat(s.File); err == nil && v.before != nil && now.Same(*v.before) {
			return fmt.Errorf("file %s is as it was before the start", s.File)
		}
		return r.o.Network.Look(v.ctx, ready.Probe{File: r.o.FS.HostPath(s.File)})
	case s.URL != "":
		return r.o.Network.Look(v.ctx, ready.Probe{URL: workspace.ExpandPort(s.URL, v.port), Status: s.Status})
	}
	return r.o.Network.Look(v.ctx, ready.Probe{Port: v.port})
}

// askCommand runs the command that says whether the service is ready, where the service runs and with its environment. What it prints is nobody's.
func (v *serving) askCommand() error {
	r := v.p.c.r
	c := v.p.command()
	c.Label += " (ready)"
	c.TTY, c.Found, c.Terminal = false, "", nil
	c.Argv = make([]string, len(v.p.task.Service.Ready.Command))
	for i, word := range v.p.task.Service.Ready.Command {
		c.Argv[i] = workspace.ExpandPort(word, v.port)
	}
	proc, err := r.o.Spawner.Start(c, nil)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(v.ctx, proc.Kill)
	defer stop()
	switch x := proc.Wait(); {
	case x.WaitErr != nil:
		return x.WaitErr
	case x.Signal != 0:
		return fmt.Errorf("%s was ended by signal %d", c.Argv[0], x.Signal)
	case x.Code != 0:
		return fmt.Errorf("%s ended with exit code %d", c.Argv[0], x.Code)
	}
	return nil
}

// ready is the first word of a service that answers. Later ones, and those of a process that is being stopped, say nothing.
func (v *serving) ready() {
	p, r := v.p, v.p.c.r
	p.mu.Lock()
	if v.up || p.ended || p.proc == nil || p.signalled != unstopped {
		p.mu.Unlock()
		return
	}
	v.up, v.resting = true, true
	p.c.resting.Add(1)
	p.mu.Unlock()
	now := r.o.Clock.Now()
	v.out.announce(messages.ServiceStarted{Task: p.task.ID, Port: v.port, At: now, Took: now.Sub(v.started)})
	r.tell(messages.ProcessReady{Ref: v.m.Ref, Port: v.port})
	p.c.done()
}

// rouse counts a service as under way again: it ends, or is to end. The caller holds the mutex of the child.
func (v *serving) rouse(c *children) {
	if v != nil && v.resting {
		v.resting = false
		c.resting.Add(-1)
		c.load.Add(1)
	}
}

// end ends what looks at the service.
func (v *serving) end() {
	if v != nil {
		v.cancel()
	}
}

// unready is what was seen of a service that ended before it was ready: why it was not, and whether somebody else listens where it should have.
func (p *child) unready() (why string, portTaken bool) {
	p.mu.Lock()
	v := p.serve
	if v == nil || v.up {
		p.mu.Unlock()
		return "", false
	}
	why = v.why
	p.mu.Unlock()
	if v.port != 0 {
		_, portTaken = p.c.r.o.Network.Taken(v.port)
	}
	return why, portTaken
}

// awaitedLine looks for a text in the lines that a process prints.
type awaitedLine struct {
	text []byte
	seen func()

	mu    sync.Mutex
	found bool
	tails [2][]byte // of each stream, what may be the beginning of the text
}

func (a *awaitedLine) see(s process.Stream, b []byte) {
	if a == nil {
		return
	}
	a.mu.Lock()
	tail := &a.tails[min(int(s)-1, 1)]
	*tail = append(*tail, b...)
	found := !a.found && bytes.Contains(*tail, a.text)
	a.found = a.found || found
	if keep := len(a.text) - 1; len(*tail) > keep {
		*tail = append([]byte(nil), (*tail)[len(*tail)-keep:]...)
	}
	if a.found {
		*tail = nil
	}
	a.mu.Unlock()
	if found {
		a.seen()
	}
}
