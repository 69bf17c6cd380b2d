package main

import (
	"cmp"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/cmd/haz/early"
	"github.com/haz-build/haz/diag"
)

func helpCommand() *command {
	return &command{Command: cli.Command{Name: "help", ArgsUsage: "[COMMAND...|TOPIC|TASK]", Usage: "explain a command, a topic or a task",
		Description: "Explains a command, a topic or a task: what it is for, how it is run, what it does. `haz help topics` lists the topics.",
		UsageText:   lines("haz help run", "haz help globs", "haz help lib:build"),
	}, completes: commandNames, do: doHelp}
}

// doHelp is `haz help`.
func doHelp(v *invocation) error {
	words := v.refs()
	known := []string{}
	for _, t := range topics {
		known = append(known, t.Name)
		if len(words) == 1 && words[0] == t.Name {
			v.out.Print(t.page())
			return nil
		}
	}
	if len(words) == 1 && words[0] == "topics" {
		v.out.Print(topicList())
		return nil
	}
	known = append(known, "topics")
	var path []*command
	among := v.line.commands
	for _, word := range words {
		known = append(names(among), known...)
		c := named(among, word)
		if c == nil {
			return v.helpOnWord(words, path, suggest(word, known))
		}
		path, among, known = append(path, c), c.subs, nil
	}
	v.line.help(v.out, path, v.width())
	return nil
}

// helpOnWord is `haz help` of words whose first ones, path, are a command, and whose next one is none: of a task, or a mistake.
func (v *invocation) helpOnWord(words []string, path []*command, hint string) error {
	word := words[len(path)]
	if len(words) == len(path)+1 && (len(path) == 0 || path[len(path)-1].completes == tasks) {
		text, err := v.helpOfTask(word)
		var of *hinted
		switch {
		case err == nil:
			v.out.Print(text)
			return nil
		case strings.ContainsRune(word, ':'): // no command or topic is spelled so
			return err
		case errors.As(err, &of):
			hint = cmp.Or(hint, of.hint)
		}
	}
	return v.line.errorf("there is no command or topic "+diag.Quote(strings.Join(words, " ")), hint)
}

// showHelp is `haz COMMAND --help`; of `haz run TASK --help`, help on the task, where there is one.
func showHelp(v *invocation) error {
	if l := v.line; len(l.asked) == 1 && pathName(l.path) == "run" {
		if text, err := v.helpOfTask(l.asked[0]); err == nil {
			v.out.Print(text)
			return nil
		}
	}
	v.line.help(v.out, v.line.path, v.width())
	return nil
}

const programHelp = `haz runs the tasks of a workspace, each only when something it depends on has changed.

Usage: haz [OPTION]... COMMAND [OPTION|ARGUMENT]...

Commands:
{{columns .Commands}}
Options, before or after the command:
{{columns (rows .Globals)}}
haz help COMMAND explains a command, haz help topics lists more to read.
`

const commandHelp = `haz {{.Path}}: {{.Usage}}

Usage: haz {{.Synopsis}}
{{range .Paragraphs}}
{{fill .}}{{end}}{{with .Commands}}
Commands:
{{columns .}}{{end}}{{with .Options}}
Options:
{{columns (rows .)}}{{end}}{{with .Rules}}
{{range .}}{{fill .}}{{end}}{{end}}
Global options:
{{columns (rows .Globals)}}{{with .Examples}}
Examples:
{{range .}}  {{.}}
{{end}}{{end}}`

// help writes the help of a command, or of the program when path is empty.
func (t *table) help(to io.Writer, path []*command, width int) {
	width = pageWidth(width)
	template := commandHelp
	if len(path) == 0 {
		template = programHelp
	}
	cli.HelpPrinterCustom(to, template, t.page(path), map[string]any{
		"fill":    func(text string) string { return fill(text, width, "") },
		"rows":    optionRows,
		"columns": func(rows []row) string { return columns(rows, width) },
	})
}

