package main

import (
	"cmp"
	"flag"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/diag"
)

// table is the one source of parsing, help, manual page, completion and docs/cli.md. Its options keep what they were given, so that it
// is for one command line.
type table struct {
	globals  []*option // accepted before and after the command
	commands []*command
}

func newTable() *table {
	return &table{globalOptions(), []*command{
		runCommand(), watchCommand(), checkCommand(), whyCommand(), queryCommand(), cacheCommand(), listCommand(), graphCommand(), execCommand(), psCommand(), attachCommand(), initCommand(),
		completionCommand(), manCommand(), helpCommand(), completeCommand(),
	}}
}

func globalOptions() []*option {
	return []*option{
		toggle("help", "show help and leave").short("h"),
		toggle("version", "show the version and leave (before a command only)").short("V"),
		text("directory", "DIR", "behave as if started in DIR").short("C").completedBy(dirs),
		choice("color", "WHEN", "colour choice", "when to use colour: auto (default), always or never", "auto", "always", "never"),
		toggle("quiet", "show failures and notes only").short("q"),
		toggle("verbose", "say more: why tasks missed the cache, hit rate, longest tasks").short("v"),
		toggle("trust-owner", "work also where the workspace, or a folder above it, belongs to another user: they decide what runs"),
		text("state-dir", "DIR", "keep cache and state of the workspace in DIR, outside of it, not in .haz; many workspaces can share one").completedBy(dirs).checked(checkNotEmpty),
		text("cache-dir", "DIR", "keep the cache in DIR, outside of the workspace; many workspaces can share one").completedBy(dirs).checked(checkNotEmpty),
		choice("progress", "WHEN", "progress choice", "draw a progress line on a terminal: auto (default) or off", "auto", "off"),
	}
}

var globalExclusive = [][]string{{"quiet", "verbose"}}

func scopeOptions() (all, workspace *option) {
	return toggle("all", "every task of this directory's project; outside of every project, of the workspace"),
		toggle("workspace", "every task of every project")
}

func formatOption(what string, values ...string) *option {
	return choice("format", "FMT", "output format", what, values...)
}

func paragraphs(texts ...string) string { return strings.Join(texts, "\n\n") }
func lines(texts ...string) string      { return strings.Join(texts, "\n") }

// A command is one of the library, with what that has no field for. Usage is one line, for lists; Description is paragraphs, with
// empty lines between them; ArgsUsage is the synopsis of the arguments, "[TASK...]"; UsageText is examples, one a line.
type command struct {
	cli.Command
	do        func(*invocation) error // nil where subs say more
	subs      []*command
	completes complement // words that complete an argument

	// Constraints that can be judged without a workspace.
	noArgs    bool       // positional arguments are refused
	argsHint  string     // what to type instead of them
	exclusive [][]string // at most one option of each list
	noRefs    []string   // options that exclude positional arguments
	needs     [][2]string
	passes    bool // words behind -- are for the arguments before it, if there are any
}

// An option is a flag of the library, with what that has no field for, and its value once the line was parsed. Names come without
// their dashes; the alias, if there is one, is a letter.
type option struct {
	cli.GenericFlag
	Arg       string   // name of the value; "" for a switch
	values    []string // the only values there are
	bare      string   // the value where none follows; "": one has to
	noun      string   // what a value is called in a message: "output mode"
	completes complement
	repeats   bool                           // it may be given more than once: its value is then a []string
	reader    func(text string) (any, error) // nil: a value is its text

	text    string // as it was given
	is      any    // what the reader made of it
	mistake error  // why it is no value
}

// complement says what completes a value.
type complement uint8

const (
	nothing complement = iota
	tasks
	files
	dirs
	tags
	projects
	taskNames
	commandNames
	shells
)

// toggle is an option without a value.
func toggle(name, help string) *option {
	return &option{GenericFlag: cli.GenericFlag{Name: name, Usage: help}}
}

