package key

import (
	"encoding/binary"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
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
	// Printed says that what the task printed counts, too (`streams: true`): Streams is the digest of that, which Contribution does not
	// know.
	Printed bool
	Streams digest.Digest
}

// What of an upstream counts.
const (
	wordClosure = "closure" // all that it and what is behind it made
	wordOutputs = "outputs" // its outputs alone
	wordNothing = "nothing" // it has none, and is asked for nothing else: it only has to succeed
	wordStreams = "streams" // behind one of these: what it printed, too
)

// tagClosure opens what a closure digest is of.
const tagClosure = 0x16

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
	u.Closure = closure(d.o.Hash, flag(u.Made), u.Own, at.Upstreams)
	return u
}

// LeftOut is what a task contributes that is not carried out because its condition does not hold (EXEC-047): lying is the digest of
// what lies at its outputs all the same (outputs.Lying), and ups are its hard upstreams, which were carried out, or are as they were.
func (d *Deriver) LeftOut(t *workspace.Task, ups []Upstream, lying digest.Digest) Upstream {
	u := Upstream{Task: t.ID, Made: len(t.Outputs) > 0, Own: lying}
	u.Closure = closure(d.o.Hash, kindLeftOut, lying, Sorted(ups))
	return u
}

// Streams is the digest of what a task printed, by those of its stdout and stderr.
func (d *Deriver) Streams(stdout, stderr digest.Digest) digest.Digest {
	return hasher.Sum(d.o.Hash, slices.Concat(stdout[:], stderr[:]))
}

// KnownBeforehand reports whether Contribution needs no outputs, so that the key alone tells what the task contributes. What it prints
// is not known.
func KnownBeforehand(t *workspace.Task) bool { return len(t.Outputs) == 0 }

// kindLeftOut is in the closure digest of a task that is not carried out; 1 and 0 say whether one that is has outputs.
const kindLeftOut = 2

// closure digests what a task has of its own, and the closures of its upstreams, which are sorted.
func closure(fn digest.Function, kind byte, own digest.Digest, ups []Upstream) digest.Digest {
	b := make([]byte, 0, 4+8+(1+len(ups))*digest.Size)
	b = append(b, chapterRevision, byte(fn), tagClosure, kind)
	b = append(b, own[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(ups)))
	for i := range ups {
		b = append(b, ups[i].Closure[:]...)
	}
	return hasher.Sum(fn, b)
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// write writes one item of component 5.
func (u *Upstream) write(w *text.Writer) {
	w.Line(wordUpstream)
	w.Str(u.Task.Project)
	w.Str(u.Task.Task)
	switch {
	case !u.Narrow:
		w.Word(wordClosure)
		w.Digest(u.Closure)
	case u.Made:
		w.Word(wordOutputs)
		w.Digest(u.Own)
	default:
		w.Word(wordNothing)
	}
	u.writeStreams(w)
}

func (u *Upstream) writeStreams(w *text.Writer) {
	if u.Printed {
		w.Word(wordStreams)
		w.Digest(u.Streams)
	}
}

// writeRecord writes it as a record holds it: all of it, so that the parts can be told apart.
func (u *Upstream) writeRecord(w *text.Writer) {
	w.Line(wordUpstream)
	w.Str(u.Task.Project)
	w.Str(u.Task.Task)
	w.Word(choose(u.Narrow, wordOutputs, wordClosure))
	w.Word(choose(u.Made, wordOutputs, preimageKind))
	w.Digest(u.Own)
	w.Digest(u.Closure)
	u.writeStreams(w)
}
