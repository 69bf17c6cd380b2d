package workspace

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// A ReferenceError says why a text is no task reference.
type ReferenceError struct {
	Rule           string // "REF-001"
	Text           string
	Reason         string // names the component that is wrong
	Hint           string
	Offset, Length int // of the wrong part, in bytes
}

func (e *ReferenceError) Error() string { return e.Reason }

// ParseReference reads a reference as in a file; bare names, and wildcards in names (QRY-010), are allowed where bare is true (command
// line). The error is *ReferenceError.
//
//	reference = "~:" task | "^~:" task | "^:" task | "^uses:" task | "[" tag "]~:" task | "[" tag "]:" task | project ":" task
//
// Prefixes are tried in this order; a text with none of them is split at its first ":" (REF-006), which no name of a project has: in
// @acme/ui:build:prod the task is build:prod.
func ParseReference(text string, bare bool) (Reference, error) {
	p := referenceParser{text: text, wild: bare}
	switch {
	case text == "":
		return p.fail("REF-006", 0, 0, "it is empty", `like "~:build" or "core:build"`)
	case strings.HasPrefix(text, "~:"):
		return p.rest(Reference{Form: RefOwn}, len("~:"))
	case strings.HasPrefix(text, "^~:"):
		return p.rest(Reference{Form: RefAllButOwn}, len("^~:"))
	case strings.HasPrefix(text, "^:"):
		return p.rest(Reference{Form: RefAll}, len("^:"))
	case strings.HasPrefix(text, usesPrefix):
		return p.rest(Reference{Form: RefUses}, len(usesPrefix))
	case text[0] == '[':
		return p.tagged()
	}
	i := strings.IndexByte(text, ':')
	if i >= 0 {
		if err := p.component("project", 0, i); err != nil {
			return Reference{}, err
		}
		return p.rest(Reference{Form: RefProject, Project: text[:i]}, i+1)
	}
	if bare && p.check("task", text) == nil {
		return Reference{Form: RefBare, Task: CanonicalTaskName(text)}, nil
	}
	return p.noColon(bare)
}

// usesWords are what people write for it.
var usesWords = map[string]bool{"use": true, "uses": true, "used": true, "using": true, "deps": true, "dependencies": true, "dependson": true, "upstream": true}

// usesForm is the task of a text that is nearly ^uses:task, in another spelling: ^use:t, ^~uses:t, ^uses?:t, ^uses/t. "" for all else.
func usesForm(text string) string {
	bare, ok := strings.CutPrefix(text, "^")
	bare = strings.TrimPrefix(bare, "~")
	end := strings.IndexFunc(bare, func(r rune) bool { return r >= utf8.RuneSelf || !isLetter(byte(r)) })
	if !ok || end < 0 || !usesWords[strings.ToLower(bare[:end])] {
		return ""
	}
	task := strings.TrimLeft(bare[end:], "?~:/#. ")
	if len(task) == len(bare)-end || CheckTaskName(task) != nil {
		return ""
	}
	return task
}

// usesPrefix is what a reference to the tasks of used projects begins with.
const usesPrefix = "^uses:"

type referenceParser struct {
	text string
	wild bool // names may hold wildcards
}

// check holds a name to the rules of its kind.
func (p referenceParser) check(what, name string) error {
	if p.wild {
		return CheckTypedName(what, name)
	}
	return checks[what](name)
}

func (p referenceParser) fail(rule string, offset, length int, reason, hint string) (Reference, error) {
	return Reference{}, &ReferenceError{Rule: rule, Text: p.text, Reason: reason, Hint: hint, Offset: offset, Length: length}
}

