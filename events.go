package haz

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
)

// What an observer of a run is told, in this order: RunStarted; of each task TaskStarted at most once, output, notes and exactly
// one TaskFinished; RunFinished. RunNoted, ViolationFound and RunCancelling come between. Package messages describes each; a
// host needs to import this package alone.
type (
	Event          = messages.Event
	RunStarted     = messages.RunStarted
	TaskStarted    = messages.TaskStarted
	TaskOutput     = messages.TaskOutput
	TaskNoted      = messages.TaskNoted
	AttemptFailed  = messages.AttemptFailed
	TaskRestarted  = messages.TaskRestarted
	RunNoted       = messages.RunNoted
	TaskFinished   = messages.TaskFinished
	ViolationFound = messages.ViolationFound
	RunCancelling  = messages.RunCancelling
	RunFinished    = messages.RunFinished
)

// Outcome is how one task ended, and what the other values in it are.
type (
	Outcome       = messages.Outcome
	Status        = messages.Status
	Cause         = messages.Cause
	Source        = messages.Source
	StoreResult   = messages.StoreResult
	TaskError     = messages.TaskError
	ErrorKind     = messages.ErrorKind
	Violation     = messages.Violation
	ViolationKind = messages.ViolationKind
	Counts        = messages.Counts
	Leftover      = messages.Leftover
	Key           = entry.Key
	Miss          = entry.Miss
	MissReason    = entry.MissReason
	Output        = entry.Output
	OutputKind    = entry.OutputKind
	HashFunction  = digest.Function
)

// The values of Status.
const (
	Completed = messages.Completed
	Failed    = messages.Failed
	Skipped   = messages.Skipped
	Cancelled = messages.Cancelled
)

// The values of Source.
const (
	FromRun   = messages.FromRun
	FromCache = messages.FromCache
)
