package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
)

func checkCommand() *command {
	all, workspace := scopeOptions()
	return &command{Command: cli.Command{Name: "check", Usage: "check all configuration files and the task graph",
		Description: "Reads every file of the workspace, resolves all references and checks the graph. All errors and warnings are shown, on standard error; nothing is run.",
		Flags: []cli.Flag{
			all, workspace,
			formatOption("plain (default) or json", "plain", "json"),
		},
		UsageText: lines("haz check", "haz check --format json"),
	}, noArgs: true, argsHint: "it checks the whole workspace: haz check", do: doCheck, exclusive: [][]string{
		{"all", "workspace"},
	}}
}

// doCheck is `haz check`.
func doCheck(v *invocation) error {
	if err := v.placed(); err != nil {
		return err
	}
	c, err := haz.Check(v.ctx, v.dir, v.has("workspace"), v.hostOptions()...)
	if err != nil {
		return err
	}
	for i := range c.Diagnostics {
		if c.Diagnostics[i].Place.File == "" && c.Diagnostics[i].Command == "" {
			c.Diagnostics[i].Command = "check"
		}
	}
	bad := c.Diagnostics.HasErrors()
	switch {
	case v.value("format") == "json":
		v.printJSON(struct {
			Version     int       `json:"version"`
			OK          bool      `json:"ok"`
			Tasks       int       `json:"tasks"`
			Diagnostics diag.List `json:"diagnostics"`
		}{1, !bad, c.Tasks, c.Diagnostics})
	case bad:
		v.warn(c.Diagnostics)
	default:
		v.warn(c.Diagnostics)
		v.out.Print(fmt.Sprintf("%d task(s) validated.\n", c.Tasks))
	}
	if bad {
		return exit(2)
	}
	return nil
}
