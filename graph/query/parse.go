package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// maxNesting is how deep parentheses may stand inside each other.
const maxNesting = 1000

// maxWrong is how many wrong tokens of one expression are reported: each error quotes the expression.
const maxWrong = 20

// node is an expression. Operators hold all that stands between them and not two at a time, so that the depth of the tree is
// that of the parentheses, however long the text is.
type node struct {
	not  bool
	op   operator
	args []*node // of and, or: at least two; of a relation: one
	atom atom    // of opAtom
	as   Option  // of opRelation: which
}

type operator uint8

const (
	opAtom operator = iota
	opAnd
	opOr
	opRelation
)

// parse reads an expression and checks all its tokens, also those that logic would never reach.
//
//	expr  = and { "|" and }
//	and   = not { "&" not }
//	not   = [ "!" ] atom
//	atom  = "(" expr ")" | token
//	token = one or more bytes other than | & ! ( ) space tab, or any bytes in "…" or '…'
//
// With All an atom is a relation, too:
//
//	atom  = relation "(" expr ")"
//
// A text that breaks the grammar gives one error; tokens that are no atoms of their option give one each.
func parse(f Filter, bearing *workspace.Project) (*node, []*Error) {
	p := parser{f: f, bearing: bearing}
	if p.skipBlanks(); p.atEnd() {
		return nil, []*Error{p.error(0, "the expression is empty", p.example())}
	}
	n := p.expr()
	if p.broken == nil && !p.atEnd() {
		p.rest()
	}
	if p.broken != nil {
		return nil, []*Error{p.broken}
	}
	return n, p.wrong
}

type parser struct {
	f       Filter
	bearing *workspace.Project
	pos     int
	open    []int    // places of the parentheses that are open
	broken  *Error   // the first place that breaks the grammar; parsing stops there
	wrong   []*Error // tokens
}

func (p *parser) error(at int, reason, hint string) *Error {
	return &Error{Filter: p.f, Rule: "QRY-002", Offset: at, Reason: reason, Hint: hint}
}

// fail keeps the first error; the functions above return without looking further.
func (p *parser) fail(at int, reason, hint string) *node {
	if p.broken == nil {
		p.broken = p.error(at, reason, hint)
	}
	return nil
}

func (p *parser) skipBlanks() {
	for p.pos < len(p.f.Expr) && (p.f.Expr[p.pos] == ' ' || p.f.Expr[p.pos] == '\t') {
		p.pos++
	}
}

func (p *parser) atEnd() bool { return p.pos >= len(p.f.Expr) }

// next is the byte at hand after blanks; 0 at the end (a NUL byte is an ordinary character of a token, and no operator).
func (p *parser) next() byte {
	p.skipBlanks()
	if p.atEnd() {
		return 0
	}
	return p.f.Expr[p.pos]
}

func (p *parser) expr() *node {
	return p.list(opOr, '|', func() *node { return p.list(opAnd, '&', p.not) })
}

func (p *parser) list(op operator, sign byte, operand func() *node) *node {
	args := []*node{operand()}
	for p.broken == nil && p.next() == sign {
		p.pos++
		args = append(args, operand())
	}
	if len(args) == 1 {
		return args[0]
	}
	return &node{op: op, args: args}
}

func (p *parser) not() *node {
	if p.next() != '!' {
		return p.atom()
	}
	p.pos++
	if p.next() == '!' {
		return p.fail(p.pos, `unexpected operator "!": one is enough`, "")
	}
	n := p.atom()
	if n == nil || p.broken != nil {
		return nil
	}
	// A parenthesis may hold a negation of its own.
	if n.not {
		return &node{op: opAnd, args: []*node{n}, not: true}
	}
	n.not = true
	return n
}

