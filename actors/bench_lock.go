package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
)

// lock takes the task locks (S-36).
func (b *bench) lock(j *job) *state.Refused {
	if j.locks != nil {
		return nil
	}
	l, refused, err := b.r.o.State.TryLockTask(state.LockRequest{Task: j.task.ID.String(), Conflicts: b.neighbours(j.task)})
	if err != nil {
		return nil // cannot lock here: State says so once, and the run goes on
	}
	j.refused = refused
	if refused == nil {
		j.locks = l
	}
	return refused
}

func (b *bench) unlock(j *job) {
	if j.locks != nil {
		j.locks.Unlock()
		j.locks = nil
	}
}

// tryUnlock gives the locks back at once, unless a step of the task is still at work.
func (b *bench) tryUnlock(j *job) {
	if j.step.TryLock() {
		b.unlock(j)
		j.step.Unlock()
	}
}

func refusal(ref messages.Ref, r *state.Refused) messages.LockRefused {
	return messages.LockRefused{Ref: ref, HeldTask: r.Task, HazPID: r.HazPID, TaskPID: r.TaskPID, Ancestor: r.Ancestor}
}

// awaitLock tries again and again, without occupying a worker in between, and answers when the lock is free. After a
// second it says for whom it waits.
func (b *bench) awaitLock(ctx context.Context, j *job, m messages.AwaitLock) any {
	w := &lockWait{b: b, ctx: ctx, j: j, ref: m.Ref, since: b.r.o.Clock.Now()}
	j.keep()
	w.count(j.refused)
	b.r.o.Clock.AfterFunc(lockPoll, w.try)
	return nil
}

// lockWait is one task's wait for a lock of another haz.
type lockWait struct {
	b       *bench
	ctx     context.Context
	j       *job
	ref     messages.Ref
	since   time.Time
	said    bool
	counted bool
}

func (w *lockWait) try() {
	w.b.workers.submit(w.j.index, w.look, func(string, string) { w.end() }, func() { w.b.r.send(w.b.r.cache, workDone{}) })
}

func (w *lockWait) look() {
	b := w.b
	if w.ctx.Err() != nil || !b.enter(w.j) {
		w.end()
		return
	}
	defer b.leave(w.j)
	refused := b.lock(w.j)
	b.unlock(w.j)
	if refused == nil {
		w.end()
		b.r.send(b.r.tasks, messages.LockFreed{Ref: w.ref})
		return
	}
	w.count(refused)
	if !w.said && b.r.o.Clock.Now().Sub(w.since) >= lockMessage {
		w.said = true
		b.r.send(b.r.observer, messages.ObserveEvent{Run: b.r.o.Run, Task: -1, Event: messages.TaskNoted{Task: w.j.task.ID,
			Text: fmt.Sprintf("waiting for pid %d, which runs %s", refused.HazPID, refused.Task)}})
	}
	b.r.o.Clock.AfterFunc(lockPoll, w.try)
}

// count makes the wait part of the run's load while another haz holds the lock: that may take any time. A lock that this very
// run holds is given back in a moment, or never: then it is the stall check's business.
func (w *lockWait) count(r *state.Refused) {
	foreign := r == nil || !w.b.holds(r.Task)
	if foreign == w.counted {
		return
	}
	w.counted = foreign
	if foreign {
		w.b.awaited.Add(1)
	} else {
		w.b.awaited.Add(-1)
	}
}

func (w *lockWait) end() {
	w.j.done()
	if w.counted {
		w.counted = false
		w.b.awaited.Add(-1)
	}
}
