//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// The core, step by step: events and the action wanted after each.
func TestWatchDecisions(t *testing.T) {
	type step struct {
		at   time.Duration
		e    watchEvent
		want watchAction
	}
	const ms = time.Millisecond
	for name, steps := range map[string][]step{
		"a quiet run is followed by waiting": {{0, runEnded, doNothing}, {0, quietPassed, doNothing}, {0, foundChanged, doNothing}},
		"a change is looked at after quiet": {{0, runEnded, doNothing}, {0, treeStirred, armQuiet}, {50 * ms, treeStirred, armQuiet},
			{150 * ms, quietPassed, lookAtTree}, {150 * ms, foundChanged, runAgain}},
		"what does not matter runs nothing": {{0, runEnded, doNothing}, {0, treeStirred, armQuiet}, {100 * ms, quietPassed, lookAtTree},
			{100 * ms, foundSame, doNothing}, {200 * ms, treeStirred, armQuiet}},
		"many changes during a run are one look after it": {{0, treeStirred, doNothing}, {0, treeStirred, doNothing}, {0, runEnded, armQuiet},
			{100 * ms, quietPassed, lookAtTree}, {100 * ms, foundSame, doNothing}},
		"the next run forgets what stirred before": {{0, treeStirred, doNothing}, {0, runEnded, armQuiet}, {100 * ms, quietPassed, lookAtTree},
			{100 * ms, foundChanged, runAgain}, {200 * ms, runEnded, doNothing}},
		"endless writing does not hold a run back": {{0, runEnded, doNothing}, {0, treeStirred, armQuiet}, {900 * ms, treeStirred, armQuiet},
			{watchPatience, treeStirred, doNothing}, {watchPatience + 1, quietPassed, lookAtTree}},
	} {
		t.Run(name, func(t *testing.T) {
			var w watcher
			start := time.Unix(0, 0)
			for i, s := range steps {
				var got watchAction
				if w, got = w.step(s.e, start.Add(s.at)); got != s.want {
					t.Fatalf("step %d: action %d, want %d (phase %d)", i, got, s.want, w.phase)
				}
			}
		})
	}
}

func declare(t *testing.T, texts ...string) []workspace.PatternDecl {
	t.Helper()
	var out []workspace.PatternDecl
	for _, text := range texts {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, workspace.PatternDecl{Text: text, Pattern: p.Anchor("/lib")})
	}
	return out
}

// entries parses patterns of the list of projects.
func entries(t *testing.T, texts ...string) (out []pattern.Pattern) {
	t.Helper()
	for _, d := range declare(t, texts...) {
		out = append(out, d.Pattern)
	}
	return out
}

// Inputs and definitions matter; outputs and what haz writes do not, but for what a task reads and writes.
func TestWatchInterest(t *testing.T) {
	i := interestIn(entries(t, "/lib", "/new/*"), []*haz.Task{
		{Inputs: declare(t, "**", "/shared/*.h"), Exclude: declare(t, "*.tmp", "log.txt", "out/**"), Outputs: declare(t, "out/**", "log.txt")},
		{Inputs: declare(t, "out/*.o")},
		{Inputs: declare(t, "/fmt/**"), Outputs: declare(t, "/fmt/**")},
	}, "/lib/summary.json")
	for path, want := range map[string]bool{
		"/lib/a.go": true, "/lib/deep/er/b.go": true, "/shared/x.h": true, "/shared/x.c": false, "/other/a.go": false,
		"/lib/a.tmp": false, "/lib/log.txt": false, "/lib/out/a.o": false, "/lib/summary.json": false, "/fmt/a.go": true,
		"/lib/haz.yml": true, "/new/project/haz.yml": true, "/haz.yml": true, "/.haz/workspace.yml": true, "/.haz/tasks/go.yml": true,
		"/new/project/deeper/haz.yml": false, "/.haz/other": false, "/lib/nothaz.yml": true, "/other/nothaz.yml": false,
	} {
		if got := i.matters(path); got != want {
			t.Errorf("%s matters: %t, want %t", path, got, want)
		}
	}
	if !i.formatted("/fmt/a.go") || i.formatted("/lib/a.go") {
		t.Error("what a task reads and writes is not told from what it reads")
	}
	broken := definitionsOf(true)
	if broken.matters("/lib/a.go") || !broken.matters("/lib/haz.yml") {
		t.Error("without a workspace that loads, definitions matter and nothing else")
	}
}

