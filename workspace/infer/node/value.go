package node

import (
	"iter"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer"
)

// Value is one of a file in JSON, and knows where it stands. Its methods are there for nil as well, which is no value.
type Value struct {
	text   *infer.Text
	kind   byte // its first byte
	str    string
	items  []*Value
	fields []Field
	at     span
}

// Field is a key of an object with its value.
type Field struct {
	Key   string
	Value *Value
	text  *infer.Text
	at    span
}

// Place is where the key stands.
func (f Field) Place() diag.Place { return f.text.Place(f.at.start, f.at.end) }

// ReadJSON reads a file that people write by hand: JSON, in which comments and a comma behind the last item are fine. The mistake is
// the first one.
func ReadJSON(t *infer.Text) (*Value, *diag.Diagnostic) {
	r := valueReader{scanner{text: string(t.Bytes), relaxed: true}, t}
	var v *Value
	if bad := r.document(func() { v = r.value() }); bad != nil {
		d := t.Mistake(infer.RuleBroken, bad.start, bad.end, "this is no JSON: "+bad.message)
		d.Hint = bad.hint
		return nil, &d
	}
	return v, nil
}

type valueReader struct {
	scanner
	of *infer.Text
}

func (r *valueReader) value() *Value {
	v := &Value{text: r.of, kind: r.next()}
	v.at.start = r.at
	switch v.kind {
	case '{':
		r.object(func(key string, at span) { v.fields = append(v.fields, Field{key, r.value(), r.of, at}) })
	case '[':
		r.list(func() { v.items = append(v.items, r.value()) })
	case '"':
		v.str, _ = r.str()
	default:
		r.skip()
		v.str = r.text[v.at.start:r.at]
	}
	v.at.end = r.at
	return v
}

// Get is the value of a key, the last of that name; nil for none, and for null.
func (v *Value) Get(key string) *Value {
	var found *Value
	for k, f := range v.Fields() {
		if k == key {
			found = f.Value
		}
	}
	if found == nil || found.kind == 'n' {
		return nil
	}
	return found
}

// Fields are the keys of an object, in the order in which they stand; of what is none, nothing.
func (v *Value) Fields() iter.Seq2[string, Field] {
	return func(yield func(string, Field) bool) {
		if v == nil {
			return
		}
		for _, f := range v.fields {
			if !yield(f.Key, f) {
				return
			}
		}
	}
}

// IsObject reports whether the value is an object.
func (v *Value) IsObject() bool { return v != nil && v.kind == '{' }

// Items are those of a list. False: it is none.
func (v *Value) Items() ([]*Value, bool) {
	if v == nil || v.kind != '[' {
		return nil, false
	}
	return v.items, true
}

// Text is that of a text. False: it is none.
func (v *Value) Text() (string, bool) {
	if v == nil || v.kind != '"' {
		return "", false
	}
	return v.str, true
}

// Bool is a boolean. False: it is none.
func (v *Value) Bool() (is, ok bool) {
	if v == nil || v.kind != 't' && v.kind != 'f' {
		return false, false
	}
	return v.kind == 't', true
}

// Source is the value as it is written.
func (v *Value) Source() string { return string(v.text.Bytes[v.at.start:v.at.end]) }

// Place is where the value stands; of an object or a list its first byte.
func (v *Value) Place() diag.Place {
	if v.kind == '{' || v.kind == '[' {
		return v.text.Place(v.at.start, v.at.start+1)
	}
	return v.text.Place(v.at.start, v.at.end)
}

// Mistake is an error about the value: its type is not the one that is wanted.
func (v *Value) Mistake(want string) diag.Diagnostic {
	s := scanner{text: string(v.kind)}
	return diag.Diagnostic{Code: infer.RuleBroken, Place: v.Place(), Message: "want " + want + ", found " + s.describe()}
}
