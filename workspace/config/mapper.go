package config

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// mapper turns the nodes of one file into values, by the tables of schema.go. It goes on after an error.
type mapper struct {
	kind  *fileKind
	src   *Source
	diags diag.List
	path  []step
	seen  []string // keys at the top of the file

	// Bodies and lists that an alias can reach again, by node, so that a thing is mapped once (and its errors are said once)
	// however many names lead to it.
	shared map[*yaml.Node]any

	cell    map[string]string // of a matrix: its values, while a body is mapped for it
	axes    []Axis            // and the matrix
	inCell  int               // how many nodes the bodies in this file have, each counted once for each of its cells
	anyCell bool              // the body has a matrix that is wrong, or inherits one: nothing is said of its keys
	marked  bool              // the body has values of a cell in its texts

	aliases bool // the file has some
	empties bool // it has nothing else: it is empty
	said    map[said]bool

	// Room for what nearly every file needs of path and seen.
	steps [8]step
	keys  [4]string
}

// said is what makes two diagnostics of one file one.
type said struct {
	code         string
	line, column int
	message      string
}

// step is one step of a path of keys: a key, or an index when key is empty and item is set.
type step struct {
	key   string
	index int
	item  bool
}

func (m *mapper) push(s step) {
	if m.path == nil {
		m.path = m.steps[:0]
	}
	m.path = append(m.path, s)
}
func (m *mapper) pop() { m.path = m.path[:len(m.path)-1] }

// keyPath prints the path: tasks.build.command[0].
func (m *mapper) keyPath() string {
	var b strings.Builder
	for i, s := range m.path {
		if len(s.key) > workspace.EnvNameMax { // longer than any legal name
			s.key = diag.Shorten(s.key)
		}
		switch {
		case s.item:
			fmt.Fprintf(&b, "[%d]", s.index)
		case i > 0:
			b.WriteString("." + s.key)
		default:
			b.WriteString(s.key)
		}
	}
	return b.String()
}

// addCode reports something. In a file with aliases one place may be read on several ways; what is said about it is said once.
func (m *mapper) addCode(code string, p diag.Place, message, hint string) *diag.Diagnostic {
	if m.aliases {
		thing := said{code, p.Line, p.Column, message}
		if m.said[thing] {
			return &diag.Diagnostic{}
		}
		if m.said == nil {
			m.said = map[said]bool{}
		}
		m.said[thing] = true
	}
	m.diags = append(m.diags, diag.Diagnostic{Code: code, Place: p, KeyPath: m.keyPath(), Message: message, Hint: hint})
	return &m.diags[len(m.diags)-1]
}

// top is where something is said about a file as a whole.
func (m *mapper) top() diag.Place {
	if m.src.lines != nil {
		return m.src.Place(Span{})
	}
	return diag.Place{File: m.src.File, Line: 1, Column: 1, EndLine: 1, EndColumn: 1}
}

// add reports that the rule is broken at sp. The result is valid until the next add.
func (m *mapper) add(rule string, sp Span, message, hint string) *diag.Diagnostic {
	return m.addCode(rule, m.src.Place(sp), message, hint)
}

func (m *mapper) related(sp Span, label string) []diag.Related {
	return []diag.Related{{Place: m.src.Place(sp), Label: label}}
}

// entry is a key of a map with its value, merge keys resolved.
type entry struct {
	key   Text
	value *yaml.Node
}

// entries lists the keys of a map: its own first, as written, then merged ones that it does not have itself (of two merged
// maps the earlier wins). A key given twice is an error, and the first one counts.
func (m *mapper) entries(n *yaml.Node) (list []entry, ok bool) {
	list = make([]entry, 0, len(n.Content)/2)
	ok = true
	var merges []*yaml.Node
	var mergeKey Text
	seen := index{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key, isText := m.keyText(k)
		if !isText {
			m.add("haz::cfg::002", m.span(k), "a key is a text, not "+m.describe(k), "")
			ok = false
			continue
		}
		if k.Kind == yaml.ScalarNode && k.Value == "<<" && k.Style&^yaml.TaggedStyle == 0 {
			if mergeKey.Set {
				m.duplicateKey(key, mergeKey)
				ok = false
				continue
			}
			mergeKey = key
			merges = append(merges, v)
			continue
		}
		if first := seen.find(key.Value, list); first >= 0 {
			m.duplicateKey(key, list[first].key)
			ok = false
			continue
		}
		list = append(list, entry{key, v})
		seen.add(key.Value, list)
	}
	for _, v := range merges {
		if !m.merge(v, &list, &seen) {
			ok = false
		}
	}
	return list, ok
}

