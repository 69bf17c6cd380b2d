package actorstest

import (
	"math/rand"
	"time"

	"github.com/haz-build/haz/messages"
)

// maxCommands is how often something is asked of one run.
const maxCommands = 8

// commands asks things of a run, and follows what becomes of them (EXEC-083 to EXEC-085).
type commands struct {
	ask    func(request func(messages.Asked) any, answered func(messages.CommandAnswered))
	rng    *rand.Rand // of its own, so that a run in which nobody asks anything is what it was
	chance int

	n        int            // how often something was asked
	answers  map[int]int    // by the order in which it was
	slots    int            // as admission knows them
	latest   int            // number of the request that said so
	mosts    map[int]int    // slots at the time of a task's grant, or the most since
	granted  map[int]uint32 // attempt of that grant
	gone     map[int]uint32 // tasks that have said that they end by request: their attempt then
	asked    map[int]uint32 // attempt of the latest request to start a process
	restarts map[int]map[int]bool
	again    map[int]int       // processes that were to be followed by another one
	stopped  map[int]bool      // the latest one was
	never    map[int]bool      // which never was
	ended    map[int]time.Time // when the process of a task was first asked to end
}

func newCommands(slots int, o RunOptions) *commands {
	return &commands{rng: rand.New(rand.NewSource(o.Seed)), chance: o.Commands, answers: map[int]int{}, slots: slots, mosts: map[int]int{}, granted: map[int]uint32{},
		gone: map[int]uint32{}, asked: map[int]uint32{}, restarts: map[int]map[int]bool{}, again: map[int]int{}, stopped: map[int]bool{}, never: map[int]bool{}, ended: map[int]time.Time{}}
}

// most is how many processes there may be when one of a task starts: as many as there were slots at some time since it got its own.
func (a *commands) most(task int) int {
	if n, ok := a.mosts[task]; ok {
		return n
	}
	return a.slots
}

// sent sees every message when it is sent.
func (a *commands) sent(c *checker, m any) {
	switch m := m.(type) {
	case messages.SlotGranted:
		if m.Attempt > a.granted[m.Task] {
			a.granted[m.Task], a.mosts[m.Task] = m.Attempt, a.slots
		}
	case messages.StartProcess:
		a.asked[m.Task], a.never[m.Task] = max(a.asked[m.Task], m.Attempt), false
		if at, ok := a.gone[m.Task]; ok && m.Attempt > at {
			c.broken("EXEC-083: a process of %s is to start after it was cancelled", c.Plan.Tasks[m.Task].ID)
		}
		delete(a.ended, m.Task)
	case messages.SignalProcess:
		if _, again := a.ended[m.Task]; !again {
			a.ended[m.Task] = c.s.Now()
		}
	case messages.ProcessNotStarted:
		a.never[m.Task] = a.never[m.Task] || m.Attempt == a.asked[m.Task] && m.Cancelled
	case messages.ObserveEvent:
		if _, ok := m.Event.(messages.AttemptFailed); ok {
			a.stopped[m.Task] = false
		}
		if _, ok := m.Event.(messages.TaskRestarted); !ok || a.restarts[m.Task][m.N] {
			return
		}
		if a.restarts[m.Task] == nil {
			a.restarts[m.Task] = map[int]bool{}
		}
		a.restarts[m.Task][m.N] = true
		a.stopped[m.Task] = true
		if id := c.Plan.Tasks[m.Task].ID.String(); c.procs.alive[id] != nil {
			c.broken("EXEC-084: %s is to be started again while its process lives", id)
		}
		if !a.never[m.Task] {
			a.again[m.Task]++
			c.rep.Restarted++
		}
	}
}

// delivered sees every message right before its actor does.
func (a *commands) delivered(c *checker, to string, m any) {
	switch m := m.(type) {
	case messages.SetSlots:
		if to != "admission" || m.N <= a.latest {
			break
		}
		a.latest, a.slots = m.N, m.Slots
		for t := range a.mosts {
			a.mosts[t] = max(a.mosts[t], a.slots)
		}
	case messages.CommandTaken:
		if m.Verdict == messages.Taken && !a.isRestart(m.N) {
			if _, again := a.gone[m.Task]; !again {
				a.gone[m.Task] = a.asked[m.Task]
			}
		}
	}
	if a.ask == nil || a.n >= maxCommands || a.chance == 0 || a.rng.Intn(1000) >= a.chance || c.over {
		return
	}
	a.command(c)
}

// isRestart tells requests apart by their numbers, which are ours.
func (a *commands) isRestart(n int) bool { return n%3 == 1 }

// command asks something.
func (a *commands) command(c *checker) {
	a.n++
	n, task, slots := a.n, a.rng.Intn(len(c.Plan.Tasks)), 1+a.rng.Intn(5)
	if len(c.procs.alive) > 0 && a.rng.Intn(4) > 0 { // of somebody who executes
		for _, q := range c.procs.all {
			if !q.Ended() {
				task = c.index[q.label]
				if a.rng.Intn(2) == 0 {
					break
				}
			}
		}
	}
	a.ask(func(asked messages.Asked) any {
		switch asked.N % 3 {
		case 0:
			return messages.SetSlots{Asked: asked, Slots: slots}
		case 1:
			return messages.RestartOne{Asked: asked, Task: task}
		}
		return messages.CancelOne{Asked: asked, Task: task}
	}, func(m messages.CommandAnswered) {
		a.answers[n]++
		if c.rep.Asked == nil {
			c.rep.Asked = map[messages.Verdict]int{}
		}
		c.rep.Asked[m.Verdict]++
	})
}

// end checks what must hold when the run is over.
func (a *commands) end(c *checker) {
	for n := 1; n <= a.n; n++ {
		if a.answers[n] != 1 {
			c.broken("EXEC-083: request %d has %d answers", n, a.answers[n])
		}
	}
	for i, o := range c.rep.Result.Outcomes {
		if o.Cause == messages.Requested && o.Status == messages.Cancelled && a.n == 0 {
			c.broken("EXEC-083: %s was cancelled by request, and nobody asked for it", o.Task)
		}
		if o.Restarted > a.again[i] {
			c.broken("EXEC-084: %s was started again %d times, and it was told %d times", o.Task, o.Restarted, a.again[i])
		}
		if _, gone := a.gone[i]; gone && o.Status == messages.Completed && o.Source == messages.FromRun && o.Store == messages.Stored {
			c.broken("EXEC-083: %s was cancelled, and its result is stored", o.Task)
		}
	}
}
