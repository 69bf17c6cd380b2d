package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/report"
)

// invocation is one command under way: what was asked for, and the world it happens in.
type invocation struct {
	*world
	ctx  context.Context
	line *line
	c    *cli.Context
	out  *streams.Report // what the user asked for
	errs report.Stream   // diagnostics

	follow   func(haz.Event) // is told what happens in a run, before people are; nil: nobody
	pressed  chan os.Signal  // what is as good as a signal to a run; nil: nothing
	anew     bool            // everything is carried out, as with --force
	live     *live           // of a watch; nil: each run has its own
	services *haz.Services   // that go on between the runs of a watch
	fresh    []haz.TaskID    // that are carried out whatever the cache has, in a run that is no run of what was asked for: nothing is kept of it

	toldScreen bool // that there is none
}

// world is what the program gets from outside, read once.
type world struct {
	args    []string // without the program's name
	environ []string
	env     func(string) string
	dir     string // absolute; where the command stands
	dirErr  error  // there is no such place
	started string // where the program was started, before -C
	stdout  streams.Stream
	stderr  streams.Stream

	patience *streams.Patience // of both
}

func (v *invocation) has(long string) bool     { return v.c.IsSet(long) }
func (v *invocation) value(long string) string { return v.c.String(long) }
func (v *invocation) refs() []string           { return v.c.Args().Slice() }

// exit is an exit code for which nothing more has to be said.
type exit int

func (e exit) Error() string { return "exit" }

// run has the library read the line and call do with what was asked for: the work of a command, the version, or help.
func (l *line) run(ctx context.Context, do func(c *cli.Context, what func(*invocation) error) error) error {
	app := &cli.App{
		Name:      "haz",
		HideHelp:  true, // the library has nothing to say that we do not say better
		Writer:    io.Discard,
		ErrWriter: io.Discard,
		// Exit codes are ours to choose, in one place.
		ExitErrHandler: func(*cli.Context, error) {},
		HideVersion:    true,
		Compiled:       time.Unix(0, 1), // or it asks the disk
		Before:         l.judge,
		OnUsageError:   misread,
	}
	for _, o := range l.globals {
		if what := map[string]func(*invocation) error{"version": showVersion, "help": showHelp}[o.Name]; what != nil {
			o.Action = func(c *cli.Context, _ any) error { return cmp.Or(do(c, what), error(exit(0))) }
		}
		app.Flags = append(app.Flags, o)
	}
	app.Commands = l.build(l.path, app.Flags, do)
	return app.RunContext(ctx, l.words)
}

// build makes the library's commands, which take the global options as well: those of the path, each in the one before it. The words name
// no other, and to make all of them for the library took a third of what haz itself does before it does something.
func (l *line) build(path []*command, globals []cli.Flag, do func(*cli.Context, func(*invocation) error) error) []*cli.Command {
	if len(path) == 0 {
		return nil
	}
	c := path[0]
	theirs := c.Command
	theirs.HideHelp, theirs.Before, theirs.OnUsageError = true, l.judge, misread
	theirs.Flags = append(slices.Clone(c.Flags), globals...)
	theirs.Subcommands = l.build(path[1:], globals, do)
	theirs.Action = func(ctx *cli.Context) error { return do(ctx, c.do) }
	return []*cli.Command{&theirs}
}

// judge words what is wrong with the line as a whole, when all its options were read. Where a command is still to come, it has its say.
func (l *line) judge(c *cli.Context) error {
	command := l.command()
	switch {
	case c.Args().Present() && len(c.Command.Subcommands) > 0:
		return nil
	case l.mistake != nil:
		return l.mistake
	case c.IsSet("help"), c.IsSet("version"):
		return nil
	case command == nil:
		return l.errorf("a command is missing", noCommand)
	case command.subs != nil:
		return l.errorf("a command is missing: "+strings.Join(names(command.subs), ", "), "haz help "+command.Name+" explains them")
	case command.noArgs && len(l.args) > 0:
		return l.errorf("unexpected argument "+diag.Quote(l.args[0]), command.argsHint)
	}
	return l.together(c, command)
}

// together judges which options go together.
func (l *line) together(c *cli.Context, command *command) error {
	for _, set := range append(slices.Clone(globalExclusive), command.exclusive...) {
		if found := slices.DeleteFunc(slices.Clone(set), func(long string) bool { return !c.IsSet(long) }); len(found) > 1 {
			return l.errorf("options --"+strings.Join(found, " and --")+" are mutually exclusive", "")
		}
	}
	for _, long := range command.noRefs {
		if c.IsSet(long) && len(l.args) > 0 {
			return l.errorf("option --"+long+" cannot be combined with positional task references ("+diag.Quote(l.args[0])+")", "")
		}
	}
	for _, n := range command.needs {
		if c.IsSet(n[0]) && !c.IsSet(n[1]) {
			return l.errorf("option --"+n[0]+" is for use with --"+n[1], "")
		}
	}
	return nil
}

// misread words a mistake that the library met while it read options: a value that is none.
func misread(c *cli.Context, err error, _ bool) error {
	for _, f := range c.Command.Flags {
		if o := f.(*option); o.mistake != nil {
			return misuse(strings.TrimPrefix(strings.TrimPrefix(c.Command.HelpName, "haz"), " "), o.mistake.Error(), hintOf(o.mistake))
		}
	}
	return err
}

// usageError is a mistake on the command line.
type usageError struct{ d diag.Diagnostic }

func (e *usageError) Error() string { return e.d.Message }

func misuse(command, message, hint string) error {
	return &usageError{diag.Diagnostic{Command: command, Message: message, Hint: hint}}
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

// diskPatience is how long a file system may take for one call before people are told whom haz waits for.
const diskPatience = 10 * time.Second

// watchDisk tells of calls into file systems that do not come back, whatever haz is at, until stop is called. In a run the note goes
// where all else of the run goes.
func watchDisk(errs report.Stream) (stop func()) {
	return fsys.WatchCalls(diskPatience, func(path string, since time.Duration, others int) {
		note := messages.RunNoted{Text: waitingForDisk(path, since, others)}
		if p := suspending.printing(); p != nil {
			p.Handle(note)
			return
		}
		_, _ = errs.W.Write([]byte(report.Look{Palette: errs.Palette}.RunNote(note)))
	})
}

func waitingForDisk(path string, since time.Duration, others int) string {
	text := fmt.Sprintf("waiting %s for %s: the file system does not answer", report.Grace(since), path)
	if others > 0 {
		text = fmt.Sprintf("waiting %s for %s and %d more: the file system does not answer", report.Grace(since), path, others)
	}
	return text
}
