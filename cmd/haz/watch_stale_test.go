//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cmd/haz/watch"
)

// devTasks are a server, which reads src and stands on lib, and a lint that has nothing to do with it.
const devTasks = `name: p
tasks:
  serve: {shell: "echo serving $(cat src/a) on $(cat lib/out); exec sleep 987", inputs: ["src/*", lib/out], deps: ["~:lib"], cache: false}
  lib: {shell: "tr a-z A-Z < lib/in > lib/out", inputs: [lib/in], outputs: [lib/out]}
  lint: {shell: "echo lint $(cat lint/a)", inputs: ["lint/*"]}
`

func startDev(t *testing.T, args ...string) *watched {
	t.Helper()
	root := t.TempDir()
	w := &watched{t: t, root: root}
	mustWrite(t, w.at(".haz/workspace.yml"), "projects: [/p]\n")
	mustWrite(t, w.at("p/haz.yml"), devTasks)
	mustWrite(t, w.at("p/src/a"), "one\n")
	mustWrite(t, w.at("p/lib/in"), "lib\n")
	mustWrite(t, w.at("p/lint/a"), "clean\n")
	w.hazProcess = startProgram(t, root, t.Name(), ownHaz(t), append([]string{"watch", "--output-mode=live", "p:serve", "p:lint"}, args...)...)
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
	})
	w.printed("serving one on LIB")
	w.printed("lint clean")
	return w
}

// A server that never ends is stopped and started anew when what it reads changes, or what it stands on, or what says what it is; and since it
// holds up a run that has nothing else to do, also for the sake of others (AUX-048).
func TestWatchRestartsWhatIsStale(t *testing.T) {
	w := startDev(t)
	for _, c := range []struct{ file, text, prints string }{
		{"p/src/a", "two\n", "serving two on LIB"},
		{"p/lib/in", "more\n", "serving two on MORE"},
		{"p/haz.yml", strings.Replace(devTasks, "serving", "offering", 1), "offering two on MORE"},
		{"p/lint/a", "cleaner\n", "lint cleaner"},
	} {
		mustWrite(t, w.at(c.file), c.text)
		w.printed(c.prints)
	}
	if alive := marked(t.Name()); len(alive) > 6 { // haz, its helper, the one server, and what is on its way out
		t.Errorf("servers stay: %v", alive)
	}
	w.leaves()
	if alive := marked(t.Name()); len(alive) > 0 {
		t.Errorf("left behind: %v", alive)
	}
	if stops := w.count("stopping this run"); stops != 4 {
		t.Errorf("%d runs were stopped, want 4; stderr:\n%s", stops, w.said())
	}
}

// A service that was asked for is there in each run, also in one for the sake of others.
func TestWatchKeepsServices(t *testing.T) {
	w := startWatchOf(t, `name: p
tasks:
  ready: {shell: "true"}
`, "p:*")
	mustWrite(t, w.at("p/haz.yml"), `name: p
tasks:
  db: {shell: "echo $$ > ../pid; echo answering; exec sleep 987", service: {ready: {output: answering}}, env: {from_host: [PATH]}}
  test: {shell: "cat src/a", inputs: ["src/*"], deps: ["~:db"], env: {from_host: [PATH]}}
`)
	for _, text := range []string{"first", "second", "third"} {
		mustWrite(t, w.at("p/src/a"), text+"\n")
		w.printed("] " + text)
		time.Sleep(3 * watch.Quiet)
		if pid := numberIn(t, w.at("pid")); isGone(stateOf(pid)) {
			t.Errorf("%s: the service is gone; stderr:\n%s", text, w.said())
		}
	}
	w.leaves()
}

// Nothing is stopped for what the run itself makes, for what concerns nobody, for a mistake in the files, and with --no-interrupt.
func TestWatchLetsARunBe(t *testing.T) {
	w := startDev(t)
	mustWrite(t, w.at("p/lib/out"), "by hand\n") // an output
	mustWrite(t, w.at("p/other"), "x\n")
	time.Sleep(3 * watch.Quiet)
	mustWrite(t, w.at("p/haz.yml"), "name: [\n")
	if !eventually(30*time.Second, func() bool { return w.count("this run goes on") == 1 }) {
		t.Errorf("the mistake is not told; stderr:\n%s", w.said())
	}
	w.leaves()
	if w.count("stopping this run") > 0 {
		t.Errorf("the run was stopped; stderr:\n%s", w.said())
	}

	root := t.TempDir()
	w = startWatchIn(t, root, `name: p
tasks:
  fmt: {shell: "echo formatted >> src/a; until [ -e ../go ]; do sleep 0.02; done", inputs: ["src/*"], outputs: ["src/*"], env: {from_host: [PATH]}}
  ready: {shell: "true"}
`, "p:ready")
	w.leaves()
	w.hazProcess = startProgram(t, root, t.Name(), ownHaz(t), "watch", "p:fmt")
	if !eventually(30*time.Second, func() bool { b, _ := os.ReadFile(w.at("p/src/a")); return strings.Contains(string(b), "formatted") }) {
		t.Fatal("the formatter does not begin")
	}
	time.Sleep(5 * watch.Quiet)
	mustWrite(t, w.at("go"), "")
	w.runs(1)
	time.Sleep(3 * watch.Quiet)
	w.leaves()
	if w.count("stopping this run") > 0 || w.count("running again") > 0 {
		t.Errorf("a formatter is stopped for what it writes; stderr:\n%s", w.said())
	}

	w = startDev(t, "--no-interrupt")
	mustWrite(t, w.at("p/src/a"), "two\n")
	if !eventually(30*time.Second, func() bool { return w.count("p/src/a changed, running again when this run has ended") == 1 }) {
		t.Errorf("the edit is not told; stderr:\n%s", w.said())
	}
	w.leaves()
	if out, _ := os.ReadFile(w.stdout); strings.Contains(string(out), "serving two") {
		t.Errorf("the run was stopped; stderr:\n%s", w.said())
	}
}

// A task that goes on after it has written what it reads is stopped for it three times, then its file is named, and it goes on (AUX-048).
func TestWatchOfAServerThatFeedsItself(t *testing.T) {
	w := startWatchOf(t, `name: p
tasks:
  ready: {shell: "true"}
`, "p:*")
	mustWrite(t, w.at("p/haz.yml"), `name: p
tasks:
  ready: {shell: "true"}
  serve: {shell: "date +%s%N > src/stamp; echo serving; exec sleep 987", inputs: ["src/*"], cache: false, env: {from_host: [PATH]}}
`)
	if !eventually(60*time.Second, func() bool { return w.count("p/src/stamp changed in each of the last 3 runs") == 1 }) {
		t.Fatalf("the file is not named; stderr:\n%s", w.said())
	}
	time.Sleep(watch.Early + 5*watch.Quiet)
	if out, _ := os.ReadFile(w.stdout); strings.Count(string(out), "serving") != 4 {
		t.Errorf("served %d times, want 4; stderr:\n%s", strings.Count(string(out), "serving"), w.said())
	}
	mustWrite(t, w.at("p/src/a"), "an edit\n")
	if !eventually(30*time.Second, func() bool { return w.count("p/src/a changed, stopping this run") == 1 }) {
		t.Errorf("an edit of another file is not heeded; stderr:\n%s", w.said())
	}
	w.leaves()
}
