package haz

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/graph/query"
	"github.com/haz-build/haz/workspace"
)

// Selection says which tasks a run is for: candidates, and what narrows them. Of the candidates at most one group is used, in the order
// of chapter 3, 4.2; where none is given, and nothing but Exclude narrows, it is the task `default`, else what All would be.
type Selection struct {
	Only       []TaskID    // these, as far as they still exist (--failed); used when not nil
	Workspace  bool        // every task
	All        bool        // every task of the bearing project, or of the workspace when there is none
	References []Reference // what these select

	Query   query.Query // of the candidates, those that fulfil it (QRY-011)
	Exclude []Reference // of these, those that none of the references selects (QRY-012)
	Changes *Changes    // of these, those that changes in git affect
}

// Reason says why a task is in a plan.
type Reason string

const (
	IsTarget     Reason = "target"
	IsUpstream   Reason = "upstream"
	IsAffected   Reason = "affected"
	IsDefinition Reason = "definition" // the file that defines it changed
	IsDownstream Reason = "downstream" // of an affected task
	IsFinalizer  Reason = "finalizer"  // of a task in the plan, and needed by none
)

// Selected is the result of Select.
type Selected struct {
	Targets  []int          // positions in w.W.Tasks, sorted, each once
	Plan     *Plan          // the targets, all their hard upstreams, and the finalizers of all these
	Reasons  map[int]Reason // of targets; where none is given, IsTarget
	Empty    string         // why there are none, for people
	Warnings diag.List
	Notes    []string // what people are told besides: sentences without a full stop
}

// ReasonOf says why the task at a position is in the plan of this selection.
func (s *Selected) ReasonOf(task int) Reason {
	if r, ok := s.Reasons[task]; ok {
		return r
	}
	if _, ok := slices.BinarySearch(s.Targets, task); ok {
		return IsTarget
	}
	if s.onlyFinal(task) {
		return IsFinalizer
	}
	return IsUpstream
}

// onlyFinal reports whether a task is in the plan as a finalizer alone.
func (s *Selected) onlyFinal(task int) bool {
	if s.Plan == nil {
		return false
	}
	i, in := slices.BinarySearchFunc(s.Plan.Tasks, task, func(t *Task, at int) int { return cmp.Compare(t.Index, at) })
	return in && s.Plan.OnlyFinal(i)
}

// Select finds the targets of a run, and what RunPlan has to do for them. With an empty Selection it is the task `default`
// of the bearing project (EXEC-023). What the user asked for wrongly comes as *diag.Errors, all of it.
func (w *Workspace) Select(ctx context.Context, s Selection) (*Selected, error) {
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	r, err := w.choose(ctx, s)
	if err != nil {
		return nil, err
	}
	r.Plan = w.G.Plan(r.Targets)
	r.Plan.Passing = s.Only != nil || s.Workspace || s.All || len(s.References) == 0 && (s.Changes != nil || !s.Query.Empty())
	return r, w.unmet(r.Plan)
}

// unmet is the error when tasks of a plan depend on projects that a sparse checkout leaves out.
func (w *Workspace) unmet(plan *Plan) error {
	if len(w.G.Unmet) == 0 {
		return nil
	}
	var list diag.List
	for _, t := range plan.Tasks {
		list = append(list, w.G.Unmet[t.Index]...)
	}
	return list.Err()
}

// Find finds the targets of a selection as Select does, and makes no plan of them: they are asked about, not run.
func (w *Workspace) Find(ctx context.Context, s Selection) (*Selected, error) {
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	return w.choose(ctx, s)
}

