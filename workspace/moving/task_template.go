package moving

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/haz-build/haz/diag"
	shell "github.com/haz-build/haz/workspace/script"
)

// Templates of go-task are carried out here, as far as that can be done before the task runs. What is not known before (a variable of the
// host, what a script prints, the arguments) stands in a text as a word that nothing else has, and becomes an expansion of the shell.

// value is one of a template.
type value struct {
	text string
	// unset is the text where no variable of the host is set and no argument given; open says that these may change it.
	unset  string
	open   bool
	later  bool // it is known when the task runs, and no sooner
	list   []value
	isList bool
	fields map[string]string
	host   string // the name of the variable of the host that it is
	truth  int8   // of a boolean: 1, -1
}

func textValue(text string) value { return value{text: text, unset: text} }

func boolean(is bool) value {
	v := textValue(strconv.FormatBool(is))
	v.truth = 1
	if !is {
		v.truth = -1
	}
	return v
}

// isTrue is what `if` makes of a value.
func (v value) isTrue() bool {
	switch {
	case v.truth != 0:
		return v.truth > 0
	case v.isList:
		return len(v.list) > 0
	}
	return v.unset != ""
}

// words are those that stand for expansions in texts.
type words struct {
	expansions map[string]shell.Expansion
	byText     map[string]string
}

const wordMark = "hazqz"

// of is the word for an expansion.
func (w *words) of(e shell.Expansion) string {
	if w.byText == nil {
		w.byText, w.expansions = map[string]string{}, map[string]shell.Expansion{}
	}
	if w.byText[e.Plain] == "" {
		word := fmt.Sprintf("%s%dz", wordMark, len(w.byText))
		w.byText[e.Plain], w.expansions[word] = word, e
	}
	return w.byText[e.Plain]
}

func sameExpansion(text string) shell.Expansion { return shell.Expansion{Plain: text, Quoted: text} }

// scope is what a template sees: variables, and what to do about names that nothing declares.
type scope struct {
	words  *words
	vars   map[string]value
	os     string
	arch   string
	opened map[string]bool // variables of the host that were taken as not set
}

func (s *scope) child() *scope {
	c := *s
	c.vars = maps.Clone(s.vars)
	return &c
}

// variable is the value of a name.
func (s *scope) variable(name string) value {
	if v, ok := s.vars[name]; ok {
		return v
	}
	if name == "CLI_ARGS" {
		return value{text: s.words.of(shell.Expansion{Plain: `"$@"`, Quoted: "$*"}), open: true}
	}
	return value{text: s.words.of(sameExpansion("${" + name + "}")), open: true, host: name}
}

var errLater = errors.New("a text that is known only when the task runs is asked for before")

// expand carries out a template.
func (s *scope) expand(text string) (value, error) {
	if !strings.Contains(text, "{{") {
		return textValue(text), nil
	}
	t := parse.New("")
	t.Mode = parse.SkipFuncCheck
	tree, err := t.Parse(text, "", "", map[string]*parse.Tree{})
	if err != nil {
		return value{}, errors.New("it is no template")
	}
	var out value
	err = s.nodes(tree.Root, &out)
	return out, err
}

func (v *value) add(w value) {
	if w.isList {
		w = textValue("[" + joined(w.list, " ") + "]")
	}
	v.text += w.text
	v.unset += w.unset
	v.open, v.later = v.open || w.open, v.later || w.later
}

func joined(list []value, with string) string {
	var texts []string
	for _, i := range list {
		texts = append(texts, i.text)
	}
	return strings.Join(texts, with)
}

func (s *scope) nodes(list *parse.ListNode, out *value) error {
	if list == nil {
		return nil
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			out.add(textValue(string(n.Text)))
		case *parse.ActionNode:
			v, err := s.pipe(n.Pipe)
			if err != nil {
				return err
			}
			out.add(v)
		case *parse.IfNode:
			v, err := s.condition(n.Pipe)
			if err != nil {
				return err
			}
			branch := n.List
			if !v {
				branch = n.ElseList
			}
			if err := s.nodes(branch, out); err != nil {
				return err
			}
		case *parse.CommentNode:
		default:
			return fmt.Errorf("%q is not carried out before the task runs", firstWords(n.String()))
		}
	}
	return nil
}

func firstWords(text string) string {
	text, _, _ = strings.Cut(text, "}}")
	return strings.TrimLeft(text, "{ -")
}

func (s *scope) condition(p *parse.PipeNode) (bool, error) {
	v, err := s.pipe(p)
	if err == nil && v.later {
		err = errLater
	}
	s.took(v)
	return v.isTrue(), err
}

