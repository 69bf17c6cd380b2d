//go:build unix

package process

import (
	"slices"
	"sync"
	"time"
)

// A Suspender is a process that can stand still. A host's own may be one; those of System need not.
type Suspender interface {
	// Suspend makes the process, with all that it has started, stand still until Resume.
	Suspend()
	Resume()
}

// Suspend makes these processes stand still until resume is called (S-45). With System that goes for all that descends
// from them, in whatever group or session; what had been stopped before stays so afterwards; time limits of this package do not
// count the time in between; and a death of haz ends all that stands still, since nobody else would ever continue it. Kill works
// meanwhile, other signals are heard afterwards.
//
// The caller sees to it that nothing is started meanwhile. Another process that is no Suspender goes on.
func Suspend(ps []Process) (resume func()) {
	var own []*proc
	var undo []func()
	for _, p := range ps {
		if x, ok := p.(Suspender); ok {
			x.Suspend()
			undo = append(undo, x.Resume)
		} else if q := ofSystem(p); q != nil {
			own = append(own, q)
		}
	}
	for _, p := range own {
		p.still.Store(true)
	}
	goOn := standStill(own)
	return sync.OnceFunc(func() {
		goOn()
		for _, p := range own {
			p.still.Store(false)
		}
		for _, f := range slices.Backward(undo) {
			f()
		}
	})
}

// ofSystem is the process of System that p is or, by its number, stands for; nil when there is none.
func ofSystem(p Process) *proc {
	if q, ok := p.(*proc); ok {
		return q
	}
	if pid, ok := OSPID(p); ok {
		if q, ok := byNumber.Load(pid); ok {
			return q.(*proc)
		}
	}
	return nil
}

// patience is a limit of time for what a process does. Time in which it stood still is not counted, nor that in which haz itself did.
type patience struct {
	p    *proc
	left time.Duration
	last time.Time
}

// glance is how often, at least, a patience must be asked.
const glance = 50 * time.Millisecond

func (p *proc) patience(limit time.Duration) *patience {
	return &patience{p: p, left: limit, last: time.Now()}
}

// over reports whether the limit has passed.
func (x *patience) over() bool {
	now := time.Now()
	passed := now.Sub(x.last)
	x.last = now
	if !x.p.still.Load() {
		x.left -= min(passed, 2*glance)
	}
	return x.left <= 0
}

// pause is until when to wait before the next question.
func (x *patience) pause() time.Duration { return max(time.Millisecond, min(x.left, glance)) }