// choose finds the candidates and narrows them. What is wrong with references is told all at once.
func (w *Workspace) choose(ctx context.Context, s Selection) (*Selected, error) {
	r, err := w.candidates(s)
	out, bad := w.resolveAll(s.Exclude, w.W.ResolveExcluded)
	for i, d := range bad {
		bad[i].Message = strings.Replace(d.Message, "target resolution failed", "what is excluded selects nothing", 1)
	}
	if bad = append(diagnosticsOf(err), bad...); len(bad) > 0 {
		return nil, &diag.Errors{List: bad}
	}
	if err != nil {
		return nil, err
	}
	before := r.Targets
	if err := w.keep(r, s.Query); err != nil {
		return nil, err
	}
	for i, ref := range s.Exclude {
		if !slices.ContainsFunc(out[i], func(t int) bool { _, is := slices.BinarySearch(before, t); return is }) {
			r.Notes = append(r.Notes, diag.Quote(ref.String())+" excludes none of the tasks that are selected")
		}
	}
	w.drop(r, slices.Concat(out...))
	if s.Changes != nil {
		if err := w.keepChanged(ctx, r, *s.Changes, len(s.References) > 0); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// diagnosticsOf are those that an error consists of; nil of another error.
func diagnosticsOf(err error) diag.List {
	var list *diag.Errors
	if errors.As(err, &list) {
		return list.List
	}
	return nil
}

// candidates is what a selection chooses from.
func (w *Workspace) candidates(s Selection) (*Selected, error) {
	switch {
	case s.Only != nil:
		return w.selectOnly(s.Only), nil
	case !s.Workspace && !s.All && len(s.References) > 0:
		return w.selectReferences(s.References)
	case !s.Workspace && !s.All && s.Changes == nil && s.Query.Empty():
		return w.selectDefault()
	}
	r := &Selected{Empty: "there are no tasks"}
	for _, t := range w.Scope(s.Workspace) {
		r.Targets = append(r.Targets, t.Index)
	}
	slices.Sort(r.Targets)
	return r, nil
}

// keep narrows the targets to those that fulfil a query.
func (w *Workspace) keep(r *Selected, q query.Query) error {
	if q.Empty() {
		return nil
	}
	tasks := make([]*Task, len(r.Targets))
	for i, t := range r.Targets {
		tasks[i] = w.W.Tasks[t]
	}
	found, err := q.Run(w.G, tasks, w.Bearing())
	if err != nil {
		return err
	}
	r.Targets = r.Targets[:0:0]
	for _, t := range found {
		r.Targets = append(r.Targets, t.Index)
	}
	r.emptied(len(tasks), "no task matches the filter")
	return nil
}

// drop takes tasks from the targets. What another target needs of them is run all the same, as an upstream.
func (w *Workspace) drop(r *Selected, out []int) {
	is := make(map[int]bool, len(out))
	for _, t := range out {
		is[t] = true
	}
	before := len(r.Targets)
	r.Targets = slices.DeleteFunc(slices.Clone(r.Targets), func(t int) bool { return is[t] })
	r.emptied(before, "all tasks that are selected are excluded")
}

// emptied gives the reason of what left no target of some.
func (r *Selected) emptied(before int, why string) {
	if before > 0 && len(r.Targets) == 0 {
		r.Empty = why
	}
}

func (w *Workspace) selectOnly(ids []TaskID) *Selected {
	r := &Selected{Empty: "the last run left nothing to do again"}
	for _, id := range ids {
		if t := w.W.Task(id); t != nil {
			r.Targets = append(r.Targets, t.Index)
		}
	}
	slices.Sort(r.Targets)
	r.Targets = slices.Compact(r.Targets)
	return r
}

func (w *Workspace) selectReferences(refs []Reference) (*Selected, error) {
	lists, bad := w.resolveAll(refs, w.W.ResolveTyped)
	if len(bad) > 0 {
		return nil, &diag.Errors{List: bad}
	}
	r := &Selected{Targets: slices.Concat(lists...)}
	slices.Sort(r.Targets)
	r.Targets = slices.Compact(r.Targets)
	return r, nil
}

// resolveAll is the positions of what each reference selects, and what is wrong with those that select nothing.
func (w *Workspace) resolveAll(refs []Reference, resolve func(Reference, *Project) ([]*Task, error)) (lists [][]int, bad diag.List) {
	if len(refs) == 0 {
		return nil, nil
	}
	bearing := w.Bearing()
	lists = make([][]int, len(refs))
	for i, ref := range refs {
		tasks, err := resolve(ref, bearing)
		if err != nil {
			bad = append(bad, w.referenceError(ref.String(), err))
			continue
		}
		for _, t := range tasks {
			lists[i] = append(lists[i], t.Index)
		}
	}
	return lists, bad
}

// referenceError says which reference selects nothing, and why.
func (w *Workspace) referenceError(typed string, err error) diag.Diagnostic {
	d := diag.Diagnostic{Message: fmt.Sprintf("target resolution failed: %s: %s", diag.Quote(typed), err), Hint: w.Hint(typed, err)}
	var s *workspace.SelectError
	if errors.As(err, &s) {
		d.Code = s.Rule
	}
	return d
}

func (w *Workspace) selectDefault() (*Selected, error) {
	p := w.Bearing()
	if p == nil {
		return nil, &diag.Errors{List: diag.List{{Code: "EXEC-023",
			Message: "no task given, and this directory belongs to no project, so there is no task `default` to run",
			Hint:    "haz run TASK, haz run --workspace, or go into a project"}}}
	}
	if t := w.W.Task(TaskID{Project: p.Name, Task: "default"}); t != nil {
		return &Selected{Targets: []int{t.Index}}, nil
	}
	return nil, &diag.Errors{List: diag.List{{Code: "EXEC-023",
		Message: "no task given, and project " + diag.Quote(p.Name) + " has no task `default`",
		Hint:    "haz run TASK, or haz run --all; haz list shows the tasks"}}}
}

// Plan is what a run executes.
type Plan = graph.Plan

// Plan is the targets (positions in w.W.Tasks, each once), all their hard upstreams, the finalizers of all these and what they need, in
// canonical order (EXEC-001, EXEC-002, DAG-020).
func (w *Workspace) Plan(targets []int) (*Plan, error) {
	if err := w.opened(); err != nil {
		return nil, err
	}
	if err := w.targets(targets); err != nil {
		return nil, err
	}
	return w.G.Plan(targets), nil
}