// took takes note of variables of the host that a decision takes as not set.
func (s *scope) took(v value) {
	if !v.open {
		return
	}
	for word, e := range s.words.expansions {
		if strings.Contains(v.text, word) {
			s.opened[strings.Trim(strings.SplitN(strings.TrimPrefix(e.Plain, "${"), ":", 2)[0], `}"`)] = true
		}
	}
}

func (s *scope) pipe(p *parse.PipeNode) (v value, err error) {
	if len(p.Decl) > 0 {
		return v, errors.New("variables of a template are not carried out before the task runs")
	}
	for i, c := range p.Cmds {
		args := make([]value, 0, len(c.Args)+1)
		for _, a := range c.Args[1:] {
			w, err := s.operand(a)
			if err != nil {
				return v, err
			}
			args = append(args, w)
		}
		if i > 0 {
			args = append(args, v)
		}
		id, isFunction := c.Args[0].(*parse.IdentifierNode)
		if isFunction {
			v, err = s.call(id.Ident, args)
		} else if len(args) > 0 {
			err = errors.New("a value is no function")
		} else {
			v, err = s.operand(c.Args[0])
		}
		if err != nil {
			return v, err
		}
	}
	return v, nil
}

func (s *scope) operand(n parse.Node) (value, error) {
	switch n := n.(type) {
	case *parse.FieldNode:
		v := s.variable(n.Ident[0])
		if len(n.Ident) == 1 {
			return v, nil
		}
		if text, ok := v.fields[n.Ident[1]]; ok && len(n.Ident) == 2 {
			return textValue(text), nil
		}
		return v, fmt.Errorf("%q is no variable that is known", n.String())
	case *parse.StringNode:
		return textValue(n.Text), nil
	case *parse.NumberNode:
		return textValue(n.Text), nil
	case *parse.BoolNode:
		return boolean(n.True), nil
	case *parse.PipeNode:
		return s.pipe(n)
	case *parse.IdentifierNode:
		return s.call(n.Ident, nil)
	}
	return value{}, fmt.Errorf("%q is not carried out before the task runs", n.String())
}

// call carries out a function.
func (s *scope) call(name string, args []value) (value, error) {
	name = strings.ToLower(name[:1]) + name[1:]
	if v, ok := s.choice(name, args); ok {
		return v, nil
	}
	for _, a := range args {
		if a.later {
			if (name == "trim" || name == "catLines" || name == "toSlash" || name == "fromSlash") && len(args) == 1 {
				return a, nil // the shell drops line ends where it makes words
			}
			return value{}, errLater
		}
		s.took(a)
	}
	f, known := templateFunctions[name]
	if name == "oS" || name == "aRCH" {
		return textValue(cmp.Or(map[string]string{"oS": s.os, "aRCH": s.arch}[name], "linux")), nil
	}
	if !known {
		return value{}, fmt.Errorf("the function %s is not carried out before the task runs", diag.Quote(name))
	}
	v, ok := f(args)
	if !ok {
		return value{}, fmt.Errorf("the function %s is not carried out before the task runs", diag.Quote(name))
	}
	return v, nil
}

// choice is a function that gives one of its arguments. One that stands for a variable of the host gets what stands in its place as the
// default of its expansion.
func (s *scope) choice(name string, args []value) (value, bool) {
	switch {
	case name == "default" && len(args) == 2:
		args = []value{args[1], args[0]}
	case (name == "or" || name == "coalesce") && len(args) > 0:
	default:
		return value{}, false
	}
	for i, a := range args {
		switch {
		case a.later:
			if i == len(args)-1 {
				return a, true
			}
			return value{}, false
		case a.open && a.unset == "" && i+1 < len(args):
			rest := args[i+1]
			if rest.open || rest.later || rest.isList || len(args) > i+2 {
				return value{}, false
			}
			return s.orElse(a, rest.text)
		case a.isTrue() || i == len(args)-1:
			return a, true
		}
	}
	return value{}, false
}

// orElse is a variable of the host with a default.
func (s *scope) orElse(v value, text string) (value, bool) {
	if strings.ContainsAny(text, "\"'`$\\{}\n"+" ") && text != "" || strings.Contains(text, wordMark) {
		return value{}, false
	}
	e, ok := s.words.expansions[v.text]
	if !ok {
		return value{}, false
	}
	if e.Plain == `"$@"` {
		e = shell.Expansion{Plain: `"${@:-` + text + `}"`, Quoted: "${*:-" + text + "}"}
	} else {
		e = sameExpansion("${" + v.host + ":-" + text + "}")
	}
	if text == "" {
		return value{text: v.text, open: true}, true
	}
	return value{text: s.words.of(e), unset: text, open: true}, true
}

