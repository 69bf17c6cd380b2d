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

// A Suspender is a process that can stand still.
type Suspender interface {
	Suspend()
	Resume()
}

// Suspend makes those of these processes stand still that are Suspenders, until resume is called.
func Suspend(ps []Process) (resume func()) {
	var stopped []Suspender
	for _, p := range ps {
		if x, ok := p.(Suspender); ok {
			x.Suspend()
			stopped = append(stopped, x)
		}
	}
	return func() {
		for _, x := range stopped {
			x.Resume()
		}
	}
}
