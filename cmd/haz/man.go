package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/cmd/haz/early"
)

func manCommand() *command {
	return &command{Command: cli.Command{Name: "man", Usage: "print the manual page",
		Description: "Prints the manual page, in the format that `man` reads.",
		UsageText:   "haz man | man -l -",
	}, noArgs: true, do: doMan}
}

// doMan is `haz man`.
func doMan(v *invocation) error {
	v.line.man(v.out, early.Version())
	return nil
}

const manPage = `.TH HAZ 1 "" "haz {{version}}" "User Commands"
.SH NAME
haz \- run the tasks of a workspace, each only when something changed
.SH SYNOPSIS
.B haz
[\fIOPTION\fR]... \fICOMMAND\fR [\fIOPTION\fR|\fIARGUMENT\fR]...
.SH OPTIONS
Accepted before and after the command.
{{define "options"}}{{range .}}.TP
{{range .Aliases}}\fB\-{{.}}\fR, {{end}}\fB\-\-{{roff .Name}}\fR{{with .Arg}} \fI{{roff .}}\fR{{end}}
{{roff .Usage}}
{{end}}{{end}}{{template "options" .Globals}}.SH COMMANDS
{{range .Pages}}.SS {{roff .Synopsis}}
{{range $i, $text := .Paragraphs}}{{if $i}}.PP
{{end}}{{roff $text}}
{{end}}{{template "options" .Options}}{{range .Rules}}.PP
{{roff .}}
{{end}}{{with .Examples}}.PP
Examples:
.PP
.nf
.RS
{{range .}}{{roff .}}
{{end}}.RE
.fi
{{end}}{{end}}{{range .Topics}}.SH {{upper (roff .Brief)}}
.nf
{{roff .Body}}
.fi
{{end}}`

// man writes the manual page.
func (t *table) man(to io.Writer, version string) {
	cli.HelpPrinterCustom(to, manPage, t.page(nil), map[string]any{
		"version": func() string { return roff(version) },
		"roff":    roff,
		"upper":   strings.ToUpper,
	})
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
