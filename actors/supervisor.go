package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// supervisor keeps the ledger: it writes each outcome once, judges products against the runtime invariants, cascades
// failures, relays cancellation, and ends the run. What it decides is schedule.Ledger's.
type supervisor struct {
	r     *running
	round int    // of the last look
	turns uint64 // of all actors, then
}

// beginRun opens the run.
type beginRun struct{}

func (s *supervisor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case beginRun:
		s.r.perform(ctx, s.r.book.begin())
	case look:
		s.check(ctx, m)
	case messages.RecordOutcome, messages.ClaimOutputs, messages.SkipDeclined, messages.TaskCrashed, messages.ProcessAbandoned,
		messages.CancelRun, messages.IdleReported, messages.CancelOne, messages.RestartOne, messages.SetSlots, messages.CommandTaken,
		messages.ServiceKeyed, messages.ServiceUp:
		s.step(ctx, m)
	}
}

// check looks whether anything can still move. The end is said again in case the word of it was lost. Of the reminders that
// came during a long turn only the last counts: a round stands for the time between two.
func (s *supervisor) check(ctx actor.Context, m look) {
	if m.round <= s.round || m.round < int(s.r.pulse.rounds.Load()) {
		return
	}
	s.round = m.round
	if s.r.book.ended() {
		ctx.Send(s.r.root, messages.RunEnded{Run: s.r.o.Run})
		return
	}
	before := s.turns
	s.turns = s.r.pulse.turns.Load()
	busy := s.r.load() + int(s.r.pulse.inside.Load()+s.r.delays.Load()) // the turn of this look does not count
	s.step(ctx, messages.CheckStall{Run: s.r.o.Run, Round: s.round, Busy: busy, Serving: int(s.r.children.resting.Load()), Moved: s.turns != before})
}

func (s *supervisor) step(ctx actor.Context, m any) {
	cs := s.r.book.step(s.r.o.Clock.Now(), m)
	if s.r.book.stopsStarts() {
		s.r.stopStarts()
	}
	s.r.perform(ctx, cs)
}
