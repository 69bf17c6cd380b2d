package main

import (
	"context"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/report"
)

// invocation is one command under way: what was asked for, and the world it happens in.
type invocation struct {
	*world
	ctx  context.Context
	c    *cli.Context
	p    *parsed
	out  *reportWriter // what the user asked for
	errs report.Output // diagnostics
}

// world is what the program gets from outside, read once.
type world struct {
	args    []string // without the program's name
	environ []string
	env     func(string) string
	dir     string // absolute; where the command stands
	dirErr  error  // there is no such place
	started string // where the program was started, before -C
	stdout  stream
	stderr  stream

	patience *patience // of both
}

func (v *invocation) has(long string) bool     { return v.c.IsSet(long) }
func (v *invocation) value(long string) string { return v.c.String(long) }
func (v *invocation) refs() []string           { return v.c.Args().Slice() }

// exit is an exit code for which nothing more has to be said.
type exit int

func (e exit) Error() string { return "exit" }

// dispatch hands a parsed command line to the argument library, which knows commands and options from the same table. It is
// given one canonical form: global options, command, options with attached values, "--", arguments.
func dispatch(ctx context.Context, w *world, p *parsed, out *reportWriter, errs report.Output) error {
	app := &cli.App{
		Name:      "haz",
		HideHelp:  true,
		Flags:     flags(globals),
		Writer:    io.Discard, // the library has nothing to say that we do not say better
		ErrWriter: io.Discard,
		// Exit codes are ours to choose, in one place.
		ExitErrHandler: func(*cli.Context, error) {},
		HideVersion:    true,
	}
	app.Commands = []*cli.Command{build(p.path, func(c *cli.Context) error {
		v := &invocation{world: w, ctx: ctx, c: c, p: p, out: out, errs: errs}
		return p.command().do(v)
	})}
	return app.RunContext(ctx, canonical(p))
}

// build makes the library's form of the one command that was asked for: the others need not be built.
func build(path []*command, do cli.ActionFunc) *cli.Command {
	c := path[0]
	out := &cli.Command{Name: c.name, HideHelp: true, Flags: flags(c.opts)}
	if len(path) > 1 {
		out.Subcommands = []*cli.Command{build(path[1:], do)}
	} else {
		out.Action = do
	}
	return out
}

func flags(opts []option) []cli.Flag {
	out := make([]cli.Flag, len(opts))
	for i, o := range opts {
		if o.arg == "" {
			out[i] = &cli.BoolFlag{Name: o.long}
		} else {
			out[i] = &cli.StringFlag{Name: o.long}
		}
	}
	return out
}

func canonical(p *parsed) []string {
	line := []string{"haz"}
	add := func(global bool) {
		for _, g := range p.options {
			if g.global != global {
				continue
			}
			word := g.opt.dashed()
			if g.opt.arg != "" {
				word += "=" + g.value
			}
			line = append(line, word)
		}
	}
	add(true)
	for _, c := range p.path {
		line = append(line, c.name)
	}
	add(false)
	return append(append(line, "--"), p.args...)
}

// diagnose turns any error into diagnostics of the command.
func diagnose(err error, command string) diag.List {
	var usage *usageError
	var many *diag.Errors
	switch {
	case errors.As(err, &usage):
		return diag.List{usage.d}
	case errors.As(err, &many):
		list := append(diag.List{}, many.List...)
		for i := range list {
			if list[i].Place.File == "" && list[i].Command == "" {
				list[i].Command = command
			}
		}
		return list
	}
	d := diag.Diagnostic{Command: command, Message: err.Error(), Hint: hintOf(err)}
	return diag.List{d}
}

// hintOf is the advice that an error carries.
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// hinted is an error with advice.
type hinted struct {
	text, hint string
}

func (h *hinted) Error() string { return h.text }
func (h *hinted) Hint() string  { return h.hint }
