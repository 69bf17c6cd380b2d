package actorstest

import (
	"fmt"
	"strings"
	"time"

	"github.com/haz-build/haz/process"
)

// Script is what the process of one task does.
type Script struct {
	Takes      time.Duration // 0: the seed says how long
	Exit       int
	Stdout     string
	IgnoreTerm bool
	Missing    bool // the program does not exist
	Work       func()
	// Do is a program that is a function: it works and writes in the middle of its time, and says how it ended.
	Do func(c process.Command, out process.Sink) process.Exit
}

// processes is the spawner of a simulation: processes are timers, and every start, signal and end is checked.
type processes struct {
	sim     *Sim
	find    func(process.Command) (Script, error)
	all     []*simProcess
	alive   map[string]*simProcess
	spawned map[string]int
	killAll bool
	onStart func(label string)
	onKill  func(p *simProcess)
	cancel  func()
	pid     int
}

type simProcess struct {
	owner      *processes
	label      string
	command    process.Command
	script     Script
	sink       process.Sink
	pid        int
	starting   bool // whoever starts it does not know it yet
	owed       bool // it was to be asked to end meanwhile
	heard      bool // and was
	writing    bool // its output is not taken
	finished   bool // and that is all it waits for
	ended      bool
	terminated time.Time
	killed     bool
	exit       process.Exit
	onExit     func(process.Exit)
	told       bool
}

func (p *processes) Start(c process.Command, out process.Sink) (process.Process, error) {
	s, err := p.find(c)
	if err != nil {
		return nil, err
	}
	if s.Takes == 0 {
		s.Takes = time.Duration(2+p.sim.rng.Intn(60)) * time.Millisecond
	}
	p.spawned[c.Label]++
	p.pid++
	q := &simProcess{owner: p, label: c.Label, command: c, script: s, sink: out, pid: 1000 + p.pid, starting: true}
	p.all = append(p.all, q)
	p.alive[c.Label] = q
	p.sim.note("start " + c.Label)
	if p.onStart != nil {
		p.onStart(c.Label)
	}
	p.sim.after(s.Takes/2, event{label: "half of " + c.Label, run: q.half}, nil)
	p.sim.after(s.Takes, event{label: "end of " + c.Label, run: q.exits}, nil)
	if len(p.all) == p.sim.faults.CancelInStart {
		p.sim.after(p.sim.lateness(), event{label: "cancel", run: p.cancel}, nil)
		p.sim.sleep(p.sim.slowness())
	}
	p.sim.slow("start of " + c.Label)
	q.starting = false
	return q, nil
}

func (p *processes) KillAll() {
	p.killAll = true
	for _, q := range p.alive {
		q.Kill()
	}
}

func (p *processes) Close() error { return nil }

// half is when the process works: it reads its inputs, writes its outputs, and says something.
func (q *simProcess) half() {
	if q.ended {
		return
	}
	if q.script.Work != nil && q.script.Exit == 0 {
		q.script.Work()
	}
	q.writing = true
	if q.script.Do != nil {
		q.exit = q.script.Do(q.command, q.sink)
	}
	for _, part := range strings.SplitAfter(q.script.Stdout, "\n") {
		if part != "" {
			q.sink.Write(process.Stdout, []byte(part))
		}
	}
	q.writing = false
	if q.finished {
		q.exits()
	}
}

// exits is the end by itself: when all that it had to say was taken.
func (q *simProcess) exits() {
	if q.writing {
		q.finished = true
		return
	}
	if q.script.Do == nil {
		q.exit.Code = q.script.Exit
	}
	q.end(q.exit)
}

func (q *simProcess) end(x process.Exit) {
	if q.ended {
		return
	}
	q.ended = true
	delete(q.owner.alive, q.label)
	x.Cancelled = !q.terminated.IsZero() || q.killed
	q.exit = x
	q.owner.sim.note(fmt.Sprintf("exit %s %d", q.label, x.Code))
	q.tell()
}

func (q *simProcess) tell() {
	if q.ended && q.onExit != nil && !q.told {
		q.told = true
		q.owner.sim.push(event{label: "exited " + q.label, run: func() { q.onExit(q.exit) }})
	}
}

func (q *simProcess) PID() int { return q.pid }

func (q *simProcess) OSProcess() bool { return false }

// Interrupt is ignored by every second process that hears TERM, as by what a shell starts in the background.
func (q *simProcess) Interrupt() {
	if q.pid%2 == 0 {
		q.asked(2, q.script.IgnoreTerm)
	} else {
		q.asked(2, true)
	}
}

func (q *simProcess) Terminate() { q.asked(15, q.script.IgnoreTerm) }

func (q *simProcess) asked(signal int, ignored bool) {
	q.heard = true
	q.owner.sim.slow(fmt.Sprintf("signal %d to %s", signal, q.label))
	if q.ended {
		return
	}
	if q.terminated.IsZero() {
		q.terminated = q.owner.sim.Now()
	}
	if !ignored {
		q.owner.sim.after(3*time.Millisecond, event{label: fmt.Sprintf("signal %d ends %s", signal, q.label),
			run: func() { q.end(process.Exit{Code: -1, Signal: signal}) }}, nil)
	}
}

func (q *simProcess) Kill() {
	q.heard = true
	q.owner.sim.slow("KILL to " + q.label)
	if q.ended {
		return
	}
	if q.owner.onKill != nil {
		q.owner.onKill(q)
	}
	q.killed = true
	q.owner.sim.after(time.Millisecond, event{label: "KILL ends " + q.label, run: func() { q.end(process.Exit{Code: -1, Signal: 9}) }}, nil)
}

// OnExit makes the engine be called back instead of waiting.
func (q *simProcess) OnExit(f func(process.Exit)) {
	q.onExit = f
	q.tell()
}

// Wait is never called: OnExit is there.
func (q *simProcess) Wait() process.Exit { panic("a simulated process cannot be waited for") }
