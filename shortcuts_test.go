package haz_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
)

// TestShortcutsAgree edits workspaces at random and runs them after each edit twice, on two copies of the same disk: with what an earlier run has
// written down of what is up to date, and without. Events, outcomes, processes and trees must be the same (S-52 to S-57).
//
// HAZ_SEEDS=N tries N sequences, HAZ_SEED=S begins with that one.
func TestShortcutsAgree(t *testing.T) {
	t.Parallel()
	first, n := 1, 60
	if testing.Short() {
		n = 15
	}
	if s, err := strconv.Atoi(os.Getenv("HAZ_SEEDS")); err == nil {
		n = s
	}
	if s, err := strconv.Atoi(os.Getenv("HAZ_SEED")); err == nil {
		first = s
	}
	settled, foreseen := 0, 0
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+n; seed++ {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				e := newEditor(t, int64(seed))
				for step := range 12 {
					e.step(t, step)
					if t.Failed() {
						t.Fatalf("edits:\n  %s\nreplay: HAZ_SEED=%d HAZ_SEEDS=1 go test -run TestShortcutsAgree .", strings.Join(e.log, "\n  "), seed)
					}
				}
				settled += e.settled
				foreseen += e.foreseen
			})
		}
	})
	if n > 20 && (settled < n || foreseen < n/4) {
		t.Errorf("in %d sequences %d tasks were settled, and %d foreseen: nothing was tried", n, settled, foreseen)
	}
}

// editor is somebody who edits a workspace, and knows what lies there.
type editor struct {
	r       *rand.Rand
	w       *world
	log     []string
	env     []string
	older   map[string]string // state files of earlier
	swapped map[string]bool   // folders that are links now
	beside  *world            // a workspace with the same files and the same cache; nil: there is none

	settled, foreseen int
}

// words of the files of projects, of which each is chosen at random.
var words = map[string][]string{
	"LIBIN":  {`["src/*", conf]`, `[src]`, `["src/**", "conf"]`, `["src/{a,b}", "none/*", conf]`},
	"LIBOUT": {`[out/o]`, `["out/*"]`, `[out/]`, `["out/**"]`},
	"LIBENV": {`{from_host: [FLAVOUR]}`, `{override: {X: one}}`, `{override: {X: two}}`, `{}`},
	"SAY":    {`echo built`, `echo built; echo odd >&2`, `mkdir -p out`},
	"DEP":    {`["lib:build"]`, `[{task: "lib:build", closure: false}]`, `[{task: "lib:build", streams: true}]`, `["lib:build", "gen:build"]`},
	"WEAK":   {`[]`, `["gen:build"]`},
	"IF":     {``, "\n    if: {exists: text}", "\n    if: {env: FLAVOUR}"},
	"AFTER":  {``, "\n    after: [\"gen:tidy\"]"},
	"CACHE":  {``, "\n    cache: false"},
}

var files = map[string]string{
	"/lib/haz.yml": `name: lib
tasks:
  build:
    shell: "mkdir -p out; SAY; cat src/a src/b conf > out/o"
    inputs: LIBIN
    outputs: LIBOUT
    env: LIBENV
  check:
    shell: "cat src/a"
    inputs: ["src/a"]
    weakDeps: WEAK
`,
	"/app/haz.yml": `name: app
tasks:
  build:
    shell: "mkdir -p out/sub; cat main ../lib/out/o > out/sub/app; SAY"
    inputs: [main, "link"]
    outputs: ["out/**"]
    deps: DEPAFTER
  test:
    shell: "cat out/sub/app; echo good"
    deps: ["~:build", "lib:check"]
`,
	"/gen/haz.yml": `name: gen
tasks:
  build:
    shell: "cat text > page"
    inputs: [text]
    outputs: [page]IFCACHE
  tidy: {shell: "echo tidy"}
`,
}

const workspaceFile = "projects: [/lib, /app, /gen]\n"

func (e *editor) one(list []string) string { return list[e.r.Intn(len(list))] }