// A file that changes during each of three runs on end is no reason for one more, until it changes while nothing runs.
func TestWatchFeed(t *testing.T) {
	var f feed
	for i, step := range []struct {
		changed   []string
		duringRun bool
		left      []string
		news      []string
	}{
		{[]string{"/a", "/own"}, false, []string{"/a", "/own"}, nil},
		{[]string{"/own"}, true, []string{"/own"}, nil},
		{[]string{"/a", "/own"}, true, []string{"/a", "/own"}, nil},
		{[]string{"/a", "/own"}, true, []string{"/a"}, []string{"/own"}},
		{[]string{"/own"}, true, nil, nil}, // told before, and /a has begun anew
		{[]string{"/own"}, false, []string{"/own"}, nil},
		{[]string{"/own"}, true, []string{"/own"}, nil},
	} {
		left, news := f.hungry(step.changed, step.duringRun)
		if diff := cmp.Diff([][]string{step.left, step.news}, [][]string{left, news}); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestWatchDiffering(t *testing.T) {
	before := map[string]stamp{"/same": {size: 1}, "/size": {size: 1}, "/mode": {mode: 0o644}, "/replaced": {inode: 1}, "/gone": {}}
	after := map[string]stamp{"/same": {size: 1}, "/size": {size: 2}, "/mode": {mode: 0o755}, "/replaced": {inode: 2}, "/new": {}}
	if diff := cmp.Diff([]string{"/gone", "/mode", "/new", "/replaced", "/size"}, differing(before, after)); diff != "" {
		t.Error(diff)
	}
	if got := changeNote([]string{"/a\x1bb", "/c", "/d"}, ""); strings.Contains(got, "\x1b") || !strings.Contains(got, "and 2 more files changed") {
		t.Errorf("note %q", got)
	}
}

// watched is a running `haz watch`.
type watched struct {
	*hazProcess
	t    *testing.T
	root string
}

const watchTask = `name: p
tasks:
  t:
    shell: "echo run >> /proc/self/fd/2; mkdir -p out; cat src/* > out/all; cat out/all"
    inputs: ["src/**"]
    outputs: ["out/**"]
    env: {from_host: [PATH]}
  strong:
    shell: "true"
    inputs: ["**"]
    deps: ["~:t"]
`

func startWatch(t *testing.T, args ...string) *watched { return startWatchOf(t, watchTask, args...) }

// startWatchOf watches the project p, which these lines define.
func startWatchOf(t *testing.T, project string, args ...string) *watched {
	t.Helper()
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), project)
	mustWrite(t, filepath.Join(root, "p/src/a"), "first\n")
	w := &watched{t: t, root: root}
	w.hazProcess = startHaz(t, root, t.Name(), append([]string{"watch", "--output-mode=live"}, args...)...)
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
	})
	w.runs(1)
	return w
}

func (w *watched) at(name string) string { return filepath.Join(w.root, name) }

// runs waits for the end of the n-th run.
func (w *watched) runs(n int) {
	w.t.Helper()
	if !eventually(30*time.Second, func() bool { return w.count("waiting for changes") >= n }) {
		w.t.Fatalf("run %d did not end; stderr:\n%s", n, w.said())
	}
}

func (w *watched) count(text string) int { return strings.Count(w.said(), text) }

// printed waits for a text on standard output.
func (w *watched) printed(text string) {
	w.t.Helper()
	var out []byte
	if !eventually(30*time.Second, func() bool {
		out, _ = os.ReadFile(w.stdout)
		return strings.Contains(string(out), text)
	}) {
		w.t.Fatalf("%q was not printed; stdout:\n%s\nstderr:\n%s", text, out, w.said())
	}
}

