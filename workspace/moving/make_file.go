package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer"
)

// A Makefile is read line by line, no further than is needed to know its targets: make itself carries them out. Which branch of a
// condition holds nobody can tell without make, so the rules of all of them count.

var makeFiles = []string{"/GNUmakefile", "/makefile", "/Makefile"}

// makeRule is a target with what is said of it, in all rules that it has.
type makeRule struct {
	name      string
	place     diag.Place
	needs     []string // prerequisites, in order
	recipe    []string // lines, without what make reads of them
	described string
	phony     bool
	ownVars   bool // variables are set for it and what it needs
	notes     []string
	isTarget  bool // a rule says how it is made, or what it needs
}

const maxWork = 200_000

// makeVar is a variable; where it is set under a condition, or more than once, nobody can tell its text.
type makeVar struct {
	text  string
	known bool
	host  bool // a variable of the host wins
}

type makeReader struct {
	*source
	rules   map[string]*makeRule
	order   []*makeRule
	vars    map[string]makeVar
	goal    string
	files   int
	work    int  // expansions so far: variables that name themselves twice would double it at each level
	unnamed bool // there are rules that no task stands for
}

// makeLine is a logical line: lines that go on are one.
type makeLine struct {
	text   string
	recipe bool
	offset int
}

// makeLines splits a Makefile.
func makeLines(text string) (lines []makeLine) {
	offset := 0
	for offset < len(text) {
		start, line := offset, ""
		recipe := text[offset] == '\t'
		for {
			end := strings.IndexByte(text[offset:], '\n')
			part := text[offset:]
			if end >= 0 {
				part = text[offset : offset+end]
			}
			offset += len(part) + 1
			part = strings.TrimSuffix(part, "\r")
			slashes := len(part) - len(strings.TrimRight(part, `\`))
			if slashes%2 == 0 || offset >= len(text) {
				line += part
				break
			}
			if recipe {
				line += part + "\n"
			} else {
				line += strings.TrimRight(part[:len(part)-1], " \t") + " "
			}
		}
		lines = append(lines, makeLine{line, recipe, start})
	}
	return lines
}

var makeAssignment = lazily(`^(?:(?:override|export|private|unexport)\s+)*([^\s:#=+?!]+)\s*(=|:=|::=|:::=|\?=|\+=|!=)\s*(.*)$`)

// read reads a Makefile and those that it includes.
func (r *makeReader) read(name string) {
	if r.files++; r.files > 200 {
		return
	}
	t, bad := r.disk.Manifest(name)
	if bad != nil {
		r.bad(*bad)
	}
	if t == nil {
		return
	}
	p := makeParser{makeReader: r, text: t, file: name, define: -1}
	for _, l := range makeLines(string(t.Bytes)) {
		p.line(l)
	}
	for _, at := range p.open {
		p.mistake(at, "this condition has no endif")
	}
	if p.define >= 0 {
		p.mistake(p.define, "this define has no endef")
	}
}

// makeParser is where the reading of one file stands.
type makeParser struct {
	*makeReader
	text    *infer.Text
	file    string
	open    []int       // where conditions begin that have not ended
	define  int         // where a define begins; -1: none
	now     []*makeRule // the targets that lines of a recipe belong to
	comment string      // right above the next rule
}

func (p *makeParser) mistake(offset int, message string) {
	p.bad(p.text.Mistake(RuleSource, offset, offset+1, message))
}

func (p *makeParser) line(l makeLine) {
	trimmed := strings.TrimSpace(l.text)
	if p.define >= 0 {
		if trimmed == "endef" {
			p.define = -1
		}
		return
	}
	if l.recipe && p.now != nil {
		for _, rule := range p.now {
			rule.recipe = append(rule.recipe, strings.TrimPrefix(l.text, "\t"))
		}
		return
	}
	if comment, ok := strings.CutPrefix(trimmed, "#"); ok {
		p.comment = strings.TrimLeft(comment, "# ")
		if !strings.HasPrefix(comment, "#") {
			p.comment = ""
		}
		return
	}
	code, doc := withoutComment(trimmed)
	above := p.comment
	p.comment = ""
	first, rest, _ := strings.Cut(code, " ")
	switch first {
	case "":
		return
	case "ifeq", "ifneq", "ifdef", "ifndef":
		p.open = append(p.open, l.offset)
		return
	case "else":
		return
	case "endif":
		if len(p.open) == 0 {
			p.mistake(l.offset, "there is no condition that this endif ends")
			return
		}
		p.open = p.open[:len(p.open)-1]
		return
	case "include", "-include", "sinclude":
		p.include(first, rest, l.offset)
		return
	case "define":
		p.define = l.offset
		name, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		p.vars[name] = makeVar{}
		return
	case "vpath", "load", "-load", "undefine":
		return
	}
	if m := makeAssignment().FindStringSubmatch(code); m != nil {
		p.assign(m[1], m[2], m[3])
		p.now = nil
		return
	}
	if first == "export" || first == "unexport" || strings.HasPrefix(code, "$(") && !strings.Contains(afterReference(code), ":") || strings.HasPrefix(code, "${") && !strings.Contains(afterReference(code), ":") {
		return
	}
	p.rule(code, doc, above, l.offset)
}

// afterReference is what stands behind the reference that a line begins with.
func afterReference(code string) string {
	depth := 0
	for i := 1; i < len(code); i++ {
		switch code[i] {
		case '(', '{':
			depth++
		case ')', '}':
			if depth--; depth == 0 {
				return code[i+1:]
			}
		}
	}
	return ""
}

// withoutComment takes the comment away that a line ends with, and gives what it says behind `##`.
func withoutComment(line string) (code, doc string) {
	for i := 0; i < len(line); i++ {
		if line[i] == '#' && (i == 0 || line[i-1] != '\\') {
			comment := line[i:]
			if rest, ok := strings.CutPrefix(comment, "##"); ok {
				doc = strings.TrimSpace(strings.TrimLeft(rest, "#@"))
			}
			return strings.TrimSpace(line[:i]), doc
		}
	}
	return line, ""
}

func (p *makeParser) include(word, files string, offset int) {
	expanded, known := p.expand(files, 0)
	if !known {
		p.draft.notes = append(p.draft.notes, note{p.text.Place(offset, offset+1), "this include does not carry over: which file is meant is known to make alone"})
		return
	}
	for _, f := range strings.Fields(expanded) {
		if strings.HasPrefix(f, "/") || escapes("/", f) || strings.ContainsAny(f, "*?[") {
			continue
		}
		if name := path.Join("/", f); p.disk.Has(name) {
			p.read(name)
		} else if word == "include" && p.rules[f] == nil {
			p.draft.notes = append(p.draft.notes, note{p.text.Place(offset, offset+1), diag.Quote(f) + " is not there; make may make it"})
		}
	}
}

func (p *makeParser) assign(name, op, text string) {
	if name == ".DEFAULT_GOAL" {
		p.goal = strings.TrimSpace(text)
		return
	}
	old, was := p.vars[name]
	v := makeVar{text: text, known: len(p.open) == 0 && op != "!=", host: op == "?="}
	switch {
	case op == "?=" && was && !old.host:
		return
	case op == "+=" && was:
		v.text, v.known, v.host = old.text+" "+text, old.known && v.known, old.host
	case len(p.open) > 0 && was:
		v.known = false
	}
	p.vars[name] = v
}

// rule reads `targets: prerequisites ; recipe`.
func (p *makeParser) rule(code, doc, above string, offset int) {
	colon := topColon(code)
	if colon < 0 {
		p.mistake(offset, "this is no rule, and sets no variable: want `target: prerequisites`, or `NAME = text`")
		return
	}
	left, right := code[:colon], strings.TrimPrefix(code[colon+1:], ":")
	right, inline, hasInline := strings.Cut(right, ";")
	targets, known := p.expand(left, 0)
	p.now = []*makeRule{}
	if !known {
		p.unnamed = true
		p.draft.notes = append(p.draft.notes, note{p.text.Place(offset, offset+colon), diag.Quote(strings.TrimSpace(left)) + " does not carry over: what it is called is known to make alone, which makes it for those that need it"})
		return
	}
	ownVars := makeAssignment().MatchString(strings.TrimSpace(right))
	var needs []string
	if !ownVars {
		text, ok := p.expand(strings.Replace(right, "|", " ", 1), 0)
		p.unnamed = p.unnamed || !ok
		needs = strings.Fields(text)
	}
	for _, name := range strings.Fields(targets) {
		if name == ".PHONY" {
			for _, n := range needs {
				p.target(n, offset).phony = true
			}
			continue
		}
		if strings.HasPrefix(name, ".") && !strings.Contains(name, "/") && strings.ToUpper(name) == name || strings.Contains(name, "%") {
			p.unnamed = p.unnamed || strings.Contains(name, "%")
			continue
		}
		rule := p.target(name, offset)
		if rule.place.Line == 0 || len(rule.recipe)+len(rule.needs) == 0 {
			rule.place = p.text.Place(offset, offset+len(left))
		}
		rule.needs = append(rule.needs, needs...)
		rule.ownVars = rule.ownVars || ownVars
		if rule.described == "" {
			rule.described = doc
			if doc == "" {
				rule.described = above
			}
		}
		if hasInline {
			rule.recipe = append(rule.recipe, strings.TrimSpace(inline))
		}
		if p.goal == "" && !strings.HasPrefix(name, ".") {
			p.goal = name
		}
		rule.isTarget = true
		p.now = append(p.now, rule)
	}
}

// target is the rule of a name; a new one where there is none.
func (p *makeParser) target(name string, offset int) *makeRule {
	if r := p.rules[name]; r != nil {
		return r
	}
	r := &makeRule{name: name, place: p.text.Place(offset, offset+1)}
	p.rules[name] = r
	p.order = append(p.order, r)
	return r
}

// topColon is the first colon of a line that stands in no reference.
func topColon(code string) int {
	depth := 0
	for i := range len(code) {
		switch code[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ':':
			if depth <= 0 {
				return i
			}
		}
	}
	return -1
}

// expand replaces variables whose text is known. known is false where something is not: a function, a variable of a condition.
func (r *makeReader) expand(text string, depth int) (out string, known bool) {
	if r.work++; depth > 20 || len(text) > 1<<16 || r.work > maxWork {
		return "", false
	}
	known = true
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		inner := string(text[i])
		switch text[i] {
		case '$':
			b.WriteByte('$')
			continue
		case '(', '{':
			rest := afterReference("$" + text[i:])
			inner = strings.TrimSpace(text[i+1 : max(i+1, len(text)-len(rest)-1)])
			i = len(text) - len(rest) - 1
		}
		if inner == "CURDIR" || inner == "PWD" {
			b.WriteByte('.')
			continue
		}
		v, ok := r.vars[inner]
		value, isKnown := r.expand(v.text, depth+1)
		if !ok || !v.known || !isKnown {
			known = false
			continue
		}
		b.WriteString(value)
	}
	return b.String(), known
}

// mentioned are the variables that a text refers to, directly or by others, sorted.
func (r *makeReader) mentioned(text string, to map[string]bool) {
	for _, m := range makeReference().FindAllStringSubmatch(strings.ReplaceAll(text, "$$", ""), -1) {
		if name := m[1]; !to[name] {
			to[name] = true
			r.mentioned(r.vars[name].text, to)
		}
	}
}

var makeReference = lazily(`\$[({]([A-Za-z_][A-Za-z0-9_]*)[)}]`)

// makeOwnName finds the names that a function gives to something.
var makeOwnName = lazily(`\$[({](?:foreach|eval)\s+([A-Za-z_][A-Za-z0-9_]*)`)

// builtin are variables that make has by itself.
var builtin = set("MAKE MAKEFLAGS MAKEFILE_LIST MAKECMDGOALS MAKEOVERRIDES CURDIR SHELL RM AR MAKELEVEL SUFFIXES VPATH OS")

// fromHost are the variables of the host that a recipe asks for: those that nothing sets, or that win over what the Makefile says.
func (r *makeReader) fromHost(text string) (names []string) {
	all := map[string]bool{}
	r.mentioned(text, all)
	for _, m := range makeOwnName().FindAllStringSubmatch(text, -1) {
		delete(all, m[1])
	}
	for _, name := range sortedKeys(all) {
		if v, ok := r.vars[name]; (!ok || v.host) && !builtin[name] && !byDefault(name) {
			names = append(names, name)
		}
	}
	return slices.Clip(names)
}
