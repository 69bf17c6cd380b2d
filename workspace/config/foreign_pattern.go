package config

import (
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// placeholders of other tools stand for the root of the workspace, or for the folder of the project.
var placeholders = []struct{ text, ours string }{
	{"$TURBO_ROOT$/", "/"}, {"{workspaceRoot}/", "/"}, {"$workspaceRoot/", "/"}, {"<rootDir>/", ""}, {"//", "/"},
	{"{projectRoot}/", ""}, {"$projectRoot/", ""}, {"$PROJECT_ROOT/", ""},
	{"{projectRoot}", "**"}, {"$TURBO_DEFAULT$", "$project"}, {"{workspaceRoot}", "/**"},
}

// expanded is what other tools expand.
var expanded = lazily(`\{\{|\$\{[A-Za-z_.][^,}]*\}|\$\(|\{(options|projectName|workspaceName)[.}]`)

// fileGroup is a set of files in the words of moon.
var fileGroup = lazily(`^@(?:group|files|globs|dirs|root)\(([A-Za-z0-9][A-Za-z0-9_-]{0,63})\)$`)

// ForeignPattern is a hint for a text of `inputs`, `exclude`, `outputs` or `projects` that has a meaning in other tools and none here;
// "" for any other.
func ForeignPattern(key, text string) string {
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		return negation(key, rest)
	}
	if written := RespellPattern(text); written != text && isPattern(written) {
		return "write " + diag.Quote(written)
	}
	if group := fileGroup().FindStringSubmatch(text); group != nil && key == "inputs" {
		return "write " + diag.Quote("$"+group[1])
	}
	switch {
	case expanded().MatchString(text):
		return "nothing is expanded in a path; write the path itself"
	case key == "inputs" && len(text) > 1 && text[0] == '^' && workspace.CheckName(text[1:]) == nil:
		return "what deps made counts without being an input; remove it"
	}
	return ""
}

// ForeignSet is a hint for what stands behind "$" and is the name of no set, where another tool has it; "" for any other.
func ForeignSet(name string) string {
	switch name {
	case "projectRoot", "PROJECT_ROOT", "projectSource":
		return "write " + diag.Quote("$project")
	case "workspaceRoot":
		return "write " + diag.Quote("/**")
	}
	return ""
}

func negation(key, rest string) string {
	if rest == "" {
		return ""
	}
	switch key {
	case "exclude":
		return "what exclude takes away, nothing gives back; write patterns that match less"
	case "projects":
		return "there is no negation; list the folders one by one"
	}
	if written := RespellPattern(rest); written != rest && isPattern(written) {
		return "write " + diag.Quote("!"+written)
	}
	return ""
}

// RespellPattern writes our words for what other tools put in front of a path to say where it begins. Without such a thing it gives
// text itself. The result need not be a pattern.
func RespellPattern(text string) string {
	for _, p := range placeholders {
		if rest, ok := strings.CutPrefix(text, p.text); ok && isPattern(p.ours+rest) {
			return p.ours + rest
		}
	}
	return text
}

func isPattern(text string) bool {
	_, err := pattern.Parse(text)
	return err == nil
}

// foreignItem is about a map among patterns: those of nx, {env: NAME}, {fileset: "src/**"}.
func foreignItem(v value) string {
	if name, ok := v.at("env").scalar(); ok && workspace.CheckEnvName(name) == nil {
		return "variables belong to env: env: {from_host: [" + name + "]}"
	}
	for _, key := range []string{"fileset", "file", "glob", "path", "pattern"} {
		if text, ok := v.at(key).scalar(); ok {
			text = strings.TrimPrefix(strings.TrimPrefix(text, "{projectRoot}/"), "./")
			if rest, ok := strings.CutPrefix(text, "{workspaceRoot}"); ok {
				text = rest
			}
			return shortLine("write " + diag.Quote(text))
		}
	}
	n := deref(v.node)
	if len(n.Content) == 0 {
		return ""
	}
	switch deref(n.Content[0]).Value {
	case "externalDependencies":
		return "what is installed stands in a lock file: inputs: [/package-lock.json]"
	case "dependentTasksOutputFiles", "input", "dependencies":
		return "what deps made counts without being an input; remove it"
	case "runtime":
		return "only files and variables are in the key; what a program says can be written to a file by a task with cache: false that stands in deps"
	}
	return ""
}
