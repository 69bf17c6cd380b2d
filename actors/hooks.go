package actors

import (
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Hooks let whoever starts a run into the engine, to look on or to break it. All may be nil. They are called by many goroutines at once,
// and for several runs at once where these have the same; what panics in one is the death of an actor, or of the start.
//
// The actors of a run are named "run", "supervisor", "admission", "cache", "processes", "observer", "tasks", and "task-N", where N is
// the position of the task in the plan. Messages are those of package messages and, named in the same way, unexported ones of this one.
type Hooks struct {
	// Props has the last word on the props of each actor: mailbox, dispatcher, middleware.
	Props func(actor string, p *actor.Props) *actor.Props
	// Go starts a goroutine for work that takes its time. It must not call f itself before it returns.
	Go func(f func())
	// Before is called in the turn of an actor, before it sees a message that is none of the library's own. It may take its time.
	Before func(actor string, m any)
	// Faults are injected in that place, after Before.
	Faults []Fault
	// Await returns once try was true, and is called instead of blocking a goroutine: by it a simulation gets to choose what happens
	// meanwhile. Run of package haz, too, waits for its end like that, and then hears only of signals for which their channel has room.
	Await func(try func() bool)
}

// A Fault happens to messages of a run that it is aimed at. What is left empty fits everything, so the zero one is aimed at every message.
type Fault struct {
	Actor   string // name of the actor, as for path.Match: "cache", "task-*"
	Message string // name of the type of the message, likewise: "StoreEntry", "*Crashed"
	Nth     int    // of the messages that fit, in each run, counted from 1; 0: each of them

	Delay time.Duration // the actor's turn takes so much longer, by the clock of the run
	Lose  bool          // the actor does not see it
	Twice bool          // it sees it twice
	Panic string        // it panics, with that text
}

func (f *Fault) fits(actor, message string) bool {
	fits := func(pattern, name string) bool {
		ok, err := path.Match(pattern, name)
		return pattern == "" || ok && err == nil
	}
	return fits(f.Actor, actor) && fits(f.Message, message)
}

// hooked is the hooks of one run.
type hooked struct {
	Hooks
	clock Clock
	met   []atomic.Int64 // of each fault, how many messages fitted
}

func newHooked(h Hooks, clock Clock) hooked {
	return hooked{Hooks: h, clock: clock, met: make([]atomic.Int64, len(h.Faults))}
}

// hold reports whether turns of actors may take their time, and wait for those of others.
func (h *hooked) hold() bool { return h.Before != nil || len(h.Faults) > 0 }

// strike is called before an actor sees a message, and says how many times it does.
func (h *hooked) strike(actor string, m any) (times int) {
	if h.Before != nil {
		h.Before(actor, m)
	}
	times = 1
	for i := range h.Faults {
		f := &h.Faults[i]
		if !f.fits(actor, messageName(m)) {
			continue
		}
		if n := h.met[i].Add(1); f.Nth != 0 && n != int64(f.Nth) {
			continue
		}
		h.pause(f.Delay)
		if f.Panic != "" {
			panic(f.Panic)
		}
		if f.Lose {
			times = 0
		} else if f.Twice {
			times *= 2
		}
	}
	return times
}

// pause lets time pass.
func (h *hooked) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	over := make(chan struct{})
	h.clock.AfterFunc(d, func() { close(over) })
	if h.Await != nil {
		h.Await(func() bool { return isClosed(over) })
		return
	}
	<-over
}

// messageName is the name of the type of a message, without its package.
func messageName(m any) string {
	name := fmt.Sprintf("%T", m)
	return name[strings.LastIndexByte(name, '.')+1:]
}