func (w *watched) leaves() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGINT); err != nil {
		w.t.Fatal(err)
	}
	if code := w.ends(w.t, 20*time.Second); code != 130 {
		w.t.Errorf("exit code %d, want 130; stderr:\n%s", code, w.said())
	}
}

// Each way a tree can change is noticed, and leads to one run; our own outputs lead to none.
func TestWatchChanges(t *testing.T) {
	w := startWatch(t, "p:strong")
	rename := func(from, to string) {
		if err := os.Rename(w.at(from), w.at(to)); err != nil {
			t.Fatal(err)
		}
	}
	changes := 0
	for _, c := range []struct {
		name   string
		change func()
		prints string
	}{
		{"edit", func() { mustWrite(t, w.at("p/src/a"), "edited\n") }, "edited"},
		{"save by rename", func() { mustWrite(t, w.at("p/src/.a.swp"), "renamed\n"); rename("p/src/.a.swp", "p/src/a") }, "renamed"},
		{"save with a backup", func() { rename("p/src/a", "p/src/a~"); mustWrite(t, w.at("p/src/a"), "backed up\n") }, "backed up"},
		{"new file", func() { mustWrite(t, w.at("p/src/b"), "another\n") }, "another"},
		{"removed file", func() { _ = os.Remove(w.at("p/src/b")) }, ""},
		{"new folder with folders", func() { mustWrite(t, w.at("p/deep/er/still/f"), "1") }, ""},
		{"edit in the new folder", func() { mustWrite(t, w.at("p/deep/er/still/f"), "22") }, ""},
		{"folder moved", func() { rename("p/deep", "p/moved") }, ""},
		{"edit in the moved folder", func() { mustWrite(t, w.at("p/moved/er/still/f"), "333") }, ""},
		{"folder moved away", func() { rename("p/moved", "elsewhere") }, ""},
		{"folder moved in", func() { rename("elsewhere", "p/back") }, ""},
		{"edit in the folder moved in", func() { mustWrite(t, w.at("p/back/er/still/f"), "4444") }, ""},
		{"mode", func() { _ = os.Chmod(w.at("p/src/a"), 0o755) }, ""},
		{"definition", func() { mustWrite(t, w.at("p/haz.yml"), watchTask+"  more: {shell: 'true'}\n") }, ""},
	} {
		before := w.count("waiting for changes")
		c.change()
		changes++
		t.Log(c.name)
		w.runs(before + 1)
		if c.prints != "" {
			w.printed(c.prints)
		}
	}
	// What lies in between: neither what a task wrote nor what nobody reads has started a run. A run would be known by now if
	// the next real change is.
	mustWrite(t, w.at("p/out/by-hand"), "x")
	mustWrite(t, w.at("unrelated/file"), "x")
	time.Sleep(3 * watchQuiet)
	mustWrite(t, w.at("p/src/a"), "last\n")
	w.printed("last")
	w.leaves()
	// Two changes are made in two steps, which a loaded machine may see as two.
	changes++
	if got := w.count("running again"); got < changes || got > changes+2 {
		t.Errorf("%d further runs, want %d; stderr:\n%s", got, changes, w.said())
	}
}

// A broken configuration is shown, and the watch goes on when it is mended.
func TestWatchSurvivesBrokenConfiguration(t *testing.T) {
	w := startWatch(t, "p:t")
	mustWrite(t, w.at("p/haz.yml"), "name: [\n")
	w.runs(2)
	if !strings.Contains(w.said(), "haz::cfg::yaml") {
		t.Errorf("no diagnostic; stderr:\n%s", w.said())
	}
	mustWrite(t, w.at("p/haz.yml"), strings.ReplaceAll(watchTask, "  t:", "  other:"))
	w.runs(3) // now the reference does not resolve
	mustWrite(t, w.at("p/src/a"), "mended\n")
	mustWrite(t, w.at("p/haz.yml"), watchTask)
	w.printed("mended")
	w.leaves()
}

