package actors

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

// A budget counts events as well as bytes: what is empty is not free.
func TestBudgetCountsEvents(t *testing.T) {
	for size, most := range map[int]int{0: 40, 1: 39, eventCost: 20, 39 * eventCost: 1} {
		b := newBudget(40*eventCost, nil)
		passed := 0
		for b.free >= size+eventCost {
			if !b.acquire(size) {
				t.Fatal("refused, though nobody opened it")
			}
			passed++
		}
		if passed != most {
			t.Errorf("%d events of %d bytes fit, want %d", passed, size, most)
		}
		waits := make(chan bool)
		go func() { waits <- b.acquire(size) }()
		select {
		case <-waits:
			t.Errorf("an event of %d bytes too many did not wait", size)
		case <-time.After(10 * time.Millisecond):
		}
		b.release(size)
		if !<-waits {
			t.Error("refused in the end")
		}
		b.open()
		if b.free < size+eventCost && b.acquire(size) {
			t.Error("what does not fit passed an open budget")
		}
	}
}

// A recorder gives memory and files back once the task has ended, and what a process that was given up writes later is nobody's.
func TestRecorderDrops(t *testing.T) {
	mem := memfs.New()
	r := &running{o: Options{FS: mem, Hash: digest.BLAKE3, Plan: &graph.Plan{Tasks: []*workspace.Task{{}}}}}
	r.spool = &spool{fs: r.o.FS}
	r.budget = newBudget(0, nil)
	r.budget.open()
	c := newRecorder(r, 0, 0)
	c.Write(process.Stdout, bytes.Repeat([]byte("x"), 2*streamMemory))
	c.Write(process.Stderr, []byte("short"))
	stdout, _, _ := c.finish()
	c.Write(process.Stdout, []byte("late"))
	if again, _, _ := c.finish(); again.Len != stdout.Len || again.Digest != stdout.Digest {
		t.Errorf("%d bytes, %d before something came late", again.Len, stdout.Len)
	}
	c.drop(mem)
	if _, err := mem.Lstat(stdout.Path); err == nil {
		t.Error("the spool file outlives its task")
	}
	if len(c.stdout.bytes)+len(c.stderr.bytes) > 0 {
		t.Error("bytes are kept in memory")
	}
	c.Write(process.Stderr, []byte("late"))
	r.spool.remove()
}

// handClock is a clock whose timers come when the test says so.
type handClock struct {
	mu     sync.Mutex
	timers []func()
	live   int
}

func (*handClock) Now() time.Time { return time.Time{} }

func (c *handClock) AfterFunc(_ time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers = append(c.timers, f)
	c.live++
	var once sync.Once
	return func() bool {
		once.Do(func() { c.mu.Lock(); c.live--; c.mu.Unlock() })
		return true
	}
}

// Timers of a run that is over are stopped, and one that is just coming does nothing.
func TestTimersEndWithTheRun(t *testing.T) {
	c := &handClock{}
	ts := newTimers(c)
	came := 0
	ts.after(time.Second, func() { came++ })
	stop := ts.after(time.Second, func() { came += 10 })
	ts.after(time.Second, func() { came += 100 })
	c.timers[0]()
	stop()
	ts.close()
	ts.after(time.Second, func() { came += 1000 })
	for _, f := range c.timers {
		f()
	}
	if came != 1 || c.live != 1 || len(c.timers) != 3 {
		t.Errorf("came %d, %d not stopped (one had come), %d armed", came, c.live, len(c.timers))
	}
}
