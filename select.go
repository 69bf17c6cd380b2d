package haz

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/workspace"
)

// Selection says which tasks a run is for. At most one of the groups is used, in the order of chapter 3, 4.2.
type Selection struct {
	Only       []TaskID    // these, as far as they still exist (--failed); used when not nil
	Changes    *Changes    // those that changes in git affect; Workspace widens the candidates
	Workspace  bool        // every task
	All        bool        // every task of the bearing project, or of the workspace when there is none
	References []Reference // what these select; with Changes, those of it that changes affect
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

func (w *Workspace) choose(ctx context.Context, s Selection) (*Selected, error) {
	switch {
	case s.Only != nil:
		return w.selectOnly(s.Only), nil
	case s.Changes != nil:
		return w.selectChanged(ctx, s)
	case s.Workspace || s.All:
		r := &Selected{Empty: "there are no tasks"}
		for _, t := range w.Scope(s.Workspace) {
			r.Targets = append(r.Targets, t.Index)
		}
		slices.Sort(r.Targets)
		return r, nil
	case len(s.References) > 0:
		return w.selectReferences(s.References)
	}
	return w.selectDefault()
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
	r := &Selected{}
	bearing := w.Bearing()
	var bad diag.List
	for _, ref := range refs {
		tasks, err := w.W.ResolveTyped(ref, bearing)
		if err != nil {
			bad = append(bad, w.referenceError(ref.String(), err))
			continue
		}
		for _, t := range tasks {
			r.Targets = append(r.Targets, t.Index)
		}
	}
	if len(bad) > 0 {
		return nil, &diag.Errors{List: bad}
	}
	slices.Sort(r.Targets)
	r.Targets = slices.Compact(r.Targets)
	return r, nil
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
