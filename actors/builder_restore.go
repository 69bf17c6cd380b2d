package actors

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// restoreOutputs is the step restoring.
func (b *builder) restoreOutputs(ctx context.Context, j *job, m messages.RestoreOutputs) any {
	if !b.enter(j) {
		return nil
	}
	defer b.leave(j)
	if refused := b.lock(j); refused != nil {
		return refusal(m.Ref, refused)
	}
	j.hasProducts = false // another haz may have written it meanwhile
	return b.restore(ctx, j, restoring{ref: m.Ref, write: true, first: m.First})
}

// restoring is what a restore is asked for, and as the answer to what.
type restoring struct {
	ref   messages.Ref
	keyed messages.Keyed
	write bool // the outputs condition and the locks are held; else it only compares
	first int  // number of the first output event
}

// restore compares the tree with the entry found and, if it may, puts it right.
func (b *builder) restore(ctx context.Context, j *job, m restoring) (answer any) {
	if !m.write && j.foreseen != nil && j.foreseen.Lacks() {
		return messages.OutputsDiffer{Ref: m.ref, Keyed: m.keyed}
	}
	t := b.target(j)
	var notes []messages.Note
	defer func() {
		switch a := answer.(type) {
		case messages.RestoreFailed:
			a.Keyed, a.Said = m.keyed, notes
			answer = a
		case *turn:
			then := a.do
			a.do = func() any {
				f := then().(messages.RestoreFailed)
				f.Keyed, f.Said = m.keyed, notes
				return f
			}
		}
	}()
	if t.Products.Running {
		if !m.write {
			return messages.OutputsDiffer{Ref: m.ref, Keyed: m.keyed} // what an execution left half written is moved away first
		}
		notes = b.moveHalfWritten(ctx, j, &t)
	}
	work, err := b.r.o.Cache.Compare(ctx, j.manifest, t)
	if err == nil && work.Nothing && !work.Recorded && !m.write {
		defer b.unlock(j)
		work, err = b.compareLocked(ctx, j, work)
	}
	if err != nil {
		return b.restoreError(j, m.ref, err)
	}
	if (work == nil || !work.Nothing || b.isLoud(j.manifest)) && !m.write {
		return messages.OutputsDiffer{Ref: m.ref, Keyed: m.keyed}
	}
	dir, err := b.spoolFor(j.manifest)
	if err != nil {
		return b.restoreError(j, m.ref, &cache.RestoreError{Reason: "its output cannot be spooled: " + err.Error(), Err: err})
	}
	got, err := b.r.o.Cache.Restore(ctx, work, dir)
	if !work.Nothing {
		b.r.treeChanged()
	}
	if err != nil {
		return b.restoreError(j, m.ref, err)
	}
	if ctx.Err() != nil {
		return messages.RestoreFailed{Ref: m.ref}
	}
	man := j.manifest
	j.restored, j.was = true, j.derived.Key
	restored := messages.OutputsRestored{Ref: m.ref, Keyed: m.keyed, Product: messages.Product{
		StdoutLen: man.StdoutLen, StderrLen: man.StderrLen, StdoutDigest: man.StdoutHash, StderrDigest: man.StderrHash,
		Outputs: man.Outputs, OutputsDigest: b.productDigest(j)}, Attempt: max(1, man.Attempt)}
	restored.Said = append(notes, b.displacedNote(got.Kept, "gave way to what is recorded")...)
	b.contribute(j, &restored.Product)
	restored.Wrote, restored.Reads = claims(b.r.o.Plan.G, j.task, man.Outputs)
	b.keep(j, j.derived.Key, got.Products.Files, !work.Unwritten)
	restored.Said = append(restored.Said, b.outputNotes(ctx, j, man.Outputs)...)
	if !work.Nothing {
		restored.Said = append(restored.Said, b.wroteLate(j, man.Outputs, restored.Reads)...)
	}
	restored.Said = append(restored.Said, b.readEarly(j)...)
	j.stood.Store(j.foreseen != nil && len(notes) == 0 && lists(&t.Products, man))
	if tell := b.r.o.UpToDate; tell != nil && !m.write && work.Nothing && work.Recorded && len(restored.Said)+len(m.keyed.Notes) == 0 {
		tell(UpToDate{j.task, j.derived, man, restored.Product, j.foreseen})
	}
	restored.Next = m.first
	restored.Next = b.emitStreams(j, restored.Next, man.Order, got.Stdout, got.Stderr)
	return restored
}

// isLoud reports whether what a task has printed takes so much of the budget that its start has to be told first: until then the observer
// keeps it, and workers that all wait for room would wait for ever.
func (b *builder) isLoud(m *cache.Manifest) bool {
	cost, room := 0, b.r.o.Budget/(2*max(1, b.r.o.Workers))
	for _, length := range m.Order.Pieces(m.StdoutLen, m.StderrLen) {
		cost += int(length) + eventCost*int(1+length/replayed)
	}
	return cost > room
}

