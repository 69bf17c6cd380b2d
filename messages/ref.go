package messages

import "github.com/haz-build/haz/cache/digest"

// RunID tells the messages of one run from those of another in one actor system.
type RunID uint64

// Ref says which task of which run a message is about, and which request of that task it belongs to.
//
// Attempt counts the requests of a task: a task has at most one request under way, every request has a higher Attempt than
// the one before, an answer carries the Attempt of its request. So whoever serves requests drops one that it has seen, and a
// task drops an answer to anything but its latest request: duplicates, delays and reordering are harmless.
type Ref struct {
	Run     RunID
	Task    int // position in the plan
	Attempt uint32
}

// UpstreamDigests is what a completed hard upstream contributes to a cache key.
type UpstreamDigests struct {
	Task         int           // position in the plan
	Own, Closure digest.Digest // see key.Upstream
	Streams      digest.Digest
}

// ForTask is implemented by every message that goes to a task's actor.
type ForTask interface{ TaskIndex() int }

// Referring is implemented by every message with a Ref.
type Referring interface{ Request() Ref }

// Request is the request that a message belongs to.
func (r Ref) Request() Ref { return r }

func (r Ref) TaskIndex() int               { return r.Task }
func (m BeginTask) TaskIndex() int         { return m.Task }
func (m UpstreamCompleted) TaskIndex() int { return m.Task }
func (m UpstreamEnded) TaskIndex() int     { return m.Task }
func (m UpstreamFailed) TaskIndex() int    { return m.Task }
func (m CancelTask) TaskIndex() int        { return m.Task }
func (m SkipTask) TaskIndex() int          { return m.Task }
