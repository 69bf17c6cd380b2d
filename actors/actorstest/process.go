package actorstest

import (
	"fmt"
	"time"

	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// Script is a program, and how its process takes time.
type Script struct {
	processtest.Program               // a Script, which works and writes in the middle of its time, or Refuse
	Takes               time.Duration // 0: the seed says how long
	IgnoreTerm          bool
	// Stays: it is a service, which does nothing but to say something, and does not end by itself, unless Dies says after how long. It answers
	// on its port when ReadyAfter has passed.
	Stays            bool
	ReadyAfter, Dies time.Duration
}

// processes is the spawner of a simulation: scripted processes, of which the seed says when they work, hear a signal and end,
// and every start, signal and end is checked.
type processes struct {
	*processtest.Spawner
	sim     *Sim
	all     []*simProcess
	alive   map[string]*simProcess
	killAll bool
	onStart func(label string)
	onKill  func(p *simProcess)
	onStop  func(p *simProcess) // the first signal that is not KILL
	cancel  func()

	program Script // of the process that is being started
	body    func() // and what it does
}

func newProcesses(s *Sim, find func(process.Command) (Script, bool)) *processes {
	p := &processes{Spawner: processtest.New(nil), sim: s, alive: map[string]*simProcess{}}
	p.Go = func(body func()) { p.body = body }
	p.Find = func(c process.Command) (processtest.Program, bool) {
		program, ok := find(c)
		if program.Takes == 0 {
			program.Takes = time.Duration(2+s.rng.Intn(60)) * time.Millisecond
		}
		p.program = program
		return processtest.Program{Refuse: program.Refuse, Script: func(c process.Command, out process.Sink, signals <-chan processtest.Signal) process.Exit {
			ends := s.now.Add(program.Takes - program.Takes/2)
			exit := program.Script(c, out, signals)
			if s.now.Before(ends) {
				s.sleep(ends.Sub(s.now))
			}
			return exit
		}}, ok
	}
	return p
}

// simProcess is a process of the simulation.
type simProcess struct {
	*processtest.Proc
	owner    *processes
	label    string
	program  Script
	began    time.Time
	starting bool // whoever starts it does not know it yet
	owed     bool // it was to be asked to end meanwhile
	heard    bool // and was
}

// Start implements process.Spawner.
func (p *processes) Start(c process.Command, out process.Sink) (process.Process, error) {
	started, err := p.Spawner.Start(c, out)
	if err != nil {
		return nil, err
	}
	q := &simProcess{Proc: started.(*processtest.Proc), owner: p, label: c.Label, program: p.program, starting: true, began: p.sim.Now()}
	p.all = append(p.all, q)
	p.alive[c.Label] = q
	q.Proc.OnExit(func(e process.Exit) {
		delete(p.alive, c.Label)
		p.sim.note(fmt.Sprintf("exit %s %d", c.Label, e.Code))
	})
	p.sim.note("start " + c.Label)
	if p.onStart != nil {
		p.onStart(c.Label)
	}
	body := p.body
	if q.program.Stays {
		q.stay()
	} else {
		p.sim.after(q.program.Takes/2, event{label: "half of " + c.Label, run: func() {
			if !q.Ended() { // who was killed does nothing any more
				body()
			}
		}}, nil)
	}
	if len(p.all) == p.sim.faults.CancelInStart {
		p.sim.after(p.sim.lateness(), event{label: "cancel", run: p.cancel}, nil)
		p.sim.sleep(p.sim.slowness())
	}
	p.sim.slow("start of " + c.Label)
	q.starting = false
	return q, nil
}

// KillAll implements process.Spawner.
func (p *processes) KillAll() {
	p.killAll = true
	for _, q := range p.all {
		if !q.Ended() {
			q.Kill()
		}
	}
}

// Interrupt is ignored by every second process that hears TERM, as by what a shell starts in the background.
func (q *simProcess) Interrupt() {
	q.asked(2, q.PID()%2 != 0 || q.program.IgnoreTerm, q.Proc.Interrupt)
}

// Signal implements what process.Signal looks for: as deaf as to TERM.
func (q *simProcess) Signal(name string) {
	s, known := processtest.Named(name)
	if !known {
		q.Terminate()
		return
	}
	q.asked(s.Number(), q.program.IgnoreTerm, func() { q.Proc.Signal(name) })
}

// Terminate implements process.Process.
func (q *simProcess) Terminate() { q.asked(15, q.program.IgnoreTerm, q.Proc.Terminate) }

func (q *simProcess) asked(signal int, ignored bool, hear func()) {
	if !q.heard && q.owner.onStop != nil {
		q.owner.onStop(q)
	}
	q.heard = true
	q.owner.sim.slow(fmt.Sprintf("signal %d to %s", signal, q.label))
	if q.Ended() {
		return
	}
	hear()
	if !ignored {
		q.endsBy(signal, 3*time.Millisecond)
	}
}

// Kill implements process.Process.
func (q *simProcess) Kill() {
	q.heard = true
	q.owner.sim.slow("KILL to " + q.label)
	if q.Ended() {
		return
	}
	if q.owner.onKill != nil {
		q.owner.onKill(q)
	}
	q.Proc.Kill()
	q.endsBy(9, time.Millisecond)
}

// endsBy lets a signal end the process in a while, whatever it is about then; it may come to its own end before that.
func (q *simProcess) endsBy(signal int, after time.Duration) {
	q.owner.sim.after(after, event{label: fmt.Sprintf("signal %d ends %s", signal, q.label),
		run: func() { q.End(process.Exit{Code: -1, Signal: signal}) }}, nil)
}

// OnExit makes the engine be called back instead of waiting.
func (q *simProcess) OnExit(f func(process.Exit)) {
	q.Proc.OnExit(func(e process.Exit) {
		q.owner.sim.push(event{label: "exited " + q.label, run: func() { f(e) }})
	})
}
