// Package toml reads TOML into values that know where they stand, for readers of Cargo.toml and pyproject.toml.
//
// A library parses; it gives one expression after the other, with offsets. How tables that are written in pieces come together, and that
// nothing is said twice, is decided here, by the rules of TOML 1.0.
package toml

import (
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer"
)

// Value is one of a document. The methods that read are there for nil as well, which is no value.
//
// There are some dozens in each of thousands of manifests, so they are small, and hang together without slices and maps.
type Value struct {
	kind        kind
	start, end  uint32 // of the key, and the value where it stands behind it; of an item of a list, the item
	count       uint32 // how many there are in it
	text        string
	name        string            // its key
	next        *Value            // behind it, in what it lies in
	first, last *Value            // that lie in it
	index       map[string]*Value // of these by key, once there are many
}

type kind uint8

const (
	other    kind = iota // a number, a time
	text                 // a string
	boolean              // with its text
	list                 // in brackets
	inline               // a table in braces
	dotted               // a table that dotted keys made
	implicit             // a table that headers of tables in it made
	explicit             // a table with a header
	tables               // tables with double brackets each
)

func (k kind) isTable() bool { return k >= inline && k <= explicit }
func (k kind) isList() bool  { return k == list || k == tables }

var kindNames = [...]string{other: "a number or a time", text: "a string", boolean: "a boolean", list: "a list", inline: "a table", dotted: "a table", implicit: "a table",
	explicit: "a table", tables: "a list of tables"}

// Kind is what the value is, for a message: "a string".
func (v *Value) Kind() string { return kindNames[v.kind] }

// Get is what lies at a path of keys; nil for nothing.
func (v *Value) Get(path ...string) *Value {
	for _, name := range path {
		v = v.field(name)
	}
	return v
}

func (v *Value) field(name string) *Value {
	if v == nil || v.kind.isList() {
		return nil
	}
	if v.index != nil {
		return v.index[name]
	}
	for f := v.first; f != nil; f = f.next {
		if f.name == name {
			return f
		}
	}
	return nil
}

// Fields are the keys and values of a table, in the order in which they stand; none of what is no table.
func (v *Value) Fields() iter.Seq2[string, *Value] {
	return func(yield func(string, *Value) bool) {
		if v == nil || v.kind.isList() {
			return
		}
		for f := v.first; f != nil; f = f.next {
			if !yield(f.name, f) {
				return
			}
		}
	}
}

// Items are those of a list, tables in double brackets among them.
func (v *Value) Items() []*Value {
	if v == nil || !v.kind.isList() || v.count == 0 {
		return nil
	}
	items := make([]*Value, 0, v.count)
	for item := v.first; item != nil; item = item.next {
		items = append(items, item)
	}
	return items
}

// Text is a string; ok is false for what is none.
func (v *Value) Text() (s string, ok bool) {
	if v == nil || v.kind != text {
		return "", false
	}
	return v.text, true
}

// Plain is a string, or a number or boolean as it is written; ok is false for all else.
func (v *Value) Plain() (s string, ok bool) {
	if v == nil || v.kind == other && v.text == "" || v.kind > boolean {
		return "", false
	}
	return v.text, true
}

// True reports whether the value is `true`.
func (v *Value) True() bool { return v != nil && v.kind == boolean && v.text == "true" }

// IsTable reports whether the value is a table.
func (v *Value) IsTable() bool { return v != nil && v.kind.isTable() }

// Place is where the key of the value stands with it; of an item of a list, the item.
func (v *Value) Place(t *infer.Text) diag.Place { return t.Place(int(v.start), int(v.end)) }

// Mistake is an error about the value.
func (v *Value) Mistake(t *infer.Text, message string) diag.Diagnostic {
	return t.Mistake(infer.RuleBroken, int(v.start), int(v.end), message)
}

// Texts are the strings of a list. All else, in it or in its place, is a mistake; but not tables in it, where they may be.
func (v *Value) Texts(t *infer.Text, tablesToo bool) (texts []*Value, mistakes diag.List) {
	if v == nil {
		return nil, nil
	}
	if v.kind != list {
		return nil, diag.List{v.Mistake(t, "want a list of strings, found "+v.Kind())}
	}
	for item := v.first; item != nil; item = item.next {
		switch {
		case item.kind == text && texts == nil:
			texts = append(make([]*Value, 0, v.count), item)
		case item.kind == text:
			texts = append(texts, item)
		case !tablesToo || !item.kind.isTable():
			mistakes = append(mistakes, item.Mistake(t, "want a string, found "+item.Kind()))
		}
	}
	return texts, mistakes
}

// Parse reads a document. Where it is broken, the value holds what stands before that, and the list the mistake.
func Parse(t *infer.Text) (*Value, diag.List) {
	d := documents.Get().(*document)
	defer d.leave()
	d.text, d.all = t, string(t.Bytes)
	d.parser.Reset(t.Bytes)
	d.root = d.new(Value{kind: explicit})
	d.table = d.root
	for d.parser.NextExpression() {
		if m := d.expression(d.parser.Expression()); m != nil {
			return d.root, diag.List{*m}
		}
	}
	if err := d.parser.Error(); err != nil {
		var at *unstable.ParserError
		start, end := 0, 0
		if errors.As(err, &at) && at.Highlight != nil {
			r := d.parser.Range(at.Highlight)
			start, end = int(r.Offset), int(r.Offset+r.Length)
		}
		return d.root, diag.List{t.Mistake(infer.RuleBroken, start, end, err.Error())}
	}
	return d.root, nil
}

