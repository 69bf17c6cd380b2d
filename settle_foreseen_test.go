package haz_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// foreseen lists the tasks of which a hit would be foreseen.
func (w *world) foreseen(t *testing.T) string {
	t.Helper()
	ws := w.open(t)
	plan, err := ws.Plan(targetsOf(t, ws))
	must(t, err)
	return strings.Join(slices.Sorted(maps.Keys(haz.ForeseenIn(t.Context(), ws, plan, haz.RunOptions{}))), " ")
}

// S-70: a hit is foreseen where nothing but outputs is another, and of what is downstream of it; the run says, and does, what the long way would.
func TestForeseenLooksAtAll(t *testing.T) {
	t.Parallel()
	base := standingWorld(t)
	base.write(t, "/.haz/workspace.yml", "projects: [/lib, /app, /doc, /see]\n", "/see/haz.yml", `
name: see
tasks:
  list: {shell: "cat ../lib/out/readme", inputs: ["/lib/out/*"], exclude: ["/lib/out/lib.o"], deps: ["doc:build"]}
  tidy: {shell: "cat text", inputs: [text], outputs: [text]}
`, "/lib/out/readme", "r\n", "/see/text", "t\n")
	for range 2 {
		base.mem.Advance(time.Minute)
		base.run(t, haz.RunOptions{})
	}
	base.mem.Advance(time.Minute)
	if got, want := base.settled(t, haz.RunOptions{}), allSettled+" see:list see:tidy"; got != want {
		t.Fatalf("up to date are %q", got)
	}
	lose := func(names ...string) func(t *testing.T, w *world) {
		return func(t *testing.T, w *world) {
			for _, name := range names {
				w.remove(t, name)
			}
		}
	}
	const afterDoc = "doc:build see:list"
	for name, c := range map[string]struct {
		change func(t *testing.T, w *world)
		want   string
	}{
		"nothing":               {func(t *testing.T, w *world) {}, ""},
		"an output that goes":   {lose("/doc/page"), afterDoc},
		"bytes of an output":    {func(t *testing.T, w *world) { w.write(t, "/doc/page", "T\n") }, afterDoc},
		"mode of an output":     {func(t *testing.T, w *world) { must(t, w.fs.Chmod("/doc/page", 0o600)) }, afterDoc},
		"a folder at an output": {func(t *testing.T, w *world) { w.remove(t, "/doc/page"); must(t, w.fs.MkdirAll("/doc/page", 0o755)) }, afterDoc},
		"a folder of outputs":   {lose("/app/out"), "app:build app:test"},
		"all outputs":           {lose("/app/out", "/doc/page", "/lib/out/lib.o"), "app:build app:test doc:build lib:build"},
		"an output, and a name beside it that somebody lists": {lose("/lib/out/lib.o", "/doc/page"), "app:build app:test doc:build lib:build"},
		"bytes of an output where somebody lists": {func(t *testing.T, w *world) {
			w.write(t, "/lib/out/lib.o", "other\n", "/doc/page", "T\n")
		}, "app:build app:test doc:build lib:build"},
		"an output that is an input":      {func(t *testing.T, w *world) { w.write(t, "/see/text", "T\n") }, ""},
		"an output that is an input goes": {lose("/see/text"), ""},
		"an output and an input": {func(t *testing.T, w *world) {
			w.remove(t, "/lib/out/lib.o")
			w.write(t, "/lib/src/b.c", "B\n")
		}, ""},
		"an output and an input of an upstream": {func(t *testing.T, w *world) {
			w.remove(t, "/app/out/sub/app")
			w.write(t, "/lib/src/b.c", "B\n")
		}, ""},
		"an output and the entry": {func(t *testing.T, w *world) {
			w.remove(t, "/doc/page")
			w.remove(t, w.entryBefore(t, "doc:build"))
		}, ""},
		"an output and the command": {func(t *testing.T, w *world) {
			w.remove(t, "/doc/page")
			w.edit(t, "/doc/haz.yml", "cat text > page", "cat text text > page")
		}, ""},
		"an output, and another haz has begun it": {func(t *testing.T, w *world) {
			w.remove(t, "/doc/page")
			l := w.state().Products("doc:build")
			l.Running = true
			w.state().WriteProducts(l)
		}, ""},
		"an output and what was printed": {func(t *testing.T, w *world) {
			w.remove(t, "/lib/out/lib.o")
			w.edit(t, w.entryBefore(t, "app:test")+"/manifest.json", "good\n", "GOOD\n")
		}, "app:build lib:build"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := base.copied(t)
			c.change(t, w)
			w.mem.Advance(time.Minute)
			if got := w.foreseen(t); got != c.want {
				t.Errorf("foreseen are %q, want %q", got, c.want)
			}
			long := w.copied(t)
			long.options = append(long.options, haz.WithoutShortcuts())
			want, got := long.unchecked(t, haz.RunOptions{Jobs: 1}, nil), w.unchecked(t, haz.RunOptions{Jobs: 1}, nil)
			if d := cmp.Diff(told(want), told(got)); d != "" {
				t.Errorf("what is told differs (- without shortcuts, + with)\n%s", d)
			}
			if d := cmp.Diff(lying(t, long), lying(t, w)); d != "" {
				t.Errorf("trees differ (- without shortcuts, + with)\n%s", d)
			}
			for range 2 { // what came back is old enough for the first of these to write it down
				w.mem.Advance(time.Minute)
				w.run(t, haz.RunOptions{})
			}
			w.mem.Advance(time.Minute)
			if got := w.settled(t, haz.RunOptions{}); c.want != "" && !strings.Contains(got, "doc:build") {
				t.Errorf("afterwards up to date are %q", got)
			}
		})
	}
}

