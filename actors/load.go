package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// loadDesk answers the supervisor's questions for the load of one actor: at once, or when there is none any more.
type loadDesk struct {
	r    *running
	name string
	load func() int
	idle []messages.ReportLoad
}

func (d *loadDesk) ask(ctx actor.Context, m messages.ReportLoad) {
	if m.WhenIdle {
		d.idle = append(d.idle, m)
		d.changed(ctx)
		return
	}
	d.answer(ctx, m, d.load())
}

// changed is called whenever the load may have come to an end.
func (d *loadDesk) changed(ctx actor.Context) {
	if len(d.idle) == 0 || d.load() > 0 {
		return
	}
	for _, m := range d.idle {
		d.answer(ctx, m, 0)
	}
	d.idle = nil
}

func (d *loadDesk) answer(ctx actor.Context, m messages.ReportLoad, load int) {
	ctx.Send(d.r.supervisor, messages.LoadReported{Run: m.Run, Round: m.Round, Actor: d.name, Load: load})
}
