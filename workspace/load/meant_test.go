package load

import (
	"errors"
	"testing"

	"github.com/haz-build/haz/workspace"
)

// The same where names have several parts.
func TestMeantParts(t *testing.T) {
	ws := load(t, `
-- .haz/workspace.yml --
projects: [/ui, /libs/core, /other]
-- ui/haz.yml --
name: "@acme/ui"
tasks: {"build:prod": {shell: ""}, test/unit: {shell: ""}, default: {shell: ""}}
-- libs/core/haz.yml --
name: github.com/acme/core.v2
tasks: {build: {shell: ""}}
-- other/haz.yml --
name: other/core.v2
tasks: {lint: {shell: ""}}
`)
	const ui = `"@acme/ui" is a project; to run a task of it: haz run @acme/ui:build:prod, haz run @acme/ui:default, haz run @acme/ui:test/unit`
	for _, c := range []struct{ text, dir, want string }{
		{"@acme/ui", "", ui}, {"ui", "", ui}, {"ui/", "/", ui},
		{"@acme/ui#build:prod", "", `did you mean "@acme/ui:build:prod"?`},
		{"@acme/ui/test/unit", "", `did you mean "@acme/ui:test/unit"?`},
		{"acme/ui#test/unit", "", `did you mean "@acme/ui:test/unit"?`},
		{"ui/build:prod", "", `did you mean "@acme/ui:build:prod"?`},
		{"/ui:test/unit", "", `did you mean "@acme/ui:test/unit"?`},
		{":build:prod", "", `did you mean "^:build:prod"?`}, {":build:prod", "/ui", `did you mean "~:build:prod"?`},
		{"github.com/acme/core.v2.build", "", `did you mean "github.com/acme/core.v2:build"?`},
		{"libs/core/build", "/", `did you mean "github.com/acme/core.v2:build"?`},
		{"core.v2", "", ""}, // that could be two
	} {
		typed := workspace.Typed{Text: c.text, Dir: c.dir, Bearing: ws.Project("@acme/ui")}
		if c.dir != "/ui" {
			typed.Bearing = nil
		}
		if got := ws.Meant(typed); got != c.want {
			t.Errorf("%s in %q: %s, want %s", c.text, c.dir, got, c.want)
		}
	}
	// What parses is looked up first; the hint is that of what is not there.
	for _, c := range []struct{ ref, dir, want, rule, hint string }{
		{"build:prod", "/ui", "@acme/ui:build:prod", "", ""}, // no project is called build
		{"build:prod", "", `no project "build"`, "REF-003", ""},
		{"ui:test/unit", "", `no project "ui"`, "REF-003", `did you mean "@acme/ui:test/unit"?`},
		{"libs/core:build", "", `no project "libs/core"`, "REF-003", `did you mean "github.com/acme/core.v2:build"?`},
		{"other/core.v2:lint", "/ui", "other/core.v2:lint", "", ""},
	} {
		bearing := ws.Project("@acme/ui")
		if c.dir == "" {
			bearing = nil
		}
		checkResolve(t, ws, c.ref, bearing, c.want, c.rule, c.hint)
	}
	// In a file a text means the same whatever projects there are: the form with ~ is its own.
	r, err := workspace.ParseReference("build:prod", false)
	if err != nil {
		t.Fatal(err)
	}
	var e *workspace.SelectError
	if _, err := ws.Resolve(r, ws.Project("@acme/ui")); !errors.As(err, &e) || e.Hint != `for a task of this project, write "~:build:prod"` {
		t.Errorf("got %v with hint %q", err, e.Hint)
	}
}

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
uses: [core]
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
		{"^build", "/app", `did you mean "^uses:build"?`},
		{"^lint", "/app", `did you mean "^uses:lint"?`},
		{"^build", "/libs/core", `did you mean "^:build"?`},
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
