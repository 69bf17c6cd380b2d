package actors

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// lock takes the task locks (S-36).
func (b *builder) lock(j *job) *state.Refused {
	if j.locks.Load() != nil {
		return nil
	}
	l, refused := b.tryLock(j.task)
	j.refused = refused
	if refused == nil {
		j.locks.Store(l)
	}
	return refused
}

// tryLock takes the locks of a task. Where locks do not work State says so once, and the run goes on.
func (b *builder) tryLock(t *workspace.Task) (*state.TaskLocks, *state.Refused) {
	near := b.lockRequest(t)
	for {
		before := b.unlocked.Load()
		l, refused, _ := b.r.o.State.TryLockTask(near)
		if refused == nil || !b.finishEndings(before) {
			return l, refused
		}
	}
}

// lockRequest names the tasks of the whole workspace that must not be at work in another haz while t is: those whose outputs may
// overlap its own (S-36), and beyond that those that it reads from or that read from it. Otherwise another haz could rewrite
// an input while the task reads it, and a result from half a file would lie in the tree, if never in the cache.
func (b *builder) lockRequest(t *workspace.Task) state.LockRequest {
	g := b.r.o.Plan.G
	name := func(n int) string { return g.W.Tasks[n].ID.String() }
	r := state.LockRequest{Task: t.ID.String(), Brief: !t.Cache}
	for _, n := range b.conflicts()[t.Index] {
		r.Conflicts = append(r.Conflicts, name(n))
	}
	// A service makes nothing that could be read: who depends on it may begin while another haz starts one of its own.
	near := func(edges []graph.Edge, writes func(up int) bool) (names []string) {
		for _, e := range edges {
			if e.Task != t.Index && e.Kind.Carries() && writes(e.Task) {
				names = append(names, name(e.Task))
			}
		}
		return names
	}
	r.Reads, r.Readers = near(g.Up[t.Index], func(up int) bool { return g.W.Tasks[up].Service == nil }), near(g.Down[t.Index], func(int) bool { return t.Service == nil })
	return r
}

func (b *builder) unlock(j *job) {
	if l := j.locks.Swap(nil); l != nil {
		l.Unlock()
	}
}

// ending is a task that has ended and whose locks are being given back.
type ending struct {
	j    *job
	mu   sync.Mutex
	give func() // nil when it is done
}

// endSoon gives the locks of a task that has ended back, outside of the actor's turn, and writes its records. The locks come first,
// unless the records say what it has left half made, or a step that was abandoned is still at work.
func (b *builder) endSoon(j *job, m messages.ReleaseTask) {
	what := "the end of " + j.task.ID.String()
	release := func() { b.r.attempt(what, func() { b.release(j, m) }) }
	e := &ending{j: j, give: release}
	if l := j.locks.Load(); l != nil && !m.Wrote && !j.underWay() {
		j.locks.Store(nil)
		e.give = func() { b.r.attempt(what, l.Unlock) }
		b.ending.Add(1)
		b.r.hooks.Go(func() {
			b.finishEnding(e)
			b.ending.Add(-1)
			b.r.doneForCache()
		})
	} else {
		release = func() { b.finishEnding(e) }
	}
	b.endings.Store(e, true)
	b.workers.submit(j.index, release, func(string, string) {}, b.r.doneForCache)
}

// finishEnding is called by whoever comes; who comes second waits for the first. Counted before it is taken off the list: a task
// that was refused and finds nothing on the list sees by the number that it has to ask again.
func (b *builder) finishEnding(e *ending) {
	b.r.lock(&e.mu)
	defer e.mu.Unlock()
	if e.give == nil {
		return
	}
	e.give()
	e.give = nil
	b.unlocked.Add(1)
	b.endings.Delete(e)
}

// finishEndings gives back what tasks that have ended hold, and reports whether anything was since that number. Without it a task
// could be held up by the end of its own upstream, and be overtaken by a canonically later one (S-37). A task whose abandoned step is
// still at work keeps its locks till then: that step may be the one that asks, and would wait for itself.
func (b *builder) finishEndings(before int64) bool {
	for e := range b.endings.Range {
		if e := e.(*ending); !e.j.underWay() {
			b.finishEnding(e)
		}
	}
	return b.unlocked.Load() != before
}

