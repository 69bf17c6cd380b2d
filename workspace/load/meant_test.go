package load

import (
	"testing"

	"github.com/haz-build/haz/workspace"
)

// What people type first, as other tools have it, and what haz says to type instead.
func TestMeantReference(t *testing.T) {
	ws := load(t, `
-- .haz/workspace.yml --
projects: [/libs/core, /app, /empty]
-- libs/core/haz.yml --
name: core
tasks: {build: {shell: ""}, lint: {shell: ""}}
-- app/haz.yml --
name: app
tasks: {a: {shell: ""}, b: {shell: ""}, build: {shell: ""}, test: {shell: ""}}
-- empty/haz.yml --
name: empty
`)
	const core = `"core" is a project; to run a task of it: haz run core:build, haz run core:lint`
	for _, c := range []struct{ text, dir, want string }{
		{"core", "", core},
		{"libs/core", "/", core},
		{"libs/core/", "/", core},
		{"./core", "/libs", core},
		{"../libs/core", "/app", core},
		{"/libs/core", "/app", core},
		{".", "/libs/core", core},
		{"core:*", "", core},
		{"app", "", `"app" is a project; to run a task of it: haz run app:a, haz run app:b, haz run app:build, …`},
		{"empty", "", `"empty" is a project, and it has no task`},
		{"core#build", "", `did you mean "core:build"?`},
		{"core/build", "", `did you mean "core:build"?`},
		{"core.build", "", `did you mean "core:build"?`},
		{"@core/build", "", `did you mean "core:build"?`},
		{"//libs/core:build", "", `did you mean "core:build"?`},
		{"/libs/core:build", "", `did you mean "core:build"?`},
		{"libs/core:build", "/app", `did you mean "core:build"?`},
		{"./core:build", "/libs", `did you mean "core:build"?`},
		{"@acme/core#build", "", `did you mean "core:build"?`},
		{"^build", "", `did you mean "^:build"?`},
		{"~build", "/app", `did you mean "~:build"?`},
		{"all", "", "for every task of every project: haz run --workspace"},
		{"^core:build", "", `did you mean "core:build"?`},
		{"//...", "", "for every task of every project: haz run --workspace"},
		{"core:build,app:test", "", "several tasks are several words: core:build app:test"},
		{"core:build\napp:test", "", "several tasks are several words: core:build app:test"},
		{"build lint", "", "several tasks are several words: build lint"},
		{"core:{build,lint}", "", "several tasks are several words: core:build core:lint"},
		{"core:build,nope", "", ""},
		{"core:{build,nope}", "", ""},
		{"core#nope", "", ""},
		{"nobody/build", "", ""},
		{"zz", "", ""},
		{"/home/me:build", "/app", "the shell made that of ~:build; put it in quotes: '~:build', or write haz run build"},
		{"/home/me:lint", "", `the shell made that of ~:lint, and this directory is inside no project; write "core:lint"`},
		{"/home/me:lint", "/app", "the shell made that of ~:lint; put it in quotes: '~:lint'"},
	} {
		typed := workspace.Typed{Text: c.text, Dir: c.dir, Home: "/home/me"}
		for _, p := range ws.Projects {
			if p.Dir == c.dir {
				typed.Bearing = p
			}
		}
		if got := ws.Meant(typed); got != c.want {
			t.Errorf("%s in %q: %s, want %s", c.text, c.dir, got, c.want)
		}
	}
}