// text is an option with a value, any text.
func text(name, arg, help string) *option {
	o := toggle(name, help)
	o.Arg = arg
	return o
}

// repeatable is an option that may be given more than once.
func repeatable(o *option) *option {
	o.repeats = true
	return o
}

// choice is an option with one of some values.
func choice(name, arg, noun, help string, values ...string) *option {
	o := text(name, arg, help)
	o.noun, o.values = noun, values
	return o
}

// readBy is an option whose value is what a function makes of its text.
func readBy[T any](o *option, read func(string) (T, error)) *option {
	o.reader = func(text string) (any, error) { return read(text) }
	return o
}

func (o *option) checked(check func(string) error) *option {
	return readBy(o, func(text string) (string, error) { return text, check(text) })
}

func (o *option) completedBy(kind complement) *option {
	o.completes = kind
	return o
}

func (o *option) short(letter string) *option {
	o.Aliases = []string{letter}
	return o
}

// Apply makes the option known to the parser, by its long name: a line in order has no other.
func (o *option) Apply(set *flag.FlagSet) error {
	set.Var((*value)(o), o.Name, o.Usage)
	return nil
}

// value is an option as the parser fills it.
type value option

// IsBoolFlag tells the parser of switches.
func (v *value) IsBoolFlag() bool { return v.Arg == "" }

func (v *value) String() string { return v.text }

// Set implements flag.Value. The parser makes one text of an error, so it is kept here.
func (v *value) Set(text string) (err error) {
	v.HasBeenSet = true
	switch {
	case v.Arg == "":
		return nil
	case len(v.values) > 0 && !slices.Contains(v.values, text):
		err = &hinted{"unknown " + v.noun + " " + diag.Quote(text), cmp.Or(suggest(text, v.values), "one of "+strings.Join(v.values, ", "))}
	case v.repeats:
		list, _ := v.is.([]string)
		v.is = append(list, text)
	case v.reader != nil:
		if v.is, err = v.reader(text); err != nil {
			err = &hinted{"option --" + v.Name + ": " + err.Error(), hintOf(err)}
		}
	}
	v.text, v.mistake = text, err
	return err
}

// read is the value of an option as its reader made it; the zero value when it was not given.
func read[T any](v *invocation, long string) (is T) {
	if o, ok := v.c.Generic(long).(*value); ok {
		is, _ = o.is.(T)
	}
	return is
}

func (o *option) dashed() string { return "--" + o.Name }

// spelling is how help shows an option: "-j, --jobs N".
func (o *option) spelling() string {
	s := o.dashed()
	for _, letter := range o.Aliases {
		s = "-" + letter + ", " + s
	}
	if o.Arg != "" {
		s += " " + o.Arg
	}
	return s
}

// find finds an option as it is written, with its dashes.
func find(opts []*option, written string) *option {
	for _, o := range opts {
		if written == o.dashed() || len(o.Aliases) > 0 && written == "-"+o.Aliases[0] {
			return o
		}
	}
	return nil
}

// options are the command's own.
func (c *command) options() []*option {
	own := make([]*option, len(c.Flags))
	for i, f := range c.Flags {
		own[i] = f.(*option)
	}
	return own
}

func named(cs []*command, name string) *command {
	for _, c := range cs {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// names lists commands that help shows.
func names(cs []*command) []string {
	var out []string
	for _, c := range cs {
		if !c.Hidden {
			out = append(out, c.Name)
		}
	}
	return out
}

func pathName(path []*command) string {
	words := make([]string, len(path))
	for i, c := range path {
		words[i] = c.Name
	}
	return strings.Join(words, " ")
}

// all lists the commands that people may use, each with its parents.
func (t *table) all() [][]*command {
	var out [][]*command
	for _, c := range t.commands {
		switch {
		case c.Hidden:
		case c.subs != nil:
			for _, s := range c.subs {
				out = append(out, []*command{c, s})
			}
		default:
			out = append(out, []*command{c})
		}
	}
	return out
}
