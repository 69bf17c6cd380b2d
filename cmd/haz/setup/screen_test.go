package setup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The confirmation shows what the projects that exist offer (AUX-005): their tasks, and what those are for; not the internal ones.
func TestInitShowsTasks(t *testing.T) {
	root := t.TempDir()
	many := "name: many\ntasks:\n"
	for i := range 23 {
		many += fmt.Sprintf("  t%02d: {command: [x]}\n", i)
	}
	for name, text := range map[string]string{
		"lib/haz.yml": "name: lib\ntasks:\n  build: {command: [cc], description: \"Compiles\\tthe library.\\nAll of it.\"}\n" +
			"  gen: {command: [gen], internal: true, description: Nobody asks for it.}\n  test-all: {command: [t]}\n  run: {command: [a], matrix: {node: [22]}}\n",
		"many/haz.yml": many,
		"new/src":      "",
	} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := newState(list(t.Context(), root, "/"))
	s.marks = map[string]mark{"/lib": markProject, "/many": markProject, "/new": markProject}
	draft, err := prepare(t.Context(), root, s)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(drawing{}.confirmation(draft), "\n")
	_, got, _ = strings.Cut(got, "lib/haz.yml  exists, stays as it is\n")
	want := `    lib:build         Compiles\tthe library.
    lib:run[node=22]
    lib:test-all
many/haz.yml  exists, stays as it is
    many:t00
`
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
		t.Error(diff)
	}
	if want := "    many:t19\n    ... and 3 more tasks"; !strings.HasSuffix(got, want) {
		t.Errorf("ends in\n%s\nwant\n%s", got, want)
	}
}

// What git ignores, and links, are known: a parent with such children is written one by one.
func TestInitListing(t *testing.T) {
	root := t.TempDir()
	git := exec.Command("git", "init", "-q")
	git.Dir = root
	if out, err := git.CombinedOutput(); err != nil {
		t.Skipf("git: %v: %s", err, out)
	}
	for _, dir := range []string{"app", "libs/a", "libs/b", ".hidden"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{".gitignore": "app/\n", "file": ""} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "libs", "tofile": "file"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]child{".git": {}, ".hidden": {}, "app": {ignored: true}, "libs": {}, "link": {link: true}}
	for _, c := range list(t.Context(), root, "/").children {
		w, ok := want[c.name]
		w.name = c.name
		if !ok || c != w {
			t.Errorf("%+v, want %+v", c, w)
		}
		delete(want, c.name)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	if d := list(t.Context(), root, "/nowhere"); d.trouble == "" {
		t.Error("a directory that cannot be read is no trouble")
	}
}
