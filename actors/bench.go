package actors

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

// bench is where the blocking work of a run is done, outside of any actor: what workers and process goroutines hand from
// one step of a task to the next lies here, because messages carry plain values only.
type bench struct {
	r       *running
	workers *workers
	budget  *budget
	spool   *spool
	jobs    []job

	procs     atomic.Int64 // processes and their goroutines
	staged    atomic.Int64 // entries on their way to the publishing rename
	awaited   atomic.Int64 // tasks that wait for a lock of another haz
	noStart   atomic.Bool  // no process starts, nothing is published any more (S-27)
	closed    atomic.Bool
	killing   atomic.Bool // whatever runs is killed
	inObserve atomic.Bool
	conflicts func() [][]int
	planIndex func() map[int]int // position in the workspace → in the plan
	overlays  overlayPatterns
	order     overtakings
}

func newBench(r *running) *bench {
	b := &bench{r: r, workers: newWorkers(r.o.Workers, r.o.Go), budget: newBudget(observeBudget, r.o.Unbounded),
		spool: &spool{fs: r.o.FS}, jobs: make([]job, len(r.o.Plan.Tasks))}
	b.conflicts = sync.OnceValue(r.o.Plan.G.Conflicts)
	b.planIndex = sync.OnceValue(func() map[int]int {
		at := make(map[int]int, len(r.o.Plan.Tasks))
		for i, t := range r.o.Plan.Tasks {
			at[t.Index] = i
		}
		return at
	})
	for i, t := range r.o.Plan.Tasks {
		b.jobs[i].index, b.jobs[i].task = i, t
	}
	return b
}

func (b *bench) job(i int) *job { return &b.jobs[i] }

// job is one task's place on the bench. Its steps follow each other; only one that was abandoned may still be at work when
// the next begins, and then the next waits for it.
type job struct {
	index int
	task  *workspace.Task

	step     sync.Mutex // held by the step at work
	released bool       // the task has ended: steps that come too late do nothing

	derived    *key.Derived
	manifest   *cache.Manifest
	ledger     state.Ledger
	hasLedger  bool
	restored   bool // the result came from the cache
	ledgered   bool // the ledger holds the outputs of this run
	left       leftovers
	locks      *state.TaskLocks
	refused    *state.Refused
	before     *outputs.Snapshot
	collected  *outputs.Collected
	folders    *key.Folders  // on the way to what the task reads, before it ran
	kept       *outputs.Kept // of a completed task, for the looks of those that come after it
	noted      []string      // texts of notes on patterns
	madeBefore int           // results that were in the tree when the task looked at its inputs
	rec        *recorder

	mu        sync.Mutex
	read      *key.Derived // what the task has read; nil before, and when it has been written down
	steps     int          // handed to workers and not done
	attempt   uint32       // of the work under way
	cancel    context.CancelFunc
	gaveUp    uint32 // latest attempt that was abandoned
	proc      process.Process
	starting  bool
	ended     bool
	signalled stop // the strongest signal that was asked for
}

// begin makes the context of a request's work.
func (j *job) begin(attempt uint32) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cancel != nil {
		j.cancel()
	}
	j.steps++
	j.attempt, j.cancel = attempt, cancel
	if j.gaveUp >= attempt {
		cancel()
	}
	return ctx
}

// keep counts work that goes on beyond its step.
func (j *job) keep() {
	j.mu.Lock()
	j.steps++
	j.mu.Unlock()
}

// done is the end of a request's work.
func (j *job) done() {
	j.mu.Lock()
	j.steps--
	j.mu.Unlock()
}

// abandon stops the work of a request, also when it has not begun.
func (j *job) abandon(attempt uint32) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.gaveUp = max(j.gaveUp, attempt)
	if j.cancel != nil && j.attempt <= attempt {
		j.cancel()
	}
}

func (j *job) abandoned(attempt uint32) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.gaveUp >= attempt
}

// stop is how a process is asked to end.
type stop uint8

