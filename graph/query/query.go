// Package query is the selection language of `haz query`: filters with expressions over tags, names, path patterns and
// relations (chapter 3, section 7). Nothing is read from disk.
//
// A filter is answered for all tasks at once, as a set: its atoms by indexes, its operators on sets, its relations by one walk
// from the target set. So a filter costs one pass over tasks and edges, however long its expression is.
package query

import (
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/workspace"
)

// Option is a filter with an expression, named as on the command line, without dashes.
type Option string

const (
	Tags       Option = "tags"
	Projects   Option = "projects"
	Tasks      Option = "tasks"
	Inputs     Option = "inputs"
	Outputs    Option = "outputs"
	ChildOf    Option = "child-of"
	ParentOf   Option = "parent-of"
	DependsOn  Option = "depends-on"
	AncestorOf Option = "ancestor-of"
	// All says in one expression what the others say (QRY-011): its atoms begin with a word of keywords or fields, and relations are
	// written like functions.
	All Option = "filter"
)

// Options are all filters with an expression, in the order of the manual.
var Options = []Option{Tags, Projects, Tasks, Inputs, Outputs, ChildOf, ParentOf, DependsOn, AncestorOf, All}

// Filter is one given option.
type Filter struct {
	Option Option
	Expr   string
}

// Query is everything that a candidate must fulfil; the zero value is fulfilled by each (QRY-006). A switch and its opposite
// together are an error.
type Query struct {
	Filters []Filter // an option may be given more than once

	HasDeps, NoDeps       bool // the deps field is non-empty, empty (QRY-005)
	HasInputs, NoInputs   bool
	HasOutputs, NoOutputs bool
	Mutex                 bool
}

// Run returns the candidates that fulfil the query, in their order. Relative path patterns belong to bearing, which may be
// nil. What the user wrote wrongly comes as *diag.Errors, all of it, and before anything is evaluated.
func (q Query) Run(g *graph.Graph, candidates []*workspace.Task, bearing *workspace.Project) ([]*workspace.Task, error) {
	compiled, err := q.compile(bearing)
	if err != nil {
		return nil, err
	}
	e := newEvaluator(g)
	sets := make([]set, len(compiled))
	for i, f := range compiled {
		sets[i] = e.filter(f)
	}
	var found []*workspace.Task
	for _, t := range candidates {
		if q.switches(t) && inAll(sets, t.Index) {
			found = append(found, t)
		}
	}
	return found, nil
}

// Check reports what is wrong with a query, without a workspace: as Run would, but for relative patterns.
func (q Query) Check() error {
	_, err := q.compile(&workspace.Project{Dir: "/"})
	return err
}

func inAll(sets []set, task int) bool {
	for _, s := range sets {
		if !s.has(task) {
			return false
		}
	}
	return true
}

// Empty reports whether a query asks for nothing, so that each task fulfils it.
func (q Query) Empty() bool {
	return len(q.Filters) == 0 && !(q.HasDeps || q.NoDeps || q.HasInputs || q.NoInputs || q.HasOutputs || q.NoOutputs || q.Mutex)
}

func (q Query) switches(t *workspace.Task) bool {
	deps, inputs, outputs := len(t.Deps) > 0, len(t.Inputs) > 0, len(t.Outputs) > 0
	switch {
	case q.HasDeps && !deps, q.NoDeps && deps, q.HasInputs && !inputs, q.NoInputs && inputs, q.HasOutputs && !outputs, q.NoOutputs && outputs:
		return false
	}
	return !q.Mutex || t.Mutex != nil
}

// compiled is a filter whose expression is read and checked.
type compiled struct {
	option Option
	expr   *node
}

func (q Query) compile(bearing *workspace.Project) ([]compiled, error) {
	var bad diag.List
	for _, o := range []struct {
		name      string
		has, lack bool
	}{{"deps", q.HasDeps, q.NoDeps}, {"inputs", q.HasInputs, q.NoInputs}, {"outputs", q.HasOutputs, q.NoOutputs}} {
		if o.has && o.lack {
			bad = append(bad, diag.Diagnostic{Code: "QRY-005", Message: "--has-" + o.name + " and --no-" + o.name + " exclude each other"})
		}
	}
	filters := make([]compiled, 0, len(q.Filters))
	for _, f := range q.Filters {
		expr, errs := parse(f, bearing)
		for _, e := range errs {
			bad = append(bad, e.Diagnostic())
		}
		filters = append(filters, compiled{f.Option, expr})
	}
	if len(bad) > 0 {
		return nil, &diag.Errors{List: bad}
	}
	return filters, nil
}
