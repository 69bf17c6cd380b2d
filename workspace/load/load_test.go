package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// The complete example of chapter 1, section 1, and what the chapter says that it means.
func TestExample(t *testing.T) {
	archive, err := os.ReadFile("testdata/acme.txtar")
	if err != nil {
		t.Fatal(err)
	}
	ws := load(t, string(archive))
	if len(ws.Warnings) > 0 {
		t.Errorf("warnings:\n%s", ws.Warnings.Render(diag.Style{}))
	}
	var b strings.Builder
	for _, task := range ws.Tasks {
		b.WriteString(describe(task))
	}
	want, err := os.ReadFile("testdata/acme.want")
	if *update {
		err = os.WriteFile("testdata/acme.want", []byte(b.String()), 0o666)
		want = []byte(b.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("(-want +got); -update rewrites it:\n%s", diff)
	}

	age, size := 30*24*time.Hour, int64(5<<30)
	wantSettings := workspace.Settings{Hash: "blake3", MaxAge: &age, MaxSize: &size, MaxSizeText: "5GiB", TagCaps: map[string]int{"heavy": 1},
		OutputMode: "live", UI: "never", CancelGrace: 2500 * time.Millisecond, Umask: 0o022}
	if diff := cmp.Diff(wantSettings, ws.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for ref, want := range map[string]string{
		"[lib]:build": "core:build net:build", "^:test": "core:test net:test", "^~:lint": "core:lint gen:lint net:lint", "gen:version": "gen:version",
	} {
		checkResolve(t, ws, ref, ws.Project("web"), want, "", "")
	}
	checkResolve(t, ws, "[lib]~:build", ws.Project("core"), "net:build", "", "")
}

// describe prints all of a task.
func describe(t *workspace.Task) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", t.ID)
	if t.Overlay != "" {
		fmt.Fprintf(&b, " (overlay %s)", t.Overlay)
	}
	fmt.Fprintf(&b, " at %s:%d:%d in %s\n", t.Place.File, t.Place.Line, t.Place.Column, t.Project.Dir)
	if t.Kind == workspace.Command {
		fmt.Fprintf(&b, "  command %q\n", t.Argv)
	} else {
		fmt.Fprintf(&b, "  shell %s %q\n", t.Shell, t.Script)
	}
	for _, l := range []struct {
		name string
		ds   []workspace.PatternDecl
	}{{"input", t.Inputs}, {"exclude", t.Exclude}, {"output", t.Outputs}} {
		for _, d := range l.ds {
			fmt.Fprintf(&b, "  %s %s (%s) at %d:%d\n", l.name, d.Pattern, d.Text, d.Place.Line, d.Place.Column)
		}
	}
	for _, l := range []struct {
		name string
		rs   []workspace.RefDecl
	}{{"dep", t.Deps}, {"weakDep", t.WeakDeps}} {
		for _, r := range l.rs {
			fmt.Fprintf(&b, "  %s %s at %d:%d\n", l.name, r.Ref, r.Place.Line, r.Place.Column)
		}
	}
	if t.Mutex != nil {
		fmt.Fprintf(&b, "  mutex %+v\n", *t.Mutex)
	}
	if len(t.FromHost) > 0 {
		fmt.Fprintf(&b, "  from_host %v\n", t.FromHost)
	}
	if len(t.Override) > 0 {
		fmt.Fprintf(&b, "  override %v\n", t.Override)
	}
	if !t.Cache {
		b.WriteString("  cache false\n")
	}
	return b.String()
}

// The table of 5.3, row by row: which body wins for projects a [x], b [x, y], c [y] (DAG-001, DAG-002, DAG-003, DAG-004, DAG-005,
// DAG-006; haz::cfg::026: attachment).
func TestOverlayWinner(t *testing.T) {
	const projects = `
-- .haz/workspace.yml --
projects: [/a, /b, /c]
-- a/haz.yml --
name: a
tags: [x]
-- b/haz.yml --
name: b
tags: [x, y]
-- c/haz.yml --
name: c
tags: [y]
`
	filters := map[string]string{"g": "", "x": "tagsFilter: [x]\n", "y": "tagsFilter: [y]\n", "xy": "tagsFilter: [x, y]\n", "yx": "tagsFilter: [y, x]\n", "g2": ""}
	for _, c := range []struct{ overlays, a, b, c string }{
		{"g x", "x", "x", "g"},
		{"g x xy", "x", "xy", "g"},
		{"x y", "x", "error", "y"},
		{"g x y", "x", "error", "y"},
		{"x y xy", "x", "xy", "y"},
		{"g g2", "error", "error", "error"},
		{"xy yx", "", "error", ""},
		{"g", "g", "g", "g"},
		{"xy", "", "xy", ""},
		{"g x y xy", "x", "xy", "y"},
	} {
		archive := projects
		for _, o := range strings.Fields(c.overlays) {
			archive += "-- .haz/tasks/" + o + ".yml --\n" + filters[o] + "tasks: {t: {shell: \"\", deps: [\"zz:gone\"]}}\n"
		}
		got := map[string]string{}
		ws, err := tryLoad(t, archive)
		var said *diag.Errors
		if errors.As(err, &said) {
			if ws != nil {
				t.Errorf("%s: there is no agreed body, and yet a workspace for the graph", c.overlays)
			}
			for _, d := range said.List {
				if d.Code != "DAG-006" {
					t.Errorf("%s: %s", c.overlays, said)
				}
				for _, p := range []string{"a", "b", "c"} {
					if strings.Contains(d.Message, `"`+p+`"`) {
						got[p] = "error"
					}
				}
			}
			// Without the errors, what do the others get? Give the colliding projects a task of their own (DAG-005).
			for p := range got {
				archive = strings.Replace(archive, "name: "+p+"\n", "name: "+p+"\ntasks: {t: {shell: own}}\n", 1)
			}
			ws = load(t, archive)
		}
		for _, p := range []string{"a", "b", "c"} {
			task := ws.Task(workspace.TaskID{Project: p, Task: "t"})
			switch {
			case got[p] == "error":
				if task.Overlay != "" || task.Script != "own" {
					t.Errorf("%s: the project's own task does not win in %s", c.overlays, p)
				}
			case task != nil:
				got[p] = task.Overlay
			}
		}
		if want := map[string]string{"a": c.a, "b": c.b, "c": c.c}; got["a"] != want["a"] || got["b"] != want["b"] || got["c"] != want["c"] {
			t.Errorf("%s: got %v, want %v", c.overlays, got, want)
		}
	}
	// [+] equal sets: the filter that strictly contains the other's is the more specific one.
	ws := load(t, strings.ReplaceAll(projects, "tags: [x", "tags: [k, x")+"-- .haz/tasks/x.yml --\ntagsFilter: [x]\ntasks: {t: {shell: x}}\n-- .haz/tasks/k.yml --\ntagsFilter: [x, k]\ntasks: {t: {shell: k}}\n")
	for _, p := range []string{"a", "b"} {
		if got := ws.Task(workspace.TaskID{Project: p, Task: "t"}).Overlay; got != "k" {
			t.Errorf("equal sets: %s:t comes from %q", p, got)
		}
	}
	// Without filter is the empty filter.
	ws = load(t, strings.ReplaceAll(projects, "tags: [", "tags: [all, ")+"-- .haz/tasks/g.yml --\ntasks: {t: {shell: g}}\n-- .haz/tasks/z.yml --\ntagsFilter: [all]\ntasks: {t: {shell: z}}\n")
	if got := ws.Task(workspace.TaskID{Project: "c", Task: "t"}).Overlay; got != "z" {
		t.Errorf("equal sets: c:t comes from %q", got)
	}
}

// The meaning of an overlay's body: as if it stood in the project's own file (5.3). Bodies that lose, or attach nowhere, are
// checked for form, and their references are not resolved.
func TestOverlayBody(t *testing.T) {
	ws := load(t, `
-- .haz/workspace.yml --
projects: [/a, "/sub/*"]
-- a/haz.yml --
name: a
tasks: {own: {shell: mine}}
-- sub/b[1]/haz.yml --
name: b
-- .haz/tasks/o.yml --
tasks:
  t: {shell: "", inputs: [i.c, "*.h", /top], outputs: ["out/*.o"], mutex: "~:m"}
  own: {shell: lost, deps: ["gone:x"]}
`)
	got := describe(ws.Task(workspace.TaskID{Project: "b", Task: "t"})) + describe(ws.Task(workspace.TaskID{Project: "a", Task: "own"})) + describe(ws.Task(workspace.TaskID{Project: "b", Task: "own"}))
	want := `b:t (overlay o) at .haz/tasks/o.yml:2:3 in /sub/b[1]
  shell sh ""
  input /sub/b[1]/i.c (i.c) at 2:27
  input /sub/b\[1]/*.h (*.h) at 2:32
  input /top (/top) at 2:39
  output /sub/b\[1]/out/*.o (out/*.o) at 2:56
  mutex {ProjectScope:true Name:m Shared:false}
a:own at a/haz.yml:2:9 in /a
  shell sh "mine"
b:own (overlay o) at .haz/tasks/o.yml:3:3 in /sub/b[1]
  shell sh "lost"
  dep gone:x at 3:29
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := len(ws.Overlays[0].Attached); got != 2 {
		t.Errorf("attached to %d projects", got)
	}
	if _, err := tryLoad(t, `
-- .haz/workspace.yml --
projects: [/a]
-- a/haz.yml --
name: a
tasks: {t: {shell: ""}}
-- .haz/tasks/loses.yml --
tasks: {t: {shell: "", deps: [bad]}}
`); err == nil || !strings.Contains(err.Error(), "haz::cfg::018") {
		t.Errorf("a body that loses is not checked: %v", err)
	}
}

// Section 10: the four ways to write a mutex (MUTEX-001, MUTEX-002, MUTEX-003, MUTEX-004); "1" is a name [+].
func TestMutex(t *testing.T) {
	for text, want := range map[string]workspace.Mutex{
		"db":                              {Name: "db"},
		`"~:db"`:                          {Name: "db", ProjectScope: true},
		"{name: db, mode: shared}":        {Name: "db", Shared: true},
		`{name: "~:db", mode: exclusive}`: {Name: "db", ProjectScope: true},
		`{mode: shared, name: "~:db"}`:    {Name: "db", ProjectScope: true, Shared: true},
		"1":                               {Name: "1"},
	} {
		ws := load(t, "-- .haz/workspace.yml --\nprojects: [/a]\n-- a/haz.yml --\nname: a\ntasks: {t: {shell: \"\", mutex: "+text+"}}\n")
		if got := ws.Tasks[0].Mutex; got == nil || *got != want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

// 8.1: the two anchors (PATH-001, PATH-004, PATH-005); no path leaves its project by "..", or the workspace (PATH-006); case
// matters (PATH-007).
func TestAnchors(t *testing.T) {
	ws := load(t, "-- .haz/workspace.yml --\nprojects: [/a/b]\n-- a/b/haz.yml --\nname: b\ntasks: {t: {shell: \"\", inputs: [x, X, c/d, /x, \"*.c\", \"/**/*.c\", ~t, \"\\\\!x\", \"\\\\$v\", /a/b/$v]}}\n")
	var got []string
	for _, in := range ws.Tasks[0].Inputs {
		got = append(got, in.Pattern.String())
	}
	if want := "/a/b/x /a/b/X /a/b/c/d /x /a/b/*.c /**/*.c /a/b/~t /a/b/\\!x /a/b/\\$v /a/b/$v"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	for _, out := range []string{"../x", "/../x", "a/../../x", "/a/b/../c"} {
		if _, err := tryLoad(t, "-- .haz/workspace.yml --\nprojects: [/a]\n-- a/haz.yml --\nname: a\ntasks: {t: {shell: \"\", inputs: ["+out+"]}}\n"); err == nil || !strings.Contains(err.Error(), "PATH-002") {
			t.Errorf("%s: %v", out, err)
		}
	}
}

// haz::cfg::023: which files of .haz/tasks count. A missing directory is fine; it may be a link to one.
func TestOverlayFiles(t *testing.T) {
	const base = "-- .haz/workspace.yml --\nprojects: [/a]\n-- a/haz.yml --\nname: a\n"
	for about, c := range map[string]struct {
		archive string
		want    string
	}{
		"none":              {base, ""},
		"names":             {base + "-- .haz/tasks/b.yml --\ntasks: {}\n-- .haz/tasks/a.yml --\ntasks: {}\n-- .haz/tasks/a_1-x.yml --\ntasks: {}\n", "a a_1-x b"},
		"a linked folder":   {"link: .haz/tasks -> ../shared\n" + base + "-- shared/a.yml --\ntasks: {}\n", "a"},
		"others are passed": {"link: .haz/tasks/l.yml -> a.yml\ndir: .haz/tasks/d.yml\n" + base + "-- .haz/tasks/a.yml --\ntasks: {}\n-- .haz/tasks/x.yaml --\n[\n-- .haz/tasks/a.b.yml --\n[\n-- .haz/tasks/-x.yml --\n[\n-- .haz/tasks/X.YML --\n[\n", "a"},
	} {
		var names []string
		for _, o := range load(t, c.archive).Overlays {
			names = append(names, o.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: got %q, want %q", about, got, c.want)
		}
	}
}

// 2.2: what the project list selects (DISC-005 … DISC-010, DISC-020, DISC-021; haz::cfg::011: the name is what counts). Names of the loaded projects, with their directories.
func TestProjectList(t *testing.T) {
	tree := "\n-- libs/a/haz.yml --\nname: a\n-- libs/.hid/haz.yml --\nname: hid\n-- libs/README --\n-- other/haz.yml --\nname: other\n-- deep/x/y/haz.yml --\nname: y\n-- app/[slug]/haz.yml --\nname: slug\n-- libs/a/nested/haz.yml --\nname: nested\n"
	for _, c := range []struct{ list, directives, want string }{
		{"[]", "", ""},
		{"[/libs/a]", "", "a=/libs/a"},
		{"[/libs/*]", "", "a=/libs/a hid=/libs/.hid"}, // hidden ones match, files never do
		{"[/libs/a, /libs/a/nested]", "", "a=/libs/a nested=/libs/a/nested"}, // projects may nest
		{"[/other, /libs/a]", "", "a=/libs/a other=/other"},                  // canonical order
		{`["/deep/**/y"]`, "", "y=/deep/x/y"},
		{`['/app/\[slug]']`, "", "slug=/app/[slug]"},
		{"[/link]", "link: link -> other", "other=/other"},                       // DISC-020: followed, and canonical
		{"[/libs/*]", "link: libs/link -> ../other", "a=/libs/a hid=/libs/.hid"}, // [odd] judged by its canonical path
		{"[/libs/*]", "link: libs/dangling -> nowhere", "a=/libs/a hid=/libs/.hid"},
		{"[/libs/a]", "link: libs/out -> /elsewhere\ndir: /elsewhere", "a=/libs/a"}, // [+] a link out that is not selected
		{"[/l/a]", "link: l -> libs", "a=/libs/a"},                                  // a link on the way
		{`["/{libs,nope}/a"]`, "", "a=/libs/a"},
	} {
		ws := load(t, c.directives+"\n-- .haz/workspace.yml --\nprojects: "+c.list+tree)
		var got []string
		for _, p := range ws.Projects {
			got = append(got, p.Name+"="+p.Dir)
			if p.File != strings.TrimPrefix(p.Dir, "/")+"/haz.yml" {
				t.Errorf("%s: file %s of %s", c.list, p.File, p.Dir)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", c.list, got, c.want)
		}
	}
	// [+] a wildcard never selects the root, .haz and what is in it, or .git.
	ws := load(t, "dir: .git/x\ndir: .haz/cache\n-- .haz/workspace.yml --\nprojects: [\"/*\"]\n-- a/haz.yml --\nname: a\n")
	if len(ws.Projects) != 1 {
		t.Errorf("/* selects %d projects", len(ws.Projects))
	}
}

// Implicit mode (2.1): settings are defaults, there are no overlays, and both anchors name the same directory (8.1).
func TestImplicit(t *testing.T) {
	ws := load(t, "in: src\ndir: .git\ndir: src\n-- haz.yml --\nname: solo\ntasks:\n  build:\n    command: [make]\n    env: {from_host: [PATH]}\n    inputs: [a.c, /a.c]\n    deps: [\"~:build\"]\n    cache: false\n-- .hazz/tasks/o.yml --\ntasks: {}\n")
	if ws.Mode != workspace.Implicit || ws.Root != "/ws" || len(ws.Overlays) != 0 || len(ws.Warnings) != 0 {
		t.Errorf("%+v", ws)
	}
	want := "solo:build at haz.yml:3:3 in /\n  command [\"make\"]\n  input /a.c (a.c) at 6:14\n  input /a.c (/a.c) at 6:19\n  dep ~:build at 7:12\n  from_host [PATH]\n  cache false\n"
	if diff := cmp.Diff(want, describe(ws.Tasks[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(defaults(), ws.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// The cache commands need phases 1 and 2 only (11.1): a typing error in a project does not matter.
func TestSettingsOnly(t *testing.T) {
	tree := plant(t, txtar.Parse([]byte("-- .haz/workspace.yml --\nprojects: [/a, /gone]\ncache: {hash: sha256}\n-- a/haz.yml --\n[\n-- .haz/tasks/x.yml --\n[\n")))
	ws, fs, err := Workspace(context.Background(), tree.host, tree.start, Options{SettingsOnly: true})
	if err != nil || ws.Settings.Hash != "sha256" || len(ws.Projects) != 0 {
		t.Fatalf("%+v, %v", ws, err)
	}
	if fs.HostPath("/a") != "/ws/a" {
		t.Errorf("the file system is rooted at %s", fs.HostPath("/"))
	}
	_ = fs.Close()
}

// A context that has ended ends the load, with its error.
func TestLoadCancelled(t *testing.T) {
	tree := plant(t, txtar.Parse([]byte(resolveExample)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if ws, fs, err := Workspace(ctx, tree.host, tree.start, Options{}); !errors.Is(err, context.Canceled) || ws != nil || fs != nil {
		t.Errorf("%v, %v, %v", ws, fs, err)
	}
}

// DISC-030: loading writes nothing; and it reads each file once.
func TestLoadReadsOnce(t *testing.T) {
	archive, err := os.ReadFile("testdata/acme.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tree := plant(t, txtar.Parse(archive))
	counting := &counter{FS: tree.host, reads: map[string]int{}}
	if _, _, err := Workspace(context.Background(), counting, tree.start, Options{}); err != nil {
		t.Fatal(err)
	}
	if len(counting.reads) != 7 {
		t.Errorf("read %v", counting.reads)
	}
	for name, n := range counting.reads {
		if n != 1 {
			t.Errorf("%s is read %d times", name, n)
		}
	}
}

// Work is spread over goroutines, and a panic in one is the caller's to catch.
func TestParallel(t *testing.T) {
	l := loader{ctx: context.Background()}
	for _, n := range []int{0, 1, 2, 1000} {
		done := make([]int, n)
		l.parallel(n, func(i int) { done[i]++ })
		for i, times := range done {
			if times != 1 {
				t.Errorf("of %d, %d is done %d times", n, i, times)
			}
		}
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "broken") {
			t.Errorf("recovered %v", r)
		}
	}()
	l.parallel(100, func(i int) {
		if i == 50 {
			panic("broken")
		}
	})
}
