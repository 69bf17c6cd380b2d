package messages

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
)

// RestoreOutputs asks the cache actor to put the outputs of the entry found into the tree. Answered by OutputsRestored, RestoreFailed
// (the tree is as it was, or outputs are absent), or LockRefused.
type RestoreOutputs struct {
	Ref
	First int // number of the first output event
}

// OutputsDiffer says that there is an entry, and that files have to be written: ask for the outputs condition, then restore.
type OutputsDiffer struct {
	Ref
	Keyed
}

// OutputsRestored reports that every output is in place, bytes and mode, as when it was stored, and that the recorded
// streams went to the observer.
type OutputsRestored struct {
	Ref
	Keyed // as an answer to Resolve
	Product
	Next    int    // number of the next event of the task
	Said    []Note // of the restore
	Attempt int    // on which the result was made
}

// RestoreFailed says that the entry cannot be used; the task runs instead (CACHE-020).
type RestoreFailed struct {
	Ref
	Keyed // as an answer to Resolve
	Miss  entry.Miss
	Note  string
	Said  []Note // of what was done before it failed
}

// Product is what a completed task has: its streams and outputs, what it claims, and who reads it.
type Product struct {
	StdoutLen, StderrLen       int64
	StdoutDigest, StderrDigest digest.Digest
	Outputs                    []entry.Output
	OutputsDigest              digest.Digest
	Own, Closure, Streams      digest.Digest // what it contributes to the keys of downstreams
	Wrote                      []string      // paths that the task claims (EXEC-020), sorted
	Reads                      []Read        // who reads its outputs (EXEC-019)
}

// Read says that a task of the workspace reads a concrete output.
type Read struct {
	Reader int    // position in the workspace
	Input  int    // which of its input patterns matched first
	Path   string // the output
}
