package actors

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
	"github.com/haz-build/haz/workspace"
)

// A word for a task that was never born, delivered while the parent of the tasks is stopping and waits for the last of its
// children, spawns no child: nobody would stop it, and the run would never end.
func TestNoTaskIsBornWhileTheParentStops(t *testing.T) {
	system := NewSystem(nil)
	nobody := system.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
	born, release := make(chan string, 2), make(chan struct{})
	r := &running{system: system, pool: &pool{}, root: nobody, supervisor: nobody, admission: nobody, cache: nobody, processes: nobody, observer: nobody}
	r.o = Options{
		Clock: stillClock{},
		Plan:  &graph.Plan{Tasks: []*workspace.Task{{}, {}}, Up: make([][]graph.Edge, 2), Down: make([][]graph.Edge, 2)},
	}
	r.hooks.Before = func(name string, m any) {
		if _, ok := m.(messages.BeginTask); ok && name != "tasks" {
			born <- name
			<-release
		}
	}
	r.born = newOfEach[atomic.Pointer[actor.PID]](r)
	r.book = &book{l: schedule.NewLedger(r.o.Plan, schedule.Rules{})}
	parent := newTasks(r)
	stopping := make(chan struct{})
	r.tasks = system.Root.Spawn(r.props("tasks", actor.ReceiveFunc(func(ctx actor.Context) {
		parent.Receive(ctx)
		if _, ok := ctx.Message().(*actor.Stopping); ok {
			close(stopping)
		}
	}), func(_ actor.Context, reason, _ string) { t.Error(reason) }, nil))

	system.Root.Send(r.tasks, messages.BeginTask{Task: 0})
	if name := <-born; name != "task-0" {
		t.Fatalf("%s was born first", name)
	}
	end := system.Root.StopFuture(r.tasks)
	<-stopping
	system.Root.Send(r.tasks, messages.BeginTask{Task: 1})
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	if err := end.Wait(); err != nil {
		t.Errorf("the parent of the tasks does not end: %v", err)
	}
	select {
	case name := <-born:
		t.Errorf("%s was born", name)
	default:
	}
}

type stillClock struct{}

func (stillClock) Now() time.Time { return time.Time{} }
func (stillClock) AfterFunc(time.Duration, func()) (stop func() bool) {
	return func() bool { return true }
}
