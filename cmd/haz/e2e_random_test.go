//go:build linux

package main

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A random workspace under the real program: sources, tasks and outputs change in random ways, also while haz runs; haz is killed,
// forced, runs beside another one. After each run that succeeded, what its tasks make is what a model says, no file more or less.
//
// The default is a share; HAZ_LONG=1 takes the whole, HAZ_SEED another series.
func TestRandomWorkspaces(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	t.Parallel()
	random := seeded(t)
	runs, cached := 0, 0
	for n := range share(4, 150) {
		seed := random.Uint64()
		w := newRandomWorkspace(t, rand.New(rand.NewPCG(seed, 0)), fmt.Sprintf("random-%d-%d", os.Getpid(), n))
		for round := range 15 {
			w.disturb()
			w.round(round)
			if t.Failed() {
				t.Fatalf("workspace %d, round %d: %s", n, round, strings.Join(w.log, "; "))
			}
		}
		runs, cached = runs+w.runs, cached+w.cached
	}
	t.Logf("%d runs, %d times a task came from the cache", runs, cached)
	if cached < runs {
		t.Error("hardly anything came from the cache: this looks at nothing")
	}
}

type randomKind int

const (
	makesEach randomKind = iota // a file for each source, and one of all
	makesOne                    // one file of all
	checks                      // nothing
	groups                      // nothing, and has no command to speak of
)

type randomTask struct {
	project int
	kind    randomKind
	version int
	deps    []int // tasks before it
	reads   []int // of those that it depends on, also by way of others
	cached  bool
}

type randomWorkspace struct {
	*rand.Rand
	t            *testing.T
	root, mark   string
	sources      []map[string]string // by project: what is in src, by name; "-> 1" leads to src/a0 of project 1
	tasks        []*randomTask
	was          [][]map[string]string // sources of before, to go back to
	log          []string              // what was done to it
	runs, cached int
}

func newRandomWorkspace(t *testing.T, random *rand.Rand, mark string) *randomWorkspace {
	w := &randomWorkspace{Rand: random, t: t, root: t.TempDir(), mark: mark}
	for range 1 + w.IntN(4) {
		w.sources = append(w.sources, map[string]string{"a0": w.text()})
	}
	for i := range 4 + w.IntN(8) {
		task := &randomTask{project: w.IntN(len(w.sources)), kind: randomKind(w.IntN(4)), cached: w.IntN(8) > 0}
		task.deps = w.Perm(i)[:min(i, w.IntN(4))]
		slices.Sort(task.deps)
		for _, up := range w.behind(task) {
			if w.tasks[up].kind <= makesOne && w.IntN(2) == 0 {
				task.reads = append(task.reads, up)
			}
		}
		w.tasks = append(w.tasks, task)
	}
	mustWrite(t, w.at(".haz/workspace.yml"), "projects: [/p*]\n")
	w.write()
	return w
}

func (w *randomWorkspace) at(name string) string { return filepath.Join(w.root, name) }

func (w *randomWorkspace) text() string {
	return fmt.Sprintf("%06d %s\n", w.IntN(1000), strings.Repeat("x", w.IntN(3)*w.IntN(3000)))
}

// behind are the tasks that one depends on, in their order.
func (w *randomWorkspace) behind(task *randomTask) []int {
	seen := map[int]bool{}
	var visit func(deps []int)
	visit = func(deps []int) {
		for _, up := range deps {
			if !seen[up] {
				seen[up] = true
				visit(w.tasks[up].deps)
			}
		}
	}
	visit(task.deps)
	return slices.Sorted(maps.Keys(seen))
}

func (w *randomWorkspace) source(project int, name string) string {
	text := w.sources[project][name]
	if to, ok := strings.CutPrefix(text, "-> "); ok {
		return w.sources[to[0]-'0']["a0"]
	}
	return text
}

// made is what a task makes in its own folder.
func (w *randomWorkspace) made(i int) map[string]string {
	task, out := w.tasks[i], map[string]string{}
	all := fmt.Sprintf("t%d v%d\n", i, task.version)
	for _, name := range slices.Sorted(maps.Keys(w.sources[task.project])) {
		all += w.source(task.project, name)
		if task.kind == makesEach {
			out[name+".o"] = fmt.Sprintf("%d.%d\n", i, task.version) + w.source(task.project, name)
		}
	}
	for _, up := range task.reads {
		files := w.made(up)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			all += files[name]
		}
	}
	out["all"] = all
	return out
}

