package actors

import (
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
	return &admission{r: r, gate: schedule.NewAdmission(r.o.Plan, r.rules(), r.settled)}
}

func (a *admission) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case messages.TasksReady, messages.TaskHeldUp, messages.AskSlot, messages.AskOutputs,
		messages.ReturnSlot, messages.CloseAdmission, messages.SetSlots:
		a.r.perform(ctx, a.gate.Step(m))
	}
}
