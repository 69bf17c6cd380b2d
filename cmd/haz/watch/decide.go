// Package watch finds out when `haz watch` has to run again: what it decides (decide.go), without clock and disk; which files
// matter (interest.go); looks at the tree (look.go) and notifications about it (tree.go).
//
// Notifications only say "look": whether anything changed that matters is
// told by comparing two looks at the tree. That makes renames, moved directories, lost notifications and the many ways in
// which editors save all the same case.
package watch

import (
	"slices"
	"time"
)

// Watcher is when to look and when to run.
//
//	waiting ─ stirred ▶ settling ─ quiet ▶ looking ─ changed ▶ running ─ ended ▶ settling, if it stirred meanwhile, else waiting
//	                                       looking ─ nothing ▶ waiting
type Watcher struct {
	phase   phase
	stirred bool      // while running
	since   time.Time // settling: since when
}

type phase uint8

const (
	running phase = iota // a watch begins with a run
	waiting
	settling
	looking
)

// Event is something that the watch was told or has found.
type Event uint8

const (
	TreeStirred Event = iota // something happened somewhere in the tree
	QuietPassed              // the timer that ArmQuiet asked for went off
	FoundChanged
	FoundSame
	RunEnded
)

// Action is what is to be done next.
type Action uint8

const (
	DoNothing Action = iota
	ArmQuiet         // start the timer of Quiet, anew if it is running
	LookAtTree
	RunAgain
)

const (
	// Quiet is how long nothing must have stirred before a look.
	Quiet = 100 * time.Millisecond
	// Something that never stops writing, of no interest to the tasks, must not hold a run back for ever.
	patience = time.Second
)

// Step is what to do after an event. Events that no diagram arrow starts from change nothing.
func (w Watcher) Step(e Event, now time.Time) (Watcher, Action) {
	switch {
	case w.phase == running && e == TreeStirred:
		w.stirred = true
	case w.phase == running && e == RunEnded && !w.stirred, w.phase == looking && e == FoundSame:
		return Watcher{phase: waiting}, DoNothing
	case w.phase == running && e == RunEnded, w.phase == waiting && e == TreeStirred:
		return Watcher{phase: settling, since: now}, ArmQuiet
	case w.phase == settling && e == TreeStirred && now.Sub(w.since) < patience:
		return w, ArmQuiet
	case w.phase == settling && e == QuietPassed:
		return Watcher{phase: looking}, LookAtTree
	case w.phase == looking && e == FoundChanged:
		return Watcher{phase: running}, RunAgain
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

// Feed counts in how many runs on end, the last one included, a file changed while tasks ran. One that changes in each is
// written by a task that reads it, so that running again for it would never come to an end.
type Feed struct {
	rounds map[string]int
	told   map[string]bool
}

// FeedRounds is how many such runs are enough.
const FeedRounds = 3

// Hungry takes out of what changed during a run the files that are no reason for one more, and names those for the first
// time. A file that changes while nothing runs was changed by somebody else, and counts anew.
func (f *Feed) Hungry(changed []string, duringRun bool) (left, news []string) {
	if f.rounds == nil {
		f.rounds, f.told = map[string]int{}, map[string]bool{}
	}
	if !duringRun {
		for _, p := range changed {
			delete(f.rounds, p)
			delete(f.told, p)
		}
		return changed, nil
	}
	rounds := map[string]int{}
	for _, p := range changed {
		rounds[p] = f.rounds[p] + 1
		switch {
		case rounds[p] < FeedRounds:
			left = append(left, p)
		case !f.told[p]:
			f.told[p] = true
			news = append(news, p)
		}
	}
	f.rounds = rounds
	return left, news
}
