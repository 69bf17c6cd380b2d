// Package script reads shell scripts: which programs they start, and whether they use their arguments. It looks for no file; what a
// name leads to is for others to find out.
//
// A real parser reads, so that what looks like a command and is none (a word of a case, the text of a here document) is not taken
// for one. What stands literally in the script is found, also behind words that start another program (wrap.go) and in scripts
// that stand in the script as a text; what is put together when the script runs ($CC, "$dir/tool") is not.
package script

import (
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

const (
	// maxScript is how long a script is read at most, in bytes.
	maxScript = 32 << 10
	// maxDepth is how deep groups, substitutions and conditions may be nested in a script of more than shallow bytes: the parser calls
	// itself for what is nested, and takes time that grows with the square of the depth.
	maxDepth = 200
	shallow  = 1 << 10
	// maxNested is how deep scripts in scripts are read.
	maxNested = 4
)

// dialects are the languages in which a script for a shell is read, the first that it parses in. A shell that is not here speaks
// none of them.
var dialects = map[string][]syntax.LangVariant{
	"sh": posix, "ash": posix, "dash": posix, "posh": posix, "yash": posix, "busybox": posix,
	"bash": bash, "rbash": bash,
	"ksh": korn, "ksh93": korn, "lksh": korn, "mksh": korn, "oksh": korn, "pdksh": korn,
	"zsh": {syntax.LangZsh, syntax.LangBash},
}

var (
	posix = []syntax.LangVariant{syntax.LangPOSIX, syntax.LangBash} // sh is bash in many a place
	bash  = []syntax.LangVariant{syntax.LangBash}
	korn  = []syntax.LangVariant{syntax.LangMirBSDKorn, syntax.LangBash}
)

// Of is what a script says of itself.
type Of struct {
	// Programs are the names of the programs that it starts, as they are written, each once, in the order of the script: neither builtins nor the
	// functions that it defines.
	Programs []string
	// Asked are the names of programs that it asks for and does not start: `command -v ccache`.
	Asked []string
	// Arguments says that it uses its arguments: "$@", "$1", $#, shift.
	Arguments bool
	// Parsed says that the script could be read; otherwise nothing is known of it.
	Parsed bool
	// Plain says that it took no time worth saving.
	Plain bool
}

// Reads reports whether scripts for a shell of that name are in a language that is read.
func Reads(shell string) bool { return dialects[shell] != nil }

// Read reads a script for a shell of that name. Equal scripts have equal answers.
func Read(shell, text string) Of { return read(shell, text, 0) }

// Appendable reports whether a word that is put behind a script, blanks at its end aside, is the last argument of a command: behind a comment
// it is nothing, behind `;` or `&` a command of its own, and behind a here document it keeps that from ending. Of a script that cannot be
// read nothing is known, and nothing said against it.
func Appendable(shell, text string) bool {
	if tooMuch(text) {
		return true
	}
	for _, lang := range dialects[shell] {
		if _, err := parse(lang, text); err != nil {
			continue
		}
		text = strings.TrimRight(text, " \t\r\n") + " "
		file, err := parse(lang, text+"'word'")
		if err != nil {
			return false
		}
		found := false
		syntax.Walk(file, func(n syntax.Node) bool {
			if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 1 {
				found = found || call.Args[len(call.Args)-1].Pos().Offset() == uint(len(text))
			}
			return true
		})
		return found
	}
	return true
}

// Programs are the names of the programs that a command starts: its first word, and those that this one is told to start, as in
// `env CC=gcc make` or `sh -c "make all"`; each once, in that order.
func Programs(argv []string) []string {
	f := finder{}
	words := make([]word, len(argv))
	for i, a := range argv {
		words[i] = word{a, true}
	}
	f.start(words, true)
	return once(f.programs)
}

func read(shell, text string, depth int) (o Of) {
	if depth > maxNested || tooMuch(text) {
		return Of{}
	}
	langs := dialects[shell]
	if len(langs) > 0 && langs[0] != syntax.LangZsh {
		f := finder{lang: langs[0], depth: depth}
		if f.quick(text) {
			o = f.of()
			o.Plain = true
			return o
		}
	}
	for _, lang := range langs {
		file, err := parse(lang, text)
		if err != nil {
			continue
		}
		f := finder{lang: lang, depth: depth}
		f.script(file)
		return f.of()
	}
	return Of{}
}

// tooMuch reports whether a text is so long, or nested so deep, that nobody has written it to be read.
func tooMuch(text string) bool {
	if len(text) <= shallow {
		return false
	}
	depth, most := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		}
		most = max(most, depth)
	}
	opened := 0
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|()", r) }) {
		switch w {
		case "if", "case", "while", "until", "for", "select":
			opened++
		case "fi", "esac", "done":
			opened--
		}
		most = max(most, opened)
	}
	return len(text) > maxScript || most > maxDepth
}

