package actorstest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/load"
)

// World is a random workspace in memory, with scripts whose outputs are a function of their inputs, so that a wrong byte shows.
type World struct {
	Host    fsys.FS
	FS      fsys.FS // rooted at the workspace
	Graph   *graph.Graph
	Scripts map[string]Script
	Cap     int
	// Rewriting: tasks that may do so write again what they need.
	Rewriting bool
	tasks     []worldTask
	tried     map[string]int // processes that have worked, by task
}

type worldTask struct {
	project, name   string
	hard, soft      []int
	reads           []int // literal outputs of others among its inputs
	glob            bool  // output pattern is a glob that meets another's
	clashes         bool  // it makes a file that others make as well
	mutex           string
	exit            int
	uncached        bool
	missing, stubby bool
	takes           time.Duration
	timeout         time.Duration // 0: none
	alone           bool
	leftOut         bool          // its condition does not hold
	finalizes       []int         // tasks whose finalizer it is
	asked           bool          // though it is one, it is a target as well
	rewrites        bool          // it writes again what its hard upstreams have made
	retries, fails  int           // the first processes fail; then it succeeds, if it is to
	delay           time.Duration // between attempts
	service         *worldService
}

func (t worldTask) id() string  { return t.project + ":" + t.name }
func (t worldTask) out() string { return "/" + t.project + "/out/" + t.name + ".txt" }
func (t worldTask) src() string { return "/" + t.project + "/src/" + t.name + ".txt" }

// WorldOptions bound what a random workspace may have.
type WorldOptions struct {
	MaxTasks int
	Failures bool // tasks that fail, or whose program is missing
	Overlaps bool // output patterns that meet
	Clashes  bool // and files that several of them make
	Timeouts bool // processes that run out of time, or nearly
	LeftOut  bool // tasks whose condition does not hold, which nobody reads
	Alone    bool // tasks that have the terminal
	// Finalizers of other tasks, and what they depend on; most of them are no targets.
	Finalizers bool
	Retries    bool // tasks that are tried again, most of which succeed in the end
	// Services that others depend on, all of which are ready some time after they were started; with Unsteady ones that are not in time, that die, that are started
	// again, and that find their port taken.
	Services, Unsteady bool
	// Rewrites: once Rewriting is set, some tasks write again, with the same bytes, what they need.
	Rewrites bool
}

// NewWorld makes a workspace from a seed. Of an invention that the loader refuses (a glob output that closes a cycle), the
// next one is taken.
func NewWorld(seed int64, o WorldOptions) (*World, error) {
	rng := rand.New(rand.NewSource(seed))
	var err error
	for range 100 {
		var w *World
		if w, err = newWorld(rng, o); err == nil {
			return w, nil
		}
	}
	return nil, err
}

// script is what the process of a command does.
func (w *World) script(c process.Command) (Script, bool) {
	s := w.Scripts[c.Label]
	return s, true
}

func newWorld(rng *rand.Rand, o WorldOptions) (*World, error) {
	w := &World{Host: memfs.New(), Scripts: map[string]Script{}, tried: map[string]int{}, Cap: 1 + rng.Intn(4)}
	w.invent(rng, o)
	if err := w.write(rng); err != nil {
		return nil, err
	}
	ws, fs, err := load.Workspace(context.Background(), w.Host, "/ws", load.Options{})
	if err != nil {
		return nil, err
	}
	w.FS = fs
	g, list := graph.Build(ws)
	if list.HasErrors() {
		return nil, fmt.Errorf("the random workspace is wrong: %v", list)
	}
	w.Graph = g
	w.teach()
	return w, nil
}

// Clone copies the world with its disk, inode numbers, times and all.
func (w *World) Clone() (*World, error) {
	c := *w
	host := w.Host.(*memfs.FS).Clone()
	fs, err := host.Sub("/ws")
	if err != nil {
		return nil, err
	}
	c.Host, c.FS, c.Scripts, c.tried = host, fs, map[string]Script{}, maps.Clone(w.tried)
	c.teach()
	return &c, nil
}