// document is one while it is read.
type document struct {
	text   *infer.Text
	all    string // the text once more, for strings to be parts of
	parser unstable.Parser
	root   *Value
	table  *Value // of the last header
	spare  []Value
}

// documents are used again, with the memory of the parser.
var documents = sync.Pool{New: func() any { return new(document) }}

func (d *document) leave() {
	d.parser.Reset(nil)
	d.text, d.all, d.root, d.table = nil, "", nil, nil
	documents.Put(d)
}

// string is what the parser gives of a text: most of it stands there as it is.
func (d *document) string(b []byte) string {
	if at := cap(d.parser.Data()) - cap(b); at >= 0 && at+len(b) <= len(d.all) && d.all[at:at+len(b)] == string(b) {
		return d.all[at : at+len(b)]
	}
	return string(b)
}

// new makes a value: many at a time.
func (d *document) new(v Value) *Value {
	if len(d.spare) == 0 {
		d.spare = make([]Value, 32)
	}
	made := &d.spare[0]
	d.spare = d.spare[1:]
	*made = v
	return made
}

func (d *document) expression(n *unstable.Node) *diag.Diagnostic {
	switch n.Kind {
	case unstable.KeyValue:
		return d.keyValue(d.table, n)
	case unstable.Table, unstable.ArrayTable:
		return d.header(n)
	}
	return nil // a comment
}

// header goes to the table that one names, and makes it.
func (d *document) header(n *unstable.Node) *diag.Diagnostic {
	at := d.root
	for it := n.Key(); it.Next(); {
		key := it.Node()
		next := at.field(string(key.Data))
		if !it.IsLast() {
			switch {
			case next == nil:
				next = d.add(at, key, implicit)
			case next.kind == tables:
				next = next.last
			case next.kind < dotted:
				return d.twice(key, next)
			}
			at = next
			continue
		}
		if n.Kind == unstable.ArrayTable {
			if next == nil {
				next = d.add(at, key, tables)
			} else if next.kind != tables {
				return d.twice(key, next)
			}
			d.table = next.append(d.new(Value{kind: explicit, start: key.Raw.Offset, end: key.Raw.Offset + key.Raw.Length}))
			return nil
		}
		switch {
		case next == nil:
			next = d.add(at, key, explicit)
		case next.kind == implicit:
			next.kind, next.start, next.end = explicit, key.Raw.Offset, key.Raw.Offset+key.Raw.Length
		default:
			return d.twice(key, next)
		}
		d.table = next
	}
	return nil
}

// keyValue puts a value into a table, below those that its key names.
func (d *document) keyValue(at *Value, n *unstable.Node) *diag.Diagnostic {
	for it := n.Key(); it.Next(); {
		key := it.Node()
		next := at.field(string(key.Data))
		switch {
		case it.IsLast() && next == nil:
			next = d.add(at, key, other)
			next.end = n.Raw.Offset + n.Raw.Length
			return d.value(next, n.Value())
		case next == nil:
			next = d.add(at, key, dotted)
		case it.IsLast() || next.kind != dotted:
			return d.twice(key, next)
		}
		at = next
	}
	return nil
}

func (d *document) value(v *Value, n *unstable.Node) *diag.Diagnostic {
	switch n.Kind {
	case unstable.String:
		v.kind, v.text = text, d.string(n.Data)
	case unstable.Bool:
		v.kind, v.text = boolean, d.string(n.Data)
	case unstable.Integer, unstable.Float:
		v.text = d.string(n.Data)
	case unstable.InlineTable:
		v.kind = inline
		for it := n.Children(); it.Next(); {
			if it.Node().Kind != unstable.KeyValue {
				continue
			}
			if m := d.keyValue(v, it.Node()); m != nil {
				return m
			}
		}
	case unstable.Array:
		v.kind = list
		for it := n.Children(); it.Next(); {
			c := it.Node()
			if c.Kind == unstable.Comment {
				continue
			}
			item := v.append(d.new(Value{start: v.start, end: v.end}))
			if c.Raw.Length > 0 {
				item.start, item.end = c.Raw.Offset, c.Raw.Offset+c.Raw.Length
			}
			if m := d.value(item, c); m != nil {
				return m
			}
		}
	}
	return nil
}

// many is how many fields are looked through one after the other.
const many = 32

func (d *document) add(to *Value, key *unstable.Node, k kind) *Value {
	v := to.append(d.new(Value{kind: k, name: d.string(key.Data), start: key.Raw.Offset, end: key.Raw.Offset + key.Raw.Length}))
	switch {
	case to.index != nil:
		to.index[v.name] = v
	case to.count > many:
		to.index = make(map[string]*Value, 2*many)
		for f := to.first; f != nil; f = f.next {
			to.index[f.name] = f
		}
	}
	return v
}

// append puts a value behind those that lie in v.
func (v *Value) append(one *Value) *Value {
	if v.first == nil {
		v.first = one
	} else {
		v.last.next = one
	}
	v.last = one
	v.count++
	return one
}

// twice says that a key is there already.
func (d *document) twice(key *unstable.Node, first *Value) *diag.Diagnostic {
	m := d.text.Mistake(infer.RuleBroken, int(key.Raw.Offset), int(key.Raw.Offset+key.Raw.Length), fmt.Sprintf("key %s is given twice", diag.QuoteShort(string(key.Data))))
	m.Related = []diag.Related{{Place: first.Place(d.text), Label: "first occurrence here"}}
	return &m
}
