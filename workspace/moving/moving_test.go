package moving

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// updating reports whether -update was given, which infertest declares.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// Each archive is a workspace of the tool that its name begins with; one of manifests alone is called "found". The file "plan" is what is to be written, or what is wrong; what
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
			want := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "plan" })
			disk, o := plant(t, a)
			if want < 0 {
				t.Fatal("the archive has no file plan")
			}
			tool, _, _ := strings.Cut(base, "_")
			read := func() (Plan, diag.List) { return Read(t.Context(), disk, tool, o) }
			if tool == "found" {
				read = func() (Plan, diag.List) { return Begin(t.Context(), disk, o) }
			}
			plan, mistakes := read()
			var got strings.Builder
			for _, f := range plan.Files {
				fmt.Fprintf(&got, "==== %s\n%s", f.Name[1:], f.Text)
			}
			if plan.Try != "" {
				fmt.Fprintf(&got, "==== %d notes; try %s\n", plan.Notes, plan.Try)
			}
			for _, f := range plan.Beside {
				fmt.Fprintf(&got, "==== beside it %s %s\n", f.File, f.Tool)
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

// plant makes the workspace of an archive.
func plant(t *testing.T, a *txtar.Archive) (fsys.FS, Options) {
	disk := fsys.Memory()
	o := Options{Folder: "My folder", OS: "linux", Arch: "amd64"}
	for _, f := range a.Files {
		switch f.Name {
		case "plan":
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
	return disk, o
}

// Scripts of a root that start the script of their name in all packages, and those that do something else.
func TestDelegates(t *testing.T) {
	for text, want := range map[string]bool{
		"turbo run build": true, "turbo build": true, "npx turbo build --concurrency=4": true, "pnpm -r build": true, "pnpm --recursive run build": true, "npm run build --workspaces --if-present": true,
		"yarn workspaces run build": true, "yarn workspaces foreach -A run build": true, "lerna run build --stream": true, "nx run-many -t build": true,
		"": false, "build": false, "npm run build": false, "pnpm build": false, "turbo run build lint": false, "turbo run lint": false, "turbo build --filter=web": false, "pnpm -r build && echo done": false,
		"tsc build": false, "nx build": false, "nx run-many -t build --projects web": false, "turbo": false,
	} {
		if got := delegates(text, "build"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
