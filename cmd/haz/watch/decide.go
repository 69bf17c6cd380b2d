// Package watch finds out when `haz watch` has to run again: what it decides (decide.go, underway.go, feed.go), without clock and disk; which
// files matter (interest.go); looks at the tree (look.go) and notifications about it (tree.go).
//
// Notifications only say "look": whether anything changed that matters is
// told by comparing two looks at the tree. That makes renames, moved directories, lost notifications and the many ways in
// which editors save all the same case.
package watch

import (
	"slices"
	"time"
)

// Watcher is when to look, when to run, and when to stop a run.
//
//	waiting ─ stirred ▶ settling ─ quiet ▶ looking ─ changed ▶ running ─ ended ▶ settling, if it stirred meanwhile, else waiting
//	                                       looking ─ nothing ▶ waiting
//	running ─ something under way is stale, or a key ▶ stopping ─ ended ▶ looking ─ anything ▶ running
//	running, stopping ─ the key to leave ▶ leaving ─ ended ▶ over
//
// A look while tasks run stays in running. While it is paused, what stirs is kept in mind and leads to nothing.
type Watcher struct {
	Patient bool // a run is never stopped (--no-interrupt)

	phase   phase
	stirred bool      // while running, or paused
	since   time.Time // settling, or running and a look is due: since when
	paused  bool
	owed    bool // a run follows the next look, whatever that finds
	all     bool // in which everything is carried out
}

type phase uint8

const (
	running phase = iota // a watch begins with a run
	waiting
	settling
	looking
	stopping
	leaving
)

// Event is something that the watch was told or has found.
type Event uint8

const (
	TreeStirred Event = iota // something happened somewhere in the tree
	QuietPassed              // the timer that ArmQuiet asked for went off
	FoundChanged
	FoundSame
	FoundStale // while tasks run: one of them works on what is no longer so
	RunEnded
	KeyRerun // run again, though nothing has changed
	KeyAll   // the same, and carry everything out
	KeyPause // and go on
	KeyQuit
)

// Action is what is to be done next.
type Action uint8

const (
	DoNothing  Action = iota
	ArmQuiet          // start the timer of Quiet, anew if it is running
	LookAtTree        // also while tasks run
	RunAgain
	RunAll   // RunAgain, and carry everything out
	StopRun  // as gently as an interrupt would
	LeaveRun // interrupt the run, as a signal would
	Leave    // the watch is over
)

const (
	// Quiet is how long nothing must have stirred before a look.
	Quiet = 100 * time.Millisecond
	// Something that never stops writing, of no interest to the tasks, must not hold a run back for ever.
	patience = time.Second
)

// Paused reports whether changes lead to nothing for now.
func (w Watcher) Paused() bool { return w.paused }

// Leaving reports whether the run under way is the last one.
func (w Watcher) Leaving() bool { return w.phase == leaving }

// Step is what to do after an event. Events that no diagram arrow starts from change nothing.
func (w Watcher) Step(e Event, now time.Time) (Watcher, Action) {
	switch e {
	case TreeStirred:
		return w.stir(now)
	case KeyRerun, KeyAll:
		w.all = w.all || e == KeyAll
		return w.wish()
	case KeyPause:
		return w.pause(now)
	case KeyQuit:
		if w.phase == running || w.phase == stopping || w.phase == leaving {
			w.phase = leaving
			return w, LeaveRun
		}
		return w, Leave
	case RunEnded:
		return w.end(now)
	}
	switch {
	case w.phase == running && e == QuietPassed && !w.paused:
		w.since = time.Time{}
		return w, LookAtTree
	case w.phase == running && e == FoundStale && !w.paused && !w.Patient:
		w.phase, w.owed = stopping, true
		return w, StopRun
	case w.phase == settling && e == QuietPassed:
		w.phase = looking
		return w, LookAtTree
	case w.phase == looking && (e == FoundChanged || e == FoundSame && w.owed):
		return w.run()
	case w.phase == looking && e == FoundSame:
		w.phase = waiting
	}
	return w, DoNothing
}

func (w Watcher) stir(now time.Time) (Watcher, Action) {
	switch {
	case w.paused, w.phase == stopping:
		w.stirred = true
	case w.phase == running:
		w.stirred = true
		if w.since.IsZero() {
			w.since = now
		}
		if now.Sub(w.since) < patience {
			return w, ArmQuiet
		}
	case w.phase == waiting:
		w.phase, w.since = settling, now
		return w, ArmQuiet
	case w.phase == settling && now.Sub(w.since) < patience:
		return w, ArmQuiet
	}
	return w, DoNothing
}

func (w Watcher) end(now time.Time) (Watcher, Action) {
	stirred := w.stirred
	switch {
	case w.phase == leaving:
		return w, Leave
	case w.phase == stopping, w.phase == running && w.owed:
		w.phase, w.stirred = looking, false
		return w, LookAtTree
	case w.phase != running:
		return w, DoNothing
	case stirred && !w.paused:
		w.phase, w.stirred, w.since = settling, false, now
		return w, ArmQuiet
	}
	w.phase = waiting
	return w, DoNothing
}

func (w Watcher) run() (Watcher, Action) {
	action := RunAgain
	if w.all {
		action = RunAll
	}
	return Watcher{Patient: w.Patient, paused: w.paused, phase: running}, action
}

// wish is a key that wants a run.
func (w Watcher) wish() (Watcher, Action) {
	if w.phase == leaving {
		return w, DoNothing
	}
	w.owed = true
	switch {
	case w.phase == running && !w.Patient:
		w.phase = stopping
		return w, StopRun
	case w.phase == waiting, w.phase == settling:
		w.phase, w.stirred = looking, false
		return w, LookAtTree
	}
	return w, DoNothing
}

func (w Watcher) pause(now time.Time) (Watcher, Action) {
	w.paused = !w.paused
	switch {
	case w.paused && w.phase == settling:
		w.phase, w.stirred = waiting, true
	case !w.paused && w.stirred && w.phase == waiting:
		w.phase, w.stirred, w.since = settling, false, now
		return w, ArmQuiet
	case !w.paused && w.stirred && w.phase == running:
		w.since = now
		return w, ArmQuiet
	}
	return w, DoNothing
}

// Stamp is what a look sees of a file. Equal stamps mean an unchanged file, as far as one can tell without reading it.
type Stamp struct {
	size, modified int64
	inode          uint64
	mode           uint32
}

// Differing is the paths with another stamp, or with one on one side only. Sorted.
func Differing(before, after map[string]Stamp) []string {
	var out []string
	for p, s := range after {
		if old, ok := before[p]; !ok || old != s {
			out = append(out, p)
		}
	}
	for p := range before {
		if _, ok := after[p]; !ok {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}
