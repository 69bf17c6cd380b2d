package actors

import (
	"sync"
	"time"

	"github.com/haz-build/haz/process"
)

// Suspend makes the run stand still (S-45): its processes with all that they have started, its timers, and whatever is about to
// start one. Work on files under way goes on. It returns when that is so. Resume ends it, and so does a wish to end the run, since
// who is asked to end must be able to; from then on the run is not suspended again.
func (h *Handle) Suspend() (resume func()) { return h.r.children.suspend() }

// suspension is that of a run.
type suspension struct {
	mu     sync.Mutex
	resume func() // ends the last one; nil before the first
	never  bool   // the run is to end
}

func (c *children) suspend() (resume func()) {
	c.suspension.mu.Lock()
	defer c.suspension.mu.Unlock()
	if c.suspension.never {
		return func() {}
	}
	goOn := func() {}
	c.r.timers.pause()
	c.gate.shut()
	c.r.attempt("suspending the run", func() { goOn = process.Suspend(c.living()) })
	resume = sync.OnceFunc(func() {
		c.r.attempt("resuming the run", goOn)
		c.gate.open()
		c.r.timers.resume()
	})
	c.suspension.resume = resume
	return resume
}

// wake ends a suspension, for good.
func (c *children) wake() {
	c.suspension.mu.Lock()
	c.suspension.never = true
	resume := c.suspension.resume
	c.suspension.mu.Unlock()
	if resume != nil {
		resume()
	}
}

// living are the processes of the run that have not ended.
func (c *children) living() (ps []process.Process) {
	for i := range c.all.list {
		p := c.all.list[i].latest()
		if p == nil {
			continue
		}
		p.mu.Lock()
		if p.proc != nil && !p.ended {
			ps = append(ps, p.proc)
		}
		p.mu.Unlock()
	}
	return ps
}

// startsPatience is how long a suspension, or a last kill, waits for processes that are being started: a host's spawner may take its time.
const startsPatience = time.Second

// gate is where a process is started: nothing passes while the run is suspended.
type gate struct {
	mu       sync.Mutex
	opened   chan struct{} // nil while it is open
	starting int
	started  chan struct{} // closed when nothing is being started any more; nil unless somebody waits
}

// pass waits until the gate is open. leave must follow.
func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.opened != nil {
		wait := g.opened
		g.mu.Unlock()
		<-wait
		g.mu.Lock()
	}
	g.starting++
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.starting--; g.starting == 0 && g.started != nil {
		close(g.started)
		g.started = nil
	}
}

// shut returns when what is being started has been, or after a while.
func (g *gate) shut() {
	g.mu.Lock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
	g.mu.Unlock()
	g.settle()
}

// settle returns when what is being started has been, or after a while.
func (g *gate) settle() {
	g.mu.Lock()
	if g.starting == 0 {
		g.mu.Unlock()
		return
	}
	if g.started == nil {
		g.started = make(chan struct{})
	}
	started := g.started
	g.mu.Unlock()
	late := time.NewTimer(startsPatience)
	defer late.Stop()
	select {
	case <-started:
	case <-late.C:
	}
}

// settled reports whether nothing is being started.
func (g *gate) settled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.starting == 0
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}
