package moving

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// updating reports whether -update was given, which infertest declares.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// Each archive is a workspace of the tool that its name begins with. The file "plan" is what is to be written, or what is wrong; what
// "tracked" lists, git tracks.
func TestPlans(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".txtar")
		t.Run(base, func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := -1
			disk := fsys.Memory()
			o := Options{Folder: "My folder", OS: "linux", Arch: "amd64"}
			for i, f := range a.Files {
				switch f.Name {
				case "plan":
					want = i
				case "tracked":
					o.Tracked = strings.Fields(string(f.Data))
				default:
					infertest.Put(t, disk, f.Name, string(f.Data))
					if strings.HasPrefix(string(f.Data), "#!") {
						if err := disk.Chmod("/"+f.Name, 0o777); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if want < 0 {
				t.Fatal("the archive has no file plan")
			}
			tool, _, _ := strings.Cut(base, "_")
			plan, mistakes := Read(t.Context(), disk, tool, o)
			var got strings.Builder
			for _, f := range plan.Files {
				fmt.Fprintf(&got, "==== %s\n%s", f.Name[1:], f.Text)
			}
			if plan.Try != "" {
				fmt.Fprintf(&got, "==== %d notes; try %s\n", plan.Notes, plan.Try)
			}
			for _, d := range append(plan.Warnings, mistakes...) {
				fmt.Fprintf(&got, "%v %s %s:%d:%d %s\n", d.Severity, d.Code, d.Place.File, d.Place.Line, d.Place.Column, d.Message)
			}
			if got.String() == string(a.Files[want].Data) {
				return
			}
			if !updating() {
				t.Fatalf("got\n%swant\n%s", got.String(), a.Files[want].Data)
			}
			a.Files[want].Data = []byte(got.String())
			if err := os.WriteFile(name, txtar.Format(a), 0o666); err != nil {
				t.Fatal(err)
			}
		})
	}
}
