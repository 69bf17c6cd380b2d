package process

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"time"
)

// A Tool is a program that haz asks something and that is no task: git. It stays in haz's session and group, so that the keys of a
// terminal reach it, and nothing it leaves behind is looked for.
type Tool struct {
	Program string    // absolute host path
	Args    []string  // without the name of the program
	Dir     string    // absolute host path
	Env     []string  // exactly this, "NAME=value"; the last of equal names counts. An empty one is empty, not that of haz
	Stdin   io.Reader // nil: /dev/null
	Stdout  io.Writer // nil: dropped
	Stderr  io.Writer
	// PipesWait is how long the outputs may stay open after the end of the program, or of the context, held by something that it
	// started. What it had written itself has come by then. 0: as long as it takes.
	PipesWait time.Duration
}

// ToolEnd says how a Tool ended.
type ToolEnd struct {
	Status int    // exit status; -1 when a signal ended it
	Text   string // "exit status 128", "signal: killed"; "" for status 0
}

// Run starts the program and waits for its end. It is killed when ctx ends, and the error is then that of ctx; another error says that
// it could not be started, or not be fed.
func (t Tool) Run(ctx context.Context) (ToolEnd, error) {
	cmd := exec.CommandContext(ctx, t.Program, t.Args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = t.Dir, t.Env, t.PipesWait
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.Stdin, t.Stdout, t.Stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return ToolEnd{}, ctx.Err()
	}
	var ended *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return ToolEnd{}, nil
	case errors.As(err, &ended):
		return ToolEnd{ended.ExitCode(), ended.String()}, nil
	}
	return ToolEnd{}, err
}
