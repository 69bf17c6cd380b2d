// Package actors does the work of a run: one actor a task, one cache actor, one supervisor, admission, processes, observer.
// It is alone in knowing the actor library. What may happen next is decided in package schedule; the actors here carry it out.
//
//	run                    root of one run; owns the one reply
//	 ├─ supervisor         the ledger: outcomes, violations, cancellation, the end
//	 ├─ admission          slots, tag caps, mutexes, outputs condition
//	 ├─ cache              keys, lookups, restores, stores: fanned out to workers; who publishes, and when, is decided here
//	 ├─ processes          starts, signals and waits for processes
//	 ├─ observer           puts events in order and hands them to the host
//	 └─ tasks              parent and mailman of the task actors; spawns on first need
//	     └─ task …
//
// Nothing blocks in Receive, calls of the observer excepted. Rules that the library forces are in props.go.
//
// The folder has three rooms: the actors themselves, a file each, with what they run on (run.go, props.go, lane.go, pool.go, timers.go); what the
// cache actor's workers do (builder*.go, workers.go); the child processes (children*.go, suspend.go, recorder.go). They are one package
// because the end of a run has to go through all of them.
package actors

import (
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/ready"
)

// Clock is the time that a run sees.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own after d, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Options of one run.
type Options struct {
	Run  messages.RunID
	Name string // run id for people and records
	Plan *graph.Plan
	// Settled are the tasks of the plan that are up to date before the run begins, each once. None: each task finds out by itself.
	Settled []Settled
	// Foreseen are those of which a hit is known before the run begins, each once, in the order of the plan.
	Foreseen []Foreseen

	// UpToDate is told of tasks that were found up to date, by several goroutines; nil: nobody wants to know.
	UpToDate func(UpToDate)

	Cap      int // global cap, at least 1
	FailFast bool
	Lookup   bool // read the cache
	Store    bool // write the cache
	Replace  bool // the user forced the run: existing entries give way
	// Fresh are tasks, by their positions in the plan, of which nothing is looked up, and whose existing entries give way. No task is settled or foreseen then.
	Fresh   map[int]bool
	Explain bool // find out why a task missed, for people who ask
	Grace   time.Duration
	OS      string                      // for conditions (EXEC-047), as Go calls it
	Env     func(string) (string, bool) // likewise: the environment that haz was started in
	Timeout time.Duration               // of the process of a task that says nothing of its own; 0: none

	FS      fsys.FS // of the workspace root
	Tree    *tree.Tree
	Cache   *cache.Store
	State   *state.State
	Deriver *key.Deriver
	Hash    digest.Function
	Spawner process.Spawner
	Network ready.Network // where services listen
	// Services are kept there beyond the run; nil: they are stopped when nobody needs them.
	Services *Services
	// Terminal is lent to interactive tasks, Columns is how wide the one of a task with tty is. Colour: tasks are told that colours are seen.
	Terminal process.Terminal
	Columns  int
	Colour   bool
	Clock    Clock
	Workers  int                  // for hashing and copying
	Observe  func(messages.Event) // called from one goroutine at a time
	Budget   int                  // bytes of output on their way to the observer; 0: 4 MiB

	Hooks
	SpawnPrefix string
	StallEvery  time.Duration // interval of the stall check; 0: a second
}

// Result is how a run ended.
type Result struct {
	Outcomes   []messages.Outcome // one a task, canonical order
	Violations []messages.Violation
	Cancelled  bool
	Signal     messages.CancelRun // the first signal; zero when the host's context ended the run
	Crash      error              // the death of an actor that the run cannot do without
	// ObserverStuck: the host's observer did not return after a cancellation; its actor is still there.
	ObserverStuck bool
}

// Limits of chapter 2, section 12.
const (
	streamMemory  = 64 << 10 // bytes of a stream kept in memory; the rest is spooled
	lockPoll      = 50 * time.Millisecond
	lockMessage   = time.Second     // waiting for another haz is said after that
	readersHold   = 2 * time.Second // what a task that is not cached reads stays as it is for so long
	cyclePatience = 3 * time.Second // a cycle of waiting is one when it lasts
	observeBudget = 4 << 20         // bytes of output on their way to the observer
	stallEvery    = time.Second
	closeRounds   = 5  // stall intervals that the end waits for a slow observer after a cancellation, or after a crash
	crashPace     = 20 // looks a stall interval after a crash
)
