// Package infertest holds a reader of manifests against archives: the files of a workspace, and what the reader finds there.
package infertest

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
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
			found := infer.All(t.Context(), disk, r)
			Sound(t, found)
			got := Text(found)
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

// Fuzz gives a reader manifests of three folders, the root among them: whatever they say, what it finds is sound.
func Fuzz(f *testing.F, r infer.Reader, root, name string, seeds ...string) {
	for i, seed := range seeds {
		f.Add(seed, seeds[(i+1)%len(seeds)], seeds[(i+2)%len(seeds)])
	}
	f.Fuzz(func(t *testing.T, one, two, three string) {
		disk := fsys.Memory()
		Put(t, disk, root, one)
		Put(t, disk, "a/"+name, two)
		Put(t, disk, "a/b/"+name, three)
		Sound(t, infer.All(t.Context(), disk, r))
	})
}

// Sound holds what was found against what infer.Found promises.
func Sound(t *testing.T, f infer.Found) {
	t.Helper()
	dirs := map[string]bool{}
	for _, p := range f.Projects {
		if dirs[p.Dir] || !path.IsAbs(p.Dir) || path.Clean(p.Dir) != p.Dir || path.Dir(p.Manifest) != p.Dir || !slices.IsSorted(p.Tags) || len(p.Tags) == 0 {
			t.Errorf("a project that cannot be: %+v", p)
		}
		dirs[p.Dir] = true
	}
	for _, e := range f.Edges {
		if !dirs[e.From] || !dirs[e.To] || e.From == e.To || e.Kind == "" || e.Place.Line == 0 {
			t.Errorf("an edge that cannot be: %+v", e)
		}
	}
	for _, d := range f.Mistakes {
		if d.Code == "" || d.Message == "" || d.Place.File == "" {
			t.Errorf("a mistake without a place or a word: %+v", d)
		}
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
		also := ""
		for _, a := range p.Aliases {
			also += fmt.Sprintf(" or %q", a)
		}
		fmt.Fprintf(&b, "project %s %q%s %s %s:%d:%d\n", p.Dir, p.Name, also, strings.Join(p.Tags, ","), p.Manifest, p.Place.Line, p.Place.Column)
	}
	for _, e := range f.Edges {
		fmt.Fprintf(&b, "edge %s > %s %s %s:%d:%d\n", e.From, e.To, e.Kind, e.Place.File, e.Place.Line, e.Place.Column)
	}
	for _, d := range f.Mistakes {
		fmt.Fprintf(&b, "%v %s %s:%d:%d %s\n", d.Severity, d.Code, d.Place.File, d.Place.Line, d.Place.Column, d.Message)
	}
	return b.String()
}
