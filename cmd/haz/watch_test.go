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

	"github.com/haz-build/haz/cmd/haz/watch"
)

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
	return startWatchIn(t, t.TempDir(), project, args...)
}

func startWatchIn(t *testing.T, root, project string, args ...string) *watched {
	t.Helper()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), project)
	mustWrite(t, filepath.Join(root, "p/src/a"), "first\n")
	w := &watched{t: t, root: root}
	w.hazProcess = startProgram(t, root, t.Name(), ownHaz(t), append([]string{"watch", "--output-mode=live"}, args...)...)
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
	time.Sleep(3 * watch.Quiet)
	mustWrite(t, w.at("p/src/a"), "last\n")
	w.printed("last")
	w.leaves()
	// Two changes are made in two steps, which a loaded machine may see as two.
	changes++
	if got := w.count("running again"); got < changes || got > changes+2 {
		t.Errorf("%d further runs, want %d; stderr:\n%s", got, changes, w.said())
	}
}

// haz::cfg::134: what a Go file imports is watched, also where it is no input of a task; an edit that leaves the imports is no change. Where one
// makes another edge, all tasks of the selection run again.
func TestWatchImports(t *testing.T) {
	root := t.TempDir()
	module := func(dir, name, source string) {
		mustWrite(t, filepath.Join(root, dir, "go.mod"), "module example.org/"+name+"\n\ngo 1.24\n")
		mustWrite(t, filepath.Join(root, dir, "x.go"), source)
	}
	module("app", "app", "package app\n")
	module("lib", "lib", "package lib\n")
	module("far", "far", "package far\n")
	mustWrite(t, filepath.Join(root, "go.work"), "go 1.24\n\nuse (\n\t./app\n\t./lib\n\t./far\n)\n")
	mustWrite(t, filepath.Join(root, ".haz/tasks/all.yml"), "tasks:\n  up: {command: [echo, up], cache: false, deps: [\"^uses:up\"]}\n")
	w := &watched{t: t, root: root}
	mustWrite(t, w.at(".haz/workspace.yml"), "infer: [go]\n")
	w.hazProcess = startHaz(t, root, t.Name(), "watch", "--output-mode=live", "app:up")
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
	})
	w.runs(1)
	if out, _ := os.ReadFile(w.stdout); strings.Contains(string(out), "lib") {
		t.Fatalf("app uses lib before it imports it:\n%s", out)
	}
	mustWrite(t, w.at("app/x.go"), "package app\n\nimport \"fmt\"\n\nfunc F() { fmt.Println() }\n")
	time.Sleep(5 * watch.Quiet)
	mustWrite(t, w.at("app/y.go"), "package app\n\nimport _ \"example.org/lib\"\n")
	w.runs(2)
	w.printed("[example.org/lib:up]")
	mustWrite(t, w.at("app/y.go"), "package app\n\nimport _ \"example.org/lib\" // still\n\nvar X = 1\n")
	mustWrite(t, w.at("far/x.go"), "package far\n\nvar Y = 1\n")
	time.Sleep(5 * watch.Quiet)
	mustWrite(t, w.at("lib/x.go"), "package lib\n\nimport _ \"example.org/far\"\n")
	w.runs(3)
	w.printed("[example.org/far:up]")
	w.leaves()
	if got := w.count("running again"); got != 2 {
		t.Errorf("%d further runs, want 2; stderr:\n%s", got, w.said())
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

// Changes during a run, however many, start one more after it, where none may be stopped.
func TestWatchChangesDuringRun(t *testing.T) {
	w := startWatch(t, "p:t", "--no-interrupt")
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

// The options of watch are those of run but what makes no sense, and no rule names an option that is not there.
// Arguments behind -- are for each run, also for one of fewer tasks.
func TestWatchArguments(t *testing.T) {
	w := startWatchOf(t, `name: p
tasks:
  t: {shell: "printf '%s<%s><%s>' $(cat src/a) \"$@\"", inputs: ["src/**"]}
  u: {shell: "printf '(%s)' \"$@\"", cache: false}
`, "p:t", "p:u", "--", "one", "t w o")
	w.printed("first<one><t w o>\n")
	w.printed("(one)(t w o)")
	mustWrite(t, w.at("p/src/a"), "second\n")
	w.printed("second<one><t w o>\n")
	w.leaves()
}

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

// What is told of a change is safe for a terminal.
func TestChangeNote(t *testing.T) {
	if got := changeNote([]string{"/a\x1bb", "/c", "/d"}, "running again"); strings.Contains(got, "\x1b") || !strings.Contains(got, "and 2 more files changed") {
		t.Errorf("note %q", got)
	}
}
