package actors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// The steps of a task that read, hash, copy or wait for the disk. Each runs in a worker and returns the one answer.

// resolve is the step resolving.
func (b *builder) resolve(ctx context.Context, j *job, m messages.Resolve) any {
	if !b.enter(j) {
		return nil
	}
	defer b.leave(j)
	if !Wanted(b.r.o.FS, b.r.o.OS, b.r.o.Env, j.task) {
		return messages.ConditionUnmet{Ref: m.Ref}
	}
	notes, failed := b.derive(ctx, j, m)
	if failed != nil {
		return failed
	}
	k := messages.Keyed{Key: j.derived.Key, Notes: notes}
	missed := messages.EntryMissed{Ref: m.Ref, Keyed: k}
	if !m.Look {
		return missed
	}
	if answer := b.lookUp(j, missed); answer != nil {
		return answer
	}
	first := m.First + len(notes)
	if !m.Begun {
		first++ // the start itself
	}
	return b.restore(ctx, j, restoring{ref: m.Ref, keyed: k, first: first})
}

// derive finds the key of a task; failed is the answer when there is none.
func (b *builder) derive(ctx context.Context, j *job, m messages.Resolve) (notes []messages.Note, failed any) {
	j.looks(&b.order)
	d, err := b.r.o.Deriver.Derive(ctx, j.task, b.upstreams(j, m.Upstreams))
	if isAway(err) {
		// Another haz may be making it anew: then it is waited for, and otherwise looked for once more.
		if refused := b.lock(j); refused != nil {
			return nil, refusal(m.Ref, refused)
		}
		b.r.treeChanged()
		if ups := b.unsettled(j); len(ups) > 0 {
			if notes, failed = b.mend(ctx, j, m.Ref, ups); failed != nil {
				return nil, failed
			}
		}
		d, err = b.r.o.Deriver.Derive(ctx, j.task, b.upstreams(j, m.Upstreams))
		b.unlock(j)
	}
	if err != nil {
		if why := b.r.moved(); why != "" { // what is missing is missing with all the rest
			return nil, messages.KeyFailed{Ref: m.Ref, Error: messages.TaskError{Kind: messages.ErrKey, Reason: why}}
		}
		e := keyError(err)
		if e.Hint == "" {
			e.Hint = b.missingInput(ctx, j, err)
		}
		return nil, messages.KeyFailed{Ref: m.Ref, Error: e}
	}
	j.derived = d
	j.hasRead(d)
	return append(notes, b.inputNotes(ctx, j)...), nil
}

// upstreams is what the hard upstreams of a task contribute to its key.
func (b *builder) upstreams(j *job, digests []messages.UpstreamDigests) []key.Upstream {
	plan := b.r.o.Plan
	ups := make([]key.Upstream, len(digests))
	edges := plan.Up[j.index]
	for i, u := range digests {
		t := plan.Tasks[u.Task]
		ups[i] = key.Upstream{Task: t.ID, Made: len(t.Outputs) > 0, Own: u.Own, Closure: u.Closure, Streams: u.Streams}
		for edges[0].Task != u.Task || edges[0].Kind != graph.Hard { // both are in plan order
			edges = edges[1:]
		}
		ups[i].Narrow, ups[i].Printed = edges[0].Narrow, edges[0].Streams
	}
	return ups
}

// contribute notes what a task with this product contributes to the keys of its downstreams.
func (b *builder) contribute(j *job, p *messages.Product) {
	u := b.r.o.Deriver.Contribution(j.task, j.derived, p.OutputsDigest)
	p.Own, p.Closure, p.Streams = u.Own, u.Closure, b.r.o.Deriver.Streams(p.StdoutDigest, p.StderrDigest)
}

// isAway reports whether an input does not exist.
func isAway(err error) bool {
	var k *key.Error
	return errors.As(err, &k) && errors.Is(k.Err, fs.ErrNotExist)
}

func keyError(err error) messages.TaskError {
	e := messages.TaskError{Kind: messages.ErrKey, Reason: err.Error()}
	var k *key.Error
	if errors.As(err, &k) {
		e.Hint = k.Hint
		e.Causes = causes(k.Err)
	}
	return e
}

// causes is the chain behind a sentence; "does not exist" needs none.
func causes(err error) []string {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return []string{err.Error()}
}

