package moving

import (
	"strings"

	"github.com/haz-build/haz/workspace/config"
)

// inputs reads a list of paths and the like.
func (r *moonReader) inputs(v config.Foreign) []moonInput {
	out := []moonInput{}
	for _, i := range r.list(v) {
		n := moonInput{place: i.Place()}
		if !i.IsMap() {
			n.read(r.text(i))
			out = append(out, n)
			continue
		}
		for _, p := range i.Pairs() {
			n.set(p.Key, r.texts(p.Value))
		}
		out = append(out, n)
	}
	return out
}

// set is a field of an input that is a map.
func (n *moonInput) set(key string, values []string) {
	text := strings.Join(values, ",")
	switch key {
	case "file", "glob":
		n.text = text
	case "group", "fileGroup":
		n.group = text
	case "format", "as":
		n.format = text
	case "project":
		n.project = text
	case "filter":
		n.filter = values
	}
}

// read takes an input that is a text: a path, a token, a variable, or a URI.
func (n *moonInput) read(text string) {
	if name, ok := strings.CutPrefix(text, "$"); ok && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_*") == "" {
		n.env = name
		return
	}
	if function, arg, ok := tokenFunction(text); ok {
		n.group, n.format = arg, function
		return
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		n.text = text
		return
	}
	rest, query, _ := strings.Cut(rest, "?")
	n.set(map[string]string{"filegroup": "group"}[strings.ToLower(scheme)], []string{rest})
	n.set(scheme, []string{rest})
	for field := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(field, "=")
		n.set(key, []string{value})
	}
}

// tokenFunction is the whole of a text that is one: "@group(sources)".
func tokenFunction(text string) (function, arg string, ok bool) {
	rest, ok := strings.CutPrefix(text, "@")
	function, arg, open := strings.Cut(rest, "(")
	arg, closed := strings.CutSuffix(arg, ")")
	ok = ok && open && closed && function != "" && arg != "" && strings.Trim(function, "abcdefghijklmnopqrstuvwxyz") == "" &&
		strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
	return function, arg, ok
}
