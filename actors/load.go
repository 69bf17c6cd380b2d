package actors

import (
	"slices"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// loadDesk tells the supervisor when one actor has nothing under way any more.
type loadDesk struct {
	r     *running
	name  string
	load  func() int
	asked *atomic.Bool // somebody waits for the end of the load
	idle  []messages.ReportIdle
}

func (d *loadDesk) ask(ctx actor.Context, m messages.ReportIdle) {
	d.idle = append(d.idle, m)
	d.asked.Store(true) // before the look at the load: who ends it after that sees this
	d.changed(ctx)
}

// changed is called whenever the load may have come to an end.
func (d *loadDesk) changed(ctx actor.Context) {
	if len(d.idle) == 0 || d.load() > 0 {
		return
	}
	last := slices.MaxFunc(d.idle, func(a, b messages.ReportIdle) int { return a.Round - b.Round })
	d.asked.Store(false)
	d.idle = nil // asked again, because an answer may be lost: one is enough
	ctx.Send(d.r.supervisor, messages.IdleReported{Run: last.Run, Round: last.Round, Actor: d.name})
}

// workDone wakes an actor that was asked when its load ends.
type workDone struct{}

// doneForCache follows the end of work in a worker, and doneForProcesses that of what is done for a process, when it does not count as
// load any more. Mostly nobody has asked.
func (r *running) doneForCache() {
	if r.cacheAsked.Load() {
		r.send(r.cache, workDone{})
	}
}

func (r *running) doneForProcesses() {
	if r.processesAsked.Load() {
		r.send(r.processes, workDone{})
	}
}
