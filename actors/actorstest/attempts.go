package actorstest

import (
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// attempts follows the processes of tasks: one at a time, as often as the task says (I4), for as long as it says (EXEC-045), and with
// the time between them that it says (EXEC-046).
type attempts struct {
	began     map[int]time.Time // the latest process
	settled   map[int]time.Time // the latest one had failed and was to be followed by another
	ended     map[int]uint32    // attempt of the request to settle it
	asked     map[int]uint32    // and of the latest to start one
	cancelled map[int]bool      // tasks that somebody wants to end
	leftOut   map[int]bool      // their condition does not hold
	stopped   map[int]bool      // the run stops after a failure
}

func newAttempts() *attempts {
	return &attempts{began: map[int]time.Time{}, settled: map[int]time.Time{}, ended: map[int]uint32{}, asked: map[int]uint32{}, cancelled: map[int]bool{}, stopped: map[int]bool{}, leftOut: map[int]bool{}}
}

func (a *attempts) started(c *checker, id string) {
	i := c.index[id]
	t, n, alive := c.Plan.Tasks[i], c.procs.Count(id), 0
	for _, q := range c.procs.all {
		if q.label == id && !q.Ended() {
			alive++
		}
	}
	if alive > 1 {
		c.broken("I4: %s has %d processes at a time", id, alive)
	}
	if t.Service != nil {
		return // services.started
	}
	if n -= c.commands.again[i]; n > 1+t.Retry.Times {
		c.broken("I4: %s started %d times, and may be tried %d times again", id, n, t.Retry.Times)
	}
	if n > 1 && !c.commands.stopped[i] {
		if waited, wait := c.s.Now().Sub(a.settled[i]), t.Retry.Wait(n-1); waited < wait {
			c.broken("EXEC-046: attempt %d of %s begins after %v, and its delay is %v", n, id, waited, wait)
		}
	}
	a.began[i] = c.s.Now()
}

// sent sees every message when it is sent.
func (a *attempts) sent(c *checker, m any) {
	if m, ok := m.(messages.StartProcess); ok && a.stopped[m.Task] && c.procs.Count(c.Plan.Tasks[m.Task].ID.String()) > 0 {
		c.broken("EXEC-046: %s is to be tried again in a run that stops", c.Plan.Tasks[m.Task].ID)
	}
}

// delivered sees every message right before its actor does.
func (a *attempts) delivered(c *checker, to string, m any) {
	switch m := m.(type) {
	case messages.RecordOutcome:
		a.leftOut[m.Task] = a.leftOut[m.Task] || m.Outcome.LeftOut()
	case messages.CancelTask:
		a.cancelled[m.Task] = true
	case messages.CancelOne:
		a.cancelled[m.Task] = true
	case messages.RestartOne:
		a.cancelled[m.Task] = true
	case messages.SkipTask:
		a.stopped[m.Task] = a.stopped[m.Task] || to != "tasks" && m.Cause == messages.RunStopped
	case messages.EndAttempt:
		if m.Attempt > a.ended[m.Task] { // it may come twice
			a.ended[m.Task], a.settled[m.Task] = m.Attempt, c.s.Now()
		}
	case messages.StartProcess:
		a.asked[m.Task] = max(a.asked[m.Task], m.Attempt)
	case messages.SignalProcess:
		t := c.Plan.Tasks[m.Task]
		if t.Service != nil || c.services.lost[m.Task] { // services.signalled
			return
		}
		if to != "processes" || a.cancelled[m.Task] || m.Attempt < a.asked[m.Task] { // one that is late concerns nobody
			return
		}
		if ran := c.s.Now().Sub(a.began[m.Task]); t.Timeout <= 0 || ran < t.Timeout {
			c.broken("EXEC-045: %s is signalled after %v, though nobody has cancelled it and its timeout is %v", t.ID, ran, t.Timeout)
		}
	}
}

// end checks what must hold when the run is over.
func (a *attempts) end(c *checker) {
	told := map[int]int{}
	for _, e := range c.rep.Events {
		if e, ok := e.(messages.AttemptFailed); ok {
			told[c.index[e.Task.String()]]++
		}
	}
	for i, o := range c.rep.Result.Outcomes {
		t := c.Plan.Tasks[i]
		leftOut := o.Status == messages.Skipped && o.Cause == messages.ConditionFalse
		if wanted := t.If == (workspace.Condition{}); leftOut == wanted && (leftOut || o.Status == messages.Completed) {
			c.broken("EXEC-047: %s is %v, and its condition holds: %v", t.ID, o.Status, wanted)
		}
		if t.Service != nil || o.Cause == messages.ServiceNotReady {
			continue
		}
		if o.TimedOut > 0 && (o.Status != messages.Failed || o.Error != nil || o.Store != 0 || o.TimedOut != t.Timeout) {
			c.broken("EXEC-045: %s ran out of time: %+v", t.ID, o)
		}
		if o.Status != messages.Completed || o.Source != messages.FromRun {
			continue
		}
		if n := len(o.Failures) + 1; o.MadeOn != n || o.Spawned != n+o.Restarted || n > 1+t.Retry.Times {
			c.broken("EXEC-046: %s was made on attempt %d, after %d failures, with %d processes", t.ID, o.MadeOn, len(o.Failures), o.Spawned)
		}
		onItsWay := len(c.dead) > 0 && told[i] < len(o.Failures) // what is so when the run crashes may be missing
		if c.s.lost == 0 && !c.blind && !c.rep.Result.ObserverStuck && !onItsWay && told[i] != len(o.Failures) {
			c.broken("I14: %s failed %d times, and %d were told", t.ID, len(o.Failures), told[i])
		}
	}
}