// teach makes the scripts.
func (w *World) teach() {
	for i := range w.tasks {
		t := w.tasks[i]
		if t.service != nil {
			w.Scripts[t.id()] = t.service.script(t)
			continue
		}
		said := t.id() + " says\nhello\n"
		if i%3 == 1 {
			said += strings.Repeat("and more\n", 8)
		}
		program := processtest.Program{Script: w.program(t, said)}
		if t.missing {
			program = processtest.Program{Refuse: &process.NotStartedError{Program: "work", Reason: "program not found in PATH (/bin:/usr/bin)"}}
		}
		w.Scripts[t.id()] = Script{Program: program, Takes: t.takes, IgnoreTerm: t.stubby}
	}
}

// program does the work of a task, if it succeeds, and says something.
func (w *World) program(t worldTask, said string) processtest.Script {
	return func(_ process.Command, out process.Sink, _ <-chan processtest.Signal) process.Exit {
		code := t.exit
		if w.tried[t.id()]++; w.tried[t.id()] <= t.fails {
			_ = afero.WriteFile(w.FS, t.out(), []byte("half made\n"), 0o644)
			code = 75
		} else if code == 0 {
			_ = w.work(t)
			w.rewrite(t)
		}
		for line := range strings.Lines(said) {
			to := process.Stdout
			if line == "hello\n" {
				to = process.Stderr
			}
			out.Write(to, []byte(line))
		}
		return process.Exit{Code: code}
	}
}

func (w *World) invent(rng *rand.Rand, o WorldOptions) {
	n := 1 + rng.Intn(o.MaxTasks)
	letters := rng.Perm(26)
	for i := range n {
		t := worldTask{project: fmt.Sprintf("p%d", rng.Intn(3)), name: string(rune('a' + letters[i])),
			takes: time.Duration(2+rng.Intn(60)) * time.Millisecond}
		for u := range i {
			switch rng.Intn(6) {
			case 0:
				t.hard = append(t.hard, u)
				if rng.Intn(2) == 0 && w.tasks[u].service == nil {
					t.reads = append(t.reads, u)
				}
			case 1:
				if w.tasks[u].service == nil {
					t.soft = append(t.soft, u)
				}
			case 2:
				if w.tasks[u].service != nil {
					t.hard = append(t.hard, u)
				} else if rng.Intn(2) == 0 && w.tasks[u].exit == 0 && !w.tasks[u].glob && !w.tasks[u].missing {
					t.hard, t.reads = append(t.hard, u), append(t.reads, u)
				}
			}
		}
		switch rng.Intn(8) {
		case 0:
			t.mutex = "db"
		case 1:
			t.mutex = "~:db"
		case 2:
			t.mutex = "shared db"
		}
		if o.Failures {
			switch rng.Intn(14) {
			case 0:
				t.exit = 3
			case 1:
				t.missing = true
			case 2:
				t.stubby = true
			}
		}
		t.uncached = rng.Intn(10) == 0
		t.glob = o.Overlaps && rng.Intn(6) == 0
		t.clashes = t.glob && o.Clashes
		if o.Timeouts && rng.Intn(2) == 0 {
			t.timeout = time.Duration(1+rng.Intn(60)) * time.Millisecond
		}
		t.leftOut = o.LeftOut && rng.Intn(3) == 0
		t.alone = o.Alone && rng.Intn(3) == 0
		if o.Finalizers && i > 0 && rng.Intn(2) == 0 {
			t.finalizes = w.finalized(t, rng)
			t.asked = rng.Intn(4) == 0
		}
		t.rewrites = o.Rewrites && rng.Intn(3) == 0
		if o.Retries && rng.Intn(2) == 0 {
			t.retries, t.fails = 1+rng.Intn(3), rng.Intn(4)
			t.delay = []time.Duration{0, 10 * time.Millisecond, 5 * time.Second}[rng.Intn(3)]
		}
		if o.Services && rng.Intn(3) == 0 {
			t = asService(t, rng, o.Unsteady)
		}
		w.tasks = append(w.tasks, t)
	}
}

