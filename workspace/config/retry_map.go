package config

import (
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

const (
	retryHint = "retry: 2    or    retry: {times: 2, on: [timeout, 75], delay: 1s, factor: 2}"
	factorMax = 100
)

// retry maps a number, or a map with times (haz::cfg::081).
func (m *mapper) retry(f *Field, n *yaml.Node, out *Retry) bool {
	v := deref(n)
	r := Retry{Span: m.span(n)}
	switch v.Kind {
	case yaml.ScalarNode:
		if !m.integer(f, n, &r.Times) {
			return false
		}
	case yaml.MappingNode:
		ok := m.object(f.Type.Object, f.Rule, n, &r)
		if !r.Times.Set && ok {
			m.add(f.Rule, r.Span, "retry has no times", retryHint)
		}
		if !r.Times.Set || !ok {
			return false
		}
	default:
		m.wrongType(f.Rule, n, "an integer or a map with times").Hint = retryHint
		return false
	}
	r.Set = true
	*out = r
	return true
}

// integer maps a number within the bounds of its format.
func (m *mapper) integer(f *Field, n *yaml.Node, out *Int) bool {
	least, most, hint := 0, workspace.RetriesMax, retryHint
	switch f.Type.Format {
	case StatusText:
		least, most, hint = 100, 599, ""
	case Restarts:
		least, most, hint = 1, workspace.RestartsMax, "restart: never is a service that is not started again"
	}
	t, ok := m.text(f.Rule, n, "an integer")
	if !ok {
		return false
	}
	i, isInteger := parseInteger(t.Value)
	if !isInteger || i < least || i > most {
		m.add(f.Rule, t.Span, fmt.Sprintf("bad %s %s; it is an integer from %d to %d", f.Key, diag.QuoteShort(t.Value), least, most), hint)
		return false
	}
	*out = Int{t, i}
	return true
}

func (m *mapper) factor(f *Field, n *yaml.Node, out *Factor) bool {
	t, ok := m.text(f.Rule, n, "a number")
	if !ok {
		return false
	}
	x := math.NaN()
	if isDecimal(t.Value) {
		x, _ = strconv.ParseFloat(t.Value, 64) // beyond the float64 it is an infinity
	}
	if !(x >= 1 && x <= factorMax) {
		m.add(f.Rule, t.Span, fmt.Sprintf("bad factor %s; it is a number from 1 to %d", diag.QuoteShort(t.Value), factorMax), "")
		return false
	}
	*out = Factor{t, x}
	return true
}

// retryCauses maps a list of failures; each was held to its form by retryCause.
func (m *mapper) retryCauses(f *Field, n *yaml.Node, out *[]RetryCause) bool {
	list, ok := m.list(f, n)
	for _, t := range list.Items {
		code, _ := strconv.Atoi(t.Value) // 0 for the words
		*out = append(*out, RetryCause{t, code})
	}
	return ok
}

// retryCause is timeout, signal or an exit code, spelled as programs print it.
func (m *mapper) retryCause(rule string, t Text) bool {
	code, err := strconv.ParseUint(t.Value, 10, 8)
	if t.Value == "timeout" || t.Value == "signal" || err == nil && code > 0 && fmt.Sprint(code) == t.Value {
		return true
	}
	hint := ""
	if near := diag.Nearest(t.Value, []string{"timeout", "signal"}); near != "" {
		hint = diag.DidYouMean(near)
	}
	m.add(rule, t.Span, diag.QuoteShort(t.Value)+" is no failure; it is timeout, signal, or an exit code from 1 to 255", hint)
	return false
}
