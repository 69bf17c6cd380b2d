package actors

import (
	"context"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// A task is cancelled while its step is refused a lock that another haz holds: its end waits for the step, and the step, which helps
// tasks to their ends before it asks again, must not wait for that.
func TestStepThatEndsDuringItsRefusal(t *testing.T) {
	disk := memfs.New()
	task := &workspace.Task{ID: workspace.TaskID{Project: "p", Task: "t"}}
	w := &workspace.Workspace{Tasks: []*workspace.Task{task}}
	edges := make([][]graph.Edge, 1)
	g := &graph.Graph{W: w, Up: edges, Down: edges}
	r := &running{o: Options{FS: disk, State: state.Open(disk, digest.BLAKE3), Workers: 1, Plan: &graph.Plan{G: g, Tasks: w.Tasks, Up: edges, Down: edges}}}
	r.hooks.Go = func(f func()) { go f() }
	b := newBuilder(r)
	b.conflicts = func() [][]int { return make([][]int, 1) }
	r.builder = b

	theirs, refused, err := state.Open(disk, digest.BLAKE3).TryLockTask(state.LockRequest{Task: "p:t"})
	if refused != nil || err != nil {
		t.Fatal(refused, err)
	}
	defer theirs.Unlock()

	j := b.job(0)
	asked := make(chan bool, 1)
	j.begin(1)
	go j.carryOut(context.Background(), func(context.Context, *job) any {
		b.enter(j)
		defer b.leave(j)
		b.endSoon(j, messages.ReleaseTask{Wrote: true})
		_, refused := b.tryLock(task)
		asked <- refused != nil
		return nil
	})
	select {
	case refused := <-asked:
		if !refused {
			t.Error("the lock of another haz was taken")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the step waits for its own end")
	}
	for deadline := time.Now().Add(20 * time.Second); b.busy() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the end of the task does not come")
		}
	}
}
