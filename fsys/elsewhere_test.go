package fsys_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
	"github.com/haz-build/haz/fsys/memfs"
)

// roofed makes FS whose whole tree lies elsewhere, for the suite that every file system is held against.
func roofed(t *testing.T, host fsys.FS, place string) fsys.FS {
	t.Helper()
	if err := host.MkdirAll(place, 0o755); err != nil {
		t.Fatal(err)
	}
	tree, err := host.Sub(place)
	if err != nil {
		t.Fatal(err)
	}
	return fsys.Elsewhere(tree, host, map[string]string{"/": place})
}

func TestElsewhereConforms(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		fsystest.Run(t, func(t *testing.T) fsys.FS { return roofed(t, memfs.New(), "/tree") })
	})
	t.Run("host", func(t *testing.T) {
		fsystest.Run(t, func(t *testing.T) fsys.FS {
			host, err := fsys.Host("/")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { host.Close() })
			return roofed(t, host, t.TempDir())
		})
	})
}

// eachHost runs a test on a tree and its host, both empty, in memory and on disk; root is where names for places begin.
func eachHost(t *testing.T, test func(t *testing.T, tree, host fsys.FS, root string)) {
	run := func(t *testing.T, host fsys.FS, root string) {
		if err := host.MkdirAll(root+"/ws", 0o755); err != nil {
			t.Fatal(err)
		}
		tree, err := host.Sub(root + "/ws")
		if err != nil {
			t.Fatal(err)
		}
		defer tree.Close()
		test(t, tree, host, root)
	}
	t.Run("memory", func(t *testing.T) { run(t, memfs.New(), "/r") })
	t.Run("host", func(t *testing.T) {
		root, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		host, err := fsys.Host("/")
		if err != nil {
			t.Fatal(err)
		}
		defer host.Close()
		run(t, host, root)
	})
}

