package haz

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/schedule"
	"github.com/haz-build/haz/settle"
)

// runs numbers the runs of this process, so that several may live in one actor system.
var runs atomic.Uint64

// Run is Plan and RunPlan: it executes the targets (positions in w.W.Tasks, each once) and all their hard upstreams.
func (w *Workspace) Run(ctx context.Context, targets []int, o RunOptions) (*Result, error) {
	plan, err := w.Plan(targets)
	if err != nil {
		return nil, err
	}
	return w.RunPlan(ctx, plan, o)
}

// RunPlan executes a plan of this workspace as it is, and returns when every task of the plan has its outcome and nothing of the run
// is left: no process, no goroutine, no temporary file. A plan without tasks is a run of nothing; one plan may be run any number of times.
//
// Failing tasks are outcomes, not errors. The error is for what lies beyond the tasks: a plan of another workspace, and then there is
// no result; a crash of haz itself, and then the result holds what is known. When ctx ends, or an interrupt arrives, the run is cancelled as chapter 2, section 6 says;
// finalizers of what was started take their time then, until an interrupt follows (EXEC-050).
func (w *Workspace) RunPlan(ctx context.Context, plan *Plan, o RunOptions) (*Result, error) {
	defer refuse(o.Commands)
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	if err := w.planned(plan); err != nil {
		return nil, err
	}
	if err := cmp.Or(w.unmet(plan), nobodyToAsk(plan, o), w.envFileMistakes(w.FS, plan.Tasks).Err()); err != nil {
		return nil, err
	}
	var notes []messages.RunNoted
	listings := tree.New(w.FS).WithFiles(w.projectFiles())
	if list := w.projectMistakes(ctx, listings, plan.Tasks, func(text, hint string) { notes = append(notes, messages.RunNoted{Text: text, Hint: hint}) }); list.HasErrors() {
		return nil, list.Err()
	}
	r := &Result{Run: newRunID(), Started: w.o.clock.Now()}
	r.Hash, _ = digest.ParseFunction(w.W.Settings.Hash)
	watch := &audience{observer: o.Observer, clock: w.o.clock, wishes: &wishes{ctx: ctx, signals: o.Signals, commands: o.Commands}}
	ids := make([]TaskID, len(plan.Tasks))
	for i, t := range plan.Tasks {
		ids[i] = t.ID
	}
	pauses := newSuspensions(o.Suspend)
	watch.tell(messages.RunStarted{Run: r.Run, Tasks: ids, At: r.Started})
	for _, n := range notes {
		watch.tell(n)
	}
	if len(plan.Tasks) > 0 {
		w.execute(ctx, plan, listings, watch, pauses, o, r)
	}
	r.Ended = w.o.clock.Now()
	r.Counts = schedule.CountOutcomes(r.Outcomes)
	for _, out := range r.Outcomes {
		if out.Error != nil {
			r.TaskErrors = append(r.TaskErrors, out)
		}
	}
	watch.tell(messages.RunFinished{Counts: r.Counts, At: r.Ended})
	r.Crash = errors.Join(r.Crash, watch.crash, pauses.end())
	return r, r.Crash
}

// nobodyToAsk refuses interactive tasks where there is no terminal: they would wait for an answer, or do without.
func nobodyToAsk(plan *Plan, o RunOptions) error {
	var list diag.List
	for _, t := range plan.Tasks {
		if t.Interactive && o.Terminal == nil {
			list = append(list, diag.Diagnostic{Severity: diag.Error, Code: "EXEC-061", Place: t.Place, Project: t.SharedIn(),
				Message: "task " + diag.Quote(t.ID.String()) + " is interactive, and there is no terminal", Hint: "start haz in a terminal, with nothing of its input and output redirected"})
		}
	}
	return list.Err()
}

// execute does what a run with tasks does. What panics on the way (a file system of the host, say) is a crash of the run.
func (w *Workspace) execute(ctx context.Context, plan *Plan, listings *tree.Tree, watch *audience, pauses *suspensions, o RunOptions, r *Result) {
	var e *engine
	attempt := func(what string, f func()) {
		r.Crash = errors.Join(r.Crash, caught(what, f))
	}
	attempt("the beginning of the run", func() {
		e = w.engine(r.Hash, o, listings)
		e.sweep(ctx, watch.tell)
	})
	if e == nil {
		why, _, _ := strings.Cut(r.Crash.Error(), "\n") // without the stack
		w.noneStarts(plan, r, why)
		return
	}
	attempt("the run", func() { e.drive(plan, watch, pauses, o, r) })
	attempt("the end of the run", func() { e.finish(r, watch.tell) })
	attempt("closing the run", e.close)
}

