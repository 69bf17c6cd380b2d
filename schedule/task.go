package schedule

import (
	"fmt"
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// TaskState is where a task is in its life (chapter 2, 4.1).
//
//	waiting ─▶ resolving ─┬─ hit, all is right ────────────────────────────────────────────────────────────▶ finished
//	               ▲      ├─ hit, outputs differ ─▶ clearing ─▶ restoring ─────────────────────────────────┤
//	               │      └─ miss ─▶ queueing ─▶ preparing ─▶ executing ─▶ collecting ─▶ judging ─▶ storing ┘
//	               └── inputs moved, or held up by another haz ──┘     └─▶ stopping ─▶ finished
//
// A failed restore is a miss: restoring ─▶ queueing. A failure ends any state, but for one of a process that is tried again:
// executing, stopping ─▶ settling ─▶ delaying ─▶ queueing. One that is stopped by request and started again goes the same way. Whoever needs services,
// and has to run, waits for them before it queues: awaiting.
//
// A service has no result: resolving ─▶ standby ─▶ queueing ─▶ preparing ─▶ executing ─▶ serving ─▶ stopping ─▶ finished, and from serving back
// to queueing when it is started again.
type TaskState uint8

const (
	Waiting    TaskState = iota // some upstream has not ended
	Resolving                   // all upstreams ended; the key is derived, its entry looked for, and the tree compared with it
	Clearing                    // files have to be written; waits for the outputs condition (S-07)
	Restoring                   // the outputs condition is held; files are being put back
	Queueing                    // missed; waits for a slot, holding nothing
	Preparing                   // the slot is held; locks, a last look at the inputs, the snapshot
	HeldUp                      // another haz holds a task lock; nothing is held
	Executing                   // the process runs, or is about to
	Stopping                    // the process was signalled: the run is cancelled, or its time is over
	Settling                    // the process failed and is tried again; what it left is being written down
	Delaying                    // waits for the time of the next attempt, holding nothing but the outputs condition
	Collecting                  // the process succeeded; its outputs are being looked at
	Judging                     // the supervisor compares the outputs with those of other tasks
	Storing                     // the entry is being written
	Standby                     // a service whose key is known; nobody needs it yet
	Awaiting                    // missed; waits for services to be ready, holding nothing
	Serving                     // a service that is ready
	Finished                    // the outcome was sent
)

var stateNames = [...]string{"waiting", "resolving", "clearing", "restoring", "queueing", "preparing", "held up", "executing", "stopping",
	"settling", "delaying", "collecting", "judging", "storing", "standby", "awaiting", "serving", "finished"}

func (s TaskState) String() string { return stateNames[s] }

// arrows lists every transition that the diagram has; finished is reached from everywhere.
var arrows = map[TaskState][]TaskState{
	Waiting:    {Resolving},
	Resolving:  {Clearing, Queueing, HeldUp, Awaiting, Standby},
	Clearing:   {Restoring},
	Restoring:  {Queueing, HeldUp, Awaiting},
	Standby:    {Queueing, Awaiting},
	Awaiting:   {Queueing},
	Queueing:   {Preparing, Awaiting},
	Preparing:  {Executing, Resolving, HeldUp},
	HeldUp:     {Resolving},
	Executing:  {Stopping, Collecting, Settling, Serving, Queueing, Awaiting},
	Serving:    {Stopping, Queueing, Awaiting},
	Stopping:   {Collecting, Settling, Queueing, Awaiting},
	Settling:   {Delaying, Queueing, Awaiting},
	Delaying:   {Queueing, Awaiting},
	Collecting: {Judging},
	Judging:    {Storing},
}

// maxMoves is how often a key is derived again because inputs moved before the spawn (chapter 2, section 12).
const maxMoves = 3

// taskConfig is what a task's machine knows from the plan.
type taskConfig struct {
	Rules
	index int // position in the plan
	id    workspace.TaskID

	hard []int // hard upstreams in the plan
	soft []int // upstreams in the plan over edges of other kinds that are not hard ones as well
	down []graph.Neighbour
	// finalizes holds the upstreams whose finalizer the task is; onlyThat: it is there for nothing else (EXEC-048).
	finalizes map[int]bool
	onlyThat  bool

	service  *workspace.Service // nil: it is none
	services []int              // hard upstreams that are
	target   bool               // somebody asked for it by name

	cached  bool          // the task's `cache`
	timeout time.Duration // of its process; 0: none
	retry   workspace.Retry
}

// Task is the life cycle of one task as a pure machine. Exactly one RecordOutcome leaves it, whatever happens.
type Task struct {
	c     taskConfig
	state TaskState

	pending  map[int]bool // upstreams that have not ended; true: hard
	digests  map[int]messages.UpstreamDigests
	needed   bool   // some upstream whose finalizer the task is was started
	attempt  uint32 // of the latest request
	events   int    // how many events the observer was told of or will be told of by workers
	observed bool   // TaskStarted was sent
	cancel   bool   // the run is cancelled
	force    bool
	spared   bool // cancelled, but allowed to end if it runs
	late     bool // the process was signalled because its time is over, before any cancellation
	presence bool // collecting looks at presence only
	quiet    bool // why the result is not stored is not worth a note
	moves    int  // of this attempt
	spawnAt  time.Time
	last     messages.Attempt // that failed and is to be followed by another one
	onlyThis bool             // no attempt follows: the run stops after a failure
	asked    bool             // cancelled by request, before any cancellation of the run
	again    bool             // its process was stopped by request, and the next one has not been started yet
	queuedAt time.Time
	told     bool

	s *serving // of a service
	n needing

	streams messages.Streams // of its process, on their way to the cache actor
	out     messages.Outcome
	product messages.Product
}

// NewTask makes the machine of a task of a plan, which waits for its upstreams, but for those that are settled.
func NewTask(p *graph.Plan, i int, r Rules, settled *Settled) *Task {
	t := p.Tasks[i]
	c := taskConfig{Rules: r, index: i, id: t.ID, service: t.Service, target: p.Stays(i), cached: t.Cache, timeout: r.timeoutOf(t), retry: t.Retry, down: p.Downstreams(i), onlyThat: p.OnlyFinal(i)}
	if t.Service != nil && t.Service.Stop.Grace != nil {
		c.Grace = *t.Service.Stop.Grace
	}
	for _, u := range p.Upstreams(i) {
		if u.Hard {
			c.hard = append(c.hard, u.Task)
			if p.Tasks[u.Task].Service != nil {
				c.services = append(c.services, u.Task)
			}
		} else {
			c.soft = append(c.soft, u.Task)
		}
		if u.Final {
			if c.finalizes == nil {
				c.finalizes = map[int]bool{}
			}
			c.finalizes[u.Task] = true
		}
	}
	m := newTask(c)
	m.begin(settled)
	return m
}

// begin lets the task hear what settled upstreams have to say: that they have completed, and that none of their processes was started.
func (t *Task) begin(settled *Settled) {
	for u, hard := range t.pending {
		if !settled.Has(u) {
			continue
		}
		if hard {
			t.digests[u] = settled.of(u)
		}
		delete(t.pending, u)
	}
}

// timeoutOf is how long the process of a task may run: what it says itself wins over the run.
func (r Rules) timeoutOf(t *workspace.Task) time.Duration {
	switch t.Timeout {
	case 0:
		return r.Timeout
	case workspace.NoTimeout:
		return 0
	}
	return t.Timeout
}

func newTask(c taskConfig) *Task {
	t := &Task{c: c, pending: make(map[int]bool, len(c.hard)+len(c.soft)), digests: make(map[int]messages.UpstreamDigests, len(c.hard))}
	for _, u := range c.soft {
		t.pending[u] = false
	}
	for _, u := range c.hard {
		t.pending[u] = true
	}
	t.out.Task, t.out.Allowed = c.id, 1+c.retry.Times
	if c.service != nil {
		t.s = &serving{}
	}
	return t
}

// State is where the task is.
func (t *Task) State() TaskState { return t.state }

// Done reports that the outcome was recorded and the downstreams were told: the machine can be dropped.
func (t *Task) Done() bool { return t.told }

// Step tells the task what happened at a time and returns what to do now. Answers to anything but the latest request, and
// messages that make no sense in the present state, do nothing.
func (t *Task) Step(now time.Time, m any) []Command {
	if a, ok := m.(messages.Referring); ok && a.Request().Attempt != t.attempt {
		return nil // requests of others (cancel, skip, upstream) are no answers
	}
	switch m := m.(type) {
	case messages.BeginTask:
		return t.upstreamEnded(now, -1)
	case messages.UpstreamCompleted:
		return t.upstreamCompleted(now, m)
	case messages.UpstreamEnded:
		t.needed = t.needed || m.Began && t.c.finalizes[m.Upstream]
		return t.upstreamEnded(now, m.Upstream)
	case messages.UpstreamFailed:
		return t.upstreamFailed(now, m)
	case messages.CancelTask:
		return t.cancelTask(now, m)
	case messages.SkipTask:
		return t.skipTask(now, m)
	case messages.CancelOne:
		return t.cancelOne(now, m)
	case messages.RestartOne:
		return t.restartOne(m)
	case messages.KeyFailed:
		return t.keyFailed(now, m)
	case messages.ConditionUnmet:
		return t.conditionUnmet(now, m)
	case messages.EntryMissed:
		return t.entryMissed(now, m)
	case messages.OutputsDiffer:
		return t.outputsDiffer(now, m)
	case messages.OutputsRestored:
		return t.outputsRestored(now, m)
	case messages.RestoreFailed:
		return t.restoreFailed(now, m)
	case messages.InputsMoved:
		return t.inputsMoved(m)
	case messages.LockRefused:
		return t.lockRefused(now, m)
	case messages.LockFreed:
		return t.lockFreed(now)
	case messages.LockNeverFreed:
		return t.lockNeverFreed(now, m)
	case messages.SlotGranted:
		return t.slotGranted(now)
	case messages.ExecutionPrepared:
		return t.startProcess(now, m)
	case messages.ProcessNotStarted:
		return t.processNotStarted(now, m)
	case messages.ProcessExited:
		return t.processExited(now, m)
	case messages.AttemptEnded:
		return t.attemptEnded(now)
	case messages.AttemptDue:
		return t.attemptDue(now)
	case messages.TimeExpired:
		return t.timeExpired()
	case messages.PatienceExpired:
		return t.terminate()
	case messages.GraceExpired:
		return t.kill()
	case messages.OutputsCollected:
		return t.outputsCollected(now, m)
	case messages.OutputsRejected:
		return t.outputsRejected(now, m)
	case messages.ClaimJudged:
		return t.claimJudged(now, m)
	case messages.EntryStored:
		return t.stored(now, m)
	case messages.StoreFailed:
		return t.storeFailed(now, m)
	case messages.OutcomeRecorded:
		return t.tellDownstreams()
	case messages.ServiceResolved:
		return t.serviceResolved(now, m)
	case messages.ServiceNoted:
		return t.serviceNoted(now)
	case messages.NeedService:
		return t.needService(now, m)
	case messages.ServiceReady:
		return t.serviceReady(m)
	case messages.ServiceLost:
		return t.serviceLost(now, m)
	case messages.ServiceUnused:
		return t.serviceUnused(now)
	case messages.ProcessReady:
		return t.processReady(m)
	case messages.ReadyExpired:
		return t.readyExpired()
	}
	return nil
}

// enter moves to a state; an arrow that the diagram lacks is a defect of haz.
func (t *Task) enter(s TaskState) {
	if s != Finished {
		legal := false
		for _, to := range arrows[t.state] {
			legal = legal || to == s
		}
		if !legal {
			panic(fmt.Sprintf("task %s: no way from %s to %s", t.c.id, t.state, s))
		}
	}
	t.state = s
}

// request numbers the next request.
func (t *Task) request() messages.Ref {
	t.attempt++
	return t.ref()
}

func (t *Task) ref() messages.Ref {
	return messages.Ref{Run: t.c.Run, Task: t.c.index, Attempt: t.attempt}
}

// observe numbers an event.
func (t *Task) observe(e messages.Event) Command {
	c := Command{ToObserver, messages.ObserveEvent{Run: t.c.Run, Task: t.c.index, N: t.events, Event: e}}
	t.events++
	return c
}

func (t *Task) note(text, hint string) Command {
	return t.observe(messages.TaskNoted{Task: t.c.id, Text: text, Hint: hint})
}

func (t *Task) notes(notes []messages.Note) []Command {
	var cs []Command
	for _, n := range notes {
		cs = append(cs, t.note(n.Text, n.Hint))
	}
	return cs
}

// started is the TaskStarted event, at most once.
func (t *Task) started(now time.Time, miss *entry.Miss) []Command {
	if t.observed {
		return nil
	}
	t.observed = true
	return []Command{t.observe(messages.TaskStarted{Task: t.c.id, Miss: miss, At: now})}
}

// finish sends the one outcome. What the task holds is given back by the supervisor's word of its end.
func (t *Task) finish(now time.Time, wrote bool) []Command {
	before := t.state
	t.enter(Finished)
	t.out.Ended = now
	t.stopQueueing(now)
	rec := messages.RecordOutcome{Ref: t.request(), Outcome: t.out, Began: before != Waiting, Wrote: wrote, Events: t.events, Digests: t.upstreamDigests()}
	if t.out.Status == messages.Completed && t.out.Source == messages.FromCache {
		p := t.product
		rec.Product = &p
	}
	return []Command{{ToSupervisor, rec}}
}

// fail ends the task with a task error.
func (t *Task) fail(now time.Time, e messages.TaskError, wrote bool) []Command {
	t.out.Status, t.out.Error = messages.Failed, &e
	return t.finish(now, wrote)
}

// skip ends the task as skipped.
func (t *Task) skip(now time.Time, why messages.Cause, root workspace.TaskID) []Command {
	t.out.Status, t.out.Cause, t.out.Root = messages.Skipped, why, root
	return t.finish(now, false)
}

// cancelled ends the task as cancelled.
func (t *Task) cancelled(now time.Time, shape messages.Cause, root workspace.TaskID, wrote bool) []Command {
	t.out.Status, t.out.Cause, t.out.Root = messages.Cancelled, shape, root
	return t.finish(now, wrote)
}

// tellDownstreams comes after the outcome was recorded, once.
func (t *Task) tellDownstreams() []Command {
	if t.state != Finished || t.told {
		return nil
	}
	t.told = true
	cs := make([]Command, 0, len(t.c.down))
	for _, d := range t.c.down {
		cs = append(cs, Command{ToTask, wordTo(t.c.Run, t.c.index, t.out, t.upstreamDigests(), d)})
	}
	return cs
}

// upstreamDigests is what a completed task contributes to the keys of its downstreams.
func (t *Task) upstreamDigests() messages.UpstreamDigests {
	return digestsOf(t.c.index, t.product)
}

// wordTo is what one downstream hears of the end of a task.
func wordTo(run messages.RunID, i int, out messages.Outcome, digests messages.UpstreamDigests, d graph.Neighbour) any {
	if !d.Hard {
		return messages.UpstreamEnded{Run: run, Task: d.Task, Upstream: i, Began: out.Began()}
	}
	if out.Status == messages.Completed || out.LeftOut() {
		return messages.UpstreamCompleted{Run: run, Task: d.Task, Digests: digests, LeftOut: out.LeftOut()}
	}
	cancelled, cause, root := cascade(out)
	return messages.UpstreamFailed{Run: run, Task: d.Task, Upstream: i, Cancelled: cancelled, Cause: cause, Root: root, After: after(out)}
}

// notReady reports whether an outcome is of a service that was not ready in time, or of what is skipped for that.
func notReady(o messages.Outcome) bool {
	return o.Error != nil && o.Error.Kind == messages.ErrNotReady || o.Cause == messages.ServiceNotReady
}

// after is the time that such a service had; 0 for all others.
func after(o messages.Outcome) time.Duration {
	if !notReady(o) {
		return 0
	}
	return o.TimedOut
}

// cascade says what becomes of the hard downstreams of a task that did not complete: cancelled, or skipped with a cause;
// and which root they name (EXEC-011).
func cascade(o messages.Outcome) (cancelled bool, cause messages.Cause, root workspace.TaskID) {
	root = o.Root
	switch o.Status {
	case messages.Failed:
		cause, root = messages.UpstreamDidFail, o.Task
		if o.Error != nil {
			cause = messages.UpstreamDidErr
		}
		if notReady(o) {
			cause = messages.ServiceNotReady
		}
	case messages.Skipped:
		cause = o.Cause
	case messages.Cancelled:
		if o.Cause == messages.ServiceDied {
			return false, messages.UpstreamDidFail, o.Root
		}
		cancelled, cause = true, messages.UpstreamWasCancelled
		if o.Cause != messages.UpstreamWasCancelled {
			root = o.Task
		}
	}
	return cancelled, cause, root
}