func (e *editor) declare(t *testing.T, name string) {
	text := files[name]
	for _, word := range slices.Sorted(maps.Keys(words)) {
		text = strings.ReplaceAll(text, word, e.one(words[word]))
	}
	e.w.write(t, name, text)
}

func newEditor(t *testing.T, seed int64) *editor {
	e := &editor{r: rand.New(rand.NewSource(seed)), w: inMemory(t), older: map[string]string{}, swapped: map[string]bool{}, env: []string{"PATH=/bin"}}
	if e.r.Intn(3) == 0 {
		e.w.mem.SetGranularity([]time.Duration{time.Millisecond, 10 * time.Millisecond, time.Second}[e.r.Intn(3)])
	}
	if e.r.Intn(2) == 0 { // a kernel with fine times
		e.w.mem.SetTime(e.w.mem.Now().Add(123456789))
		e.w.mem.SetStep(time.Microsecond)
		e.w.mem.SetFine(e.r.Intn(4) > 0)
	}
	e.w.write(t, "/.haz/workspace.yml", workspaceFile)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		e.declare(t, name)
	}
	e.w.write(t, "/lib/src/a", "a1\n", "/lib/src/b", "b1\n", "/lib/conf", "c1\n", "/app/main", "m1\n", "/app/real", "r1\n", "/gen/text", "t1\n")
	must(t, e.w.fs.Symlink("real", "/app/link"))
	e.w.mem.Advance(time.Minute)
	if e.r.Intn(3) == 0 {
		e.settleBeside(t)
	}
	return e
}

// sharedCache is where the cache of several workspaces lies, on their disk.
const sharedCache = "/both/cache"

// settleBeside makes a second workspace, beside the first one and with its cache.
func (e *editor) settleBeside(t *testing.T) {
	must(t, e.w.mem.MkdirAll("/beside", 0o755))
	must(t, e.w.mem.MkdirAll("/both", 0o755))
	e.beside = inWorkspaceAt(t, e.w.mem, "/beside")
	for name, text := range lyingFiles(t, e.w) {
		e.beside.write(t, name, text)
	}
	e.beside.write(t, "/.haz/workspace.yml", workspaceFile)
	must(t, e.beside.fs.Symlink("real", "/app/link"))
}

// runBeside lets somebody edit the other workspace, maybe, and run it, with shortcuts or without.
func (e *editor) runBeside(t *testing.T) {
	w := inWorkspaceAt(t, e.w.mem, "/beside")
	if e.r.Intn(2) == 0 {
		name := e.one(sources)
		w.write(t, name, fmt.Sprintf("%c%d\n", 'a'+rune(e.r.Intn(4)), e.r.Intn(10)))
	}
	w.options = append(w.options, haz.WithEnvironment(e.env), haz.WithCacheDir(sharedCache))
	if e.r.Intn(2) == 0 {
		w.options = append(w.options, haz.WithoutShortcuts())
	}
	e.note("run beside: %v", w.unchecked(t, haz.RunOptions{Jobs: 1}, nil).Counts)
}

// lyingFiles is the text of each file of a workspace.
func lyingFiles(t *testing.T, w *world) map[string]string {
	all := map[string]string{}
	w.walk(t, "/", func(name string, info fsys.Info) {
		if info.Kind == fsys.File {
			b, _, err := w.fs.ReadFile(name, 0)
			must(t, err)
			all[name] = string(b)
		}
	})
	return all
}

var (
	sources   = []string{"/lib/src/a", "/lib/src/b", "/lib/conf", "/app/main", "/app/real", "/gen/text"}
	results   = []string{"/lib/out/o", "/app/out/sub/app", "/gen/page"}
	swappable = []string{"/lib/src", "/lib/out", "/app/out", "/app/out/sub", "/lib", "/gen"}
)

