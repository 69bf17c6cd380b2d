package haz_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
)

// standingWorld is a workspace in memory, all of it up to date and written down.
func standingWorld(t *testing.T) *world {
	t.Helper()
	w := inMemory(t)
	w.write(t, "/.haz/workspace.yml", "projects: [/lib, /app, /doc]\n",
		"/lib/haz.yml", `
name: lib
tasks:
  build:
    shell: "mkdir -p out; cat src/a.c src/b.c > out/lib.o"
    inputs: ["{src/*.c,cfg/none/*.h}", conf]
    exclude: ["src/x_*"]
    outputs: [out/lib.o]
    env: {from_host: [FLAVOUR]}
  check:
    shell: "echo fine; cat src/a.c"
    inputs: [src/a.c]
`,
		"/app/haz.yml", `
name: app
tasks:
  build:
    shell: "mkdir -p out/sub; cat main.c ../lib/out/lib.o > out/sub/app"
    inputs: [main.c, link]
    outputs: [out/**]
    deps: ["lib:build"]
  test:
    shell: "echo good; echo bad >&2"
    deps: ["~:build", {task: "lib:check", streams: true}]
`,
		"/doc/haz.yml", `
name: doc
tasks:
  build: {shell: "cat text > page", inputs: [text], outputs: [page]}
`,
		"/lib/src/a.c", "a\n", "/lib/src/b.c", "b\n", "/lib/src/x_c.c", "x\n", "/lib/conf", "c\n", "/app/main.c", "main\n", "/app/real", "r\n", "/doc/text", "t\n", "/lib/cfg/readme", "")
	if err := w.fs.Symlink("real", "/app/link"); err != nil {
		t.Fatal(err)
	}
	w.mem.Advance(time.Minute)
	w.run(t, haz.RunOptions{}).counts(t, 5, 0, 0, 0, 0)
	w.mem.Advance(time.Minute)
	w.run(t, haz.RunOptions{}).counts(t, 5, 5, 0, 0, 0)
	w.mem.Advance(time.Minute)
	return w
}

// settled lists the tasks that would be found up to date.
func (w *world) settled(t *testing.T, o haz.RunOptions, more ...haz.Option) string {
	t.Helper()
	ws := w.open(t, more...)
	plan, err := ws.Plan(targetsOf(t, ws))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(slices.Sorted(maps.Keys(haz.SettledIn(context.Background(), ws, plan, o))), " ")
}

const allSettled = "app:build app:test doc:build lib:build lib:check"

// S-52: what is as it was written down is up to date, and what is said of it is what the long way says.
func TestSettledTasks(t *testing.T) {
	t.Parallel()
	w := standingWorld(t)
	long := w.run(t, haz.RunOptions{})
	ws := w.open(t)
	plan, err := ws.Plan(targetsOf(t, ws))
	if err != nil {
		t.Fatal(err)
	}
	found := haz.SettledIn(context.Background(), ws, plan, haz.RunOptions{})
	if got := strings.Join(slices.Sorted(maps.Keys(found)), " "); got != allSettled {
		t.Fatalf("up to date are %q", got)
	}
	for id, hit := range found {
		want := long.outcome(t, id)
		key, attempt, p := hit.Result()
		got := want
		got.Key, got.MadeOn, got.StdoutLen, got.StderrLen, got.StdoutDigest, got.StderrDigest = key, attempt, p.StdoutLen, p.StderrLen, p.StdoutDigest, p.StderrDigest
		got.Outputs, got.OutputsDigest = p.Outputs, p.OutputsDigest
		if len(got.Outputs) == 0 && len(want.Outputs) == 0 {
			got.Outputs, want.Outputs = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", id, got, want)
		}
		stdout, stderr, order := hit.Printed()
		var said [2]string
		for isStderr, n := range order.Pieces(int64(len(stdout)), int64(len(stderr))) {
			if isStderr {
				said[1] += string(stderr[:n])
				stderr = stderr[n:]
			} else {
				said[0] += string(stdout[:n])
				stdout = stdout[n:]
			}
		}
		if want := [2]string{long.output(id, false), long.output(id, true)}; said != want {
			t.Errorf("%s printed %q, want %q", id, said, want)
		}
		for i, f := range hit.Kept() {
			info, err := w.fs.Lstat(f.Path)
			if err != nil || !info.Same(f.Info) || info.Perm != f.Info.Perm || f.Path != p.Outputs[i].Path || f.Digest != p.Outputs[i].Digest || f.Found {
				t.Errorf("%s has %+v (%v)", f.Path, f, err)
			}
		}
	}
	if r := w.settled(t, haz.RunOptions{Cache: haz.WriteOnly}); r != "" {
		t.Errorf("by force %s", r)
	}
	if r := w.settled(t, haz.RunOptions{Cache: haz.Off}); r != "" {
		t.Errorf("without a cache %s", r)
	}
	if r := w.settled(t, haz.RunOptions{Cache: haz.ReadOnly}); r != allSettled {
		t.Errorf("with a cache that is only read %s", r)
	}
}

