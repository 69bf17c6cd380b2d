package haz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// pair makes two projects, `lib:compile` → `app:build` by a hard edge across projects (chapter 2, 14.1).
func pair(t *testing.T, w *world) {
	t.Helper()
	w.write(t,
		"/.haz/workspace.yml", "projects: [/lib, /app]\n",
		"/lib/src.txt", "source\n",
		"/lib/haz.yml", `
name: lib
tasks:
  compile:
    shell: "mkdir -p out; echo compiling; echo careful >&2; cat src.txt > out/lib.a"
    inputs: [src.txt]
    outputs: [out/lib.a]
    env: {from_host: [PATH]}
`,
		"/app/main.txt", "main\n",
		"/app/haz.yml", `
name: app
tasks:
  build:
    shell: "mkdir -p bin; cat ../lib/out/lib.a main.txt > bin/app"
    inputs: [/lib/out/lib.a, main.txt]
    outputs: ["bin/*"]
    deps: ["lib:compile"]
    env: {from_host: [PATH]}
`)
}

// tasks makes one project `p` with these tasks, a line each, without the YAML around it.
func tasks(t *testing.T, w *world, lines ...string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("name: p\ntasks:\n")
	for _, line := range lines {
		name, body, _ := strings.Cut(line, ":")
		fmt.Fprintf(&b, "  %s: {%s, env: {from_host: [PATH]}}\n", name, strings.TrimSpace(body))
	}
	w.write(t, "/.haz/workspace.yml", "projects: [/p]\n", "/p/haz.yml", b.String())
}

func TestFirstRunStores(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		r := w.run(t, haz.RunOptions{}, "app:build")
		r.counts(t, 2, 0, 0, 0, 0)
		r.processes(t, "lib:compile", "app:build")
		if !slices.Equal(r.started, []string{"lib:compile", "app:build"}) {
			t.Errorf("started in the order %q", r.started)
		}
		for _, o := range r.Outcomes {
			if o.Store != messages.Stored || o.Source != messages.FromRun || o.Miss == nil || o.Miss.Reason.String() != "no entry" {
				t.Errorf("%s: %+v", o.Task, o)
			}
		}
		if len(r.TaskErrors) > 0 || len(w.entries(t)) != 2 {
			t.Errorf("task errors %v, %d entries", r.TaskErrors, len(w.entries(t)))
		}
		w.has(t, "/lib/out/lib.a", "source\n", "/app/bin/app", "source\nmain\n")
	})
}

// Twice the same: no process, no file written, the streams again.
func TestSecondRunHits(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		first := w.run(t, haz.RunOptions{}, "app:build")
		before := w.infos(t)
		entries := w.entries(t)
		r := w.run(t, haz.RunOptions{}, "app:build")
		r.counts(t, 2, 2, 0, 0, 0)
		r.processes(t)
		sameInfos(t, before, w.infos(t))
		if !slices.Equal(entries, w.entries(t)) {
			t.Errorf("entries %q, before %q", w.entries(t), entries)
		}
		for i, o := range r.Outcomes {
			was := first.Outcomes[i]
			if o.Key != was.Key || o.OutputsDigest != was.OutputsDigest || o.StdoutDigest != was.StdoutDigest || !slices.Equal(o.Outputs, was.Outputs) {
				t.Errorf("%s came from the cache as %+v, was %+v", o.Task, o, was)
			}
		}
		if out, err := r.output("lib:compile", false), r.output("lib:compile", true); out != "compiling\n" || err != "careful\n" {
			t.Errorf("streams of the hit: %q, %q", out, err)
		}
	})
}

// Outputs that were deleted, edited, or whose mode was changed come back; nothing runs.
func TestOutputsComeBack(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		w.run(t, haz.RunOptions{}, "app:build")
		for name, damage := range map[string]func(){
			"both deleted": func() { w.remove(t, "/lib/out", "/app/bin") },
			"one deleted":  func() { w.remove(t, "/app/bin/app") },
			"edited":       func() { w.write(t, "/lib/out/lib.a", "what someone wrote") },
			"mode changed": func() {
				if err := w.fs.Chmod("/app/bin/app", 0o600); err != nil {
					t.Fatal(err)
				}
			},
		} {
			damage()
			r := w.run(t, haz.RunOptions{}, "app:build")
			r.counts(t, 2, 2, 0, 0, 0)
			r.processes(t)
			w.has(t, "/lib/out/lib.a", "source\n", "/app/bin/app", "source\nmain\n")
			if info, err := w.fs.Lstat("/app/bin/app"); err != nil || info.Perm != 0o644 {
				t.Errorf("%s: %+v, %v", name, info, err)
			}
		}
	})
}

