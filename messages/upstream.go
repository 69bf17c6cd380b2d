package messages

import (
	"time"

	"github.com/haz-build/haz/workspace"
)

// BeginTask tells a task without upstreams in the plan that the run has begun.
type BeginTask struct {
	Run  RunID
	Task int
}

// UpstreamCompleted tells Task that one of its hard upstreams has completed.
type UpstreamCompleted struct {
	Run     RunID
	Task    int
	Digests UpstreamDigests
	LeftOut bool // its condition does not hold: of a service, that nobody waits for it
}

// UpstreamEnded tells Task that one of its soft or producer upstreams has ended, however it ended.
type UpstreamEnded struct {
	Run      RunID
	Task     int
	Upstream int
	Began    bool // a process of it was started
}

// UpstreamFailed tells Task that one of its hard upstreams will never complete: it failed, was skipped, or was cancelled.
type UpstreamFailed struct {
	Run       RunID
	Task      int
	Upstream  int
	Cancelled bool
	After     time.Duration    // ServiceNotReady: the time that it had
	Cause     Cause            // the cause that a skipped downstream has; ignored when Cancelled
	Root      workspace.TaskID // where the cascade began
}
