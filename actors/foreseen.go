package actors

import (
	"context"
	"slices"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
)

// Foreseen is a task of the plan of which a hit is known before the run begins: all that its key is made of is as it was written down, and so are all its
// upstreams, which are settled or foreseen, but its outputs, or those of an upstream, are not all in their place (EXEC-065). It is carried out as any task, by
// its actor; but its key is not derived.
type Foreseen struct {
	Task int // position in the plan
	Hit  Foresight
}

// Foresight is what there is of a foreseen task, as a Hit is of a settled one.
type Foresight interface {
	Hit
	// Inputs are those of the key, sorted by path, without digests and texts.
	Inputs() []key.Input
	// Lacks reports that an output was seen not to be there.
	Lacks() bool
}

// foresight is what there is of a task; nil when it is not foreseen.
func (r *running) foresight(task int) Foresight {
	i, ok := slices.BinarySearchFunc(r.o.Foreseen, task, func(f Foreseen, task int) int { return f.Task - task })
	if !ok {
		return nil
	}
	return r.o.Foreseen[i].Hit
}

// foresee does what derive and lookUp do, for a foreseen task that still is one: nothing of this run can have touched what it was foreseen by, as no process
// was about to be started, and upstreams have put back what they are written down with and nothing else. Whatever is odd is for the long way to find.
func (b *builder) foresee(ctx context.Context, j *job, m messages.Resolve) (notes []messages.Note, ok bool) {
	again := j.resolved
	j.resolved, j.foreseen = true, nil
	f := b.r.foresight(j.index)
	if f == nil || again || !m.Look || b.ran.Load() {
		return nil, false
	}
	for _, e := range b.r.o.Plan.Up[j.index] {
		if e.Task != j.index && !b.r.settled.Has(e.Task) && !b.job(e.Task).stood.Load() {
			return nil, false
		}
	}
	k, _, product := f.Result()
	man, miss := b.r.o.Cache.Explain(k)
	if miss != nil || man.Key != k || !slices.Equal(man.Outputs, product.Outputs) {
		return nil, false
	}
	j.derived = &key.Derived{Key: k, Inputs: f.Inputs(), Upstreams: key.Sorted(b.upstreams(j, m.Upstreams))}
	if b.remakeAsked(j) != nil {
		return nil, false
	}
	j.foreseen, j.manifest = f, man
	return b.inputNotes(ctx, j), true
}

// deriveForeseen derives the key of a task after all that was foreseen, and is to be executed: what was put back of it could not be used. moved says that it is
// another one by now.
func (b *builder) deriveForeseen(ctx context.Context, j *job) (moved bool, err error) {
	if j.foreseen == nil {
		return false, nil
	}
	d, err := b.r.o.Deriver.Derive(ctx, j.task, j.derived.Upstreams)
	if err != nil || d.Key != j.derived.Key {
		return err == nil, err
	}
	j.foreseen, j.derived = nil, d
	j.hasRead(d)
	return false, nil
}

// productDigest is that of the outputs of a task that has a hit.
func (b *builder) productDigest(j *job) digest.Digest {
	if j.foreseen != nil {
		_, _, product := j.foreseen.Result()
		return product.OutputsDigest
	}
	return ProductDigest(b.r.o.Hash, j.task, j.derived, j.manifest.Outputs)
}

// lists reports whether a product list has what an entry has, and nothing else.
func lists(l *state.Products, m *cache.Manifest) bool {
	return l.Key == m.Key && !l.Running && slices.EqualFunc(l.Files, m.Outputs, func(p state.Produced, o entry.Output) bool { return p.Path == o.Path })
}
