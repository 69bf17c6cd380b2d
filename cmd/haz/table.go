package main

// A command of the program. The table in commands.go is the one source of parsing, help, manual page, completion and
// docs/cli.md.
type command struct {
	name  string
	args  string // synopsis of the arguments: "[TASK...]"
	brief string // one line, for lists
	about []string
	opts  []option
	subs  []*command
	// Words that complete an argument.
	completes complement

	// Constraints that can be judged without a workspace.
	noArgs    bool       // positional arguments are refused
	argsHint  string     // what to type instead of them
	exclusive [][]string // at most one option of each list
	noRefs    []string   // options that exclude positional arguments
	needs     [][2]string
	examples  []string
	hidden    bool
	do        func(*invocation) error
}

// An option of a command. Long names come without their dashes.
type option struct {
	long, short string
	arg         string   // name of the value; "" for a switch
	values      []string // the only values there are
	noun        string   // what a value is called in a message: "output mode"
	help        string
	completes   complement
	check       func(value string) error
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
)

func (o *option) dashed() string { return "--" + o.long }

// spelling is how help shows an option: "-j, --jobs N".
func (o *option) spelling() string {
	s := o.dashed()
	if o.short != "" {
		s = "-" + o.short + ", " + s
	}
	if o.arg != "" {
		s += " " + o.arg
	}
	return s
}

// option finds an option of the command by its long or short name, as written with its dashes.
func find(opts []option, written string) *option {
	for i := range opts {
		if o := &opts[i]; written == o.dashed() || o.short != "" && written == "-"+o.short {
			return o
		}
	}
	return nil
}

func (c *command) sub(name string) *command {
	for _, s := range c.subs {
		if s.name == name {
			return s
		}
	}
	return nil
}
