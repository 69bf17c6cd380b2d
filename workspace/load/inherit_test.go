package load

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// whole prints what inherit can say of a task beside what defaults can.
func whole(t *workspace.Task) string {
	var b strings.Builder
	b.WriteString(strings.Join(t.CommandLine(), " "))
	if len(t.Outputs) > 0 {
		fmt.Fprintf(&b, " outputs=%v", workspace.Texts(t.Outputs))
	}
	for _, l := range []struct {
		key  string
		refs []workspace.RefDecl
	}{{"deps", t.Deps}, {"weakDeps", t.WeakDeps}} {
		for _, r := range l.refs {
			fmt.Fprintf(&b, " %s=%s", l.key, r.Ref)
			if r.Optional {
				b.WriteString("?")
			}
			if r.Narrow {
				b.WriteString("-")
			}
		}
	}
	if t.Mutex != nil {
		fmt.Fprintf(&b, " mutex=%s", t.Mutex.Name)
	}
	if t.If != (workspace.Condition{}) {
		fmt.Fprintf(&b, " if=%+v", t.If)
	}
	for key, is := range map[string]bool{"interactive": t.Interactive, "tty": t.TTY, "internal": t.Internal, "incremental": t.Incremental, "appends": t.AppendsArguments} {
		if is {
			fmt.Fprintf(&b, " %s", key)
		}
	}
	if t.Description != "" {
		fmt.Fprintf(&b, " description=%s", t.Description)
	}
	if more := said(&workspace.Task{Inputs: t.Inputs, Exclude: t.Exclude, EnvFiles: t.EnvFiles, FromHost: t.FromHost, Pass: t.Pass, Override: t.Override, Timeout: t.Timeout,
		Retry: t.Retry, Tools: t.Tools, OwnTools: t.OwnTools, Cache: t.Cache || t.Interactive, Strict: t.Strict}); more != "" {
		b.WriteString(" " + more)
	}
	return b.String()
}

// What a task has of a body that completes it, key by key (haz::cfg::067), and that it has nothing of it otherwise.
func TestInherit(t *testing.T) {
	for _, c := range []struct{ name, wider, own, want string }{
		{"all of it", "command: [a, b], inputs: [x], outputs: [o], deps: ['~:dep'], mutex: m, timeout: 1m", "", "a b outputs=[o] deps=~:dep mutex=m timeout=1m0s inputs=[x]"},
		{"a command in the place of a command", "command: [a]", "command: [b]", "b"},
		{"a command in the place of a script", "shell: a, shell_type: bash, shell_options: [-x], args: append", "command: [b]", "b"},
		{"a script in the place of a command", "command: [a]", "shell: b", "sh -e -c b"},
		{"a script in the place of a script", "shell: a, shell_type: bash, args: append", "shell: b", "bash -e -o pipefail -c b appends"},
		{"a shell for a script", "shell: a", "shell_type: bash, shell_options: [-u]", "bash -u -c a"},
		{"lists", "command: [a], inputs: ['src/**', x], exclude: [e], outputs: ['dist/**']", "inputs: [y, '!src/gen/**'], exclude: [f], outputs: ['!dist/tmp/**', log]",
			"a outputs=[dist/** !dist/tmp/** log] exclude=[e f] inputs=[src/** x y !src/gen/**]"},
		{"a dep in another form", "command: [a], deps: ['~:dep', '~:two']", "deps: ['~:two?', {task: '~:dep', closure: false}]", "a deps=~:two? deps=~:dep-"},
		{"a dep that is a weak one", "command: [a], deps: ['~:dep', '~:two']", "weakDeps: ['~:dep']", "a deps=~:two weakDeps=~:dep"},
		{"a weak dep that is one", "command: [a], weakDeps: ['~:dep']", "deps: ['~:dep']", "a deps=~:dep"},
		{"single values", "command: [a], mutex: m, if: {os: linux}, retry: 3, description: d, internal: true, incremental: true, tty: true, cache: false",
			"mutex: n, if: {env: CI}, retry: 1, description: e, internal: false, incremental: false, tty: false, cache: true", "a mutex=n if={OS: Env:CI Exists:} description=e retry=1"},
		{"env", "command: [a], env: {from_host: [A, B], pass: [C]}", "env: {pass: [A], override: {C: x}}", "a from_host=[B] pass=[A] override=map[C:x]"},
		{"a terminal of its own", "command: [a], tty: true, cache: true", "interactive: true", "a interactive"},
		{"not the terminal", "command: [a], interactive: true", "interactive: false, tty: true", "a tty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			archive := func(inherit string) string {
				own := strings.Trim(inherit+", "+c.own, ", ")
				return "-- .haz/workspace.yml --\nprojects: [/p, /q]\n" +
					"-- .haz/tasks/wide.yml --\ntasks: {t: {" + c.wider + "}, dep: {command: [./d]}, two: {command: [./d]}}\n" +
					"-- .haz/tasks/narrow.yml --\ntagsFilter: [q]\ntasks: {t: {" + own + "}}\n" +
					"-- p/haz.yml --\nname: p\ntasks: {t: {" + own + "}}\n" +
					"-- q/haz.yml --\nname: q\ntags: [q]\n"
			}
			ws := load(t, archive("inherit: true"))
			for _, project := range []string{"p", "q"} {
				task := ws.Task(workspace.TaskID{Project: project, Task: "t"})
				if got := whole(task); got != c.want {
					t.Errorf("in %s:\ngot  %s\nwant %s", project, got, c.want)
				}
				if !slices.Equal(task.Inherits, []string{"wide"}) {
					t.Errorf("%s inherits from %v", task.ID, task.Inherits)
				}
			}
			if !strings.Contains(c.own, "command") && !strings.Contains(c.own, "shell:") {
				return
			}
			for _, inherit := range []string{"", "inherit: false", "inherit: ~"} {
				ws := load(t, archive(inherit))
				for _, project := range []string{"p", "q"} {
					if task := ws.Task(workspace.TaskID{Project: project, Task: "t"}); task.Completed || task.Inherits != nil {
						t.Errorf("%q in %s: a body that says nothing of it is completed: %s", inherit, project, whole(task))
					}
				}
			}
		})
	}
}

