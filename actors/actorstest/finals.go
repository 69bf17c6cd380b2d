package actorstest

import (
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
)

// finals follows finalizers: one runs when a task before it was started, whatever becomes of the run (EXEC-048, EXEC-050), and then alone
// with what it depends on may anything start after the cancel flag (I9).
type finals struct {
	ended   map[int]bool // tasks whose end was announced
	cancels map[int]bool // requests to end the run that the supervisor has had
	shut    bool         // nobody goes on any more: a second request, or everything is killed
}

func newFinals() *finals { return &finals{ended: map[int]bool{}, cancels: map[int]bool{}} }

// sent sees every message when it is sent.
func (f *finals) sent(m any) {
	if o, ok := m.(messages.ObserveEvent); ok {
		if _, ok := o.Event.(messages.TaskFinished); ok {
			f.ended[o.Task] = true
		}
	}
}

// received sees every message right after its actor.
func (f *finals) received(to string, m any) {
	switch m := m.(type) {
	case messages.CancelRun:
		if to == "supervisor" {
			f.shut = f.shut || len(f.cancels) > 0 && !f.cancels[m.N] && m.Signal != "" // a host's context ends once, and forces nothing
			f.cancels[m.N] = true
		}
	case messages.ActorCrashed:
		f.shut = f.shut || to == "run"
	case messages.KillProcesses:
		f.shut = true
	}
}

// goesOn reports whether a task may start though the run was cancelled.
func (f *finals) goesOn(c *checker, task int) bool {
	if f.shut || !f.owed(c, task) {
		return false
	}
	c.rep.GoneOn++
	return true
}

// owed reports whether a task is a finalizer of one that was started or may be, or something like that depends on it.
func (f *finals) owed(c *checker, task int) bool {
	for _, e := range c.Plan.Up[task] {
		if e.Kind != graph.Final {
			continue
		}
		if c.procs.Count(c.Plan.Tasks[e.Task].ID.String()) > 0 || !f.ended[e.Task] && (f.ready(c, e.Task) || f.owed(c, e.Task)) {
			return true
		}
	}
	for _, e := range c.Plan.Down[task] {
		if e.Kind == graph.Hard && !f.ended[e.Task] && f.owed(c, e.Task) {
			return true
		}
	}
	return false
}

func (f *finals) ready(c *checker, task int) bool {
	for _, e := range c.Plan.Up[task] {
		if e.Task != task && !f.ended[e.Task] {
			return false
		}
	}
	return true
}

// end checks what must hold when the run is over.
func (f *finals) end(c *checker) {
	for i, o := range c.rep.Result.Outcomes {
		id, needed, final := c.Plan.Tasks[i].ID.String(), false, false
		for _, e := range c.Plan.Up[i] {
			if e.Kind == graph.Final {
				final = true
				needed = needed || c.procs.Count(c.Plan.Tasks[e.Task].ID.String()) > 0
			}
		}
		ran := c.procs.Count(id) > 0
		if o.Cause == messages.NotNeeded && o.Status == messages.Skipped {
			c.rep.NotNeeded++
		}
		switch {
		case c.Plan.Tasks[i].Service != nil:
		case !final:
			if o.Status == messages.Skipped && o.Cause == messages.NotNeeded {
				c.broken("EXEC-048: %s is no finalizer, and not needed", id)
			}
		case !needed && ran && c.Plan.OnlyFinal(i):
			c.broken("EXEC-048: %s has run, and no task before it", id)
		case !needed || ran || f.shut || c.signals > 1 || len(c.dead) > 0 || c.late || c.doomed[i] || c.s.lost > 0:
		case o.Status == messages.Failed && o.Error != nil: // it could not be started
		case o.Status == messages.Cancelled && (o.Cause == messages.Requested || o.Cause == messages.UpstreamWasCancelled) && c.commands.n > 0:
		case o.Status == messages.Skipped && (o.Cause == messages.ConditionFalse || o.Cause == messages.UpstreamDidFail || o.Cause == messages.UpstreamDidErr || o.Cause == messages.ServiceNotReady):
		default:
			c.broken("EXEC-050: %s is %v (%v), though a task before it was started", id, o.Status, o.Cause)
		}
	}
}
