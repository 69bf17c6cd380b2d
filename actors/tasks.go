package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
)

// tasks is the parent of the task actors. What is for a task that has no actor yet comes here: it spawns that on first need, and
// forgets it when it is done, so that a run of 100,000 tasks holds the actors of those under way. Whoever is born is written to
// directly, from the moment on in which it has its first message.
//
// Once it is stopping it spawns nothing: the library goes on delivering to an actor until its last child has ended, but stops
// only the children that were there when the stopping began. One spawned later would keep the run alive for ever.
type tasks struct {
	r        *running
	spent    ofEach[bool] // was spawned once; never again
	stopping bool
}

func newTasks(r *running) *tasks {
	return &tasks{r: r, spent: newOfEach[bool](r)}
}

func (t *tasks) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Stopping:
		t.stopping = true
	case messages.ForTask:
		t.deliver(ctx, m)
	}
}

func (t *tasks) deliver(ctx actor.Context, m messages.ForTask) {
	i := m.TaskIndex()
	spent := t.spent.of(i)
	if *spent { // born meanwhile, or done
		if pid := t.r.taskActor(i); pid != nil {
			ctx.Send(pid, m)
		}
		return
	}
	if t.stopping {
		return
	}
	*spent = true
	r, name := t.r, fmt.Sprintf("task-%d", i)
	task := newTask(r, i)
	p := r.props(name, task, func(ctx actor.Context, reason, stack string) {
		r.born.of(i).Store(gone)
		task.endDelay()
		ctx.Send(r.supervisor, messages.TaskCrashed{Run: r.o.Run, Task: i, Reason: reason, Stack: stack})
	}, nil)
	pid, err := ctx.SpawnNamed(p, ctx.Self().Id+"/"+name)
	if err != nil {
		panic(err) // two runs with one name: a defect
	}
	ctx.Send(pid, m)
	r.born.of(i).CompareAndSwap(nil, pid) // unless it is gone already
}

// Task carries one task from its first upstream's word to its outcome.
//
// Its states and every arrow between them are schedule.Task's; this is the shell: it tells the machine what happened and
// sends what the machine commands. Exactly one RecordOutcome leaves it, whatever happens in between; only when that is
// answered do the downstreams hear of it.
type Task struct {
	r       *running
	index   int
	machine *schedule.Task
	delay   func() // ends the wait for the next attempt; nil where there is none
}

func newTask(r *running, i int) *Task {
	rules := r.rules()
	rules.Lookup = rules.Lookup && !r.o.Fresh[i]
	return &Task{r: r, index: i, machine: schedule.NewTask(r.o.Plan, i, rules, r.settled)}
}

func (t *Task) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	// What upstreams say.
	case messages.BeginTask, messages.UpstreamCompleted, messages.UpstreamEnded, messages.UpstreamFailed:
		t.advance(ctx, m)
	// What the cache actor answers.
	case messages.KeyFailed, messages.ConditionUnmet, messages.EntryMissed, messages.OutputsDiffer,
		messages.OutputsRestored, messages.RestoreFailed, messages.InputsMoved, messages.LockRefused, messages.LockFreed, messages.LockNeverFreed,
		messages.ExecutionPrepared, messages.AttemptEnded, messages.OutputsCollected, messages.OutputsRejected, messages.EntryStored, messages.StoreFailed:
		t.advance(ctx, m)
	// What admission and processes answer.
	case messages.SlotGranted, messages.ProcessNotStarted, messages.ProcessExited, messages.AttemptDue, messages.TimeExpired, messages.PatienceExpired, messages.GraceExpired:
		t.advance(ctx, m)
	// What services and those that need them say.
	case messages.ServiceResolved, messages.NeedService, messages.ServiceReady, messages.ProcessReady, messages.ReadyExpired:
		t.advance(ctx, m)
	case messages.ServiceNoted, messages.ServiceLost, messages.ServiceUnused:
		t.advance(ctx, m)
	// What the supervisor says.
	case messages.ClaimJudged, messages.OutcomeRecorded, messages.CancelTask, messages.SkipTask, messages.CancelOne, messages.RestartOne:
		t.advance(ctx, m)
	}
}

func (t *Task) advance(ctx actor.Context, m any) {
	cs := t.machine.Step(t.r.o.Clock.Now(), m)
	if t.machine.State() != schedule.Delaying {
		t.endDelay()
	}
	if len(cs) == 1 { // it comes alone
		if due, ok := cs[0].Msg.(messages.AttemptDue); ok {
			t.delay, cs = t.r.wait(due), nil
		}
	}
	t.r.perform(ctx, cs)
	if t.machine.Done() {
		t.r.born.of(t.index).Store(gone)
		ctx.Stop(ctx.Self())
	}
}

func (t *Task) endDelay() {
	if t.delay != nil {
		t.delay()
		t.delay = nil
	}
}
