package haz_test

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
)

// saying is one key of the files: where it is written and what the same is in Go, or that Go has other means.
type saying struct {
	workspace, project, task string // lines of the workspace file, of the project's, keys of its task `t`
	set                      func(w *haz.Declaration, p *haz.ProjectDeclaration, t *haz.TaskDeclaration)
	elsewhere                bool // the comment of Declaration or TaskDeclaration says why it is not there
}

func ofTask(keys string, set func(t *haz.TaskDeclaration)) saying {
	return saying{task: keys, set: func(_ *haz.Declaration, _ *haz.ProjectDeclaration, t *haz.TaskDeclaration) { set(t) }}
}

func ofWorkspace(lines string, set func(w *haz.Declaration)) saying {
	return saying{workspace: lines, set: func(w *haz.Declaration, _ *haz.ProjectDeclaration, _ *haz.TaskDeclaration) { set(w) }}
}

// sayings has a row, or several, for each key of the schema.
var sayings = map[string][]saying{
	"workspace.projects":    {{set: func(*haz.Declaration, *haz.ProjectDeclaration, *haz.TaskDeclaration) {}}},
	"workspace.infer.cargo": {ofWorkspace("infer: [cargo]", func(w *haz.Declaration) { w.Infer = []string{"cargo"} })},
	"workspace.infer.go":    {ofWorkspace("infer: [node, go]", func(w *haz.Declaration) { w.Infer = []string{"node", "go"} })},
	"workspace.infer.node.scripts": {ofWorkspace("infer: {node: {scripts: true}, go: {}}", func(w *haz.Declaration) { w.Infer, w.Scripts = []string{"node", "go"}, true }),
		ofWorkspace("infer: {node: {scripts: [build]}, go: {}}", func(w *haz.Declaration) { w.Infer, w.OnlyScripts = []string{"node", "go"}, []string{"build"} })},
	"workspace.infer.uv":               {ofWorkspace("infer: {uv: ~}", func(w *haz.Declaration) { w.Infer = []string{"uv"} })},
	"workspace.cache.hash":             {ofWorkspace("cache: {hash: sha256}", func(w *haz.Declaration) { w.Hash = "sha256" })},
	"workspace.cache.location":         {ofWorkspace("cache: {location: ../elsewhere}", func(w *haz.Declaration) { w.CacheLocation = "../elsewhere" })},
	"workspace.cache.clean.max_age":    {{elsewhere: true}},
	"workspace.cache.clean.max_size":   {ofWorkspace("cache: {clean: {max_size: 1000}}", func(w *haz.Declaration) { w.MaxCacheSize = 1000 })},
	"workspace.concurrency.default":    {ofWorkspace("concurrency: {default: 3}", func(w *haz.Declaration) { w.Concurrency = 3 })},
	"workspace.concurrency.tags":       {ofWorkspace("concurrency: {tags: {a: 3}}", func(w *haz.Declaration) { w.TagCaps = map[string]int{"a": 3} })},
	"workspace.output.mode":            {{elsewhere: true}},
	"workspace.output.ui":              {{elsewhere: true}},
	"workspace.defaults":               {{elsewhere: true}},
	"project.defaults":                 {{elsewhere: true}},
	"project.tasks.*.inherit":          {{elsewhere: true}},
	"workspace.execution.cancel_grace": {ofWorkspace("execution: {cancel_grace: 0.5}", func(w *haz.Declaration) { w.CancelGrace = time.Second / 2 })},
	"workspace.execution.umask":        {ofWorkspace("execution: {umask: 027}", func(w *haz.Declaration) { w.Umask = "027" })},
	"workspace.env.strict":             {ofWorkspace("env: {strict: true}", func(w *haz.Declaration) { w.StrictEnv = true })},
	"workspace.files": {{workspace: `files: {c: ["*.c", "!x.c"]}`, task: "inputs: [$c]", set: func(w *haz.Declaration, _ *haz.ProjectDeclaration, t *haz.TaskDeclaration) {
		w.Files, t.Inputs = map[string][]string{"c": {"*.c", "!x.c"}}, []string{"$c"}
	}}},
	"project.files": {{project: `files: {c: ["*.c"]}`, task: "inputs: [$c]", set: func(_ *haz.Declaration, p *haz.ProjectDeclaration, t *haz.TaskDeclaration) {
		p.Files, t.Inputs = map[string][]string{"c": {"*.c"}}, []string{"$c"}
	}}},
	"project.name": {{set: func(*haz.Declaration, *haz.ProjectDeclaration, *haz.TaskDeclaration) {}}},
	"project.aliases": {{project: "aliases: [x, \"@a/b\"]", set: func(_ *haz.Declaration, p *haz.ProjectDeclaration, _ *haz.TaskDeclaration) {
		p.Aliases = []string{"x", "@a/b"}
	}}},
	"project.tags": {{project: "tags: [b, a]", set: func(_ *haz.Declaration, p *haz.ProjectDeclaration, _ *haz.TaskDeclaration) {
		p.Tags = []string{"b", "a"}
	}}},
	"project.uses": {{project: "uses: [other]", set: func(_ *haz.Declaration, p *haz.ProjectDeclaration, _ *haz.TaskDeclaration) {
		p.Uses = []string{"other"}
	}}},
	"project.env.strict": {
		{project: "env: {strict: true}", set: func(_ *haz.Declaration, p *haz.ProjectDeclaration, _ *haz.TaskDeclaration) { p.StrictEnv = true }},
		{workspace: "env: {strict: true}", project: "env: {strict: false}", set: func(w *haz.Declaration, p *haz.ProjectDeclaration, _ *haz.TaskDeclaration) {
			w.StrictEnv, p.LaxEnv = true, true
		}},
	},
	"project.tasks.*.service.ready.port": {
		ofTask("service: {ready: {port: 5432, timeout: 10s, interval: 50ms}}", func(t *haz.TaskDeclaration) {
			t.Service = &haz.Service{Port: 5432, ReadyPort: true, ReadyTimeout: 10 * time.Second, ReadyInterval: 50 * time.Millisecond}
		}),
		ofTask("service: {ready: {port: auto}}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{AutoPort: true, ReadyPort: true} }),
	},
	"project.tasks.*.service.ready.http.url": {ofTask(`service: {ready: {http: {url: "http://h:${HAZ_PORT}/x"}}, port: 80}`, func(t *haz.TaskDeclaration) {
		t.Service = &haz.Service{Port: 80, ReadyURL: "http://h:${HAZ_PORT}/x"}
	})},
	"project.tasks.*.service.ready.http.status": {ofTask(`service: {ready: {http: {url: "http://h/x", status: 204}}}`, func(t *haz.TaskDeclaration) {
		t.Service = &haz.Service{ReadyURL: "http://h/x", ReadyStatus: 204}
	})},
	"project.tasks.*.service.ready.output":   {ofTask("service: {ready: {output: up}}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyOutput: "up"} })},
	"project.tasks.*.service.ready.command":  {ofTask("service: {ready: {command: [a, b]}}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyCommand: []string{"a", "b"}} })},
	"project.tasks.*.service.ready.file":     {ofTask("service: {ready: {file: up}}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyFile: "up"} })},
	"project.tasks.*.service.ready.timeout":  {ofTask("service: {ready: {file: up, timeout: 1s}}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyFile: "up", ReadyTimeout: time.Second} })},
	"project.tasks.*.service.ready.interval": {ofTask("service: {ready: {file: up, interval: 1s}}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyFile: "up", ReadyInterval: time.Second} })},
	"project.tasks.*.service.port":           {ofTask("service: {ready: {file: up}, port: auto}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyFile: "up", AutoPort: true} })},
	"project.tasks.*.service.stop.signal":    {ofTask("service: {ready: {file: up}, stop: {signal: INT}}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyFile: "up", StopSignal: "INT"} })},
	"project.tasks.*.service.stop.grace": {ofTask("service: {ready: {file: up}, stop: {grace: 2s}}", func(t *haz.TaskDeclaration) {
		grace := 2 * time.Second
		t.Service = &haz.Service{ReadyFile: "up", StopGrace: &grace}
	})},
	"project.tasks.*.service.restart": {ofTask("service: {ready: {file: up}, restart: on-failure}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyFile: "up", Restarts: 3} })},
	"project.tasks.*.service.limit":   {ofTask("service: {ready: {file: up}, restart: on-failure, limit: 7}", func(t *haz.TaskDeclaration) { t.Service = &haz.Service{ReadyFile: "up", Restarts: 7} })},
	"project.tasks.*.service.exports": {ofTask(`service: {ready: {file: up}, port: 81, exports: {URL: "h:${HAZ_PORT}"}}`, func(t *haz.TaskDeclaration) {
		t.Service = &haz.Service{ReadyFile: "up", Port: 81, Exports: map[string]string{"URL": "h:${HAZ_PORT}"}}
	})},
	"project.tasks.*.command": {ofTask("command: [a, b]", func(t *haz.TaskDeclaration) { t.Command = []string{"a", "b"} })},
	"project.tasks.*.shell":   {ofTask(`shell: "a\nb"`, func(t *haz.TaskDeclaration) { t.Command, t.Shell = nil, "a\nb" })},
	"project.tasks.*.shell_type": {ofTask("shell: a, shell_type: bash", func(t *haz.TaskDeclaration) {
		t.Command, t.Shell, t.ShellType = nil, "a", "bash"
	})},
	"project.tasks.*.shell_options": {
		ofTask("shell: a, shell_options: [-eu]", func(t *haz.TaskDeclaration) { t.Command, t.Shell, t.ShellOptions = nil, "a", []string{"-eu"} }),
		ofTask("shell: a, shell_options: []", func(t *haz.TaskDeclaration) { t.Command, t.Shell, t.ShellOptions = nil, "a", []string{} }),
	},
	"project.tasks.*.args": {ofTask("shell: a, args: append", func(t *haz.TaskDeclaration) { t.Command, t.Shell, t.AppendArguments = nil, "a", true })},
	"project.tasks.*.inputs": {
		ofTask(`inputs: [src/, "*.c", "!x.c"]`, func(t *haz.TaskDeclaration) { t.Inputs = []string{"src/", "*.c", "!x.c"} }),
	},
	"project.tasks.*.exclude": {ofTask(`exclude: ["*.o"]`, func(t *haz.TaskDeclaration) { t.Exclude = []string{"*.o"} })},
	"project.tasks.*.outputs": {
		ofTask(`outputs: [dist/, "!dist/cache/"]`, func(t *haz.TaskDeclaration) { t.Outputs = []string{"dist/", "!dist/cache/"} }),
	},
	"project.tasks.*.deps[].task":    {ofTask(`deps: ["~:up", "~:none?"]`, func(t *haz.TaskDeclaration) { t.Deps = []string{"~:up", "~:none?"} })},
	"project.tasks.*.deps[].closure": {ofTask(`deps: [{task: "~:up", closure: false}]`, func(t *haz.TaskDeclaration) { t.NarrowDeps = []string{"~:up"} })},
	"project.tasks.*.deps[].streams": {
		ofTask(`deps: [{task: "~:up", streams: true}]`, func(t *haz.TaskDeclaration) { t.PrintedDeps = []string{"~:up"} }),
		ofTask(`deps: [{task: "~:up", closure: false, streams: true}]`, func(t *haz.TaskDeclaration) { t.NarrowDeps, t.PrintedDeps = []string{"~:up"}, []string{"~:up"} }),
	},
	"project.tasks.*.after":        {ofTask(`after: ["~:up"]`, func(t *haz.TaskDeclaration) { t.After = []string{"~:up"} })},
	"project.tasks.*.weakDeps":     {ofTask(`weakDeps: ["~:up"]`, func(t *haz.TaskDeclaration) { t.WeakDeps = []string{"~:up"} })},
	"project.tasks.*.mutex.name":   {ofTask(`mutex: "~:db"`, func(t *haz.TaskDeclaration) { t.Mutex = "~:db" })},
	"project.tasks.*.mutex.mode":   {ofTask("mutex: {name: db, mode: shared}", func(t *haz.TaskDeclaration) { t.Mutex, t.SharedMutex = "db", true })},
	"project.tasks.*.tools[].name": {ofTask("tools: [cc]", func(t *haz.TaskDeclaration) { t.Tools = []haz.Tool{{Name: "cc"}} }), ofTask("tools: []", func(t *haz.TaskDeclaration) { t.Tools = []haz.Tool{} })},
	"project.tasks.*.tools[].probe": {ofTask("tools: [{name: cc, probe: [cc, -v]}]", func(t *haz.TaskDeclaration) {
		t.Tools = []haz.Tool{{Name: "cc", Probe: []string{"cc", "-v"}}}
	})},
	"project.tasks.*.env.from_host": {ofTask("env: {from_host: [A]}", func(t *haz.TaskDeclaration) { t.FromHost = []string{"A"} })},
	"project.tasks.*.env.files":     {ofTask(`env: {files: [.env, ".env.local?"]}`, func(t *haz.TaskDeclaration) { t.EnvFiles = []string{".env", ".env.local?"} })},
	"project.tasks.*.env.pass":      {ofTask(`env: {pass: [A, "B_*"]}`, func(t *haz.TaskDeclaration) { t.Pass = []string{"A", "B_*"} })},
	"project.tasks.*.env.override":  {ofTask(`env: {override: {A: "1"}}`, func(t *haz.TaskDeclaration) { t.Override = map[string]string{"A": "1"} })},
	"project.tasks.*.env.strict": {
		ofTask("env: {strict: true}", func(t *haz.TaskDeclaration) { t.StrictEnv = true }),
		{workspace: "env: {strict: true}", task: "env: {strict: false}", set: func(w *haz.Declaration, _ *haz.ProjectDeclaration, t *haz.TaskDeclaration) {
			w.StrictEnv, t.LaxEnv = true, true
		}},
	},
	"project.tasks.*.cache":       {ofTask("cache: false", func(t *haz.TaskDeclaration) { t.Uncached = true })},
	"project.tasks.*.incremental": {ofTask("incremental: true", func(t *haz.TaskDeclaration) { t.Incremental = true })},
	"project.tasks.*.matrix":      {ofTask(`matrix: {node: ["22", "24"], os: [a]}`, func(t *haz.TaskDeclaration) { t.Matrix = map[string][]string{"node": {"22", "24"}, "os": {"a"}} })},
	"project.tasks.*.interactive": {ofTask("interactive: true", func(t *haz.TaskDeclaration) { t.Interactive = true })},
	"project.tasks.*.tty":         {ofTask("tty: true", func(t *haz.TaskDeclaration) { t.TTY = true })},
	"project.tasks.*.timeout": {
		ofTask("timeout: 1m30s500ms", func(t *haz.TaskDeclaration) { t.Timeout = 90*time.Second + 500*time.Millisecond }),
		ofTask("timeout: 0s", func(t *haz.TaskDeclaration) { t.Timeout = haz.NoTimeout }),
	},
	"project.tasks.*.if.os":        {ofTask("if: {os: macos}", func(t *haz.TaskDeclaration) { t.If.OS = "macos" })},
	"project.tasks.*.if.env":       {ofTask("if: {env: CI}", func(t *haz.TaskDeclaration) { t.If.Env = "CI" })},
	"project.tasks.*.if.exists":    {ofTask("if: {exists: go.mod}", func(t *haz.TaskDeclaration) { t.If.Exists = "go.mod" })},
	"project.tasks.*.retry.times":  {ofTask("retry: 2", func(t *haz.TaskDeclaration) { t.Retry.Times = 2 })},
	"project.tasks.*.retry.on":     {ofTask("retry: {times: 2, on: [timeout, 75]}", func(t *haz.TaskDeclaration) { t.Retry = haz.Retry{Times: 2, On: []string{"timeout", "75"}} })},
	"project.tasks.*.retry.delay":  {ofTask("retry: {times: 2, delay: 1s}", func(t *haz.TaskDeclaration) { t.Retry = haz.Retry{Times: 2, Delay: time.Second} })},
	"project.tasks.*.retry.factor": {ofTask("retry: {times: 2, delay: 1s, factor: 1.5}", func(t *haz.TaskDeclaration) { t.Retry = haz.Retry{Times: 2, Delay: time.Second, Factor: 1.5} })},
	"project.tasks.*.description":  {ofTask(`description: "a\nb"`, func(t *haz.TaskDeclaration) { t.Description = "a\nb" })},
	"project.tasks.*.internal":     {ofTask("internal: true", func(t *haz.TaskDeclaration) { t.Internal = true })},
}

// Each key of the files can be said in Go, and means the same there, or the comment of the declarations says what there is instead. A key
// that is new fails here until it has its row.
func TestDeclarationSaysEveryKey(t *testing.T) {
	comments := ""
	for _, name := range []string{"new.go", "new_task.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		comments += string(text)
	}
	plain := opened(t, saying{})
	for _, key := range schemaKeys(t) {
		rows := sayings[key]
		if len(rows) == 0 {
			t.Errorf("%s: no row says how this is declared in Go", key)
		}
		for _, row := range rows {
			if row.elsewhere {
				_, name, _ := strings.Cut(key, ".")
				if name = strings.TrimPrefix(name, "tasks.*."); !strings.Contains(comments, "`"+name+"`") {
					t.Errorf("%s: no comment says why it is not there", key)
				}
				continue
			}
			of := opened(t, row)
			if diff := cmp.Diff(of, declared(t, row)); diff != "" {
				t.Errorf("%s: from files, and from Go:\n%s", key, diff)
			}
			if row.workspace+row.project+row.task != "" && cmp.Equal(of, plain) {
				t.Errorf("%s: %+v says nothing", key, row)
			}
		}
	}
	for key := range sayings {
		if !slices.Contains(schemaKeys(t), key) {
			t.Errorf("%s: there is no such key", key)
		}
	}
}

// opened is the workspace of a row, from files.
func opened(t *testing.T, row saying) []string {
	t.Helper()
	disk := folders("/ws/.haz", "/ws/lib", "/ws/other")
	task := row.task
	if service := strings.HasPrefix(task, "service:"); service || !strings.Contains(task, "command:") && !strings.Contains(task, "shell:") {
		task = strings.TrimSuffix("command: [x], "+task, ", ")
	}
	for name, text := range map[string]string{
		"/ws/.haz/workspace.yml": "projects: [/lib, /other]\n" + row.workspace + "\n",
		"/ws/other/haz.yml":      "name: other\n",
		"/ws/lib/haz.yml":        "name: lib\n" + row.project + "\ntasks:\n  up: {command: [up]}\n  t: {" + task + "}\n",
	} {
		if err := afero.WriteFile(disk, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w, err := haz.Open(t.Context(), "/ws", haz.WithFileSystem(disk))
	if err != nil {
		t.Fatalf("%+v: %v", row, err)
	}
	defer w.Close()
	return described(w)
}

// declared is the workspace of a row, from Go.
func declared(t *testing.T, row saying) []string {
	t.Helper()
	d := haz.Declaration{Projects: []haz.ProjectDeclaration{{Name: "lib", Dir: "/lib", Tasks: []haz.TaskDeclaration{{Name: "up", Command: []string{"up"}}, {Name: "t", Command: []string{"x"}}}}, {Name: "other", Dir: "/other"}}}
	p := &d.Projects[0]
	row.set(&d, p, &p.Tasks[1])
	w, err := haz.New(t.Context(), "/ws", d, haz.WithFileSystem(folders("/ws/lib", "/ws/other")))
	if err != nil {
		t.Fatalf("%+v: %v", row, err)
	}
	defer w.Close()
	return described(w)
}

// schemaKeys are the keys of the JSON Schemas that have no further keys in them: project.tasks.*.env.pass.
func schemaKeys(t *testing.T) (leaves []string) {
	t.Helper()
	found := map[string]bool{}
	for _, name := range []string{"workspace", "project"} {
		text, err := os.ReadFile("docs/schema/" + name + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		definitions, _ := doc["definitions"].(map[string]any)
		keysOf(name, doc, definitions, found)
	}
	// Defaults are keys of tasks, which Go has, for many of them.
	maps.DeleteFunc(found, func(key string, _ bool) bool { return strings.Contains(key, ".defaults.") })
	for key := range found {
		inner := func(other string) bool { return strings.HasPrefix(other, key+".") || strings.HasPrefix(other, key+"[") }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(found)), inner) {
			leaves = append(leaves, key)
		}
	}
	slices.Sort(leaves)
	return leaves
}

func keysOf(at string, schema, definitions map[string]any, found map[string]bool) {
	if ref, _ := schema["$ref"].(string); ref != "" {
		schema, _ = definitions[path.Base(ref)].(map[string]any)
	}
	for _, word := range []string{"oneOf", "anyOf", "allOf"} {
		alternatives, _ := schema[word].([]any)
		for _, s := range alternatives {
			keysOf(at, s.(map[string]any), definitions, found)
		}
	}
	if items, is := schema["items"].(map[string]any); is {
		keysOf(at+"[]", items, definitions, found)
	}
	if values, is := schema["additionalProperties"].(map[string]any); is {
		keysOf(at+".*", values, definitions, found)
	}
	properties, _ := schema["properties"].(map[string]any)
	for key, s := range properties {
		found[at+"."+key] = true
		if s, is := s.(map[string]any); is {
			keysOf(at+"."+key, s, definitions, found)
		}
	}
}

// No text of a declaration that is not UTF-8 becomes another one on its way, wherever it stands.
func TestDeclarationsAreUTF8(t *testing.T) {
	tried := 0
	for _, ruin := range ruins(reflect.TypeFor[haz.Declaration]()) {
		d := reflect.New(reflect.TypeFor[haz.Declaration]()).Elem()
		where := ruin(d)
		tried++
		_, err := haz.New(t.Context(), "/ws", d.Interface().(haz.Declaration), haz.WithFileSystem(fsys.Memory()))
		if err == nil || !strings.Contains(err.Error(), `this is not UTF-8: "`) {
			t.Errorf("%s: %v", where, err)
		}
	}
	if tried < 30 {
		t.Errorf("only %d texts were found", tried)
	}
}

// ruins each set one text of a value to one that is not UTF-8, and say which.
func ruins(of reflect.Type) (list []func(reflect.Value) string) {
	const bad = "\xff"
	within := func(inner reflect.Type, put func(into, v reflect.Value), name string) {
		for _, ruin := range ruins(inner) {
			list = append(list, func(v reflect.Value) string {
				x := reflect.New(inner).Elem()
				where := ruin(x)
				put(v, x)
				return name + where
			})
		}
	}
	switch of.Kind() {
	case reflect.String:
		list = append(list, func(v reflect.Value) string { v.SetString(bad); return "" })
	case reflect.Struct:
		for i := range of.NumField() {
			within(of.Field(i).Type, func(into, v reflect.Value) { into.Field(i).Set(v) }, "."+of.Field(i).Name)
		}
	case reflect.Slice:
		within(of.Elem(), func(into, v reflect.Value) { into.Set(reflect.Append(into, v)) }, "[]")
	case reflect.Map:
		put := func(into, key, v reflect.Value) {
			into.Set(reflect.MakeMap(of))
			into.SetMapIndex(key, v)
		}
		within(of.Key(), func(into, key reflect.Value) { put(into, key, reflect.Zero(of.Elem())) }, "[key]")
		within(of.Elem(), func(into, v reflect.Value) { put(into, reflect.ValueOf("k"), v) }, "[]")
	}
	return list
}
