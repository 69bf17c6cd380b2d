package workspace

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// wildWorkspace has projects with the tags and tasks that a table names: "lib red,blue build !setup >base"; ! makes a task internal, > is a project that it uses, = an alias.
func wildWorkspace(lines ...string) *Workspace {
	w := &Workspace{}
	for _, line := range lines {
		words := strings.Fields(line)
		p := &Project{Name: words[0], Dir: "/" + words[0]}
		if words[1] != "-" {
			p.Tags = strings.Split(words[1], ",")
		}
		for _, name := range words[2:] {
			if used, is := strings.CutPrefix(name, ">"); is {
				p.SetUses(append(p.Uses, Use{Name: used}))
				continue
			}
			if alias, is := strings.CutPrefix(name, "="); is {
				p.Aliases = append(p.Aliases, alias)
				continue
			}
			name, internal := strings.CutPrefix(name, "!")
			t := &Task{ID: TaskID{Project: p.Name, Task: name}, Project: p, Internal: internal, Index: len(w.Tasks)}
			p.Tasks, w.Tasks = append(p.Tasks, t), append(w.Tasks, t)
		}
		w.Projects = append(w.Projects, p)
	}
	return w
}

// QRY-010: what references with wildcards select, and why they select nothing.
func TestWildcards(t *testing.T) {
	w := wildWorkspace(
		"@acme/ui ui build build:prod build:test/a =kit",
		"app web,go build test test-unit >empty",
		"empty red >lib >libs",
		"lib go build !setup test[node=22,os=mac] test[node=24,os=linux]",
		"libs - !hidden",
	)
	for _, c := range []struct{ text, bearing, want string }{
		{"*:build", "", "@acme/ui:build app:build lib:build"},
		{"*:*", "", "@acme/ui:build @acme/ui:build:prod @acme/ui:build:test/a app:build app:test app:test-unit lib:build lib:test[node=22,os=mac] lib:test[node=24,os=linux]"},
		{"lib:*", "", "lib:build lib:test[node=22,os=mac] lib:test[node=24,os=linux]"},
		{"lib*:b*", "", "lib:build"},
		{"**:build", "", "@acme/ui:build app:build lib:build"},
		{"*b:build", "", "lib:build"},
		{"l*b:build", "", "lib:build"},
		{"app:test*", "", "app:test app:test-unit"},
		{"app:*t*t*", "", "app:test app:test-unit"},
		{"*:test", "", "app:test lib:test[node=22,os=mac] lib:test[node=24,os=linux]"},
		{"lib:te*t", "", "lib:test[node=22,os=mac] lib:test[node=24,os=linux]"},
		{"lib:test[node=22*", "", `task name "test[node=22*" is wrong`},
		{"lib:test[node=22,*]", "", "lib:test[node=22,os=mac]"},
		{"lib:test[os=*,node=24]", "", "lib:test[node=24,os=linux]"},
		{"*:*[node=24*]", "", "lib:test[node=24,os=linux]"},
		{"^:test-*", "", "app:test-unit"},
		{"^~:bui*", "app", "@acme/ui:build @acme/ui:build:prod @acme/ui:build:test/a lib:build"},
		{"[g*]:build", "", "app:build lib:build"},
		{"[w*]:t*", "", "app:test app:test-unit"},
		{"[g*]~:build", "app", "lib:build"},
		{"@acme/*:build", "", "@acme/ui:build"},
		{"k*:build", "", "@acme/ui:build"},
		{"*ui:*", "", "@acme/ui:build @acme/ui:build:prod @acme/ui:build:test/a"},
		{"*/ui:b*:*", "", "@acme/ui:build:prod @acme/ui:build:test/a"},
		{"~:build:*", "@acme/ui", "@acme/ui:build:prod @acme/ui:build:test/a"},
		{"build:*", "@acme/ui", "@acme/ui:build:prod @acme/ui:build:test/a"}, // as build:prod, which begins with no project
		{"b*:prod", "@acme/ui", "@acme/ui:build:prod"},
		{"l*:prod", "@acme/ui", `none of the 2 projects that it means has a task "prod"`},
		{"build:*", "", `there is no project "build"`},
		{"~:t*", "app", "app:test app:test-unit"},
		{"t*", "app", "app:test app:test-unit"},
		{"b*", "", "@acme/ui:build @acme/ui:build:prod @acme/ui:build:test/a app:build lib:build"},
		{"*", "lib", "lib:build lib:test[node=22,os=mac] lib:test[node=24,os=linux]"},
		{"^uses:*", "app", "lib:build lib:test[node=22,os=mac] lib:test[node=24,os=linux]"},
		{"^uses:t*t", "app", "lib:test[node=22,os=mac] lib:test[node=24,os=linux]"},
		{"^uses:x*", "app", `none of the projects that "app" uses has a task "x*"`},
		{"^uses:*", "lib", `"lib" uses no project`},
		{"*:setup", "", "lib:setup"}, // named without a wildcard
		// nothing
		{"lib:set*", "", `only internal tasks match, and a wildcard leaves those out; an internal task is run by its name: "lib:setup"`},
		{"~:t*", "", `it means the project that one stands in, and this directory is inside no project; write "^:t*"`},
		{"x*:build", "", `no project matches "x*"; haz list --projects --workspace`},
		{"*:bild", "", `none of the 5 projects that it means has a task "bild"; did you mean "*:build"?`},
		{"app:tset*", "", `project "app" has no task "tset*"; did you mean "app:test*"?`},
		{"lib*:tset*", "", `none of the 2 projects that it means has a task "tset*"; did you mean "lib*:test*"?`},
		{"appp:*", "", `there is no project "appp"; did you mean "app:*"?`},
		{"*libz:build", "", `no project matches "*libz"; did you mean "*lib:build"?`},
		{"[gp*]:build", "", `no project has a tag that matches "gp*"; haz list`},
		{"[goo]:b*", "", `no project has the tag "goo"; did you mean "[go]:b*"?`},
		{"[red]:*", "", `project "empty" has no task "*"; haz list`},
		{"[red]~:*", "empty", `there is no project that it could mean`},
	} {
		got := ""
		r, err := ParseReference(c.text, true)
		if err == nil {
			var tasks []*Task
			tasks, err = w.ResolveTyped(r, w.Project(c.bearing))
			for _, task := range tasks {
				got += " " + task.ID.String()
			}
		}
		if err != nil {
			got = " " + err.Error()
			var s *SelectError
			if errors.As(err, &s) && s.Hint != "" {
				got += "; " + s.Hint
			}
		}
		if got = got[min(1, len(got)):]; got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s in %q: %s\nwant %s", c.text, c.bearing, got, c.want)
		}
	}
	r, _ := ParseReference("lib:*", true)
	if all, err := w.ResolveExcluded(r, nil); err != nil || len(all) != 4 {
		t.Errorf("what is taken away: %d tasks, %v; internal ones are among them", len(all), err)
	}
}

// A wildcard matches as the regular expression .* does: of all short texts, and all short names.
func TestMatchNameAsRegexp(t *testing.T) {
	names := wordsOf("a/:", 4)
	for _, text := range wordsOf("a/*", 5) {
		means := regexp.MustCompile("^" + strings.ReplaceAll(text, "*", ".*") + "$")
		for _, name := range names {
			if got := MatchName(text, name); got != means.MatchString(name) {
				t.Errorf("%q, %q: %v", text, name, got)
			}
		}
	}
}

// wordsOf lists the words of some letters, up to a length.
func wordsOf(letters string, longest int) []string {
	list, last := []string{""}, []string{""}
	for range longest {
		var next []string
		for _, word := range last {
			for _, letter := range strings.Split(letters, "") {
				next = append(next, word+letter)
			}
		}
		list, last = append(list, next...), next
	}
	return list
}