// entryBefore is where the entry of a task lies, by what its last run has written down.
func (w *world) entryBefore(t *testing.T, id string) string {
	t.Helper()
	list := inTree(t, w.mem.Clone())
	k := list.long(t, id).Key.Hex()
	return "/.haz/cache/" + k[:2] + "/" + k
}

// S-70, EXEC-065: an entry that turns out to be damaged is no hit, foreseen or not: its task runs, and those after it are looked at anew.
func TestForeseenEntryIsDamaged(t *testing.T) {
	t.Parallel()
	w := standingWorld(t)
	const most = 70 << 10 // more than lies in a manifest, so that nobody sees it before the restore
	w.write(t, "/lib/src/b.c", strings.Repeat("b", most))
	for range 3 {
		w.mem.Advance(time.Minute)
		w.run(t, haz.RunOptions{})
	}
	dir := w.entryBefore(t, "lib:build")
	blobs, err := w.fs.List(dir + "/outputs")
	if err != nil || len(blobs) != 1 {
		t.Fatal(blobs, err)
	}
	w.write(t, dir+"/outputs/"+blobs[0].Name, "a\n"+strings.Repeat("x", most))
	w.remove(t, "/lib/out/lib.o")
	w.remove(t, "/app/out")
	w.mem.Advance(time.Minute)
	if got, want := w.foreseen(t), "app:build app:test lib:build"; got != want {
		t.Fatalf("foreseen are %q, want %q", got, want)
	}
	long := w.copied(t)
	long.options = append(long.options, haz.WithoutShortcuts())
	want, r := long.unchecked(t, haz.RunOptions{Jobs: 1}, nil), w.unchecked(t, haz.RunOptions{Jobs: 1}, nil)
	if d := cmp.Diff(told(want), told(r)); d != "" {
		t.Errorf("what is told differs (- without shortcuts, + with)\n%s", d)
	}
	if o := r.outcome(t, "lib:build"); o.Source != messages.FromRun || o.Status != messages.Completed {
		t.Errorf("%+v", o)
	}
	if o := r.outcome(t, "app:build"); o.Source != messages.FromCache || o.Status != messages.Completed {
		t.Errorf("%+v", o)
	}
}
