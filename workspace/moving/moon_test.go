package moving

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/workspace/infer"
)

// AUX-042: overlays give each project the tasks that it has in moon, and no others, whatever attaches the files of tasks and whatever projects
// leave out, rename or say otherwise.
func TestMoonOverlaysMeanTheSame(t *testing.T) {
	overlays := 0
	for seed := range uint64(200) {
		a := randomMoon(rand.New(rand.NewPCG(seed, 42)))
		disk, o := plant(t, a)
		plan, mistakes := Read(t.Context(), disk, "moon", o)
		s := &source{disk: infer.NewDisk(disk), fs: disk, tracked: o.Tracked, options: o, file: moonFiles[0]}
		m := moonOf(t.Context(), s)
		if len(mistakes) > 0 || m == nil {
			t.Fatalf("seed %d: %v", seed, mistakes)
		}
		m.tag(nil, map[string]bool{})
		long, _ := s.draft.files()
		for _, f := range plan.Files {
			if strings.HasPrefix(f.Name, tasksDir) {
				overlays++
			}
		}
		if diff := cmp.Diff(described(t, a, long), described(t, a, plan.Files)); diff != "" {
			t.Fatalf("seed %d: (-written out +overlays)\n%s\n%s", seed, diff, txtar.Format(a))
		}
	}
	if overlays < 200 {
		t.Errorf("%d overlays only", overlays)
	}
}

// randomMoon is a workspace of some projects and files of tasks.
func randomMoon(r *rand.Rand) *txtar.Archive {
	a := &txtar.Archive{}
	put := func(name, format string, args ...any) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: fmt.Appendf(nil, format, args...)})
	}
	some := func(from ...string) string {
		var out []string
		for _, text := range from {
			if r.IntN(2) == 0 {
				out = append(out, text)
			}
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	one := func(from ...string) string { return from[r.IntN(len(from))] }
	put(".moon/workspace.yml", "projects: {a: a, b: b, c: c, d: d}\n")
	put(".moon/toolchains.yml", "{}\n")
	for i, name := range []string{"all", "go", "tagged"} {
		by := []string{"{}", "{language: go}", "{tag: x}"}[i]
		if r.IntN(3) == 0 {
			by = one("{layers: [library, tool]}", "{tags: {and: [x, y]}}", "{tags: {not: [x]}}", "{layer: library}", "{language: go, tag: y}")
		}
		tasks := ""
		for _, task := range []string{"t", "u", "v"} {
			if r.IntN(3) > 0 {
				tasks += fmt.Sprintf("  %s: {command: '%s %s', deps: %s, options: {cache: %s}}\n", task, one("one", "two"), one("", "three"), one("[]", "['^:t']"), one("true", "false"))
			}
		}
		if tasks != "" {
			put(".moon/tasks/"+name+".yml", "inheritedBy: %s\nimplicitInputs: %s\ntasks:\n%s", by, some("'/x'"), tasks)
		}
	}
	for _, p := range []string{"a", "b", "c", "d"} {
		tasks := "{}"
		if r.IntN(3) == 0 {
			tasks = fmt.Sprintf("{%s: {args: more, env: {A: '1'}}}", one("t", "u", "w"))
		}
		exclude, rename := some("t", "v"), one("{}", "{u: w}")
		put(p+"/moon.yml", "language: %s\nlayer: %s\ntags: %s\ntasks: %s\nworkspace: {inheritedTasks: {exclude: %s, rename: %s}}\n",
			one("go", "rust"), one("library", "tool", "application"), some("x", "y", "go"), tasks, exclude, rename)
	}
	return a
}
