package main

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// line is the words of a command line in the order in which the library reads them (chapter 3, 1.2): options where they stood, values
// attached, arguments behind "--".
//
// The library would stop at the first argument, take -all for --all and --all=false for a value, and let the last of two options win. So
// that much is seen here. What goes with what, and whether values are any, is seen when the library has read the line.
type line struct {
	*table
	path    []*command // from the top: run; or cache, clean
	words   []string   // for the library
	args    []string
	asked   []string          // of a line that asks for help: the arguments it had
	given   map[string]string // options by name: their values as they were given
	mistake error             // the first one; the words end before it
	unknown string            // a word in the place of a command that is none
	rest    []string          // what followed that
	open    *option           // the line ended where its value was to come
	ended   bool              // "--" was there
	passing bool              // and what stands behind it is for the tasks before it
	passed  []string          // that
}

// order reads the words after the program's name, up to the first mistake.
func order(words []string) *line {
	l := newLine()
	if len(words) > 0 && words[0] == "__complete" { // what follows is data, whatever it looks like
		l.path, l.args = []*command{named(l.commands, "__complete")}, words[1:]
		l.words = append(append(l.words, "__complete", "--"), l.args...)
		return l
	}
	end := slices.Index(append(slices.Clone(words), "--"), "--")
	help := slices.Contains(words[:end], "--help") || slices.Contains(words[:end], "-h")
	for l.mistake == nil && len(words) > 0 {
		words = l.next(words, help)
	}
	if help { // it depends on nothing else of the line, and says what it can
		l.asked, l.args, l.words = l.args, nil, strings.Fields("haz "+pathName(l.path))
		if dir, is := l.given["directory"]; is {
			l.words = append(l.words, "--directory="+dir)
		}
	}
	if _, version := l.given["version"]; version {
		l.words = append(l.words, "--version")
	} else if help {
		l.words = append(l.words, "--help")
	}
	if len(l.args) > 0 {
		l.words = append(append(l.words, "--"), l.args...)
	}
	return l
}

// understood reads words of a line that is being written: what is wrong so far is left out.
func understood(words []string) *line {
	l := newLine()
	for len(words) > 0 {
		words = l.next(words, true)
		l.mistake = nil
	}
	return l
}

func newLine() *line {
	return &line{table: newTable(), words: []string{"haz"}, given: map[string]string{}}
}

// next reads one word, and with an option its value; it returns what is left. Mistakes in options may be of no interest.
func (l *line) next(words []string, lenient bool) (left []string) {
	word, left := words[0], words[1:]
	switch {
	case !utf8.ValidString(word):
		l.mistake = l.badText(word)
	case l.ended:
		if c := l.command(); c == nil || c.subs != nil {
			l.mistake = l.errorf("a command is wanted before --", "")
			return left
		}
		if l.passing {
			l.passed = append(l.passed, word)
		} else {
			l.args = append(l.args, word)
		}
	case word == "--":
		l.ended = true
		l.passing = len(l.args) > 0 && l.command().passes
	case len(word) > 1 && word[0] == '-':
		used, err := l.option(word, left)
		if err == nil {
			return left[used:]
		}
		if !lenient {
			l.mistake = err
		}
	default:
		l.mistake = l.word(word)
		l.rest = left
	}
	return left
}

func (l *line) command() *command {
	if len(l.path) == 0 {
		return nil
	}
	return l.path[len(l.path)-1]
}

// errorf is a mistake on the line, as far as it was read.
func (l *line) errorf(message, hint string) error { return misuse(pathName(l.path), message, hint) }

func (l *line) badText(word string) error {
	return l.errorf("argument "+diag.Quote(word)+" is not valid UTF-8", "")
}

// noCommand is the hint for a word of which nothing is known.
const noCommand = "haz help shows the commands"

// word reads what is no option: a command, or an argument of one.
func (l *line) word(a string) error {
	c := l.command()
	if c != nil && c.subs == nil {
		l.args = append(l.args, a)
		return nil
	}
	among := l.commands
	if c != nil {
		among = c.subs
	}
	sub := named(among, a)
	switch hint := suggest(a, names(among)); {
	case sub != nil:
		l.path, l.words = append(l.path, sub), append(l.words, a)
		return nil
	case c != nil:
		return l.errorf("unknown command "+diag.Quote(a), hint)
	default:
		l.unknown = a
		if ours := foreignCommands[a]; ours != "" && hint == "" {
			hint = "that is here: " + ours
		}
		return l.errorf("unknown command "+diag.Quote(a), cmp.Or(hint, noCommand))
	}
}

// option reads an option, and its value from rest unless it is attached; it returns how many of rest it used.
func (l *line) option(word string, rest []string) (used int, err error) {
	name, text, attached := split(word)
	o := find(l.here(), name)
	switch {
	case o == nil:
		return 0, l.errorf("unknown option "+diag.Quote(name), cmp.Or(l.suggestOption(name), l.foreignOption(name)))
	case o.Name == "version" && len(l.path) > 0:
		return 0, l.errorf("option "+name+" is for use before a command", "")
	case o.Arg == "" && attached:
		return 0, l.errorf("option "+name+" takes no value", "")
	case o.bare != "" && !attached && (len(rest) == 0 || strings.HasPrefix(rest[0], "-")):
		text = o.bare
		if len(rest) == 0 {
			l.open = o
		}
	case o.Arg != "" && !attached && len(rest) == 0:
		l.open = o
		return 0, l.errorf("option "+name+" needs a value "+o.Arg, "")
	case o.Arg != "" && !attached && len(rest[0]) > 0 && rest[0][0] == '-':
		hint := ""
		if rest[0] != "--" && find(l.here(), rest[0]) == nil {
			hint = "a value that begins with - must be attached: " + o.dashed() + "=" + rest[0]
		}
		return 0, l.errorf("option "+name+" needs a value "+o.Arg, hint)
	case o.Arg != "" && !attached:
		if text, used = rest[0], 1; !utf8.ValidString(text) {
			return 0, l.badText(text)
		}
	}
	if _, twice := l.given[o.Name]; twice && !o.repeats {
		return 0, l.errorf("option "+o.dashed()+" is given twice", "")
	}
	l.given[o.Name] = text
	if word = o.dashed(); o.Arg != "" {
		word += "=" + text
	}
	if o.Name != "help" && o.Name != "version" { // they come last, so that nothing before them goes unseen
		l.words = append(l.words, word)
	}
	return used, nil
}

// split takes "--name=value" or "-jN" apart.
func split(a string) (name, value string, attached bool) {
	if strings.HasPrefix(a, "--") {
		return strings.Cut(a, "=")
	}
	// -j4 is too common a habit to refuse; -jobs stays the error that every single-dash long option is.
	if rest := a[2:]; strings.HasPrefix(a, "-j") && (rest == "auto" || rest != "" && rest[0] >= '0' && rest[0] <= '9') {
		return "-j", rest, true
	}
	return a, "", false
}

// here are the options that can come next: those of the command, and the global ones.
func (l *line) here() []*option {
	if c := l.command(); c != nil {
		return append(c.options(), l.globals...)
	}
	return l.globals
}
