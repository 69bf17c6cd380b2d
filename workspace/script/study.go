package script

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Study is what a script says to somebody who moves it elsewhere.
type Study struct {
	// Variables are the names of those that it reads and nothing in it sets, sorted.
	Variables []string
	// Commands are the simple commands in it, those in substitutions among them, in the order in which they stand.
	Commands []Command
	// Writes are the files that redirections make; nowhere, as /dev/null, is none. One that is added to is not Known.
	Writes []Word
	// Asks are the texts of the substitutions, outermost ones, that have literal text alone in them: no variable, no argument.
	Asks []Ask
	// Leaks says that it changes the shell that runs it (folder, variables, functions, options, traps), or ends it.
	Leaks bool
	// Bash says that it needs bash: it is no script for sh, or means something else there.
	Bash bool
	// Arguments says that it uses its arguments.
	Arguments bool
	// Lines is how many commands stand one after the other in it, at the top.
	Lines int
}

// A Word is one of a command. Where something is expanded in it, it is not Known, and Text is what stands in front of that.
type Word struct {
	Text  string
	Known bool
}

// A Command is a simple one: a program and its words.
type Command struct {
	Words []Word
	// Asked says that it stands in a substitution: what it prints is used.
	Asked bool
}

// An Ask is a substitution: the script in it, and its commands.
type Ask struct {
	Text     string
	Commands []Command
}

// Look studies a script for bash. ok is false for what is none.
func Look(text string) (s Study, ok bool) {
	file := parsed(text)
	if file == nil {
		return Study{}, false
	}
	l := looker{set: map[string]bool{}, read: map[string]bool{}, brief: map[*syntax.Assign]bool{}}
	syntax.Walk(file, l.node)
	for name := range l.read {
		if !l.set[name] {
			l.Variables = append(l.Variables, name)
		}
	}
	slices.Sort(l.Variables)
	for _, st := range file.Stmts {
		l.Leaks = l.Leaks || leaks(st)
	}
	l.Lines = len(file.Stmts)
	if _, err := parse(syntax.LangPOSIX, text); err != nil || strings.Contains(text, "&>") || strings.Contains(text, "$'") {
		l.Bash = true
	}
	l.Asks = asks(file, text)
	return l.Study, true
}

// parsed is a script for bash; nil for what is none, or nobody has written to be read.
func parsed(text string) *syntax.File {
	if tooMuch(text) {
		return nil
	}
	file, err := parse(syntax.LangBash, text)
	if err != nil {
		return nil
	}
	return file
}

type looker struct {
	Study
	set, read map[string]bool
	brief     map[*syntax.Assign]bool // those that hold for one command
	inside    []bool                  // for each node above, whether it is a substitution
}

// inSh are the variables that a shell has by itself.
var inSh = set("IFS OPTARG OPTIND PPID PWD OLDPWD PS1 PS2 PS4 RANDOM SECONDS LINENO BASH BASH_SOURCE BASH_VERSION BASH_REMATCH EUID UID PIPESTATUS FUNCNAME HOSTNAME HOSTTYPE OSTYPE MACHTYPE REPLY")

// onlyBash are words in the place of a command that sh has not.
var onlyBash = set("[[ source shopt declare typeset pushd popd mapfile readarray let coproc")

func (l *looker) node(n syntax.Node) bool {
	if n == nil {
		l.inside = l.inside[:len(l.inside)-1]
		return true
	}
	_, asked := n.(*syntax.CmdSubst)
	asked = asked || len(l.inside) > 0 && l.inside[len(l.inside)-1]
	l.inside = append(l.inside, asked)
	switch n := n.(type) {
	case *syntax.Assign:
		if n.Name != nil && !l.brief[n] {
			l.set[n.Name.Value] = true
		}
	case *syntax.WordIter:
		l.set[n.Name.Value] = true
	case *syntax.FuncDecl:
		l.Bash = l.Bash || n.RsrvWord
	case *syntax.ParamExp:
		l.param(n)
	case *syntax.CallExpr:
		l.call(n, asked)
	case *syntax.Redirect:
		l.redirect(n)
	case *syntax.Word:
		l.Bash = l.Bash || hasBraces(n)
	}
	return true
}

