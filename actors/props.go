package actors

import (
	"io"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// What protoactor-go forces, all measured: a panic loses the message and the state, so Receive is wrapped and a panicking
// actor is stopped, never restarted; restarting a parent would stop its children; what stands behind a Stop is lost
// silently, so cancellation is a message and Stop comes when nothing is owed; futures and receive timeouts race, so there
// are none; a panic in Stopping or Stopped hangs the parent, so it is swallowed there.

// stopAlways is the last line behind the wrapped Receive.
var stopAlways = actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })

// props makes the props of one actor of the run. crashed is called once, from inside the dying actor; gone, which may be nil, when
// it and its children have ended, however.
func (r *running) props(name string, a actor.Actor, crashed func(ctx actor.Context, reason, stack string), gone func()) *actor.Props {
	s := &shell{name: name, inner: a, pulse: &r.pulse, hooks: &r.hooks, crashed: crashed, gone: gone}
	p := actor.PropsFromProducer(func() actor.Actor { return s }, actor.WithSupervisor(stopAlways), actor.WithDispatcher(r.pool))
	if name != "observer" && !r.hooks.hold() {
		p = p.Configure(actor.WithMailbox(r.lane.mailbox))
	}
	if r.o.Props != nil {
		p = r.o.Props(name, p)
	}
	return p
}

// shell turns a panic into a message and a stop.
type shell struct {
	name    string
	inner   actor.Actor
	pulse   *pulse
	hooks   *hooked
	crashed func(ctx actor.Context, reason, stack string)
	gone    func()
	dead    bool
}

func (s *shell) Receive(ctx actor.Context) {
	if !s.dead {
		s.receive(ctx)
	}
	if _, ok := ctx.Message().(*actor.Stopped); ok && s.gone != nil {
		s.gone()
	}
}

func (s *shell) receive(ctx actor.Context) {
	if s.pulse.enter(ctx.Message()) {
		defer s.pulse.leave()
	}
	p := caught(func() { s.take(ctx) })
	if p == nil {
		return
	}
	s.dead = true
	_ = caught(func() { s.crashed(ctx, p.reason, p.stack) }) // what it cannot do any more, others notice
	switch ctx.Message().(type) {
	case *actor.Stopping, *actor.Stopped:
	default:
		ctx.Stop(ctx.Self())
	}
}

func (s *shell) take(ctx actor.Context) {
	times := 1
	switch ctx.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped:
	default:
		times = s.hooks.strike(s.name, ctx.Message())
	}
	for range times {
		s.inner.Receive(ctx)
	}
}

// essential reports the death of an actor that the run cannot do without to its root. The library's own word of it overtakes
// ours, so the cause is laid down where the root finds it, too.
func (r *running) essential(name string) func(actor.Context, string, string) {
	return func(ctx actor.Context, reason, stack string) {
		m := messages.ActorCrashed{Run: r.o.Run, Actor: name, Reason: reason, Stack: stack}
		r.deaths.Store(ctx.Self().Id, m)
		ctx.Send(r.root, m)
	}
}

// NewSystem makes an actor system for one run: silent, and with dead letters throttled.
func NewSystem(logger *slog.Logger) *actor.ActorSystem {
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	}
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }),
		actor.WithDeadLetterThrottleCount(1),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
}
