package schedule

import (
	"github.com/haz-build/haz/messages"
)

// What somebody asks of a run while it is under way, as the ledger sees it: who has an outcome keeps it (I1), and each request has one answer, which
// the end of its task gives where nobody else has.

// commands are the requests of a run.
type commands struct {
	heard map[int]bool // by number
	open  []request    // passed on to a task that has not answered
}

type request struct {
	asked   messages.Asked
	task    int
	restart bool
}

// hear reports whether a request is a new one.
func (c *commands) hear(a messages.Asked) bool {
	if c.heard[a.N] {
		return false
	}
	if c.heard == nil {
		c.heard = map[int]bool{}
	}
	c.heard[a.N] = true
	return true
}

// close takes a request that has its answer.
func (c *commands) close(n int) bool {
	for i, r := range c.open {
		if r.asked.N == n {
			c.open = append(c.open[:i], c.open[i+1:]...)
			return true
		}
	}
	return false
}

func (l *Ledger) command(m any) []Command {
	switch m := m.(type) {
	case messages.CancelOne:
		return l.pass(request{asked: m.Asked, task: m.Task}, m)
	case messages.RestartOne:
		return l.pass(request{asked: m.Asked, task: m.Task, restart: true}, m)
	case messages.SetSlots:
		if l.commands.hear(m.Asked) {
			return []Command{{ToAdmission, m}, l.answer(m.Asked, messages.Taken, 0)}
		}
	case messages.CommandTaken:
		if l.commands.close(m.N) {
			return []Command{l.answer(m.Asked, m.Verdict, 0)}
		}
	}
	return nil
}

// pass hands a request on to its task, if it can mean anything to it.
func (l *Ledger) pass(r request, m any) []Command {
	switch {
	case !l.commands.hear(r.asked):
		return nil
	case l.has.has(r.task):
		return []Command{l.answer(r.asked, messages.HasEnded, l.outcomes[r.task].Status)}
	case r.restart && l.stops() && !l.goesOn(r.task):
		return []Command{l.answer(r.asked, messages.RunStops, 0)}
	}
	l.commands.open = append(l.commands.open, r)
	return []Command{{ToTask, m}}
}

// stops reports whether the run comes to its end before its time.
func (l *Ledger) stops() bool { return l.cancel || l.stopped || l.cycle || l.spare }

// endCommands answers what was asked of a task that has its outcome now: it may have done it without living to tell.
func (l *Ledger) endCommands(task int) (cs []Command) {
	for _, r := range append([]request(nil), l.commands.open...) {
		if r.task != task {
			continue
		}
		l.commands.close(r.asked.N)
		o := l.outcomes[task]
		if o.Cause == messages.Requested && !r.restart || o.Restarted > 0 && r.restart {
			cs = append(cs, l.answer(r.asked, messages.Taken, 0))
		} else {
			cs = append(cs, l.answer(r.asked, messages.HasEnded, o.Status))
		}
	}
	return cs
}

func (l *Ledger) answer(a messages.Asked, v messages.Verdict, s messages.Status) Command {
	return Command{ToRoot, messages.CommandAnswered{Asked: a, Verdict: v, Status: s}}
}
