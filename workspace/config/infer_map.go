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
