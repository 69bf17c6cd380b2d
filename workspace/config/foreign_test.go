package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/diag"
)

// foreignExample is a value that people give to a key of another tool, and what they write when they follow the hint: a part of it, or
// "" for nothing. "=" is the same value under the key that the hint names; "!" the whole hint.
type foreignExample struct{ value, follow string }

// Examples by object and the first key of each group. Further ones have a number behind.
var foreignExamples = map[string]foreignExample{
	"workspace packages":             {`["packages/*", "./apps/web/"]`, "!"},
	"workspace inference":            {`true`, "!"},
	"workspace packages 2":           {`[/libs/*]`, "="},
	"workspace packages 3":           {`libs/*`, "!"},
	"workspace parallel":             {"4", "!"},
	"workspace parallel 2":           {"50%", "!"},
	"workspace tasks":                {"{build: {}}", ""},
	"workspace globaldependencies":   {"[tsconfig.json]", ""},
	"workspace globalenv":            {"[CI]", ""},
	"workspace globalpassthroughenv": {"[CI]", ""},
	"workspace dotenv":               {"[.env]", ""},
	"workspace namedinputs":          {"{a: [b]}", ""},
	"workspace cachedir":             {"/tmp/c", ""},
	"workspace remotecache":          {"{enabled: true}", ""},
	"workspace maxage":               {"90d", "cache: {clean: {max_age: 90d, max_size: 5GiB}}"},
	"workspace hash":                 {"blake3", "cache: {hash: blake3}"},
	"workspace mode":                 {"buffered", "output: {mode: buffered}"},
	"workspace cancelgrace":          {"5", "execution: {cancel_grace: 5}"},
	"workspace umask":                {"022", "execution: {umask: 022}"},
	"workspace defaultbase":          {"main", ""},
	"workspace tags":                 {"[a]", "concurrency: {tags: {heavy: 1}}"},
	"workspace shell":                {"bash", ""},
	"workspace name":                 {"x", ""},
	"workspace version":              {"3", ""},
	"workspace plugins":              {"[]", ""},
	"workspace description":          {"text", ""},
	"workspace services":             {"{}", ""},
	"workspace includes":             {"{a: b}", "projects: [/app]"},
	"cache maxage":                   {"90d", "clean: {max_age: 90d, max_size: 5GiB}"},
	"cache dir":                      {"x", ""},
	"cache algorithm":                {"sha256", "="},
	"concurrency max":                {"4", "="},
	"concurrency tag":                {"{heavy: 1}", "="},
	"output style":                   {"buffered", "="},
	"execution grace":                {"5", "="},
	"execution concurrency":          {"5", ""},
	"project project":                {"lib", "="},
	"project alias":                  {"ui", "!"},
	"project alias 2":                {"[ui, \"@acme/ui\"]", "="},
	"project tag":                    {"lib", "!"},
	"project tag 2":                  {"[lib, go]", "="},
	"overlay tag":                    {"lib", "!"},
	"overlay name":                   {"lib", ""},
	"project task":                   {`{build: {shell: "true"}}`, "="},
	"project task 2":                 {`{build: "tsc -p .", test: jest}`, "!"},
	"project task 3":                 {`[build]`, "!"},
	"project services":               {"{db: {}}", ""},
	"project dependson":              {"[lib]", "="},
	"project dependson 2":            {"lib", "!"},
	"project dependson 3":            {"[a, {id: lib, scope: build}, '!not-this']", "!"},
	"project dependson 4":            {"{lib: 'workspace:*', react: ^18}", "!"},
	"project dependson 5":            {"{lib: x, ui: y}", "!"},
	"project dependson 6":            {"{}", "uses: [lib]"},
	"overlay dependson":              {"[lib]", `tasks: {build: {shell: "program", deps: ["lib:build"]}}`},
	"project environment":            {"{A: b}", `tasks: {build: {shell: "program", env: {override: {NAME: text}}}}`},
	"project dotenv":                 {"[.env]", ""},
	"project passthroughenv":         {"[A]", ""},
	"project filegroups":             {"{a: [b]}", ""},
	"project root":                   {"lib", ""},
	"workspace schema":               {"x.json", "# yaml-language-server: $schema=URL"},
	"project schema":                 {"x.json", "# yaml-language-server: $schema=URL"},
	"project version":                {"3", ""},
	"project description":            {"text", ""},
	"project extends":                {"x", ""},
	"project silent":                 {"true", ""},
	"project type":                   {"library", ""},
	"task dependson":                 {"[build, 'lib#build', 'lib:test', '#go:lint']", "!"},
	"task dependson 2":               {"['lib:build']", "="},
	"task dependson 3":               {"build", "!"},
	"task dependson 4":               {"{db: {condition: service_healthy}}", "!"},
	"task dependson 5":               {"[{target: build}, {projects: [lib], target: build}]", "!"},
	"task weakdependencies":          {"[fmt]", "!"},
	"task sources":                   {"[a.c]", "="},
	"task sources 2":                 {"src/**/*.ts", "!"},
	"task generates":                 {"[a.o]", "="},
	"task generates 2":               {"app.js", "!"},
	"task generates 3":               {"dist", `outputs: ["dist"]`},
	"task outdir":                    {"./dist/", "!"},
	"task excludes":                  {"'**/*.md'", "!"},
	"task cmd":                       {"go build ./...", "!"},
	"task cmd 2":                     {"[go, build]", "="},
	"task run":                       {"npm test", "="},
	"task run 2":                     {"[a, b]", "!"},
	"task run 3":                     {"[{cmd: a}, b]", "!"},
	"task run 4":                     {"[{task: a}]", ""},
	"task executor":                  {"nx:run", `command: ["program", "argument"]`},
	"task arguments":                 {"[a]", `command: ["program", "argument"]`},
	"task interpreter":               {"/bin/bash", "!"},
	"task shellopts":                 {"[-eu]", "="},
	"task environment":               {"{A: b, C: 1}", "!"},
	"task environment 2":             {"[A=b, C]", "!"},
	"task vars":                      {"{A: b}", `env: {override: {NAME: text}}`},
	"task fromhost":                  {"[PATH]", "env: {from_host: [CC]}"},
	"task override":                  {"{A: b}", "env: {override: {NAME: text}}"},
	"task passthroughenv":            {"[A]", "!"},
	"task externaldependencies":      {"[tsc]", "="},
	"tool program":                   {"node", "="},
	"tool cmd":                       {"[node, --version]", "="},
	"tool version":                   {"22", "probe: [node, --version]"},
	"task passthroughenv 2":          {"A", "!"},
	"task passthroughenv 3":          {"true", "!"},
	"task passthroughenv 4":          {"{A: b}", "env: {pass: [NAME]}"},
	"task envmode":                   {"strict", "env: {strict: true}"},
	"project envmode":                {"strict", "env: {strict: true}"},
	"workspace envmode":              {"strict", "env: {strict: true}"},
	"task globalenv":                 {"[A]", "env: {from_host: [NAME]}"},
	"task dotenv":                    {".env", "!"},
	"task dotenv 2":                  {"[.env, .env.local]", "!"},
	"task dotenv 3":                  {"{a: b}", `env: {files: [.env, ".env.local?"]}`},
	"task cwd":                       {"sub", `shell: "cd dir && ..."`},
	"task tags":                      {"[a]", ""},
	"task desc":                      {"text", "="},
	"task comment":                   {"text", "# ..."},
	"task hidden":                    {"true", "internal: true"},
	"task persistent":                {"true", ""},
	"task stdin":                     {"true", "interactive: true"},
	"task pty":                       {"true", "tty: true"},
	"task matrices":                  {"{node: [22]}", "matrix: {node: [22, 24]}"},
	"task interruptible":             {"true", ""},
	"task rundeepdeps":               {"true", ""},
	"task umask":                     {"027", ""},
	"task streams":                   {"true", `deps: [{task: "lib:gen", streams: true}]`},
	"task cachekey":                  {"a", ""},
	"task usage":                     {"a", "args: append"},
	"task unless":                    {"a == b", "if: {env: CI}"},
	"task silent":                    {"true", ""},
	"task retries":                   {"3", "="},
	"task retries 2":                 {"{max: 2}", "retry: 2"},
	"task attempts":                  {"3", "retry: 2"},
	"task flaky":                     {"true", "retry: 2"},
	"task retrydelay":                {"5", "retry: {times: 2, delay: 1s}"},
	"retry max":                      {"2", "="},
	"retry attempts":                 {"3", "times: 2"},
	"retry when":                     {"[timeout, 75]", "="},
	"retry when 2":                   {"timeout", "!"},
	"retry interval":                 {"5", "delay: 5s"},
	"retry interval 2":               {"5s", "="},
	"retry multiplier":               {"2", "="},
	"task timeoutminutes":            {"60", "timeout: 60m"},
	"task timeoutseconds":            {"60", "timeout: 60s"},
	"task timeoutseconds 2":          {"1m30s", "="},
	"task timeoutseconds 3":          {"[a]", "timeout: 10m"},
	"task timeoutms":                 {"1500", "timeout: 1500ms"},
	"task ignoreerror":               {"true", `shell: "program || true"`},
	"task platform":                  {"linux", "if: {os: linux}"},
	"task when":                      {"a == b", "if: {os: linux}"},
	"if platform":                    {"linux", "="},
	"if variable":                    {"CI", "="},
	"if file":                        {"go.mod", "="},
	"task toolchain":                 {"node", `command: ["program", "argument"]`},
	"task image":                     {"alpine", "command: [docker, run, --rm, image, program]"},
	"task options":                   {"{cache: false}", ""},
	"task alias":                     {"b", `deps: ["~:build"]`},
	"task preconditions":             {"[x]", `shell: "test -e file || exit 1; program"`},
	"task status":                    {"[x]", "cache: false"},
	"task cacheable":                 {"true", "!"},
	"task cacheable 2":               {"false", "!"},
	"task nocache":                   {"true", "!"},
	"task lock":                      {"db", "!"},
	"task lock 2":                    {"true", "mutex: name"},
	"task parallel":                  {"false", "mutex: name"},
	"task concurrency":               {"2", ""},
	"task extends":                   {"base", ""},
	"task namedinputs":               {"{a: [b]}", ""},
	"task visibility":                {"[x]", ""},
	"task clean":                     {"true", "incremental: true"},
	"task watch":                     {"true", ""},
	"task set":                       {"[e]", `shell: "set -u; program"`},
	"task finally":                   {"docker rm -f db", `after: ["~:cleanup"]`},
	"task finally 2":                 {"cleanup", "!"},
	"task finally 3":                 {"['~:cleanup']", "="},
	"task finally 4":                 {"true", `after: ["~:cleanup"]`},
	"task before":                    {"[x]", `shell: "first && then"`},
	"dep name":                       {"'lib:build'", "="},
	"dep name 2":                     {"build", "!"},
	"dep project":                    {"lib", `task: "lib:build"`},
	"dep vars":                       {"{A: b}", ""},
	"dep dependencies":               {"true", "closure: false"},
	"dep optional":                   {"true", ""},
	"dep weak":                       {"true", ""},
	"dep condition":                  {"x", ""},
	"mutex id":                       {"db", "="},
	"mutex type":                     {"shared", "="},
	"mutex shared":                   {"true", "mode: shared"},
	"mutex exclusive":                {"true", "mode: exclusive"},
	"env from":                       {"[A]", "="},
	"env from 2":                     {"A", "!"},
	"env set":                        {"{A: b}", "="},
	"env file":                       {"[.env]", "="},
	"env file 2":                     {".env", "!"},
	"env inherit":                    {"[A, 'B_*']", "="},
	"env inherit 2":                  {"A", "!"},
	"env mode":                       {"pure", "!"},
	"settings_env fromhost":          {"[A]", ""},
	"settings_env mode":              {"pure", "!"},
}

