package load

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/haz-build/haz/workspace"
)

// The grammar of 7.1, form by form (REF-001 … REF-008).
func TestParseReference(t *testing.T) {
	for text, want := range map[string]workspace.Reference{
		"~:t":       {Form: workspace.RefOwn, Task: "t"},
		"^~:t":      {Form: workspace.RefAllButOwn, Task: "t"},
		"^:t":       {Form: workspace.RefAll, Task: "t"},
		"^uses:t":   {Form: workspace.RefUses, Task: "t"},
		"[red]~:t":  {Form: workspace.RefTagButOwn, Tag: "red", Task: "t"},
		"[red]:t":   {Form: workspace.RefTag, Tag: "red", Task: "t"},
		"p:t":       {Form: workspace.RefProject, Project: "p", Task: "t"},
		"1:2":       {Form: workspace.RefProject, Project: "1", Task: "2"},
		"A-b:c_D":   {Form: workspace.RefProject, Project: "A-b", Task: "c_D"},
		"~:default": {Form: workspace.RefOwn, Task: "default"},
		// The first colon behind a project ends it.
		"a:t:u":               {Form: workspace.RefProject, Project: "a", Task: "t:u"},
		"@acme/ui:build:prod": {Form: workspace.RefProject, Project: "@acme/ui", Task: "build:prod"},
		"github.com/x/y.z:t":  {Form: workspace.RefProject, Project: "github.com/x/y.z", Task: "t"},
		"~:build:prod":        {Form: workspace.RefOwn, Task: "build:prod"},
		"^~:test/unit":        {Form: workspace.RefAllButOwn, Task: "test/unit"},
		"[red]~:a@1.2":        {Form: workspace.RefTagButOwn, Tag: "red", Task: "a@1.2"},
		"p:a:b[node=22,os=x]": {Form: workspace.RefProject, Project: "p", Task: "a:b[node=22,os=x]"},
	} {
		for _, bare := range []bool{false, true} {
			got, err := workspace.ParseReference(text, bare)
			if err != nil || got != want || got.String() != text {
				t.Errorf("%q: got %+v (%s), %v", text, got, got, err)
			}
		}
	}
	if got, err := workspace.ParseReference("t", true); err != nil || got != (workspace.Reference{Form: workspace.RefBare, Task: "t"}) || got.String() != "t" {
		t.Errorf("a bare name: %+v, %v", got, err)
	}
}

