package haz

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/haz-build/haz/messages"
)

// watcher calls the observer of a run, one event at a time. An observer that panics is not called again (it may have left a
// lock behind, and calling it would wait for ever), and its panic is a crash of the run, never one of the host.
type watcher struct {
	observer func(messages.Event)
	inside   atomic.Bool // a call began and has not returned; for good after a panic
	stuck    bool        // the run went on without it
	crash    error       // what tell caught
}

// pass is for calls from the observer's actor, where a panic ends the actor and with it the run.
func (w *watcher) pass(e messages.Event) {
	if w.observer == nil || w.inside.Load() {
		return
	}
	w.inside.Store(true)
	w.observer(e)
	w.inside.Store(false)
}

// tell is for calls from Run itself, where no actor stands around the observer.
func (w *watcher) tell(e messages.Event) {
	if w.stuck {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			w.crash = fmt.Errorf("the observer of the run panicked: %v\n%s", p, debug.Stack())
		}
	}()
	w.pass(e)
}