// S-52 to S-57: whatever is looked at keeps a task from being settled when it is another, and all that is downstream of it.
func TestSettledLooksAtAll(t *testing.T) {
	t.Parallel()
	base := standingWorld(t)
	const (
		notLib   = "doc:build lib:check"
		notCheck = "app:build doc:build lib:build"
		notApp   = "doc:build lib:build lib:check"
		notDoc   = "app:build app:test lib:build lib:check"
	)
	entryOf := func(w *world, id string) string {
		return w.long(t, id).Key.Hex()
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, w *world)
		left   string
	}{
		"nothing":                        {func(t *testing.T, w *world) {}, allSettled},
		"a file that nobody reads":       {func(t *testing.T, w *world) { w.write(t, "/lib/other", "x") }, allSettled},
		"an excluded file, in its place": {func(t *testing.T, w *world) { w.write(t, "/lib/src/x_c.c", "y") }, allSettled},
		"bytes of an input":              {func(t *testing.T, w *world) { w.write(t, "/lib/src/b.c", "B\n") }, notLib},
		"bytes of a literal":             {func(t *testing.T, w *world) { w.write(t, "/lib/conf", "C\n") }, notLib},
		"an input of two tasks":          {func(t *testing.T, w *world) { w.write(t, "/lib/src/a.c", "A\n") }, "doc:build"},
		"an input written again":         {func(t *testing.T, w *world) { w.write(t, "/lib/src/b.c", "b\n") }, notLib},
		"permissions of an input":        {func(t *testing.T, w *world) { must(t, w.fs.Chmod("/lib/src/b.c", 0o755)) }, notLib},
		"an input that goes":             {func(t *testing.T, w *world) { w.remove(t, "/lib/src/b.c") }, notLib},
		"an input that comes":            {func(t *testing.T, w *world) { w.write(t, "/lib/src/c.c", "c\n") }, notLib},
		"a folder that was not there":    {func(t *testing.T, w *world) { w.write(t, "/lib/cfg/none/a.h", "h\n") }, notLib},
		"a folder on the way is a link":  {func(t *testing.T, w *world) { swap(t, w, "/lib/src") }, "doc:build"},
		"a folder higher up is a link":   {func(t *testing.T, w *world) { swap(t, w, "/doc") }, notDoc},
		"what a link says":               {func(t *testing.T, w *world) { w.remove(t, "/app/link"); must(t, w.fs.Symlink("./real", "/app/link")) }, notApp},
		"what a link leads to":           {func(t *testing.T, w *world) { w.write(t, "/app/real", "R\n") }, notApp},
		"a link leads nowhere":           {func(t *testing.T, w *world) { w.remove(t, "/app/real") }, notApp},
		"bytes of an output":             {func(t *testing.T, w *world) { w.write(t, "/doc/page", "T\n") }, notDoc},
		"an output that goes":            {func(t *testing.T, w *world) { w.remove(t, "/lib/out/lib.o") }, notLib},
		"permissions of an output":       {func(t *testing.T, w *world) { must(t, w.fs.Chmod("/app/out/sub/app", 0o600)) }, notApp},
		"a folder of outputs is a link":  {func(t *testing.T, w *world) { swap(t, w, "/app/out/sub") }, notApp},
		"the entry goes": {func(t *testing.T, w *world) {
			w.remove(t, "/.haz/cache/"+entryOf(w, "doc:build")[:2]+"/"+entryOf(w, "doc:build"))
		}, notDoc},
		"the folder of the entry goes":   {func(t *testing.T, w *world) { w.remove(t, "/.haz/cache/"+entryOf(w, "doc:build")[:2]) }, notDoc},
		"all of the cache goes":          {func(t *testing.T, w *world) { w.remove(t, "/.haz/cache") }, ""},
		"what was printed is another":    {func(t *testing.T, w *world) { w.edit(t, w.entry(t, "lib:check")+"/manifest.json", "fine\n", "FINE\n") }, notCheck},
		"a product list is lost":         {func(t *testing.T, w *world) { w.remove(t, "/.haz/state/produced.log") }, ""},
		"product lists are cut off":      {func(t *testing.T, w *world) { w.truncate(t, "/.haz/state/produced.log", 10) }, ""},
		"the file is lost":               {func(t *testing.T, w *world) { w.remove(t, "/.haz/state/standing") }, ""},
		"the file is damaged":            {func(t *testing.T, w *world) { w.truncate(t, "/.haz/state/standing", 3000) }, ""},
		"another command":                {func(t *testing.T, w *world) { w.edit(t, "/doc/haz.yml", "cat text > page", "cat text text > page") }, notDoc},
		"another input pattern":          {func(t *testing.T, w *world) { w.edit(t, "/doc/haz.yml", "[text]", "[text, page2]") }, notDoc},
		"another exclude":                {func(t *testing.T, w *world) { w.edit(t, "/lib/haz.yml", "src/x_*", "src/b*") }, notLib},
		"a task that is not cached":      {func(t *testing.T, w *world) { w.edit(t, "/doc/haz.yml", "{shell", "{cache: false, shell") }, notDoc},
		"a condition that does not hold": {func(t *testing.T, w *world) { w.edit(t, "/doc/haz.yml", "{shell", "{if: {env: NOBODY}, shell") }, notDoc},
		"a condition that holds":         {func(t *testing.T, w *world) { w.edit(t, "/doc/haz.yml", "{shell", "{if: {exists: text}, shell") }, allSettled},
		"another haz has begun it": {func(t *testing.T, w *world) {
			l := w.state().Products("doc:build")
			l.Running = true
			w.state().WriteProducts(l)
		}, notDoc},
		"its result is to be made anew": {func(t *testing.T, w *world) {
			w.state().AskRemake("doc:build", w.state().Products("doc:build").Key, "app:build")
		}, notDoc},
		"an upstream was made anew by itself": {func(t *testing.T, w *world) {
			w.write(t, "/lib/src/b.c", "B\n")
			for range 3 {
				w.mem.Advance(time.Minute)
				w.run(t, haz.RunOptions{}, "lib:build")
			}
		}, notApp},
		"another mount": {func(t *testing.T, w *world) {
			v, err := w.fs.Volume("/")
			must(t, err)
			v.Mount, v.Super = v.Mount+1, v.Super+1
			w.mem.SetVolume(v, true)
		}, ""},
		"the cache was cleared, and something else lies in an entry": {func(t *testing.T, w *world) {
			k := w.state().Products("doc:build").Key
			dir, _ := cache.PlacesOf(k)
			w.write(t, dir+"/foreign", "x")
			for range 2 {
				w.mem.Advance(time.Minute)
				w.run(t, haz.RunOptions{})
			}
			w.mem.Advance(time.Minute)
			if got := w.settled(t, haz.RunOptions{}); got != allSettled {
				t.Fatalf("before it is cleared up to date are %q", got)
			}
			must(t, cache.Open(w.fs, cache.Options{Hash: digest.BLAKE3}).Clear(t.Context()))
			if _, err := w.fs.Lstat(dir + "/foreign"); err != nil {
				t.Fatal(err)
			}
		}, ""},
		"a soft upstream that must run": {func(t *testing.T, w *world) {
			w.write(t, "/doc/text", "T\n")
			w.edit(t, "/lib/haz.yml", "    inputs: [src/a.c]", "    inputs: [src/a.c]\n    weakDeps: [\"doc:build\"]")
		}, "app:build lib:build"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := base.copied(t)
			c.change(t, w)
			w.mem.Advance(time.Minute)
			got := w.settled(t, haz.RunOptions{})
			if got != c.left {
				t.Errorf("up to date are %q, want %q", got, c.left)
			}
			w.options = append(w.options, haz.WithoutShortcuts())
			ws := w.open(t)
			long, err := ws.Run(context.Background(), targetsOf(t, ws), haz.RunOptions{})
			must(t, err)
			for _, o := range long.Outcomes {
				if slices.Contains(strings.Fields(got), o.Task.String()) && o.Source != messages.FromCache {
					t.Errorf("%s was up to date, and is not on the long way: %+v", o.Task, o)
				}
			}
		})
	}
}