func (w *randomWorkspace) script(i int) string {
	task := w.tasks[i]
	cat := "cat src/*"
	for _, up := range task.reads {
		cat += fmt.Sprintf("; cat ../p%d/out/%d/*", w.tasks[up].project, up)
	}
	switch task.kind {
	case groups:
		return ":"
	case checks:
		return fmt.Sprintf("{ %s; } | wc -c; : v%d", cat, task.version)
	}
	s := fmt.Sprintf("mkdir -p out/%d; { echo t%d v%d; %s; } > out/%d/all", i, i, task.version, cat, i)
	if task.kind == makesEach {
		s += fmt.Sprintf("; for f in src/*; do { echo %d.%d; cat $f; } > out/%d/${f#src/}.o; done", i, task.version, i)
	}
	return s
}

// write brings the files on disk up to date. What is already right is not touched.
func (w *randomWorkspace) write() {
	w.t.Helper()
	for p, files := range w.sources {
		dir := w.at(fmt.Sprintf("p%d/src", p))
		there, _ := os.ReadDir(dir)
		for _, d := range there {
			if _, ok := files[d.Name()]; !ok {
				removeAll(w.t, dir, d.Name())
			}
		}
		for name, text := range files {
			w.put(filepath.Join(dir, name), text)
		}
		yml := fmt.Sprintf("name: p%d\ntasks:\n  nothing: {shell: ':'}\n", p)
		for i, task := range w.tasks {
			if task.project != p {
				continue
			}
			var deps []string
			for _, up := range task.deps {
				deps = append(deps, fmt.Sprintf("'p%d:t%d'", w.tasks[up].project, up))
			}
			yml += fmt.Sprintf("  t%d: {shell: %q, deps: [%s], cache: %v, env: {from_host: [PATH], override: {LC_ALL: C}}", i, w.script(i), strings.Join(deps, ", "), task.cached)
			if task.kind != groups {
				yml += ", inputs: ['src/*']"
			}
			switch task.kind {
			case makesEach:
				yml += fmt.Sprintf(", outputs: ['out/%d/**']", i)
			case makesOne:
				yml += fmt.Sprintf(", outputs: ['out/%d/all']", i)
			}
			yml += "}\n"
		}
		w.put(w.at(fmt.Sprintf("p%d/haz.yml", p)), yml)
	}
}

func (w *randomWorkspace) put(file, text string) {
	w.t.Helper()
	if to, ok := strings.CutPrefix(text, "-> "); ok {
		link := "../../p" + to + "/src/a0"
		if is, err := os.Readlink(file); err != nil || is != link {
			removeAll(w.t, filepath.Dir(file), filepath.Base(file))
			if err := os.Symlink(link, file); err != nil {
				w.t.Fatal(err)
			}
		}
		return
	}
	if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
		if is, err := os.ReadFile(file); err == nil && string(is) == text {
			return
		}
		if w.IntN(2) == 0 { // in its place, with its time put back
			if err := os.WriteFile(file, []byte(text), 0o644); err == nil {
				err = os.Chtimes(file, info.ModTime(), info.ModTime())
				if err != nil {
					w.t.Fatal(err)
				}
				return
			}
		}
	}
	removeAll(w.t, filepath.Dir(file), filepath.Base(file))
	mustWrite(w.t, file, text)
}

func (w *randomWorkspace) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// disturb changes some things that lie on the disk.
func (w *randomWorkspace) disturb() {
	for range w.IntN(4) {
		w.disturbOnce()
	}
	w.write()
	now := make([]map[string]string, len(w.sources))
	for p := range w.sources {
		now[p] = maps.Clone(w.sources[p])
	}
	w.was = append(w.was, now)
}