// parsers are used again: each has a buffer of some size.
var parsers sync.Map // syntax.LangVariant → *sync.Pool

func parse(lang syntax.LangVariant, text string) (*syntax.File, error) {
	pool, ok := parsers.Load(lang)
	if !ok {
		pool, _ = parsers.LoadOrStore(lang, &sync.Pool{New: func() any { return syntax.NewParser(syntax.Variant(lang)) }})
	}
	p := pool.(*sync.Pool).Get().(*syntax.Parser)
	defer pool.(*sync.Pool).Put(p)
	return p.Parse(strings.NewReader(text), "")
}

// finder collects what a script says.
type finder struct {
	lang       syntax.LangVariant
	depth      int
	inFunction int
	functions  map[string]bool // names that the script defines, wherever: which of them is defined when is not known
	programs   []string
	asked      []string
	arguments  bool
}

// of is what was found in a script that could be read.
func (f *finder) of() Of {
	return Of{Programs: once(f.programs), Asked: once(f.asked), Arguments: f.arguments, Parsed: true}
}

// once leaves the first of equal names.
func once(names []string) []string {
	if len(names) <= 8 {
		kept := names[:0]
		for _, name := range names {
			if !slices.Contains(kept, name) {
				kept = append(kept, name)
			}
		}
		return kept
	}
	var seen map[string]bool
	return slices.DeleteFunc(names, func(name string) bool {
		if seen == nil {
			seen = make(map[string]bool, len(names))
		}
		was := seen[name]
		seen[name] = true
		return was
	})
}

func (f *finder) script(file *syntax.File) {
	syntax.Walk(file, func(n syntax.Node) bool {
		if d, ok := n.(*syntax.FuncDecl); ok {
			for _, name := range append(d.Names, d.Name) {
				if name != nil {
					if f.functions == nil {
						f.functions = map[string]bool{}
					}
					f.functions[name.Value] = true
				}
			}
		}
		return true
	})
	var outer []int // for each node above, how many functions it stands in
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			f.inFunction, outer = outer[len(outer)-1], outer[:len(outer)-1]
			return true
		}
		outer = append(outer, f.inFunction)
		f.node(n)
		return true
	})
}

func (f *finder) node(n syntax.Node) {
	switch n := n.(type) {
	case *syntax.FuncDecl:
		f.inFunction++
	case *syntax.CallExpr:
		words := make([]word, len(n.Args))
		for i, a := range n.Args {
			words[i] = literal(a)
		}
		f.start(words, false)
	case *syntax.ParamExp:
		if n.Param != nil && isArgument(n.Param.Value) {
			f.uses()
		}
	case *syntax.WordIter:
		if !n.InPos.IsValid() {
			f.uses() // `for x; do`
		}
	}
}

// isArgument reports whether a parameter is one of the arguments, or all of them.
func isArgument(name string) bool {
	switch name {
	case "@", "*", "#":
		return true
	case "0", "":
		return false
	}
	return strings.Trim(name, "0123456789") == ""
}

// word is a word of a command: its text, where it is known before the script runs.
type word struct {
	text  string
	known bool
}

// literal is the text of a word in which nothing is expanded.
func literal(w *syntax.Word) word {
	var b strings.Builder
	for i, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.Lit:
			if !plain(&b, p.Value, i == 0) {
				return word{}
			}
		case *syntax.SglQuoted:
			if p.Dollar {
				return word{}
			}
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, p := range p.Parts {
				l, ok := p.(*syntax.Lit)
				if !ok {
					return word{}
				}
				unescape(&b, l.Value, "$`\"\\\n")
			}
		default:
			return word{}
		}
	}
	return word{b.String(), true}
}

// plain appends unquoted text, and reports whether the shell takes it as it stands.
func plain(b *strings.Builder, s string, first bool) bool {
	if first && (strings.HasPrefix(s, "~") || strings.HasPrefix(s, "=") && len(s) > 1) {
		return false // a home; in zsh, a path
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\':
			if i++; i < len(s) && s[i] != '\n' {
				b.WriteByte(s[i])
			}
		case '*', '?', '{', '[':
			if s != string(c) && s != "[[" || c == '*' || c == '?' {
				return false
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return true
}

// unescape appends text in which a backslash is one unless it stands before one of those.
func unescape(b *strings.Builder, s, escapable string) {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(escapable, s[i+1]) >= 0 {
			if i++; s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
}
