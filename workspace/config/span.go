package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// span is the piece of the file that a node covers, as far as it stands on one line. The YAML reader gives only the start;
// the end is found in the text.
func (m *mapper) span(n *yaml.Node) Span {
	start := m.src.offset(n.Line, n.Column)
	if n.Kind == yaml.AliasNode {
		return Span{start, min(start+uint32(len(n.Value)+1), uint32(len(m.src.Text)))}
	}
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		start = m.skipProperties(start)
	}
	text := m.src.Text[start:]
	switch {
	case n.Kind == yaml.ScalarNode && n.Style&quoted == 0:
		if strings.HasPrefix(text, n.Value) {
			return Span{start, start + uint32(len(n.Value))}
		}
	case n.Style&yaml.DoubleQuotedStyle != 0:
		if end := closing(text, '"', '\\'); end > 0 {
			return Span{start, start + uint32(end)}
		}
	case n.Style&yaml.SingleQuotedStyle != 0:
		if end := closing(text, '\'', 0); end > 0 {
			return Span{start, start + uint32(end)}
		}
	case n.Style&yaml.FlowStyle != 0:
		if end := bracket(text); end > 0 {
			return Span{start, start + uint32(end)}
		}
	}
	return Span{start, max(m.src.lineEnd(start), start)}
}

// skipProperties steps over the anchor and the tag before a value, when the value follows on the same line.
func (m *mapper) skipProperties(start uint32) uint32 {
	at := start
	for {
		rest := m.src.Text[at:]
		if rest == "" || rest[0] != '&' && rest[0] != '!' {
			return at
		}
		end := strings.IndexAny(rest, " \t\r\n,]}")
		if end < 0 {
			return start
		}
		value := strings.TrimLeft(rest[end:], " \t")
		if value == "" || strings.IndexByte("\r\n,]}", value[0]) >= 0 {
			return start
		}
		at = uint32(len(m.src.Text) - len(value))
	}
}

// closing finds the end of a quoted text that starts text, on its first line; 0 when it is not there. Two single quotes are
// one quote inside a single-quoted text.
func closing(text string, quote, escape byte) int {
	for i := 1; i < len(text) && text[i] != '\n'; i++ {
		switch {
		case escape != 0 && text[i] == escape:
			i++
		case text[i] == quote && escape == 0 && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return 0
}

// bracket finds the end of a list or map in brackets that starts text, on its first line; 0 when it is not there.
func bracket(text string) int {
	depth := 0
	for i := 0; i < len(text) && text[i] != '\n'; i++ {
		switch c := text[i]; c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
			if depth == 0 {
				return i + 1
			}
		case '"', '\'':
			escape := byte(0)
			if c == '"' {
				escape = '\\'
			}
			end := closing(text[i:], c, escape)
			if end == 0 {
				return 0
			}
			i += end - 1
		}
	}
	return 0
}