func (w *randomWorkspace) disturbOnce() {
	p, i := w.IntN(len(w.sources)), w.IntN(len(w.tasks))
	task := w.tasks[i]
	out := fmt.Sprintf("p%d/out/%d", task.project, i)
	name := fmt.Sprintf("%c%d", 'a'+rune(w.IntN(3)), w.IntN(3))
	switch w.IntN(9) {
	case 0, 1:
		w.note("edit p%d/src/%s", p, name)
		w.sources[p][name] = w.text()
	case 2:
		if name != "a0" {
			w.note("remove p%d/src/%s", p, name)
			delete(w.sources[p], name)
		}
	case 3:
		if name != "a0" {
			to := w.IntN(len(w.sources))
			w.note("p%d/src/%s leads to p%d", p, name, to)
			w.sources[p][name] = fmt.Sprintf("-> %d", to)
			if text := w.sources[to]["a0"]; strings.HasPrefix(text, "-> ") {
				w.t.Fatal("a link leads to a link")
			}
		}
	case 4:
		w.note("another version of t%d", i)
		task.version = w.IntN(3)
	case 5:
		if len(w.was) > 0 {
			w.note("go back")
			for q, files := range w.was[w.IntN(len(w.was))] {
				w.sources[q] = maps.Clone(files)
			}
		}
	case 6:
		w.note("remove %s", out)
		removeAll(w.t, w.root, out)
	case 7:
		w.note("remove a file of %s", out)
		if there, _ := os.ReadDir(w.at(out)); len(there) > 0 {
			removeAll(w.t, w.at(out), there[w.IntN(len(there))].Name())
		}
	case 8:
		if _, err := os.Stat(w.at(out + "/all")); err == nil {
			w.note("edit %s/all", out)
			w.put(w.at(out+"/all"), w.text())
		}
	}
}

// round is a run, or several, the last of which has to be right.
func (w *randomWorkspace) round(n int) {
	target := -1
	args := []string{"run", "--workspace"}
	if w.IntN(3) == 0 {
		target = w.IntN(len(w.tasks))
		args = []string{"run", fmt.Sprintf("p%d:t%d", w.tasks[target].project, target)}
	}
	var second *hazProcess
	switch w.IntN(8) {
	case 0:
		args = append(args, "--force")
	case 1:
		args = append(args, "-j1")
	case 2:
		w.note("a run that is killed")
		p := startHaz(w.t, w.root, w.mark, args...)
		time.Sleep(time.Duration(w.IntN(60)) * time.Millisecond)
		_ = p.cmd.Process.Kill()
		p.ends(w.t, time.Minute)
		if !eventually(2*time.Second+slack, func() bool { return len(marked(w.mark)) == 0 }) {
			w.t.Errorf("alive after the end: %v", marked(w.mark))
		}
	case 3:
		w.note("a run during which the sources change")
		p := startHaz(w.t, w.root, w.mark, args...)
		for range 1 + w.IntN(3) {
			time.Sleep(time.Duration(w.IntN(20)) * time.Millisecond)
			w.disturb()
		}
		p.ends(w.t, time.Minute) // what it found is anybody's guess
	case 4:
		w.note("a second one beside it")
		second = startHaz(w.t, w.root, w.mark, "run", "--workspace")
	case 5:
		w.note("clean")
		if p := startHaz(w.t, w.root, w.mark, "cache", "clean", "--max-size", "2KB"); p.ends(w.t, time.Minute) != 0 {
			w.t.Errorf("stderr:\n%s", p.said())
		}
	}
	w.note("%d: %s", n, strings.Join(args, " "))
	p := startHaz(w.t, w.root, w.mark, args...)
	if p.ends(w.t, time.Minute) != 0 {
		w.t.Errorf("exit code %d; stderr:\n%s", p.cmd.ProcessState.ExitCode(), p.said())
		return
	}
	if second != nil && second.ends(w.t, time.Minute) != 0 {
		w.t.Errorf("the second one failed; stderr:\n%s", second.said())
	}
	w.runs++
	w.cached += strings.Count(p.said(), "] ◉ cached")
	for i := range w.tasks {
		if target < 0 || i == target || slices.Contains(w.behind(w.tasks[target]), i) {
			w.check(i, p)
		}
	}
}

func (w *randomWorkspace) check(i int, p *hazProcess) {
	task := w.tasks[i]
	if task.kind > makesOne {
		return
	}
	dir, want, found := fmt.Sprintf("p%d/out/%d", task.project, i), w.made(i), map[string]string{}
	err := fs.WalkDir(os.DirFS(w.at(dir)), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(w.at(dir), name))
		found[name] = string(b)
		return err
	})
	if err != nil || !maps.Equal(found, want) {
		w.t.Errorf("%s (%v):\ngot  %q\nwant %q\nstderr:\n%s", dir, err, shortened(found), shortened(want), p.said())
	}
}

func shortened(files map[string]string) map[string]string {
	short := map[string]string{}
	for name, text := range files {
		short[name] = strings.ReplaceAll(text, strings.Repeat("x", 50), "")
	}
	return short
}
