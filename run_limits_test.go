package haz_test

import (
	"fmt"
	"slices"
	"testing"

	haz "github.com/haz-build/haz"
)

// With one job, tasks start in canonical order, one after the other (EXEC-003, EXEC-004, S-37).
func TestOneJob(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `d: shell: "echo d"`, `b: shell: "echo b"`, `a: shell: "echo a"`, `c: shell: "echo c"`) // equal ones would share an entry
		r := w.run(t, haz.RunOptions{Jobs: 1})
		if !slices.Equal(r.started, []string{"p:a", "p:b", "p:c", "p:d"}) || w.spawner.most != 1 {
			t.Errorf("started %q, %d at once", r.started, w.spawner.most)
		}
	})
}

// Nor is a task held up by an upstream that has ended, while its records are written and its locks given back: a canonically later
// one would pass.
func TestOneJobAfterAnUpstream(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\n", "/p/haz.yml", `
name: p
tasks:
  left: {shell: "cat top > left", inputs: [top], outputs: [left], deps: ["~:top"]}
  right: {shell: "cat top > right", inputs: [top], outputs: [right], deps: ["~:top"]}
  top: {shell: "echo top > top", outputs: [top]}
`)
		for range 40 {
			r := w.run(t, haz.RunOptions{Jobs: 1, Cache: haz.WriteOnly})
			if want := []string{"p:top", "p:left", "p:right"}; !slices.Equal(r.started, want) {
				t.Fatalf("started %q, want %q", r.started, want)
			}
		}
	})
}

// Two jobs really run at once: each waits for the other.
func TestTwoJobs(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `a: shell: "echo > a.up; await b.up"`, `b: shell: "echo > b.up; await a.up"`, `c: shell: "echo"`)
		w.run(t, haz.RunOptions{Jobs: 2}).counts(t, 3, 0, 0, 0, 0)
		if w.spawner.most != 2 {
			t.Errorf("%d at once", w.spawner.most)
		}
	})
}

// Where nobody says a number, twice as many run as there are CPUs, and at most eight more (EXEC-004).
func TestSlotsByDefault(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.options = append(w.options, haz.WithCPUs(2))
		all := "; await a.up; await b.up; await c.up; await d.up" // ends when four are under way at once
		tasks(t, w, `a: shell: "echo > a.up`+all+`"`, `b: shell: "echo > b.up`+all+`"`, `c: shell: "echo > c.up`+all+`"`, `d: shell: "echo > d.up`+all+`"`,
			`e: shell: "echo e"`, `f: shell: "echo f"`)
		w.run(t, haz.RunOptions{}).counts(t, 6, 0, 0, 0, 0)
		if w.spawner.most != 4 {
			t.Errorf("%d at once", w.spawner.most)
		}
	})
	w := inMemory(t)
	tasks(t, w, `a: shell: "echo"`)
	for cpus, want := range map[int]int{1: 2, 2: 4, 7: 14, 8: 16, 9: 17, 64: 72} {
		if got := w.open(t, haz.WithCPUs(cpus)).Slots(); got != want {
			t.Errorf("%d CPUs: %d slots, want %d", cpus, got, want)
		}
	}
}

// The setting holds where the run says nothing (haz::cfg::028).
func TestConcurrencySetting(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `a: shell: "echo"`, `b: shell: "echo"`, `c: shell: "echo"`)
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\nconcurrency: {default: 1}\n")
		w.run(t, haz.RunOptions{})
		if w.spawner.most != 1 {
			t.Errorf("%d at once", w.spawner.most)
		}
	})
}

// apart reports processes that start while one that they exclude lives.
func apart(t *testing.T, w *world, exclude func(a, b string) bool) {
	w.spawner.onStart = func(label string, alive map[string]int) {
		for other, n := range alive {
			if n > 0 && exclude(label, other) {
				t.Errorf("%s starts while %s runs", label, other)
			}
		}
	}
}

// An exclusive mutex excludes, in first-refused order (2.4, 14.7); shared holders run together; other tasks pass.
func TestMutex(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t, "/.haz/workspace.yml", "projects: [/x, /y]\n",
			"/x/haz.yml", `
name: x
tasks:
  "1": {shell: "await ../y/free", mutex: db, env: {from_host: [PATH]}}
  "2": {shell: "echo", mutex: db}
`,
			"/y/haz.yml", `
name: y
tasks:
  "3": {shell: "echo > 3; await 4", mutex: {name: db, mode: shared}, env: {from_host: [PATH]}}
  "4": {shell: "echo > 4; await 3", mutex: {name: db, mode: shared}, env: {from_host: [PATH]}}
  free: {shell: "echo > free"}
`)
		shared := func(label string) bool { return label == "y:3" || label == "y:4" }
		apart(t, w, func(a, b string) bool { return a != "y:free" && b != "y:free" && !(shared(a) && shared(b)) })
		r := w.run(t, haz.RunOptions{Jobs: 8})
		r.counts(t, 5, 0, 0, 0, 0)
		order := slices.DeleteFunc(slices.Clone(r.started), func(label string) bool { return label == "y:free" })
		if order[0] != "x:1" || order[1] != "x:2" {
			t.Errorf("started in the order %q", r.started)
		}
		// Hits touch no mutex.
		w.run(t, haz.RunOptions{}).counts(t, 5, 5, 0, 0, 0)
	})
}

// A capped tag counts the tasks of its projects (haz::cfg::029); others are not held back.
func TestTagCaps(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t, "/.haz/workspace.yml", "projects: ['/*']\nconcurrency: {tags: {heavy: 1}}\n")
		for i := range 3 {
			w.write(t, fmt.Sprintf("/h%d/haz.yml", i), fmt.Sprintf("name: h%d\ntags: [heavy]\ntasks:\n  t: {shell: 'echo', env: {from_host: [PATH]}}\n", i))
		}
		w.write(t, "/h0/haz.yml", "name: h0\ntags: [heavy]\ntasks:\n  t: {shell: 'await ../light/up', env: {from_host: [PATH]}}\n",
			"/light/haz.yml", "name: light\ntasks:\n  t: {shell: 'echo > up'}\n")
		apart(t, w, func(a, b string) bool { return a[0] == 'h' && b[0] == 'h' })
		r := w.run(t, haz.RunOptions{Jobs: 8})
		r.counts(t, 4, 0, 0, 0, 0)
		heavy := slices.DeleteFunc(slices.Clone(r.started), func(label string) bool { return label[0] != 'h' })
		if !slices.Equal(heavy, []string{"h0:t", "h1:t", "h2:t"}) {
			t.Errorf("started in the order %q", r.started)
		}
	})
}

// Tasks that may write the same path are never at work at once (S-07).
func TestOverlappingOutputsAreApart(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `a: shell: "echo a > a.x", outputs: ["*.x"]`, `b: shell: "echo b > b.x", outputs: ["b*"]`)
		apart(t, w, func(a, b string) bool { return a != b })
		w.run(t, haz.RunOptions{Jobs: 4}).counts(t, 2, 0, 0, 0, 0)
	})
}