// An edit runs what it touches. Where the output comes out the same, what reads it hits (chapter 2, 14.1).
func TestEditRunsWhatItTouches(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		w.run(t, haz.RunOptions{}, "app:build")

		w.write(t, "/app/main.txt", "other\n")
		r := w.run(t, haz.RunOptions{}, "app:build")
		r.counts(t, 2, 1, 0, 0, 0)
		r.processes(t, "app:build")
		w.has(t, "/app/bin/app", "source\nother\n")

		w.write(t, "/lib/src.txt", "edited\n")
		r = w.run(t, haz.RunOptions{}, "app:build")
		r.processes(t, "lib:compile", "app:build")
		w.has(t, "/app/bin/app", "edited\nother\n")

		// Back to a state that was built before: all of it is there.
		w.write(t, "/lib/src.txt", "source\n", "/app/main.txt", "main\n")
		r = w.run(t, haz.RunOptions{}, "app:build")
		r.counts(t, 2, 2, 0, 0, 0)
		w.has(t, "/app/bin/app", "source\nmain\n")
	})
}

// An upstream that runs again and makes the same does not make its downstream run.
func TestSameOutputStopsTheChange(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`gen: shell: "echo same > gen.txt", inputs: [in.txt], outputs: [gen.txt]`,
			`use: shell: "cat gen.txt > use.txt", inputs: [gen.txt], outputs: [use.txt], deps: ["~:gen"]`)
		w.write(t, "/p/in.txt", "1")
		w.run(t, haz.RunOptions{})
		w.write(t, "/p/in.txt", "2")
		r := w.run(t, haz.RunOptions{})
		r.counts(t, 2, 1, 0, 0, 0)
		r.processes(t, "p:gen")
	})
}

// A failure skips its downstreams, near and far; they name the root. The next run tries again (chapter 2, 14.2).
func TestFailureSkipsDownstreams(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t,
			"/.haz/workspace.yml", "projects: [/lib, /app]\n",
			"/lib/haz.yml", `
name: lib
tasks:
  compile: {shell: "echo broken >&2; exit 3", outputs: [lib.a]}
  pack: {shell: "echo pack", deps: ["~:compile"]}
`,
			"/app/haz.yml", `
name: app
tasks:
  build: {shell: "echo build", deps: ["lib:pack"]}
  lint: {shell: "echo lint", weakDeps: ["lib:compile"]}
`)
		for range 2 {
			r := w.run(t, haz.RunOptions{})
			if r.Counts.Completed != 1 || r.Counts.Failed != 1 || r.Counts.Skipped != 2 {
				t.Errorf("%+v", r.Counts)
			}
			bad := r.outcome(t, "lib:compile")
			if bad.Status != messages.Failed || bad.ExitCode != 3 || bad.Error != nil || bad.Store == messages.Stored {
				t.Errorf("%+v", bad)
			}
			for _, id := range []string{"lib:pack", "app:build"} {
				o := r.outcome(t, id)
				if o.Status != messages.Skipped || o.Cause != messages.UpstreamDidFail || o.Root.String() != "lib:compile" {
					t.Errorf("%+v", o)
				}
			}
			if o := r.outcome(t, "app:lint"); o.Status != messages.Completed {
				t.Errorf("%+v", o)
			}
			if slices.Contains(r.started, "app:build") || !slices.Contains(r.started, "lib:compile") {
				t.Errorf("started: %q", r.started)
			}
			if got := r.output("lib:compile", true); got != "broken\n" {
				t.Errorf("stderr of the failure: %q", got)
			}
		}
	})
}

// Each task error names what it could not do; its downstreams say that their upstream errored (4.7).
func TestTaskErrors(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`input: shell: "echo", inputs: [in.txt]`,
			`output: shell: "echo words", outputs: [out.txt]`,
			`kind: shell: "echo file > dir", outputs: [dir/]`,
			`program: command: [no-such-program]`,
			`below: shell: "echo", deps: ["~:program"]`)
		r := w.run(t, haz.RunOptions{})
		r.counts(t, 0, 0, 4, 1, 0)
		for id, want := range map[string]struct {
			kind   messages.ErrorKind
			reason string
		}{
			"p:input":   {messages.ErrKey, "/p/in.txt"},
			"p:output":  {messages.ErrOutputMissing, "out.txt"},
			"p:kind":    {messages.ErrOutputKind, "dir/ is no folder"},
			"p:program": {messages.ErrSpawn, "not found"},
		} {
			o := r.outcome(t, id)
			if o.Status != messages.Failed || o.Error == nil || o.Error.Kind != want.kind || !strings.Contains(o.Error.Reason, want.reason) {
				t.Errorf("%s: %+v, error %+v", id, o, o.Error)
			}
		}
		if o := r.outcome(t, "p:below"); o.Cause != messages.UpstreamDidErr || o.Root.String() != "p:program" {
			t.Errorf("%+v", o)
		}
		if r.output("p:output", false) != "words\n" {
			t.Error("the output of a task that errored was not observed")
		}
		if n := len(w.entries(t)); n > 0 {
			t.Errorf("%d entries were stored", n)
		}
	})
}

