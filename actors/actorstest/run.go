package actorstest

import (
	"fmt"

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
	// Deliveries are the messages for and about each task: one word of an upstream, one piece of output, and no notes are counted.
	Deliveries []int
	Lost       int
	Trace      uint64
	Lines      []string
	Broken     []string // invariants that did not hold
}

// RunOptions of one simulated run.
type RunOptions struct {
	Seed      int64
	Faults    Faults
	FailFast  bool
	Cap       int // 0: the world's
	KeepTrace bool
	Others    bool // another haz may hold locks
	// Break plants a bug, to show that the checks find it.
	Break func(o *actors.Options)
}

const (
	maxSteps = 200_000
	// tightBudget has room for two events of a few bytes.
	tightBudget = 600
)

// Run runs all tasks of a world once.
func Run(w *World, o RunOptions) *Report {
	s := NewSim(o.Seed, o.Faults, o.KeepTrace)
	rep := &Report{}
	all := make([]int, len(w.Graph.W.Tasks))
	for i := range all {
		all[i] = i
	}
	plan := w.Graph.Plan(all)
	if o.Cap == 0 {
		o.Cap = w.Cap
	}
	disk := w.FS
	if o.Faults.Slow > 0 {
		disk = slowDisk{FS: w.FS, sim: s, base: "/"}
	}
	st := state.Open(disk, digest.BLAKE3)
	tree := tree.New(disk)
	procs := &processes{sim: s, scripts: w.Scripts, alive: map[string]*simProcess{}, spawned: map[string]int{}}
	store := cache.Open(disk, cache.Options{Hash: digest.BLAKE3, State: st, KeepDamaged: true})
	workers, budget := 1000, 1<<30
	if o.Faults.Tight {
		workers, budget = 1+int(o.Seed%3), tightBudget
	}
	opts := actors.Options{Run: 1, Name: "sim", Plan: plan, Cap: o.Cap, FailFast: o.FailFast, Lookup: true, Store: true,
		Grace: grace, FS: disk, Tree: tree, Cache: store, State: st, Hash: digest.BLAKE3,
		Deriver: key.NewDeriver(key.Options{FS: disk, Tree: tree, State: st, Hash: digest.BLAKE3,
			Place: key.Place{OS: "linux", Arch: "amd64", Umask: 0o022}, Env: func(string) (string, bool) { return "", false }}),
		Spawner: procs, Clock: s, Workers: workers, Budget: budget, Hooks: actors.Hooks{Go: s.Go, Await: s.Await, Props: s.Props},
		Observe: func(e messages.Event) {
			rep.Events = append(rep.Events, e)
			s.slow("observer")
		}}
	c := newChecker(w, s, procs, plan, o, rep)
	opts.Before = func(actor string, m any) {
		c.before(actor, m)
		if actor != "observer" { // that one is slow in the host
			s.turn(actor)
		}
	}
	if o.Break != nil {
		o.Break(&opts)
	}
	s.onPost, s.onStart, s.onEnd, s.between = c.posted, c.delivered, c.received, c.between
	procs.onStart, procs.onKill, procs.cancel = c.started, c.killed, c.signal

	system := actors.NewSystem(nil)
	defer system.Shutdown()
	h, err := actors.Start(system, opts)
	if err != nil {
		rep.Broken = append(rep.Broken, err.Error())
		return rep
	}
	c.cancel = func(signal string, number int) { h.Cancel(signal, number) }
	done := func() bool {
		select {
		case <-h.Done():
			return true
		default:
			return false
		}
	}
	ended := s.Run(done, maxSteps)
	rep.Steps, rep.Lost = s.steps, s.lost
	rep.Processes = procs.spawned
	if !ended {
		rep.Broken = append(rep.Broken, fmt.Sprintf("the run does not end (%d steps; %s wait)", s.steps, s.waits()))
		return rep
	}
	rep.Result = h.Result()
	st.Flush()
	c.end()
	if !s.Run(s.idle, maxSteps) {
		rep.Broken = append(rep.Broken, "after the run these still wait: "+s.waits())
	}
	c.afterwards()
	rep.Trace, rep.Lines = s.Trace()
	_ = store.Close()
	return rep
}