const (
	unstopped stop = iota
	interrupt
	terminate
	kill
)

func strength(m messages.SignalProcess) stop {
	switch {
	case m.Kill:
		return kill
	case m.Interrupt:
		return interrupt
	}
	return terminate
}

// send signals a process, if there is one.
func (s stop) send(p process.Process) {
	switch {
	case p == nil:
	case s == kill:
		p.Kill()
	case s == terminate:
		p.Terminate()
	case s == interrupt:
		process.Interrupt(p)
	}
}

// signal asks a process to end. A signal that comes before the process makes sure that there never is one (S-27).
func (j *job) signal(s stop) {
	j.mu.Lock()
	p := j.proc
	if j.ended {
		p = nil
	}
	j.signalled = max(j.signalled, s)
	j.mu.Unlock()
	s.send(p)
}

// alive reports whether there is, or is about to be, a process.
func (j *job) alive() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return (j.starting || j.proc != nil) && !j.ended
}

// stopStarts is the cancel flag itself: requests that are already under way find it up.
func (b *bench) stopStarts() { b.noStart.Store(true) }

// killAll sends KILL to everything that runs; nothing starts any more.
func (b *bench) killAll() {
	b.stopStarts()
	b.killing.Store(true)
	for i := range b.jobs {
		if b.jobs[i].alive() {
			b.jobs[i].signal(kill)
		}
	}
	b.budget.open()
}

func (b *bench) processLoad() int { return int(b.procs.Load()) }

func (b *bench) cacheLoad() int {
	return b.workers.busy() + int(b.staged.Load()) + int(b.awaited.Load())
}

func (b *bench) load() int { return b.processLoad() + b.cacheLoad() }

func (b *bench) unstage() { b.staged.Add(-1) }

// observed runs a call into the host, so that the root can tell an observer that is busy from one that is dead.
func (b *bench) observed(f func()) {
	b.inObserve.Store(true)
	defer b.inObserve.Store(false)
	f()
}

func (b *bench) observing() bool { return b.inObserve.Load() }

// enter begins a step of a task, after the one before it has left; false when the task or the run has ended meanwhile.
func (b *bench) enter(j *job) bool {
	j.step.Lock()
	if j.released || b.closed.Load() {
		j.step.Unlock()
		return false
	}
	return true
}

// leave ends a step. What it took is given back when the run has ended meanwhile.
func (b *bench) leave(j *job) {
	if b.closed.Load() {
		b.unlock(j)
	}
	j.step.Unlock()
}

// close gives back what the run still holds, and removes its temporary files. A step that is still at work (an actor is dead,
// or the third signal came) gives its locks back when it leaves.
func (b *bench) close() {
	b.closed.Store(true)
	for i := range b.jobs {
		j := &b.jobs[i]
		j.mu.Lock()
		if j.cancel != nil {
			j.cancel()
		}
		j.mu.Unlock()
		if j.step.TryLock() {
			b.unlock(j)
			j.step.Unlock()
		}
	}
	b.spool.remove()
}

// holds reports whether this run holds the lock of a task. A task whose step is at work right now is taken to hold none.
func (b *bench) holds(task string) bool {
	for i := range b.jobs {
		j := &b.jobs[i]
		if j.task.ID.String() == task && j.step.TryLock() {
			held := j.locks != nil
			j.step.Unlock()
			return held
		}
	}
	return false
}

// treeChanged forgets what directories held: a process or a restore may have written anywhere.
func (b *bench) treeChanged() { b.r.o.Tree.ForgetAll() }

// madeBy is another task that made path, by its ledger, and whose output patterns still match; "" when none.
func (b *bench) madeBy(t *workspace.Task, path string) string {
	var names []string
	for _, w := range b.r.o.Plan.G.Writers(path) {
		if w != t.Index {
			names = append(names, b.r.o.Plan.G.W.Tasks[w].ID.String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	if by := b.r.o.State.ListedBy(path, names); len(by) > 0 {
		return by[0]
	}
	return ""
}
