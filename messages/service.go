package messages

import (
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/workspace"
)

// ServiceResolved is the answer to Resolve for a service: its key, and what that contributes to the keys of its dependents.
type ServiceResolved struct {
	Ref
	Keyed
	Own, Closure digest.Digest
}

// ServiceKeyed tells the supervisor that the key of a service is known: that is all that the keys of its dependents need (EXEC-071). Answered
// by ServiceNoted.
type ServiceKeyed struct {
	Ref
	Digests UpstreamDigests
}

// ServiceNoted says that the dependents may be told.
type ServiceNoted struct{ Ref }

// NeedService tells a service that the process of a dependent is to be started. Answered by ServiceReady, at some time.
type NeedService struct {
	Run  RunID
	Task int // the service
	By   int
}

// ServiceReady tells a dependent that a service which it needs is ready.
type ServiceReady struct {
	Run      RunID
	Task     int
	Upstream int
	Port     int // where it listens in this run; 0: it says none
}

// ServiceLost tells a dependent that a service will not be ready any more, or, when it is Restarting, that it is not for now.
type ServiceLost struct {
	Run        RunID
	Task       int
	Upstream   int
	Restarting bool
	Cancelled  bool          // it was cancelled, and so is who needs it
	Cause      Cause         // of a dependent that is skipped
	After      time.Duration // ServiceNotReady: the time that it had
	Root       workspace.TaskID
}

// ServiceUnused tells a service that nobody needs it any more, now or later.
type ServiceUnused struct {
	Run  RunID
	Task int
}

// ProcessReady says that the process of a service answers as it should.
type ProcessReady struct {
	Ref
	Port int
}

// ServicePort is where a service that is ready listens in this run; Port is 0 when it says none.
type ServicePort struct{ Task, Port int }

// GiveLocksBack tells the cache actor that the task holds its task locks no longer: a service that is ready may run for days, and others may
// start one of their own.
type GiveLocksBack struct{ Ref }

// ServiceUp tells the supervisor that a service is ready.
type ServiceUp struct{ Ref }

// ReadyExpired tells a service that its process had all the time that it has to be ready.
type ReadyExpired struct{ Ref }

func (m NeedService) TaskIndex() int   { return m.Task }
func (m ServiceReady) TaskIndex() int  { return m.Task }
func (m ServiceLost) TaskIndex() int   { return m.Task }
func (m ServiceUnused) TaskIndex() int { return m.Task }
