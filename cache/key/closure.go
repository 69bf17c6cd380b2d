package key

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/workspace"
)

// Upstream is what a hard upstream contributes to a key (DAG-017, S-25).
type Upstream struct {
	Task workspace.TaskID
	// Made says that the task declares outputs: Own is their digest. One that declares none (a check, a group) has nothing
	// but its key, and Own is that.
	Made bool
	Own  digest.Digest
	// Closure is the closure digest: of Own and of the closures of the task's own hard upstreams.
	Closure digest.Digest
	// Narrow says that nothing but what the task itself made counts (`closure: false`).
	Narrow bool
}

// The kind bytes of an upstream in a key.
const (
	upClosure = 'c' // all that it and what is behind it made
	upOutputs = 'o' // its outputs alone
	upNothing = 'n' // it has none, and is asked for nothing else: it only has to succeed
)

// Contribution is what a completed task contributes to the keys of its downstreams: at is what its key was made of, outputs
// the digest of its outputs.
//
// A closure digest is a digest of digests, so that it costs no more than the task has upstreams, however many tasks are
// behind them. A `closure: false` of the task narrows its own key only: a task further down has not asked for it.
func (d *Deriver) Contribution(t *workspace.Task, at *Derived, outputs digest.Digest) Upstream {
	u := Upstream{Task: t.ID, Made: len(t.Outputs) > 0, Own: at.Key}
	if u.Made {
		u.Own = outputs
	}
	u.Closure = closure(d.o.Hash, &u, at.Upstreams)
	return u
}

// KnownBeforehand reports whether Contribution needs no outputs, so that the key alone tells what the task contributes.
func KnownBeforehand(t *workspace.Task) bool { return len(t.Outputs) == 0 }

// closure digests what u has of its own, and the closures of its upstreams, which are sorted.
func closure(fn digest.Function, u *Upstream, ups []Upstream) digest.Digest {
	b := make([]byte, 0, 4+8+(1+len(ups))*digest.Size)
	b = append(b, chapterRevision, byte(fn), tagClosure, flag(u.Made))
	b = append(b, u.Own[:]...)
	b = appendCount(b, len(ups))
	for i := range ups {
		b = append(b, ups[i].Closure[:]...)
	}
	return hasher.Sum(fn, b)
}

// append appends one item of component 5.
func (u *Upstream) append(b []byte) []byte {
	b = appendStr(b, u.Task.Project)
	b = appendStr(b, u.Task.Task)
	switch {
	case !u.Narrow:
		return append(append(b, upClosure), u.Closure[:]...)
	case u.Made:
		return append(append(b, upOutputs), u.Own[:]...)
	}
	return append(b, upNothing)
}

// appendRecord appends it as a record holds it: all of it, so that the parts can be told apart.
func (u *Upstream) appendRecord(b []byte) []byte {
	b = appendStr(b, u.Task.Project)
	b = appendStr(b, u.Task.Task)
	b = append(b, flag(u.Made), flag(u.Narrow))
	b = append(b, u.Own[:]...)
	return append(b, u.Closure[:]...)
}

func (r *reader) upstream() Upstream {
	u := Upstream{Task: workspace.TaskID{Project: r.str(), Task: r.str()}, Made: r.bool(), Narrow: r.bool()}
	u.Own, u.Closure = r.digest(), r.digest()
	return u
}

// difference says what is new about an upstream; "" when nothing that counts.
func (u *Upstream) difference(was *Upstream) (part, detail string) {
	switch {
	case was.Narrow != u.Narrow && u.Narrow:
		return "", "closure: true -> closure: false"
	case was.Narrow != u.Narrow:
		return "", "closure: false -> closure: true"
	case was.Made != u.Made && u.Made:
		return "", "declares outputs now"
	case was.Made != u.Made:
		return "", "declares no outputs any more"
	case u.Made && was.Own != u.Own:
		return "outputs", was.Own.Short() + " -> " + u.Own.Short()
	case u.Narrow:
		return "", ""
	case was.Own != u.Own:
		return "key", was.Own.Short() + " -> " + u.Own.Short()
	case was.Closure != u.Closure:
		return "closure", was.Closure.Short() + " -> " + u.Closure.Short()
	}
	return "", ""
}
