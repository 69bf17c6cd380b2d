package haz

import (
	"context"
	"slices"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/workspace"
)

// predictor answers, from the disk as it is and without changing anything, what the cache has for a task.
type predictor struct {
	w       *Workspace
	fn      digest.Function
	tree    *tree.Tree
	state   *state.State
	store   *cache.Store
	deriver *key.Deriver
	known   map[int]*finding
	env     key.HostEnv
	plan    map[int]*workspace.Task // tasks as a plan has them, by their index in the workspace; others are the workspace's
}

// finding is what was found out about one task.
type finding struct {
	derived  *key.Derived // nil when there is no key
	err      error        // why: *key.Error, or the end of the context
	leftOut  bool         // its condition does not hold
	stored   *Stored      // of a hit; its manifest, which may be large, is not kept
	miss     *entry.Miss  // nil on a hit and when there is no key
	blocked  int          // the first upstream of which it is not known what it makes, so that there is no key; -1: none
	upstream *key.Upstream
	printed  bool // what it prints is known as well
}

func (w *Workspace) newPredictor() *predictor {
	fn, _ := digest.ParseFunction(w.W.Settings.Hash)
	p := &predictor{w: w, fn: fn, tree: tree.New(w.FS).WithFiles(w.projectFiles()), known: map[int]*finding{}, env: w.hostEnv()}
	p.state = state.OpenReadOnly(w.FS, fn)
	p.store = cache.Open(w.FS, cache.Options{Hash: fn, State: p.state, ReadOnly: true, Now: w.o.clock.Now, Root: w.root()})
	p.deriver = w.newDeriver(p.tree, p.state, fn, nil)
	return p
}

// newDeriver derives keys of this workspace. run runs the probes of tools; nil: it is believed what they printed last.
func (w *Workspace) newDeriver(tree *tree.Tree, st *state.State, fn digest.Function, run probing) *key.Deriver {
	st.OnMachine(w.o.host)
	return key.NewDeriver(key.Options{FS: w.FS, Tree: tree, State: st, Hash: fn, Packages: packages.New(packages.Options{FS: w.FS, State: st, Hash: fn}),
		Place: key.Place{OS: w.o.os, Arch: w.o.arch}, Umask: w.W.Settings.Umask, Root: w.FS.HostPath("/"), Host: w.hostEnv(), Made: w.made,
		Tools: tools.New(tools.Options{Host: w.o.host, Workspace: w.FS, Root: w.FS.HostPath("/"), State: st, Hash: fn, Run: run, Last: lastTool(st)})})
}

// made reports whether a name in the workspace is an output of a task that counts in the key of t as an upstream: of a hard one, or of
// one behind it, unless the edge is narrow.
func (w *Workspace) made(t *Task, name string) bool {
	writers := w.G.Writers(name)
	if len(writers) == 0 {
		return false
	}
	for _, e := range w.G.Up[t.Index] {
		if e.Kind == graph.Hard && (slices.Contains(writers, e.Task) ||
			!e.Narrow && slices.ContainsFunc(w.G.HardClosure([]int{e.Task}, false), func(i int) bool { return slices.Contains(writers, i) })) {
			return true
		}
	}
	return false
}

func (p *predictor) close() {
	p.state.Flush() // writes nothing: it is read-only; gives handles back
	_ = p.store.Close()
}

// look finds out about a task and, first, all its hard upstreams.
func (p *predictor) look(ctx context.Context, task int) *finding {
	if r := p.known[task]; r != nil {
		return r
	}
	r := &finding{blocked: -1}
	p.known[task] = r
	t := p.w.W.Tasks[task]
	if planned := p.plan[task]; planned != nil {
		t = planned
	}
	if !actors.Wanted(p.w.FS, p.w.o.os, p.env.Lookup, t) {
		r.leftOut, r.printed = true, true
	}
	ups := p.upstreams(ctx, task, r)
	if r.blocked >= 0 {
		return r
	}
	if r.leftOut {
		lying, err := actors.Lying(ctx, p.w.FS, p.state, p.fn, t)
		if err != nil {
			r.err = err
			return r
		}
		u := p.deriver.LeftOut(t, ups, lying)
		r.upstream = &u
		return r
	}
	if r.derived, r.err = p.deriver.Derive(ctx, t, ups); r.err != nil {
		r.derived = nil
		return r
	}
	if key.KnownBeforehand(t) {
		r.contributes(p, t, digest.Digest{})
	}
	if !t.Cache {
		r.miss = &entry.Miss{Reason: entry.Uncached}
		return r
	}
	m, miss := p.store.Explain(r.derived.Key)
	if miss == nil {
		miss = actors.RemakeMiss(p.state.Remake(t.ID.String(), r.derived.Key))
	}
	if r.miss = miss; miss != nil {
		return r
	}
	r.stored = &Stored{Task: m.Task, Unix: m.CreatedAt, Attempt: max(1, m.Attempt)}
	r.contributes(p, t, actors.ProductDigest(p.fn, t, r.derived, m.Outputs))
	r.printed, r.upstream.Streams = true, p.deriver.Streams(m.StdoutHash, m.StderrHash)
	return r
}

