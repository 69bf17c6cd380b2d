package config

import (
	"slices"

	"github.com/haz-build/haz/diag"
)

// defaults holds what the defaults of a file, which may be nil, say to each other, and to the env beside them.
func (m *mapper) defaults(d *Body, strict Bool) {
	if d == nil {
		return
	}
	m.push(step{key: "defaults"})
	defer m.pop()
	m.hashedAndPassed(d)
	if strict.Set && d.Env.Strict.Set {
		m.push(step{key: "env"})
		m.push(step{key: "strict"})
		m.add("haz::cfg::042", d.Env.Strict.Span, "strict is said twice in this file", "keep one of them").Related = m.related(strict.Span, "the other one is here")
		m.pop()
		m.pop()
	}
}

// inDefaults reports whether what is being read belongs to the defaults.
func (m *mapper) inDefaults() bool { return len(m.path) > 0 && m.path[0].key == "defaults" }

// foreignDefault is foreignHint for a key that defaults do not have: it may be one of tasks, in our words or in those of other tools, or
// the name of a task.
func foreignDefault(squeezed string, v value) (meant, hint string) {
	if own := ownIndex()["task "+squeezed]; own != "" {
		return "", ofATask(squeezed)
	}
	f := foreignIndex()["task "+squeezed]
	switch {
	case f == nil && isMap(v.node):
		return "", "defaults hold for tasks of any name; those of one name, in many projects, stand in .haz/tasks/<name>.yml"
	case f == nil:
		return "", ""
	case f.ours == "":
		return "", f.say
	case !slices.Contains(defaultKeys, f.ours):
		return "", ofATask(squeezed)
	}
	return f.answer(v)
}

// answer is what is written in the place of a key of another tool.
func (f *foreign) answer(v value) (meant, hint string) {
	written := asItStands
	if f.write != nil {
		written = f.write(f.ours, v)
	}
	switch {
	case written != "" && written != asItStands:
		return f.ours, written
	case f.say != "" && (written == "" || f.write == nil):
		return f.ours, f.say
	}
	return f.ours, diag.DidYouMean(f.ours)
}

// underDefaults answers a key that belongs to the defaults by what write answers there.
func underDefaults(ours string, write func(ours string, v value) string) func(string, value) string {
	return func(_ string, v value) string {
		written := write(ours, v)
		if written == "" || written == asItStands {
			return ""
		}
		return shortLine("defaults: {" + written + "}")
	}
}

// writeGlobalInputs spells paths from the root of the workspace.
func writeGlobalInputs(ours string, v value) string {
	list := rooted(v)
	if list == "" {
		return ""
	}
	return ours + ": " + list
}

// writeGlobalFiles is writeEnvFiles for paths from the root of the workspace.
func writeGlobalFiles(ours string, v value) string {
	list := rooted(v)
	if list == "" {
		return ""
	}
	return ours + ": {files: " + list + "}"
}

// rooted is a list of such paths; "" for what is none.
func rooted(v value) string {
	items, _, ok := v.few()
	if !ok {
		return ""
	}
	for i, item := range items {
		items[i] = fromRoot(item)
	}
	return yamlList(items)
}

// writeItems is a list as it stands, or of one text.
func writeItems(ours string, v value) string {
	items, _, ok := v.few()
	if !ok {
		return ""
	}
	return ours + ": " + yamlList(items)
}

// writeSetsOrInputs tells a map of sets from a list for all tasks.
func writeSetsOrInputs(ours string, v value) string {
	if _, _, ok := v.few(); ok {
		return underDefaults("inputs", writeItems)("", v)
	}
	return writeSets(ours, v)
}
