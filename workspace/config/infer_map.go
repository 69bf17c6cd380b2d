package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
)

// ecosystemOf is what tools and languages are called by whom their manifests are read.
var ecosystemOf = map[string]string{
	"npm": "node", "pnpm": "node", "yarn": "node", "bun": "node", "nodejs": "node", "node.js": "node", "javascript": "node", "js": "node", "typescript": "node", "package.json": "node", "turbo": "node",
	"golang": "go", "gomod": "go", "go.mod": "go", "go.work": "go", "rust": "cargo", "cargo.toml": "cargo", "python": "uv", "pip": "uv", "poetry": "uv", "pyproject.toml": "uv",
}

// infer maps `infer`: the word auto, or a list of ecosystems.
func (m *mapper) infer(f *Field, n *yaml.Node, out *Infer) bool {
	v := deref(n)
	if v.Kind == yaml.ScalarNode {
		if v.Value == f.Type.Word {
			*out = Infer{Auto: true, Span: m.span(n), Set: true}
			return true
		}
		hint := "infer: " + f.Type.Word
		if one := ecosystem(v.Value); one != "" {
			hint = "infer: [" + one + "]"
		} else if diag.Nearest(v.Value, []string{f.Type.Word}) != "" {
			hint = diag.DidYouMean(f.Type.Word)
		}
		m.add(f.Rule, m.span(n), fmt.Sprintf("want %s or a list of ecosystems, found %s", f.Type.Word, m.describe(n)), hint)
		return false
	}
	if v.Kind == yaml.MappingNode {
		return m.inferEach(f, v, n, out)
	}
	if v.Kind != yaml.SequenceNode {
		d := m.wrongType(f.Rule, n, f.Type.Word+" or a list of ecosystems")
		d.Hint = "infer: " + f.Type.Word
		return false
	}
	list, ok := sequence(m, f, n, func(v *yaml.Node, out *List) bool {
		return m.each(f, v, func(t Text) bool {
			if !slices.Contains(f.Type.Allowed, t.Value) {
				m.noEcosystem(f, t)
				return false
			}
			out.Items = append(out.Items, t)
			return true
		})
	})
	*out = Infer{Readers: list, Span: m.span(n), Set: true}
	return ok
}

// inferEach maps the form that says more of an ecosystem: `{node: {scripts: true}, go: {}}`.
func (m *mapper) inferEach(f *Field, v, n *yaml.Node, out *Infer) bool {
	list, ok := m.entries(v)
	*out = Infer{Span: m.span(n), Set: true}
	for _, e := range list {
		if !slices.Contains(f.Type.Allowed, e.key.Value) {
			m.noEcosystem(f, e.key)
			ok = false
			continue
		}
		out.Readers.Items = append(out.Readers.Items, e.key)
		m.push(step{key: e.key.Value})
		ok = m.inferOne(f, e, out) && ok
		m.pop()
	}
	if ok && len(list) == 0 {
		m.add(f.Rule, m.span(n), "the map names no ecosystem", "infer: "+f.Type.Word)
		return false
	}
	return ok
}

// inferOne maps what is said of one ecosystem: nothing, or of node which scripts are tasks.
func (m *mapper) inferOne(f *Field, e entry, out *Infer) bool {
	v := deref(e.value)
	if isNull(e.value) {
		return true
	}
	if v.Kind != yaml.MappingNode {
		m.wrongType(f.Rule, e.value, "a map").Hint = e.key.Value + ": {}"
		return false
	}
	keys, ok := m.entries(v)
	for _, k := range keys {
		if k.key.Value != "scripts" || e.key.Value != "node" {
			hint := ""
			if k.key.Value == "scripts" || e.key.Value == "node" {
				hint = "node: {scripts: true}"
			}
			m.add("haz::cfg::004", k.key.Span, "unknown key "+diag.QuoteShort(k.key.Value), hint)
			ok = false
			continue
		}
		m.push(step{key: k.key.Value})
		ok = m.scripts(f, k.value, out) && ok
		m.pop()
	}
	return ok
}

// scripts maps which scripts are tasks: all or none, or those of some names (haz::cfg::125).
func (m *mapper) scripts(f *Field, n *yaml.Node, out *Infer) bool {
	if deref(n).Kind != yaml.SequenceNode {
		return m.flag(&Field{Key: "scripts", Rule: f.Rule, Type: Type{Kind: Flag}}, n, &out.Scripts)
	}
	list, ok := m.list(&Field{Key: "scripts", Rule: "haz::cfg::125", Type: Type{Kind: ListOf, Unique: true}}, n)
	out.Only, out.Scripts = list, Bool{Value: len(list.Items) > 0, Set: true, Span: list.Span}
	return ok
}

func (m *mapper) noEcosystem(f *Field, t Text) {
	hint := ""
	if one := ecosystem(t.Value); one != "" {
		hint = diag.DidYouMean(one)
	} else if t.Value == f.Type.Word {
		hint = "infer: " + f.Type.Word
	}
	m.add(f.Rule, t.Span, diag.QuoteShort(t.Value)+" is no ecosystem whose manifests are read; these are "+strings.Join(f.Type.Allowed, ", "), hint)
}

// ecosystem is what a text means; "" for nothing.
func ecosystem(text string) string {
	lower := strings.ToLower(text)
	if slices.Contains(ecosystems, lower) {
		return lower
	}
	if one := ecosystemOf[lower]; one != "" {
		return one
	}
	return diag.Nearest(lower, ecosystems)
}
