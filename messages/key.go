package messages

import "github.com/haz-build/haz/cache/entry"

// DeriveKey asks the cache actor for the key of a ready task. Answered by KeyDerived or KeyFailed.
type DeriveKey struct {
	Ref
	Upstreams []UpstreamDigests // hard upstreams, in plan order
}

// KeyDerived carries the key of the inputs as they are now.
type KeyDerived struct {
	Ref
	Key   entry.Key
	Notes []Note // on the patterns of the inputs
}

// KeyFailed says that there is no key: an input is missing or cannot be read.
type KeyFailed struct {
	Ref
	Error TaskError
}

// LookUpEntry asks for the entry of the key just derived. Answered by EntryFound or EntryMissed.
type LookUpEntry struct{ Ref }

// EntryFound says that a whole entry is there. Its bytes are verified when they are used.
type EntryFound struct{ Ref }

// EntryMissed says why there is nothing to restore.
type EntryMissed struct {
	Ref
	Miss entry.Miss
	Note string // for people, when the reason is a damaged or unreadable entry
}
