package actors

import (
	"context"
	"fmt"
	"slices"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Another haz may make an upstream anew after it had completed in this run: by force, or because an input was edited. When that haz
// is killed, or the task fails, what lies there is half of something, or nothing, and a reader may be about to begin. What this run
// answered for is put back then, with the locks of the upstream in hand; where that cannot be done the reader errors. It is never
// carried out on what is left.

// unsettled are the upstreams that j may read, by hard and producer edges, also by way of tasks that declare no outputs, and that are not
// what they were when they completed in this run, because another haz has begun to make them anew and has not brought that to its
// end. The locks of j are held, so that nobody is at work on those that it names.
func (b *builder) unsettled(j *job) (list []*job) {
	var ups []*job
	var kept []*outputs.Kept
	for _, i := range b.r.o.Plan.Makers(j.index, func(i int) bool { return b.job(i).kept != nil }) {
		u := b.job(i)
		switch {
		case slices.Contains(j.letBe, u):
		case u.restored || u.listed:
			ups, kept = append(ups, u), append(kept, u.kept)
		case b.isReleased(u) && b.r.o.State.Products(u.task.ID.String()).Running:
			list = append(list, u) // its own end left the product list unfinished, and that tells nothing
		}
	}
	for _, k := range outputs.Unsettled(b.r.o.State, kept) {
		list = append(list, ups[slices.Index(kept, k)])
	}
	return list
}

// isReleased reports whether a task that has ended has written down what it left behind.
func (b *builder) isReleased(u *job) bool {
	b.r.lock(&u.step)
	defer u.step.Unlock()
	return u.released
}

// mend puts back what unsettled upstreams of j had made for this run. j holds no lock afterwards, and is to derive its key again, unless
// there is an answer: what becomes of it instead.
func (b *builder) mend(ctx context.Context, j *job, ref messages.Ref, ups []*job) (notes []messages.Note, answer any) {
	b.unlock(j)
	defer b.r.treeChanged()
	for _, u := range ups {
		locks, refused := b.tryLock(u.task)
		switch {
		case refused != nil && (refused.Ancestor || !b.r.o.Plan.Reads(j.index, u.index)):
			j.letBe = append(j.letBe, u) // the one who is at work has started this haz, or is not kept apart from j (S-36)
			continue
		case refused != nil:
			return notes, refusal(ref, refused)
		}
		said, why := b.putBack(ctx, u)
		locks.Unlock()
		notes = append(notes, said...)
		if why != "" && ctx.Err() == nil {
			return notes, unsettledError(ref, u, why)
		}
	}
	return notes, nil
}

func unsettledError(ref messages.Ref, u *job, why string) messages.KeyFailed {
	return messages.KeyFailed{Ref: ref, Error: messages.TaskError{Kind: messages.ErrKey,
		Reason: fmt.Sprintf("what %s made is not there any more, and cannot be put back (%s): another haz has begun to make it anew, and did not get to the end", u.task.ID, why),
		Hint:   "run it again"}}
}

// putBack restores what a task that has completed had left in the tree. Its locks are held. why says what kept it from that.
func (b *builder) putBack(ctx context.Context, u *job) (notes []messages.Note, why string) {
	b.r.lock(&u.step) // its records may be on their way to the disk
	defer u.step.Unlock()
	id := u.task.ID.String()
	t := cache.Target{Task: id, Patterns: workspace.Patterns(u.task.Outputs), Products: b.r.o.State.Products(id), Key: u.keptKey,
		DirMode: b.r.o.Deriver.DirMode(), Defines: b.r.o.Plan.G.W.Defines, Others: func(p string) bool { return b.madeBy(u.task, p) != "" },
		Input: func(p string) (fsys.Info, digest.Digest, bool) {
			return fsys.Info{}, digest.Digest{}, mayRead(u.task, p)
		}}
	if !t.Products.Running && !t.Products.Unfinished {
		return nil, "" // somebody else has done it
	}
	man, miss := b.r.o.Cache.Explain(u.keptKey)
	switch {
	case !b.r.o.Lookup && !b.r.o.Store:
		return nil, "the cache is not used"
	case miss != nil:
		return nil, "its result is not in the cache"
	case !u.kept.Are(man.Outputs):
		return nil, "the cache has another result of it"
	}
	if t.Products.Running {
		var err error
		if notes, err = b.displaceHalfWritten(ctx, &t, func(p string) bool { return mayRead(u.task, p) }); err != nil {
			return notes, err.Error()
		}
	}
	work, err := b.r.o.Cache.Compare(ctx, man, t)
	var dir string
	if err == nil {
		dir, err = b.spoolFor(man)
	}
	if err != nil {
		return notes, err.Error()
	}
	got, err := b.r.o.Cache.Restore(ctx, work, dir)
	if err != nil {
		return notes, err.Error()
	}
	for _, s := range []cache.Stream{got.Stdout, got.Stderr} {
		if s.Path != "" {
			_ = b.r.o.FS.Remove(s.Path) // it was said when the task completed
		}
	}
	u.kept.Renew(got.Products.Files)
	notes = append(notes, messages.Note{Text: fmt.Sprintf("another haz has begun to make %s anew and did not get to the end, so what it made before was put back", id)})
	return append(notes, b.displacedNote(got.Kept, "gave way to what is recorded")...), ""
}

// mayRead reports whether an input pattern of a task matches path.
func mayRead(t *workspace.Task, path string) bool {
	return slices.ContainsFunc(t.Inputs, func(in workspace.PatternDecl) bool { return in.Pattern.Match(path) })
}
