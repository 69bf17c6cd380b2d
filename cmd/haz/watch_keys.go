package main

import (
	"os"
	"slices"
	"sync"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/cmd/haz/watch"
	"github.com/haz-build/haz/report"
)

// watchKeys is what keys do in a watch whose standard input is a terminal (AUX-049).
var watchKeys = map[byte]watch.Event{'r': watch.KeyRerun, 'a': watch.KeyAll, 'p': watch.KeyPause, 'q': watch.KeyQuit}

const keysHelp = "haz: keys: r run again, a carry everything out again, p pause and go on, q leave, h this; Ctrl+C leaves with 130\n"

// readKeys begins to read keys where there are any. over gives the terminal back.
func (s *watching) readKeys() (over func()) {
	if !streams.IsTerminal(os.Stdin) {
		return func() {}
	}
	keys, err := streams.ReadKeys(os.Stdin)
	if err != nil {
		return func() {} // no keys then
	}
	s.keys, s.release = keys.Pressed, sync.OnceFunc(keys.Close)
	return s.release
}

// printer is how the next run is shown: on the screen from the first one on that wants it (AUX-050).
func (s *watching) printer(w *haz.Workspace) presenter {
	if s.screen == nil && s.wantsScreen(w) {
		if s.release != nil {
			s.release()
		}
		s.screen = s.openScreen(true)
		s.keys = s.screen.keys
	}
	if s.screen != nil {
		return s.screen.printer(s.presentation(w), false)
	}
	return report.New(s.presentation(w))
}

func (s *watching) closeScreen() {
	if s.screen != nil {
		s.screen.close()
	}
}

// key does what a key says, and tells of it.
func (s *watching) key(key byte, tell func(text string)) watch.Action {
	if key >= 'A' && key <= 'Z' {
		key += 'a' - 'A'
	}
	e, known := watchKeys[key]
	switch {
	case key == 'h', key == '?':
		tell(keysHelp)
		fallthrough
	case !known:
		return watch.DoNothing
	}
	action := s.step(e)
	switch e {
	case watch.KeyRerun, watch.KeyAll:
		s.wished = true
	case watch.KeyPause:
		if s.screen != nil {
			s.screen.view.Paused(s.core.Paused())
		}
		if s.core.Paused() {
			tell("haz: paused: changes run nothing until p is pressed again\n")
		} else {
			tell("haz: going on\n")
		}
	}
	return action
}

// heedWish has a run that a key wants be one of all that was asked for, also of tasks without a cache that no change concerns.
func (s *watching) heedWish(changed bool) {
	if !s.wished {
		return
	}
	s.wished, s.changes = false, nil
	if !changed {
		s.say("haz: running again\n")
	}
}

// heedRerun has the next run be one of the tasks alone that another terminal wants to have run once more, unless there is another reason for a run: then they come
// after that.
func (s *watching) heedRerun(changed bool) {
	if len(s.again) == 0 || changed || s.wished {
		return
	}
	s.fresh, s.again = s.again, nil
	s.say("haz: running " + s.fresh[0].String() + " again\n")
}

// planFresh is a plan of these tasks. They get the arguments of the line if each of them is one that those are for.
func (s *watching) planFresh(w *haz.Workspace, targets []int) (*haz.Plan, error) {
	var again []int
	theirs := true
	for _, id := range s.fresh {
		if t := w.W.Task(id); t != nil && !slices.Contains(again, t.Index) {
			again = append(again, t.Index)
			theirs = theirs && slices.Contains(targets, t.Index)
		}
	}
	slices.Sort(again)
	plan, err := w.Plan(again)
	if err != nil || !theirs {
		return plan, err
	}
	return w.WithArguments(plan, s.line.passed)
}

// sayWaiting says that a run is over, and that its end is not that of the watch.
func (s *watching) sayWaiting() {
	switch {
	case s.stopped, s.core.Leaving():
	case s.core.Paused():
		s.say("haz: paused, waiting for p\n")
	case s.keys != nil:
		s.say("haz: waiting for changes (h: keys)\n")
	default:
		s.say("haz: waiting for changes\n")
	}
}
