package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
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
	tasks    []*haz.Task
	entries  []pattern.Pattern // of the list of projects
	anywhere bool              // any haz.yml is a definition: the workspace did not load, so nobody knows which
	outputs  []output
	ignored  map[string]bool // what haz itself writes where it was told to
	formats  bool            // some task writes what it reads
	wants    *wants
}

type output struct {
	task    *haz.Task
	pattern pattern.Pattern
}

// definitionsOf is the interest in a workspace of which nothing is known yet, or (anywhere) which did not load.
func definitionsOf(anywhere bool) *interest {
	i := &interest{anywhere: anywhere}
	i.collect()
	return i
}

// interestIn is the definitions of a workspace, the inputs and outputs of tasks, and nothing of the given paths.
func interestIn(entries []pattern.Pattern, tasks []*haz.Task, ignored ...string) *interest {
	i := &interest{tasks: tasks, entries: entries, ignored: map[string]bool{}}
	for _, t := range tasks {
		for _, o := range t.Outputs {
			i.outputs = append(i.outputs, output{t, o.Pattern})
			i.formats = i.formats || slices.ContainsFunc(t.Inputs, func(in workspace.PatternDecl) bool { return pattern.Overlap(in.Pattern, o.Pattern) })
		}
	}
	for _, p := range ignored {
		i.ignored[p] = true
	}
	i.collect()
	return i
}

// collect makes the list of all that can matter.
func (i *interest) collect() {
	var all []want
	definitions := []string{layout.WorkspaceFile, layout.TasksDir + "/*", "/" + layout.ProjectFile}
	if i.anywhere {
		definitions = append(definitions, "/**/"+layout.ProjectFile)
	}
	for _, e := range i.entries {
		definitions = append(definitions, e.String()+"/"+layout.ProjectFile)
	}
	for _, text := range definitions {
		if p, err := pattern.Parse(text); err == nil {
			all = append(all, want{pattern: p})
		}
	}
	for _, t := range i.tasks {
		exclude := slices.Clone(workspace.Patterns(t.Exclude))
		for _, o := range i.outputs {
			if o.task != t { // what others make is no reason to run
				exclude = append(exclude, o.pattern)
			}
		}
		for _, in := range t.Inputs {
			all = append(all, want{in.Pattern, exclude})
		}
	}
	i.wants = newWants(all)
}

// definition reports whether a file at the path defines projects, tasks or settings, or would.
func (i *interest) definition(p string) bool {
	switch dir, name := path.Split(p); {
	case p == layout.WorkspaceFile, dir == layout.TasksDir+"/", p == "/"+layout.ProjectFile:
		return true
	case name != layout.ProjectFile:
		return false
	default:
		dir = strings.TrimSuffix(dir, "/")
		return i.anywhere || slices.ContainsFunc(i.entries, func(e pattern.Pattern) bool { return e.Match(dir) })
	}
}

// matters reports whether a change of the file is a reason to run: a definition, or an input of a task. What a task of the
// selection writes is none, unless that task reads it as well: the sources of a formatter.
func (i *interest) matters(p string) bool {
	return i.definition(p) || !i.ignored[p] && slices.ContainsFunc(i.tasks, func(t *haz.Task) bool { return i.reads(t, p) })
}

// reads reports whether a task is concerned by a change of the file.
func (i *interest) reads(t *haz.Task, p string) bool {
	return isInput(t, p) && (i.writtenBy(t, p) || !slices.ContainsFunc(i.outputs, func(o output) bool { return o.pattern.Match(p) }))
}

// formatted reports whether a task reads and writes the file.
func (i *interest) formatted(p string) bool {
	return i.formats && slices.ContainsFunc(i.tasks, func(t *haz.Task) bool { return isInput(t, p) && i.writtenBy(t, p) })
}

func (i *interest) writtenBy(t *haz.Task, p string) bool {
	return slices.ContainsFunc(t.Outputs, func(o workspace.PatternDecl) bool { return o.Pattern.Match(p) })
}

func isInput(t *haz.Task, p string) bool {
	for _, x := range t.Exclude {
		if x.Pattern.Match(p) {
			return false
		}
	}
	for _, in := range t.Inputs {
		if in.Pattern.Match(p) {
			return true
		}
	}
	return false
}

// feed counts in how many runs on end, the last one included, a file changed while tasks ran. One that changes in each is
// written by a task that reads it, so that running again for it would never come to an end.
type feed struct {
	rounds map[string]int
	told   map[string]bool
}

// feedRounds is how many such runs are enough.
const feedRounds = 3

// hungry takes out of what changed during a run the files that are no reason for one more, and names those for the first
// time. A file that changes while nothing runs was changed by somebody else, and counts anew.
func (f *feed) hungry(changed []string, duringRun bool) (left, news []string) {
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
		case rounds[p] < feedRounds:
			left = append(left, p)
		case !f.told[p]:
			f.told[p] = true
			news = append(news, p)
		}
	}
	f.rounds = rounds
	return left, news
}

// changeNote says why a watch runs again, now or later.
func changeNote(changed []string, then string) string {
	text := diag.Escape(strings.TrimPrefix(changed[0], "/"))
	switch n := len(changed); n {
	case 1:
	case 2:
		text += " and 1 more file"
	default:
		text += fmt.Sprintf(" and %d more files", n-1)
	}
	return text + " changed, running again" + then
}
