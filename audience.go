package haz

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/haz-build/haz/messages"
)

// wishes are what a host wants of a run under way: the end of its context, and interrupts, which are also heard while Run itself
// waits for the observer; and commands.
type wishes struct {
	ctx      context.Context
	signals  <-chan Interrupt
	heard    []Interrupt // not acted upon yet
	commands <-chan Command
}

// audience calls the observer of a run, one event at a time. An observer that panics is not called again (it may have left a
// lock behind, and calling it would wait for ever), and its panic is a crash of the run, never one of the host.
type audience struct {
	observer func(messages.Event)
	wishes   *wishes
	clock    Clock
	inside   atomic.Bool // a call began and has not returned; for good after a panic
	stuck    bool        // the run went on without it
	crash    error       // what tell caught
}

// observerPatience is how long an observer may take for an event of the run after a wish to end it.
const observerPatience = 5 * time.Second

// pass is for calls from the observer's actor, where a panic ends the actor and with it the run.
func (w *audience) pass(e messages.Event) {
	if w.observer == nil || w.inside.Load() {
		return
	}
	w.inside.Store(true)
	w.observer(e)
	w.inside.Store(false)
}

// tell is for calls from Run itself, where no actor stands around the observer: it returns when the observer has, or some time
// after a wish to end the run, or at the third interrupt.
func (w *audience) tell(e messages.Event) {
	if w.stuck || w.observer == nil || w.inside.Load() {
		return
	}
	done := make(chan error, 1)
	go func() {
		err := errors.New("the observer of the run ended its goroutine") // runtime.Goexit, by t.FailNow for one
		defer func() { done <- err }()
		err = caught("the observer of the run", func() { w.pass(e) })
	}()
	late := make(chan struct{})
	stop, waits := func() bool { return true }, false
	hurry := func() {
		if !waits {
			waits = true
			stop = w.clock.AfterFunc(observerPatience, func() { close(late) })
		}
	}
	defer func() { stop() }()
	cancelled := w.wishes.ctx.Done()
	for !w.stuck {
		select {
		case err := <-done:
			if err != nil {
				w.crash = err
			}
			return
		case <-cancelled:
			cancelled = nil
			hurry()
		case s, open := <-w.wishes.signals:
			if !open {
				w.wishes.signals = nil
				break
			}
			w.wishes.heard = append(w.wishes.heard, s)
			hurry()
			w.stuck = len(w.wishes.heard) >= 3
		case <-late:
			w.stuck = true
		}
	}
}

// caught calls f and makes an error of a panic in it: code of the host must not end the host in our name.
func caught(what string, f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s panicked: %v\n%s", what, p, debug.Stack())
		}
	}()
	f()
	return nil
}
