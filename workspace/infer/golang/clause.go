package golang

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"strconv"
	"unicode/utf8"
)

// clauses are what counts of a Go file: what stands in front of its declarations. They are used for one file after the other.
type clauses struct {
	program bool // package main
	imports []clause
}

// clause is an import: a path, and where it stands with its quotes, a byte order mark not counted.
type clause struct {
	path []byte // of the text
	at   span
}

// extent is what became of reading clauses.
type extent byte

const (
	all    extent = iota
	cut           // the beginning of the file does not tell: all of it has to be read
	none          // the file is left out whatever the system and the tags are, or is no Go
	unlike        // they are not written plainly, or the text ends before they do
)

// read reads the clauses of a text, which is the beginning of a file, or all of it. Those that are as gofmt leaves them are read here,
// what is written in another way by the library. That keeps a tree of it all, and has to have the whole file, where there are tens of
// thousands. A fuzz test holds one against the other.
func (c *clauses) read(text []byte, whole bool) extent {
	c.imports, c.program = c.imports[:0], false
	switch e := c.plain(text, whole); {
	case e != unlike:
		return e
	case !whole:
		return cut
	}
	return c.library(text)
}

// library has the library read a file.
func (c *clauses) library(text []byte) extent {
	c.imports, c.program = c.imports[:0], false
	mode := parser.ImportsOnly | parser.SkipObjectResolution
	constrained := bytes.Contains(text, []byte(constraintMark))
	if constrained {
		mode |= parser.ParseComments
	}
	f, _ := parser.ParseFile(token.NewFileSet(), "", text, mode) // what stands before a mistake counts
	if f == nil || !f.Package.IsValid() || constrained && leftOutBy(f) {
		return none
	}
	c.program = f.Name.Name == "main"
	for _, i := range f.Imports {
		if path, err := strconv.Unquote(i.Path.Value); err == nil {
			start := int(i.Path.Pos()) - 1 - markOf(text)
			c.imports = append(c.imports, clause{[]byte(path), span{start, start + len(i.Path.Value)}})
		}
	}
	return all
}

const constraintMark = "//go:build"

func leftOutBy(f *ast.File) bool {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if c.Pos() < f.Package && !buildable(c.Text) {
				return true
			}
		}
	}
	return false
}

// buildable reports whether a comment in front of the package clause lets somebody build the file.
func buildable(comment string) bool {
	if !constraint.IsGoBuild(comment) {
		return true
	}
	x, err := constraint.Parse(comment)
	return err != nil || possible(x, true)
}

// possible reports whether a constraint can be the wanted value. Each tag can be set or not, apart from its other occurrences; but nobody
// sets `ignore`. So has it `go mod tidy`.
func possible(x constraint.Expr, want bool) bool {
	switch x := x.(type) {
	case *constraint.TagExpr:
		return x.Tag != "ignore" || !want
	case *constraint.NotExpr:
		return possible(x.X, !want)
	case *constraint.AndExpr:
		if want {
			return possible(x.X, true) && possible(x.Y, true)
		}
		return possible(x.X, false) || possible(x.Y, false)
	case *constraint.OrExpr:
		if want {
			return possible(x.X, true) || possible(x.Y, true)
		}
		return possible(x.X, false) && possible(x.Y, false)
	}
	return true
}

// plainly goes through the beginning of a Go file.
type plainly struct {
	text  []byte
	at    int
	whole bool   // the text is all of the file
	is    extent // of what was read so far; but for `all` nothing more is read
}

const byteOrderMark = "\ufeff"

// markOf is how long the byte order mark of a file is, which most have not.
func markOf(text []byte) int {
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		return len(byteOrderMark)
	}
	return 0
}

// plain reads clauses that are written plainly.
func (c *clauses) plain(text []byte, whole bool) extent {
	p := plainly{text: text[markOf(text):], whole: whole}
	p.gap(true)
	p.want("package")
	p.blanks()
	name := p.word()
	if len(name) == 0 || token.IsKeyword(string(name)) {
		p.fail(unlike)
	}
	p.end()
	c.program = string(name) == "main"
	for p.is == all {
		if p.gap(false); p.at == len(p.text) {
			break
		}
		if word := p.word(); string(word) == "import" {
			c.clause(&p)
		} else if len(word) == 0 { // a mistake, or what the library may say more of than one
			p.fail(unlike)
		} else {
			break
		}
	}
	// What is wrong within comments is a mistake of the file as well; so is a byte behind the last word, which ends it.
	if read := p.text[:min(p.at+1, len(p.text))]; p.is == all && (!utf8.Valid(read) || bytes.IndexByte(read, 0) >= 0 || bytes.Contains(read, []byte(byteOrderMark))) {
		return unlike
	}
	return p.is
}

