package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
)

// admission grants slots, tag caps, mutexes and the outputs condition. What it decides is schedule.Admission's.
type admission struct {
	r    *running
	gate *schedule.Admission
}

func newAdmission(r *running) *admission {
	return &admission{r: r, gate: schedule.NewAdmission(admissionConfig(r.o))}
}

func (a *admission) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case messages.TasksReady, messages.TaskResolved, messages.TaskHeldUp, messages.AskSlot, messages.AskOutputs,
		messages.ReturnSlot, messages.ReturnOutputs, messages.CloseAdmission:
		a.r.perform(ctx, a.gate.Step(m))
	}
}

// admissionConfig numbers the capped tags and the mutexes of a plan.
func admissionConfig(o Options) schedule.AdmissionConfig {
	c := schedule.AdmissionConfig{Run: o.Run, Cap: o.Cap, FailFast: o.FailFast, Tasks: make([]schedule.Needs, len(o.Plan.Tasks)),
		Earliest: schedule.EarliestBelow(o.Plan)}
	caps := o.Plan.G.W.Settings.TagCaps
	tags, locks := map[string]int{}, map[string]int{}
	number := func(m map[string]int, name string) (int, bool) {
		i, ok := m[name]
		if !ok {
			i = len(m)
			m[name] = i
		}
		return i, !ok
	}
	for i, t := range o.Plan.Tasks {
		n := schedule.Needs{Mutex: -1, Conflicts: o.Plan.Conflicts[i]}
		for _, g := range t.Project.Tags {
			if limit, capped := caps[g]; capped {
				k, fresh := number(tags, g)
				if fresh {
					c.TagCaps = append(c.TagCaps, limit)
				}
				n.Tags = append(n.Tags, k)
			}
		}
		slices.Sort(n.Tags)
		if t.Mutex != nil {
			name := "/" + t.Mutex.Name // MUTEX-001: workspace-wide, or of one project
			if t.Mutex.ProjectScope {
				name = t.Project.Name + "/" + t.Mutex.Name
			}
			n.Mutex, _ = number(locks, name)
			n.Shared = t.Mutex.Shared
		}
		c.Tasks[i] = n
	}
	return c
}
