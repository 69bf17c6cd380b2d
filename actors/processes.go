package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// processes starts, signals and waits for processes: at most one of a task at a time, one an attempt, none after the request to stop came.
//
// Starting and waiting run in a goroutine a process, which answers with exactly one message, and each signal in one of its own.
type processes struct {
	r       *running
	started ofEach[uint32] // attempt of the latest request to start, of each task
	load    loadDesk
	orphans map[int]messages.AbandonProcess // their actor is dead
}

// processGone comes back from the goroutine of a process.
type processGone struct {
	task   int
	answer any
}

// TaskIndex is the task whose process it was.
func (g processGone) TaskIndex() int { return g.task }

func newProcesses(r *running) *processes {
	return &processes{r: r, started: newOfEach[uint32](r), orphans: map[int]messages.AbandonProcess{},
		load: loadDesk{r: r, name: "processes", load: r.children.present, asked: &r.processesAsked}}
}

func (p *processes) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case messages.StartProcess:
		p.start(ctx, m)
	case messages.SignalProcess:
		if child := p.r.children.of(m.Ref); child != nil {
			child.signal(strength(m))
		}
	case messages.LeaveProcess:
		if child := p.r.children.of(m.Ref); child != nil {
			child.leave()
		}
	case messages.KillProcesses:
		p.r.children.killAll()
	case messages.AbandonProcess:
		p.abandon(ctx, m)
	case processGone:
		p.gone(ctx, m)
	case messages.ReportIdle:
		p.load.ask(ctx, m)
	case workDone:
		p.load.changed(ctx)
	}
}

func (p *processes) start(ctx actor.Context, m messages.StartProcess) {
	started := p.started.of(m.Task)
	if m.Attempt <= *started {
		return
	}
	*started = m.Attempt
	r, self := p.r, ctx.Self()
	r.children.of(m.Ref).start(m, func(answer any) { r.send(self, processGone{m.Task, answer}) })
}

func (p *processes) gone(ctx actor.Context, m processGone) {
	if o, ok := p.orphans[m.task]; ok {
		p.abandoned(ctx, o)
	} else {
		ctx.Send(p.r.toTask(m.answer), m.answer)
	}
	p.load.changed(ctx)
}

// abandon kills what a dead task actor has started, and answers when it is gone; nothing is started for it any more.
func (p *processes) abandon(ctx actor.Context, m messages.AbandonProcess) {
	if _, again := p.orphans[m.Task]; again {
		return
	}
	p.orphans[m.Task] = m
	alive := p.r.children.alive(m.Task)
	*p.started.of(m.Task) = abandonedAttempt
	if !alive {
		p.abandoned(ctx, m)
		return
	}
	p.r.children.latest(m.Task).signal(kill)
}

// abandonedAttempt is after any.
const abandonedAttempt = ^uint32(0)

// abandoned says that nothing of a dead task runs any more.
func (p *processes) abandoned(ctx actor.Context, m messages.AbandonProcess) {
	ctx.Send(p.r.supervisor, messages.ProcessAbandoned{Run: m.Run, Task: m.Task, Ran: p.r.children.ran(m.Task), Reason: m.Reason, Stack: m.Stack})
}
