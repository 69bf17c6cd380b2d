package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/messages"
)

// cacheActor is the single cache actor of a run: keys, lookups, restores, collecting and copying fan out to workers, and the
// rename that publishes an entry is serialized here.
//
// Every request is answered exactly once, also after a panic in a worker; one that was seen before is dropped.
type cacheActor struct {
	r    *running
	seen []uint32 // attempt of the latest request of each task
	load loadDesk
}

// entryStaged comes back from the worker that prepared an entry.
type entryStaged struct {
	messages.Ref
	staged *cache.Staged
}

// workDone comes back after every work, so that questions for idleness can be answered.
type workDone struct{}

func newCache(r *running) *cacheActor {
	return &cacheActor{r: r, seen: make([]uint32, len(r.o.Plan.Tasks)), load: loadDesk{r: r, name: "cache", load: r.bench.cacheLoad}}
}

func (c *cacheActor) Receive(ctx actor.Context) {
	b := c.r.bench
	switch m := ctx.Message().(type) {
	case messages.DeriveKey:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.derive(w, j, m) })
	case messages.LookUpEntry:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.lookUp(w, j, m) })
	case messages.RestoreOutputs:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.restore(w, j, m) })
	case messages.PrepareExecution:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.prepare(w, j, m) })
	case messages.AwaitLock:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.awaitLock(w, j, m) })
	case messages.CollectOutputs:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.collect(w, j, m) })
	case messages.StoreEntry:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.stage(w, j, m) })
	case entryStaged:
		c.publish(ctx, m)
	case messages.AbandonWork:
		b.job(m.Task).abandon(m.Attempt)
	case messages.ReleaseTask:
		c.release(ctx, m)
	case messages.ReportLoad:
		c.load.ask(ctx, m)
	case workDone:
		c.load.changed(ctx)
	}
}

// work hands one request to a worker. What it returns goes to the task, or (a staged entry) comes back here.
func (c *cacheActor) work(ctx actor.Context, ref messages.Ref, do func(context.Context, *job) any) {
	if ref.Attempt <= c.seen[ref.Task] {
		return
	}
	c.seen[ref.Task] = ref.Attempt
	r, self := c.r, ctx.Self()
	j := r.bench.job(ref.Task)
	w := j.begin(ref.Attempt)
	r.bench.workers.submit(ref.Task, func() {
		defer j.done()
		switch answer := do(w, j).(type) {
		case nil: // comes later: a lock is awaited
		case entryStaged:
			r.send(self, answer)
		default:
			r.send(r.tasks, answer)
		}
	}, func(reason, stack string) {
		r.send(r.supervisor, messages.TaskCrashed{Run: r.o.Run, Task: ref.Task, Reason: reason, Stack: stack})
	}, func() { r.send(self, workDone{}) })
}

// publish is the serialized part of a store. A store that was abandoned is discarded.
func (c *cacheActor) publish(ctx actor.Context, m entryStaged) {
	defer c.r.bench.unstage()
	if c.r.bench.job(m.Task).abandoned(m.Attempt) || c.r.bench.noStart.Load() {
		m.staged.Discard()
		ctx.Send(c.r.tasks, messages.StoreFailed{Ref: m.Ref, Reason: "run cancelled"})
		return
	}
	there, err := m.staged.Publish()
	if err != nil {
		ctx.Send(c.r.tasks, messages.StoreFailed{Ref: m.Ref, Reason: err.Error()})
		return
	}
	ctx.Send(c.r.tasks, messages.EntryStored{Ref: m.Ref, AlreadyThere: there})
}

func (c *cacheActor) release(ctx actor.Context, m messages.ReleaseTask) {
	if c.seen[m.Task] == releasedAttempt {
		return
	}
	c.seen[m.Task] = releasedAttempt // no request of this task means anything any more
	r, self := c.r, ctx.Self()
	j := r.bench.job(m.Task)
	if !m.Wrote {
		r.bench.tryUnlock(j) // before any downstream can ask: its key is derived by this actor, too
	}
	if j.nothingToRelease() {
		return
	}
	r.bench.workers.submit(m.Task, func() { r.bench.release(j, m) },
		func(string, string) {}, func() { r.send(self, workDone{}) })
}

const releasedAttempt = ^uint32(0)
