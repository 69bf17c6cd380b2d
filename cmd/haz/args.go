package main

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// parsed is a command line by the rules of chapter 3, 1.2: options and arguments apart, every option known, given once, and
// with a value exactly when it wants one.
type parsed struct {
	path    []*command // from the top: run; or cache, clean
	options []given
	args    []string // positional
	help    bool
	version bool
	unknown string // a word in the place of a command that is none
}

// given is one option as it was given.
type given struct {
	opt    *option
	value  string
	global bool
}

func (p *parsed) command() *command {
	if len(p.path) == 0 {
		return nil
	}
	return p.path[len(p.path)-1]
}

// commandName is "cache clean".
func (p *parsed) commandName() string {
	names := make([]string, len(p.path))
	for i, c := range p.path {
		names[i] = c.name
	}
	return strings.Join(names, " ")
}

func (p *parsed) lookup(long string) *given {
	for i := range p.options {
		if p.options[i].opt.long == long {
			return &p.options[i]
		}
	}
	return nil
}

func (p *parsed) has(long string) bool { return p.lookup(long) != nil }

func (p *parsed) value(long string) string {
	if g := p.lookup(long); g != nil {
		return g.value
	}
	return ""
}

// usageError is a mistake on the command line.
type usageError struct{ d diag.Diagnostic }

func (e *usageError) Error() string { return e.d.Message }

func (p *parsed) errorf(message, hint string) error {
	return &usageError{diag.Diagnostic{Command: p.commandName(), Message: message, Hint: hint}}
}

// parse reads the arguments after the program's name. It returns what it could read also with an error, so that the error
// can be shown as the options say.
//
// The argument library would stop at the first positional, take -all for --all and --all=false for a value, let the last
// of two options win, know global options before the command only, and print its complaints on standard output: so it only
// sees what this function lets through.
func parse(args []string) (*parsed, error) {
	p := &parsed{}
	complete := len(args) > 0 && args[0] == "__complete" // its words are data, whatever they look like
	if end := endOfOptions(args); !complete && (slices.Contains(args[:end], "--help") || slices.Contains(args[:end], "-h")) {
		p.help = true
	}
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case !complete && !utf8.ValidString(a):
			return p, p.errorf("argument "+diag.Quote(a)+" is not valid UTF-8", "")
		case complete:
			p.path, p.args = []*command{top("__complete")}, args[1:]
			return p, nil
		case a == "--":
			return p, p.finish(args[i+1:])
		case len(a) > 1 && a[0] == '-':
			used, err := p.option(a, args[i+1:])
			if err != nil {
				if p.help {
					continue
				}
				return p, err
			}
			i += used
		default:
			if err := p.word(a); err != nil {
				if p.unknown != "" {
					p.args = args[i+1:] // for its hint
				}
				return p, err
			}
		}
	}
	return p, p.finish(nil)
}

// endOfOptions is the position of "--", or the number of arguments.
func endOfOptions(args []string) int {
	if i := slices.Index(args, "--"); i >= 0 {
		return i
	}
	return len(args)
}

// noCommand is the hint for a word of which nothing is known.
const noCommand = "haz help shows the commands"

// word reads what is no option: a command, or an argument of one.
func (p *parsed) word(a string) error {
	switch c := p.command(); {
	case c == nil:
		sub := top(a)
		if sub == nil {
			hint := suggest(a, names(commands))
			if ours := foreignCommands[a]; ours != "" && hint == "" {
				hint = "that is here: " + ours
			}
			if hint == "" {
				hint = noCommand
			}
			p.unknown = a
			return p.errorf("unknown command "+diag.Quote(a), hint)
		}
		p.path = append(p.path, sub)
	case c.subs != nil:
		sub := c.sub(a)
		if sub == nil {
			return p.errorf("unknown command "+diag.Quote(a), suggest(a, names(c.subs)))
		}
		p.path = append(p.path, sub)
	default:
		p.args = append(p.args, a)
	}
	return nil
}

