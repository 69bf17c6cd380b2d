// Package infertest holds a reader of manifests against archives: the files of a workspace, and what the reader finds there.
package infertest

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Archives reads testdata/*.txtar, each in a test of its own. The file "found" of an archive is what the reader finds; "a -> b" is a link
// with the text b, all others are files of the workspace.
func Archives(t *testing.T, r infer.Reader) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := -1
			disk := fsys.Memory()
			for i, f := range a.Files {
				if f.Name == "found" {
					want = i
				} else {
					Put(t, disk, f.Name, string(f.Data))
				}
			}
			if want < 0 {
				t.Fatal("the archive has no file found")
			}
			got := Text(infer.All(t.Context(), disk, r))
			if got == string(a.Files[want].Data) {
				return
			}
			if !*update {
				t.Fatalf("got\n%swant\n%s", got, a.Files[want].Data)
			}
			a.Files[want].Data = []byte(got)
			if err := os.WriteFile(name, txtar.Format(a), 0o666); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Put makes a file, or a link where the name is "a -> b".
func Put(t testing.TB, disk *fsys.MemFS, name, text string) {
	t.Helper()
	name, to, link := strings.Cut("/"+name, " -> ")
	err := disk.MkdirAll(path.Dir(name), 0o777)
	switch {
	case err == nil && link:
		err = disk.Symlink(to, name)
	case err == nil:
		err = afero.WriteFile(disk, name, []byte(text), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Text is what a reader found, a line each.
func Text(f infer.Found) string {
	var b strings.Builder
	for _, p := range f.Projects {
		fmt.Fprintf(&b, "project %s %q %s %s:%d:%d\n", p.Dir, p.Name, strings.Join(p.Tags, ","), p.Manifest, p.Place.Line, p.Place.Column)
	}
	for _, e := range f.Edges {
		fmt.Fprintf(&b, "edge %s > %s %s %s:%d:%d\n", e.From, e.To, e.Kind, e.Place.File, e.Place.Line, e.Place.Column)
	}
	for _, d := range f.Mistakes {
		fmt.Fprintf(&b, "%v %s %s:%d:%d %s\n", d.Severity, d.Code, d.Place.File, d.Place.Line, d.Place.Column, d.Message)
	}
	return b.String()
}