func refusal(ref messages.Ref, r *state.Refused) messages.LockRefused {
	return messages.LockRefused{Ref: ref, HeldTask: r.Task, HazPID: r.HazPID, TaskPID: r.TaskPID, Ancestor: r.Ancestor, Deep: r.Deep}
}

// awaitLock tries again and again, without occupying a worker in between, and answers when the lock is free. After a
// second it says for whom it waits.
func (b *builder) awaitLock(ctx context.Context, j *job, m messages.AwaitLock) any {
	w := &lockWait{b: b, ctx: ctx, j: j, ref: m.Ref, since: b.r.o.Clock.Now(), note: b.r.o.State.BeginWait()}
	j.keep()
	b.lockWaits.Store(w, true)
	w.count(j.refused)
	b.r.timers.after(lockPoll, w.try)
	return nil
}

// lockWait is one task's wait for a lock of another haz.
type lockWait struct {
	b       *builder
	ctx     context.Context
	j       *job
	ref     messages.Ref
	since   time.Time
	note    *state.Wait
	cyclic  time.Duration // for how long it has been part of a cycle
	looked  time.Time     // when that was seen last
	said    bool
	counted bool

	mu sync.Mutex // held by a look
}

func (w *lockWait) try() {
	r := w.b.r
	w.b.workers.submit(w.j.index, w.look, func(reason, stack string) {
		w.end()
		r.send(r.supervisor, messages.TaskCrashed{Run: r.o.Run, Task: w.j.index, Reason: reason, Stack: stack})
	}, r.doneForCache)
}

func (w *lockWait) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
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
		b.r.tell(messages.LockFreed{Ref: w.ref})
		return
	}
	w.count(refused)
	if why := w.never(refused); why != "" {
		w.end()
		b.r.tell(messages.LockNeverFreed{Ref: w.ref, Reason: why})
		return
	}
	if !w.said && b.r.o.Clock.Now().Sub(w.since) >= lockMessage {
		w.said = true
		b.r.send(b.r.observer, messages.ObserveEvent{Run: b.r.o.Run, Task: -1, Event: messages.TaskNoted{Task: w.j.task.ID,
			Text: waitingFor(refused)}})
	}
	if b.r.closed.Load() {
		w.end() // no timer comes any more
		return
	}
	b.r.timers.after(lockPoll, w.try)
}

func waitingFor(r *state.Refused) string {
	if r.HazPID == 0 {
		return "waiting for another haz, which runs " + r.Task + " or a task beside it"
	}
	return fmt.Sprintf("waiting for pid %d, which runs %s", r.HazPID, r.Task)
}

// never says why the wait will not end by itself; "" when it may. Of the haz in a cycle the youngest gives way, as that lost least;
// the others do only when the cycle stays all the same.
func (w *lockWait) never(r *state.Refused) string {
	cycle := w.note.For(r)
	if cycle == nil {
		w.cyclic, w.looked = 0, time.Time{}
		return ""
	}
	now := w.b.r.o.Clock.Now()
	if !w.looked.IsZero() {
		w.cyclic += min(now.Sub(w.looked), 10*lockPoll) // more than that, and haz stood still
	}
	w.looked = now
	patience := cyclePatience
	for _, l := range cycle {
		if l.HazPID > cycle[0].HazPID {
			patience = 2 * cyclePatience
		}
	}
	if w.cyclic < patience {
		return ""
	}
	text := fmt.Sprintf("waiting would never end: this haz (pid %d) waits for %s (pid %d)", cycle[0].HazPID, r.Task, cycle[0].TaskPID)
	for _, l := range cycle[1:] {
		text += fmt.Sprintf(", under which haz pid %d waits for the task with pid %d", l.HazPID, l.TaskPID)
	}
	return text + ", which has started this haz"
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

// end is called once the wait is over, and does nothing a second time.
func (w *lockWait) end() {
	if _, waits := w.b.lockWaits.LoadAndDelete(w); !waits {
		return
	}
	w.note.End()
	w.j.done()
	if w.counted {
		w.counted = false
		w.b.awaited.Add(-1)
	}
}

// endWaits ends the waits of a run that is over; one whose look is at work ends by itself.
func (b *builder) endWaits() {
	for w := range b.lockWaits.Range {
		if w := w.(*lockWait); w.mu.TryLock() {
			w.end()
			w.mu.Unlock()
		}
	}
}
