package config

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
)

func (m *mapper) duration(f *Field, n *yaml.Node, out *Duration) bool {
	want := "a string"
	if f.Type.Format == Grace {
		want = "a number"
	}
	t, ok := m.text(f.Rule, n, want)
	if !ok {
		return false
	}
	parse := ParseDuration
	switch f.Type.Format {
	case Grace:
		parse = parseGrace
	case PeriodText:
		parse = ParsePeriod
	}
	d, err := parse(t.Value)
	if err != nil {
		return m.badQuantity(f, t, err)
	}
	*out = Duration{t, d}
	return true
}

func (m *mapper) size(f *Field, n *yaml.Node, out *Size) bool {
	t, ok := m.text(f.Rule, n, "a string")
	if !ok {
		return false
	}
	bytes, err := ParseSize(t.Value)
	if err != nil {
		return m.badQuantity(f, t, err)
	}
	*out = Size{t, bytes}
	return true
}

func (m *mapper) badQuantity(f *Field, t Text, err error) bool {
	sp := t.Span
	var q *QuantityError
	if errors.As(err, &q) && q.Length > 0 {
		sp = m.src.Within(t, q.Offset, q.Length)
	}
	hint := ""
	switch f.Type.Format {
	case Grace:
		hint = "a number of seconds, at least 0, like 5 or 0.5"
	case DurationText:
		hint = durationGrammar.rule
	case PeriodText:
		hint = periodGrammar.rule
	case SizeText:
		hint = sizeGrammar
	}
	if strings.Contains(err.Error(), hint) {
		hint = ""
	}
	m.add(f.Rule, sp, fmt.Sprintf("bad %s %s: %s", f.Key, diag.QuoteShort(t.Value), err), hint)
	return false
}

// concurrency maps "auto" or an integer without quotes.
func (m *mapper) concurrency(f *Field, n *yaml.Node, out *concurrency) bool {
	t, ok := m.text(f.Rule, n, "auto or an integer")
	if !ok {
		return false
	}
	if t.Value == "auto" {
		*out.text, *out.max = t, 0
		return true
	}
	const accepted = "; it is auto or an integer, at least 1"
	v, isInteger := parseInteger(t.Value)
	switch {
	case isInteger && !isPlain(n):
		m.add(f.Rule, t.Span, "bad concurrency.default: "+t.Value+" is in quotes"+accepted, "write it without quotes")
	case isInteger && v >= 1:
		*out.text, *out.max = t, v
		return true
	default:
		hint := ""
		if diag.Nearest(strings.ToLower(t.Value), []string{"auto"}) != "" || strings.EqualFold(t.Value, "auto") {
			hint = `did you mean "auto"?`
		}
		m.add(f.Rule, t.Span, "bad concurrency.default "+diag.QuoteShort(t.Value)+accepted, hint)
	}
	return false
}

func (m *mapper) tagCaps(f *Field, n *yaml.Node, out *[]TagCap) bool {
	v := deref(n)
	if v.Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map from tag to integer")
		return false
	}
	list, ok := m.entries(v)
	for _, e := range list {
		m.push(step{key: e.key.Value})
		good := m.check(f.Rule, Name, e.key)
		t, isText := m.text(f.Rule, e.value, "an integer, at least 1")
		if isText {
			max, isInteger := parseInteger(t.Value)
			if !isInteger || max < 1 {
				m.add(f.Rule, t.Span, fmt.Sprintf("bad cap %s for tag %s; it is an integer, at least 1", diag.QuoteShort(t.Value), diag.QuoteShort(e.key.Value)), "")
				isText = false
			}
			if good && isText {
				*out = append(*out, TagCap{e.key, max})
			}
		}
		ok = ok && good && isText
		m.pop()
	}
	return ok
}

// pairs maps env.override.
func (m *mapper) pairs(f *Field, n *yaml.Node, out *[]Pair) bool {
	v := deref(n)
	if v.Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map from variable to string")
		return false
	}
	list, ok := m.entries(v)
	for _, e := range list {
		m.push(step{key: e.key.Value})
		good := m.check(f.Rule, f.Type.Keys, e.key)
		t, isText := m.text(f.Rule, e.value, "a string")
		if isText {
			t, isText = m.cellText(f, t)
		}
		if good && isText && m.check(f.Rule, f.Type.Format, t) {
			*out = append(*out, Pair{e.key, t})
		} else {
			ok = false
		}
		m.pop()
	}
	return ok
}
