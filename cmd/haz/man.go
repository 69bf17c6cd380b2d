package main

import (
	"strings"

	"github.com/haz-build/haz/cmd/haz/early"
)

// doMan is `haz man`.
func doMan(v *invocation) error {
	v.out.print(manPage(early.Version()))
	return nil
}

// manPage is the manual page in roff, from the same table as help.
func manPage(version string) string {
	var b strings.Builder
	b.WriteString(`.TH HAZ 1 "" "haz ` + roff(version) + `" "User Commands"` + "\n")
	b.WriteString(".SH NAME\nhaz \\- run the tasks of a workspace, each only when something changed\n")
	b.WriteString(".SH SYNOPSIS\n.B haz\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIOPTION\\fR|\\fIARGUMENT\\fR]...\n")
	b.WriteString(".SH OPTIONS\nAccepted before and after the command.\n")
	manOptions(&b, globals)
	b.WriteString(".SH COMMANDS\n")
	for _, path := range allCommands() {
		c := path[len(path)-1]
		b.WriteString(".SS " + roff(strings.TrimPrefix(usage(path), "haz ")) + "\n")
		for i, p := range c.about {
			if i > 0 {
				b.WriteString(".PP\n")
			}
			b.WriteString(roff(p) + "\n")
		}
		manOptions(&b, c.opts)
		for _, r := range rules(c) {
			b.WriteString(".PP\n" + roff(r) + "\n")
		}
		if len(c.examples) > 0 {
			b.WriteString(".PP\nExamples:\n.PP\n.nf\n.RS\n" + roff(strings.Join(c.examples, "\n")) + "\n.RE\n.fi\n")
		}
	}
	for _, t := range topics {
		b.WriteString(".SH " + strings.ToUpper(roff(t.brief)) + "\n.nf\n" + roff(strings.Trim(t.body, "\n")) + "\n.fi\n")
	}
	return b.String()
}

func manOptions(b *strings.Builder, opts []option) {
	for _, o := range opts {
		name := "\\fB" + roff(o.dashed()) + "\\fR"
		if o.short != "" {
			name = "\\fB\\-" + o.short + "\\fR, " + name
		}
		if o.arg != "" {
			name += " \\fI" + roff(o.arg) + "\\fR"
		}
		b.WriteString(".TP\n" + name + "\n" + roff(o.help) + "\n")
	}
}

// roff escapes text: dashes stay dashes, backslashes are shown, and no line is taken for a request.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if l != "" && (l[0] == '.' || l[0] == '\'') {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// allCommands lists the commands that people may use, each with its parents.
func allCommands() [][]*command {
	var out [][]*command
	for _, c := range commands {
		switch {
		case c.hidden:
		case len(c.subs) > 0:
			for _, s := range c.subs {
				out = append(out, []*command{c, s})
			}
		default:
			out = append(out, []*command{c})
		}
	}
	return out
}
