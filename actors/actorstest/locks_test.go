package actorstest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
)

// S-36: as long as another haz is at work on a task, this one does not start it, however long that takes (it is no stall),
// and it says for whom it waits. Afterwards the run goes on as any other.
func TestLocksOfAnotherHaz(t *testing.T) {
	const held = 20 * time.Second
	for seed := range int64(40) {
		w := world(seed, WorldOptions{MaxTasks: 5})
		id := w.tasks[int(seed)%len(w.tasks)].id()
		theirs, refused, err := state.Open(w.FS, digest.BLAKE3).TryLockTask(state.LockRequest{Task: id})
		if err != nil || refused != nil {
			t.Fatalf("seed %d: %+v, %v", seed, refused, err)
		}
		var watch *lockWatch
		r := Run(w, RunOptions{Seed: seed, Others: true, Faults: Faults{Late: 50, Twice: 50}, Break: func(o *actors.Options) {
			watch = &lockWatch{Spawner: o.Spawner, task: id, held: true}
			o.Spawner = watch
			o.Clock.AfterFunc(held, func() {
				watch.held = false
				theirs.Unlock()
			})
		}})
		if len(r.Broken) > 0 {
			t.Fatalf("seed %d: %v", seed, r.Broken)
		}
		if watch.early {
			t.Errorf("seed %d: %s started beside another haz", seed, id)
		}
		if r.Processes[id] != 1 {
			t.Errorf("seed %d: %s started %d times", seed, id, r.Processes[id])
		}
		said := false // by the task itself, or by one that stands near it and wants its lock too
		for _, e := range r.Events {
			n, ok := e.(messages.TaskNoted)
			said = said || ok && n.Text == fmt.Sprintf("waiting for pid %d, which runs %s", os.Getpid(), id)
		}
		if !said {
			t.Errorf("seed %d: nobody was told of the wait", seed)
		}
	}
}

// Where no other haz is at work nobody waits for a lock, though tasks give theirs back beside others that begin (S-37).
func TestNobodyIsHeldUp(t *testing.T) {
	seeds(t, 200, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 10, Failures: true, Overlaps: seed%2 == 0})
		f := Faults{InOrder: true, Slow: int(seed%3) * 40}
		return runTwice(w, RunOptions{Seed: seed, Faults: f}, RunOptions{Seed: seed + 1, Faults: f})
	})
}

// lockWatch notices a start of a task whose lock is held.
type lockWatch struct {
	process.Spawner
	task        string
	held, early bool
}

func (w *lockWatch) Start(c process.Command, out process.Sink) (process.Process, error) {
	w.early = w.early || w.held && c.Label == w.task
	return w.Spawner.Start(c, out)
}
