package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
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
	gate    gate

	suspension suspension

	jobs []job

	procs     atomic.Int64 // processes and their goroutines, and signals on their way to them
	staged    atomic.Int64 // turns with the cache that wait or are under way
	inTurn    atomic.Bool  // one is under way
	awaited   atomic.Int64 // tasks that wait for a lock of another haz
	noStart   atomic.Bool  // no process starts, nothing is published any more (S-27)
	closed    atomic.Bool
	killing   atomic.Bool // whatever runs is killed
	inObserve atomic.Bool
	seen      atomic.Uint64 // calls into the host that returned
	conflicts func() [][]int
	planIndex func() map[int]int // position in the workspace → in the plan
	overlays  overlayPatterns
	order     overtakings

	lockWaits sync.Map // *lockWait → true: under way
	endings   sync.Map // *ending → true: under way
	unlocked  atomic.Int64

	troubles sync.Mutex
	trouble  error // panics that no task and no actor answers for
}

func newBench(r *running) *bench {
	b := &bench{r: r, workers: newWorkers(r.o.Workers, r.o.Go), budget: newBudget(r.o.Budget, r.o.Await),
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

	derived     *key.Derived
	manifest    *cache.Manifest
	ledger      state.Ledger
	hasLedger   bool
	restored    bool      // the result came from the cache
	was         entry.Key // of what came from the cache, or was made anew
	remake      bool      // the cache has the result, and it is made anew all the same
	lookedAgain bool      // for the entry, with the lock in hand
	letBe       []*job    // upstreams that are unsettled and stay so
	ledgered    bool      // the ledger holds the outputs of this run
	left        leftovers
	locks       atomic.Pointer[state.TaskLocks] // a process that comes up late may meet the end of its task
	refused     *state.Refused
	before      *outputs.Snapshot
	collected   *outputs.Collected
	lookedAt    time.Time     // when the look before the spawn began
	folders     *key.Folders  // on the way to what the task reads, before it ran
	kept        *outputs.Kept // of a completed task, for the looks of those that come after it
	keptKey     entry.Key     // of that
	noted       []string      // texts of notes on patterns
	madeBefore  int           // results that were in the tree when the task looked at its inputs
	rec         *recorder

	mu        sync.Mutex
	turn      *turn        // that the cache actor has not heard of
	read      *key.Derived // what the task has read; nil before, and when it has been written down
	steps     int          // handed to workers and not done
	attempt   uint32       // of the work under way
	cancel    context.CancelFunc
	gaveUp    uint32 // latest attempt that was abandoned
	proc      process.Process
	starting  bool
	ended     bool
	signalled stop               // the strongest signal that was asked for
	sending   [kill + 1]bool     // signals that are being sent: a host may take its time
	exited    func(process.Exit) // what its end is told to; nil while there is no process
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

// done is the end of a request's work. It comes before the answer, so that a task that has ended has none under way but what it abandoned.
func (j *job) done() {
	j.mu.Lock()
	j.steps--
	j.mu.Unlock()
}

func (j *job) carryOut(ctx context.Context, do func(context.Context, *job) any) (answer any) {
	defer j.done()
	return do(ctx, j)
}

func (j *job) underWay() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.steps > 0
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

// alive reports whether there is, or is about to be, a process.
func (j *job) alive() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return (j.starting || j.proc != nil) && !j.ended
}

// stopStarts is the cancel flag itself: requests that are already under way find it up.
func (b *bench) stopStarts() { b.noStart.Store(true) }

func (b *bench) processLoad() int { return int(b.procs.Load()) }

func (b *bench) cacheLoad() int {
	return b.workers.busy() + int(b.staged.Load()) + int(b.awaited.Load())
}

func (b *bench) load() int { return b.processLoad() + b.cacheLoad() }

func (b *bench) unstage() { b.staged.Add(-1) }

// lay puts a turn on the bench for the cache actor.
func (j *job) lay(t *turn) {
	j.mu.Lock()
	j.turn = t
	j.mu.Unlock()
}

// take takes it away; nil when there is none.
func (j *job) take() *turn {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.turn
	j.turn = nil
	return t
}

// tidy does what comes after a turn, or in its place.
func (b *bench) tidy(t *turn) {
	if t != nil && t.after != nil {
		b.attempt("tidying the cache", t.after)
	}
}

// attempt calls f, of which no outcome depends; a panic in it is a crash of the run.
func (b *bench) attempt(what string, f func()) {
	if p := caught(f); p != nil {
		b.troubles.Lock()
		defer b.troubles.Unlock()
		b.trouble = errors.Join(b.trouble, fmt.Errorf("%s panicked: %s\n%s", what, p.reason, p.stack))
	}
}

func (b *bench) crash() error {
	b.troubles.Lock()
	defer b.troubles.Unlock()
	return b.trouble
}

// observed runs a call into the host, so that the root can tell an observer that is busy from one that is dead.
func (b *bench) observed(f func()) {
	b.inObserve.Store(true)
	defer b.inObserve.Store(false)
	f()
	b.seen.Add(1)
}

func (b *bench) observing() bool { return b.inObserve.Load() }

// enter begins a step of a task, after the one before it has left; false when the task or the run has ended meanwhile.
func (b *bench) enter(j *job) bool {
	b.r.lock(&j.step)
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
		b.tidy(j.take())
		if j.step.TryLock() {
			b.unlock(j)
			j.step.Unlock()
		}
	}
	b.finishEndings(0)
	b.endWaits()
	b.spool.remove()
}

// forget drops what a task that has ended holds in memory: a run of 100,000 tasks keeps their outcomes, not their streams. A
// process may be kept by its spawner, and the process keeps the recorder, so that is emptied, too.
func (j *job) forget(fs fsys.FS) {
	j.released = true
	if j.rec != nil {
		j.rec.drop(fs)
	}
	j.derived, j.manifest, j.ledger, j.hasLedger, j.left = nil, nil, state.Ledger{}, false, leftovers{}
	j.before, j.collected, j.folders, j.noted, j.rec, j.refused = nil, nil, nil, nil, nil, nil
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cancel != nil {
		j.cancel()
	}
	j.cancel, j.proc, j.exited, j.read = nil, nil, nil, nil // what it has read was written down
}

// holds reports whether this run holds the lock of a task. A task whose step is at work right now is taken to hold none.
func (b *bench) holds(task string) bool {
	for i := range b.jobs {
		j := &b.jobs[i]
		if j.task.ID.String() == task && j.step.TryLock() {
			held := j.locks.Load() != nil
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