// noneStarts gives every task an outcome in a run that comes to nothing before its first task.
func (w *Workspace) noneStarts(plan *Plan, r *Result, reason string) {
	l := schedule.NewLedger(plan, schedule.Rules{})
	l.Complete(r.Started, reason)
	r.Outcomes, _ = l.Report()
}

func newRunID() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// engine is what a run works with: cache, state, keys, processes.
type engine struct {
	w       *Workspace
	state   *state.State
	store   *cache.Store
	tree    *tree.Tree
	deriver *key.Deriver
	spawner process.Spawner
	settle  *settle.Run     // nil: each task finds out by itself whether it is up to date
	own     bool            // the spawner is ours to close
	notes   []messages.Note // of the actors, on the run as a whole
}

func (w *Workspace) engine(fn digest.Function, o RunOptions, listings *tree.Tree) *engine {
	e := &engine{w: w, state: state.Open(w.FS, fn), tree: listings, spawner: w.o.spawner}
	e.store = cache.Open(w.FS, cache.Options{Hash: fn, State: e.state, ReadOnly: o.Cache == ReadOnly, Now: w.o.clock.Now, Root: w.root(), DirMode: 0o777 &^ w.W.Settings.Umask,
		KeepDamaged: true}) // they are set aside in the order of the cache actor
	e.deriver = w.newDeriver(e.tree, e.state, fn, runProbe)
	if e.spawner == nil {
		e.spawner, e.own = process.System(process.DefaultLimits, w.o.children...), true
	}
	return e
}

// sweep removes what dead owners left behind, at most once an hour (S-35), and says when the cache has outgrown its limit.
func (e *engine) sweep(ctx context.Context, observe func(messages.Event)) {
	set := e.w.W.Settings
	swept := e.store.Sweep(ctx, cache.SweepOptions{MaxSize: set.MaxSize})
	if !swept.Ran {
		return
	}
	known := make(map[string]bool, len(e.w.W.Tasks))
	for _, t := range e.w.W.Tasks {
		known[t.ID.String()] = true
	}
	e.state.SweepTasks(known)
	if swept.Oversize {
		observe(messages.RunNoted{Text: "the cache is larger than cache.clean.max_size (" + set.MaxSizeText + ")", Hint: "haz cache clean"})
	}
}

func (e *engine) close() {
	if e.own {
		process.CloseWhenIdle(e.spawner) // after a third interrupt a process may live for a moment
	}
	_ = e.store.Close()
}

func (e *engine) options(plan *Plan, r *Result, o RunOptions, observe func(messages.Event)) actors.Options {
	jobs := o.Jobs
	if jobs <= 0 {
		jobs = e.w.W.Settings.Concurrency
	}
	if jobs <= 0 {
		jobs = e.w.Slots()
	}
	return actors.Options{Run: messages.RunID(runs.Add(1)), Name: r.Run, Plan: plan, Cap: jobs, FailFast: o.FailFast,
		Lookup: o.Cache == ReadWrite || o.Cache == ReadOnly, Store: o.Cache == ReadWrite || o.Cache == WriteOnly,
		Replace: o.Cache == WriteOnly, Fresh: fresh(plan, o.Fresh), Explain: o.Explain, Grace: e.w.W.Settings.CancelGrace, Timeout: o.Timeout, OS: e.w.o.os, Env: e.w.hostEnv().Lookup,
		FS: e.w.FS, Tree: e.tree, Cache: e.store, State: e.state, Deriver: e.deriver, Hash: r.Hash, Spawner: e.spawner,
		Clock: e.w.o.clock, Workers: e.w.CPUs(), Observe: observe, SpawnPrefix: e.w.o.spawnPrefix, Hooks: e.w.o.hooks,
		Terminal: o.Terminal, Columns: o.Columns, Colour: o.Colour, Network: e.w.o.network, Services: o.Services}
}

// fresh are the positions of tasks in a plan; nil for none.
func fresh(plan *Plan, tasks []TaskID) map[int]bool {
	var at map[int]bool
	for i, t := range plan.Tasks {
		if slices.Contains(tasks, t.ID) {
			if at == nil {
				at = map[int]bool{}
			}
			at[i] = true
		}
	}
	return at
}

