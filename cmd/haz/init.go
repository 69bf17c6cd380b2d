package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

func initCommand() *command {
	return &command{Command: cli.Command{Name: "init", Usage: "make this directory a workspace",
		Description: "Asks on the screen which directories are projects, and writes `.haz/workspace.yml` in the current directory and a `haz.yml` into each project that has none. A workspace that exists is never touched.",
		Flags: []cli.Flag{
			toggle("yes", "write a workspace without projects, and ask nothing"),
		},
		UsageText: lines("haz init", "haz init --yes"),
	}, noArgs: true, do: doInit}
}

// doInit is `haz init`.
func doInit(v *invocation) error {
	if err := v.placed(); err != nil {
		return err
	}
	if !v.has("yes") {
		if !v.stdout.Terminal || !streams.IsTerminal(os.Stdin) || v.env("TERM") == "dumb" {
			return &hinted{text: "asking questions needs a terminal on standard input and output", hint: "haz init --yes writes a workspace without projects"}
		}
		if err := haz.MayInit(v.dir); err != nil {
			return initRefused(err)
		}
		return v.initInteractively()
	}
	if err := haz.InitWorkspace(v.dir); err != nil {
		return initRefused(err)
	}
	v.out.Print("created .haz/workspace.yml\n    to add a project: list its directory there, like `projects: [/lib]`, and write `name: lib` into lib/haz.yml\n")
	v.noteUnreadProject()
	return nil
}

// noteUnreadProject says that the haz.yml in the directory of a new workspace counts no more.
func (v *invocation) noteUnreadProject() {
	if _, err := fsys.Machine().StatInfo(filepath.Join(v.dir, layout.ProjectFile)); err == nil {
		v.warn(diag.List{{Severity: diag.Warning, Code: "DISC-005", Place: diag.Place{File: layout.ProjectFile},
			Message: "this file is not read any more: the root of a workspace of several projects cannot be one of them",
			Hint:    "move it into a folder of its own and list that in `projects`; or, to have this one project alone, remove .haz/workspace.yml"}})
	}
}

// initRefused says that there is a workspace already; other errors stay what they are.
func initRefused(err error) error {
	var exists *haz.ExistingWorkspaceError
	if errors.As(err, &exists) {
		return &diag.Errors{List: diag.List{{Code: "AUX-002", Message: exists.Error()}}}
	}
	return err
}
