package config

import (
	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
)

// Foreign is a value in a YAML file of another tool, which has its own keys. The zero value: there is none.
type Foreign struct {
	m    *mapper
	node *yaml.Node
}

// ReadForeign reads such a file, under the limits of our own. Each mistake has the rule of the file. One without content has no value.
func ReadForeign(f File) (Foreign, diag.List) {
	m := mapper{kind: &fileKind{}}
	n := m.parse(f)
	if n == nil && m.empties {
		return Foreign{}, nil
	}
	for i := range m.diags {
		m.diags[i].Code = f.Rule
	}
	return Foreign{&m, n}.present(), m.diags
}

// present is the value, or none for null.
func (v Foreign) present() Foreign {
	if v.node == nil || isNull(v.node) {
		return Foreign{}
	}
	v.node = deref(v.node)
	return v
}

// IsSet reports whether there is a value, which null is not.
func (v Foreign) IsSet() bool { return v.node != nil }

// Get is the value of a key, the last of that name; none where the value is no map.
func (v Foreign) Get(key string) (out Foreign) {
	v.Each(func(name string, value Foreign) {
		if name == key {
			out = value
		}
	})
	return out
}

// Each calls each for the keys of a map that have a value. False: it is no map.
func (v Foreign) Each(each func(key string, value Foreign)) bool {
	if v.node == nil || v.node.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, isText := v.m.keyText(v.node.Content[i])
		if value := (Foreign{v.m, v.node.Content[i+1]}).present(); isText && value.IsSet() {
			each(key.Value, value)
		}
	}
	return true
}

// ForeignPair is a key of a map, with its place and its value; none for null.
type ForeignPair struct {
	Key   string
	Place diag.Place
	Value Foreign
}

// Pairs are the keys of a map with what merge keys bring; of a key that is given twice the first. None: it is no map.
func (v Foreign) Pairs() (pairs []ForeignPair) {
	if v.node == nil || v.node.Kind != yaml.MappingNode {
		return nil
	}
	list, _ := v.m.entries(v.node)
	for _, e := range list {
		pairs = append(pairs, ForeignPair{e.key.Value, v.m.src.Place(e.key.Span), (Foreign{v.m, e.value}).present()})
	}
	return pairs
}

// IsMap reports whether the value is a map.
func (v Foreign) IsMap() bool { return v.node != nil && v.node.Kind == yaml.MappingNode }

// Items are those of a list. False: it is none.
func (v Foreign) Items() (items []Foreign, ok bool) {
	if v.node == nil || v.node.Kind != yaml.SequenceNode {
		return nil, false
	}
	for _, n := range v.node.Content {
		items = append(items, Foreign{v.m, deref(n)})
	}
	return items, true
}

// Text is that of a value that is no list or map, as it is written. False: it is one, or null.
func (v Foreign) Text() (string, bool) {
	if v.node == nil || v.node.Kind != yaml.ScalarNode || isNull(v.node) {
		return "", false
	}
	return v.node.Value, true
}

// Mistake is an error about the value: its type is not the one that is wanted.
func (v Foreign) Mistake(rule, want string) diag.Diagnostic {
	return diag.Diagnostic{Code: rule, Place: v.Place(), Message: "want " + want + ", found " + v.m.describe(v.node)}
}

// Place is where the value stands.
func (v Foreign) Place() diag.Place { return v.m.src.Place(v.m.span(v.node)) }
