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

// said prints what defaults can say of a task.
func said(t *workspace.Task) string {
	var b strings.Builder
	put := func(key string, there bool, value any) {
		if there {
			fmt.Fprintf(&b, "%s=%v ", key, value)
		}
	}
	var files, tools []string
	for _, f := range t.EnvFiles {
		files = append(files, f.Pattern.Path()+map[bool]string{true: "?"}[f.Optional])
	}
	for _, tool := range t.Tools {
		tools = append(tools, strings.Join(append([]string{tool.Name}, tool.Probe...), "+"))
	}
	inputs := slices.DeleteFunc(slices.Clone(t.Inputs), func(d workspace.PatternDecl) bool { return d.Quiet })
	put("from_host", t.FromHost != nil, t.FromHost)
	put("pass", t.Pass != nil, t.Pass)
	put("override", t.Override != nil, t.Override)
	put("files", files != nil, files)
	put("strict", t.Strict, true)
	put("shell", t.Kind == workspace.Shell && t.Shell != "sh", t.Shell)
	put("timeout", t.Timeout != 0, t.Timeout)
	put("retry", t.Retry.Times != 0, t.Retry.Times)
	put("tools", t.OwnTools, tools)
	put("exclude", t.Exclude != nil, workspace.Texts(t.Exclude))
	put("cache", !t.Cache, false)
	put("inputs", len(inputs) > 0, workspace.Texts(inputs))
	return strings.TrimSpace(b.String())
}

