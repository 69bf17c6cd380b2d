package messages

// CollectOutputs asks what a successful process has produced. Answered by OutputsCollected or OutputsRejected.
type CollectOutputs struct {
	Ref
	// PresenceOnly: look at presence and kind, digest nothing (cancelled while collecting).
	PresenceOnly bool
	Streams      Streams // of the process
}

// OutputsCollected reports the product of a task.
type OutputsCollected struct {
	Ref
	Product
	NotStorable string // why it must not be stored; "" when nothing speaks against it
	Hint        string
	Quiet       bool // the reason is not worth a note
	Moved       bool // the reason is that inputs moved
	Notes       []Note
}

// OutputsRejected says that the result cannot be accepted.
type OutputsRejected struct {
	Ref
	Error TaskError
}

// ClaimOutputs asks the supervisor to judge a product against the runtime invariants, before it is stored (2.6).
// Answered by ClaimJudged.
type ClaimOutputs struct {
	Ref
	Wrote []string
	Reads []Read
}

// ClaimJudged says whether the product may be stored.
type ClaimJudged struct {
	Ref
	Violated bool
}

// StoreEntry asks the cache actor to store the product just collected. Answered by EntryStored or StoreFailed.
type StoreEntry struct {
	Ref
	DurationMS int64
	Attempt    int // on which it was made
}

// EntryStored says that an entry of that key is whole and visible.
type EntryStored struct {
	Ref
	AlreadyThere bool
}

// StoreFailed says why nothing was stored; the task has completed all the same (S-01).
type StoreFailed struct {
	Ref
	Reason string
}

// AbandonWork tells the cache actor to stop the work of a task's latest request; its answer does not matter any more.
type AbandonWork struct{ Ref }

// ReleaseTask tells the cache actor that a task has ended: write down what it made, give its locks back, forget it.
type ReleaseTask struct {
	Ref
	// Wrote: an execution that did not complete left files behind; they are added to the product list (8.2).
	Wrote bool
	Ran   bool // there was a process
}