// step is some edits, time that goes by, and a run both ways.
func (e *editor) step(t *testing.T, step int) {
	quiet := step%4 < 2 // so that there is something that can be up to date
	for range e.r.Intn(3) {
		if !quiet || e.r.Intn(8) == 0 {
			e.edit(t)
		}
	}
	if e.beside != nil && e.r.Intn(4) == 0 {
		e.runBeside(t)
	}
	if quiet {
		if e.r.Intn(3) == 0 {
			e.lose()
		}
		e.w.mem.Advance(time.Minute)
	}
	e.w.mem.Advance([]time.Duration{0, time.Millisecond, 20 * time.Millisecond, 3 * time.Second, time.Minute, time.Minute, 2 * time.Hour, -time.Minute}[e.r.Intn(8)])
	o := haz.RunOptions{Jobs: 1} // of several tasks that fail at once, who is the root of what they end is free
	switch e.r.Intn(16) {
	case 0:
		o.Cache = haz.ReadOnly
	case 1:
		o.Cache = haz.WriteOnly
	case 2:
		o.Cache = haz.Off
	}
	var targets []string
	switch e.r.Intn(6) {
	case 0:
		targets = []string{"app:build"}
	case 1:
		targets = []string{"lib:check", "gen:build"}
	}
	e.note("run %v, cache %v, %v", targets, o.Cache, e.env)
	for _, name := range []string{"standing", "produced.log", "keys.log", "index", "compiled"} {
		if b, _, err := e.w.fs.ReadFile("/.haz/state/"+name, 0); err == nil && e.r.Intn(3) == 0 {
			e.older[name] = string(b)
		}
	}
	long, short, counted := inTree(t, e.w.mem.Clone()), inTree(t, e.w.mem), inTree(t, e.w.mem.Clone()) // whoever counts stamps files, which takes time
	for _, w := range []*world{long, short, counted} {
		w.options = append(w.options, haz.WithEnvironment(e.env))
		if e.beside != nil {
			w.options = append(w.options, haz.WithCacheDir(sharedCache))
		}
	}
	long.options = append(long.options, haz.WithoutShortcuts())
	e.count(t, counted, o, targets)
	want, got := long.unchecked(t, o, targets), short.unchecked(t, o, targets)
	if d := cmp.Diff(told(want), told(got)); d != "" {
		t.Errorf("step %d: what is told differs (- without shortcuts, + with)\n%s", step, d)
	}
	if d := cmp.Diff(slices.Sorted(slices.Values(want.started)), slices.Sorted(slices.Values(got.started))); d != "" {
		t.Errorf("step %d: processes differ (- without shortcuts, + with)\n%s", step, d)
	}
	if d := cmp.Diff(lying(t, long), lying(t, short)); d != "" {
		t.Errorf("step %d: trees differ (- without shortcuts, + with)\n%s", step, d)
	}
	e.w = short
	if e.r.Intn(8) == 0 {
		e.w = inTree(t, long.mem) // whose records are older
	}
}

// count counts the tasks that are up to date before the run begins, and those of which a hit is foreseen.
func (e *editor) count(t *testing.T, w *world, o haz.RunOptions, targets []string) {
	ws := w.open(t)
	plan, err := ws.Plan(targetsOf(t, ws, targets...))
	must(t, err)
	e.settled += len(haz.SettledIn(t.Context(), ws, plan, o))
	e.foreseen += len(haz.ForeseenIn(t.Context(), ws, plan, o))
}

// unchecked is run, without the looks at a run of whatever kind: there are twelve a sequence.
func (w *world) unchecked(t *testing.T, o haz.RunOptions, targets []string) *ran {
	ws := w.open(t)
	var seen watch
	o.Observer = seen.add
	before := len(w.spawner.labels())
	r, err := ws.Run(t.Context(), targetsOf(t, ws, targets...), o)
	must(t, err)
	return &ran{Result: r, events: seen.all(t), started: w.spawner.labels()[before:]}
}

func (e *editor) note(format string, args ...any) {
	e.log = append(e.log, fmt.Sprintf(format, args...))
}

