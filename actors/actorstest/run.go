package actorstest

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/messages"
)

// Report is what one simulated run came to.
type Report struct {
	Result    actors.Result
	Events    []messages.Event
	Processes map[string]int // started, by task
	Order     []string       // of the starts
	Steps     int
	Took      time.Duration
	// Deliveries are the messages for and about each task: one word of an upstream, one piece of output, and no notes are counted.
	Deliveries []int
	Lost       int
	Trace      uint64
	Lines      []string
	GoneOn     int                      // processes of finalizers, and of what they depend on, that started after the cancel flag
	Served     int                      // services that were stopped when nobody needed them any more
	NotNeeded  int                      // finalizers that had nothing to do
	Asked      map[messages.Verdict]int // what became of what was asked of the run
	Restarted  int                      // processes that were stopped by request and followed by another one
	Broken     []string                 // invariants that did not hold

	hits map[int]*knownHit // what hits came to
}

// RunOptions of one simulated run.
type RunOptions struct {
	Seed      int64
	Faults    Faults
	FailFast  bool
	Cap       int // 0: the world's
	KeepTrace bool
	Others    bool // another haz may hold locks
	// Commands is how often, in a thousand messages, somebody asks something of the run.
	Commands int
	// Settled are tasks that are up to date before the run begins.
	Settled *Settling
	// Staying: services that are targets stay when nobody needs them, until the run is cancelled.
	Staying bool
	// Break plants a bug, to show that the checks find it.
	Break func(o *actors.Options)
}

const (
	maxSteps = 200_000
	// tightBudget has room for two events of a few bytes.
	tightBudget = 600
)

// Run runs all tasks of a world once; those that are finalizers mostly as such.
func Run(w *World, o RunOptions) *Report {
	plan := w.Graph.Plan(w.targets())
	plan.Passing = !o.Staying
	if o.Cap == 0 {
		o.Cap = w.Cap
	}
	m := NewMachine(o, w.script)
	disk := m.Disk(w.FS)
	st := state.Open(disk, digest.BLAKE3)
	tree := tree.New(disk)
	store := cache.Open(disk, cache.Options{Hash: digest.BLAKE3, State: st, KeepDamaged: true})
	defer store.Close()
	budget := 1 << 30
	if o.Faults.Tight {
		budget = tightBudget
	}
	opts := actors.Options{Run: 1, Name: "sim", Plan: plan, Cap: o.Cap, FailFast: o.FailFast, Lookup: true, Store: true,
		Grace: grace, OS: "linux", FS: disk, Tree: tree, Cache: store, State: st, Hash: digest.BLAKE3,
		Deriver: key.NewDeriver(key.Options{FS: disk, Tree: tree, State: st, Hash: digest.BLAKE3,
			Place: key.Place{OS: "linux", Arch: "amd64"}, Umask: 0o022}),
		Spawner: m.Spawner(), Network: m.Network(), Clock: m, Workers: m.Workers(), Budget: budget, Hooks: m.Hooks(), Observe: m.Observe}
	settled, at := o.Settled.list(plan)
	opts.Settled = settled
	if o.Break != nil {
		o.Break(&opts)
	}
	m.Watch(Subject{FS: w.FS, Plan: plan, Cap: o.Cap, Grace: grace, Wrong: w.Wrong, Settled: at})

	system := actors.NewSystem(nil)
	defer system.Shutdown()
	h, err := actors.Start(func() *actor.ActorSystem { return system }, opts)
	if err != nil {
		return &Report{Broken: []string{err.Error()}}
	}
	m.Signals(h.Cancel)
	m.Commands(h.Ask)
	over := m.Drive(func() bool {
		select {
		case <-h.Done():
			return true
		default:
			return false
		}
	})
	if !over {
		return m.Report(actors.Result{})
	}
	st.Flush()
	r := m.Report(h.Result())
	r.learn(plan, st, store)
	return r
}
