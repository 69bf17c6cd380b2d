package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
)

// tasks is parent and mailman of the task actors: everything for a task goes through it. It spawns a task's actor on first
// need and forgets it when it is done, so that a run of 100,000 tasks holds the actors of those under way.
//
// Once it is stopping it spawns nothing: the library goes on delivering to an actor until its last child has ended, but stops
// only the children that were there when the stopping began. One spawned later would keep the run alive for ever.
type tasks struct {
	r        *running
	pids     map[int]*actor.PID
	spent    []bool // was spawned once; never again
	stopping bool
}

// taskDone tells the parent that a task actor is about to stop.
type taskDone struct{ task int }

func newTasks(r *running) *tasks {
	return &tasks{r: r, pids: map[int]*actor.PID{}, spent: make([]bool, len(r.o.Plan.Tasks))}
}

func (t *tasks) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Stopping:
		t.stopping = true
	case messages.ForTask:
		if pid := t.pid(ctx, m.TaskIndex()); pid != nil {
			ctx.Send(pid, m)
		}
	case taskDone:
		delete(t.pids, m.task)
	}
}

func (t *tasks) pid(ctx actor.Context, i int) *actor.PID {
	if pid, ok := t.pids[i]; ok || t.spent[i] || t.stopping {
		return pid
	}
	t.spent[i] = true
	r, name := t.r, fmt.Sprintf("task-%d", i)
	p := r.props(name, newTask(r, i), func(ctx actor.Context, reason, stack string) {
		ctx.Send(r.supervisor, messages.TaskCrashed{Run: r.o.Run, Task: i, Reason: reason, Stack: stack})
		ctx.Send(r.tasks, taskDone{i})
	}, nil)
	pid, err := ctx.SpawnNamed(p, ctx.Self().Id+"/"+name)
	if err != nil {
		panic(err) // two runs with one name: a defect
	}
	t.pids[i] = pid
	return pid
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
}

func newTask(r *running, i int) *Task {
	return &Task{r: r, index: i, machine: schedule.NewTask(r.o.Plan, i, r.rules())}
}

func (t *Task) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	// What upstreams say.
	case messages.BeginTask, messages.UpstreamCompleted, messages.UpstreamEnded, messages.UpstreamFailed:
		t.advance(ctx, m)
	// What the cache actor answers.
	case messages.KeyDerived, messages.KeyFailed, messages.EntryFound, messages.EntryMissed, messages.OutputsDiffer,
		messages.OutputsRestored, messages.RestoreFailed, messages.InputsMoved, messages.LockRefused, messages.LockFreed, messages.LockNeverFreed,
		messages.ExecutionPrepared, messages.OutputsCollected, messages.OutputsRejected, messages.EntryStored, messages.StoreFailed:
		t.advance(ctx, m)
	// What admission and processes answer.
	case messages.SlotGranted, messages.ProcessNotStarted, messages.ProcessExited, messages.PatienceExpired, messages.GraceExpired:
		t.advance(ctx, m)
	// What the supervisor says.
	case messages.ClaimJudged, messages.OutcomeRecorded, messages.CancelTask, messages.SkipTask:
		t.advance(ctx, m)
	}
}

func (t *Task) advance(ctx actor.Context, m any) {
	t.r.perform(ctx, t.machine.Step(t.r.o.Clock.Now(), m))
	if t.machine.Done() {
		ctx.Send(t.r.tasks, taskDone{t.index})
		ctx.Stop(ctx.Self())
	}
}
