package load

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
)

// A project that is not checked out, and of which nobody knows the name, may be the one that is used: that is no mistake, and a task that asks for
// those of what is used lacks one (DISC-024).
func TestUsesOfWhatIsNotCheckedOut(t *testing.T) {
	tree := plant(t, txtar.Parse([]byte(`
-- .haz/workspace.yml --
projects: [/app, /far, /near]
-- app/haz.yml --
name: app
uses: [remote, close]
tasks: {build: {shell: "true", deps: ["^uses:build"]}}
-- near/haz.yml --
name: close
tasks: {build: {shell: "true"}}
`)))
	for text, lacks := range map[string]string{"": "the project in \"/far\", which may have that task", "name: remote": "", "name: remote\nuses: [close]": "",
		"name: remote\ntasks: {build: {shell: x}}": "project \"remote\", in \"/far\", which has that task", "name: far\naliases: [remote]\ntasks: {build: {shell: x}}": "project \"far\""} {
		ws, fs, err := Workspace(t.Context(), tree.host, tree.start, Options{NotCheckedOut: func(fsys.FS, string) []workspace.Absent {
			return []workspace.Absent{{Dir: "/far", Text: text, Add: "git sparse-checkout add far"}}
		}})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		app := ws.Project("app")
		var names []string
		for _, u := range app.Uses {
			names = append(names, u.Name)
		}
		if diff := cmp.Diff([]string{"close", "remote"}, names); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		said := ""
		if e := ws.Lacks(workspace.Reference{Form: workspace.RefUses, Task: "build"}, app); e != nil {
			said = e.Reason
		}
		if (said == "") != (lacks == "") || !strings.HasPrefix(said, lacks) {
			t.Errorf("%q: %q is lacking, want %q", text, said, lacks)
		}
		_ = fs.Close()
	}
}