func TestDiamond(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`top: shell: "echo top > top.txt", outputs: [top.txt]`,
			`left: shell: "cat top.txt > left.txt", inputs: [top.txt], outputs: [left.txt], deps: ["~:top"]`,
			`right: shell: "cat top.txt > right.txt", inputs: [top.txt], outputs: [right.txt], deps: ["~:top"]`,
			`bottom: shell: "cat left.txt right.txt > bottom.txt", inputs: [left.txt, right.txt], outputs: [bottom.txt], deps: ["~:left", "~:right"]`)
		r := w.run(t, haz.RunOptions{}, "p:bottom")
		r.counts(t, 4, 0, 0, 0, 0)
		r.processes(t, "p:top", "p:left", "p:right", "p:bottom")
		if r.started[0] != "p:top" || r.started[3] != "p:bottom" {
			t.Errorf("started in the order %q", r.started)
		}
		w.has(t, "/p/bottom.txt", "top\ntop\n")
		w.remove(t, "/p/top.txt", "/p/left.txt", "/p/right.txt", "/p/bottom.txt")
		w.run(t, haz.RunOptions{}, "p:bottom").counts(t, 4, 4, 0, 0, 0)
		w.has(t, "/p/bottom.txt", "top\ntop\n", "/p/left.txt", "top\n")
	})
}

func TestChain(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		const n = 50
		lines := []string{`t00: shell: "cat in.txt > 00", inputs: [in.txt], outputs: ["00"]`}
		want := []string{"p:t00"}
		for i := 1; i < n; i++ {
			lines = append(lines, fmt.Sprintf(`t%02d: shell: "cat %02d > %02d; echo %d >> %02d", inputs: ["%02d"], outputs: ["%02d"], deps: ["~:t%02d"]`, i, i-1, i, i, i, i-1, i, i-1))
			want = append(want, fmt.Sprintf("p:t%02d", i))
		}
		tasks(t, w, lines...)
		w.write(t, "/p/in.txt", "0\n")
		r := w.run(t, haz.RunOptions{}, "p:t49")
		r.counts(t, n, 0, 0, 0, 0)
		if !slices.Equal(r.started, want) {
			t.Errorf("started in the order %q", r.started)
		}
		if o := r.outcome(t, "p:t49"); len(o.Outputs) != 1 || o.Outputs[0].Size != 2*10+3*40 {
			t.Errorf("%+v", o.Outputs)
		}
		r = w.run(t, haz.RunOptions{}, "p:t49")
		r.counts(t, n, n, 0, 0, 0)

		// A failure at the top skips all the others, and each names it.
		w.remove(t, "/p/in.txt")
		r = w.run(t, haz.RunOptions{}, "p:t49")
		r.counts(t, 0, 0, 1, n-1, 0)
		if o := r.outcome(t, "p:t49"); o.Root.String() != "p:t00" || o.Cause != messages.UpstreamDidErr {
			t.Errorf("%+v", o)
		}
	})
}

func TestManyIndependentTasks(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		n := 200
		if testing.Short() {
			n = 40
		}
		var lines []string
		for i := range n {
			lines = append(lines, fmt.Sprintf(`t%03d: shell: "echo %d > o%03d", outputs: [o%03d]`, i, i, i, i))
		}
		tasks(t, w, lines...)
		r := w.run(t, haz.RunOptions{Jobs: 8})
		r.counts(t, n, 0, 0, 0, 0)
		if w.spawner.most > 8 {
			t.Errorf("%d processes at once, the cap is 8", w.spawner.most)
		}
		for i := range n {
			w.has(t, fmt.Sprintf("/p/o%03d", i), fmt.Sprintln(i))
		}
		r = w.run(t, haz.RunOptions{Jobs: 8})
		r.counts(t, n, n, 0, 0, 0)
	})
}

// A failure in the middle: what does not depend on it goes on, also what starts only later (EXEC-010).
func TestFailureInTheMiddle(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`a1: shell: "echo 1 > a1", outputs: [a1]`,
			`a2: shell: "exit 1", deps: ["~:a1"]`,
			`a3: shell: "echo", deps: ["~:a2"]`,
			`a4: shell: "echo", deps: ["~:a3", "~:b3"]`,
			`b1: shell: "await failed; echo 1 > b1", outputs: [b1]`,
			`b2: shell: "cat b1 > b2", inputs: [b1], outputs: [b2], deps: ["~:b1"]`,
			`b3: shell: "cat b2 > b3", inputs: [b2], outputs: [b3], deps: ["~:b2"]`)
		r := w.run(t, haz.RunOptions{Observer: func(e messages.Event) {
			if end, ok := e.(messages.TaskFinished); ok && end.Outcome.Status == messages.Failed {
				w.write(t, "/p/failed", "")
			}
		}})
		r.counts(t, 4, 0, 1, 2, 0)
		for _, id := range []string{"p:a3", "p:a4"} {
			if o := r.outcome(t, id); o.Status != messages.Skipped || o.Root.String() != "p:a2" {
				t.Errorf("%+v", o)
			}
		}
		w.has(t, "/p/b3", "1\n")
	})
}

// An empty plan is a run that starts nothing and makes nothing.
func TestEmptyRun(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t, "/.haz/workspace.yml", "projects: []\n")
		w.run(t, haz.RunOptions{}).counts(t, 0, 0, 0, 0, 0)
		if list, err := w.fs.List("/.haz"); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
	})
}
