package config

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// value is what stands behind a key of another tool, and the map that it stands in.
type value struct {
	node *yaml.Node
	in   []entry
}

// scalar is a text; false for null, lists and maps.
func (v value) scalar() (string, bool) {
	n := deref(v.node)
	return n.Value, n.Kind == yaml.ScalarNode && !isNull(n)
}

// texts are the items of a list of texts.
func (v value) texts() (list []string, ok bool) {
	n := deref(v.node)
	if n.Kind != yaml.SequenceNode {
		return nil, false
	}
	for _, item := range n.Content {
		text, ok := value{node: item}.scalar()
		if !ok {
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

// few are the items of a list, or a text that stands alone.
func (v value) few() (list []string, alone, ok bool) {
	if text, ok := v.scalar(); ok {
		return []string{text}, true, true
	}
	list, ok = v.texts()
	return list, false, ok
}

// pairs are the keys and texts of a map of texts, in its order.
func (v value) pairs() (list [][2]string, ok bool) {
	n := deref(v.node)
	if n.Kind != yaml.MappingNode {
		return nil, false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		text, ok := value{node: n.Content[i+1]}.scalar()
		if !ok {
			return nil, false
		}
		list = append(list, [2]string{deref(n.Content[i]).Value, text})
	}
	return list, true
}

// at is the value of a key of a map.
func (v value) at(key string) value {
	n := deref(v.node)
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if deref(n.Content[i]).Value == key {
				return value{node: n.Content[i+1]}
			}
		}
	}
	return value{node: &yaml.Node{Kind: yaml.ScalarNode}}
}

// short is a line of YAML, or "" when it is too long for a hint.
func shortLine(text string) string {
	if len(text) > longest {
		return ""
	}
	return text
}

func yamlList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = yamlText(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func writeList(ours string, v value) string {
	items, alone, ok := v.few()
	switch {
	case !ok:
		return ""
	case !alone:
		return asItStands
	}
	return shortLine(ours + ": " + yamlList(items))
}

// writeTimes is a number of further attempts, which is the number given and more.
func writeTimes(more int) func(string, value) string {
	return func(ours string, v value) string {
		text, _ := v.scalar()
		switch n, ok := parseInteger(text); {
		case ok && n+more >= 0 && n+more <= workspace.RetriesMax && more == 0:
			return asItStands
		case ok && n+more >= 0 && n+more <= workspace.RetriesMax:
			return fmt.Sprintf("%s: %d", ours, n+more)
		}
		return ours + ": 2"
	}
}

// writePeriod gives a number its unit.
func writePeriod(unit string) func(string, value) string {
	return func(ours string, v value) string {
		text, _ := v.scalar()
		if _, err := ParsePeriod(text); err == nil {
			return asItStands
		}
		if _, err := ParsePeriod(text + unit); err == nil {
			return ours + ": " + text + unit
		}
		return ours + ": 10m"
	}
}

// writeOutputs knows that a text alone is one of the list.
func writeOutputs(ours string, v value) string {
	if text, ok := v.scalar(); ok {
		return shortLine(outputHint(text))
	}
	return writeList(ours, v)
}

// outputHint is about a text where the list of outputs belongs. Whether a path is that of a file or a folder need not be known.
func outputHint(text string) string {
	if short := strings.TrimPrefix(text, "./"); strings.Trim(short, "/") != "" {
		text = short
	}
	return "outputs: " + yamlList([]string{text})
}

func writeFolders(ours string, v value) string {
	items, _, ok := v.few()
	if !ok {
		return ""
	}
	for i, item := range items {
		items[i] = strings.TrimSuffix(strings.TrimPrefix(item, "./"), "/") + "/"
	}
	return shortLine(ours + ": " + yamlList(items))
}

// writeProjects spells folders from the root of the workspace.
func writeProjects(ours string, v value) string {
	items, changed, ok := v.few()
	if !ok {
		return ""
	}
	for i, item := range items {
		if strings.HasPrefix(item, "!") || strings.HasPrefix(item, "..") {
			return ""
		}
		items[i] = cmp.Or(strings.TrimRight(fromRoot(item), "/"), "/")
		changed = changed || items[i] != item
	}
	if !changed {
		return asItStands
	}
	return shortLine(ours + ": " + yamlList(items))
}

// fromRoot spells a path from the root of the workspace, which other tools start at anyway.
func fromRoot(item string) string {
	rest, not := strings.CutPrefix(item, "!")
	for _, p := range placeholders {
		if short, ok := strings.CutPrefix(rest, p.text); ok && strings.HasPrefix(p.ours, "/") {
			rest = short
		}
	}
	rest = "/" + strings.TrimLeft(strings.TrimPrefix(rest, "./"), "/")
	if not {
		return "!" + rest
	}
	return rest
}

func writeConcurrency(_ string, v value) string {
	text, ok := v.scalar()
	if !ok || text == "" || strings.Trim(text, "0123456789") != "" || strings.Trim(text, "0") == "" {
		return "concurrency: {default: auto}"
	}
	return shortLine("concurrency: {default: " + text + "}")
}

func writeFlag(is bool) func(string, value) string {
	return func(ours string, v value) string {
		text, ok := v.scalar()
		switch {
		case ok && strings.EqualFold(text, "false") == is:
			return ours + ": false"
		case ok && strings.EqualFold(text, "false"), ok && is:
			return ours + ": true"
		}
		return ours + ": false"
	}
}

// writeReferences spells references in our words where that is possible; what is not is told when the key is right.
func writeReferences(ours string, v value) string {
	var items []string
	changed := false
	n := deref(v.node)
	switch n.Kind {
	case yaml.MappingNode: // {db: {condition: ...}}
		for i := 0; i+1 < len(n.Content); i += 2 {
			items = append(items, deref(n.Content[i]).Value)
		}
		changed = true
	case yaml.SequenceNode:
		for _, item := range n.Content {
			text, isText := value{node: item}.scalar()
			if !isText {
				var ok bool
				if text, ok = (value{node: item}).target(); !ok {
					return asItStands
				}
				changed = true
			}
			items = append(items, text)
		}
	default:
		text, ok := v.scalar()
		if !ok {
			return ""
		}
		items, changed = []string{text}, true
	}
	for i, item := range items {
		ref, ok := respell(item)
		if !ok {
			if deref(v.node).Kind != yaml.SequenceNode {
				return ours + `: ["lib:build"]`
			}
			return asItStands
		}
		changed = changed || ref != item
		items[i] = ref
	}
	if !changed {
		return asItStands
	}
	return cmp.Or(shortLine(ours+": "+yamlList(items)), diag.DidYouMean(ours))
}

// writeFinalizers is writeReferences of what other tools run at the end: a command, mostly, which is a task here.
func writeFinalizers(ours string, v value) string {
	if text, is := v.scalar(); is {
		if _, reference := respell(text); !reference || text == "true" || text == "false" {
			return ""
		}
	}
	return writeReferences(ours, v)
}

func writeReference(ours string, v value) string {
	text, ok := v.scalar()
	if ref, good := respell(text); ok && good && ref != text {
		return shortLine(ours + ": " + yamlText(ref))
	}
	return asItStands
}

// target reads a dep that is a map: {target: build}, {projects: [lib], target: build}, {task: build}.
func (v value) target() (string, bool) {
	for _, key := range []string{"task", "target"} {
		if name, ok := v.at(key).scalar(); ok {
			if used, said := v.at("dependencies").scalar(); said && used == "true" {
				return "^" + name, true
			}
			projects, _, ok := v.at("projects").few()
			switch {
			case len(projects) == 1 && projects[0] == "dependencies":
				return "^" + name, true
			case !ok:
				return name, true
			case len(projects) == 1 && projects[0] != "self":
				return projects[0] + ":" + name, true
			case len(projects) == 1:
				return name, true
			}
		}
	}
	return "", false
}

// respell writes a reference of another tool in our words: build, ^build, lib#build, #tag:build. False for what only the workspace can tell.
func respell(text string) (string, bool) {
	if workspace.CheckName(text) == nil {
		return "~:" + text, true
	}
	if task, ok := strings.CutPrefix(text, "^"); ok && workspace.CheckFamilyName(task) == nil && !strings.Contains(task, ":") {
		return "^uses:" + task, true
	}
	if rest, ok := strings.CutPrefix(text, "#"); ok {
		tag, task, ok := strings.Cut(rest, ":")
		return "[" + tag + "]:" + task, ok && workspace.CheckName(tag) == nil && workspace.CheckTaskName(task) == nil
	}
	project, task, ok := strings.Cut(text, "#")
	if !ok {
		project, task, ok = strings.Cut(text, ":")
	}
	switch {
	case !ok || workspace.CheckTaskName(task) != nil:
		return "", false
	case project == "~" || project == "^" || project == "^~" || project == "^uses":
		return text, true
	}
	return project + ":" + task, workspace.CheckProjectName(project) == nil
}

// writeUses is about the projects that one uses: names, maps with an id, or a map by name, as in a package.json, of which those of other
// packages stay out.
func writeUses(ours string, v value) string {
	items, alone, ok := v.few()
	n := deref(v.node)
	switch {
	case ok && !alone:
		if slices.ContainsFunc(items, negated) {
			break
		}
		return asItStands
	case ok:
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			items = append(items, nameOfUse(value{node: item}))
		}
	case n.Kind == yaml.MappingNode:
		pairs, _ := v.pairs()
		for i := 0; i+1 < len(n.Content); i += 2 {
			items = append(items, deref(n.Content[i]).Value)
		}
		if slices.ContainsFunc(pairs, ofWorkspace) {
			items = items[:0]
			for _, p := range pairs {
				if ofWorkspace(p) {
					items = append(items, p[0])
				}
			}
		}
	}
	items = slices.DeleteFunc(items, func(name string) bool { return name == "" || negated(name) })
	if len(items) == 0 {
		return ""
	}
	return cmp.Or(shortLine(ours+": "+yamlList(items)), diag.DidYouMean(ours))
}

// negated is a name with which other tools take a relation away that they have found.
func negated(name string) bool { return strings.HasPrefix(name, "!") }

// ofWorkspace reports whether a dependency of a package.json is a project of the workspace.
func ofWorkspace(p [2]string) bool {
	return strings.HasPrefix(p[1], "workspace:") || strings.HasPrefix(p[1], "file:") || strings.HasPrefix(p[1], "link:")
}

// nameOfUse is the name in an item: lib, {id: lib, scope: build}; "" for none.
func nameOfUse(v value) string {
	if text, ok := v.scalar(); ok {
		return text
	}
	for _, key := range []string{"id", "project", "name"} {
		if text, ok := v.at(key).scalar(); ok {
			return text
		}
	}
	return ""
}

func writeCommand(ours string, v value) string {
	if text, ok := v.scalar(); ok {
		return cmp.Or(shortLine("shell: "+yamlText(text)), diag.DidYouMean("shell"))
	}
	if _, ok := v.texts(); ok {
		return asItStands
	}
	return `command: ["program", "argument"]    or    shell: "script"`
}

// writeScript makes one script of commands. Where `shell` names the shell, as elsewhere, that is said too.
func writeScript(ours string, v value) string {
	lines, alone, ok := v.few()
	if !ok {
		if lines, ok = v.commands(); !ok {
			return ""
		}
	}
	for _, e := range v.in {
		if e.key.Value == ours {
			name, _ := value{node: e.value}.scalar()
			if workspace.CheckShellName(name) == nil {
				return shortLine("shell_type: " + name + ", and shell: " + yamlText(strings.TrimRight(strings.Join(lines, "\n"), "\n")))
			}
			return ""
		}
	}
	if alone {
		return asItStands
	}
	return shortLine(ours + ": " + yamlText(strings.Join(lines, "\n")))
}

// commands are those of a list of texts and maps of one command: [{cmd: a}, {run: b}, c].
func (v value) commands() (list []string, ok bool) {
	n := deref(v.node)
	if n.Kind != yaml.SequenceNode {
		return nil, false
	}
	for _, item := range n.Content {
		text, ok := value{node: item}.scalar()
		for _, key := range []string{"cmd", "run", "command", "script"} {
			if !ok {
				text, ok = value{node: item}.at(key).scalar()
			}
		}
		if !ok {
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

func writeShellName(ours string, v value) string {
	if text, ok := v.scalar(); ok && workspace.CheckShellName(path.Base(text)) == nil {
		return ours + ": " + path.Base(text)
	}
	return ours + ": bash"
}

// writePass writes a list of names as what a task sees and no key holds.
func writePass(ours string, v value) string {
	if list := writeList("pass", v); list != "" && list != asItStands {
		return shortLine(ours + ": {" + list + "}")
	}
	if names, ok := v.texts(); ok && len(names) > 0 {
		return shortLine(ours + ": {pass: [" + strings.Join(names, ", ") + "]}")
	}
	return ""
}

// writeEnvFiles writes a path, or several, as files of variables.
func writeEnvFiles(ours string, v value) string {
	items, _, ok := v.few()
	if !ok {
		return ""
	}
	return shortLine(ours + ": {files: " + yamlList(items) + "}")
}

// writeEnv tells names from assignments: {A: b}, [A=b, C].
func writeEnv(ours string, v value) string {
	var names, set []string
	assign := func(name, text string) { set = append(set, name+": "+yamlText(text)) }
	if pairs, ok := v.pairs(); ok {
		for _, p := range pairs {
			assign(p[0], p[1])
		}
	}
	if items, ok := v.texts(); ok {
		for _, item := range items {
			if name, text, ok := strings.Cut(item, "="); ok {
				assign(name, text)
			} else {
				names = append(names, item)
			}
		}
	}
	var parts []string
	if names != nil {
		parts = append(parts, "from_host: ["+strings.Join(names, ", ")+"]")
	}
	if set != nil {
		parts = append(parts, "override: {"+strings.Join(set, ", ")+"}")
	}
	if parts == nil {
		return ours + ": {from_host: [CC], override: {NAME: text}}"
	}
	return cmp.Or(shortLine(ours+": {"+strings.Join(parts, ", ")+"}"), ours+": {from_host: [CC], override: {NAME: text}}")
}

// variable answers the name of a variable where from_host and override belong.
func (v value) variable(name string) string {
	if workspace.CheckEnvName(name) != nil {
		return ""
	}
	if text, ok := v.scalar(); ok && text != "true" {
		return shortLine("override: {" + name + ": " + yamlText(text) + "}")
	}
	return shortLine("from_host: [" + name + "]")
}

func writeMutex(ours string, v value) string {
	if text, ok := v.scalar(); ok && workspace.CheckName(strings.TrimPrefix(text, "~:")) == nil && text != "true" && text != "false" {
		return ours + ": " + yamlText(text)
	}
	return ""
}

// writeTasks makes tasks of scripts: {build: "tsc"}.
func writeTasks(ours string, v value) string {
	pairs, ok := v.pairs()
	if !ok {
		if isMap(v.node) {
			return asItStands
		}
		return ours + `: {build: {shell: "script"}}`
	}
	var tasks []string
	for _, p := range pairs {
		if workspace.CheckFamilyName(p[0]) != nil {
			return ours + `: {build: {shell: "script"}}`
		}
		tasks = append(tasks, yamlKey(p[0])+": {shell: "+yamlText(p[1])+"}")
	}
	return cmp.Or(shortLine(ours+": {"+strings.Join(tasks, ", ")+"}"), ours+`: {build: {shell: "script"}}`)
}

// flagHint writes other tools' words for true and false in ours.
func flagHint(key, text string) string {
	switch strings.ToLower(text) {
	case "false", "no", "off", "0", "none", "never", "disabled", "n":
		return key + ": false"
	case "true", "yes", "on", "1", "always", "enabled", "y":
		return key + ": true"
	}
	return ""
}

// like shows how the map is written, with what stands in its place.
func (o *Object) like(v value) string {
	switch o {
	case envObject:
		if n := deref(v.node); n.Kind == yaml.SequenceNode {
			return writeEnv("env", v)
		}
	case strictObject:
		if n := deref(v.node); n.Kind == yaml.SequenceNode {
			return seenByTask
		}
	case concurrencyObject:
		if _, ok := v.scalar(); ok {
			return writeConcurrency("concurrency", v)
		}
	case outputObject:
		if text, ok := v.scalar(); ok && (text == "live" || text == "buffered" || text == "new-only") {
			return "output: {mode: " + text + "}"
		}
	}
	return o.example()
}