// upstreams is what the hard upstreams of a task contribute to its key, unless r says that this is not known.
func (p *predictor) upstreams(ctx context.Context, task int, r *finding) (ups []key.Upstream) {
	for _, e := range p.w.G.Up[task] {
		if e.Kind != graph.Hard {
			continue
		}
		u := p.look(ctx, e.Task)
		switch {
		case r.blocked >= 0:
		case u.upstream != nil && (u.printed || !e.Streams):
			up := *u.upstream
			up.Narrow, up.Printed = e.Narrow, e.Streams
			ups = append(ups, up)
		case u.blocked >= 0:
			r.blocked = u.blocked
		default:
			r.blocked = e.Task
		}
	}
	return ups
}

// contributes notes what the task contributes to the keys of its downstreams.
func (r *finding) contributes(p *predictor, t *Task, outputs digest.Digest) {
	u := p.deriver.Contribution(t, r.derived, outputs)
	r.upstream = &u
}

// state is the spelling of chapter 3, 6.
func (r *finding) lookup() string {
	switch {
	case r.leftOut:
		return "skipped (condition)"
	case r.stored != nil:
		return "hit"
	case r.miss != nil:
		return "miss: " + r.miss.Reason.String()
	}
	return "unknown"
}

// Prediction says what a run would find in the cache.
type Prediction string

const (
	WouldHit  Prediction = "hit"
	WouldMiss Prediction = "miss"
	WouldSkip Prediction = "skip"    // its condition does not hold, or it is a finalizer and no task before it would be started, or a service and no task that needs it would
	Unknown   Prediction = "unknown" // an upstream would run, so the key is not known
)

// Predict says, for each task of a plan of this workspace, what a run now would find in the cache. It changes nothing. The error is that
// of ctx, or says that the plan is another's.
func (w *Workspace) Predict(ctx context.Context, plan *Plan) ([]Prediction, error) {
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	if err := w.planned(plan); err != nil {
		return nil, err
	}
	p := w.newPredictor()
	defer p.close()
	out := make([]Prediction, len(plan.Tasks))
	p.plan = make(map[int]*workspace.Task, len(plan.Tasks))
	for _, t := range plan.Tasks {
		p.plan[t.Index] = t
	}
	for i, t := range plan.Tasks {
		r := p.look(ctx, t.Index)
		switch {
		case r.leftOut:
			out[i] = WouldSkip
		case !t.Cache:
			out[i] = WouldMiss
		case r.stored != nil:
			out[i] = WouldHit
		case r.miss != nil:
			out[i] = WouldMiss
		default:
			out[i] = Unknown
		}
	}
	for i, t := range plan.Tasks {
		if t.Service != nil && out[i] == WouldMiss && !wouldServe(plan, i, out) {
			out[i] = WouldSkip
		}
	}
	finalized := make([]bool, len(out))
	for i := range out {
		predictFinal(plan, i, out, finalized)
	}
	return out, ctx.Err()
}

// wouldServe reports whether a service would be started: for those that depend on it and would run, one of which may be a service as well (EXEC-072).
func wouldServe(plan *Plan, i int, out []Prediction) bool {
	return plan.Stays(i) || slices.ContainsFunc(plan.Down[i], func(e graph.Edge) bool {
		switch {
		case e.Kind != graph.Hard || out[e.Task] == WouldHit || out[e.Task] == WouldSkip:
			return false
		case plan.Tasks[e.Task].Service != nil:
			return wouldServe(plan, e.Task, out)
		}
		return true
	})
}

// predictFinal puts right what is said of a finalizer that is in the plan as such alone: it is carried out if a task before it is, which
// may be one as well (EXEC-048). done are those that were asked about; no two wait for each other.
func predictFinal(plan *Plan, i int, out []Prediction, done []bool) {
	if done[i] {
		return
	}
	done[i] = true
	if out[i] != WouldMiss || !plan.OnlyFinal(i) {
		return
	}
	out[i] = WouldSkip
	for _, e := range plan.Up[i] {
		if e.Kind != graph.Final {
			continue
		}
		predictFinal(plan, e.Task, out, done)
		switch out[e.Task] {
		case WouldMiss:
			out[i] = WouldMiss
			return
		case Unknown:
			out[i] = Unknown
		}
	}
}
