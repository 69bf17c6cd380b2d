package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/watch"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/load"
)

// watchCommand is `haz watch`: the options of `run`, without those that ask git once or run nothing.
func watchCommand() *command {
	c := runCommand()
	refused := []string{"git-changed", "git-staged", "git-changed-since", "dry-run", "format"}
	without := func(names []string) []string {
		return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(refused, n) })
	}
	c.Flags = slices.DeleteFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(refused, f.(*option).Name) })
	c.Flags = append(c.Flags, toggle("no-interrupt", "let each run come to its end before the next one, also where a change has made what it does worthless"))
	for i := range c.exclusive {
		c.exclusive[i] = without(c.exclusive[i])
	}
	c.noRefs = without(c.noRefs)
	c.needs = [][2]string{{"base", "affected"}}
	c.Name, c.Usage, c.do = "watch", "run tasks, and again whenever their inputs change", doWatch
	c.Description = paragraphs(
		"Runs like `haz run`, then waits for changes to inputs of the selected tasks and of what they depend on, or to configuration files, and runs again, until Ctrl+C.",
		"A run starts when nothing has changed for 100 ms. A change during a run is told at once. A task that is being carried out and has read what changed, or depends on what has, is stopped, gently as by Ctrl+C, with all of its run, and the next run starts; so is a run of which nothing is left but tasks without a cache, which may be servers. Other changes during a run start one more after it, with --no-interrupt all do. What the tasks declare as outputs does not count, unless the same task reads it: a formatter runs for your edits, not for its own. A file that changes in three runs on end, each time within 3 s of the beginning of a task or in a run that comes to its end, is named and left alone. Tasks without a cache that no change concerns are not carried out again. A mistake in a configuration file is shown, and the watch waits for the next change. What a process writes to a file that it has mapped is no event: the next run sees it.",
		"In a terminal keys are heeded: r runs again, a carries everything out again, p pauses and goes on, q leaves with exit code 0, h names them.",
	)
	c.UsageText = lines("haz watch", "haz watch app:test", "haz watch --all -q")
	return c
}

// doWatch is `haz watch`.
func doWatch(v *invocation) (err error) {
	wanted, err := v.wanted()
	if err != nil {
		return err
	}
	if err := v.judgeExclude(wanted); err != nil {
		return err
	}
	root, err := v.workspaceRoot()
	if err != nil {
		return err
	}
	tree := watch.Open(root)
	defer tree.Close()
	signals := watchSignals(nil, 0, nil)
	defer signals.close()
	suspending.arm()
	v.live = v.newLive("watch")
	v.live.reruns = make(chan haz.TaskID, 8)
	defer func() { v.live.close(codeOf(err)) }()
	v.services = &haz.Services{}
	defer v.services.Close()
	s := &watching{invocation: v, wanted: wanted, root: root, tree: tree, interrupts: signals.interrupts, interest: watch.Definitions(false)}
	s.core.Patient = v.has("no-interrupt")
	defer s.readKeys()()
	defer s.closeScreen()
	return s.loop()
}

func (v *invocation) workspaceRoot() (string, error) {
	if v.dirErr != nil {
		return "", v.dirErr
	}
	host, err := fsys.Host("/")
	if err != nil {
		return "", err
	}
	defer host.Close()
	root, _, err := load.Find(host, v.dir)
	return root, err
}

// watching is a watch under way.
type watching struct {
	*invocation
	wanted     haz.Selection
	root       string
	tree       *watch.Tree
	interrupts <-chan haz.Interrupt
	core       watch.Watcher
	keys       <-chan byte  // that are pressed; nil: nobody can
	wished     bool         // a key wants the next run
	screen     *screen      // nil: there is none
	release    func()       // what reads keys without a screen; nil: nothing does
	again      []haz.TaskID // that another terminal wants to have run once more (EXEC-089)

	interest  *watch.Interest        // of the last workspace that loaded
	leftOut   *haz.LeftOut           // what $project leaves out; nil: nothing
	baseline  map[string]watch.Stamp // the tree as the last run began
	parts     watch.Parts            // what counts of sources, as the last run began
	changes   []string               // why there is a run; nil: the first one
	redefined bool                   // some of these say what the workspace is
	feed      watch.Feed
	stopped   bool         // the last run was stopped for a change
	resolved  bool         // the selection was once found
	loaded    bool         // the workspace loaded once
	failed    []haz.TaskID // --failed: those of the run before the watch
	toldLimit bool
	toldGone  bool
}

