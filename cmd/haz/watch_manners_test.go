//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/cmd/haz/watch"
)

// A task that writes what it reads is run three times, then its file is named and left alone; an edit of another runs it again.
func TestWatchOfATaskThatFeedsItself(t *testing.T) {
	w := startWatchOf(t, `name: p
tasks:
  t: {shell: "date +%s%N > src/stamp; cat src/a", inputs: ["src/**"], env: {from_host: [PATH]}}
`, "p:t")
	told := "p/src/stamp changed in each of the last 3 runs"
	if !eventually(30*time.Second, func() bool { return w.count(told) == 1 }) {
		t.Fatalf("the file is not named; stderr:\n%s", w.said())
	}
	mustWrite(t, w.at("p/src/a"), "edited\n")
	w.printed("edited")
	w.runs(4)
	time.Sleep(5 * watch.Quiet)
	w.leaves()
	if runs, notes := w.count("done in"), w.count(told); runs != 4 || notes != 1 {
		t.Errorf("%d runs, want 4; named %d times; stderr:\n%s", runs, notes, w.said())
	}
}

// A formatter runs for an edit by hand, and not for what it wrote itself.
func TestWatchOfAFormatter(t *testing.T) {
	w := startWatchOf(t, `name: p
tasks:
  t: {shell: "tr a-z A-Z < src/a > b; cat b > src/a; rm b; cat src/a", inputs: ["src/*"], outputs: ["src/*"], env: {from_host: [PATH]}}
`, "p:t")
	w.printed("FIRST")
	mustWrite(t, w.at("p/src/a"), "edited\n")
	w.printed("EDITED")
	w.runs(2)
	time.Sleep(5 * watch.Quiet)
	w.leaves()
	if got := w.count("running again"); got != 1 {
		t.Errorf("%d further runs, want 1; stderr:\n%s", got, w.said())
	}
}

// A task without a cache is not carried out again for an edit that does not concern it, but is after a failure.
func TestWatchLeavesOthersAlone(t *testing.T) {
	w := startWatchOf(t, `name: p
tasks:
  push: {shell: "echo x >> ../pushed; test $(wc -l < ../pushed) -gt 1", inputs: [haz.yml], cache: false, env: {from_host: [PATH]}}
  test: {shell: "cat src/a", inputs: ["src/*"], env: {from_host: [PATH]}}
`, "p:push", "p:test")
	for i, text := range []string{"second\n", "third\n", "fourth\n"} {
		mustWrite(t, w.at("p/src/a"), text)
		w.printed(text)
		w.runs(i + 2)
	}
	w.leaves()
	if b, _ := os.ReadFile(w.at("pushed")); strings.Count(string(b), "x") != 2 {
		t.Errorf("carried out %d times, want twice: it failed the first time; stderr:\n%s", strings.Count(string(b), "x"), w.said())
	}
}

// An edit during a run that takes its time, and may not be stopped, is told at once.
func TestWatchTellsOfAnEditDuringARun(t *testing.T) {
	const project = `name: p
tasks:
  t: {shell: "cat src/a; grep -q last src/a || exec sleep 987", inputs: ["src/*"], cache: false, env: {from_host: [PATH]}}
  ready: {shell: "true"}
`
	w := startWatchOf(t, project, "p:ready", "--no-interrupt")
	mustWrite(t, w.at("p/haz.yml"), strings.Replace(project, `"true"`, `"true", deps: ["~:t"]`, 1))
	w.printed("first")
	mustWrite(t, w.at("p/src/a"), "second\n")
	told := "p/src/a changed, running again when this run has ended"
	if !eventually(30*time.Second, func() bool { return w.count(told) == 1 }) {
		t.Fatalf("nothing is said of the edit; stderr:\n%s", w.said())
	}
	w.leaves()
}

// Who started the watch with the hang-up signal ignored means all of its runs.
func TestWatchWithoutHangup(t *testing.T) {
	w := startWatch(t, "p:t")
	w.leaves()
	root := w.root
	w = &watched{t: t, root: root, hazProcess: startProgram(t, root, t.Name(), "sh", "-c", "trap '' HUP; exec \"$0\" watch p:t --output-mode=live", realHaz(t))}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
	})
	w.runs(1)
	mustWrite(t, w.at("p/src/a"), "second\n")
	w.runs(2)
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, w.at("p/src/a"), "third\n")
	w.runs(3)
	w.leaves()
}

// Of a task that reads $project a new file is a reason to run, before git is told of it; what git ignores is none, and its folders are not
// watched (PATH-025).
func TestWatchOfProjectFiles(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	root := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", root).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	mustWrite(t, filepath.Join(root, ".gitignore"), "*.log\nnode_modules/\n")
	mustWrite(t, filepath.Join(root, "p/node_modules/m/i"), "x\n")
	w := startWatchIn(t, root, `name: p
tasks:
  t: {shell: "date +%s%N > run.$$.log; mkdir -p node_modules/m$$ && date > node_modules/m$$/i; cat src/*", inputs: [$project], cache: false}
`, "p:t")
	time.Sleep(5 * watch.Quiet)
	if got := w.count("running again"); got != 0 {
		t.Fatalf("the watch feeds itself: %d further runs; stderr:\n%s", got, w.said())
	}
	mustWrite(t, w.at("p/src/new"), "untracked\n")
	w.printed("untracked")
	w.runs(2)
	mustWrite(t, w.at("p/src/mine.log"), "ignored\n")
	mustWrite(t, w.at("p/node_modules/m/i"), "y\n")
	time.Sleep(5 * watch.Quiet)
	mustWrite(t, w.at("p/.hid/x"), "counts\n")
	w.runs(3)
	w.leaves()
	if got := w.count("running again"); got != 2 {
		t.Errorf("%d further runs, want 2; stderr:\n%s", got, w.said())
	}
}

// Where the system gives no more notifications, neither watches nor instances, the tree is looked at from time to time, with one warning; a change is
// seen all the same. The limits are those of a namespace of its own, so that nobody else has them.
func TestWatchWithoutNotifications(t *testing.T) {
	for name, limit := range map[string]string{"watches": "1 > /proc/sys/user/max_inotify_watches", "instances": "0 > /proc/sys/user/max_inotify_instances"} {
		t.Run(name, func(t *testing.T) {
			if out, err := exec.Command("unshare", "-Ur", "sh", "-c", "echo "+limit).CombinedOutput(); err != nil {
				t.Skipf("no limit of our own: %v %s", err, out)
			}
			root := t.TempDir()
			mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\n")
			mustWrite(t, filepath.Join(root, "p/haz.yml"), watchTask)
			mustWrite(t, filepath.Join(root, "p/src/a"), "first\n")
			w := &watched{t: t, root: root, hazProcess: startProgram(t, root, t.Name(), "unshare", "-Ur", "sh", "-c", "echo "+limit+"; exec \"$0\" watch p:t --output-mode=live", realHaz(t))}
			t.Cleanup(func() {
				_ = w.cmd.Process.Kill()
				<-w.done
			})
			w.runs(1)
			for i, text := range []string{"second\n", "third\n"} {
				mustWrite(t, w.at("p/src/a"), text)
				w.printed(text)
				w.runs(i + 2)
			}
			w.leaves()
			if n := w.count("the system watches no more directories, so haz looks every 2s"); n != 1 {
				t.Errorf("told %d times; stderr:\n%s", n, w.said())
			}
		})
	}
}