// frames are files with a place for a line of an object, and what the object needs beside it.
var frames = map[string]struct{ frame, needs string }{
	"workspace":    {"%s\n", "projects: []"},
	"cache":        {"projects: []\ncache:\n  %s\n", ""},
	"concurrency":  {"projects: []\nconcurrency:\n  %s\n", ""},
	"output":       {"projects: []\noutput:\n  %s\n", ""},
	"execution":    {"projects: []\nexecution:\n  %s\n", ""},
	"project":      {"%s\n", "name: p"},
	"overlay":      {"%s\n", "tasks: {}"},
	"task":         {"name: p\ntasks:\n  build:\n    %s\n", `shell: "true"`},
	"dep":          {"name: p\ntasks:\n  build:\n    shell: echo\n    deps:\n    - %s\n", `task: "~:a"`},
	"tool":         {"name: p\ntasks:\n  build:\n    shell: echo\n    tools:\n    - %s\n", "name: cc"},
	"mutex":        {"name: p\ntasks:\n  build:\n    shell: echo\n    mutex:\n      %s\n", "name: db, mode: exclusive"},
	"if":           {"name: p\ntasks:\n  build:\n    shell: echo\n    if:\n      %s\n", ""},
	"retry":        {"name: p\ntasks:\n  build:\n    shell: echo\n    retry:\n      %s\n", "times: 2"},
	"defaults":     {"name: p\ndefaults:\n  %s\n", ""},
	"settings_env": {"name: p\nenv:\n  %s\n", ""},
	"env":          {"name: p\ntasks:\n  build:\n    shell: echo\n    env:\n      %s\n", ""},
}