// Changes during a run, however many, start one more after it.
func TestWatchChangesDuringRun(t *testing.T) {
	w := startWatch(t, "p:t")
	mustWrite(t, w.at("p/haz.yml"), strings.Replace(watchTask, "echo run", "touch ../started; until [ -e ../go ]; do sleep 0.01; done; echo run", 1))
	if !eventually(30*time.Second, func() bool { _, err := os.Stat(w.at("started")); return err == nil }) {
		t.Fatalf("the second run did not start; stderr:\n%s", w.said())
	}
	for i := range 20 {
		mustWrite(t, w.at("p/src/a"), fmt.Sprintf("number %d\n", i))
	}
	mustWrite(t, w.at("go"), "")
	w.runs(3)
	w.printed("number 19")
	w.leaves()
	// One for the definition and one for all the edits; a third when a loaded machine took too long over the last of them.
	if got := w.count("running again"); got < 2 || got > 3 {
		t.Errorf("%d further runs, want 2; stderr:\n%s", got, w.said())
	}
}

// Ctrl+C in the middle of a run is that of the run; a failing run is no end.
func TestWatchInterruptedAndFailing(t *testing.T) {
	w := startWatch(t, "p:t")
	mustWrite(t, w.at("p/haz.yml"), strings.Replace(watchTask, "echo run", "exit 3", 1))
	w.runs(2)
	mustWrite(t, w.at("p/haz.yml"), strings.Replace(watchTask, "echo run", "touch ../started; exec sleep 987", 1))
	if !eventually(30*time.Second, func() bool { _, err := os.Stat(w.at("started")); return err == nil }) {
		t.Fatalf("the third run did not start; stderr:\n%s", w.said())
	}
	w.leaves()
}

// Between runs, each signal ends the watch with its own code, and nothing stays behind.
func TestWatchEnds(t *testing.T) {
	for _, s := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}} {
		t.Run(s.signal.String(), func(t *testing.T) {
			w := startWatch(t, "p:t")
			if err := w.cmd.Process.Signal(s.signal); err != nil {
				t.Fatal(err)
			}
			if code := w.ends(t, 20*time.Second); code != s.code {
				t.Errorf("exit code %d, want %d; stderr:\n%s", code, s.code, w.said())
			}
			if w.count("running again") > 0 || strings.Contains(w.said(), "goroutine") {
				t.Errorf("stderr:\n%s", w.said())
			}
		})
	}
}

// A broken configuration is no reason to start with, either: the watch waits for it to be mended.
func TestWatchStartsBroken(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), "name: [\n")
	mustWrite(t, filepath.Join(root, "p/src/a"), "mended\n")
	w := &watched{t: t, root: root, hazProcess: startHaz(t, root, t.Name(), "watch", "p:t")}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
	})
	w.runs(1)
	mustWrite(t, w.at("p/haz.yml"), watchTask)
	w.printed("mended")
	w.leaves()
}

// A directory that cannot be watched does not blind the watch: it polls then.
func TestWatchPolls(t *testing.T) {
	tree := watchTree(t.TempDir())
	defer tree.close()
	tree.mu.Lock()
	tree.limited = syscall.ENOSPC
	tree.mu.Unlock()
	select {
	case <-tree.stirs:
	case <-time.After(30 * time.Second):
		t.Fatal("no look was asked for")
	}
}

// The options of watch are those of run but what makes no sense, and no rule names an option that is not there.
func TestWatchOptions(t *testing.T) {
	c := watchCommand()
	var names []string
	for _, o := range c.options() {
		names = append(names, o.Name)
	}
	for _, gone := range []string{"git-changed", "git-staged", "git-changed-since", "dry-run"} {
		if slices.Contains(names, gone) {
			t.Errorf("--%s is an option", gone)
		}
	}
	rules := slices.Concat(append(c.exclusive, c.noRefs)...)
	for _, n := range rules {
		if !slices.Contains(names, n) {
			t.Errorf("a rule names --%s, which is no option: %s", n, strconv.Quote(strings.Join(names, " ")))
		}
	}
}