// edit changes one thing, be it there or not.
func (e *editor) edit(t *testing.T) {
	w := e.w
	text := fmt.Sprintf("%c%d\n", 'a'+rune(e.r.Intn(4)), e.r.Intn(10))
	switch kind := e.r.Intn(16); kind {
	case 0, 1, 2:
		name := e.one(sources)
		was, err := w.fs.Lstat(name)
		e.put(name, text)
		if kind > 0 && err == nil { // the same size, and the same time
			_ = w.fs.Chtimes(name, time.Unix(0, was.MTime), time.Unix(0, was.MTime))
			e.note("… at the time of before")
		}
	case 3:
		name := e.one(slices.Concat(sources, results))
		e.note("remove %s: %v", name, w.fs.RemoveAll(name))
	case 4:
		e.put(e.one([]string{"/lib/src/c", "/lib/src/sub/d", "/lib/out/more", "/app/out/more", "/app/out/sub/more", "/lib/none/x"}), text)
	case 5:
		e.swap(e.one(swappable))
	case 6:
		e.put(e.one(results), text)
	case 7:
		name := e.one(slices.Concat(sources, results, swappable))
		mode := []fs.FileMode{0o755, 0o644, 0o700}[e.r.Intn(3)]
		e.note("chmod %s %o: %v", name, mode, w.fs.Chmod(name, mode))
	case 8:
		name, to := e.one(slices.Concat(results, []string{"/app/link"})), e.one([]string{"real", "./real", "nowhere", "/ws/lib/conf"})
		_ = w.fs.RemoveAll(name)
		e.note("link %s -> %s: %v", name, to, w.fs.Symlink(to, name))
	case 9:
		e.damage()
	case 10:
		e.declare(t, e.one(slices.Sorted(maps.Keys(files))))
		e.note("declare anew")
	case 11:
		e.env = []string{"PATH=/bin", "FLAVOUR=" + e.one([]string{"", "sweet", "sour"})}[:1+e.r.Intn(2)]
	case 12:
		e.cache()
	case 13:
		name := e.one(sources)
		b, _, err := w.fs.ReadFile(name, 0)
		if err == nil {
			_ = w.fs.Remove(name)
			e.put(name, string(b)) // another inode with the same bytes
		}
	case 14: // two change places
		a, b := "/lib/src/a", "/lib/src/b"
		e.note("%s and %s change places: %v %v %v", a, b, w.fs.Rename(a, "/t"), w.fs.Rename(b, a), w.fs.Rename("/t", b))
	case 15:
		name := e.one(results)
		_ = w.fs.RemoveAll(name)
		e.note("a folder at %s: %v", name, w.fs.MkdirAll(name, 0o755))
	}
}

// lose takes results out of the tree, or puts others in their place.
func (e *editor) lose() {
	for _, name := range results {
		switch e.r.Intn(4) {
		case 0, 1:
			e.note("lose %s: %v", name, e.w.fs.Remove(name))
		case 2:
			e.put(name, "lost\n")
		}
	}
	if e.r.Intn(4) == 0 {
		name := e.one([]string{"/lib/out", "/app/out", "/app/out/sub"})
		e.note("lose %s: %v", name, e.w.fs.RemoveAll(name))
	}
}

func (e *editor) put(name, text string) {
	_ = e.w.fs.MkdirAll(name[:strings.LastIndexByte(name, '/')], 0o755)
	f, err := e.w.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		_ = f.Close()
	}
	e.note("write %s %q: %v", name, text, err)
}

// swap puts a link in the place of a folder, or takes it away again.
func (e *editor) swap(dir string) {
	w := e.w
	real := dir + ".real"
	if e.swapped[dir] {
		e.note("%s is a folder again: %v %v", dir, w.fs.Remove(dir), w.fs.Rename(real, dir))
		delete(e.swapped, dir)
		return
	}
	if err := w.fs.Rename(dir, real); err == nil {
		e.note("%s is a link: %v", dir, w.fs.Symlink(real[strings.LastIndexByte(real, '/')+1:], dir))
		e.swapped[dir] = true
	}
}

