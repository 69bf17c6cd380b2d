package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/setup"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/report"
)

func initCommand() *command {
	return &command{Command: cli.Command{Name: "init", Usage: "make this directory a workspace",
		Description: paragraphs("Reads the files of nx, turbo or moon where one of these runs the tasks here. Otherwise it finds the projects by their manifests (`package.json`, `go.mod`, `Cargo.toml`, `pyproject.toml`). It shows a workspace of them with tasks, and writes it: `.haz/workspace.yml`, overlays in `.haz/tasks`, and a `haz.yml` where a project needs one of its own. On a terminal it asks first. Where there are no manifests it asks on the screen which directories are projects. A workspace that exists is never touched, nor is a `haz.yml`.",
			"With `--from` it reads what another tool's files say, and writes the files of haz that say the same. What does not carry over is a comment in them, with its place."),
		Flags: []cli.Flag{
			toggle("yes", "write what is found, or what --from makes, and ask nothing"),
			fromOption(),
			toggle("dry-run", "print what would be written, as a diff, and write nothing"),
		},
		UsageText: lines("haz init", "haz init --yes", "haz init --dry-run", "haz init --from turbo --dry-run", "haz init --from turbo"),
	}, noArgs: true, do: doInit, exclusive: [][]string{{"yes", "dry-run"}}}
}

// doInit is `haz init`.
func doInit(v *invocation) error {
	if err := v.placed(); err != nil {
		return err
	}
	if v.has("from") {
		return v.initFrom(v.value("from"))
	}
	if !v.has("yes") && !v.has("dry-run") && (!v.onTerminal() || v.env("TERM") == "dumb") {
		return &hinted{text: "asking questions needs a terminal on standard input and output", hint: "haz init --dry-run shows what haz init --yes writes"}
	}
	if err := haz.MayInit(v.dir); err != nil {
		return initRefused(err)
	}
	return v.initFound()
}

// onTerminal reports whether somebody can answer questions.
func (v *invocation) onTerminal() bool { return v.stdout.Terminal && streams.IsTerminal(os.Stdin) }

// initRefused says that there is a workspace already; other errors stay what they are.
func initRefused(err error) error {
	var exists *haz.ExistingWorkspaceError
	if errors.As(err, &exists) {
		return &diag.Errors{List: diag.List{{Code: "AUX-002", Message: exists.Error()}}}
	}
	return err
}

// initInteractively shows the screens, and writes what was confirmed.
func (v *invocation) initInteractively() error {
	m := setup.New(v.ctx, v.dir, !report.SpeaksUTF8(v.env), v.styled(v.stdout).Palette)
	if err := v.runScreen(m); err != nil {
		return err
	}
	code, draft := m.End()
	switch {
	case code != 0:
		return exit(code)
	case draft == nil:
		v.out.Print("nothing was written\n")
		return nil
	}
	if err := haz.InitProjects(v.dir, draft.Create, draft.Workspace); err != nil {
		return initRefused(err)
	}
	for _, f := range draft.Create {
		v.out.Print("created " + setup.FileName(f.Root) + "\n")
	}
	v.out.Print("created .haz/workspace.yml\n")
	return nil
}

// runScreen shows a model until it is over, and gives the terminal back on every way out.
func (v *invocation) runScreen(m tea.Model) error {
	g := &guarded{Model: m}
	// Signals are ours, so that each has its exit code. The library catches panics of its own.
	g.program = tea.NewProgram(g, tea.WithContext(v.ctx), tea.WithInput(os.Stdin), tea.WithOutput(v.stdout.File), tea.WithEnvironment(v.environ),
		tea.WithoutSignalHandler())
	signals := watchSignals(nil, 0, nil)
	defer signals.close()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case i := <-signals.interrupts:
			g.program.Send(setup.Interrupted{Code: 128 + i.Number})
		case <-over:
		}
	}()
	_, err := g.program.Run()
	switch {
	case g.caught != "":
		v.tell(internalError(g.caught))
		return exit(2)
	case err != nil:
		return fmt.Errorf("the terminal: %w", err)
	}
	return nil
}

// guarded is a model whose panics end the screen as a key would. The library restores the terminal after a panic, too, but
// shows people a stack.
type guarded struct {
	tea.Model
	program *tea.Program
	caught  string // the first panic
}

func (g *guarded) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	defer g.catch(func() { next, cmd = g, tea.Quit })
	if g.caught == "" {
		g.Model, cmd = g.Model.Update(msg)
	}
	return g, cmd
}

func (g *guarded) View() (v tea.View) {
	defer g.catch(func() {
		v = tea.NewView("")
		go g.program.Quit() // it waits for the loop that asked for this view
	})
	if g.caught == "" {
		return g.Model.View()
	}
	return tea.NewView("")
}

func (g *guarded) catch(leave func()) {
	if r := recover(); r != nil {
		g.caught = strings.ReplaceAll(fmt.Sprint(r), "\n", " ") + " (" + panicPlace() + ")"
		leave()
	}
}
