package actorstest

import (
	"time"

	"github.com/haz-build/haz/messages"
)

// attempts follows how long processes run: EXEC-045.
type attempts struct {
	began     map[int]time.Time
	cancelled map[int]bool // tasks that somebody wants to end
}

func newAttempts() *attempts {
	return &attempts{began: map[int]time.Time{}, cancelled: map[int]bool{}}
}

func (a *attempts) started(c *checker, id string) { a.began[c.index[id]] = c.s.Now() }

// delivered sees every message right before its actor does.
func (a *attempts) delivered(c *checker, to string, m any) {
	switch m := m.(type) {
	case messages.CancelTask:
		a.cancelled[m.Task] = true
	case messages.SignalProcess:
		t := c.Plan.Tasks[m.Task]
		if to != "processes" || a.cancelled[m.Task] {
			return
		}
		if ran := c.s.Now().Sub(a.began[m.Task]); t.Timeout <= 0 || ran < t.Timeout {
			c.broken("EXEC-045: %s is signalled after %v, though nobody has cancelled it and its timeout is %v", t.ID, ran, t.Timeout)
		}
	}
}

// end checks what must hold when the run is over.
func (a *attempts) end(c *checker) {
	for i, o := range c.rep.Result.Outcomes {
		t := c.Plan.Tasks[i]
		if o.TimedOut > 0 && (o.Status != messages.Failed || o.Error != nil || o.Store != 0 || o.TimedOut != t.Timeout || o.Spawned != 1) {
			c.broken("EXEC-045: %s ran out of time: %+v", t.ID, o)
		}
	}
}
