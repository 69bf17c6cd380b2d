package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// helpWidth is how wide help is when nobody knows better.
const helpWidth = 80

// doHelp is `haz help`.
func doHelp(v *invocation) error {
	words := v.refs()
	if len(words) == 1 {
		if words[0] == "topics" {
			v.out.print(topicList())
			return nil
		}
		for _, t := range topics {
			if t.name == words[0] {
				v.out.print(t.text())
				return nil
			}
		}
	}
	var path []*command
	for _, word := range words {
		c := top(word)
		known := names(commands)
		if len(path) > 0 {
			parent := path[len(path)-1]
			c, known = parent.sub(word), names(parent.subs)
		} else {
			for _, t := range topics {
				known = append(known, t.name)
			}
			known = append(known, "topics")
		}
		if c == nil {
			return v.p.errorf("there is no command or topic "+diag.Quote(strings.Join(words, " ")), suggest(word, known))
		}
		path = append(path, c)
	}
	v.out.print(helpText(path, v.width()))
	return nil
}

// helpText is the help of a command, or of the program when path is empty.
func helpText(path []*command, width int) string {
	if width <= 0 || width > 100 {
		width = helpWidth
	}
	width = max(width, 40)
	if len(path) == 0 {
		return programHelp(width)
	}
	return commandHelp(path, width)
}

func programHelp(width int) string {
	var b strings.Builder
	b.WriteString("haz runs the tasks of a workspace, each only when something it depends on has changed.\n\n")
	b.WriteString("Usage: haz [OPTION]... COMMAND [OPTION|ARGUMENT]...\n\nCommands:\n")
	b.WriteString(columns(commandRows(commands, ""), width))
	b.WriteString("\nOptions, before or after the command:\n")
	b.WriteString(columns(optionRows(globals), width))
	b.WriteString("\nhaz help COMMAND explains a command, haz help topics lists more to read.\n")
	return b.String()
}

func commandHelp(path []*command, width int) string {
	c := path[len(path)-1]
	var b strings.Builder
	fmt.Fprintf(&b, "haz %s: %s\n\nUsage: %s\n", pathName(path), c.brief, usage(path))
	for _, paragraph := range c.about {
		b.WriteString("\n" + wrap(paragraph, width, ""))
	}
	if len(c.subs) > 0 {
		b.WriteString("\nCommands:\n" + columns(commandRows(c.subs, c.name+" "), width))
	}
	if len(c.opts) > 0 {
		b.WriteString("\nOptions:\n" + columns(optionRows(c.opts), width))
	}
	if s := rules(c); len(s) > 0 {
		b.WriteString("\n")
		for _, line := range s {
			b.WriteString(wrap(line, width, ""))
		}
	}
	b.WriteString("\nGlobal options:\n" + columns(optionRows(globals), width))
	if len(c.examples) > 0 {
		b.WriteString("\nExamples:\n  " + strings.Join(c.examples, "\n  ") + "\n")
	}
	return b.String()
}

func pathName(path []*command) string {
	names := make([]string, len(path))
	for i, c := range path {
		names[i] = c.name
	}
	return strings.Join(names, " ")
}

func usage(path []*command) string {
	c := path[len(path)-1]
	s := "haz " + pathName(path)
	if len(c.subs) > 0 {
		return s + " COMMAND"
	}
	if len(c.opts) > 0 {
		s += " [OPTION]..."
	}
	if c.args != "" {
		s += " " + c.args
	}
	return s
}

func commandRows(cs []*command, prefix string) [][2]string {
	var rows [][2]string
	for _, c := range cs {
		switch {
		case c.hidden:
		case len(c.subs) > 0:
			rows = append(rows, commandRows(c.subs, prefix+c.name+" ")...)
		default:
			rows = append(rows, [2]string{prefix + c.name, c.brief})
		}
	}
	return rows
}

func optionRows(opts []option) [][2]string {
	var rows [][2]string
	for _, o := range opts {
		lead := ""
		if o.short == "" {
			lead = "    "
		}
		rows = append(rows, [2]string{lead + o.spelling(), o.help})
	}
	return rows
}

// rules says which options exclude each other.
func rules(c *command) []string {
	var out []string
	for _, set := range c.exclusive {
		out = append(out, "Only one of "+dashedList(set)+".")
	}
	if len(c.noRefs) > 0 {
		out = append(out, "Not together with "+strings.Trim(c.args, "[].")+": "+dashedList(c.noRefs)+".")
	}
	return out
}

func dashedList(longs []string) string {
	s := make([]string, len(longs))
	for i, l := range longs {
		s[i] = "--" + l
	}
	return strings.Join(s, ", ")
}

// columns lays two columns out; the second is wrapped. A first cell that is too long has the second below it.
func columns(rows [][2]string, width int) string {
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
		text := wrap(r[1], width, lead)
		if n := utf8.RuneCountInString(r[0]); n <= first {
			b.WriteString(strings.Repeat(" ", indent) + r[0] + strings.Repeat(" ", first-n+gap) + strings.TrimPrefix(text, lead))
		} else {
			b.WriteString(strings.Repeat(" ", indent) + r[0] + "\n" + text)
		}
	}
	return b.String()
}

// wrap breaks text into lines of at most width columns, each led by lead.
func wrap(text string, width int, lead string) string {
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