// option reads an option, and its value from rest unless it is attached; it returns how many of rest it used.
func (p *parsed) option(a string, rest []string) (used int, err error) {
	name, value, attached := split(a)
	opt, global := p.known(name)
	switch {
	case opt == nil && (name == "--version" || name == "-V"):
		return 0, p.errorf("option "+name+" is for use before a command", "")
	case opt == nil:
		return 0, p.errorf("unknown option "+diag.Quote(name), cmp.Or(p.suggestOption(name), p.foreignOption(name)))
	case opt.arg == "" && attached:
		return 0, p.errorf("option "+name+" takes no value", "")
	case opt.arg != "" && !attached:
		if len(rest) == 0 || len(rest[0]) > 0 && rest[0][0] == '-' {
			hint := ""
			if len(rest) > 0 && rest[0] != "--" && find(p.all(), rest[0]) == nil {
				hint = "a value that begins with - must be attached: " + opt.dashed() + "=" + rest[0]
			}
			return 0, p.errorf("option "+name+" needs a value "+opt.arg, hint)
		}
		value, used = rest[0], 1
		if !utf8.ValidString(value) {
			return 0, p.errorf("argument "+diag.Quote(value)+" is not valid UTF-8", "")
		}
	}
	if p.has(opt.long) {
		return 0, p.errorf("option "+opt.dashed()+" is given twice", "")
	}
	switch opt.long {
	case "help":
		p.help = true
	case "version":
		p.version = true
	}
	p.options = append(p.options, given{opt: opt, value: value, global: global})
	return used, p.checkValue(opt, value)
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

// known finds an option of the command, or a global one.
func (p *parsed) known(name string) (opt *option, global bool) {
	if c := p.command(); c != nil {
		if o := find(c.opts, name); o != nil {
			return o, false
		}
		if name == "--version" || name == "-V" {
			return nil, false
		}
	}
	return find(globals, name), true
}

func (p *parsed) all() []option {
	if c := p.command(); c != nil {
		return append(slices.Clone(c.opts), globals...)
	}
	return globals
}

func (p *parsed) suggestOption(name string) string {
	var candidates []string
	for _, o := range p.all() {
		candidates = append(candidates, o.dashed())
	}
	bare := strings.TrimLeft(name, "-")
	if !strings.HasPrefix(name, "--") && slices.Contains(candidates, "--"+bare) {
		return "did you mean \"--" + bare + "\"?"
	}
	if hint := suggest(name, candidates); hint != "" {
		return hint
	}
	// An abbreviation is refused, so that a script still means the same when an option is added; but it is understood.
	var longer []string
	for _, c := range candidates {
		if len(name) > len("--") && strings.HasPrefix(c, name) {
			longer = append(longer, c)
		}
	}
	if len(longer) != 1 {
		return ""
	}
	return diag.DidYouMean(longer[0])
}

// checkValue judges a value by the table.
func (p *parsed) checkValue(opt *option, value string) error {
	if len(opt.values) > 0 && !slices.Contains(opt.values, value) {
		hint := suggest(value, opt.values)
		if hint == "" {
			hint = "one of " + strings.Join(opt.values, ", ")
		}
		return p.errorf("unknown "+opt.noun+" "+diag.Quote(value), hint)
	}
	if opt.check == nil {
		return nil
	}
	if err := opt.check(value); err != nil {
		return p.errorf("option "+opt.dashed()+": "+err.Error(), hintOf(err))
	}
	return nil
}

// finish adds what follows "--" and checks what concerns the line as a whole.
func (p *parsed) finish(rest []string) error {
	for _, a := range rest {
		if !utf8.ValidString(a) {
			return p.errorf("argument "+diag.Quote(a)+" is not valid UTF-8", "")
		}
		if c := p.command(); c == nil || c.subs != nil {
			return p.errorf("a command is wanted before --", "")
		}
		p.args = append(p.args, a)
	}
	if p.help || p.version {
		return nil
	}
	c := p.command()
	switch {
	case c == nil:
		return p.errorf("a command is missing", "haz help shows the commands")
	case c.subs != nil:
		return p.errorf("a command is missing: "+strings.Join(names(c.subs), ", "), "haz help "+c.name+" explains them")
	case c.noArgs && len(p.args) > 0:
		return p.errorf("unexpected argument "+diag.Quote(p.args[0]), c.argsHint)
	}
	return p.checkTogether(c)
}

// checkTogether judges which options go together.
func (p *parsed) checkTogether(c *command) error {
	for _, set := range append(slices.Clone(globalExclusive), c.exclusive...) {
		var found []string
		for _, long := range set {
			if p.has(long) {
				found = append(found, "--"+long)
			}
		}
		if len(found) > 1 {
			return p.errorf("options "+strings.Join(found, " and ")+" are mutually exclusive", "")
		}
	}
	for _, long := range c.noRefs {
		if p.has(long) && len(p.args) > 0 {
			return p.errorf("option --"+long+" cannot be combined with positional task references ("+diag.Quote(p.args[0])+")", "")
		}
	}
	for _, n := range c.needs {
		if p.has(n[0]) && !p.has(n[1]) {
			return p.errorf("option --"+n[0]+" is for use with --"+n[1], "")
		}
	}
	return nil
}

func top(name string) *command {
	for _, c := range commands {
		if c.name == name {
			return c
		}
	}
	return nil
}

// names lists commands that help shows.
func names(cs []*command) []string {
	var out []string
	for _, c := range cs {
		if !c.hidden {
			out = append(out, c.name)
		}
	}
	return out
}

func suggest(word string, candidates []string) string {
	if n := diag.Nearest(word, candidates); n != "" {
		return diag.DidYouMean(n)
	}
	return ""
}