// clause reads what stands behind the word import.
func (c *clauses) clause(p *plainly) {
	if p.blanks(); p.peek() != '(' {
		c.one(p)
		return
	}
	for p.at++; p.is == all; {
		if p.gap(false); p.peek() == ')' {
			p.at++
			p.end()
			return
		}
		c.one(p)
	}
}

// one reads a path, with the name in front of it, if there is one, and what ends it.
func (c *clauses) one(p *plainly) {
	if p.peek() == '.' {
		p.at++
		p.blanks()
	} else if name := p.word(); len(name) > 0 {
		if token.IsKeyword(string(name)) {
			p.fail(unlike)
		}
		p.blanks()
	}
	start := p.at
	if p.peek() != '"' {
		p.fail(unlike)
		return
	}
	for p.at++; p.at < len(p.text) && pathByte[p.text[p.at]]; {
		p.at++
	}
	if path := p.text[start+1 : p.at]; p.peek() == '"' && len(path) > 0 {
		p.at++
		c.imports = append(c.imports, clause{path, span{start, p.at}})
		p.end()
		return
	}
	p.fail(unlike)
}

// pathByte reports whether a byte is one of nearly all paths.
var pathByte = func() (is [256]bool) {
	for c := range is {
		is[c] = wordPart[c] || c == '-' || c == '.' || c == '/' || c == '~' || c == '+' || c == '@'
	}
	return is
}()

// wordPart reports whether a byte is one of a word that is written plainly.
var wordPart = func() (is [256]bool) {
	for c := range is {
		is[c] = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_'
	}
	return is
}()

// fail ends it.
func (p *plainly) fail(is extent) {
	if p.is == all {
		p.is = is
	}
}

// peek is the next byte; 0 where there is none, which is nothing that is looked for.
func (p *plainly) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// blanks goes to the next byte of the line that is no blank.
func (p *plainly) blanks() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t' || p.text[p.at] == '\r') {
		p.at++
	}
}

// word reads one; it is empty where something else stands. One at the end of the text may go on.
func (p *plainly) word() []byte {
	start := p.at
	if p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		return nil
	}
	for p.at < len(p.text) && wordPart[p.text[p.at]] {
		p.at++
	}
	if p.at == len(p.text) && !p.whole || p.at < len(p.text) && p.text[p.at] >= utf8.RuneSelf {
		p.fail(unlike)
	}
	return p.text[start:p.at]
}

func (p *plainly) want(word string) {
	if string(p.word()) != word {
		p.fail(unlike)
	}
}

// end goes to what ends the line: there has to be nothing before it but a comment.
func (p *plainly) end() {
	p.blanks()
	switch rest := p.text[p.at:]; {
	case p.is != all:
	case len(rest) == 0 && p.whole, len(rest) > 1 && rest[0] == '/' && rest[1] == '/':
	case len(rest) > 0 && rest[0] == '\n':
	default:
		p.fail(unlike)
	}
}

// gap goes to the next byte that is neither blank nor in a comment. Constraints are looked at where they count.
func (p *plainly) gap(constraints bool) {
	for p.is == all {
		p.blanks()
		rest := p.text[p.at:]
		switch {
		case len(rest) == 0 && !p.whole, len(rest) == 1 && rest[0] == '/':
			p.fail(unlike)
		case len(rest) > 0 && rest[0] == '\n':
			p.at++
		case len(rest) > 0 && rest[0] == '/':
			p.comment(rest, constraints)
		default:
			return
		}
	}
}

// comment goes behind one. Those that say which line comes next may be wrong.
func (p *plainly) comment(rest []byte, constraints bool) {
	end, closing := bytes.IndexByte(rest, '\n'), 0
	if rest[1] == '*' {
		end, closing = bytes.Index(rest[2:], []byte("*/")), 4
	}
	if end < 0 && p.whole && rest[1] == '/' {
		end = len(rest)
	}
	if end < 0 || rest[1] != '*' && rest[1] != '/' || bytes.HasPrefix(rest[2:], []byte("line ")) {
		p.fail(unlike)
		return
	}
	p.at += end + closing
	if !constraints || !bytes.HasPrefix(rest, []byte(constraintMark)) {
		return
	}
	text := bytes.TrimSuffix(rest[:end], []byte("\r"))
	if bytes.IndexByte(text, '\r') >= 0 {
		p.fail(unlike)
	} else if !buildable(string(text)) {
		p.fail(none)
	}
}
