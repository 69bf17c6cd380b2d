package messages

import "github.com/haz-build/haz/cache/entry"

// Resolve asks the cache actor for all that can be said of a ready task before anything has to be decided: its key, whether there is
// an entry of that key, and whether what it holds is in the tree already.
//
// Answered by KeyFailed, LockRefused, EntryMissed, OutputsDiffer, OutputsRestored (nothing had to be written), or RestoreFailed.
type Resolve struct {
	Ref
	Upstreams []UpstreamDigests // hard upstreams, in plan order
	First     int               // number of the next event of the task
	Begun     bool              // its start was observed before
	Look      bool              // for an entry; else EntryMissed follows the key
}

// Keyed is what an answer to Resolve says of the key of the inputs as they are now.
type Keyed struct {
	Key   entry.Key
	Notes []Note // on the patterns of the inputs
}

// KeyFailed says that there is no key: an input is missing or cannot be read.
type KeyFailed struct {
	Ref
	Error TaskError
}

// EntryMissed says why there is nothing to restore.
type EntryMissed struct {
	Ref
	Keyed
	Miss *entry.Miss // nil where nobody looked
	Note string      // for people, when the reason is a damaged or unreadable entry
}
