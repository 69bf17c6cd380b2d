//go:build !unix

package process

import "errors"

// System starts nothing here: groups, sessions and signals are notions of Unix.
func System(Limits, ...Option) Spawner { return unsupported{} }

type unsupported struct{}

func (unsupported) Start(c Command, _ Sink) (Process, error) {
	program := ""
	if len(c.Argv) > 0 {
		program = c.Argv[0]
	}
	return nil, &NotStartedError{Program: program, Reason: "this system is not supported", Err: errors.ErrUnsupported}
}

func (unsupported) KillAll()     {}
func (unsupported) Close() error { return nil }