// long is the outcome of a task on the long way.
func (w *world) long(t *testing.T, id string) messages.Outcome {
	t.Helper()
	return w.run(t, haz.RunOptions{}).outcome(t, id)
}

func (w *world) entry(t *testing.T, id string) string {
	t.Helper()
	k := w.long(t, id).Key.Hex()
	return "/.haz/cache/" + k[:2] + "/" + k
}

// copied is the same workspace in a copy of its tree, with the same inodes and times.
func (w *world) copied(t *testing.T) *world {
	t.Helper()
	c := inTree(t, w.mem.Clone())
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// swap puts a link in the place of a folder, to that folder under another name.
func swap(t *testing.T, w *world, dir string) {
	t.Helper()
	must(t, w.fs.Rename(dir, dir+".real"))
	must(t, w.fs.Symlink(dir[strings.LastIndexByte(dir, '/')+1:]+".real", dir))
}

func (w *world) truncate(t *testing.T, name string, size int64) {
	t.Helper()
	data, _, err := w.fs.ReadFile(name, 0)
	must(t, err)
	w.write(t, name, string(data[:min(int(size), len(data))]))
}

func (w *world) edit(t *testing.T, name, old, text string) {
	t.Helper()
	data, _, err := w.fs.ReadFile(name, 0)
	must(t, err)
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s has no %q", name, old)
	}
	w.write(t, name, strings.Replace(string(data), old, text, 1))
}

