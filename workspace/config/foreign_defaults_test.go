package config

import (
	"maps"
	"strings"
	"testing"
)

// Examples of what other tools say of all tasks, which defaults say here.
func init() {
	maps.Copy(foreignExamples, map[string]foreignExample{
		"workspace globaldependencies 2":   {"[tsconfig.json, '$TURBO_ROOT$/go.sum', '!doc/**']", "!"},
		"workspace globaldependencies 3":   {"{package.json: '*'}", "!"},
		"workspace implicitinputs":         {"['/package.json', '*.config.js']", "!"},
		"workspace implicitinputs 2":       {"{a: b}", "!"},
		"workspace taskoptions":            {"{cache: false}", "="},
		"workspace globalenv 2":            {"[CI]", "!"},
		"workspace globalenv 3":            {"{A: b}", "!"},
		"workspace globalpassthroughenv 2": {"[CI]", "!"},
		"workspace globalpassthroughenv 3": {"{A: b}", "!"},
		"workspace dotenv 2":               {"[.env]", "!"},
		"workspace dotenv 3":               {"{a: b}", "!"},
		"workspace shell 2":                {"bash", "!"},
		"workspace shell 3":                {"{a: b}", "!"},
		"workspace inputs":                 {"{a: [b]}", "="},
		"workspace inputs 2":               {"[a, /b]", "!"},
		"task inherits":                    {"true", "!"},
		"defaults run":                     {"{shell: bash}", "!"},
		"defaults implicitinputs":          {"package.json", "!"},
		"defaults globalenv":               {"[CI]", "!"},
		"project implicitinputs":           {"['/package.json']", "!"},
		"project taskoptions":              {"{timeout: 10m}", "="},
	})
}

// What stands among defaults and is no key of theirs is answered: keys of tasks, ours and those of other tools, names of tasks. Keys of tasks
// that stand where only defaults could have them are, too.
func TestHintsOfDefaults(t *testing.T) {
	for _, c := range []struct{ object, line, hint string }{
		{"defaults", "passThroughEnv: [A]", "env: {pass: [A]}"},
		{"defaults", "timeoutMinutes: 5", "timeout: 5m"},
		{"defaults", "retries: 2", `did you mean "retry"?`},
		{"defaults", "sources: [a]", `did you mean "inputs"?`},
		{"defaults", "timout: 5m", `did you mean "timeout"?`},
		{"defaults", "deps: [a]", "it belongs to a task: tasks: {build: {deps: [...]}}"},
		{"defaults", "dependsOn: [a]", "it belongs to a task: tasks: {build: {deps: [...]}}"},
		{"defaults", "outputs: [a]", "it belongs to a task: tasks: {build: {outputs: [...]}}"},
		{"defaults", "cwd: sub", `a task runs in its project's folder; to work elsewhere: shell: "cd dir && ..."`},
		{"defaults", "build: {cache: false}", "defaults hold for tasks of any name; those of one name, in many projects, stand in .haz/tasks/<name>.yml"},
		{"workspace", "timeout: 10m", "for all tasks, it belongs under defaults: defaults: {timeout: ...}"},
		{"workspace", "shell_type: bash", "for all tasks, it belongs under defaults: defaults: {shell_type: ...}"},
		{"workspace", "globalEnv: 7", "defaults: {env: {from_host: [CC], override: {NAME: text}}}"},
	} {
		said := read(c.object, fill(c.object, "", c.line))
		if len(said) != 1 || said[0].Hint != c.hint {
			t.Errorf("%s in %s: want the hint %q, got %v", c.line, c.object, c.hint, said)
		}
	}
	said := read("defaults", fill("defaults", "", "deps: [a]"))
	if !strings.Contains(said[0].Message, "`defaults` has env, shell_type, timeout, retry, tools, exclude, cache and inputs") {
		t.Errorf("the message does not say which keys there are: %s", said[0].Message)
	}
}