// The malformed ones of 7.1 (REF-001, REF-006, REF-007; haz::cfg::008); the message names the component that is wrong.
func TestParseReferenceMalformed(t *testing.T) {
	for text, mentions := range map[string]string{
		"": "empty", "t": `no ":"`, "~t": `no ":"`, "^t": `no ":"`, "^~t": `no ":"`,
		"[red": "not closed", "[red]t": `after the tag`, "[red]~t": "after the tag", "[red][blue]:t": "second tag",
		"a:t:": `task name "t:"`, "a::t": `task name ":t"`, "/a:t": `project name "/a"`, "a/:t": `project name "a/"`, "a/../b:t": `project name "a/../b"`, ".:t": `project name "."`,
		"@:t": `project name "@"`, "~:t//u": `task name "t//u"`, "[a/b]:t": `tag name "a/b"`, "a" + strings.Repeat("/x", 107) + ":t": "ID-003", "*:t": `project name "*"`, "a:*": `task name "*"`, "!a:t": `project name "!a"`,
		"[red,blue]:t": `tag name "red,blue"`, "~a:t": `project name "~a"`, "^a:t": `project name "^a"`,
		" a:t": `project name " a"`, "a: t": `task name " t"`, ":t": "project name is missing", "a:": "task name is missing", "[]:t": "tag name is missing",
		"~:": "task name is missing", "^:": "task name is missing", "^~:": "task name is missing", "[a]:": "task name is missing", "[a]~:": "task name is missing",
		"~:a b": `task name "a b"`, "a:t\n": `task name "t\n"`, "a:_t": "ID-002", "-a:t": "ID-002", "a:" + strings.Repeat("x", 65): "ID-003",
		"[a]": "after the tag", "[ a]:t": `tag name " a"`, "^^:t": `project name "^^"`, "~~:t": `project name "~~"`, "~^:t": `project name "~^"`, "a:t\xff": `task name "t\xff"`,
	} {
		for _, bare := range []bool{false, true} {
			if bare && (text == "t" || workspace.IsWild(text)) {
				continue
			}
			_, err := workspace.ParseReference(text, bare)
			var e *workspace.ReferenceError
			if !errors.As(err, &e) {
				t.Errorf("%q: %v", text, err)
				continue
			}
			if !strings.Contains(e.Reason, mentions) || e.Rule == "" || e.Text != text {
				t.Errorf("%q: %s %q, want a mention of %s", text, e.Rule, e.Reason, mentions)
			}
			if e.Offset < 0 || e.Length < 0 || e.Offset+e.Length > len(text) {
				t.Errorf("%q: place %d+%d is outside", text, e.Offset, e.Length)
			}
		}
	}
	if _, err := workspace.ParseReference("a b", true); err == nil || !strings.Contains(err.Error(), `task name "a b"`) {
		t.Errorf("a bare name with a space: %v", err)
	}
	// QRY-010: where somebody types it, * may stand in a name; what stands around it is held to the rules all the same.
	for _, text := range []string{"*:t", "a:*", "*", "t*", "^:*t", "[r*]:t", "[*]~:*", "~:a*b*", "a:t[n=*]", "a:t[*]", "*:*[*=2]", "**:**"} {
		if r, err := workspace.ParseReference(text, true); err != nil || r.String() != text || !r.Wild() {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
		if _, err := workspace.ParseReference(text, false); err == nil {
			t.Errorf("%q is a reference in a file", text)
		}
	}
	for text, mentions := range map[string]string{
		"* :t": `project name "* "`, "*:": "task name is missing", "-*:t": "ID-002", "a:t*[n": "not closed", "a:t[*": "not closed", "a:t[* ]": "REF-007", "a:t[*!]": "REF-009", "*?:t": "ID-001",
		"*" + strings.Repeat("x", 64) + ":t": "ID-003",
	} {
		_, err := workspace.ParseReference(text, true)
		var e *workspace.ReferenceError
		if !errors.As(err, &e) || !strings.Contains(e.Rule+" "+e.Reason, mentions) || e.Offset+e.Length > len(text) {
			t.Errorf("%q: %#v, want a mention of %s", text, err, mentions)
		}
	}
}

// What is nearly ^uses:t is answered with it.
func TestParseReferenceUses(t *testing.T) {
	for text, want := range map[string]string{"^use:t": `did you mean "^uses:t"?`, "^Uses:t": `did you mean "^uses:t"?`, "^dependsOn:t[a=b]": `did you mean "^uses:t[a=b]"?`, "^lib:t": "", "^use:": ""} {
		_, err := workspace.ParseReference(text, false)
		var e *workspace.ReferenceError
		if !errors.As(err, &e) || e.Hint != want {
			t.Errorf("%q: %#v, want the hint %s", text, err, want)
		}
	}
}

// Printing a reference gives the text it was parsed from; every reference of names can be parsed.
func TestReferenceRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_-]{0,8}`)
	project := rapid.StringMatching(`@?[A-Za-z0-9][A-Za-z0-9_.@-]{0,8}(/[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,4}){0,3}`)
	task := rapid.StringMatching(`@?[A-Za-z0-9][A-Za-z0-9_.@-]{0,8}([:/][A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,4}){0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		r := workspace.Reference{Form: rapid.SampledFrom([]workspace.RefForm{workspace.RefOwn, workspace.RefProject, workspace.RefAll, workspace.RefAllButOwn, workspace.RefTag, workspace.RefTagButOwn, workspace.RefUses, workspace.RefBare}).Draw(t, "form"), Task: task.Draw(t, "task")}
		switch r.Form {
		case workspace.RefProject:
			r.Project = project.Draw(t, "project")
		case workspace.RefTag, workspace.RefTagButOwn:
			r.Tag = name.Draw(t, "tag")
		}
		if r.Form == workspace.RefBare && strings.Contains(r.Task, ":") {
			return // which is a project and a task
		}
		got, err := workspace.ParseReference(r.String(), true)
		if err != nil || got != r {
			t.Fatalf("%s: %+v, %v", r, got, err)
		}
	})
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"~:t", "^~:t", "^:t", "[red]~:t", "[red]:t", "p:t", "t", "", "[red", "a: t", "[]:t", "a:t:u", "@a/b.c:d:e", "a/..:t", "[a]~", "\xff:"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, bare bool) {
		r, err := workspace.ParseReference(s, bare)
		var e *workspace.ReferenceError
		switch {
		case err == nil && r.String() != s:
			t.Errorf("%q printed %q", s, r)
		case err == nil:
		case !errors.As(err, &e) || e.Reason == "" || e.Offset+e.Length > len(s):
			t.Errorf("%q: %#v", s, err)
		}
	})
}