// fill is the file with lines in an object; what it needs is added where neither the lines nor has, a key, give it.
func fill(object, has string, lines ...string) string {
	f := frames[object]
	first, rest, _ := strings.Cut(f.frame, "%s")
	indent := first[strings.LastIndex(first, "\n")+1:]
	given := map[string]bool{has: true}
	for _, line := range lines {
		key, _, _ := strings.Cut(line, ":")
		given[key] = true
	}
	for need := range strings.SplitSeq(f.needs, ", ") {
		key, _, _ := strings.Cut(need, ":")
		if need != "" && !given[key] && !(key == "shell" && given["command"]) {
			lines = append(lines, need)
		}
	}
	return first + strings.Join(lines, "\n"+strings.ReplaceAll(indent, "-", " ")) + rest
}

func read(object, text string) diag.List {
	var list diag.List
	file := File{Name: "file.yml", Text: []byte(text)}
	switch object {
	case "workspace", "cache", "concurrency", "output", "execution":
		_, list = ReadWorkspace(file)
	case "overlay":
		_, list = ReadOverlay(file)
	default:
		_, list = ReadProject(file)
	}
	return list
}

var suggested = regexp.MustCompile(`^did you mean "(.*)"\?$`)

// The hint about each key of another tool is right when it is followed: the file is read without an error, and nothing but the key was
// said to be wrong before.
func TestForeignKeysAreFollowed(t *testing.T) {
	used := map[string]bool{}
	for _, object := range slices.Sorted(maps.Keys(foreignKeys)) {
		for _, group := range foreignKeys[object] {
			keys := strings.Fields(group.keys)
			of := object
			if _, ok := foreignExamples[object+" "+keys[0]]; !ok && object == "overlay" {
				of = "project"
			}
			for n := 1; ; n++ {
				name := of + " " + keys[0]
				if n > 1 {
					name += fmt.Sprint(" ", n)
				}
				example, ok := foreignExamples[name]
				if !ok {
					if n == 1 {
						t.Errorf("%s %s: no example", object, keys[0])
					}
					break
				}
				used[name] = true
				for _, key := range keys {
					follow(t, object, key, group.ours, example)
				}
			}
		}
	}
	for name := range foreignExamples {
		if !used[name] {
			t.Errorf("the example of %q is of no group", name)
		}
	}
}