// compareLocked compares again where all is right but not in the product list: perhaps another haz has put it there just now, and has
// written so. Taken for what somebody else left, it would never be taken away again. While another haz is at work on the
// task, the product list is left to that one. It is nil when an execution has left something half written.
func (b *builder) compareLocked(ctx context.Context, j *job, work *cache.Work) (*cache.Work, error) {
	if b.lock(j) != nil {
		work.Unwritten = true
		return work, nil
	}
	j.hasProducts = false
	t := b.target(j)
	if t.Products.Running {
		return nil, nil
	}
	return b.r.o.Cache.Compare(ctx, j.manifest, t)
}

// spoolFor is the directory for the streams of an entry, made only when they do not fit into memory.
func (b *builder) spoolFor(m *cache.Manifest) (string, error) {
	if m.StdoutLen <= streamMemory && m.StderrLen <= streamMemory {
		return "", nil
	}
	return b.r.spool.directory()
}

func (b *builder) restoreError(j *job, ref messages.Ref, err error) any {
	b.unlock(j)
	var e *cache.RestoreError
	j.lookedAgain = true // the entry is there, and was tried
	switch {
	case errors.As(err, &e) && e.IsInput:
		return messages.RestoreFailed{Ref: ref, Miss: entry.Miss{Reason: entry.NoEntry, Detail: e.Reason}}
	case errors.As(err, &e) && e.Damaged:
		k := j.derived.Key
		return b.setAside(j, e.Reason, j.manifest, func(became string) any {
			return messages.RestoreFailed{Ref: ref, Miss: entry.Miss{Reason: entry.Damaged, Detail: e.Reason, Became: became},
				Note: damagedNote(k, e.Reason, became)}
		})
	}
	return messages.RestoreFailed{Ref: ref, Miss: entry.Miss{Reason: entry.Unreadable, Detail: err.Error()},
		Note: "the outputs could not be restored, so the task runs: " + err.Error()}
}

// emitStreams passes verified streams on to the observer, in the order in which they came, and returns the number of the next
// event.
func (b *builder) emitStreams(j *job, next int, order cache.StreamOrder, stdout, stderr cache.Stream) int {
	var readers [2]io.Reader
	for i, s := range []cache.Stream{stdout, stderr} {
		if s.Path == "" {
			readers[i] = bytes.NewReader(s.Bytes)
			continue
		}
		f, err := b.r.o.FS.Open(s.Path)
		if err != nil {
			readers[i] = bytes.NewReader(nil)
			continue
		}
		defer func() {
			_ = f.Close()
			_ = b.r.o.FS.Remove(s.Path) // its bytes are on their way: the disk is not to fill with what has been said
		}()
		readers[i] = f
	}
	for isStderr, length := range order.Pieces(stdout.Len, stderr.Len) {
		r := readers[0]
		if isStderr {
			r = readers[1]
		}
		next = b.emitPiece(j, next, isStderr, io.LimitReader(r, length), length)
	}
	return next
}

// replayed is how many bytes of what was recorded are shown in one event at most.
const replayed = 32 << 10

// emitPiece passes on what src has.
func (b *builder) emitPiece(j *job, next int, stderr bool, src io.Reader, length int64) int {
	for ; length > 0; length -= replayed {
		p := make([]byte, min(length, replayed))
		n, err := io.ReadFull(src, p)
		if n > 0 && b.r.budget.acquire(n) {
			b.r.send(b.r.observer, messages.ObserveEvent{Run: b.r.o.Run, Task: j.index, N: next,
				Event: messages.TaskOutput{Task: j.task.ID, Stderr: stderr, Bytes: p[:n], Replayed: true}})
			next++
		}
		if err != nil {
			break
		}
	}
	return next
}

// claims are what a task claims of the outputs of a hit (EXEC-020), and who reads them (EXEC-019).
func claims(g *graph.Graph, t *workspace.Task, outs []entry.Output) (wrote []string, reads []messages.Read) {
	mine := own(t, outs)
	for i := range mine {
		wrote = append(wrote, mine[i].Path)
	}
	return wrote, readsOf(g, t, mine)
}

// own are the outputs that are a task's alone: all but directories that hold something, or that no pattern matches, which tasks may share.
func own(t *workspace.Task, outs []entry.Output) []entry.Output {
	patterns := workspace.Patterns(t.Outputs)
	matched := func(path string) bool {
		return slices.ContainsFunc(patterns, func(p pattern.Pattern) bool { return p.MatchOutput(path) })
	}
	claimed := make([]entry.Output, 0, len(outs))
	for i, o := range outs {
		if o.Kind != entry.Dir || !manifest.HoldsOutputs(outs[i:], o.Path) && matched(o.Path) {
			claimed = append(claimed, o)
		}
	}
	return claimed
}

// readsOf lists who reads what is a task's own, each reader once (EXEC-019), but for those to whom an edge leads anyway: they are ordered, and no cycle is
// closed by them.
func readsOf(g *graph.Graph, t *workspace.Task, own []entry.Output) (reads []messages.Read) {
	for i := range own {
		for _, r := range g.ReadersBeside(t.Index, own[i].Path) {
			if !slices.ContainsFunc(reads, func(known messages.Read) bool { return known.Reader == r.Task }) {
				reads = append(reads, messages.Read{Reader: r.Task, Input: r.Input, Path: own[i].Path})
			}
		}
	}
	return reads
}
