package graph

import (
	"context"
	"errors"
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/load"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// load reads the workspace of an archive.
func loaded(t testing.TB, archive *txtar.Archive) (*workspace.Workspace, diag.List) {
	t.Helper()
	mem := memfs.New()
	for _, f := range archive.Files {
		if f.Name == "want" {
			continue
		}
		name := path.Join("/ws", f.Name)
		if err := mem.MkdirAll(path.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		file, err := mem.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(f.Data); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ws, fs, err := load.Workspace(context.Background(), mem, "/ws", load.Options{})
	if fs != nil {
		t.Cleanup(func() { _ = fs.Close() })
	}
	var said *diag.Errors
	if err != nil && !errors.As(err, &said) {
		t.Fatal(err)
	}
	if said != nil {
		return ws, said.List
	}
	return ws, nil
}

// TestErrors shows each graph error of chapter 1, 11.4 as a user sees it, all of a workspace together (DAG-011), in YAML:
// testdata/errors/*.txtar.
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
			ws, said := loaded(t, archive)
			if ws == nil {
				t.Fatal(said.Render(diag.Style{}))
			}
			g, list := Build(ws)
			if g != nil {
				list = append(list, g.Warnings()...)
			}
			got := append(said, list...).Render(diag.Style{})
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

// TestExample is the annotated example of chapter 1: what is selected, and what check says.
func TestExample(t *testing.T) {
	archive, err := txtar.ParseFile("../workspace/load/testdata/acme.txtar")
	if err != nil {
		t.Fatal(err)
	}
	ws, said := loaded(t, archive)
	if len(said) > 0 {
		t.Fatal(said.Render(diag.Style{}))
	}
	g, diags := Build(ws)
	if g == nil {
		t.Fatal(diags.Render(diag.Style{}))
	}
	for target, want := range map[string]string{
		"web:default":   "core:build gen:version net:build web:default",
		"web:all-tests": "core:build core:lint core:test gen:lint gen:version net:build net:lint net:test web:all-tests",
		"core:test":     "core:build core:test gen:version",
	} {
		var got []string
		for _, task := range g.Plan([]int{find(t, g, target)}).Tasks {
			got = append(got, task.ID.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", target, got, want)
		}
	}
	both := g.Plan([]int{find(t, g, "core:test"), find(t, g, "net:build")})
	if text := edges(both.Tasks, both.Up); !strings.Contains(text, "net:build -weakDeps-> core:test") {
		t.Errorf("weakDeps do not order:\n%s", text)
	}
	// Tasks of one name in two projects are two nodes (DAG-007), and their lock adds no edge between them (MUTEX-009).
	tests := g.Plan([]int{find(t, g, "core:test"), find(t, g, "net:test")})
	text := edges(tests.Tasks, tests.Up)
	if !strings.Contains(text, "net:build -deps-> net:test") {
		t.Errorf("edges:\n%s", text)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, "core:test") && strings.Contains(line, "net:test") {
			t.Errorf("an edge between tasks of one mutex: %s", line)
		}
	}
	if text := g.Warnings().Render(diag.Style{}); !strings.Contains(text, `only its own definition can make "gen:version" run again`) || strings.Count(text, "warning: ") != 1 {
		t.Errorf("warnings:\n%s", text)
	}
}
