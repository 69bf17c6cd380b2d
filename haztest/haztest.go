// Package haztest makes runs of package haz that can be had again: what happens next, what comes late and what takes long is drawn from
// a seed, and everything happens in one goroutine, without any waiting. The invariants of ARCHITECTURE.md are checked meanwhile.
// The simulation itself is package actorstest.
package haztest

import (
	"cmp"
	"context"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/actors/actorstest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// Faults says how often what goes wrong. With Tight, CPUs are few; the room for output on its way to the observer is that of all runs.
type Faults = actorstest.Faults

// Options of one run.
type Options struct {
	Seed   int64
	Faults Faults
	// Scripts are the programs, by name. Each is called in the middle of the life of its process, and does all its work at once: it hears
	// no signal, its channel is closed. To the run its process lives for some time before and after, and can be asked to end.
	Scripts map[string]processtest.Script
	// Targets are positions of tasks, as for Run of a workspace; nil: all tasks.
	Targets []int
	// Run has Jobs, FailFast, Cache, Explain and an Observer; its channels are not used.
	Run haz.RunOptions
	// Open is for what else package haz is to be told, of environment and platform; that is nothing, and linux, amd64, unless it
	// says otherwise. Cache and state are in the tree. What the simulation needs for itself is set after it.
	Open      []haz.Option
	KeepTrace bool // keeps every line, not only the digest of all
}

// Report is what a run came to.
type Report struct {
	Result *haz.Result
	Err    error // of the run; that of a workspace that cannot be opened is the error of Run
	Events []haz.Event
	Broken []string // invariants that did not hold
	Steps  int      // how much happened
	Trace  uint64   // digest of all that happened, in its order
	Lines  []string // and each of it, if that was asked for
}

// Run opens the workspace of a directory on a disk in memory, and runs tasks of it. Equal disks and options, with equal scripts, make equal
// reports, but for the name of the run. Results of a task are to stay below 1 MiB a file: larger ones are copied by goroutines of their own.
func Run(disk fsys.FS, dir string, o Options) (*Report, error) {
	m := actorstest.NewMachine(actorstest.RunOptions{Seed: o.Seed, Faults: o.Faults, FailFast: o.Run.FailFast, KeepTrace: o.KeepTrace}, o.program)
	defaults := []haz.Option{haz.WithEnvironment([]string{}), haz.WithPlatform("linux", "amd64")}
	needed := []haz.Option{haz.WithFileSystem(m.Disk(disk)), haz.WithClock(m), haz.WithSpawner(m.Spawner()), haz.WithNetwork(m.Network()), haz.WithHooks(m.Hooks()), haz.WithCPUs(m.Workers())}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w, err := haz.Open(ctx, dir, append(append(defaults, o.Open...), needed...)...)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	plain, err := disk.Sub(w.W.Root)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	plan, err := w.Plan(o.targets(w))
	if err != nil {
		return nil, err
	}

	m.Watch(actorstest.Subject{FS: plain, Plan: plan, Cap: jobs(w, o), Grace: w.W.Settings.CancelGrace})
	signals := make(chan haz.Interrupt, 3)
	m.Signals(func(signal string, number int) {
		if signal == "" {
			cancel()
			return
		}
		signals <- haz.Interrupt{Name: signal, Number: number}
	})
	observer, events := o.Run.Observer, []haz.Event(nil)
	o.Run.Signals, o.Run.Suspend, o.Run.Commands, o.Run.Jobs = signals, nil, nil, jobs(w, o)
	o.Run.Observer = func(e haz.Event) {
		events = append(events, e)
		m.Observe(e)
		if observer != nil {
			observer(e)
		}
	}
	r, err := w.RunPlan(ctx, plan, o.Run)
	if r == nil {
		return nil, err
	}
	return report(m, events, r, err), nil
}

func report(m *actorstest.Machine, events []haz.Event, r *haz.Result, err error) *Report {
	of := actors.Result{Outcomes: r.Outcomes, Violations: r.Violations, Cancelled: r.Cancelled, Crash: r.Crash}
	if n := len(events); n > 0 {
		_, told := events[n-1].(haz.RunFinished)
		of.ObserverStuck = !told // package haz goes on without an observer that does not return
	}
	rep := m.Report(of)
	return &Report{Result: r, Err: err, Events: rep.Events, Broken: rep.Broken, Steps: rep.Steps, Trace: rep.Trace, Lines: rep.Lines}
}

// jobs is the cap of the run.
func jobs(w *haz.Workspace, o Options) int { return cmp.Or(o.Run.Jobs, w.W.Settings.Concurrency, 4) }

func (o *Options) targets(w *haz.Workspace) []int {
	if o.Targets != nil {
		return o.Targets
	}
	all := make([]int, len(w.W.Tasks))
	for i := range all {
		all[i] = i
	}
	return all
}

// program is what a process does.
func (o *Options) program(c process.Command) (actorstest.Script, bool) {
	run := o.Scripts[c.Argv[0]]
	none := make(chan processtest.Signal)
	close(none)
	return actorstest.Script{Program: processtest.Program{Script: func(c process.Command, out process.Sink, _ <-chan processtest.Signal) process.Exit {
		return run(c, out, none)
	}}}, run != nil
}
