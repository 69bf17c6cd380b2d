package messages

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
)

// RestoreOutputs asks the cache actor to put the outputs of the entry found into the tree. Without Write it only compares:
// when all is right, or nothing but the streams had to be looked at, the answer is OutputsRestored, else OutputsDiffer.
//
// Answered by OutputsRestored, OutputsDiffer, RestoreFailed (the tree is as it was, or outputs are absent), InputsMoved, or LockRefused.
type RestoreOutputs struct {
	Ref
	Write bool
	First int // number of the first output event
}

// OutputsDiffer says that files have to be written: ask for the outputs condition, then restore with Write.
type OutputsDiffer struct{ Ref }

// OutputsRestored reports that every output is in place, bytes and mode, as when it was stored, and that the recorded
// streams went to the observer.
type OutputsRestored struct {
	Ref
	Product
	Next  int // number of the next event of the task
	Notes []Note
}

// RestoreFailed says that the entry cannot be used; the task runs instead (CACHE-020).
type RestoreFailed struct {
	Ref
	Miss  entry.Miss
	Note  string
	Notes []Note // of what was done before it failed
}

// Product is what a completed task has: its streams and outputs, what it claims, and who reads it.
type Product struct {
	StdoutLen, StderrLen       int64
	StdoutDigest, StderrDigest digest.Digest
	Outputs                    []entry.Output
	OutputsDigest              digest.Digest
	Own, Closure               digest.Digest // what it contributes to the keys of downstreams
	Wrote                      []string      // paths that the task claims (EXEC-020), sorted
	Reads                      []Read        // who reads its outputs (EXEC-019)
}

// Read says that a task of the workspace reads a concrete output.
type Read struct {
	Reader int    // position in the workspace
	Input  int    // which of its input patterns matched first
	Path   string // the output
}
