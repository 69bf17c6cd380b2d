package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
)

// What the YAML reader says is written for people who know its grammar by heart. Here it becomes a sentence about what the
// user sees.

// syntaxError reports that the text does not parse (haz::cfg::002, code haz::cfg::yaml).
func (m *mapper) syntaxError(err error) {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		// No other type leaves the reader today; its text is better than nothing.
		m.addCode(yamlCode, diag.Place{File: m.src.File}, "the file cannot be read as YAML: "+diag.Escape(err.Error()), "")
		return
	}
	if e.Message == depthMessage {
		start := m.src.offset(e.Mark.Line, e.Mark.Column)
		m.add("haz::cfg::002", Span{start, start + 1}, fmt.Sprintf("lists and maps are nested more than %d deep", nestingMax), "")
		return
	}
	at, found := m.syntaxPlace(e)
	context := Span{}
	if e.ContextMark.Line > 0 {
		start := m.src.offset(e.ContextMark.Line, e.ContextMark.Column)
		context = Span{start, min(start+1, uint32(len(m.src.Text)))}
	}
	d := diag.Diagnostic{Code: yamlCode}
	s := explain(e, m.src.Text, at, found)
	if s.atContext && context != (Span{}) {
		at, context = context, Span{}
	}
	d.Message, d.Hint, d.Place = s.message, s.hint, m.src.Place(at)
	if d.Place.Line == 0 { // an empty span at the very start is the start, not the file as a whole
		d.Place.Line, d.Place.Column = 1, 1
	}
	if s.label != "" && context != (Span{}) && m.src.Place(context).Line != d.Place.Line {
		d.Related = []diag.Related{{Place: m.src.Place(context), Label: s.label}}
	}
	m.diags = append(m.diags, d)
}

const yamlCode = "haz::cfg::yaml"

// syntaxPlace is where the reader stopped, and the character there ("" at the end of the file).
func (m *mapper) syntaxPlace(e *yaml.LoadError) (Span, string) {
	text := m.src.Text
	start := uint32(len(text))
	if e.Mark.Line > 0 {
		start = m.src.offset(e.Mark.Line, e.Mark.Column)
	} else if i := strings.IndexFunc(text, notYAML); i >= 0 {
		start = uint32(i) // errors of decoding have no place; only a forbidden character makes them, once the text is UTF-8
	}
	// The end of the file is shown where its last text stands.
	if strings.TrimSpace(text[start:]) == "" {
		end := uint32(len(strings.TrimRight(text, " \t\r\n")))
		return Span{end, end}, ""
	}
	char, size := utf8.DecodeRuneInString(text[start:])
	if char == '\n' || char == '\r' {
		return Span{start, start}, "\n"
	}
	return Span{start, start + uint32(size)}, text[start : start+uint32(size)]
}

// notYAML reports whether YAML forbids the character: controls but tab and line breaks, and the two noncharacters U+FFFE/F.
func notYAML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}

type explanation struct {
	message, hint string
	atContext     bool   // the trouble is where the construct started, not where the reader stopped
	label         string // what stands at the start, when that is another line
}

var unknownAnchor = lazily(`^unknown anchor '(.*)' referenced$`)

func explain(e *yaml.LoadError, text string, at Span, found string) explanation {
	quoted := diag.Quote(found)
	switch found {
	case "":
		quoted = "the end of the file"
	case "\n":
		quoted = "the end of the line"
	}
	if a := unknownAnchor().FindStringSubmatch(e.Message); a != nil {
		return explanation{message: fmt.Sprintf("there is no anchor &%s before this alias", diag.Escape(diag.Shorten(a[1]))),
			hint: "quote a text that starts with *"}
	}
	if x, ok := explainStructure(e.Message, quoted); ok {
		return x
	}
	return explainText(e, found, quoted)
}