// templateFunctions are those that can be carried out, on values as they are where nothing is set. False: not so.
var templateFunctions = map[string]func(args []value) (value, bool){
	"eq":        func(a []value) (value, bool) { return boolean(len(a) == 2 && a[0].unset == a[1].unset), len(a) == 2 },
	"ne":        func(a []value) (value, bool) { return boolean(len(a) == 2 && a[0].unset != a[1].unset), len(a) == 2 },
	"not":       func(a []value) (value, bool) { return boolean(len(a) == 1 && !a[0].isTrue()), len(a) == 1 },
	"empty":     func(a []value) (value, bool) { return boolean(len(a) == 1 && !a[0].isTrue()), len(a) == 1 },
	"and":       andAll,
	"ternary":   ternary,
	"exeExt":    func(a []value) (value, bool) { return value{}, true },
	"join":      join,
	"joinPath":  joinPath,
	"index":     index,
	"list":      func(a []value) (value, bool) { return value{list: a, isList: true}, true },
	"splitList": func(a []value) (value, bool) { return split(a, 2) },
	"contains":  func(a []value) (value, bool) { return onTexts(a, strings.Contains) },
	"hasPrefix": func(a []value) (value, bool) { return onTexts(a, strings.HasPrefix) },
	"hasSuffix": func(a []value) (value, bool) { return onTexts(a, strings.HasSuffix) },
	"lower":     onText(strings.ToLower), "toLower": onText(strings.ToLower), "upper": onText(strings.ToUpper), "toUpper": onText(strings.ToUpper),
	"trim": onText(strings.TrimSpace), "base": onText(path.Base), "osBase": onText(path.Base), "dir": onText(path.Dir), "osDir": onText(path.Dir),
	"toSlash": onText(func(s string) string { return s }), "fromSlash": onText(func(s string) string { return s }), "toString": onText(func(s string) string { return s }),
	"catLines":   onText(func(s string) string { return strings.ReplaceAll(s, "\n", " ") }),
	"trimPrefix": onTwo(func(with, s string) string { return strings.TrimPrefix(s, with) }),
	"trimSuffix": onTwo(func(with, s string) string { return strings.TrimSuffix(s, with) }),
	"replace": func(a []value) (value, bool) {
		if len(a) != 3 {
			return value{}, false
		}
		return textValue(strings.ReplaceAll(a[2].unset, a[0].unset, a[1].unset)), isPlain(a...)
	},
}

// isPlain reports whether no word stands in the values for something that is not known yet.
func isPlain(values ...value) bool {
	return !slices.ContainsFunc(values, func(v value) bool { return v.open || v.later || strings.Contains(v.text, wordMark) })
}

func andAll(args []value) (value, bool) {
	for _, a := range args {
		if !a.isTrue() {
			return a, true
		}
	}
	if len(args) == 0 {
		return value{}, false
	}
	return args[len(args)-1], true
}

func ternary(args []value) (value, bool) {
	if len(args) != 3 {
		return value{}, false
	}
	if args[2].isTrue() {
		return args[0], true
	}
	return args[1], true
}

func onText(f func(string) string) func([]value) (value, bool) {
	return func(args []value) (value, bool) {
		if len(args) != 1 || !isPlain(args[0]) {
			return value{}, false
		}
		return textValue(f(args[0].text)), true
	}
}

func onTwo(f func(a, b string) string) func([]value) (value, bool) {
	return func(args []value) (value, bool) {
		if len(args) != 2 || !isPlain(args...) {
			return value{}, false
		}
		return textValue(f(args[0].text, args[1].text)), true
	}
}

func onTexts(args []value, f func(s, part string) bool) (value, bool) {
	if len(args) != 2 {
		return value{}, false
	}
	return boolean(f(args[1].unset, args[0].unset)), true
}

func join(args []value) (value, bool) {
	if len(args) != 2 || !args[1].isList {
		return value{}, false
	}
	return textValue(joined(args[1].list, args[0].text)), true
}

func joinPath(args []value) (value, bool) {
	if !isPlainButPlaces(args) {
		return value{}, false
	}
	var parts []string
	for _, a := range args {
		parts = append(parts, a.text)
	}
	return textValue(path.Join(parts...)), true
}

// isPlainButPlaces reports whether no value is a variable of the host: a folder of the workspace may stand in it.
func isPlainButPlaces(args []value) bool {
	return !slices.ContainsFunc(args, func(v value) bool { return v.open || v.later || v.isList })
}

func index(args []value) (value, bool) {
	if len(args) != 2 || !args[0].isList {
		return value{}, false
	}
	n, err := strconv.Atoi(args[1].text)
	if err != nil || n < 0 || n >= len(args[0].list) {
		return value{}, false
	}
	return args[0].list[n], true
}

func split(args []value, n int) (value, bool) {
	if len(args) != n || !isPlain(args...) || args[0].text == "" {
		return value{}, false
	}
	out := value{isList: true}
	for _, s := range strings.Split(args[1].text, args[0].text) {
		out.list = append(out.list, textValue(s))
	}
	return out, true
}