// merge adds the entries of what a merge key names: a map, or a list of maps.
func (m *mapper) merge(v *yaml.Node, list *[]entry, seen *index) bool {
	ok := true
	switch target := deref(v); target.Kind {
	case yaml.MappingNode:
		merged, complete := m.entries(target)
		ok = complete
		for _, e := range merged {
			if seen.find(e.key.Value, *list) < 0 {
				*list = append(*list, e)
				seen.add(e.key.Value, *list)
			}
		}
	case yaml.SequenceNode:
		for _, item := range target.Content {
			if deref(item).Kind != yaml.MappingNode {
				m.add("haz::cfg::005", m.span(item), "a merge key takes maps, found "+m.describe(item), "")
				ok = false
				continue
			}
			ok = m.merge(item, list, seen) && ok
		}
	default:
		m.add("haz::cfg::005", m.span(v), "a merge key takes a map or a list of maps, found "+m.describe(v), "")
		ok = false
	}
	return ok
}

func (m *mapper) duplicateKey(second, first Text) {
	d := m.add("haz::cfg::002", second.Span, "the key "+diag.QuoteShort(second.Value)+" is given twice", "")
	d.Related = m.related(first.Span, "first occurrence here")
}

// index finds entries by key: along the list while it is short, by a table when it grows.
type index struct{ table map[string]int }

func (x *index) find(key string, list []entry) int {
	if x.table != nil {
		if i, ok := x.table[key]; ok {
			return i
		}
		return -1
	}
	for i := range list {
		if list[i].key.Value == key {
			return i
		}
	}
	return -1
}

// add takes note of the last entry of list.
func (x *index) add(key string, list []entry) {
	switch {
	case x.table != nil:
		x.table[key] = len(list) - 1
	case len(list) > short:
		x.table = make(map[string]int, 2*len(list))
		for i := range list {
			x.table[list[i].key.Value] = i
		}
	}
}

func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode { // an alias to an alias cannot be written; measure has refused circles
		n = n.Alias
	}
	return n
}

// keyText reads a key; null is a text here ("null:" may well be the name of a task).
func (m *mapper) keyText(k *yaml.Node) (Text, bool) {
	n := deref(k)
	if n.Kind != yaml.ScalarNode {
		return Text{}, false
	}
	return Text{Value: n.Value, Span: m.span(k), Set: true}, true
}

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// isNull reports whether the node is null: ~, null, Null, NULL or nothing at all, unquoted. Tags do not matter.
func isNull(n *yaml.Node) bool {
	n = deref(n)
	if n.Kind != yaml.ScalarNode || n.Style&quoted != 0 {
		return false
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

// isPlain reports whether the node is an unquoted scalar.
func isPlain(n *yaml.Node) bool {
	n = deref(n)
	return n.Kind == yaml.ScalarNode && n.Style&quoted == 0
}

// text reads a scalar as written; want says what the key holds, for the message.
func (m *mapper) text(rule string, n *yaml.Node, want string) (Text, bool) {
	v := deref(n)
	if v.Kind != yaml.ScalarNode || isNull(v) {
		m.wrongType(rule, n, want)
		return Text{}, false
	}
	t := Text{Value: v.Value, Span: m.span(n), Set: true}
	if v.Tag == "!!binary" {
		raw, err := base64.StdEncoding.DecodeString(strings.Map(dropSpace, v.Value))
		if err != nil || !utf8.Valid(raw) {
			m.add(rule, t.Span, "!!binary takes a text in base64, which is UTF-8 when decoded", "")
			return Text{}, false
		}
		t.Value = string(raw)
	}
	return t, true
}

func dropSpace(r rune) rune {
	if r == ' ' || r == '\n' || r == '\t' || r == '\r' {
		return -1
	}
	return r
}

// wrongType reports a value of the wrong type (haz::cfg::005) under the rule of its key.
func (m *mapper) wrongType(rule string, n *yaml.Node, want string) *diag.Diagnostic {
	hint := ""
	if isNull(n) && strings.HasPrefix(want, "a string") && deref(n).Value != "" {
		hint = fmt.Sprintf("for the text itself, quote it: %q", deref(n).Value)
	}
	if isNull(n) && isLocalTag(deref(n)) {
		hint = `"!" starts a tag in YAML; put a text that starts with it in quotes`
	}
	return m.add(rule, m.span(n), "want "+want+", found "+m.describe(n), hint)
}

// describe names the type of a node as a user would.
func (m *mapper) describe(n *yaml.Node) string {
	switch v := deref(n); v.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a map"
	default:
		switch {
		case isNull(v) && v.Value == "":
			return "nothing"
		case isNull(v):
			return "null"
		case v.Style&quoted != 0:
			return "a string"
		}
		switch v.Tag {
		case "!!int", "!!float":
			return "a number"
		case "!!bool":
			return "a boolean"
		}
		return "a string"
	}
}

func isMap(n *yaml.Node) bool { return deref(n).Kind == yaml.MappingNode }

// saw takes note of a key at the top of the file, so that required keys can be missed without saying a thing twice.
func (m *mapper) saw(key string) {
	if len(m.path) > 0 {
		return
	}
	if m.seen == nil {
		m.seen = m.keys[:0]
	}
	m.seen = append(m.seen, key)
}

// misses reports whether a map at the top of the file lacks the key.
func (m *mapper) misses(n *yaml.Node, key string) bool {
	return isMap(n) && !slices.Contains(m.seen, key)
}
