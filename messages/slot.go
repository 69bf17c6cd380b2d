package messages

// TasksReady tells admission which tasks became ready by the end of others: of one, with all that it takes along when it
// fails. It is one message, so that no order of arrival can let a canonically later task pass (S-37).
type TasksReady struct {
	Run   RunID
	Ended []int // none at the start of the run
	Ready []int
}

// TaskResolved tells admission that a task has a hit: it will not ask for a slot, unless its restore fails.
type TaskResolved struct{ Ref }

// TaskHeldUp tells admission that a task waits for a lock of another haz, or (Keying) that it is being keyed again, and gives back
// all that it held: in one message, or a canonically later task could be granted its slot in between (S-37).
type TaskHeldUp struct {
	Ref
	Keying bool
}

// AskSlot asks admission for all that a process needs (2.2). Answered by SlotGranted, at some time.
type AskSlot struct{ Ref }

// AskOutputs asks for the outputs condition alone: a hit that has to write files. Answered by SlotGranted, at some time.
type AskOutputs struct{ Ref }

// SlotGranted says that the task holds what it asked for.
type SlotGranted struct{ Ref }

// ReturnSlot gives slot, tags and mutex back, and takes back a request that is still queued. Outputs stay held until
// ReturnOutputs. Returning what is not held does nothing.
type ReturnSlot struct {
	Ref
	// Failed: the task did; with --fail-fast the slot is given to nobody, though the word of the supervisor comes later.
	Failed bool
}

// ReturnOutputs gives the outputs condition back as well.
type ReturnOutputs struct{ Ref }

// CloseAdmission says that nothing is to be granted any more, but (Restores) for tasks whose restore failed.
type CloseAdmission struct {
	Run RunID
	// SparesRestores: a task whose restore had begun may still be admitted (--fail-fast).
	SparesRestores bool
}