// What a task has of the defaults of its workspace and its project, key by key (haz::cfg::066).
func TestDefaults(t *testing.T) {
	for _, c := range []struct{ name, workspace, project, task, want string }{
		{"nothing is said", "", "", "", ""},
		{"the workspace alone", "{timeout: 10m, cache: false}", "", "", "timeout=10m0s cache=false"},
		{"the project alone", "", "{timeout: 10m, shell_type: bash}", "", "shell=bash timeout=10m0s"},
		{"the nearest counts", "{timeout: 10m, retry: 1, shell_type: bash}", "{timeout: 5m, retry: 2}", "timeout: 1m", "shell=bash timeout=1m0s retry=2"},
		{"cache comes back", "{cache: false}", "{cache: true}", "", ""},
		{"cache goes", "{cache: true}", "", "cache: false", "cache=false"},
		{"nothing instead of a time", "{timeout: 10m}", "", "timeout: 0s", "timeout=-1ns"},
		{"no retry", "{retry: {times: 3, delay: 1s}}", "", "retry: 0", ""},
		{"null is absence", "{timeout: 10m, inputs: [a]}", "{timeout: ~, inputs: ~}", "timeout: ~", "timeout=10m0s inputs=[a]"},
		{"lists are added, the widest first", "{inputs: [/w], exclude: [x]}", "{inputs: [p], exclude: [y]}", "inputs: [t], exclude: [z]", "exclude=[x y z] inputs=[/w p t]"},
		{"an empty list adds nothing", "{inputs: [/w], env: {pass: [A]}}", "", "inputs: [], env: {pass: []}", "pass=[A] inputs=[/w]"},
		{"a nearer one takes away from a wider one", "{inputs: ['src/**', a.c]}", "", "inputs: ['!src/gen/**', '!a.c', b.c]", "inputs=[src/** a.c !src/gen/** !a.c b.c]"},
		{"a text counts once, where the nearer has it", "{inputs: ['src/**', '!src/gen/**', b]}", "{inputs: ['src/**']}", "", "inputs=[b src/**]"},
		{"tools by name", "{tools: [cc, {name: node, probe: [node, -v]}]}", "{tools: [node]}", "tools: [{name: cc, probe: [cc, -v]}]", "tools=[node cc+cc+-v]"},
		{"no tools", "{tools: [cc]}", "", "tools: []", "tools=[]"},
		{"tools behind none", "{tools: [cc]}", "{tools: []}", "tools: [ld]", "tools=[ld]"},
		{"env by variable", "{env: {pass: [A, B], from_host: [C], override: {D: w, E: w}}}", "{env: {from_host: [A], override: {D: p}}}", "env: {pass: [C, E]}",
			"from_host=[A] pass=[B C E] override=map[D:p]"},
		{"set instead of taken", "{env: {pass: [A], from_host: [B]}}", "", "env: {override: {A: t, B: t}}", "override=map[A:t B:t]"},
		{"a prefix names what is hashed, and no more", "{env: {from_host: [NPM_A, B], override: {NPM_C: w}}}", "", "env: {pass: ['NPM_*']}", "from_host=[B] pass=[NPM_*] override=map[NPM_C:w]"},
		{"hashed out of a prefix", "{env: {pass: ['NPM_*']}}", "", "env: {from_host: [NPM_A]}", "from_host=[NPM_A] pass=[NPM_*]"},
		{"there and back", "{env: {from_host: [A]}}", "{env: {pass: [A]}}", "env: {from_host: [A]}", "from_host=[A]"},
		{"files of variables", "{env: {files: [/.env, .env]}}", "{env: {files: ['.env?', x]}}", "env: {files: [y]}", "files=[/.env /p/.env? /p/x /p/y]"},
		{"strict", "{env: {strict: true}}", "", "", "strict=true"},
		{"strict in the project", "{env: {strict: true}}", "{env: {strict: false}}", "", ""},
		{"strict in the task", "{env: {strict: true}}", "", "env: {strict: false}", ""},
		{"an exclude does not reach what is nearer", "{exclude: ['**/*.md']}", "", "inputs: [README.md]", "exclude=[**/*.md] inputs=[README.md]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := func(defaults string) string {
				if defaults == "" {
					return ""
				}
				return "defaults: " + defaults + "\n"
			}
			task := "{shell: x"
			if c.task != "" {
				task += ", " + c.task
			}
			task += "}"
			ws := load(t, "-- .haz/workspace.yml --\nprojects: [/p, /q]\n"+key(c.workspace)+
				"-- p/haz.yml --\nname: p\n"+key(c.project)+"tasks: {t: "+task+", bare: {command: [./x]}}\n"+
				"-- q/haz.yml --\nname: q\n"+
				"-- .haz/tasks/o.yml --\ntasks:\n  o: "+task+"\n")
			if got := said(ws.Task(workspace.TaskID{Project: "p", Task: "t"})); got != c.want {
				t.Errorf("the project's own task:\ngot  %s\nwant %s", got, c.want)
			}
			if got := said(ws.Task(workspace.TaskID{Project: "p", Task: "o"})); got != c.want {
				t.Errorf("the task of an overlay stands where the project's own stand:\ngot  %s\nwant %s", got, c.want)
			}
			if got := ws.Task(workspace.TaskID{Project: "p", Task: "bare"}); got.Shell != "" || got.Kind != workspace.Command {
				t.Errorf("a command has the shell %q", got.Shell)
			}
			if c.project != "" {
				return
			}
			got := said(ws.Task(workspace.TaskID{Project: "q", Task: "o"}))
			if got = strings.ReplaceAll(got, "/q/", "/p/"); got != c.want {
				t.Errorf("the task of an overlay in a project that says nothing:\ngot  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Where a value stands makes no difference: the same values in defaults and in the task give the same task, places aside.
func TestDefaultsAreNoOtherTask(t *testing.T) {
	const keys = "inputs: ['src/**', '!src/x', /w], exclude: [y], timeout: 10m, retry: 2, cache: false, shell_type: bash, tools: [cc], " +
		"env: {pass: [A], from_host: [B], override: {C: d}, files: ['.env?'], strict: true}"
	in := func(workspace, project, task string) *workspace.Task {
		ws := load(t, "-- .haz/workspace.yml --\nprojects: [/p]\n"+workspace+"-- p/haz.yml --\nname: p\n"+project+"tasks: {t: {shell: x"+task+"}}\n")
		return ws.Tasks[0]
	}
	own := in("", "", ", "+keys)
	if mine := in("defaults: {"+keys+"}\n", "", ""); !workspace.SameDefinition(own, mine) {
		t.Errorf("the workspace's:\n%s", cmp.Diff(said(own), said(mine)))
	}
	if mine := in("", "defaults: {"+keys+"}\n", ""); !workspace.SameDefinition(own, mine) {
		t.Errorf("the project's:\n%s", cmp.Diff(said(own), said(mine)))
	}
}

// A thousand projects with defaults of a thousand names beside those of the workspace share what they can.
func TestManyDefaults(t *testing.T) {
	if testing.Short() {
		t.Skip("many files")
	}
	names := func(prefix string) string {
		var list []string
		for i := range 1000 {
			list = append(list, fmt.Sprint(prefix, i))
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	var b strings.Builder
	b.WriteString("-- .haz/workspace.yml --\nprojects: ['/p/*']\ndefaults: {env: {pass: " + names("W") + "}, inputs: " + names("/in/") + "}\n")
	for i := range 200 {
		fmt.Fprintf(&b, "-- p/%d/haz.yml --\nname: p%d\ntasks: {a: {shell: x}, b: {shell: x, timeout: 1m}}\n", i, i)
	}
	ws := load(t, b.String())
	first := ws.Tasks[0]
	for _, task := range ws.Tasks {
		if len(task.Pass) != 1000 || &task.Pass[0] != &first.Pass[0] {
			t.Fatalf("%s has a list of its own", task.ID)
		}
	}
}

// What is wrong with defaults is told where it stands, once, however many tasks have it; a warning names the others.
func TestMistakesOfDefaultsAreToldOnce(t *testing.T) {
	var b strings.Builder
	b.WriteString("-- .haz/workspace.yml --\nprojects: ['/p/*']\ndefaults:\n  inputs: ['!x', lit, '!lit', a.c]\n  exclude: ['*.c']\n  env: {files: [a.c]}\n")
	for i := range 50 {
		fmt.Fprintf(&b, "-- p/%d/haz.yml --\nname: p%d\ndefaults: {timeout: 1m}\ntasks: {a: {shell: x}, b: {shell: x, inputs: ['**', '!y']}}\n", i, i)
	}
	_, err := tryLoad(t, b.String())
	var got []string
	for _, d := range err.(*diag.Errors).List {
		got = append(got, fmt.Sprintf("%s:%d:%d %s", d.Place.File, d.Place.Line, d.Place.Column, d.Code))
	}
	want := []string{".haz/workspace.yml:3:12 haz::cfg::070", ".haz/workspace.yml:3:23 haz::cfg::071", ".haz/workspace.yml:4:13 haz::cfg::037"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}