func (p *parser) atom() *node {
	p.skipBlanks()
	if p.atEnd() {
		return p.fail(p.pos, "an atom is expected, and the expression ends here", p.example())
	}
	switch c := p.f.Expr[p.pos]; c {
	case '(':
		return p.parenthesis()
	case ')':
		if len(p.open) == 0 {
			return p.fail(p.pos, `unmatched ")"`, "")
		}
		return p.fail(p.pos, `an atom is expected before ")"`, "")
	case '|', '&':
		return p.fail(p.pos, fmt.Sprintf("unexpected operator %q; an atom is expected here", c), "")
	case '"', '\'':
		return p.quoted(c)
	}
	start := p.pos
	for !p.atEnd() && strings.IndexByte("|&!() \t", p.f.Expr[p.pos]) < 0 {
		p.pos++
	}
	text := p.f.Expr[start:p.pos]
	if adjacent := !p.atEnd() && p.f.Expr[p.pos] == '('; p.f.Option == All && p.next() == '(' && (adjacent || slices.Contains(relations, text)) {
		return p.relationOf(start, text)
	}
	return p.token(start, text)
}

// relationOf reads what stands behind the name of a relation.
func (p *parser) relationOf(start int, name string) *node {
	if !slices.Contains(relations, name) {
		return p.fail(start, fmt.Sprintf("unknown relation %s; it is %s", diag.Quote(name), orList(relations)), didYouMean(name, relations))
	}
	n := p.parenthesis()
	if n == nil {
		return nil
	}
	return &node{op: opRelation, as: Option(name), args: []*node{n}}
}

func (p *parser) parenthesis() *node {
	if len(p.open) == maxNesting {
		return p.fail(p.pos, fmt.Sprintf("parentheses are nested deeper than %d", maxNesting), "")
	}
	start := p.pos
	p.open = append(p.open, start)
	p.pos++
	n := p.expr()
	if p.broken != nil {
		return nil
	}
	if p.next(); p.atEnd() {
		return p.fail(start, `unmatched "("`, "")
	}
	if p.f.Expr[p.pos] != ')' {
		p.rest()
		return nil
	}
	p.pos++
	p.open = p.open[:len(p.open)-1]
	return n
}

// quoted reads a token that may hold any byte but its quote.
func (p *parser) quoted(quote byte) *node {
	start := p.pos
	end := strings.IndexByte(p.f.Expr[start+1:], quote)
	if end < 0 {
		return p.fail(start, fmt.Sprintf("the quote %c is not closed", quote), "")
	}
	p.pos = start + 1 + end + 1
	return p.token(start+1, p.f.Expr[start+1:start+1+end])
}

func (p *parser) token(start int, text string) *node {
	a, err := p.read(start, text)
	if err != nil && len(p.wrong) < maxWrong {
		p.wrong = append(p.wrong, err)
	}
	return &node{atom: a}
}

// rest is about what follows a complete expression.
func (p *parser) rest() {
	switch c := p.f.Expr[p.pos]; c {
	case ')':
		p.fail(p.pos, `unmatched ")"`, "")
	case '!':
		hint := ""
		if p.pos > 0 && p.f.Expr[p.pos-1] == '[' {
			hint = "a negated set is written [^a], or in quotes"
		}
		p.fail(p.pos, `unexpected "!" after a complete expression`, hint)
	default:
		text := p.f.Expr[p.pos:]
		if i := strings.IndexAny(text, "|&!() \t"); i > 0 {
			text = text[:i]
		} else if i == 0 {
			text = text[:1]
		}
		p.fail(p.pos, fmt.Sprintf("unexpected %s after a complete expression", diag.Quote(text)),
			"between two atoms stands & or |; a token with blanks or parentheses is written in quotes")
	}
}

func (p *parser) example() string {
	switch p.f.Option {
	case Inputs, Outputs:
		return `like "src/**/*.c" or "/lib/** & !/lib/test/**"`
	case ChildOf, ParentOf, DependsOn, AncestorOf:
		return `like "name:build" or "tag:lib | project:core"`
	case All:
		return `like "name:test & tag:go" or "project:lib-* & !depends-on(name:generate)"`
	}
	return `like "a & !b" or "(a | b) & c"`
}