// damage does something to a state file.
func (e *editor) damage() {
	name := "/.haz/state/" + e.one([]string{"standing", "standing", "compiled", "produced.log", "keys.log", "index"})
	b, _, err := e.w.fs.ReadFile(name, 0)
	if err != nil || len(b) == 0 {
		return
	}
	switch e.r.Intn(4) {
	case 0:
		b = b[:e.r.Intn(len(b))]
		e.note("cut %s off", name)
	case 1:
		b[e.r.Intn(len(b))] ^= 1 << e.r.Intn(8)
		e.note("a bit of %s", name)
	case 2:
		e.note("remove %s: %v", name, e.w.fs.Remove(name))
		return
	case 3:
		was, ok := e.older[name[len("/.haz/state/"):]]
		if !ok {
			return
		}
		b = []byte(was)
		e.note("%s as it was", name)
	}
	e.put(name, string(b))
}

// cache takes something out of the cache.
func (e *editor) cache() {
	disk, root := e.w.mem, "/ws/.haz/cache"
	if e.beside != nil {
		root = sharedCache
	}
	shards, _ := disk.List(root)
	slices.SortFunc(shards, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	switch {
	case e.r.Intn(3) == 0 || len(shards) == 0:
		e.note("remove the cache: %v", disk.RemoveAll(root))
	default:
		name := root + "/" + shards[e.r.Intn(len(shards))].Name
		list, _ := disk.List(name)
		if len(list) > 0 && e.r.Intn(2) == 0 {
			slices.SortFunc(list, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
			name += "/" + list[e.r.Intn(len(list))].Name
		}
		e.note("remove %s: %v", name, disk.RemoveAll(name))
	}
}

// displacedAt is the time in the name of a folder for what gave way.
var displacedAt = regexp.MustCompile(`displaced/[0-9T.]+Z-`)

// told is what a run tells, by task, without times and names that are of one run.
func told(r *ran) map[string][]any {
	all := map[string][]any{"counts": {r.Counts}}
	for _, e := range r.events {
		id := ""
		switch m := e.(type) {
		case messages.RunStarted:
			m.Run, m.At = "", time.Time{}
			e = m
		case messages.RunFinished:
			m.At = time.Time{}
			e = m
		case messages.TaskStarted:
			id = m.Task.String()
		case messages.TaskOutput:
			id = m.Task.String()
		case messages.TaskNoted:
			id = m.Task.String()
		case messages.TaskFinished:
			id = m.Outcome.Task.String()
			m.Outcome.Started, m.Outcome.Ended, m.Outcome.Queued = time.Time{}, time.Time{}, 0
			e = m
		}
		if reflect.ValueOf(e).FieldByName("At").IsValid() {
			v := reflect.New(reflect.TypeOf(e)).Elem()
			v.Set(reflect.ValueOf(e))
			v.FieldByName("At").SetZero()
			e = v.Interface().(messages.Event)
		}
		n := len(all[id])
		if out, ok := e.(messages.TaskOutput); ok && n > 0 {
			if last, ok := all[id][n-1].(messages.TaskOutput); ok && last.Stderr == out.Stderr { // it came in two pieces
				last.Bytes = slices.Concat(last.Bytes, out.Bytes)
				all[id][n-1] = last
				continue
			}
		}
		if m, ok := e.(messages.TaskNoted); ok {
			m.Text, m.Hint = displacedAt.ReplaceAllString(m.Text, "displaced/THEN-"), displacedAt.ReplaceAllString(m.Hint, "displaced/THEN-")
			e = m
		}
		all[id] = append(all[id], e)
	}
	return all
}

// lying is what lies in the tree: kind, permissions, bytes, text of links.
func lying(t *testing.T, w *world) map[string]string {
	all := map[string]string{}
	w.walk(t, "/", func(name string, info fsys.Info) {
		what := fmt.Sprintf("%v %o", info.Kind, info.Perm)
		switch info.Kind {
		case fsys.File:
			b, _, _ := w.fs.ReadFile(name, 0)
			what += " " + string(b)
		case fsys.Link:
			text, _ := w.fs.Readlink(name)
			what += " " + text
		}
		all[name] = what
	})
	return all
}
