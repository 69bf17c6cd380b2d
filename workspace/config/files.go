package config

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// setItems is what the list of a named set is held to.
var setItems = &Field{Key: "files", Rule: setsRule, Type: Type{Kind: ListOf, Format: InputPattern, Unique: true}}

const filesHint = `files: {sources: ["src/**"]}`

// files maps named sets of files (haz::cfg::060).
func (m *mapper) files(f *Field, n *yaml.Node, out *[]FileSet) bool {
	v := deref(n)
	if v.Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map from name to list of patterns").Hint = filesHint
		return false
	}
	list, ok := m.entries(v)
	*out = make([]FileSet, 0, len(list))
	for _, e := range list {
		m.push(step{key: e.key.Value})
		named := m.check(f.Rule, f.Type.Keys, e.key)
		items, isList := Patterns{}, false
		if deref(e.value).Kind == yaml.SequenceNode {
			items, isList = m.patterns(setItems, e.value)
		} else {
			m.notASet(e)
		}
		m.pop()
		if ok = ok && named && isList; named {
			*out = append(*out, FileSet{e.key, items})
		}
	}
	return ok
}

// notASet reports a set that is no list.
func (m *mapper) notASet(e entry) {
	d := m.wrongType(setItems.Rule, e.value, "a list of strings")
	v := deref(e.value)
	switch text := v.Value; {
	case workspace.CheckName(e.key.Value) != nil:
	case v.Kind == yaml.ScalarNode && !isNull(v) && len(text) <= longest && !strings.Contains(text, "\n"):
		d.Hint = e.key.Value + ": [" + yamlText(text) + "]"
	default:
		d.Hint = e.key.Value + `: ["src/**"]`
	}
}

// setName holds the name of a set to the rules of names; two have a meaning of their own.
func (m *mapper) setName(rule string, t Text) bool {
	meaning := map[string]string{workspace.ProjectSet: "the files of the project that git tracks or would add", workspace.LockSet: "what the project reaches in its lock file"}[t.Value]
	if meaning != "" {
		m.add(rule, t.Span, diag.Quote(t.Value)+" is no name for a set: $"+t.Value+" has a meaning of its own, "+meaning, "give it another name")
		return false
	}
	return m.name(rule, t, t.Value, workspace.CheckName)
}

// setItem is an item that stands for a set (PATH-024).
func (m *mapper) setItem(f *Field, t Text, name string, not bool) (Pattern, bool) {
	err := workspace.CheckName(name)
	if err == nil {
		return Pattern{Text: t, Not: not, Set: name}, true
	}
	hint := ""
	if escaped := `\$` + name; len(name) <= longest && isPattern(escaped) {
		hint = `for a file whose name begins with "$" write ` + diag.Quote(strings.TrimSuffix(t.Value, "$"+name)+escaped)
	}
	m.add(f.Rule, t.Span, "bad pattern "+diag.QuoteShort(t.Value)+`: behind "$" stands the name of a set of files, and `+diag.QuoteShort(name)+" is none: "+err.Error()+" (PATH-024)",
		cmp.Or(ForeignPattern(f.Key, t.Value), hint))
	return Pattern{}, false
}

// noSets refuses a set where none can stand. What is no name is a path there.
func (m *mapper) noSets(f *Field, t Text, name string) bool {
	if workspace.CheckName(name) != nil {
		return true
	}
	hint := `for a file of that name write ` + diag.Quote(`\$`+name)
	if f.Key == "exclude" {
		hint = `in inputs "!$` + name + `" takes a set away; ` + hint
	}
	m.add(f.Rule, t.Span, "bad pattern "+diag.QuoteShort(t.Value)+": sets of files stand in inputs alone (PATH-024)", hint)
	return false
}

// writeSets spells a map of lists of patterns; what is not a pattern here is told when the key is right.
func writeSets(ours string, v value) string {
	n := deref(v.node)
	if n.Kind != yaml.MappingNode {
		return filesHint
	}
	for i := 1; i < len(n.Content); i += 2 {
		if deref(n.Content[i]).Kind != yaml.SequenceNode {
			return filesHint
		}
	}
	return asItStands
}
