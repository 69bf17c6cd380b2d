package actorstest

import (
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
)

// grants follows what admission has granted, and who has claimed which path, from the messages alone: I7 and I13.
type grants struct {
	open     map[int]uint32 // task → attempt of the grant that it has not given back
	returned map[int]uint32 // task → latest attempt whose grant came back
	claims   map[string]int // path → the task that claimed it first
	twice    []string       // paths that another one claimed as well
}

func newGrants() *grants {
	return &grants{open: map[int]uint32{}, returned: map[int]uint32{}, claims: map[string]int{}}
}

// delivered sees every message right before its actor does.
func (g *grants) delivered(c *checker, to string, m any) {
	switch m := m.(type) {
	case messages.SlotGranted:
		if m.Attempt <= g.returned[m.Task] {
			return // one that comes twice, or late
		}
		if old, ok := g.open[m.Task]; ok && old != m.Attempt {
			c.broken("I7: %s holds a grant, and gets another", c.Plan.Tasks[m.Task].ID)
		}
		g.open[m.Task] = m.Attempt
	case messages.AskSlot:
		g.back(m.Task, m.Attempt-1) // who asks holds nothing any more, even if its return is still on the way
	case messages.AskOutputs:
		g.back(m.Task, m.Attempt-1)
	case messages.ClaimOutputs:
		if to != "supervisor" {
			return
		}
		for _, path := range m.Wrote {
			if first, ok := g.claims[path]; !ok {
				g.claims[path] = m.Task
			} else if first != m.Task {
				g.twice = append(g.twice, path)
			}
		}
	}
}

// settled compares the claims with what a settled task has made, which was claimed before them all. It is called when the run is over.
func (g *grants) settled(outs []entry.Output) {
	for _, o := range outs {
		if _, taken := g.claims[o.Path]; taken && o.Kind != entry.Dir {
			g.twice = append(g.twice, o.Path)
		}
	}
}

// sent sees every message when it is sent: a run may end before the return of its last grant arrives.
func (g *grants) sent(m any) {
	switch m := m.(type) {
	case messages.ReturnSlot:
		g.back(m.Task, m.Attempt)
	case messages.TasksReady:
		for _, task := range m.Ended {
			g.back(task, ended)
		}
	}
}

// ended is after every attempt.
const ended = ^uint32(0)

func (g *grants) back(task int, attempt uint32) {
	g.returned[task] = max(g.returned[task], attempt)
	if g.open[task] <= attempt {
		delete(g.open, task)
	}
}

// end checks what must hold when the run is over. Who was killed, or has lost a message, may not have come to give back.
func (g *grants) end(c *checker) {
	if c.died || c.s.lost > 0 || c.signals > 0 {
		return
	}
	for task := range g.open {
		c.broken("I7: the grant of %s was not given back", c.Plan.Tasks[task].ID)
	}
	for _, path := range g.twice {
		told := false
		for _, v := range c.rep.Result.Violations {
			told = told || v.Kind == messages.OutputOverlap
		}
		if !told {
			c.broken("I13: %s was made twice, and nobody says so", path)
		}
	}
}
