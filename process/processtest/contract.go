// Package processtest has a spawner whose processes are functions, for tests and for hosts that embed haz.
package processtest

import "github.com/haz-build/haz/process"

// Script is the body of one scripted process. It runs in its own goroutine and may write files and output.
type Script func(c process.Command, out process.Sink, signals <-chan Signal) process.Exit

// Signal is what haz sent.
type Signal uint8

const (
	Term Signal = iota + 1
	Kill
)

// Spawner runs scripts instead of programs, and counts and records what was started.
type Spawner struct{}

// New makes a spawner that looks scripts up by program name (Argv[0]); a missing one is "program not found".
func New(scripts map[string]Script) *Spawner { panic("contract") }
