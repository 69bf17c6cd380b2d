package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// pulse tells a run that is busy for long from one that is lost, without asking any actor: one that is in the middle of
// something cannot answer, and silence is not idleness. It counts turns in which something may move, and actors that are inside
// of any; what workers and processes are at is counted by builder and children.
type pulse struct {
	turns  atomic.Uint64
	inside atomic.Int64
	rounds atomic.Int64 // looks that were asked for
}

// routine messages are those of the look itself, and of the library: they come whether anything moves or not.
func routine(m any) bool {
	switch m.(type) {
	case tick, look, workDone, messages.ReportIdle, messages.IdleReported, messages.CloseEvents,
		*actor.Started, *actor.Stopping, *actor.Stopped, *actor.Terminated:
		return true
	}
	return false
}

// enter begins a turn and reports whether leave must end it. The turn of a look itself does not count.
func (p *pulse) enter(m any) bool {
	switch m.(type) {
	case tick, look:
		return false
	}
	if !routine(m) {
		p.turns.Add(1)
	}
	p.inside.Add(1)
	return true
}

func (p *pulse) leave() { p.inside.Add(-1) }
