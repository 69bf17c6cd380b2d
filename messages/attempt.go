package messages

import (
	"time"

	"github.com/haz-build/haz/cache/digest"
)

// ConditionUnmet says that the task is not to be carried out, and what it contributes to the keys of its downstreams all the same
// (EXEC-047): an answer to Resolve.
type ConditionUnmet struct {
	Ref
	Own     digest.Digest // of what lies at its outputs, made by an earlier run or by hand; zero: nothing
	Closure digest.Digest
}

// EndAttempt tells the cache actor that a process has failed and another one is to follow: write down what it left, give the task locks
// back. Answered by AttemptEnded.
type EndAttempt struct{ Ref }

// AttemptEnded says that the task holds nothing any more of its last attempt.
type AttemptEnded struct{ Ref }

// AttemptDue tells a task, after a time, that its next attempt may begin.
type AttemptDue struct {
	Ref
	After time.Duration
}
