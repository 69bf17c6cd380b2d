package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/process"
)

func execCommand() *command {
	return &command{Command: cli.Command{Name: "exec", ArgsUsage: "PROJECT -- COMMAND...", Usage: "run a command as a task of a project would",
		Description: paragraphs(
			"Runs COMMAND in the project's folder, in the environment that a task has which says nothing of its own. It takes the place of haz: it has the terminal, and its exit code counts.",
			"Nothing is looked up in the cache, and nothing is stored. Words behind -- are the command's, options too.",
		),
		UsageText: lines("haz exec web -- npm ls", "haz exec lib -- env"),
	}, completes: projects, do: doExec}
}

// doExec is `haz exec`.
func doExec(v *invocation) error {
	words := v.refs()
	switch len(words) {
	case 0:
		return misuse("exec", "a project is missing", "haz exec PROJECT -- COMMAND...; haz list --projects shows the projects")
	case 1:
		return misuse("exec", "a command is missing", "haz exec "+diag.Escape(words[0])+" -- COMMAND...")
	}
	w, err := v.open()
	if err != nil {
		return err
	}
	c, err := w.CommandIn(words[0], words[1:])
	if closed := w.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = process.Replace(c)
	}
	var n *process.NotStartedError
	if errors.As(err, &n) {
		return &hinted{text: n.Error(), hint: n.Hint}
	}
	return err
}