func (l *looker) param(n *syntax.ParamExp) {
	switch {
	case n.Param == nil:
	case isArgument(n.Param.Value):
		l.Arguments = true
	case isNameStart(n.Param.Value[0]) && !inSh[n.Param.Value]:
		l.read[n.Param.Value] = true
	case n.Param.Value == "RANDOM":
		l.Bash = true
	}
}

func (l *looker) call(n *syntax.CallExpr, asked bool) {
	if len(n.Args) == 0 {
		return
	}
	for _, a := range n.Assigns {
		l.brief[a] = true
	}
	c := Command{Asked: asked}
	for _, a := range n.Args {
		c.Words = append(c.Words, wordOf(a))
	}
	l.Commands = append(l.Commands, c)
	first := c.Words[0]
	l.Bash = l.Bash || first.Known && onlyBash[first.Text]
	if first.Known && first.Text == "read" {
		for _, w := range c.Words[1:] {
			l.set[w.Text] = true
		}
	}
}

func (l *looker) redirect(n *syntax.Redirect) {
	switch n.Op {
	case syntax.AppOut, syntax.AppAll, syntax.RdrInOut:
		if w := wordOf(n.Word); w != (Word{"/dev/null", true}) && w != (Word{"/dev/stderr", true}) {
			l.Writes = append(l.Writes, Word{})
		}
	case syntax.RdrOut, syntax.RdrClob, syntax.RdrAll:
		if w := wordOf(n.Word); w != (Word{"/dev/null", true}) && w != (Word{"/dev/stderr", true}) && w != (Word{"/dev/stdout", true}) {
			l.Writes = append(l.Writes, w)
		}
	}
}

// wordOf is a word with what is known of it.
func wordOf(w *syntax.Word) Word {
	if l := literal(w); l.known {
		return Word{l.text, true}
	}
	var front strings.Builder
	if len(w.Parts) > 0 {
		if lit, ok := w.Parts[0].(*syntax.Lit); ok {
			front.WriteString(lit.Value)
		}
	}
	return Word{Text: front.String()}
}

// hasBraces reports whether bash makes several words of one: {a,b}, {1..3}.
func hasBraces(w *syntax.Word) bool {
	for _, p := range w.Parts {
		if lit, ok := p.(*syntax.Lit); ok {
			_, rest, open := strings.Cut(lit.Value, "{")
			inner, _, closed := strings.Cut(rest, "}")
			if open && closed && (strings.Contains(inner, ",") || strings.Contains(inner, "..")) {
				return true
			}
		}
	}
	return false
}

// leaving are words in the place of a command that change the shell, or end it.
var leaving = set("cd pushd popd set unset shift exit return export readonly alias unalias trap exec eval umask shopt source . read ulimit break continue")

// leaks reports whether a statement at the top changes the shell that runs it.
func leaks(st *syntax.Stmt) (is bool) {
	syntax.Walk(st, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst:
			return false
		case *syntax.FuncDecl, *syntax.DeclClause, *syntax.ForClause, *syntax.ArithmCmd, *syntax.LetClause:
			is = true
		case *syntax.CallExpr:
			if len(n.Args) == 0 && len(n.Assigns) > 0 {
				is = true
			}
			if len(n.Args) > 0 {
				first := literal(n.Args[0])
				is = is || !first.known || leaving[first.text]
			}
		case *syntax.Stmt:
			is = is || n.Background || n.Coprocess
		}
		return true
	})
	return is
}