// lookUp looks for the entry of the key just derived; nil when it is there.
func (b *builder) lookUp(j *job, missed messages.EntryMissed) (answer any) {
	j.remake = false
	man, miss := b.r.o.Cache.Lookup(j.derived.Key)
	if miss == nil {
		if missed.Miss = b.remakeAsked(j); missed.Miss != nil {
			return missed
		}
		j.manifest = man
		return nil
	}
	missed.Miss = miss
	switch miss.Reason {
	case entry.Damaged:
		k := j.derived.Key
		return b.setAside(j, miss.Detail, nil, func(became string) any {
			missed.Miss.Became, missed.Note = became, damagedNote(k, miss.Detail, became)
			return missed
		})
	case entry.Unreadable:
		missed.Note = fmt.Sprintf("the cache entry %s cannot be read (%s)", j.derived.Key.Short(), miss.Detail)
	case entry.NoEntry:
		if b.r.o.Explain {
			missed.Miss.Detail = b.explain(j)
		}
	}
	return missed
}

// damagedNote says what became of a damaged entry, if anything.
func damagedNote(k entry.Key, why, became string) string {
	note := fmt.Sprintf("the cache entry %s is damaged (%s)", k.Short(), why)
	if became == "" {
		return note + " and stays as it is: the cache is only read"
	}
	return note + " and " + became
}

// explain says what is new in a key, by the record of the last one; "" when that is not known.
func (b *builder) explain(j *job) string {
	rec, ok := b.r.o.State.LastKey(j.task.ID.String())
	if !ok {
		return ""
	}
	secret, ok := b.r.o.State.Secret(false)
	if !ok {
		return ""
	}
	diffs, _, ok := b.r.o.Deriver.Diff(rec, j.task, j.derived, secret)
	if !ok || len(diffs) == 0 {
		return ""
	}
	s := diffs[0].Sentence()
	if n := len(diffs) - 1; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// input looks a path up among the inputs of the key.
func (j *job) input(path string) (fsys.Info, digest.Digest, bool) { return j.derived.Input(path) }

func (b *builder) loadProducts(j *job) state.Products {
	if !j.hasProducts {
		j.products, j.hasProducts = b.r.o.State.Products(j.task.ID.String()), true
	}
	return j.products
}

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
	if (work == nil || !work.Nothing) && !m.write {
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
		Outputs: man.Outputs, OutputsDigest: ProductDigest(b.r.o.Hash, j.task, j.derived, man.Outputs)}, Attempt: max(1, man.Attempt)}
	restored.Said = append(notes, b.displacedNote(got.Kept, "gave way to what is recorded")...)
	b.contribute(j, &restored.Product)
	for _, o := range j.claims(man.Outputs) {
		restored.Wrote = append(restored.Wrote, o.Path)
	}
	restored.Reads = b.reads(j, man.Outputs)
	b.keep(j, got.Products.Files, !work.Unwritten)
	restored.Said = append(restored.Said, b.outputNotes(ctx, j, man.Outputs)...)
	if !work.Nothing {
		restored.Said = append(restored.Said, b.wroteLate(j, man.Outputs, restored.Reads)...)
	}
	restored.Said = append(restored.Said, b.readEarly(j)...)
	restored.Next = m.first
	restored.Next = b.emitStreams(j, restored.Next, man.Order, got.Stdout, got.Stderr)
	return restored
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

