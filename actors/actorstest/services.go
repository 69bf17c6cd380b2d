package actorstest

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
	"github.com/haz-build/haz/ready"
	"github.com/haz-build/haz/workspace"
)

// worldService is what a task of a random workspace is as a service.
type worldService struct {
	readyAfter, dies time.Duration // dies 0: never
	timeout          time.Duration
	restarts         int
	taken            bool // somebody else listens on its port, which is a fixed one
}

// takenPort is taken for good.
const takenPort = 99

// asService makes a task one: it has no outputs, and nothing of what needs them.
func asService(t worldTask, rng *rand.Rand, unsteady bool) worldTask {
	s := &worldService{readyAfter: time.Duration(1+rng.Intn(40)) * time.Millisecond, timeout: time.Minute}
	if unsteady {
		switch rng.Intn(6) {
		case 0:
			s.timeout = time.Duration(1+rng.Intn(40)) * time.Millisecond
		case 1:
			s.dies = time.Duration(1+rng.Intn(120)) * time.Millisecond
		case 2:
			s.dies, s.restarts = time.Duration(1+rng.Intn(120))*time.Millisecond, 1+rng.Intn(3)
		case 3:
			s.taken = true
		}
	}
	return worldTask{project: t.project, name: t.name, hard: t.hard, soft: t.soft, reads: t.reads, mutex: t.mutex, missing: t.missing, stubby: t.stubby, leftOut: t.leftOut, service: s}
}

func (s *worldService) script(t worldTask) Script {
	p := Script{IgnoreTerm: t.stubby, Stays: true, ReadyAfter: s.readyAfter, Dies: s.dies}
	p.Script = func(process.Command, process.Sink, <-chan processtest.Signal) process.Exit { return process.Exit{} }
	if t.missing {
		p.Refuse = &process.NotStartedError{Program: "work", Reason: "program not found in PATH (/bin:/usr/bin)"}
		p.Script = nil
	}
	return p
}

func (s *worldService) yaml(t worldTask, refs func([]int) string) string {
	port := "auto"
	if s.taken {
		port = fmt.Sprint(takenPort)
	}
	text := fmt.Sprintf("  %s:\n    command: [work, %q]\n    inputs: [%s]\n", t.name, t.id(), t.src())
	text += fmt.Sprintf("    service: {ready: {port: %s, timeout: %s, interval: 7ms}, exports: {%s: \"${HAZ_PORT}\"}", port, workspace.Period(s.timeout), exported(t.id()))
	if s.restarts > 0 {
		text += fmt.Sprintf(", restart: on-failure, limit: %d", s.restarts)
	}
	text += "}\n"
	if len(t.hard) > 0 {
		text += "    deps: " + refs(t.hard) + "\n"
	}
	if len(t.soft) > 0 {
		text += "    weakDeps: " + refs(t.soft) + "\n"
	}
	if t.leftOut {
		text += "    if: {os: windows}\n"
	}
	return text
}

// exported is the variable that has the port of a service.
func exported(id string) string { return "PORT_" + strings.ReplaceAll(id, ":", "_") }

// stay is the life of a service: it says something, and may die.
func (q *simProcess) stay() {
	s := q.owner.sim
	s.after(q.program.ReadyAfter/2, event{label: "word of " + q.label, run: func() {
		if !q.Ended() {
			q.Write(process.Stdout, []byte(q.label+" says\n"))
		}
	}}, nil)
	if q.program.Dies > 0 {
		s.after(q.program.Dies, event{label: "death of " + q.label, run: func() { q.End(process.Exit{Code: 4}) }}, nil)
	}
}

// answers reports whether the process takes connections on a port.
func (q *simProcess) answers(port int) bool {
	return !q.Ended() && slices.Contains(q.Command().Env, fmt.Sprintf("%s=%d", workspace.PortVariable, port)) &&
		!q.owner.sim.Now().Before(q.began.Add(q.program.ReadyAfter))
}

// network is where the services of a simulation listen.
type network struct {
	procs *processes
	given int
}

var _ ready.Network = (*network)(nil)

func (n *network) Look(_ context.Context, p ready.Probe) error {
	n.procs.sim.slow("look at a service")
	for _, q := range n.procs.all {
		if q.program.Stays && q.answers(p.Port) {
			return nil
		}
	}
	return errors.New("nothing listens")
}

func (n *network) FreePort() (int, error) {
	n.given++
	return 20_000 + n.given, nil
}

func (n *network) Taken(port int) (ready.Holder, bool) {
	return ready.Holder{PID: 7, Name: "other"}, port == takenPort
}

// services follows services: nobody who needs one starts before it was ready, it is started for somebody, and stopped when nobody needs it any more
// (EXEC-071 to EXEC-077).
type services struct {
	keyed  map[int]bool // its dependents may know its key
	up     map[int]bool // its process is ready, as admission knows
	was    map[int]bool // a process of it was ready
	needed map[int]bool // somebody has asked for it
	unused map[int]bool // it knows that nobody needs it any more
	lost   map[int]bool // dependents that were told that a service is lost
	moved  map[int]bool // it was stopped for another reason: not in time, or the run ends
}