// Who completes whom: the next wider one, and from there on who says so too; behind all of them the defaults.
func TestInheritChain(t *testing.T) {
	const projects = "-- .haz/workspace.yml --\nprojects: [/p, /q, /r]\ndefaults: {inputs: [w]}\n-- p/haz.yml --\nname: p\ntags: [a, b, c]\ndefaults: {inputs: [d]}\n%s-- q/haz.yml --\nname: q\ntags: [a, b]\n-- r/haz.yml --\nname: r\ntags: [a]\n"
	overlay := func(name, filter, inherit string) string {
		return fmt.Sprintf("-- .haz/tasks/%s.yml --\n%stasks: {t: {command: [%s], inputs: [%s]%s}}\n", name, filter, name, name, inherit)
	}
	const in = ", inherit: true"
	for _, c := range []struct{ own, abc, ab, a, p, q, r string }{
		{"", in, in, "", "abc: w d a ab abc", "ab: w a ab", "a: w a"},
		{"", in, "", "", "abc: w d ab abc", "ab: w ab", "a: w a"},
		{"", "", in, "", "abc: w d abc", "ab: w a ab", "a: w a"},
		{"tasks: {t: {inputs: [own], inherit: true}}\n", "", in, "", "abc: w d abc own", "ab: w a ab", "a: w a"},
		{"tasks: {t: {inputs: [own], inherit: true}}\n", in, in, "", "abc: w d a ab abc own", "ab: w a ab", "a: w a"},
		{"tasks: {t: {command: [own], inputs: [own]}}\n", in, in, "", "own: w d own", "ab: w a ab", "a: w a"},
	} {
		ws := load(t, fmt.Sprintf(projects, c.own)+overlay("abc", "tagsFilter: [a, b, c]\n", c.abc)+overlay("ab", "tagsFilter: [a, b]\n", c.ab)+overlay("a", "tagsFilter: [a]\n", c.a))
		for project, want := range map[string]string{"p": c.p, "q": c.q, "r": c.r} {
			task := ws.Task(workspace.TaskID{Project: project, Task: "t"})
			if got := task.Argv[0] + ": " + strings.Join(workspace.Texts(task.Inputs), " "); got != want {
				t.Errorf("%+v: %s has %q, want %q", c, project, got, want)
			}
		}
	}
}

// A matrix is that of the nearest body that has one, and its values stand in all of them.
func TestInheritedMatrix(t *testing.T) {
	const wide = "-- .haz/tasks/wide.yml --\ntasks: {t: {command: [run, '${matrix.node}'], inputs: ['in/${matrix.node}'], matrix: {node: [22, 24]}}}\n"
	for _, c := range []struct{ own, want string }{
		{"inherit: true", "t[node=22]: run 22 [in/22] 22; t[node=24]: run 24 [in/24] 24"},
		{"inherit: true, inputs: ['own/${matrix.node}', '!in/${matrix.node}/x']", "t[node=22]: run 22 [in/22 own/22 !in/22/x] 22; t[node=24]: run 24 [in/24 own/24 !in/24/x] 24"},
		{"inherit: true, matrix: {node: [18]}", "t[node=18]: run 18 [in/18] 18"},
		{"inherit: true, command: [x], matrix: {node: [22, 18]}, inputs: ['${matrix.node}']", "t[node=22]: x [in/22 22] 22; t[node=18]: x [in/18 18] 18"},
	} {
		ws := load(t, "-- .haz/workspace.yml --\nprojects: [/p]\n"+wide+"-- p/haz.yml --\nname: p\ntasks: {t: {"+c.own+"}}\n")
		var got, want []string
		for _, task := range ws.Tasks {
			got = append(got, fmt.Sprintf("%s: %s %v %s", task.ID.Task, strings.Join(task.Argv, " "), workspace.Texts(task.Inputs), task.Override["HAZ_MATRIX_NODE"]))
		}
		want = strings.Split(c.want, "; ")
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.own, diff)
		}
	}
	_, err := tryLoad(t, "-- .haz/workspace.yml --\nprojects: [/p]\n"+wide+"-- p/haz.yml --\nname: p\ntasks: {t: {inherit: true, inputs: ['${matrix.nod}']}}\n")
	if list := err.(*diag.Errors).List; len(list) != 1 || list[0].Hint != `did you mean "${matrix.node}"?` {
		t.Errorf("a key that the inherited matrix has not: %v", err)
	}
}