func TestElsewhere(t *testing.T) {
	eachHost(t, func(t *testing.T, tree, host fsys.FS, root string) {
		e := fsys.Elsewhere(tree, host, map[string]string{"/.haz/state": root + "/far/away/state", "/.haz/cache": root + "/far/cache"})
		wantErr := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		ok := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		write := func(name string) {
			t.Helper()
			f, err := e.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			ok("make "+name, err)
			_, err = f.Write([]byte(name))
			ok("write "+name, err)
			ok("close "+name, f.Close())
		}
		isAt := func(name, place string) {
			t.Helper()
			data, _, err := host.ReadFile(root+place, 0)
			if err != nil || string(data) != name {
				t.Errorf("%s on the host: %q, %v", place, data, err)
			}
		}

		// Nothing is made by looking.
		_, err := e.Lstat("/.haz/state")
		wantErr("no place yet", err, fs.ErrNotExist)
		if !strings.Contains(err.Error(), " /.haz/state:") {
			t.Errorf("the error is about another name: %v", err)
		}
		_, err = e.List("/.haz/state/runs")
		wantErr("nothing in it", err, fs.ErrNotExist)
		ok("remove what is not there", e.RemoveAll("/.haz/state/runs"))
		wantErr("Mkdir", e.Mkdir("/.haz/cache/ab", 0o700), fs.ErrNotExist)
		if _, err := host.Lstat(root + "/far"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal("a place was made without MkdirAll")
		}

		ok("mkdir", e.MkdirAll("/.haz/state/runs", 0o700))
		ok("mkdir", e.MkdirAll("/.haz/cache", 0o700))
		if _, err := tree.Lstat("/.haz"); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the tree has got a .haz")
		}
		write("/.haz/state/runs/r")
		isAt("/.haz/state/runs/r", "/far/away/state/runs/r")
		ok("tree", e.Mkdir("/.haz", 0o755))
		ok("tree", e.Mkdir("/.haz/statement", 0o755)) // another name, that begins like it
		if _, err := tree.Lstat("/.haz/statement"); err != nil {
			t.Error(err)
		}
		if got, want := e.HostPath("/.haz/state/x"), host.HostPath(root+"/far/away/state/x"); got != want {
			t.Errorf("HostPath %s, want %s", got, want)
		}
		if got, want := e.HostPath("/.haz/statement"), tree.HostPath("/.haz/statement"); got != want {
			t.Errorf("HostPath %s, want %s", got, want)
		}
		_, _, err = e.ReadFile("/.haz/state/runs/none", 0)
		if err == nil || !strings.Contains(err.Error(), "/.haz/state/runs/none:") {
			t.Errorf("the error of what lies elsewhere: %v", err)
		}

		// Links do not lead out of a place by writing.
		ok("link", e.Symlink("../../..", "/.haz/state/up"))
		if _, err := e.RealPath("/.haz/state/up"); !errors.Is(err, fsys.ErrOutside) {
			t.Errorf("RealPath out of a place: %v", err)
		}
		wantErr("write through", e.Mkdir("/.haz/state/up/x", 0o700), fsys.ErrOutside)
		if real, err := e.RealPath("/.haz/state/runs"); real != "/.haz/state/runs" {
			t.Errorf("RealPath %s, %v", real, err)
		}

		// Between places, and between a place and the tree.
		ok("rename", e.Rename("/.haz/state/runs/r", "/.haz/state/r"))
		isAt("/.haz/state/runs/r", "/far/away/state/r")
		write("/moved")
		ok("rename in", e.Rename("/moved", "/.haz/state/moved"))
		isAt("/moved", "/far/away/state/moved")
		ok("rename over", e.Rename("/.haz/state/moved", "/.haz/cache/moved"))
		isAt("/moved", "/far/cache/moved")
		ok("rename out", e.RenameTo("/.haz/cache/moved", tree, "/back"))
		isAt("/moved", "/ws/back")
		ok("rename into", tree.RenameTo("/back", mustSub(t, e, "/.haz/state"), "/again"))
		wantErr("hard link", e.Link("/.haz/state/again", "/out"), syscall.EXDEV)
		wantErr("clone", e.CloneFile("/.haz/state/again", "/out", 0o600), syscall.EXDEV)
		ok("hard link", e.Link("/.haz/state/again", "/.haz/state/other"))
		a, _ := e.Lstat("/.haz/state/again")
		b, _ := host.Lstat(root + "/far/away/state/other")
		if !a.Same(b) {
			t.Errorf("not one file: %+v, %+v", a, b)
		}

		// A place stays.
		for what, err := range map[string]error{
			"Remove": e.Remove("/.haz/cache"), "RemoveAll": e.RemoveAll("/.haz/cache"),
			"Rename": e.Rename("/.haz/cache", "/.haz/state/trash"), "Rename onto": e.Rename("/.haz/statement", "/.haz/cache"),
			"RenameTo": e.RenameTo("/.haz/cache", tree, "/x"),
		} {
			wantErr(what, err, syscall.EBUSY)
		}
		wantErr("Symlink", e.Symlink("x", "/.haz/cache"), fs.ErrExist)
		list, err := e.List("/.haz/state")
		ok("list", err)
		var names []string
		for _, n := range list {
			names = append(names, n.Name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != "again other r runs up" {
			t.Errorf("the state holds %s", got)
		}

		// Somebody removes it, and somebody makes it again.
		ok("remove", host.RemoveAll(root+"/far"))
		_, err = e.Lstat("/.haz/state/r")
		wantErr("a place that was removed", err, fs.ErrNotExist)
		ok("make again", e.MkdirAll("/.haz/state", 0o700))
		write("/.haz/state/new")
		isAt("/.haz/state/new", "/far/away/state/new")

		// A link for a place is followed, and looked at as a link.
		ok("link", host.Symlink(root+"/far/away", root+"/far/cache"))
		if info, err := e.Lstat("/.haz/cache"); err != nil || info.Kind != fsys.Link {
			t.Errorf("a linked place: %+v, %v", info, err)
		}
		if _, err := e.Lstat("/.haz/cache/state/new"); err != nil {
			t.Error(err)
		}
		if p, ok := e.(fsys.Place); !ok || !p.InPlace() {
			t.Error("it is not in place")
		}
		if fsys.Elsewhere(tree, host, nil) != tree {
			t.Error("a tree without places is not itself")
		}
	})
}

func mustSub(t *testing.T, f fsys.FS, dir string) fsys.FS {
	t.Helper()
	s, err := f.Sub(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
