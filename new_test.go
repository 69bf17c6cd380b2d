package haz_test

import (
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// folders is a disk with folders.
func folders(names ...string) *fsys.MemFS {
	disk := fsys.Memory()
	for _, name := range names {
		if err := disk.MkdirAll(name, 0o755); err != nil {
			log.Fatal(err)
		}
	}
	return disk
}

// What is declared in Go is what the same words in files are, whatever characters they have.
func TestNewIsOpen(t *testing.T) {
	odd := "a\"b\\c\n\t\x00é☺😀\u2028\u0085\x7f #: {[<<"
	written := folders("/ws/lib", "/ws/app*")
	for name, text := range map[string]string{
		"/ws/.haz/workspace.yml": `projects: [/lib, "/app\\*"]
cache: {hash: sha256}
concurrency: {default: 3, tags: {heavy: 2, slow: 1}}
execution: {cancel_grace: 1.5, umask: 027}
env: {strict: true}
files: {all: ["**", "!*.o"], top: [/top.c]}
`,
		"/ws/lib/haz.yml": `name: lib
tags: [heavy, slow]
files: {all: ["src/**", $top]}
tasks:
  compile: {command: [cc, -c, "` + `a\"b\\c\n\t\x01é☺😀\u2028\u0085\x7f #: {[<<` + `"], inputs: ["src/**"], exclude: [src/x], outputs: [lib.a], mutex: db, env: {from_host: [PATH], pass: [TOKEN, "NPM_*"], override: {A: "1 ", B: "` + `a\"b\\c\n` + `"}}}
  check: {shell: "echo hi\nexit 0\n", shell_type: bash, cache: false, weakDeps: ["~:compile"], mutex: {name: "~:db", mode: shared}, env: {strict: true}}
  gen: {command: [gen], inputs: [$all]}
`,
		"/ws/app*/haz.yml": `name: app
tasks:
  build: {command: [ld], deps: ["lib:compile", {task: "lib:check", closure: false, streams: true}, {task: "lib:gen", streams: true}], tools: [ld, {name: as, probe: [as, --version]}], outputs: ["/out/**"], incremental: true}
`,
	} {
		if err := written.MkdirAll(name[:strings.LastIndex(name, "/")], 0o755); err != nil {
			t.Fatal(err)
		}
		if err := afero.WriteFile(written, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	odd = strings.Replace(odd, "\x00", "\x01", 1)
	opts := []haz.Option{haz.WithEnvironment([]string{"PATH=/bin"})}
	of, err := haz.Open(t.Context(), "/ws", append(opts, haz.WithFileSystem(written))...)
	if err != nil {
		t.Fatal(err)
	}
	defer of.Close()
	made, err := haz.New(t.Context(), "/ws", haz.Declaration{Hash: "sha256", Concurrency: 3, TagCaps: map[string]int{"heavy": 2, "slow": 1}, CancelGrace: 1500 * time.Millisecond, StrictEnv: true, Umask: "027", Files: map[string][]string{"all": {"**", "!*.o"}, "top": {"/top.c"}},
		Projects: []haz.ProjectDeclaration{
			{Name: "lib", Dir: "/lib", Tags: []string{"heavy", "slow"}, Files: map[string][]string{"all": {"src/**", "$top"}}, Tasks: []haz.TaskDeclaration{
				{Name: "compile", Command: []string{"cc", "-c", odd}, Inputs: []string{"src/**"}, Exclude: []string{"src/x"}, Outputs: []string{"lib.a"}, Mutex: "db",
					FromHost: []string{"PATH"}, Pass: []string{"TOKEN", "NPM_*"}, Override: map[string]string{"A": "1 ", "B": "a\"b\\c\n"}},
				{Name: "check", Shell: "echo hi\nexit 0\n", ShellType: "bash", Uncached: true, StrictEnv: true, WeakDeps: []string{"~:compile"}, Mutex: "~:db", SharedMutex: true},
				{Name: "gen", Command: []string{"gen"}, Inputs: []string{"$all"}},
			}},
			{Name: "app", Dir: "/app*", Tasks: []haz.TaskDeclaration{{Name: "build", Command: []string{"ld"}, Deps: []string{"lib:compile"}, NarrowDeps: []string{"lib:check"}, PrintedDeps: []string{"lib:check", "lib:gen"},
				Tools: []haz.Tool{{Name: "ld"}, {Name: "as", Probe: []string{"as", "--version"}}}, Outputs: []string{"/out/**"}, Incremental: true}}},
		}}, append(opts, haz.WithFileSystem(folders("/ws/lib", "/ws/app*")))...)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if diff := cmp.Diff(described(of), described(made)); diff != "" {
		t.Errorf("from files, and from Go:\n%s", diff)
	}
}

// described is all of a workspace but for where it was written.
func described(w *haz.Workspace) []string {
	lines := []string{plain(reflect.ValueOf(w.W.Settings)), w.W.Mode.String()}
	for _, p := range w.W.Projects {
		lines = append(lines, fmt.Sprint(p.Name, p.Aliases, p.Dir, p.Tags, plain(reflect.ValueOf(p.Uses)), p.Plain().Strict))
	}
	if in := w.W.Inferred; in != nil {
		lines = append(lines, fmt.Sprint("inferred", in.Readers, in.Scripts))
	}
	for _, t := range w.W.Tasks {
		of := *t
		of.Project = nil
		lines = append(lines, plain(reflect.ValueOf(of)))
	}
	return lines
}

// plain is a value as text: pointers are followed, and places left out.
func plain(v reflect.Value) string {
	if v.Type() == reflect.TypeFor[diag.Place]() {
		return ""
	}
	var items []string
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return "&" + plain(v.Elem())
	case reflect.Struct:
		if named, is := v.Interface().(fmt.Stringer); is {
			return named.String()
		}
		for i := range v.NumField() {
			items = append(items, v.Type().Field(i).Name+":"+plain(v.Field(i)))
		}
	case reflect.Slice:
		if v.IsNil() {
			return "nil"
		}
		for i := range v.Len() {
			items = append(items, plain(v.Index(i)))
		}
	default:
		return fmt.Sprint(v.Interface())
	}
	return "{" + strings.Join(items, " ") + "}"
}

// Mistakes are those that files can have, all at once, and their places are tasks and projects.
func TestMistakesInGo(t *testing.T) {
	task := func(name string, set func(t *haz.TaskDeclaration)) haz.TaskDeclaration {
		d := haz.TaskDeclaration{Name: name, Command: []string{"x"}}
		set(&d)
		return d
	}
	cases := map[string]haz.Declaration{
		"nothing": {},
		"tasks": {Projects: []haz.ProjectDeclaration{{Name: "lib", Dir: "/lib", Tasks: []haz.TaskDeclaration{
			task("ok", func(*haz.TaskDeclaration) {}),
			task("none", func(t *haz.TaskDeclaration) { t.Command = nil }),
			task("both", func(t *haz.TaskDeclaration) { t.Shell = "x" }),
			task("deps", func(t *haz.TaskDeclaration) { t.Deps = []string{"lib:okay", "~:ok", "~:ok"} }),
			task("up", func(t *haz.TaskDeclaration) { t.Deps = []string{"~:down"} }),
			task("down", func(t *haz.TaskDeclaration) { t.Deps = []string{"~:up"} }),
			task("paths", func(t *haz.TaskDeclaration) { t.Inputs, t.Outputs = []string{"../../x"}, []string{"a/**b"} }),
			task("paths too", func(t *haz.TaskDeclaration) { t.Inputs, t.Outputs = []string{"../../x"}, []string{"a/**b"} }),
		}}}},
		"bytes": {Projects: []haz.ProjectDeclaration{{Name: "lib", Dir: "/lib", Tasks: []haz.TaskDeclaration{
			task("bytes", func(t *haz.TaskDeclaration) { t.Inputs = []string{"\xff"} }),
			task("more", func(t *haz.TaskDeclaration) { t.Override = map[string]string{"A": "\xfe"} }),
		}}}},
		"projects": {Projects: []haz.ProjectDeclaration{
			{Name: "lib", Dir: "/lib"}, {Name: "lib", Dir: "/app"}, {Name: "no", Dir: "/none"}, {Name: "root", Dir: "/"}, {Name: "rel", Dir: "lib"}, {Dir: "/x"},
			{Name: "again", Dir: "/lib"}}},
		"settings": {Hash: "md5", Concurrency: -1, TagCaps: map[string]int{"a": 0}, CancelGrace: -time.Second},
		"times": {Projects: []haz.ProjectDeclaration{{Name: "lib", Dir: "/lib", Tasks: []haz.TaskDeclaration{
			task("a", func(t *haz.TaskDeclaration) { t.Timeout = 1500 * time.Microsecond }),
			task("b", func(t *haz.TaskDeclaration) { t.Timeout = -time.Second }),
			task("c", func(t *haz.TaskDeclaration) { t.Retry = haz.Retry{Times: -1} }),
			task("d", func(t *haz.TaskDeclaration) { t.Retry = haz.Retry{Delay: time.Second, On: []string{"0"}, Factor: 0.5} }),
			task("e", func(t *haz.TaskDeclaration) { t.StrictEnv, t.LaxEnv = true, true }),
			task("f", func(t *haz.TaskDeclaration) { t.If = haz.Condition{OS: "plan9", Env: "A B", Exists: "*"} }),
		}}}},
		"graph": {Projects: []haz.ProjectDeclaration{{Name: "lib", Dir: "/lib", Tasks: []haz.TaskDeclaration{
			task("a", func(t *haz.TaskDeclaration) { t.Deps, t.Outputs = []string{"lib:cc"}, []string{"out"} }),
			task("b", func(t *haz.TaskDeclaration) { t.Outputs = []string{"out"} }),
			task("ccc", func(t *haz.TaskDeclaration) { t.Outputs = []string{"/.haz/x"} }),
		}}}},
	}
	var said strings.Builder
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		w, err := haz.New(t.Context(), "/ws", cases[name], haz.WithFileSystem(folders("/ws/lib", "/ws/app", "/ws/x")))
		fmt.Fprintf(&said, "-- %s --\n", name)
		if err != nil {
			fmt.Fprintln(&said, err)
		} else if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	const golden = "testdata/declared.txt"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(golden, []byte(said.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if diff := cmp.Diff(string(want), said.String()); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// A declared workspace runs, caches and is asked as any other. Files that say something else are not looked at, nor are they touched; a
// task may make them.
func TestDeclaredRuns(t *testing.T) {
	disk := folders("/ws/.haz/tasks", "/ws/lib", "/ws/.git")
	files := map[string]string{"/ws/.haz/workspace.yml": "not: [YAML", "/ws/.haz/tasks/o.yml": "tasks: {x: {shell: x}}", "/ws/haz.yml": "name: other\n", "/ws/lib/src": "text"}
	for name, text := range files {
		if err := afero.WriteFile(disk, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tasks := []haz.TaskDeclaration{{Name: "make", Command: []string{"compile", "src", "haz.yml"}, Inputs: []string{"src"}, Outputs: []string{"haz.yml"}, FromHost: []string{"PATH"}}}
	for i, want := range []int{0, 1, 1} {
		spawner := compiler(disk)
		w, err := haz.New(t.Context(), "/ws", haz.Declaration{Projects: []haz.ProjectDeclaration{{Name: "lib", Dir: "/lib", Tasks: tasks}}}, haz.WithFileSystem(disk), haz.WithSpawner(spawner))
		if err != nil {
			t.Fatal(err)
		}
		if len(w.W.Warnings) > 0 || len(w.W.Tasks) != 1 || len(w.W.Overlays) > 0 {
			t.Errorf("%v, %d tasks", w.W.Warnings, len(w.W.Tasks))
		}
		r, err := w.Run(t.Context(), []int{0}, haz.RunOptions{})
		if err != nil || !r.OK() || r.Counts.Cached != want {
			t.Errorf("run %d: %+v, %v", i, r, err)
		}
		if text, err := afero.ReadFile(disk, "/ws/lib/haz.yml"); string(text) != "TEXT" {
			t.Errorf("run %d made %q, %v", i, text, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if i == 1 {
			if err := disk.Remove("/ws/lib/haz.yml"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range files {
		if now, err := afero.ReadFile(disk, name); string(now) != text {
			t.Errorf("%s holds %q, %v", name, now, err)
		}
	}
}
