package processtest

import (
	"sync"

	"github.com/haz-build/haz/process"
)

// Proc is a scripted process.
type Proc struct {
	spawner *Spawner
	pid     int
	c       process.Command
	sink    process.Sink
	signals chan Signal   // for a Script
	wake    chan struct{} // for steps in a goroutine: a signal came
	done    chan struct{}

	stepping sync.Mutex // held during a step, so that steps never overlap

	mu        sync.Mutex
	steps     []Step // what is left to do
	pending   Signal // the strongest signal that the steps have not seen
	ignore    bool   // all but KILL
	cancelled bool   // a signal came before the end
	killed    bool
	ended     bool
	result    process.Exit // what steps add: leftovers, incompleteness
	exit      process.Exit
	onExit    []func(process.Exit)
}

var _ process.Process = (*Proc)(nil)

// PID implements process.Process: the number of the start, from 1. It is no number of the operating system.
func (p *Proc) PID() int { return p.pid }

// OSProcess says so; see process.OSPID.
func (p *Proc) OSProcess() bool { return false }

// Command returns what was started.
func (p *Proc) Command() process.Command { return p.c }

// Interrupt implements what process.Interrupt looks for. In a list of steps it takes effect with the next step.
func (p *Proc) Interrupt() { p.signal(Int) }

// Signal implements what process.Signal looks for. In a list of steps it takes effect with the next step.
func (p *Proc) Signal(name string) {
	if s, known := Named(name); known {
		p.signal(s)
		return
	}
	p.Terminate()
}

// Terminate implements process.Process. In a list of steps it takes effect with the next step.
func (p *Proc) Terminate() { p.signal(Term) }

// Kill implements process.Process. In a list of steps it takes effect with the next step.
func (p *Proc) Kill() { p.signal(Kill) }

func (p *Proc) signal(s Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.cancelled = true
	p.killed = p.killed || s == Kill
	p.pending = max(p.pending, s)
	select {
	case p.signals <- s:
	default: // a script that does not look has no use for a seventeenth
	}
	if p.wake != nil {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// Wait implements process.Process. For a manual process somebody else has to call Step.
func (p *Proc) Wait() process.Exit {
	<-p.done
	return p.exit
}

// Ended reports whether Wait would return at once.
func (p *Proc) Ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// Done is closed when the process has ended.
func (p *Proc) Done() <-chan struct{} { return p.done }

// OnExit calls f when the process ends, in the goroutine that ends it; at once when it has.
func (p *Proc) OnExit(f func(process.Exit)) {
	p.mu.Lock()
	if !p.ended {
		p.onExit = append(p.onExit, f)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	f(p.exit)
}

// Write implements process.Sink for scripts: the process's own output.
func (p *Proc) Write(s process.Stream, b []byte) {
	if p.Ended() { // a goroutine that a script left behind
		return
	}
	p.sink.Write(s, b)
}

// Runnable reports whether Step would do something.
func (p *Proc) Runnable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ended && (!p.hangs() || p.mortal())
}

func (p *Proc) hangs() bool  { return len(p.steps) > 0 && p.steps[0].kind == hang }
func (p *Proc) mortal() bool { return p.pending == Kill || p.pending != 0 && !p.ignore }

// Step lets the process do one thing: die of a pending signal, or take its next step; after the last one it ends with exit
// code 0. It reports whether the process still lives. It must not be called for a process that is a Script.
func (p *Proc) Step() (alive bool) {
	p.stepping.Lock()
	defer p.stepping.Unlock()
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return false
	}
	if p.mortal() {
		e := process.Exit{Code: -1, Signal: p.pending.Number()}
		p.mu.Unlock()
		p.End(e)
		return false
	}
	p.pending = 0 // ignored
	if p.hangs() {
		p.mu.Unlock()
		return true
	}
	if len(p.steps) == 0 {
		p.mu.Unlock()
		p.End(process.Exit{})
		return false
	}
	step := p.steps[0]
	p.steps = p.steps[1:]
	p.mu.Unlock()

	end, ok := step.do(p)
	if ok {
		p.End(end)
	}
	return !ok
}

// run takes all steps.
func (p *Proc) run() {
	for p.Step() {
		for !p.Runnable() && !p.Ended() {
			<-p.wake
		}
	}
}

// End ends the process, whatever it is about: with e, or as killed when it was. It does nothing when the process has ended. Scripts
// and steps do without; it is for whoever decides when a process dies.
func (p *Proc) End(e process.Exit) {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return
	}
	if p.killed {
		e.Code, e.Signal, e.WaitErr = -1, 9, nil
	}
	e.Cancelled = p.cancelled
	if e.Incomplete == "" {
		e.Incomplete = p.result.Incomplete
	}
	e.Leftovers = append(e.Leftovers, p.result.Leftovers...)
	p.ended, p.exit = true, e
	fs := p.onExit
	p.onExit = nil
	close(p.done)
	p.mu.Unlock()
	for _, f := range fs {
		f(e)
	}
}
