package load

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/diag"
)

// A text of 60,000 bytes, wherever it stands, is an error that can be read: each line of it is short (chapter 1, 12).
func TestLongTexts(t *testing.T) {
	const size, longest = 60_000, 1000
	const project = "-- .haz/workspace.yml --\nprojects: [/lib]\n-- lib/haz.yml --\n"
	const task = project + "name: lib\ntasks:\n  t:\n    shell: x\n"
	for about, text := range map[string]string{
		"name":             project + "name: %s\n",
		"missing name":     project + "tags: [%s]\n",
		"tag twice":        project + "name: lib\ntags: [%[1]s, %[1]s]\n",
		"unknown key":      project + "name: lib\n%s: x\n",
		"unknown map":      project + "name: lib\n%s: {a: b}\n",
		"task":             project + "name: lib\ntasks: {%s: {shell: x}}\n",
		"bad task":         project + "name: lib\ntasks: {%s: {shell: [x], deps: [y], inputs: [a/]}}\n",
		"body":             project + "name: lib\ntasks: {t: %s}\n",
		"command":          project + "name: lib\ntasks: {t: {command: %s}}\n",
		"words":            project + "name: lib\ntasks: {t: {command: make %s}}\n",
		"shell type":       task + "    shell_type: %s\n",
		"key of a task":    task + "    %s: x\n",
		"input":            task + "    inputs: [%s]\n",
		"inputs":           task + "    inputs: %s\n",
		"input twice":      task + "    inputs: [%[1]s, %[1]s]\n",
		"input with slash": task + "    inputs: [a/%s/]\n",
		"output":           task + "    outputs: [/.haz/%s]\n",
		"own reference":    task + "    deps: [\"~:%s\"]\n",
		"project":          task + "    deps: [\"%s:t\"]\n",
		"no colon":         task + "    deps: [\"%s\"]\n",
		"tag":              task + "    deps: [\"[%s]:t\"]\n",
		"behind a tag":     task + "    deps: [\"[a]%s\"]\n",
		"second tag":       task + "    deps: [\"[a][%s\"]\n",
		"many tags":        task + "    deps: [\"[a,%s]:t\"]\n",
		"all":              task + "    deps: [\"*:%s\"]\n",
		"reference twice":  task + "    deps: [\"~:%[1]s\", \"~:%[1]s\"]\n",
		"mutex":            task + "    mutex: %s\n",
		"mode":             task + "    mutex: {name: a, mode: %s}\n",
		"key of a mutex":   task + "    mutex: {name: a, mode: shared, %s: b}\n",
		"from_host":        task + "    env: {from_host: [%[1]s, %[1]s]}\n",
		"override":         task + "    env: {override: {%s: [a]}}\n",
		"cache":            task + "    cache: %s\n",
		"key twice":        task + "    env: {override: {%[1]s: a, %[1]s: b}}\n",
		"alias":            task + "    inputs: *%s\n",
		"entry":            "-- .haz/workspace.yml --\nprojects: [%s]\n",
		"absolute entry":   "-- .haz/workspace.yml --\nprojects: [\"/%s\"]\n",
		"glob entry":       "-- .haz/workspace.yml --\nprojects: [\"/*%s\"]\n",
		"projects":         "-- .haz/workspace.yml --\nprojects: %s\n",
		"hash":             "-- .haz/workspace.yml --\nprojects: []\ncache: {hash: %s}\n",
		"age":              "-- .haz/workspace.yml --\nprojects: []\ncache: {clean: {max_age: 1%s}}\n",
		"size":             "-- .haz/workspace.yml --\nprojects: []\ncache: {clean: {max_size: 1%s}}\n",
		"default":          "-- .haz/workspace.yml --\nprojects: []\nconcurrency: {default: %s}\n",
		"cap":              "-- .haz/workspace.yml --\nprojects: []\nconcurrency: {tags: {%[1]s: %[1]s}}\n",
		"grace":            "-- .haz/workspace.yml --\nprojects: []\nexecution: {cancel_grace: %s}\n",
		"tagsFilter":       project + "name: lib\n-- .haz/tasks/o.yml --\ntagsFilter: [%s]\ntasks: {}\n",
	} {
		for _, unit := range []string{"x", "é", "a b"} {
			_, err := tryLoad(t, fmt.Sprintf(text, strings.Repeat(unit, size/len(unit))))
			var said *diag.Errors
			if !errors.As(err, &said) {
				t.Errorf("%s of %q: %v", about, unit, err)
				continue
			}
			for line := range strings.SplitSeq(said.Error(), "\n") {
				if len(line) > longest {
					t.Errorf("%s of %q: a line of %d bytes: %.200s", about, unit, len(line), line)
					break
				}
			}
		}
	}
}
