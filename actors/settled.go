package actors

import (
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Settled is a task of the plan that is up to date before the run begins: carried out, it would be a hit of which nothing has to be written,
// of which nothing is said but what it printed, and at whose end nothing has to be written down.
//
// That takes, beside what its key is made of: that its condition holds; that its entry is there, whole, and that nobody has asked to have it
// made anew; that its outputs lie in the tree as recorded, that its product list lists them under this key, and that no execution of it was
// left half made; that no pattern of it is worth a note of its own. Who is never cached, who has the terminal, and who is there as a
// finalizer is not among them. A set of settled tasks is closed: of each, all upstreams in the plan are in it, over edges of whatever kind.
type Settled struct {
	Task int // position in the plan
	Hit  Hit
}

// Hit is what there is of a settled task, as it was found before the run began. It is asked of by several goroutines, and does not change
// until the end of the run; it is made when it is asked for, so that a plan of many tasks does not hold it all.
type Hit interface {
	// Result is the key, the attempt on which the result was made (at least 1), and the product without Wrote and Reads, which follow
	// from its outputs.
	Result() (key entry.Key, attempt int, product messages.Product)
	// Printed are the bytes that the result is stored with, verified, and how they followed each other.
	Printed() (stdout, stderr []byte, order cache.StreamOrder)
	// Kept is what lies in the tree, as the product list has it, with the stats that were found to be the same.
	Kept() []state.Produced
	// Missed are the patterns of overlays, defaults and sets of files that select nothing: of them is spoken at the end of the run.
	Missed() []MissedPattern
}

// MissedPattern is a pattern of a task that selected nothing.
type MissedPattern struct {
	Output bool // it is among the outputs
	At     int  // its position there
}

// UpToDate is a task that was a hit of which nothing had to be written, neither in the tree nor in its product list, and of which there was nothing to say: the
// next run may find it settled. All of it is to be read only.
type UpToDate struct {
	Task     *workspace.Task
	Derived  *key.Derived
	Manifest *cache.Manifest
	Product  messages.Product
}