// asks are the outermost substitutions that stand by themselves.
func asks(file *syntax.File, text string) (out []Ask) {
	syntax.Walk(file, func(n syntax.Node) bool {
		sub, ok := n.(*syntax.CmdSubst)
		if !ok {
			return true
		}
		a := Ask{Text: strings.TrimSpace(text[sub.Left.Offset():sub.Right.Offset()])}
		alone := strings.HasPrefix(a.Text, "$(")
		a.Text = strings.TrimSpace(strings.TrimPrefix(a.Text, "$("))
		syntax.Walk(sub, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.ParamExp:
				alone = false
			case *syntax.CallExpr:
				c := Command{Asked: true}
				for _, w := range n.Args {
					c.Words = append(c.Words, wordOf(w))
				}
				a.Commands = append(a.Commands, c)
			}
			return true
		})
		if alone {
			out = append(out, a)
		}
		return false
	})
	return out
}

// An Expansion is text for the shell to expand: as it stands between words, and within double quotes.
type Expansion struct{ Plain, Quoted string }

// Expand puts expansions in the place of plain words that stand in a script for them: in single quotes these are closed for it, so that
// the shell expands it there too. ok is false where no shell would: in the text of a quoted here document, and in what is no script.
func Expand(text string, expansions map[string]Expansion) (out string, ok bool) {
	file := parsed(text)
	if file == nil {
		return "", false
	}
	x := expander{expansions: expansions, documents: map[*syntax.Word]bool{}, ok: true}
	syntax.Walk(file, x.node)
	if !x.ok {
		return "", false
	}
	slices.SortFunc(x.spans, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, s := range x.spans {
		if s.from >= at {
			b.WriteString(x.put(text[at:s.from], unquoted))
			b.WriteString(x.put(text[s.from:s.to], s.quotes))
			at = s.to
		}
	}
	b.WriteString(x.put(text[at:], unquoted))
	return b.String(), true
}

type quotes uint8

const (
	unquoted quotes = iota
	inDouble
	inSingle
)

// span is a piece of a script that is quoted.
type span struct {
	from, to int
	quotes   quotes
}

type expander struct {
	expansions map[string]Expansion
	documents  map[*syntax.Word]bool // texts of here documents
	inDouble   []bool                // for each node above, whether it is in double quotes
	spans      []span
	ok         bool
}

func (x *expander) node(n syntax.Node) bool {
	if n == nil {
		x.inDouble = x.inDouble[:len(x.inDouble)-1]
		return true
	}
	double := len(x.inDouble) > 0 && x.inDouble[len(x.inDouble)-1]
	switch n := n.(type) {
	case *syntax.DblQuoted:
		double = true
	case *syntax.CmdSubst, *syntax.ProcSubst:
		double = false
	case *syntax.Word:
		double = double || x.documents[n]
	case *syntax.SglQuoted:
		x.spans = append(x.spans, span{int(n.Left.Offset()), int(n.Right.Offset()), inSingle})
		x.ok = x.ok && !(n.Dollar && x.holds(n.Value))
	case *syntax.Redirect:
		if n.Hdoc != nil {
			x.documents[n.Hdoc] = true
			x.ok = x.ok && !(isQuoted(n.Word) && x.inDocument(n.Hdoc))
		}
	case *syntax.Lit:
		if double {
			x.spans = append(x.spans, span{int(n.Pos().Offset()), int(n.End().Offset()), inDouble})
		}
	}
	x.inDouble = append(x.inDouble, double)
	return true
}

func (x *expander) holds(text string) bool {
	for w := range x.expansions {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func (x *expander) inDocument(w *syntax.Word) bool {
	for _, p := range w.Parts {
		if lit, ok := p.(*syntax.Lit); ok && x.holds(lit.Value) {
			return true
		}
	}
	return false
}

func (x *expander) put(piece string, q quotes) string {
	for word, e := range x.expansions {
		text := e.Plain
		switch q {
		case inDouble:
			text = e.Quoted
		case inSingle:
			text = `'"` + e.Quoted + `"'`
		}
		piece = strings.ReplaceAll(piece, word, text)
	}
	return piece
}

func isQuoted(w *syntax.Word) bool {
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.SglQuoted, *syntax.DblQuoted:
			return true
		case *syntax.Lit:
			if strings.Contains(p.Value, `\`) {
				return true
			}
		}
	}
	return false
}
