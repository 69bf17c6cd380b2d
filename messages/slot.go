package messages

// TasksReady tells admission which tasks became ready by the end of others: of one, with all that it takes along when it
// fails. Who has ended gives back all that it held. It is one message, so that no order of arrival can let a canonically later
// task pass (S-37).
type TasksReady struct {
	Run   RunID
	Ended []int // none at the start of the run
	Ready []int
	Stop  bool // by a failure, with --fail-fast: as CloseAdmission that spares restores, and before anything is granted
	// Spared, with Stop, is that of CloseAdmission.
	Spared []int
}

// TaskHeldUp tells admission that a task waits for a lock of another haz, or (Resolving) that it is being resolved again, and gives back
// all that it held: in one message, or a canonically later task could be granted its slot in between (S-37).
type TaskHeldUp struct {
	Ref
	Resolving bool
}

// AskSlot asks admission for all that a process needs (2.2). Answered by SlotGranted, at some time.
type AskSlot struct{ Ref }

// AskOutputs asks for the outputs condition alone: a hit that has to write files. Answered by SlotGranted, at some time.
type AskOutputs struct{ Ref }

// SlotGranted says that the task holds what it asked for.
type SlotGranted struct{ Ref }

// ReturnSlot gives slot, tags and mutex back: the process has ended. Outputs stay held until the task has. Returning what is not
// held does nothing.
type ReturnSlot struct{ Ref }

// CloseAdmission says that nothing is to be granted any more, but (Restores) for tasks whose restore failed.
type CloseAdmission struct {
	Run RunID
	// SparesRestores: a task whose restore had begun may still be admitted (--fail-fast).
	SparesRestores bool
	// Spared tasks are granted what they ask for as before (EXEC-050).
	Spared []int
}