func newServices() *services {
	return &services{keyed: map[int]bool{}, up: map[int]bool{}, was: map[int]bool{}, needed: map[int]bool{}, lost: map[int]bool{}, unused: map[int]bool{}, moved: map[int]bool{}}
}

// sent sees every message when it is sent.
func (s *services) sent(c *checker, m any) {
	if m, ok := m.(messages.StartProcess); ok && s.unused[m.Task] {
		c.broken("EXEC-074: %s is to be started when nobody needs it any more", c.Plan.Tasks[m.Task].ID)
	}
}

// received sees every message right after its actor.
func (s *services) received(to string, m any) {
	if m, ok := m.(messages.ServiceUnused); ok && to != "tasks" {
		s.unused[m.Task] = true
	}
}

// delivered sees every message right before its actor does.
func (s *services) delivered(to string, m any) {
	switch m := m.(type) {
	case messages.ServiceKeyed:
		s.keyed[m.Task] = true
	case messages.ProcessReady:
		s.was[m.Task] = true
	case messages.TaskHeldUp:
		s.up[m.Task] = s.was[m.Task] && to == "admission"
	case messages.NeedService:
		s.needed[m.Task] = true
	case messages.ServiceLost:
		s.lost[m.Task] = true
	case messages.ReadyExpired, messages.CancelTask, messages.CancelOne, messages.RestartOne:
		s.moved[m.(messages.ForTask).TaskIndex()] = true
	}
}

func (s *services) started(c *checker, id string) {
	i := c.index[id]
	t, n := c.Plan.Tasks[i], c.procs.Count(id)
	if t.Service != nil {
		s.up[i], s.was[i] = false, false
		if t.Service.Port == takenPort {
			c.broken("EXEC-075: %s started, and its port is taken", id)
		}
		if n -= c.commands.again[i]; n > 1+t.Service.Restarts {
			c.broken("EXEC-075: %s started %d times, and may be started %d times again", id, n, t.Service.Restarts)
		}
		if !s.needed[i] && !c.Plan.Stays(i) {
			c.broken("EXEC-072: %s started, and nobody asked for it", id)
		}
	}
	for _, e := range c.Plan.Up[i] {
		u := c.Plan.Tasks[e.Task]
		if e.Kind != graph.Hard || u.Service == nil || c.attempts.leftOut[e.Task] {
			continue
		}
		last := c.procs.last(u.ID.String())
		switch {
		case last == nil:
			c.broken("EXEC-072: %s started, and %s never was", id, u.ID)
		case !slices.Contains(c.procs.alive[id].Command().Env, exported(u.ID.String())+"="+portOf(last)) && u.Service.Restarts == 0:
			c.broken("EXEC-077: %s is not told of port %s of %s", id, portOf(last), u.ID)
		case u.Service.Restarts == 0 && c.s.Now().Before(last.began.Add(last.program.ReadyAfter)):
			c.broken("EXEC-072: %s started before %s was ready", id, u.ID)
		}
	}
}

// last is the latest process of a task; nil where there was none.
func (p *processes) last(label string) *simProcess {
	for _, q := range slices.Backward(p.all) {
		if q.label == label {
			return q
		}
	}
	return nil
}

// portOf is the port that a process was given.
func portOf(q *simProcess) string {
	for _, v := range q.Command().Env {
		if port, is := strings.CutPrefix(v, workspace.PortVariable+"="); is {
			return port
		}
	}
	return ""
}

// stopped sees the first signal to a process.
func (s *services) stopped(c *checker, q *simProcess) {
	i := c.index[q.label]
	if c.Plan.Tasks[i].Service == nil || c.closed || c.forced || s.moved[i] || s.lost[i] || len(c.dead) > 0 || c.doomed[i] || c.procs.killAll {
		return
	}
	for _, e := range c.Plan.Down[i] {
		if down := c.Plan.Tasks[e.Task].ID.String(); e.Kind == graph.Hard && c.procs.alive[down] != nil && !c.doomed[e.Task] {
			c.broken("EXEC-074: %s is stopped, and %s, which needs it, runs", q.label, down)
		}
	}
}

// end checks what must hold when the run is over.
func (s *services) end(c *checker) {
	for i, o := range c.rep.Result.Outcomes {
		t := c.Plan.Tasks[i]
		if o.Served {
			c.rep.Served++
		}
		switch {
		case t.Service == nil:
			if o.Served {
				c.broken("EXEC-074: %s is no service, and served", t.ID)
			}
		case o.Store == messages.Stored || o.Source == messages.FromCache:
			c.broken("EXEC-071: a result of service %s", t.ID)
		case o.Status == messages.Completed && (!o.Served || o.Spawned == 0):
			c.broken("EXEC-074: service %s has completed otherwise than by being stopped: %+v", t.ID, o)
		case o.Error != nil && o.Error.Kind == messages.ErrPortTaken && (t.Service.Port != takenPort || o.Spawned > 0):
			c.broken("EXEC-075: %s: %+v", t.ID, o)
		}
	}
}
