package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
)

// watchCommand is `haz watch`: the options of `run`, without those that ask git once or run nothing.
func watchCommand() *command {
	c := runCommand()
	refused := []string{"git-changed", "git-staged", "git-changed-since", "dry-run", "format"}
	without := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(refused, n) })
	}
	c.opts = slices.DeleteFunc(c.opts, func(o option) bool { return slices.Contains(refused, o.long) })
	for i := range c.exclusive {
		c.exclusive[i] = without(c.exclusive[i])
	}
	c.noRefs = without(c.noRefs)
	c.needs = [][2]string{{"base", "affected"}}
	c.name, c.brief, c.do = "watch", "run tasks, and again whenever their inputs change", doWatch
	c.about = []string{
		"Runs like `haz run`, then waits for changes to inputs of the selected tasks and of what they depend on, or to configuration files, and runs again, until Ctrl+C.",
		"A run starts when nothing has changed for 100 ms. Changes during a run start one more after it. What the tasks declare as outputs does not count. A mistake in a configuration file is shown, and the watch waits for the next change.",
	}
	c.examples = []string{"haz watch", "haz watch app:test", "haz watch --all -q"}
	return c
}

// doWatch is `haz watch`.
func doWatch(v *invocation) error {
	refs, err := parseReferences(v, "target resolution failed")
	if err != nil {
		return err
	}
	root, err := v.workspaceRoot()
	if err != nil {
		return err
	}
	tree, err := watchTree(root)
	if err != nil {
		return err
	}
	defer tree.close()
	interrupts, stop := watchSignals()
	defer stop()
	return (&watching{invocation: v, refs: refs, root: root, tree: tree, interrupts: interrupts}).loop()
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
	root, _, err := workspace.Find(host, v.dir)
	return root, err
}

// watching is a watch under way.
type watching struct {
	*invocation
	refs       []haz.Reference
	root       string
	tree       *treeWatch
	interrupts <-chan haz.Interrupt

	interest  *interest        // of the last workspace that loaded; nil: definitions only
	baseline  map[string]stamp // the tree as the last run began
	resolved  bool             // the selection was once found
	failed    []haz.TaskID     // --failed: those of the run before the watch
	toldLimit bool
}

// loop performs what the core decides. It ends with a signal, or when the first run cannot be selected.
func (s *watching) loop() error {
	var core watcher
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	defer quiet.Stop()
	action := runAgain
	for {
		event := treeStirred
		switch action {
		case runAgain:
			if err := s.runOnce(); err != nil {
				return err
			}
			event = runEnded
			// What stirred during the run is known before its end is.
			select {
			case <-s.tree.stirs:
				core, _ = core.step(treeStirred, time.Now())
			default:
			}
		case lookAtTree:
			event = foundSame
			if s.changed() {
				event = foundChanged
			}
		default:
			if action == armQuiet {
				quiet.Reset(watchQuiet)
			}
			select {
			case i := <-s.interrupts:
				return exit(128 + i.Number)
			case <-s.tree.stirs:
			case <-quiet.C:
				event = quietPassed
			}
		}
		core, action = core.step(event, time.Now())
	}
}

// changed looks at the tree, and says what is worth a run.
func (s *watching) changed() bool {
	now := s.tree.look(s.interest.prunes)
	changed := slices.DeleteFunc(differing(s.baseline, now), func(p string) bool { return !s.interest.matters(p) })
	if len(changed) > 0 {
		s.say(changeNote(changed))
	}
	return len(changed) > 0
}

// say tells what the watch does, unless only failures are wanted.
func (s *watching) say(text string) {
	if !s.has("quiet") {
		s.tell(s.errs.Palette.Dim(strings.TrimSuffix(text, "\n")) + "\n")
	}
}

// runOnce loads, selects and runs. A mistake in the files is shown and is no error; what ends the watch is.
func (s *watching) runOnce() error {
	// Looked at before anything is read: what changes from here on is seen as a change.
	s.baseline = s.tree.look(s.interest.prunes)
	s.warnLimit()
	err := s.loadAndRun()
	var code exit
	switch {
	case err == nil, errors.As(err, &code) && code < 128:
	case errors.As(err, &code):
		return err
	case !s.resolved && s.interest != nil:
		return err // a target that never existed is a mistake of the command line
	default:
		s.tell(diagnose(err, s.p.commandName()).Render(s.errs.Palette.Style()))
	}
	select {
	case i := <-s.interrupts: // one that came too late to cancel the run
		return exit(128 + i.Number)
	default:
	}
	s.say("haz: waiting for changes\n")
	return nil
}

func (s *watching) loadAndRun() error {
	w, err := s.open()
	if err != nil {
		return err
	}
	defer w.Close()
	if s.interest == nil {
		s.interest = interestIn(nil)
	}
	selected, err := s.selection(w)
	if err != nil {
		return err
	}
	s.resolved = true
	s.warn(selected.Warnings)
	tasks := w.Plan(selected.Targets).Tasks
	if s.has("affected") {
		tasks = w.W.Tasks // which of them are affected changes with the files
	}
	s.interest = interestIn(tasks, s.summaryPath())
	if len(selected.Targets) == 0 {
		s.tell("haz: nothing to run (" + selected.Empty + ")\n")
	}
	return s.execute(w, selected.Targets)
}

// selection finds the targets. --failed means the run before the watch, as the runs of the watch are runs, too.
func (s *watching) selection(w *haz.Workspace) (*haz.Selected, error) {
	if !s.has("failed") {
		return s.selectTargets(w, s.refs)
	}
	if s.failed == nil {
		ids, known, err := lastFailures(w)
		if err != nil {
			return nil, err
		}
		if !known {
			return &haz.Selected{Empty: "no earlier run is recorded"}, nil
		}
		s.failed = ids
	}
	return w.Select(s.ctx, haz.Selection{Only: s.failed})
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
	if dir, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
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
	err := s.tree.limit()
	if err == nil || s.toldLimit {
		return
	}
	s.toldLimit = true
	s.warn(diag.List{{Severity: diag.Warning, Command: "watch",
		Message: "the system watches no more directories, so haz looks every " + pollEvery.String() + ": " + err.Error(),
		Hint:    "on Linux: sysctl fs.inotify.max_user_watches"}})
}