// emitPiece passes on what src has.
func (b *builder) emitPiece(j *job, next int, stderr bool, src io.Reader, length int64) int {
	const most = 32 << 10
	for ; length > 0; length -= most {
		p := make([]byte, min(length, most))
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

// claims are the outputs that are this task's alone: all but directories that hold something, or that no pattern matches,
// which tasks may share.
func (j *job) claims(outs []entry.Output) []entry.Output {
	patterns := workspace.Patterns(j.task.Outputs)
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

// reads lists who reads the outputs of a task, each reader once (EXEC-019).
func (b *builder) reads(j *job, outs []entry.Output) []messages.Read {
	var reads []messages.Read
	seen := map[int]bool{j.task.Index: true}
	for _, o := range j.claims(outs) {
		for _, r := range b.r.o.Plan.G.Readers(o.Path) {
			if !seen[r.Task] {
				seen[r.Task] = true
				reads = append(reads, messages.Read{Reader: r.Task, Input: r.Input, Path: o.Path})
			}
		}
	}
	return reads
}

// prepare is the step between grant and spawn.
func (b *builder) prepare(ctx context.Context, j *job, m messages.PrepareExecution) any {
	if !b.enter(j) {
		return nil
	}
	defer b.leave(j)
	if refused := b.lock(j); refused != nil {
		return refusal(m.Ref, refused)
	}
	if why := b.r.moved(); why != "" {
		b.unlock(j)
		return messages.KeyFailed{Ref: m.Ref, Error: messages.TaskError{Kind: messages.ErrSpawn, Reason: why}}
	}
	if ups := b.unsettled(j); len(ups) > 0 {
		if m.Unchecked { // again and again
			b.unlock(j)
			return unsettledError(m.Ref, ups[0], "it was several times")
		}
		notes, answer := b.mend(ctx, j, m.Ref, ups)
		if answer != nil {
			return answer
		}
		return messages.InputsMoved{Ref: m.Ref, Notes: notes}
	}
	if !m.Unchecked {
		moved, err := b.lookBefore(ctx, j)
		if err != nil {
			b.unlock(j)
			return messages.KeyFailed{Ref: m.Ref, Error: keyError(err)}
		}
		if len(moved) > 0 {
			b.unlock(j)
			b.r.treeChanged()
			return messages.InputsMoved{Ref: m.Ref, Paths: moved}
		}
		if b.madeMeanwhile(j) {
			b.unlock(j)
			return messages.InputsMoved{Ref: m.Ref}
		}
	}
	notes, err := b.makeWay(ctx, j)
	var snap *outputs.Snapshot
	if err == nil {
		snap, err = outputs.TakeSnapshot(ctx, b.r.o.FS, workspace.Patterns(j.task.Outputs), outputs.Owner{Below: j.left.was.Below, Now: b.r.o.State.Stamp})
	}
	if err != nil {
		b.unlock(j)
		return messages.KeyFailed{Ref: m.Ref, Error: messages.TaskError{Kind: messages.ErrOutputUnreadable, Reason: err.Error()}}
	}
	j.before = snap
	b.markRunning(j)
	return messages.ExecutionPrepared{Ref: m.Ref, Notes: notes, Locks: j.locks.Load()}
}

// madeMeanwhile reports, once a task, whether another haz has stored the result between the look-up and the lock. To make it
// again would not only be in vain: whoever reads it at that time sees it rewritten.
func (b *builder) madeMeanwhile(j *job) bool {
	if !b.r.o.Lookup || !j.task.Cache || j.lookedAgain || j.remake {
		return false
	}
	j.lookedAgain = true
	found, _ := b.r.o.Cache.Explain(j.derived.Key)
	return found != nil
}

// collect is the step collecting.
func (b *builder) collect(ctx context.Context, j *job, m messages.CollectOutputs) any {
	if !b.enter(j) {
		return nil
	}
	defer b.leave(j)
	j.printed = m.Streams.(*recorder)
	request := outputs.Request{Task: j.task.ID.String(), Patterns: workspace.Patterns(j.task.Outputs), Before: j.before, Products: j.left.kept(),
		Source: j.isSource, Defines: b.r.o.Plan.G.W.Defines, Input: j.input, MadeBy: func(p string) string { return b.madeBy(j.task, p) }, PresenceOnly: m.PresenceOnly,
		DirMode: b.r.o.Deriver.DirMode(), Spell: j.spell, Texts: j.texts()}
	got, err := b.collectOutputs(ctx, j, request)
	if err != nil {
		return messages.OutputsRejected{Ref: m.Ref, Error: rejectError(err)}
	}
	j.collected = got
	answer := messages.OutputsCollected{Ref: m.Ref, NotStorable: got.NotStorable, Hint: got.Hint, Quiet: got.Quiet}
	stdout, stderr, lost := j.printed.finish()
	answer.Product = messages.Product{StdoutLen: stdout.Len, StderrLen: stderr.Len, StdoutDigest: stdout.Digest, StderrDigest: stderr.Digest,
		Outputs: got.Outputs, OutputsDigest: got.Digest, Wrote: got.Wrote}
	if m.PresenceOnly {
		return answer
	}
	if j.remake {
		j.was = j.derived.Key
		b.r.o.State.Remade(j.task.ID.String(), j.was, false)
	}
	b.contribute(j, &answer.Product)
	answer.Reads = b.reads(j, got.Outputs)
	answer.Notes = slices.Concat(b.outputNotes(ctx, j, got.Outputs), b.wroteLate(j, got.Outputs, answer.Reads), b.readEarly(j))
	switch {
	case answer.NotStorable != "" && !answer.Quiet:
	case j.printed.incomplete != "":
		answer.NotStorable, answer.Quiet = j.printed.incomplete, false
	case lost != "":
		answer.NotStorable, answer.Quiet = lost, false
	default:
		if reason, hint := b.movedMeanwhile(ctx, j); reason != "" {
			answer.NotStorable, answer.Hint, answer.Quiet = reason, hint, false
		}
	}
	if answer.NotStorable == "" || answer.Quiet {
		b.writeProducts(j, got.Produced)
		j.listed = true
	}
	b.keep(j, got.Produced, j.listed)
	return answer
}

func rejectError(err error) messages.TaskError {
	e := messages.TaskError{Kind: messages.ErrOutputUnreadable, Reason: err.Error()}
	var r *outputs.RejectError
	if errors.As(err, &r) {
		e.Kind, e.Hint = messages.ErrorKind(r.Kind), r.Hint
		e.Causes = causes(r.Err)
	}
	return e
}

// stage is the step storing, up to the publishing rename.
func (b *builder) stage(ctx context.Context, j *job, m messages.StoreEntry) any {
	if !b.enter(j) {
		return nil
	}
	defer b.leave(j)
	stdout, stderr, _ := j.printed.finish()
	staged, err := b.r.o.Cache.Stage(ctx, cache.StoreRequest{Key: j.derived.Key, Outputs: j.collected.Outputs, Stdout: stdout, Stderr: stderr,
		Order: j.printed.order(), Task: j.task.ID.String(), CreatedAt: b.r.o.Clock.Now().Unix(), DurationMS: m.DurationMS, Attempt: m.Attempt, Replace: b.r.o.Replace || j.remake})
	if err != nil {
		return messages.StoreFailed{Ref: m.Ref, Reason: err.Error()}
	}
	return &turn{task: j.index, do: func() any { return b.publish(j, m.Ref, staged) }, after: staged.Tidy}
}

// publish is the serialized part of a store, in its turn. A store that was abandoned is discarded.
func (b *builder) publish(j *job, ref messages.Ref, staged *cache.Staged) any {
	if j.abandoned(ref.Attempt) || b.r.noStart.Load() {
		return messages.StoreFailed{Ref: ref, Reason: "run cancelled"}
	}
	there, err := staged.Place()
	if err != nil {
		return messages.StoreFailed{Ref: ref, Reason: err.Error()}
	}
	return messages.EntryStored{Ref: ref, AlreadyThere: there}
}

// setAside is the turn in which the entry of a task, which is damaged, is set aside; answer makes what the task waits for. of is
// the manifest that was read from the entry, nil when none could be.
func (b *builder) setAside(j *job, why string, of *cache.Manifest, answer func(became string) any) *turn {
	k := j.derived.Key
	return &turn{task: j.index, do: func() any { return answer(b.r.o.Cache.SetAside(k, why, of)) }}
}

// spell writes a path of an output as the task declared it: relative to the project, or from the root of the workspace.
func (j *job) spell(path string) string {
	for _, o := range j.task.Outputs {
		if o.Pattern.IsLiteral() && o.Pattern.Path() == path {
			return o.Text
		}
	}
	return path
}

// texts is how the output patterns were declared.
func (j *job) texts() []string {
	texts := make([]string, len(j.task.Outputs))
	for i, o := range j.task.Outputs {
		texts[i] = o.Text
	}
	return texts
}

// nothingToRelease reports that the task holds nothing and has nothing to write down: a hit whose records are right. While a
// step that was abandoned is still to come or at work, there may be something.
func (j *job) nothingToRelease(m messages.ReleaseTask) bool {
	return !j.underWay() && j.locks.Load() == nil && !m.Ran && (j.derived == nil || j.restored && j.hasProducts && j.products.Key == j.derived.Key)
}

// release writes down what a task left behind that did not end in a stored or restored result (8.2), and the components of
// its key (8.3), then gives its locks back.
func (b *builder) release(j *job, m messages.ReleaseTask) {
	b.r.lock(&j.step)
	defer j.step.Unlock()
	defer j.forget(b.r.o.FS)
	defer b.unlock(j)
	if j.derived == nil {
		return
	}
	b.releaseOutputs(j, m.Ran)
	if secret, ok := b.r.o.State.Secret(true); ok {
		b.r.o.State.WriteLastKey(j.task.ID.String(), b.r.o.Deriver.Record(j.task, j.derived, secret, b.r.o.Name, b.r.o.Clock.Now().Unix()))
	}
}