// finalized picks one or two of the tasks so far, which a task does not depend on: it would be skipped when they fail (DAG-021).
func (w *World) finalized(t worldTask, rng *rand.Rand) (of []int) {
	behind := map[int]bool{}
	for todo := slices.Clone(t.hard); len(todo) > 0; todo = todo[1:] {
		if !behind[todo[0]] {
			behind[todo[0]] = true
			todo = append(todo, w.tasks[todo[0]].hard...)
		}
	}
	for range 1 + rng.Intn(2) {
		if u := rng.Intn(len(w.tasks)); !behind[u] && !slices.Contains(of, u) {
			of = append(of, u)
		}
	}
	return of
}

// targets are the tasks that a run is asked for: all but finalizers, and some of these.
func (w *World) targets() (list []int) {
	no := map[string]bool{}
	for _, t := range w.tasks {
		no[t.id()] = len(t.finalizes) > 0 && !t.asked
	}
	for i, t := range w.Graph.W.Tasks {
		if !no[t.ID.String()] {
			list = append(list, i)
		}
	}
	return list
}

// write puts the files of the workspace on the disk.
func (w *World) write(rng *rand.Rand) error {
	projects := map[string][]worldTask{}
	for _, t := range w.tasks {
		projects[t.project] = append(projects[t.project], t)
	}
	var names []string
	for p := range projects {
		names = append(names, p)
	}
	sort.Strings(names)
	files := map[string]string{}
	list := "projects:\n"
	for _, p := range names {
		list += "  - /" + p + "\n"
		var b strings.Builder
		fmt.Fprintf(&b, "name: %s\n", p)
		if rng.Intn(2) == 0 {
			b.WriteString("tags: [heavy]\n")
		}
		b.WriteString("tasks:\n")
		for _, t := range projects[p] {
			b.WriteString(w.yaml(t))
			files["/ws"+t.src()] = "source of " + t.id()
		}
		files["/ws/"+p+"/haz.yml"] = b.String()
		files["/ws/"+p+"/out/.keep"] = ""
	}
	files["/ws/.haz/workspace.yml"] = list + "concurrency: {tags: {heavy: 1}}\nexecution: {cancel_grace: 0.2}\n"
	for name, text := range files {
		if err := w.Host.MkdirAll(name[:strings.LastIndex(name, "/")], 0o755); err != nil {
			return err
		}
		if err := afero.WriteFile(w.Host, name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) yaml(t worldTask) string {
	refs := func(is []int) string {
		var s []string
		for _, i := range is {
			s = append(s, `"`+w.tasks[i].id()+`"`)
		}
		return "[" + strings.Join(s, ", ") + "]"
	}
	if t.service != nil {
		return t.service.yaml(t, refs)
	}
	inputs := []string{t.src()}
	for _, r := range t.reads {
		inputs = append(inputs, w.tasks[r].out())
	}
	out := "out/" + t.name + ".txt"
	if t.glob {
		out = "out/?.txt"
	}
	s := fmt.Sprintf("  %s:\n    command: [work, %q]\n    inputs: [%s]\n    outputs: [%q]\n", t.name, t.id(), strings.Join(inputs, ", "), out)
	if len(t.hard) > 0 {
		s += "    deps: " + refs(t.hard) + "\n"
	}
	if len(t.soft) > 0 {
		s += "    weakDeps: " + refs(t.soft) + "\n"
	}
	var after []int
	for f := range w.tasks {
		for _, of := range w.tasks[f].finalizes {
			if w.tasks[of].id() == t.id() {
				after = append(after, f)
			}
		}
	}
	if len(after) > 0 {
		s += "    after: " + refs(after) + "\n"
	}
	if name, ok := strings.CutPrefix(t.mutex, "shared "); ok {
		s += fmt.Sprintf("    mutex: {name: %s, mode: shared}\n", name)
	} else if t.mutex != "" {
		s += fmt.Sprintf("    mutex: %q\n", t.mutex)
	}
	if t.alone {
		s += "    interactive: true\n"
	}
	if t.uncached {
		s += "    cache: false\n"
	}
	if t.retries > 0 {
		s += fmt.Sprintf("    retry: {times: %d, delay: %s, factor: 2}\n", t.retries, workspace.Period(t.delay))
	}
	if t.leftOut {
		s += "    if: {os: windows}\n"
	}
	if t.timeout > 0 {
		s += "    timeout: " + workspace.Period(t.timeout) + "\n"
	}
	return s
}

// work is the body of a task: its output names it and the digests of all it reads. One that was tried before appends, so that what a
// failed attempt has left would show.
func (w *World) work(t worldTask) error {
	text, err := w.product(t, func(path string) ([]byte, error) {
		b, _, err := w.FS.ReadFile(path, 0)
		return b, err
	})
	if err != nil {
		return err
	}
	if t.clashes {
		if err := afero.WriteFile(w.FS, "/"+t.project+"/out/0.txt", text, 0o644); err != nil {
			return err
		}
	}
	if t.fails > 0 {
		was, _, _ := w.FS.ReadFile(t.out(), 0)
		text = append(was, text...)
	}
	return afero.WriteFile(w.FS, t.out(), text, 0o644)
}

// rewrite is what some tasks do to what they need, if they find it.
func (w *World) rewrite(t worldTask) {
	for _, u := range t.hard {
		if b, _, err := w.FS.ReadFile(w.tasks[u].out(), 0); err == nil && w.Rewriting && t.rewrites {
			_ = afero.WriteFile(w.FS, w.tasks[u].out(), b, 0o644)
		}
	}
}

func (w *World) product(t worldTask, read func(string) ([]byte, error)) ([]byte, error) {
	out := t.id() + "\n"
	paths := []string{t.src()}
	for _, r := range t.reads {
		paths = append(paths, w.tasks[r].out())
	}
	for _, p := range paths {
		b, err := read(p)
		if err != nil {
			return nil, err
		}
		out += p + " " + hasher.Sum(digest.BLAKE3, b).Hex() + "\n"
	}
	return []byte(out), nil
}

// Wrong compares the output of a task in the tree with what it must be for the sources in the tree; "" when it is right.
func (w *World) Wrong(id string) string {
	for _, t := range w.tasks {
		if t.id() != id || t.service != nil {
			continue
		}
		want, err := w.expected(t)
		if err != nil {
			return err.Error()
		}
		got, _, err := w.FS.ReadFile(t.out(), 0)
		if err != nil {
			return err.Error()
		}
		if string(got) != string(want) {
			return fmt.Sprintf("%s holds %q, not %q", t.out(), got, want)
		}
	}
	return ""
}

func (w *World) expected(t worldTask) ([]byte, error) {
	return w.product(t, func(path string) ([]byte, error) {
		for _, u := range w.tasks {
			if u.out() == path {
				return w.expected(u)
			}
		}
		b, _, err := w.FS.ReadFile(path, 0)
		return b, err
	})
}

// Damage flips a bit in every output that the cache holds, so that each entry turns out to be damaged when it is looked up or restored: in its own file, or
// in the one of an entry that is packed, where outputs come last (CACHE-037).
func (w *World) Damage() {
	below(w.FS, "/.haz/cache", func(path string) {
		b, _, err := w.FS.ReadFile(path, 0)
		packed := bytes.HasPrefix(b, []byte("haz manifest 5 "))
		if err == nil && len(b) > 0 && (packed || strings.Contains(path, "/outputs/")) {
			b[len(b)-1] ^= 1
			_ = w.FS.Chmod(path, 0o644)
			_ = afero.WriteFile(w.FS, path, b, 0o644)
		}
	})
}

// below calls f with every file below a directory, in no order.
func below(f fsys.FS, dir string, each func(path string)) {
	entries, _ := f.List(dir)
	for _, e := range entries {
		if at := dir + "/" + e.Name; e.Kind == fsys.Dir {
			below(f, at, each)
		} else {
			each(at)
		}
	}
}

// Edit changes the source of the n-th task.
func (w *World) Edit(n int) {
	src := w.tasks[n].src()
	was, _, _ := w.FS.ReadFile(src, 0)
	_ = afero.WriteFile(w.FS, src, append(was, '!'), 0o644)
}

// RemoveOutput deletes the output of the n-th task, if it is there.
func (w *World) RemoveOutput(n int) { _ = w.FS.Remove(w.tasks[n%len(w.tasks)].out()) }