// pageWidth is how wide help is on a terminal of that width; 0: nobody knows.
func pageWidth(terminal int) int {
	if terminal <= 0 || terminal > early.MostWidth {
		return early.HelpWidth
	}
	return max(terminal, 40)
}

// page is what templates say of a command; without one, of the program.
type page struct {
	*command
	table *table
	Path  string // "cache clean"
}

func (t *table) page(path []*command) page {
	p := page{&command{subs: t.commands}, t, pathName(path)}
	if len(path) > 0 {
		p.command = path[len(path)-1]
	}
	return p
}

// row is two cells.
type row [2]string

func (p page) Commands() []row      { return commandRows(p.subs, strings.TrimPrefix(p.Path+" ", " ")) }
func (p page) Options() []*option   { return p.options() }
func (p page) Globals() []*option   { return p.table.globals }
func (p page) Paragraphs() []string { return parts(p.Description, "\n\n") }
func (p page) Examples() []string   { return parts(p.UsageText, "\n") }

// Pages are all commands.
func (p page) Pages() (all []page) {
	for _, path := range p.table.all() {
		all = append(all, p.table.page(path))
	}
	return all
}

// Topics are what else there is to read.
func (p page) Topics() []topic { return topics }

func (p page) Synopsis() string {
	s := p.Path
	if len(p.subs) > 0 {
		return s + " COMMAND"
	}
	if len(p.Flags) > 0 {
		s += " [OPTION]..."
	}
	if p.ArgsUsage != "" {
		s += " " + p.ArgsUsage
	}
	return s
}

// Rules say which options exclude each other.
func (p page) Rules() []string {
	var out []string
	for _, set := range p.exclusive {
		out = append(out, "Only one of --"+strings.Join(set, ", --")+".")
	}
	if len(p.noRefs) > 0 {
		refs, _, _ := strings.Cut(p.ArgsUsage, " ") // not what stands behind --
		out = append(out, "Not together with "+strings.Trim(refs, "[].")+": --"+strings.Join(p.noRefs, ", --")+".")
	}
	return out
}

func parts(text, by string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, by)
}

func commandRows(cs []*command, prefix string) []row {
	var rows []row
	for _, c := range cs {
		switch {
		case c.Hidden:
		case len(c.subs) > 0:
			rows = append(rows, commandRows(c.subs, prefix+c.Name+" ")...)
		default:
			rows = append(rows, row{prefix + c.Name, c.Usage})
		}
	}
	return rows
}

func optionRows(opts []*option) []row {
	var rows []row
	for _, o := range opts {
		lead := ""
		if len(o.Aliases) == 0 {
			lead = "    "
		}
		rows = append(rows, row{lead + o.spelling(), o.Usage})
	}
	return rows
}

// columns lays two columns out; the second is wrapped. A first cell that is too long has the second below it.
func columns(rows []row, width int) string {
	const indent, gap, widest = 2, 2, 30
	first := 0
	for _, r := range rows {
		if n := utf8.RuneCountInString(r[0]); n <= widest {
			first = max(first, n)
		}
	}
	lead := strings.Repeat(" ", indent+first+gap)
	var b strings.Builder
	for _, r := range rows {
		text := fill(r[1], width, lead)
		if r[1] == "" {
			b.WriteString(strings.Repeat(" ", indent) + r[0] + "\n")
		} else if n := utf8.RuneCountInString(r[0]); n <= first {
			b.WriteString(strings.Repeat(" ", indent) + r[0] + strings.Repeat(" ", first-n+gap) + strings.TrimPrefix(text, lead))
		} else {
			b.WriteString(strings.Repeat(" ", indent) + r[0] + "\n" + text)
		}
	}
	return b.String()
}

// fill breaks text into lines of at most width columns, each led by lead.
func fill(text string, width int, lead string) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(text) {
		w := utf8.RuneCountInString(word)
		switch {
		case n == 0:
			b.WriteString(lead)
			n = len(lead)
		case n+1+w > width:
			b.WriteString("\n" + lead)
			n = len(lead)
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += w
	}
	b.WriteByte('\n')
	return b.String()
}
