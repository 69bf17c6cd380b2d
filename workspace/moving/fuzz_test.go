package moving

import (
	"strings"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// Whatever stands in a file of another tool, reading it ends without a panic: in a plan, or in mistakes with their places.
func FuzzReaders(f *testing.F) {
	for _, text := range []string{"a: b\n\tgo build -o $(X) $@ $(shell a)\nX = $(X\n", "define A\nendef\nifdef B\nelse\nendif\n.PHONY: a\n", "", "all:\n\t$(",
		"tasks: {a: {cmds: ['{{if .A}}b{{end}} {{.C | default \"d\"}}', task: a], for: [x]}}", "vars: {A: {sh: b}}\ntasks:\n  a: 'echo \"{{.A}}\" ''{{.A}}'''\n",
		"[tasks.a]\nrun = ['a {{env.B}}', {task = 'a'}]\n", "[env]\n_.path = 'x'\n[tasks]\nb = '#!/bin/bash -e'\n",
		`{"namedInputs": {"a": ["b", "^a"], "b": ["a", "!{projectRoot}/?(x)"]}, "targetDefaults": {"b*": {"dependsOn": ["^b", {"projects": "*", "target": "b"}], "inputs": ["a", {"runtime": "x"}]}}, "plugins": ["p", {}]}`,
		"tasks: {b: {command: 'a \"$projectRoot\" @in(0) @group(x)', args: [\"'\", '*'], deps: ['^:b', {target: 'c', args: '-x'}], inputs: ['@globs(x)', '$A_*', '/..', 'project://^'], extends: c, options: {runDepsInParallel: false, envFile: true, os: [a, b]}}, c: {script: '(', extends: b}}\nfileGroups: {x: ['!a', 'b/', '{']}\nimplicitDeps: ['~:b']\n",
		`{"name": "a:b", "tags": ["x:y"], "targets": {"b": {"command": "c {args.d}", "configurations": {"e": {"cwd": ".."}}, "outputs": ["{options.f}", "{projectRoot}"]}}, "implicitDependencies": ["*"]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for file, tool := range map[string]string{"Makefile": "make", "Taskfile.yml": "task", "mise.toml": "mise", "nx.json": "nx", "project.json": "nx", "a/moon.yml": "moon", ".moon/tasks/all.yml": "moon"} {
			disk := fsys.Memory()
			if file == "project.json" {
				infertest.Put(t, disk, "nx.json", "{}")
			}
			if tool == "moon" {
				infertest.Put(t, disk, ".moon/workspace.yml", "projects: {a: a, b: b}\n")
				infertest.Put(t, disk, "a/x", "")
				infertest.Put(t, disk, "b/moon.yml", "dependsOn: [a]\ntags: [t]\n")
			}
			infertest.Put(t, disk, file, text)
			plan, mistakes := Read(t.Context(), disk, tool, Options{Folder: "f", OS: "linux", Arch: "amd64"})
			if len(mistakes) == 0 && len(plan.Files) == 0 {
				t.Errorf("%s: neither a plan nor a mistake", tool)
			}
			for _, d := range mistakes {
				if d.Code != RuleSource || !strings.HasPrefix(d.Place.File, file) {
					t.Errorf("%s: %+v", tool, d)
				}
			}
		}
	})
}
