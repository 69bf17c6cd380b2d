package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
)

// builder does the blocking work of the cache actor, in its workers: it derives keys, looks entries up, restores, prepares executions,
// collects and stores. What one step of a task leaves to the next lies in its job, and nobody but the workers of the cache actor
// touches that: messages carry plain values, and what belongs to whoever has the message (messages.Locks, messages.Streams).
type builder struct {
	r       *running
	workers *workers
	jobs    []atomic.Pointer[job] // nil before anybody has asked

	ran       atomic.Bool  // a task was about to be executed
	staged    atomic.Int64 // turns with the cache that wait or are under way
	inTurn    atomic.Bool  // one is under way
	awaited   atomic.Int64 // tasks that wait for a lock of another haz
	ending    atomic.Int64 // goroutines that give locks back
	conflicts func() [][]int
	shared    sharedPatterns
	order     overtakings
	looks     atomic.Int64 // at outputs of upstreams, by tasks that have ended
	suspects  suspects

	lockWaits sync.Map // *lockWait → true: under way
	endings   sync.Map // *ending → true: under way
	unlocked  atomic.Int64
}

func newBuilder(r *running) *builder {
	b := &builder{r: r, workers: newWorkers(r.o.Workers, r.hooks.Go)}
	if r.settled.Left(len(r.o.Plan.Tasks)) > 0 {
		b.jobs = make([]atomic.Pointer[job], len(r.o.Plan.Tasks))
	}
	b.conflicts = sync.OnceValue(r.o.Plan.G.Conflicts)
	return b
}

// job is that of a task. One that is settled has it when somebody asks what it has left.
func (b *builder) job(i int) *job {
	if j := b.jobs[i].Load(); j != nil {
		return j
	}
	j := &job{index: i, task: b.r.o.Plan.Tasks[i]}
	if b.r.settled.Has(i) {
		b.reopen(j, b.r.hit(i))
	}
	b.jobs[i].CompareAndSwap(nil, j)
	return b.jobs[i].Load()
}

// known yields the jobs that there are.
func (b *builder) known(yield func(*job) bool) {
	for i := range b.jobs {
		if j := b.jobs[i].Load(); j != nil && !yield(j) {
			return
		}
	}
}

// job is what the builder has of one task. Its steps follow each other; only one that was abandoned may still be at work when
// the next begins, and then the next waits for it.
type job struct {
	index int
	task  *workspace.Task

	step     sync.Mutex // held by the step at work
	released bool       // the task has ended: steps that come too late do nothing

	derived     *key.Derived
	manifest    *cache.Manifest
	products    state.Products
	hasProducts bool
	restored    bool      // the result came from the cache
	was         entry.Key // of what came from the cache, or was made anew
	remake      bool      // the cache has the result, and it is made anew all the same
	resolved    bool      // once
	foreseen    Foresight // what derived is from; nil: it was derived
	stood       atomic.Bool
	lookedAgain bool   // for the entry, with the lock in hand
	letBe       []*job // upstreams that are unsettled and stay so
	listed      bool   // the product list holds the outputs of this run
	left        leftovers
	locks       atomic.Pointer[state.TaskLocks]
	refused     *state.Refused
	before      *outputs.Snapshot
	collected   *outputs.Collected
	lookedAt    time.Time      // when the look before the spawn began
	program     string         // where what is to be started was found by that look
	looksBefore int64          // how many tasks had looked at outputs of upstreams by then
	folders     *key.Folders   // on the way to what the task reads, before it ran
	kept        *outputs.Kept  // of a completed task, for the looks of those that come after it
	leftOut     *digest.Digest // what lay at the outputs of a task whose condition does not hold, for the same looks
	keptKey     entry.Key      // of that
	noted       []string       // texts of notes on patterns
	madeBefore  int            // results that were in the tree when the task looked at its inputs
	printed     *recorder      // what its process has printed

	mu      sync.Mutex
	turn    *turn        // that the cache actor has not heard of
	read    *key.Derived // what the task has read; nil before, and when it has been written down
	steps   int          // handed to workers and not done
	attempt uint32       // of the work under way
	cancel  context.CancelFunc
	gaveUp  uint32 // latest attempt that was abandoned
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

// busy is how much is under way.
func (b *builder) busy() int {
	return b.workers.busy() + int(b.staged.Load()) + int(b.awaited.Load()) + int(b.ending.Load())
}

func (b *builder) unstage() { b.staged.Add(-1) }

// lay puts a turn down for the cache actor.
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
func (b *builder) tidy(t *turn) {
	if t != nil && t.after != nil {
		b.r.attempt("tidying the cache", t.after)
	}
}

// enter begins a step of a task, after the one before it has left; false when the task or the run has ended meanwhile.
func (b *builder) enter(j *job) bool {
	b.r.lock(&j.step)
	if j.released || b.r.closed.Load() {
		j.step.Unlock()
		return false
	}
	return true
}

// leave ends a step. What it took is given back when the run has ended meanwhile.
func (b *builder) leave(j *job) {
	if b.r.closed.Load() {
		b.unlock(j)
	}
	j.step.Unlock()
}

// close gives back what the run still holds. A step that is still at work (an actor is dead,
// or the third signal came) gives its locks back when it leaves.
func (b *builder) close() {
	for j := range b.known {
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
}

// forget drops what a task that has ended holds in memory: a run of 100,000 tasks keeps their outcomes, not their streams. A
// process may be kept by its spawner, and the process keeps the recorder, so that is emptied, too.
func (j *job) forget(fs fsys.FS) {
	j.released = true
	if j.printed != nil {
		j.printed.drop(fs)
	}
	j.foreseen = nil
	j.derived, j.manifest, j.products, j.hasProducts, j.left = nil, nil, state.Products{}, false, leftovers{}
	j.before, j.collected, j.folders, j.noted, j.printed, j.refused = nil, nil, nil, nil, nil, nil
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cancel != nil {
		j.cancel()
	}
	j.cancel, j.read = nil, nil // what it has read was written down
}

// holds reports whether this run holds the lock of a task. A task whose step is at work right now is taken to hold none.
func (b *builder) holds(task string) bool {
	for j := range b.known {
		if j.task.ID.String() == task && j.step.TryLock() {
			held := j.locks.Load() != nil
			j.step.Unlock()
			return held
		}
	}
	return false
}

// madeBy is another task that made path, by its product list, and whose output patterns still match; "" when none.
func (b *builder) madeBy(t *workspace.Task, path string) string {
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
