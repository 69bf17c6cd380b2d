package actors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
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
		return b.leaveOut(ctx, j, m)
	}
	notes, foreseen := b.foresee(ctx, j, m)
	var failed any
	if !foreseen {
		notes, failed = b.derive(ctx, j, m)
	}
	if failed != nil {
		return failed
	}
	k := messages.Keyed{Key: j.derived.Key, Notes: notes}
	if j.task.Service != nil {
		u := b.r.o.Deriver.Contribution(j.task, j.derived, digest.Digest{})
		return messages.ServiceResolved{Ref: m.Ref, Keyed: k, Own: u.Own, Closure: u.Closure}
	}
	missed := messages.EntryMissed{Ref: m.Ref, Keyed: k}
	if !m.Look {
		return missed
	}
	if !foreseen {
		if answer := b.lookUp(j, missed); answer != nil {
			return answer
		}
	}
	first := m.First + len(notes)
	if !m.Begun {
		first++ // the start itself
	}
	return b.restore(ctx, j, restoring{ref: m.Ref, keyed: k, first: first})
}

// leaveOut answers for a task whose condition does not hold (EXEC-047): who depends on it goes on, and can read what lies at its outputs
// and what was made behind it.
func (b *builder) leaveOut(ctx context.Context, j *job, m messages.Resolve) any {
	lying, err := Lying(ctx, b.r.o.FS, b.r.o.State, b.r.o.Hash, j.task)
	if err != nil {
		return messages.KeyFailed{Ref: m.Ref, Error: keyError(err)}
	}
	j.leftOut = &lying
	u := b.r.o.Deriver.LeftOut(j.task, b.upstreams(j, m.Upstreams), lying)
	return messages.ConditionUnmet{Ref: m.Ref, Own: u.Own, Closure: u.Closure}
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
	return Upstreams(b.r.o.Plan, j.index, digests)
}

// Upstreams is what the hard upstreams of a task of a plan contribute to its key, given their digests in plan order.
func Upstreams(plan *graph.Plan, task int, digests []messages.UpstreamDigests) []key.Upstream {
	ups := make([]key.Upstream, len(digests))
	edges := plan.Up[task]
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

// prepare is the step between grant and spawn.
func (b *builder) prepare(ctx context.Context, j *job, m messages.PrepareExecution) any {
	if !b.enter(j) {
		return nil
	}
	defer b.leave(j)
	b.ran.Store(true)
	if refused := b.lock(j); refused != nil {
		return refusal(m.Ref, refused)
	}
	if moved, err := b.deriveForeseen(ctx, j); moved || err != nil {
		b.unlock(j)
		if err != nil {
			return messages.KeyFailed{Ref: m.Ref, Error: keyError(err)}
		}
		return messages.InputsMoved{Ref: m.Ref}
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
	j.program = ""
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
		snap, err = outputs.TakeSnapshot(ctx, b.r.o.FS, workspace.Patterns(j.task.Outputs), outputs.Owner{Tree: b.r.o.Tree, Below: j.left.was.Below, Now: b.r.o.State.Stamp})
	}
	if err != nil {
		b.unlock(j)
		return messages.KeyFailed{Ref: m.Ref, Error: messages.TaskError{Kind: messages.ErrOutputUnreadable, Reason: err.Error()}}
	}
	j.before = snap
	b.markRunning(j)
	return messages.ExecutionPrepared{Ref: m.Ref, Notes: notes, Locks: j.locks.Load(), Program: j.program}
}

// madeMeanwhile reports, once a task, whether another haz has stored the result between the look-up and the lock. To make it
// again would not only be in vain: whoever reads it at that time sees it rewritten.
func (b *builder) madeMeanwhile(j *job) bool {
	if !b.r.o.Lookup || b.r.o.Fresh[j.index] || !j.task.Cache || j.lookedAgain || j.remake {
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
	request := outputs.Request{Task: j.task.ID.String(), Tree: b.r.o.Tree, Patterns: workspace.Patterns(j.task.Outputs), Before: j.before, Products: j.left.kept(),
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
	answer.Reads = readsOf(b.r.o.Plan.G, j.task, own(j.task, got.Outputs))
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
	b.keep(j, j.derived.Key, got.Produced, j.listed)
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
		Order: j.printed.order(), Task: j.task.ID.String(), CreatedAt: b.r.o.Clock.Now().Unix(), DurationMS: m.DurationMS, Attempt: m.Attempt, Replace: b.r.o.Replace || b.r.o.Fresh[j.index] || j.remake})
	if err != nil {
		return messages.StoreFailed{Ref: m.Ref, Reason: err.Error()}
	}
	return &turn{task: j.index, do: func() any { return b.publish(j, m.Ref, staged) }, after: staged.Tidy}
}

// publish is the serialized part of a store, in its turn. A store that was abandoned is discarded.
func (b *builder) publish(j *job, ref messages.Ref, staged *cache.Staged) any {
	if j.abandoned(ref.Attempt) || b.r.mayNot(j.index) {
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
	if j.foreseen != nil {
		return // what is written down is of this key
	}
	if secret, ok := b.r.o.State.Secret(true); ok {
		b.r.o.State.WriteLastKey(j.task.ID.String(), b.r.o.Deriver.Record(j.task, j.derived, secret, b.r.o.Name, b.r.o.Clock.Now().Unix()))
	}
}
