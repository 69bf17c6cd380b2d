package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/glob"
)

// What `haz watch` decides, without clock and disk. Notifications only say "look": whether anything changed that matters is
// told by comparing two looks at the tree. That makes renames, moved directories, lost notifications and the many ways in
// which editors save all the same case.

// watcher is when to look and when to run.
//
//	waiting ─ stirred ▶ settling ─ quiet ▶ looking ─ changed ▶ running ─ ended ▶ settling, if it stirred meanwhile, else waiting
//	                                       looking ─ nothing ▶ waiting
type watcher struct {
	phase   watchPhase
	stirred bool      // while running
	since   time.Time // settling: since when
}

type watchPhase uint8

const (
	watchRunning watchPhase = iota // a watch begins with a run
	watchWaiting
	watchSettling
	watchLooking
)

type watchEvent uint8

const (
	treeStirred watchEvent = iota // something happened somewhere in the tree
	quietPassed                   // the timer that armQuiet asked for went off
	foundChanged
	foundSame
	runEnded
)

type watchAction uint8

const (
	doNothing watchAction = iota
	armQuiet              // start the timer of watchQuiet, anew if it is running
	lookAtTree
	runAgain
)

const (
	watchQuiet = 100 * time.Millisecond
	// Something that never stops writing, of no interest to the tasks, must not hold a run back for ever.
	watchPatience = time.Second
)

// step is what to do after an event. Events that no diagram arrow starts from change nothing.
func (w watcher) step(e watchEvent, now time.Time) (watcher, watchAction) {
	switch {
	case w.phase == watchRunning && e == treeStirred:
		w.stirred = true
	case w.phase == watchRunning && e == runEnded && !w.stirred, w.phase == watchLooking && e == foundSame:
		return watcher{phase: watchWaiting}, doNothing
	case w.phase == watchRunning && e == runEnded, w.phase == watchWaiting && e == treeStirred:
		return watcher{phase: watchSettling, since: now}, armQuiet
	case w.phase == watchSettling && e == treeStirred && now.Sub(w.since) < watchPatience:
		return w, armQuiet
	case w.phase == watchSettling && e == quietPassed:
		return watcher{phase: watchLooking}, lookAtTree
	case w.phase == watchLooking && e == foundChanged:
		return watcher{phase: watchRunning}, runAgain
	}
	return w, doNothing
}

// stamp is what a look sees of a file. Equal stamps mean an unchanged file, as far as one can tell without reading it.
type stamp struct {
	size, modified int64
	inode          uint64
	mode           uint32
}

// differing is the paths with another stamp, or with one on one side only. Sorted.
func differing(before, after map[string]stamp) []string {
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

// interest is which files of the tree a watch cares for. Paths are workspace-absolute.
type interest struct {
	tasks   []*haz.Task
	outputs []glob.Pattern
	ignored map[string]bool // what haz itself writes where it was told to
}

// interestIn is the inputs and outputs of tasks, and nothing of the given paths.
func interestIn(tasks []*haz.Task, ignored ...string) *interest {
	i := &interest{tasks: tasks, ignored: map[string]bool{}}
	outputs := map[string]glob.Pattern{}
	for _, t := range tasks {
		for _, o := range t.Outputs {
			outputs[o.Pattern.String()] = o.Pattern
		}
	}
	for _, text := range slices.Sorted(maps.Keys(outputs)) {
		i.outputs = append(i.outputs, outputs[text])
	}
	for _, p := range ignored {
		i.ignored[p] = true
	}
	return i
}

// definition reports whether a file at the path defines projects, tasks or settings, or would.
func definition(path string) bool {
	return path == "/.haz/workspace.yml" || strings.HasPrefix(path, "/.haz/tasks/") || path == "/haz.yml" || strings.HasSuffix(path, "/haz.yml")
}

// matters reports whether a change of the file is a reason to run: a definition, or an input of a task that no task of the
// selection writes.
func (i *interest) matters(path string) bool {
	if definition(path) {
		return true
	}
	if i == nil || i.ignored[path] || slices.ContainsFunc(i.outputs, func(p glob.Pattern) bool { return p.Match(path) }) {
		return false
	}
	return slices.ContainsFunc(i.tasks, func(t *haz.Task) bool { return isInput(t, path) })
}

func isInput(t *haz.Task, path string) bool {
	for _, x := range t.Exclude {
		if x.Pattern.Match(path) {
			return false
		}
	}
	for _, in := range t.Inputs {
		if in.Pattern.Match(path) {
			return true
		}
	}
	return false
}

// prunes reports whether a directory need not be looked into: what haz keeps for itself, what git keeps, and what the tasks
// write.
func (i *interest) prunes(dir string) bool {
	if dir == "/.haz/cache" || dir == "/.haz/state" || dir == "/.git" || strings.HasSuffix(dir, "/.git") {
		return true
	}
	return i != nil && slices.ContainsFunc(i.outputs, func(p glob.Pattern) bool { return p.CoversAllBelow(dir) })
}

// changeNote says why a watch runs again.
func changeNote(changed []string) string {
	text := "haz: " + diag.Escape(strings.TrimPrefix(changed[0], "/"))
	switch n := len(changed); n {
	case 1:
	case 2:
		text += " and 1 more file"
	default:
		text += fmt.Sprintf(" and %d more files", n-1)
	}
	return text + " changed, running again\n"
}