// The example of 7.2.
const resolveExample = `
-- .haz/workspace.yml --
projects: [/a, /b, /c, /d]
-- a/haz.yml --
name: a
tags: [red, solo]
tasks: {me: {shell: ""}, t: {shell: ""}, only_a: {shell: ""}}
-- b/haz.yml --
name: b
tags: [red, blue]
tasks: {t: {shell: ""}, only_b: {shell: ""}}
-- c/haz.yml --
name: c
tags: [green]
tasks: {t: {shell: ""}}
-- d/haz.yml --
name: d
tags: [blue, empty]
tasks: {u: {shell: ""}}
`

// load loads an archive, which must have no error.
func load(t testing.TB, archive string) *workspace.Workspace {
	t.Helper()
	ws, err := tryLoad(t, archive)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func tryLoad(t testing.TB, archive string) (*workspace.Workspace, error) {
	t.Helper()
	tree := plant(t, txtar.Parse([]byte(archive)))
	ws, fs, err := Workspace(context.Background(), tree.host, tree.start, Options{})
	if fs != nil {
		_ = fs.Close()
	}
	return ws, err
}

// The table of 7.2, row by row: what each form selects, and why it fails. The bearing task is a:me.
func TestResolve(t *testing.T) {
	ws := load(t, resolveExample)
	for _, c := range []struct {
		ref, want, rule, hint string // want: the tasks, or a part of the reason
	}{
		{"~:t", "a:t", "", ""},
		{"~:only_b", `project "a" has no task "only_b"`, "REF-002", `"~:only_a"`},
		{"b:t", "b:t", "", ""},
		{"a:t", "a:t", "", ""},
		{"zz:t", `no project "zz"`, "REF-003", ""},
		{"b:nope", `project "b" has no task "nope"`, "REF-003", ""},
		{"b:onlyb", `project "b" has no task "onlyb"`, "REF-003", `did you mean "b:only_b"?`},
		{"b:me", `project "b" has no task "me"`, "REF-003", `project "a" has a task of that name: "a:me"`},
		{"^:t", "a:t b:t c:t", "", ""},
		{"^:nope", `no project has a task "nope"`, "REF-004", ""},
		{"^:onlya", `no project has a task "onlya"`, "REF-004", `did you mean "^:only_a"?`},
		{"^~:t", "b:t c:t", "", ""},
		{"^~:only_a", `only this project, "a", has a task "only_a"`, "REF-008", ""},
		{"^~:nope", `no project has a task "nope"`, "REF-008", ""},
		{"[red]:t", "a:t b:t", "", ""},
		{"[nope]:t", `no project has the tag "nope"`, "REF-005", ""},
		{"[gren]:t", `no project has the tag "gren"`, "REF-005", `did you mean "[green]:t"?`},
		{"[empty]:t", `no project tagged "empty" has a task "t"`, "REF-005", ""},
		{"[c]:t", `no project has the tag "c"`, "REF-005", `"c" is a project; for its task, write "c:t"`},
		{"green:t", `no project "green"`, "REF-003", `"green" is a tag; for the projects that carry it, write "[green]:t"`},
		{"[red]~:t", "b:t", "", ""},
		{"[solo]~:t", `only this project, "a", is tagged "solo" and has a task "t"`, "REF-008", ""},
		{"[solo]~:nope", `no project tagged "solo" has a task "nope"`, "REF-008", ""},
		{"[nope]~:t", `no project has the tag "nope"`, "REF-008", ""},
		{"[blue]:u", "d:u", "", ""},
		{"[blue]:only_b", "b:only_b", "", ""},
	} {
		checkResolve(t, ws, c.ref, ws.Project("a"), c.want, c.rule, c.hint)
	}
	// On the command line, outside every project (7.4).
	for _, c := range []struct{ ref, want, rule, hint string }{
		{"~:t", "inside no project", "REF-002", `"a:t"`},
		{"^~:t", "inside no project", "REF-008", `write "^:t"`},
		{"[red]~:t", "inside no project", "REF-008", `write "[red]:t"`},
		{"b:t", "b:t", "", ""}, {"^:t", "a:t b:t c:t", "", ""}, {"[red]:t", "a:t b:t", "", ""},
		{"t", "a:t b:t c:t", "", ""}, {"nope", `no project has a task "nope"`, "REF-006", ""},
	} {
		checkResolve(t, ws, c.ref, nil, c.want, c.rule, c.hint)
	}
	// A bare name inside a project is that project's task.
	checkResolve(t, ws, "t", ws.Project("b"), "b:t", "", "")
	checkResolve(t, ws, "me", ws.Project("b"), `project "b" has no task "me"`, "REF-006", `"a:me"`)
}

func checkResolve(t *testing.T, ws *workspace.Workspace, text string, bearing *workspace.Project, want, rule, hint string) {
	t.Helper()
	r, err := workspace.ParseReference(text, true)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := ws.ResolveTyped(r, bearing)
	if rule == "" {
		var got []string
		for _, task := range tasks {
			got = append(got, task.ID.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
		return
	}
	var e *workspace.SelectError
	if !errors.As(err, &e) || e.Rule != rule || e.Ref != text || !strings.Contains(e.Reason, want) || !strings.Contains(e.Hint, hint) || hint == "" && e.Hint != "" {
		t.Errorf("%s: got %#v, want %s with %q and the hint %q", text, err, rule, want, hint)
	}
}

// Overlay tasks count like any other (7.2).
func TestResolveOverlayTask(t *testing.T) {
	ws := load(t, resolveExample+"-- .haz/tasks/lint.yml --\ntagsFilter: [blue]\ntasks: {lint: {shell: x}}\n")
	checkResolve(t, ws, "^:lint", nil, "b:lint d:lint", "", "")
}

// What follows from an error that was reported is no error: a reference into a project that did not load selects nothing, and
// silently (11.2).
func TestResolveInPart(t *testing.T) {
	for about, archive := range map[string]string{
		"a project does not parse":    strings.Replace(resolveExample, "name: b", "name: [", 1),
		"its name is wrong":           strings.Replace(resolveExample, "name: b", "name: b b", 1),
		"its haz.yml is missing":      strings.Replace(resolveExample, "-- b/haz.yml --", "-- b/hatz.yml --", 1),
		"its directory is missing":    strings.Replace(resolveExample, "-- b/haz.yml --", "-- bb/haz.yml --", 1),
		"the list of projects is bad": strings.Replace(resolveExample, "/b,", "b,", 1),
	} {
		ws, err := tryLoad(t, archive)
		if err == nil || ws == nil {
			t.Errorf("%s: %v, %v", about, ws, err)
			continue
		}
		for _, text := range []string{"b:t", "zz:t", "^:nope", "[nope]:t", "[solo]~:t", "^~:only_a"} {
			r, _ := workspace.ParseReference(text, false)
			if tasks, err := ws.Resolve(r, ws.Project("a")); len(tasks) > 0 || err != nil {
				t.Errorf("%s: %s: %v, %v", about, text, tasks, err)
			}
		}
		// What is whole is judged as ever.
		checkResolve(t, ws, "~:nope", ws.Project("a"), `project "a" has no task`, "REF-002", "")
	}
	ws, err := tryLoad(t, strings.Replace(resolveExample, "only_b:", `"only b":`, 1))
	if err == nil || ws == nil {
		t.Fatal(ws, err)
	}
	for text, want := range map[string]string{"b:only_b": "", "^:only_b": "", "zz:t": "no project", "[nope]:t": "no project has the tag"} {
		r, _ := workspace.ParseReference(text, false)
		if tasks, err := ws.Resolve(r, ws.Project("a")); len(tasks) > 0 || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("a task of b is bad: %s: %v, %v", text, tasks, err)
		}
	}
}

// Task and Project find by identity.
func TestLookUp(t *testing.T) {
	ws := load(t, resolveExample)
	for _, task := range ws.Tasks {
		if ws.Task(task.ID) != task || ws.Tasks[task.Index] != task {
			t.Errorf("%s is not found", task.ID)
		}
	}
	if ws.Task(workspace.TaskID{Project: "a", Task: "zz"}) != nil || ws.Task(workspace.TaskID{Project: "zz", Task: "t"}) != nil || ws.Project("") != nil {
		t.Error("found what is not there")
	}
	var names []string
	for _, task := range ws.Tasks {
		names = append(names, task.ID.String())
	}
	if diff := cmp.Diff([]string{"a:me", "a:only_a", "a:t", "b:only_b", "b:t", "c:t", "d:u"}, names); diff != "" {
		t.Errorf("canonical order (-want +got):\n%s", diff)
	}
}