func (w *world) state() *state.State { return state.Open(w.fs, digest.BLAKE3) }

// S-56: that an entry was used is seen by who cleans, also where nobody looked into it.
func TestSettledEntriesAreOfUse(t *testing.T) {
	t.Parallel()
	w := standingWorld(t)
	dir, _ := cache.PlacesOf(w.state().Products("doc:build").Key)
	later := haz.WithClock(laterClock(3 * time.Hour))
	if got := w.settled(t, haz.RunOptions{Cache: haz.ReadOnly}, later); got != allSettled {
		t.Fatalf("up to date are %q", got)
	}
	if _, err := w.fs.Lstat(dir + "/used"); err == nil {
		t.Error("a cache that is only read was written to")
	}
	if got := w.settled(t, haz.RunOptions{}); got != allSettled {
		t.Fatalf("up to date are %q", got)
	}
	if _, err := w.fs.Lstat(dir + "/used"); err == nil {
		t.Error("an entry made just now was touched")
	}
	if got := w.settled(t, haz.RunOptions{}, later); got != allSettled {
		t.Fatalf("up to date are %q", got)
	}
	if info, err := w.fs.Lstat(dir + "/used"); err != nil || time.Until(time.Unix(0, info.MTime)) < 2*time.Hour {
		t.Errorf("used is %+v (%v)", info, err)
	}
	w.runWith(t, t.Context(), w.open(t, later), haz.RunOptions{}).counts(t, 5, 5, 0, 0, 0)
	w.remove(t, dir+"/used")
	if got := w.settled(t, haz.RunOptions{}, later); got != allSettled {
		t.Fatalf("up to date are %q", got)
	}
	if _, err := w.fs.Lstat(dir + "/used"); err == nil {
		t.Error("nobody has written down that the entry was used within the hour")
	}
}

// laterClock is the real one, so much later.
type laterClock time.Duration

func (l laterClock) Now() time.Time { return time.Now().Add(time.Duration(l)) }

func (l laterClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// everySettled are the tasks of standingWorld.
const everySettled = "app:build app:test doc:build lib:build lib:check"

// What was restored is written down by the run after that: the product list has stats of before (S-60).
func TestSettledAfterARestore(t *testing.T) {
	w := standingWorld(t)
	for _, name := range []string{"/lib/out", "/app/out", "/doc/page"} {
		must(t, w.fs.RemoveAll(name))
	}
	w.run(t, haz.RunOptions{})
	w.mem.Advance(time.Minute)
	w.run(t, haz.RunOptions{})
	if got := w.settled(t, haz.RunOptions{}); got != everySettled {
		t.Errorf("settled are %q", got)
	}
}

// Where times are fine (S-75), what a run has made is settled as soon as another one has found it up to date; elsewhere when it is old.
func TestSettledWhereTimesAreFine(t *testing.T) {
	for _, fine := range []bool{true, false} {
		w := standingWorld(t)
		w.mem.SetTime(w.mem.Now().Add(123456789))
		w.mem.SetStep(time.Microsecond)
		w.mem.SetGranularity(4 * time.Millisecond)
		want := ""
		if fine {
			w.mem.SetFine(true)
			want = everySettled
		}
		w.write(t, "/lib/src/a.c", "A\n", "/app/main.c", "MAIN\n", "/doc/text", "T\n")
		w.run(t, haz.RunOptions{})
		w.run(t, haz.RunOptions{})
		if got := w.settled(t, haz.RunOptions{}); got != want {
			t.Errorf("fine %v: settled are %q", fine, got)
		}
		w.write(t, "/lib/src/a.c", "B\n")
		if got := w.settled(t, haz.RunOptions{}); strings.Contains(got, "lib") || strings.Contains(got, "app") {
			t.Errorf("fine %v: after an edit settled are %q", fine, got)
		}
	}
}
