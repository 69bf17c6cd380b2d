package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// atom is a token as its option reads it.
type atom struct {
	kind    atomKind
	name    string
	pattern pattern.Pattern // anchored
}

type atomKind uint8

const (
	byTag atomKind = iota + 1
	byProject
	byTask
	byInput
	byOutput
	byField
)

// keywords of relational atoms, and of those of All.
var keywords = map[string]atomKind{"name": byTask, "project": byProject, "tag": byTag}

// fields are keywords of All alone; has are the words behind `has:`, each what a switch says (QRY-005).
var (
	fields    = map[string]atomKind{"input": byInput, "output": byOutput, "has": byField}
	has       = []string{"deps", "inputs", "outputs", "mutex"}
	relations = []string{string(ChildOf), string(ParentOf), string(DependsOn), string(AncestorOf)}
)

func (p *parser) read(start int, text string) (atom, *Error) {
	switch p.f.Option {
	case Tags:
		return p.name(byTag, start, text)
	case Projects:
		return p.name(byProject, start, text)
	case Tasks:
		return p.name(byTask, start, text)
	case Inputs:
		return p.pattern(byInput, start, text)
	case Outputs:
		return p.pattern(byOutput, start, text)
	case ChildOf, ParentOf, DependsOn, AncestorOf:
		return p.relation(start, text)
	case All:
		return p.filter(start, text)
	}
	return atom{}, p.error(start, "there is no such option", "")
}

func (p *parser) name(kind atomKind, start int, text string) (atom, *Error) {
	what := map[atomKind]string{byTag: "tag", byProject: "project", byTask: "task"}[kind]
	if err := workspace.CheckTypedName(what, text); err != nil {
		return atom{}, p.error(start, fmt.Sprintf("%s is no name of a %s: %v", diag.Quote(text), what, err), "")
	}
	if kind == byTask {
		text = workspace.CanonicalTaskName(text)
	}
	return atom{kind: kind, name: text}, nil
}

// relation reads `name:TASK`, `project:NAME` or `tag:NAME` (QRY-004).
func (p *parser) relation(start int, text string) (atom, *Error) {
	word, name, found := strings.Cut(text, ":")
	if !found {
		hint := ""
		if workspace.CheckTaskName(text) == nil {
			hint = fmt.Sprintf(`did you mean "name:%s"?`, text)
		}
		return atom{}, p.error(start, fmt.Sprintf(`%s has no ":"; it is name:TASK, project:NAME or tag:NAME`, diag.Quote(text)), hint)
	}
	kind, known := keywords[word]
	if !known {
		hint := ""
		if near := diag.Nearest(word, []string{"name", "project", "tag"}); near != "" {
			hint = diag.DidYouMean(near + ":" + name)
		} else if workspace.CheckProjectName(word) == nil && workspace.CheckTaskName(name) == nil {
			hint = fmt.Sprintf(`for a task and its project, give two filters: "name:%s" and "project:%s"`, name, word)
		}
		return atom{}, p.error(start, fmt.Sprintf("unknown keyword %s; it is name, project or tag", diag.Quote(word)), hint)
	}
	return p.name(kind, start+len(word)+1, name)
}

// filter reads an atom of All: those of relations, and `input:PATTERN`, `output:PATTERN`, `has:WORD` (QRY-011).
func (p *parser) filter(start int, text string) (atom, *Error) {
	const are = "name:TASK, project:NAME, tag:NAME, input:PATTERN, output:PATTERN or has:WORD"
	word, rest, found := strings.Cut(text, ":")
	switch {
	case !found && slices.Contains(relations, text):
		return atom{}, p.error(start, fmt.Sprintf("%s is followed by an expression in parentheses", diag.Quote(text)), fmt.Sprintf("like %s(name:build)", text))
	case !found:
		return atom{}, p.error(start, fmt.Sprintf(`%s has no ":"; it is %s`, diag.Quote(text), are), fmt.Sprintf(`did you mean "project:%s" or "name:%s"?`, text, text))
	}
	if kind, known := keywords[word]; known {
		return p.name(kind, start+len(word)+1, rest)
	}
	switch kind := fields[word]; kind {
	case byInput, byOutput:
		return p.pattern(kind, start+len(word)+1, rest)
	case byField:
		if !slices.Contains(has, rest) {
			return atom{}, p.error(start+len(word)+1, fmt.Sprintf("unknown word %s; it is has:%s", diag.Quote(rest), orList(has)), didYouMean(rest, has))
		}
		return atom{kind: byField, name: rest}, nil
	}
	hint := ""
	if near := diag.Nearest(word, []string{"name", "project", "tag", "input", "output", "has"}); near != "" {
		hint = diag.DidYouMean(near + ":" + rest)
	} else if other := others[word]; other != "" {
		hint = diag.DidYouMean(other + ":" + rest)
	} else if workspace.CheckTypedName("project", word) == nil && workspace.CheckTypedName("task", rest) == nil {
		hint = fmt.Sprintf(`for a task and its project: "project:%s & name:%s"`, word, rest)
	}
	return atom{}, p.error(start, fmt.Sprintf("unknown keyword %s; it is %s", diag.Quote(word), are), hint)
}

// others are words of other query languages.
var others = map[string]string{"task": "name", "target": "name", "proj": "project", "package": "project", "pkg": "project", "tags": "tag", "label": "tag"}

func didYouMean(word string, among []string) string {
	if near := diag.Nearest(word, among); near != "" {
		return diag.DidYouMean(near)
	}
	return ""
}

func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// pattern reads a path pattern and anchors it (QRY-003).
func (p *parser) pattern(kind atomKind, start int, text string) (atom, *Error) {
	parsed, err := pattern.Parse(text)
	if err != nil {
		e := p.error(start, fmt.Sprintf("bad pattern %s: %v", diag.Quote(text), err), "")
		var s *pattern.SyntaxError
		if errors.As(err, &s) {
			e.Offset += s.Offset
			e.Reason = fmt.Sprintf("bad pattern %s: %s (%s)", diag.Quote(text), s.Reason, s.Rule)
		}
		return atom{}, e
	}
	if !parsed.IsAbsolute() {
		if p.bearing == nil {
			e := p.error(start, fmt.Sprintf("the pattern %s is relative to a project, and this directory is inside no project", diag.Quote(text)),
				"write it from the root of the workspace, with a leading /")
			e.Rule = "QRY-003"
			return atom{}, e
		}
		parsed = parsed.Anchor(p.bearing.Dir)
	}
	return atom{kind: kind, pattern: parsed}, nil
}
