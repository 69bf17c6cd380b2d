package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// On the disk of the machine: links on the way to the root, FIFOs, folders that may not be read, dangling links. Each ends in
// a clear error, and nothing waits.
func TestOnDisk(t *testing.T) {
	archive, err := os.ReadFile("testdata/acme.txtar")
	if err != nil {
		t.Fatal(err)
	}
	host, err := fsys.Host("/")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	temp, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(temp, "real")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range txtar.Parse(archive).Files {
		must(os.MkdirAll(filepath.Dir(filepath.Join(root, f.Name)), 0o777))
		must(os.WriteFile(filepath.Join(root, f.Name), f.Data, 0o666))
	}
	must(os.Symlink("real", filepath.Join(temp, "link")))
	start := filepath.Join(temp, "link", "libs", "core")
	load := func() (*workspace.Workspace, error) {
		ws, fs, err := Workspace(context.Background(), host, start, Options{})
		if fs != nil {
			must(fs.Close())
		}
		return ws, err
	}
	ws, err := load()
	must(err)
	if ws.Root != root || len(ws.Tasks) != 11 || len(ws.Warnings) != 0 {
		t.Errorf("root %s, %d tasks\n%s", ws.Root, len(ws.Tasks), ws.Warnings.Render(diag.Style{}))
	}
	if p := Bearing(ws, host, start); p == nil || p.Name != "core" {
		t.Errorf("bearing project: %v", p)
	}

	net := filepath.Join(root, "libs", "net", "haz.yml")
	must(os.Rename(net, net+".old"))
	wantError := func(part string) {
		t.Helper()
		if _, err := load(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("want %q, got %v", part, err)
		}
	}
	wantError("libs/net/haz.yml: the file does not exist")
	must(syscall.Mkfifo(net, 0o666))
	wantError("libs/net/haz.yml: this is a FIFO, socket or device, not a file")
	must(os.Remove(net))
	must(os.Symlink("haz.yml", net))
	wantError("libs/net/haz.yml: the file cannot be read")
	must(os.Remove(net))
	must(os.Symlink("/dev/zero", net))
	wantError("libs/net/haz.yml: this is a FIFO, socket or device, not a file")
	must(os.Remove(net))
	must(os.Mkdir(net, 0o777))
	wantError("libs/net/haz.yml: this is a directory, not a file")
	must(os.Remove(net))
	must(os.Symlink("haz.yml.old", net))
	if _, err := load(); err != nil {
		t.Errorf("a link to a regular file is fine: %v", err)
	}
	if os.Getuid() != 0 {
		must(os.Chmod(filepath.Join(root, ".haz", "tasks"), 0))
		wantError("permission denied")
		must(os.Chmod(filepath.Join(root, ".haz", "tasks"), 0o777))
		must(os.Chmod(filepath.Dir(net), 0))
		wantError("permission denied")
		must(os.Chmod(filepath.Dir(net), 0o777))
	}
}

// A file beyond 16 MiB is not read whole, and said to be too large.
func TestHugeFile(t *testing.T) {
	huge := strings.Repeat("#", config.FileMax) + "\n"
	_, err := tryLoad(t, "-- .haz/workspace.yml --\nprojects: [/a]\n-- a/haz.yml --\nname: a\n"+huge)
	if err == nil || !strings.Contains(err.Error(), "a/haz.yml: the file is larger than 16 MiB [haz::cfg::002]") {
		t.Errorf("got %v", err)
	}
}

// Links in circles, among directories and files, end; what is selected twice over them is found once.
func TestLinkCircles(t *testing.T) {
	ws := load(t, `
link: libs/loop -> .
link: libs/up -> ..
link: libs/self -> self
link: libs/a/to-b -> ../b
link: libs/b/to-a -> ../a
-- .haz/workspace.yml --
projects: ["/libs/**"]
-- libs/a/haz.yml --
name: a
-- libs/b/haz.yml --
name: b
`[1:])
	if len(ws.Projects) != 2 {
		t.Errorf("%d projects", len(ws.Projects))
	}
}

// One body under thousands of names shares what it came to, so that an alias costs a pointer and no copy.
func TestSharedBodies(t *testing.T) {
	var b strings.Builder
	b.WriteString("name: a\ntasks:\n  t0: &t\n    shell: x\n    inputs:\n")
	for i := range 100 {
		fmt.Fprintf(&b, "    - \"d%d/*.c\"\n", i)
	}
	for i := 1; i < 2000; i++ {
		fmt.Fprintf(&b, "  t%d: *t\n", i)
	}
	ws := load(t, "-- .haz/workspace.yml --\nprojects: [/a]\n-- a/haz.yml --\n"+b.String())
	if len(ws.Tasks) != 2000 {
		t.Fatalf("%d tasks", len(ws.Tasks))
	}
	for _, task := range ws.Tasks {
		if len(task.Inputs) != 100 || &task.Inputs[0] != &ws.Tasks[0].Inputs[0] {
			t.Fatalf("%s has inputs of its own", task.ID)
		}
	}
}
