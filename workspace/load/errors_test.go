package load

import (
	"context"
	"errors"
	"flag"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestErrors shows each error of chapter 1, 11.4, and each warning, as a user sees it: testdata/errors/*.txtar holds a
// workspace and what loading it says. The comment of an archive tells what is wrong, and may hold directives:
//
//	in: DIR                  where to start; /ws otherwise
//	dir: NAME                an empty directory
//	link: NAME -> TEXT       a symbolic link
//	fifo: NAME
//	raw: NAME "TEXT"         a file in Go's quoting, for bytes that an archive cannot hold
//	forbid: NAME             looking into NAME fails: permission denied
//
// Names are relative to /ws. Files are read by -update as well: it rewrites the section "want", and the diff is reviewed by
// reading it as a tired user would.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tree := plant(t, archive)
			ws, fs, err := Workspace(context.Background(), tree.host, tree.start, Options{})
			var said *diag.Errors
			got := ""
			switch {
			case err == nil:
				got = ws.Warnings.Render(diag.Style{})
				_ = fs.Close()
			case errors.As(err, &said):
				got = said.Error()
			default:
				t.Fatalf("the error is no *diag.Errors: %v", err)
			}
			if got == "" {
				t.Error("nothing was said")
			}
			want := ""
			for i := range archive.Files {
				if archive.Files[i].Name == "want" {
					want = string(archive.Files[i].Data)
					archive.Files[i].Data = []byte(got)
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got); -update rewrites it:\n%s", diff)
			}
		})
	}
}

type planted struct {
	host  fsys.FS
	start string
}

// plant makes the tree of an archive in memory.
func plant(t testing.TB, archive *txtar.Archive) planted {
	t.Helper()
	mem := memfs.New()
	tree := planted{host: mem, start: "/ws"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	full := func(name string) string {
		if strings.HasPrefix(name, "/") {
			return name
		}
		return path.Join("/ws", name)
	}
	write := func(name, text string) {
		must(mem.MkdirAll(path.Dir(full(name)), 0o755))
		f, err := mem.Create(full(name))
		must(err)
		_, err = f.WriteString(text)
		must(err)
		must(f.Close())
	}
	must(mem.MkdirAll("/ws", 0o755))
	for _, f := range archive.Files {
		if f.Name != "want" {
			write(f.Name, string(f.Data))
		}
	}
	for _, line := range strings.Split(string(archive.Comment), "\n") {
		word, rest, ok := strings.Cut(line, ": ")
		if !ok {
			continue
		}
		switch word {
		case "in":
			tree.start = full(rest)
		case "dir":
			must(mem.MkdirAll(full(unquote(rest)), 0o755))
		case "fifo":
			must(mem.MkdirAll(path.Dir(full(rest)), 0o755))
			must(mem.Mkfifo(full(rest), 0o644))
		case "link":
			name, text, _ := strings.Cut(rest, " -> ")
			must(mem.MkdirAll(path.Dir(full(name)), 0o755))
			must(mem.Symlink(text, full(name)))
		case "raw":
			name, text, _ := strings.Cut(rest, " ")
			write(name, unquote(text))
		case "forbid":
			tree.host = forbidding{FS: tree.host, base: "/", name: full(rest)}
		}
	}
	return tree
}

func unquote(s string) string {
	if text, err := strconv.Unquote(s); err == nil {
		return text
	}
	return s
}

// forbidding is a file system in which one name, and all below it, may not be looked into. (The tests may run as root, who
// may look into everything.)
type forbidding struct {
	fsys.FS
	base string // of this file system in the outermost one
	name string
}

func (f forbidding) denied(op, name string) error {
	full := path.Join(f.base, name)
	if full == f.name || strings.HasPrefix(full, f.name+"/") {
		return &os.PathError{Op: op, Path: name, Err: syscall.EACCES}
	}
	return nil
}

func (f forbidding) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	if err := f.denied("open", name); err != nil {
		return nil, fsys.Info{}, err
	}
	return f.FS.ReadFile(name, limit)
}

func (f forbidding) List(dir string) ([]fsys.Entry, error) {
	if err := f.denied("open", dir); err != nil {
		return nil, err
	}
	return f.FS.List(dir)
}

func (f forbidding) Lstat(name string) (fsys.Info, error) {
	if full := path.Join(f.base, name); full != f.name {
		if err := f.denied("lstat", name); err != nil {
			return fsys.Info{}, err
		}
	}
	return f.FS.Lstat(name)
}

func (f forbidding) StatInfo(name string) (fsys.Info, error) {
	if full := path.Join(f.base, name); full != f.name || path.Base(name) == ".haz" {
		if err := f.denied("stat", name); err != nil {
			return fsys.Info{}, err
		}
	}
	return f.FS.StatInfo(name)
}

func (f forbidding) Sub(dir string) (fsys.FS, error) {
	sub, err := f.FS.Sub(dir)
	if err != nil {
		return nil, err
	}
	return forbidding{FS: sub, base: path.Join(f.base, dir), name: f.name}, nil
}
