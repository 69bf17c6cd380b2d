package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// loadDesk tells the supervisor when one actor has nothing under way any more.
type loadDesk struct {
	r    *running
	name string
	load func() int
	idle []messages.ReportIdle
}

func (d *loadDesk) ask(ctx actor.Context, m messages.ReportIdle) {
	d.idle = append(d.idle, m)
	d.changed(ctx)
}

// changed is called whenever the load may have come to an end.
func (d *loadDesk) changed(ctx actor.Context) {
	if len(d.idle) == 0 || d.load() > 0 {
		return
	}
	last := slices.MaxFunc(d.idle, func(a, b messages.ReportIdle) int { return a.Round - b.Round })
	d.idle = nil // asked again, because an answer may be lost: one is enough
	ctx.Send(d.r.supervisor, messages.IdleReported{Run: last.Run, Round: last.Round, Actor: d.name})
}