// explainStructure is about lists, maps and their keys.
func explainStructure(msg, quoted string) (x explanation, ok bool) {
	switch {
	case msg == "mapping values are not allowed in this context":
		x = explanation{message: `":" cannot stand here: this line is already a value, or is indented too far`,
			hint: `put a text that contains ": " in quotes`}
	case msg == "block sequence entries are not allowed in this context":
		x = explanation{message: `"- " cannot start a list here`, hint: "start the list on its own line, or write [a, b]"}
	case msg == "mapping keys are not allowed in this context":
		x = explanation{message: `"? " cannot stand here`, hint: "put the text in quotes"}
	case msg == "did not find expected ',' or ']'":
		x = explanation{message: `want "," or "]" here, found ` + quoted, label: "the list starts here",
			hint: "quote texts that contain , [ ] { }"}
	case msg == "did not find expected ',' or '}'":
		x = explanation{message: `want "," or "}" here, found ` + quoted, label: "the map starts here",
			hint: "quote texts that contain , [ ] { }"}
	case msg == "did not find expected key":
		x = explanation{message: "want a key here, found " + quoted, label: "the map starts here",
			hint: "is the line indented like the keys above it?"}
	case msg == "did not find expected '-' indicator":
		x = explanation{message: `want "- " here, found ` + quoted, label: "the list starts here",
			hint: "is the line indented like the items above it?"}
	case msg == "did not find expected node content":
		x = explanation{message: "want a value here, found " + quoted}
	case strings.HasPrefix(msg, "could not find expected ':'"):
		x = explanation{message: `this line is no "key: value"`, atContext: true,
			hint: "is it the rest of the text above? then quote that text, or use | for several lines"}
	default:
		return x, false
	}
	return x, true
}

// explainText is about characters, quotes, escapes, anchors and tags, and whatever else the parser says.
func explainText(e *yaml.LoadError, found, quoted string) explanation {
	switch msg := e.Message; {
	case strings.HasPrefix(msg, "control characters are not allowed"):
		return explanation{message: "the character " + quoted + " is not allowed in YAML"}
	case strings.HasPrefix(msg, "found character that cannot start any token"),
		strings.HasPrefix(msg, "found a tab character"), strings.HasPrefix(msg, "found character that cannot start"):
		if found == "\t" {
			return explanation{message: "a tab cannot indent", hint: "indent with spaces"}
		}
		return explanation{message: "an unquoted text cannot start with " + quoted, hint: "put the text in quotes"}
	case msg == "found unexpected end of stream" && e.ContextMsg == "while scanning a quoted scalar",
		msg == "found unexpected document indicator":
		return explanation{message: "the quote that opens here is not closed", atContext: true}
	case msg == "found unknown escape character":
		return explanation{message: "unknown escape after \"\\\" in a double-quoted text",
			hint: `write \\ for a backslash, or use single quotes`}
	case strings.HasPrefix(msg, "did not find expected hexadecimal number"), strings.HasPrefix(msg, "found invalid Unicode"):
		return explanation{message: "bad character escape in a double-quoted text",
			hint: `write \\ for a backslash, or use single quotes`}
	case msg == "found a comment without preceding whitespace":
		return explanation{message: `a "#" that starts a comment needs a space before it`, hint: "put a text that contains # in quotes"}
	case msg == "found incompatible YAML document":
		return explanation{message: "the version of YAML is 1.1 or 1.2"}
	case msg == "found undefined tag handle":
		return explanation{message: "unknown tag", atContext: true, hint: `put a text that starts with "!" in quotes`}
	case strings.HasPrefix(msg, "did not find expected alphabetic or numeric character"):
		what := "anchor"
		if strings.Contains(e.ContextMsg, "alias") {
			what = "alias"
		}
		return explanation{message: "this is no name of an " + what, atContext: true,
			hint: `put a text that starts with "*" or "&" in quotes`}
	default:
		message := msg
		if e.ContextMsg != "" {
			message = e.ContextMsg + ": " + msg
		}
		return explanation{message: "the file is not YAML: " + diag.Escape(message)}
	}
}

// lazily compiles an expression when it is first used. All of ours together were a tenth of the start of the program.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