// component holds a part of the text to the rules of names (REF-001, REF-007).
func (p referenceParser) component(what string, from, to int) error {
	part := p.text[from:to]
	err := p.check(what, part)
	if err == nil {
		return nil
	}
	rule, offset, length := "REF-001", from, to-from
	var e *NameError
	if errors.As(err, &e) && e.Length > 0 {
		offset, length = from+e.Offset, e.Length
	}
	if strings.ContainsAny(part, " \t\n\r\v\f") { // no white space anywhere
		rule = "REF-007"
	} else if errors.As(err, &e) && e.Rule == "REF-009" {
		rule = e.Rule
	}
	reason := fmt.Sprintf("the %s name %s is wrong: %v", what, diag.QuoteShort(part), err)
	if part == "" {
		reason = fmt.Sprintf("the %s name is missing", what)
	}
	return &ReferenceError{Rule: rule, Text: p.text, Reason: reason, Hint: p.wildcardHint(what, part), Offset: offset, Length: length}
}

// wildcardHint answers wildcards and lists, which other tools have, with the forms that haz has.
func (p referenceParser) wildcardHint(what, part string) string {
	switch task := usesForm(p.text); {
	case task != "":
		return diag.DidYouMean(usesPrefix + task)
	case part == "*" && what == "project":
		return "for the task of every project, write " + diag.QuoteShort("^:"+strings.TrimPrefix(p.text, "*:"))
	case what == "tag" && strings.Contains(part, ","):
		return "a reference has one tag; write one reference for each"
	case p.wild && strings.ContainsAny(part, "?{"):
		return "* is the only wildcard of a name: any characters"
	}
	return ""
}

// rest reads the task name that ends every form.
func (p referenceParser) rest(r Reference, at int) (Reference, error) {
	if err := p.component("task", at, len(p.text)); err != nil {
		return Reference{}, err
	}
	r.Task = CanonicalTaskName(p.text[at:])
	return r, nil
}

// tagged reads the two forms that start with "[".
func (p referenceParser) tagged() (Reference, error) {
	end := strings.IndexByte(p.text, ']')
	if end < 0 {
		return p.fail("REF-005", 0, 1, `the "[" of the tag is not closed`, `like "[lib]:build"`)
	}
	if err := p.component("tag", 1, end); err != nil {
		return Reference{}, err
	}
	tag, after := p.text[1:end], p.text[end+1:]
	switch {
	case strings.HasPrefix(after, "~:"):
		return p.rest(Reference{Form: RefTagButOwn, Tag: tag}, end+1+len("~:"))
	case strings.HasPrefix(after, ":"):
		return p.rest(Reference{Form: RefTag, Tag: tag}, end+1+len(":"))
	case strings.HasPrefix(after, "["):
		return p.fail("REF-005", end+1, len(after), "there is a second tag; a reference has one", "write one reference for each tag")
	default:
		return p.fail("REF-006", end+1, len(after), `after the tag comes ":" or "~:", and then the task`,
			"did you mean "+diag.QuoteShort("["+tag+"]:"+strings.TrimPrefix(after, "~"))+"?")
	}
}

// noColon explains a text without ":".
func (p referenceParser) noColon(bare bool) (Reference, error) {
	name := strings.TrimLeft(p.text, "^~")
	prefix := p.text[:len(p.text)-len(name)]
	hint := ""
	if CheckName(name) == nil {
		switch prefix {
		case "":
			hint = "for a task of this project, write " + diag.Quote("~:"+name)
		case "~", "^", "^~":
			hint = diag.DidYouMean(prefix + ":" + name)
		}
	}
	if bare && prefix == "" {
		if err := p.component("task", 0, len(p.text)); err != nil {
			return Reference{}, err
		}
	}
	return p.fail("REF-006", 0, len(p.text), `there is no ":" between project and task`, hint)
}

// String gives the text that the reference was parsed from.
func (r Reference) String() string {
	switch r.Form {
	case RefOwn:
		return "~:" + r.Task
	case RefProject:
		return r.Project + ":" + r.Task
	case RefAll:
		return "^:" + r.Task
	case RefAllButOwn:
		return "^~:" + r.Task
	case RefTag:
		return "[" + r.Tag + "]:" + r.Task
	case RefTagButOwn:
		return "[" + r.Tag + "]~:" + r.Task
	case RefUses:
		return usesPrefix + r.Task
	default:
		return r.Task
	}
}