// loop performs what the core decides. It ends with a signal, or when the first run cannot be selected.
func (s *watching) loop() error {
	quiet := newQuiet()
	defer quiet.Stop()
	action, ranJustNow := watch.RunAgain, false
	for {
		event := watch.TreeStirred
		switch action {
		case watch.Leave:
			return nil
		case watch.RunAgain, watch.RunAll:
			s.anew = action == watch.RunAll
			switch err := s.runOnce(); {
			case s.core.Leaving():
				return nil
			case err != nil:
				return err
			}
			event, ranJustNow = watch.RunEnded, true
			// What stirred during the run is known before its end is.
			select {
			case <-s.tree.Stirs:
				s.step(watch.TreeStirred)
			default:
			}
		case watch.LookAtTree:
			event = watch.FoundSame
			if s.changed(ranJustNow) {
				event = watch.FoundChanged
			}
			ranJustNow = false
			s.heedRerun(event == watch.FoundChanged)
			s.heedWish(event == watch.FoundChanged)
		default:
			if action == watch.ArmQuiet {
				quiet.Reset(watch.Quiet)
			} else {
				ranJustNow = false
			}
			select {
			case i := <-s.interrupts:
				return exit(128 + i.Number)
			case <-s.tree.Stirs:
			case <-quiet.C:
				event = watch.QuietPassed
			case key := <-s.keys:
				action = s.key(key, s.tell)
				continue
			case id := <-s.live.reruns:
				s.again, event = append(s.again, id), watch.KeyRerun
			}
		}
		action = s.step(event)
		if event == watch.RunEnded && len(s.again) > 0 {
			if a := s.step(watch.KeyRerun); a != watch.DoNothing { // else a look is due already
				action = a
			}
		}
	}
}

// step tells the core what happened.
func (s *watching) step(e watch.Event) (a watch.Action) {
	s.core, a = s.core.Step(e, time.Now())
	return a
}

// newQuiet is a timer that goes off when it was set.
func newQuiet() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// changed looks at the tree, and says what is worth a run. Right after a run, what changed did so while tasks ran.
func (s *watching) changed(duringRun bool) bool {
	if !s.tree.Present() {
		if !s.toldGone {
			s.toldGone = true
			s.say("haz: the workspace is gone, waiting for it to come back\n")
		}
		return false
	}
	s.toldGone = false
	differing, now := s.differing()
	changed, news := s.feed.Hungry(differing, duringRun, s.stopped)
	s.redefined = slices.ContainsFunc(changed, func(p string) bool { return s.redefines(p, now) })
	s.adopt(now, func(p string) bool { return !slices.Contains(changed, p) })
	if len(news) > 0 {
		s.warn(diag.List{{Severity: diag.Warning, Command: "watch", Message: fedOn(news[0]), Hint: fedHint}})
	}
	if len(changed) > 0 {
		s.changes = changed
		s.say("haz: " + changeNote(changed, "running again") + "\n")
	}
	return len(changed) > 0
}

// differing is the files that matter and are not as they were when the last run began, and how all are now.
func (s *watching) differing() (paths []string, now map[string]watch.Stamp) {
	now = s.tree.Look(s.interest)
	var listed []string
	for _, p := range watch.Differing(s.baseline, now) {
		switch {
		case s.redefines(p, now):
			paths = append(paths, p)
		case !s.interest.Matters(p):
		case s.leftOut != nil && s.interest.ListedAlone(p):
			listed = append(listed, p)
		default:
			paths = append(paths, p)
		}
	}
	if len(listed) > 0 {
		paths = append(paths, s.leftOut.Files(s.ctx, listed)...)
		slices.Sort(paths)
	}
	return paths, now
}

// redefines reports whether a file that differs says that the workspace is another one.
func (s *watching) redefines(p string, now map[string]watch.Stamp) bool {
	return s.interest.Definition(p) || s.parts.Changed(s.tree, s.interest, p, s.baseline, now)
}

// adopt takes files as they are now for what they were, so that they are no change any more.
func (s *watching) adopt(now map[string]watch.Stamp, which func(path string) bool) {
	for _, p := range watch.Differing(s.baseline, now) {
		if stamp, there := now[p]; !which(p) {
			continue
		} else if there {
			s.baseline[p] = stamp
		} else {
			delete(s.baseline, p)
		}
	}
}

// say tells what the watch does, unless only failures are wanted.
func (s *watching) say(text string) {
	if !s.has("quiet") {
		s.tell(s.errs.Palette.Dim(strings.TrimSuffix(text, "\n")) + "\n")
	}
}

// runOnce loads, selects and runs. A mistake in the files is shown and is no error; what ends the watch is.
func (s *watching) runOnce() error {
	s.tree.Present()
	s.stopped = false
	if s.fresh == nil { // else it is no run for what has changed
		// Looked at before anything is read: what changes from here on is seen as a change.
		old := s.baseline
		s.baseline = s.tree.Look(s.interest)
		s.parts.Take(s.tree, s.interest, watch.Differing(old, s.baseline))
	}
	s.warnLimit()
	err := s.loadAndRun()
	s.fresh = nil
	var code exit
	switch {
	case err == nil, errors.As(err, &code) && code < 128:
	case errors.As(err, &code):
		return err
	case !s.resolved && s.loaded:
		return err // a target that never existed is a mistake of the command line
	default:
		s.care(watch.Definitions(true, load.ManifestNames...))
		s.tell(diagnose(err, pathName(s.line.path)).Render(s.errs.Palette.Style()))
	}
	select {
	case i := <-s.interrupts: // one that came too late to cancel the run
		return exit(128 + i.Number)
	default:
	}
	s.sayWaiting()
	return nil
}

