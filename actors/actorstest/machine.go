package actorstest

import (
	"fmt"
	"time"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/ready"
)

// Machine is what one simulated run has to do with: clock, goroutines, mailboxes, processes, disk. It also checks the run. Package haztest
// has runs of package haz made on it.
type Machine struct {
	*Sim
	o     RunOptions
	procs *processes
	check *checker
	rep   *Report
	ended bool
}

// NewMachine makes a machine on which find says what a process does; false means that there is no such program.
func NewMachine(o RunOptions, find func(process.Command) (Script, bool)) *Machine {
	s := NewSim(o.Seed, o.Faults, o.KeepTrace)
	return &Machine{Sim: s, o: o, rep: &Report{hits: map[int]*knownHit{}}, procs: newProcesses(s, find)}
}

// Disk is a disk as the machine has it: slow at times, if there is such a fault.
func (m *Machine) Disk(d fsys.FS) fsys.FS {
	if m.o.Faults.Slow > 0 {
		return slowDisk{FS: d, sim: m.Sim, base: "/"}
	}
	return d
}

// Spawner starts the processes of the run.
func (m *Machine) Spawner() process.Spawner { return m.procs }

// Network is where services of the run listen.
func (m *Machine) Network() ready.Network { return &network{procs: m.procs} }

// Workers is for how many works there is a CPU.
func (m *Machine) Workers() int {
	if m.o.Faults.Tight {
		return 1 + int(m.o.Seed%3)
	}
	return 1000
}

// Hooks put the machine under the actors of the run.
func (m *Machine) Hooks() actors.Hooks {
	return actors.Hooks{Go: m.Go, Await: m.wait, Props: m.Props, Before: func(actor string, msg any) {
		m.check.before(actor, msg)
		if actor != "observer" { // that one is slow in the host
			m.turn(actor)
		}
	}}
}

// Observe is to be called with each event of the run.
func (m *Machine) Observe(e messages.Event) {
	m.rep.Events = append(m.rep.Events, e)
	m.check.eventSeen(len(m.rep.Events))
	m.slow("observer")
}

// Subject is the run that a machine is for.
type Subject struct {
	FS    fsys.FS // of the workspace; not slow
	Plan  *graph.Plan
	Cap   int
	Grace time.Duration
	// Settled are the tasks that are up to date before the run begins, by position in the plan.
	Settled []int
	// Wrong is what is wrong with the outputs of a task that has completed; "" for nothing. nil: nobody knows.
	Wrong func(task string) string
}

// Watch begins the checks.
func (m *Machine) Watch(r Subject) {
	c := newChecker(r, m.Sim, m.procs, m.o, m.rep)
	m.check = c
	m.onPost, m.onStart, m.onEnd, m.between = c.posted, c.delivered, c.received, c.between
	m.procs.onStart, m.procs.onKill, m.procs.cancel = c.started, c.killed, c.signal
	m.procs.onStop = func(q *simProcess) { c.services.stopped(c, q) }
}

// Signals is how the machine asks for the end of the run; the empty name is a wish of the host. It is for after Watch.
func (m *Machine) Signals(cancel func(signal string, number int)) { m.check.cancel = cancel }

// Commands is how the machine asks something of the run. It is for after Watch.
func (m *Machine) Commands(ask func(request func(messages.Asked) any, answered func(messages.CommandAnswered))) {
	m.check.commands.ask = ask
}

// wait also serves who stands outside of all that happens, and waits for the end of the run: while it waits, things happen.
func (m *Machine) wait(try func() bool) {
	if m.inside == nil {
		m.Drive(try)
		return
	}
	m.Await(try)
}

// Drive lets things happen until the run is over, and reports whether that comes.
func (m *Machine) Drive(over func() bool) bool {
	began := m.Now()
	m.ended = m.Run(over, maxSteps)
	m.rep.Took = m.Now().Sub(began)
	return m.ended
}

// Report ends the checks. The run is over, or never will be.
func (m *Machine) Report(r actors.Result) *Report {
	m.rep.Steps, m.rep.Lost, m.rep.Processes = m.steps, m.lost, map[string]int{}
	for _, c := range m.procs.Commands() {
		m.rep.Processes[c.Label]++
	}
	defer func() { m.rep.Trace, m.rep.Lines = m.Trace() }()
	if !m.ended {
		m.rep.Broken = append(m.rep.Broken, fmt.Sprintf("the run does not end (%d steps; %s wait)", m.steps, m.waits()))
		return m.rep
	}
	m.rep.Result = r
	m.check.end()
	if !m.Run(m.idle, maxSteps) {
		m.rep.Broken = append(m.rep.Broken, "after the run these still wait: "+m.waits())
	}
	m.check.afterwards()
	return m.rep
}
