package setup

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

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