// care changes what the watch cares for. What it did not care for when it last looked counts as it is now.
func (s *watching) care(i *watch.Interest) {
	old := s.interest
	s.interest = i
	seen := s.tree.Look(i)
	for p, now := range seen {
		if _, known := s.baseline[p]; !known && !old.Matters(p) && !old.Source(p) {
			s.baseline[p] = now
		}
	}
	s.parts.Adopt(s.tree, old, i, seen)
}

func (s *watching) loadAndRun() error {
	w, err := s.open()
	if err != nil {
		return err
	}
	defer w.Close()
	s.loaded = true
	selected, err := s.selection(w)
	if err != nil {
		return err
	}
	plan, err := w.WithArguments(selected.Plan, s.line.passed)
	if err != nil {
		return err
	}
	s.resolved = true
	s.services.Retain(func(id haz.TaskID) bool {
		t := w.W.Task(id)
		return t != nil && t.Service != nil
	})
	s.warn(selected.Warnings)
	tasks := selected.Plan.Tasks
	if s.has("affected") {
		tasks = w.W.Tasks // which of them are affected changes with the files
	}
	interest := watch.InterestIn(w.W.Entries, tasks, s.summaryPath())
	if w.W.Inferred != nil {
		interest.Inferring(w.W.Inferred.Looked, w.W.Inferred.Sources...)
	}
	if s.leftOut, _ = w.LeftOut(s.ctx); s.leftOut != nil { // a git that does not answer is told by the run
		interest.Without(s.leftOut.Folder)
	}
	s.care(interest)
	if len(selected.Targets) == 0 {
		s.tell("haz: nothing to run (" + selected.Empty + ")\n")
	}
	if due := s.due(w, selected); len(due) < len(selected.Targets) {
		passing := plan.Passing
		if plan, err = w.Plan(due); err == nil {
			plan.Passing = passing
			plan, err = w.WithArguments(plan, s.line.passed)
		}
		if err != nil {
			return err
		}
	}
	s.live.offer(selected.Plan.Tasks)
	if s.fresh != nil {
		if plan, err = s.planFresh(w, selected.Targets); err != nil {
			return err
		}
	}
	err = s.carryOut(w, plan)
	if s.interest.Format() { // what is left of the run's own doing
		now := s.tree.Look(s.interest)
		s.adopt(now, func(p string) bool { return s.interest.Formatted(p) && !s.redefines(p, now) })
	}
	return err
}

// due is the targets but for tasks without a cache, services aside, that succeeded in the last run and that no change since concerns: for
// all others a run finds out by itself that there is nothing to do.
func (s *watching) due(w *haz.Workspace, selected *haz.Selected) []int {
	if s.changes == nil || s.redefined {
		return selected.Targets
	}
	unfinished, known, err := lastFailures(w)
	if err != nil || !known {
		return selected.Targets
	}
	concerned := selected.Plan.Concerned(s.changes)
	return slices.DeleteFunc(slices.Clone(selected.Targets), func(i int) bool {
		t := w.W.Tasks[i]
		return !t.Cache && t.Service == nil && !slices.Contains(concerned, i) && !slices.Contains(unfinished, t.ID)
	})
}

// selection finds the targets. --failed means the run before the watch, as the runs of the watch are runs, too.
func (s *watching) selection(w *haz.Workspace) (*haz.Selected, error) {
	if !s.has("failed") {
		return s.selectTargets(w, s.wanted)
	}
	if s.failed == nil {
		ids, known, err := lastFailures(w)
		if err != nil {
			return nil, err
		}
		if !known {
			return s.selectFailed(w, s.wanted, nil, false)
		}
		s.failed = append([]haz.TaskID{}, ids...)
	}
	return s.selectFailed(w, s.wanted, s.failed, true)
}

// summaryPath is the workspace path of --summary; "" when there is none, or outside.
func (s *watching) summaryPath() string {
	file := s.value("summary")
	if file == "" {
		return ""
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.dir, file)
	}
	if dir, err := fsys.Machine().RealPath(filepath.Dir(file)); err == nil {
		file = filepath.Join(dir, filepath.Base(file))
	}
	rel, err := filepath.Rel(s.root, file)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return ""
	}
	return "/" + rel
}

// warnLimit says once that the tree is too large to be watched.
func (s *watching) warnLimit() {
	err := s.tree.Limit()
	if err == nil || s.toldLimit {
		return
	}
	s.toldLimit = true
	s.warn(diag.List{{Severity: diag.Warning, Command: "watch",
		Message: "the system watches no more directories, so haz looks every " + watch.PollEvery.String() + ": " + err.Error(),
		Hint:    "on Linux: sysctl fs.inotify.max_user_watches fs.inotify.max_user_instances"}})
}

// fedOn is what is said of a file that a task writes and reads.
func fedOn(file string) string {
	return fmt.Sprintf("%s changed in each of the last %d runs, so the watch does not run again for it", diag.Escape(strings.TrimPrefix(file, "/")), watch.FeedRounds)
}

const fedHint = "a task writes what it reads: declare the file in its `outputs`, or take it out of its `inputs` with `exclude`"

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
	return text + " changed, " + then
}
