package actors

import (
	"context"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
)

// cacheActor is the single cache actor of a run: keys, lookups, restores, collecting and copying fan out to workers. What changes
// an entry that others may see, the rename that publishes one and the setting aside of a damaged one, is serialized here: this
// actor decides whose turn it is, and one turn is over before the next begins. The renames themselves are done by a worker, so
// that this actor always answers; a slow disk holds up other stores, and nothing else.
//
// Every request is answered exactly once, also after a panic in a worker; one that was seen before is dropped.
type cacheActor struct {
	r     *running
	seen  ofEach[uint32] // attempt of the latest request of each task
	load  loadDesk
	turns []*turn // that wait, in the order in which they were asked for
}

// turn is what changes an entry that others may see. Only one is carried out at a time. It lies in the job until this
// actor has heard of it.
type turn struct {
	task  int
	do    func() (answer any) // the renames
	after func()              // what may take its time beside others, and has to be done if the turn never comes; nil: nothing
}

// turnWanted comes back from the worker that prepared a turn: an entry to publish, or a damaged one to be set aside.
type turnWanted struct{ messages.Ref }

// turnOver comes back from the worker whose turn it was, if others wait: nothing but a reason to look.
type turnOver struct{}

func newCache(r *running) *cacheActor {
	return &cacheActor{r: r, seen: newOfEach[uint32](r), load: loadDesk{r: r, name: "cache", load: r.builder.busy, asked: &r.cacheAsked}}
}

func (c *cacheActor) Receive(ctx actor.Context) {
	b := c.r.builder
	switch m := ctx.Message().(type) {
	case messages.Resolve:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.resolve(w, j, m) })
	case messages.RestoreOutputs:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.restoreOutputs(w, j, m) })
	case messages.PrepareExecution:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.prepare(w, j, m) })
	case messages.EndAttempt:
		c.work(ctx, m.Ref, func(_ context.Context, j *job) any { return b.endAttempt(j, m) })
	case messages.AwaitLock:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.awaitLock(w, j, m) })
	case messages.CollectOutputs:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.collect(w, j, m) })
	case messages.StoreEntry:
		c.work(ctx, m.Ref, func(w context.Context, j *job) any { return b.stage(w, j, m) })
	case turnWanted:
		c.wait(m)
	case messages.GiveLocksBack:
		c.giveLocksBack(m)
	case messages.AbandonWork:
		b.job(m.Task).abandon(m.Attempt)
	case messages.ReleaseTask:
		c.release(m)
	case messages.ReportIdle:
		c.load.ask(ctx, m)
	case workDone:
		c.load.changed(ctx)
	}
	c.next(ctx) // with any message: the word of the end of a turn may be lost
}

// work hands one request to a worker. What it returns goes to the task, or (a staged entry) comes back here.
func (c *cacheActor) work(ctx actor.Context, ref messages.Ref, do func(context.Context, *job) any) {
	seen := c.seen.of(ref.Task)
	if ref.Attempt <= *seen {
		return
	}
	*seen = ref.Attempt
	r, self := c.r, ctx.Self()
	j := r.builder.job(ref.Task)
	w := j.begin(ref.Attempt)
	r.builder.workers.submit(ref.Task, func() {
		switch answer := j.carryOut(w, do).(type) {
		case nil: // comes later: a lock is awaited
		case *turn:
			j.lay(answer)
			r.send(self, turnWanted{ref})
		default:
			r.tell(answer)
		}
	}, func(reason, stack string) {
		r.send(r.supervisor, messages.TaskCrashed{Run: r.o.Run, Task: ref.Task, Reason: reason, Stack: stack})
	}, r.doneForCache)
}

// wait puts the turn of a task at the end of the line.
func (c *cacheActor) wait(m turnWanted) {
	if t := c.r.builder.job(m.Task).take(); t != nil {
		c.r.builder.staged.Add(1)
		c.turns = append(c.turns, t)
	}
}

// next begins the turn that has waited longest, unless one is under way.
func (c *cacheActor) next(ctx actor.Context) {
	if len(c.turns) == 0 || !c.r.builder.inTurn.CompareAndSwap(false, true) {
		return
	}
	t := c.turns[0]
	c.turns = c.turns[1:]
	r, self := c.r, ctx.Self()
	over := sync.OnceFunc(func() {
		r.builder.inTurn.Store(false)
		if r.builder.staged.Load() > 1 { // beside this one
			r.send(self, turnOver{})
		}
	})
	r.builder.workers.submit(t.task, func() {
		defer r.builder.unstage()
		defer over()
		r.tell(t.do())
		over()
		r.builder.tidy(t)
	}, func(reason, stack string) {
		r.send(r.supervisor, messages.TaskCrashed{Run: r.o.Run, Task: t.task, Reason: reason, Stack: stack})
	}, r.doneForCache)
}

// giveLocksBack is not a step: the next one of the task may come while it is under way, and takes them again.
func (c *cacheActor) giveLocksBack(m messages.GiveLocksBack) {
	r, j := c.r, c.r.builder.job(m.Task)
	l := j.locks.Swap(nil)
	if l == nil {
		return
	}
	r.builder.workers.submit(m.Task, func() {
		r.attempt("giving back the locks of "+j.task.ID.String(), l.Unlock)
		r.builder.unlocked.Add(1)
	}, func(string, string) {}, r.doneForCache)
}

func (c *cacheActor) release(m messages.ReleaseTask) {
	seen := c.seen.of(m.Task)
	if *seen == releasedAttempt {
		return
	}
	*seen = releasedAttempt // no request of this task means anything any more
	r := c.r
	j := r.builder.job(m.Task)
	if j.nothingToRelease(m) {
		j.step.Lock() // nobody has it
		j.forget(r.o.FS)
		j.step.Unlock()
		return
	}
	r.builder.endSoon(j, m)
}

const releasedAttempt = ^uint32(0)