func follow(t *testing.T, object, key, ours string, example foreignExample) {
	t.Helper()
	text := fill(object, ours, key+": "+example.value)
	var hint string
	said := read(object, text)
	for _, d := range said {
		if strings.HasPrefix(d.Message, "unknown key") {
			hint = d.Hint
		}
	}
	if len(said) != 1 {
		t.Errorf("%s\nis told as more than one mistake:\n%s", text, said.Render(diag.Style{}))
		return
	}
	then := ""
	switch m := suggested.FindStringSubmatch(hint); {
	case hint == "":
		t.Errorf("%s\nhas no hint", text)
		return
	case example.follow == "=":
		if m == nil {
			t.Errorf("%s\nthe hint is %q, want another key for the same value", text, hint)
			return
		}
		then = fill(object, "", m[1]+": "+example.value)
	case example.follow == "!":
		then = fill(object, "", hint)
	case !strings.Contains(hint, example.follow):
		t.Errorf("%s\nthe hint is %q, want %q in it", text, hint, example.follow)
		return
	default:
		then = fill(object, "", example.follow)
	}
	if still := read(object, then); len(still) > 0 {
		t.Errorf("%s\nhint: %s\nwho follows it writes\n%s\nand is told\n%s", text, hint, then, still.Render(diag.Style{}))
	}
}

// Where `shell` names the shell, as on GitHub, both keys are told.
func TestForeignShell(t *testing.T) {
	said := read("task", "name: p\ntasks:\n  build:\n    shell: bash\n    run: |\n      npm ci\n      npm test\n")
	if len(said) != 1 || said[0].Hint != `shell_type: bash, and shell: "npm ci\nnpm test"` {
		t.Errorf("said:\n%s", said.Render(diag.Style{}))
	}
}

// No key of ours is taken for another tool's, and each spelling is one group's.
func TestForeignKeysAreNotOurs(t *testing.T) {
	for object, groups := range foreignKeys {
		seen := map[string]bool{}
		for _, g := range groups {
			for key := range strings.FieldsSeq(g.keys) {
				switch {
				case squeeze(key) != key:
					t.Errorf("%s %s: squeeze makes %q of it", object, key, squeeze(key))
				case ownIndex()[object+" "+key] == key:
					t.Errorf("%s %s is a key of ours", object, key)
				case seen[key]:
					t.Errorf("%s %s is in two groups", object, key)
				}
				seen[key] = true
			}
		}
	}
}