// settled finds the tasks that are up to date, and has what the others stand on noted for the next run (S-52). Where nothing is looked up, none is.
func (e *engine) settled(ctx context.Context, opts *actors.Options) {
	if !opts.Lookup || e.w.o.long || len(opts.Fresh) > 0 { // who is to be carried out is not up to date, nor is what needs it
		return
	}
	if caught("the look for what is up to date", func() {
		e.settle = settle.Open(settle.Options{Plan: opts.Plan, FS: opts.FS, State: opts.State, Cache: opts.Cache, Deriver: opts.Deriver, Hash: opts.Hash, Store: opts.Store,
			OS: opts.OS, Env: opts.Env, Root: e.w.root(), Workers: opts.Workers, Program: e.w.o.program()})
		opts.Settled, opts.Foreseen = e.settle.Settled(ctx)
		if len(opts.Settled) < len(opts.Plan.Tasks) {
			e.settle.Begin()
			opts.UpToDate = e.settle.Note
		}
	}) != nil {
		e.settle, opts.Settled, opts.Foreseen, opts.UpToDate = nil, nil, nil, nil // a file system of the host's, say: the tasks meet it again, each for itself
	}
}

// drive runs the actors to their end. Only its own are stopped in an actor system that others use as well.
func (e *engine) drive(plan *Plan, watch *audience, pauses *suspensions, o RunOptions, r *Result) {
	opts := e.options(plan, r, o, watch.pass)
	if watch.crash != nil { // before any task: none starts, and each has an outcome all the same
		e.w.noneStarts(plan, r, "the observer of the run panicked")
		return
	}
	if e.settled(watch.wishes.ctx, &opts); watch.wishes.any() {
		opts.Settled, opts.Foreseen = nil, nil // who is asked to end has nothing to say of what it did not look at (EXEC-051)
	}
	h, err := actors.Start(e.w.actorSystem, opts)
	if err != nil {
		e.w.noneStarts(plan, r, err.Error())
		r.Crash = errors.Join(r.Crash, err)
		return
	}
	pauses.attach(h)
	watch.wishes.pass(h, plan, e.w.o.hooks.Await)
	res := h.Result()
	r.Outcomes, r.Violations, r.Cancelled, r.Crash = res.Outcomes, res.Violations, res.Cancelled, errors.Join(r.Crash, res.Crash)
	if res.Signal.Signal != "" {
		r.Interrupt = &Interrupt{Name: res.Signal.Signal, Number: res.Signal.Number}
	}
	watch.stuck = watch.stuck || res.ObserverStuck
	if !r.Cancelled && r.Crash == nil {
		e.notes = h.Notes(watch.wishes.ctx)
	}
}

// any reports whether there is a wish to end the run.
func (s *wishes) any() bool {
	select {
	case i, open := <-s.signals:
		if open {
			s.heard = append(s.heard, i)
		} else {
			s.signals = nil
		}
	default:
	}
	return s.ctx.Err() != nil || len(s.heard) > 0
}

// pass hands wishes on to the actors until the run has ended; await is that of Hooks.
func (s *wishes) pass(h *actors.Handle, plan *Plan, await func(func() bool)) {
	signals := 0
	interrupt := func(i Interrupt) {
		h.Cancel(i.Name, i.Number)
		if signals++; signals >= 3 {
			h.Kill()
		}
	}
	for _, i := range s.heard {
		interrupt(i)
	}
	s.heard = nil
	asks := asking{h: h, plan: plan}
	cancelled := s.ctx.Done()
	next := func() (over bool) {
		select {
		case <-h.Done():
			return true
		case <-cancelled:
			cancelled = nil
			h.Cancel("", 0)
		case i, open := <-s.signals:
			if !open {
				s.signals = nil
				break
			}
			interrupt(i)
		case c, open := <-s.commands:
			if !open {
				s.commands = nil
				break
			}
			asks.ask(c)
		}
		return false
	}
	if await == nil {
		for !next() {
		}
		return
	}
	await(func() bool {
		select {
		case <-h.Done(): // before all else: a simulation ends where it ended before
			return true
		default:
			return (len(s.signals) > 0 || len(s.commands) > 0 || cancelled != nil && s.ctx.Err() != nil) && next()
		}
	})
}

// finish writes what outlives a run, and says what went wrong on the way without changing anything.
func (e *engine) finish(r *Result, observe func(messages.Event)) {
	stored := false
	for _, out := range r.Outcomes {
		stored = stored || out.Store == messages.Stored
	}
	if stored {
		e.store.Finish()
	}
	if e.settle != nil && r.Crash == nil {
		e.settle.Write()
	}
	e.w.compiled.keep(e.w, e.state)
	e.state.Flush()
	for _, n := range e.notes {
		observe(messages.RunNoted(n))
	}
	hint := ""
	if d := cmp.Or(e.store.Denied(), e.state.Denied()); d != nil {
		hint = e.w.remedy(d.Name, d.Err)
	}
	for _, t := range append(e.store.Trouble(), e.state.Trouble()...) {
		observe(messages.RunNoted{Text: t, Hint: hint})
		hint = "" // once is enough
	}
	for _, t := range process.Trouble(e.spawner) {
		observe(messages.RunNoted{Text: t})
	}
}
