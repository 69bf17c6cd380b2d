package haz

import (
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/graph"
)

// A Relation is an edge of a task that a reference makes, and that reference (DAG-027).
type Relation struct {
	Key       string // "deps", "weakDeps", "after", or "finalizer of" where after of Task makes it
	Task      TaskID // at the other end
	Reference string // as it is written: "^uses:build"
	Place     diag.Place
}

// Relations are those of a task, at its position of w.W.Tasks: by key in the order above, and then in canonical order. Only a workspace without errors has them.
func (w *Workspace) Relations(task int) []Relation {
	var list []Relation
	add := func(key string, edges []graph.Edge, kind EdgeKind, up bool) {
		for _, e := range edges {
			if e.Kind != kind {
				continue
			}
			from, to := e.Task, task
			if !up {
				from, to = task, e.Task
			}
			ref := w.G.Says(from, to, e)
			list = append(list, Relation{key, w.W.Tasks[e.Task].ID, ref.String(), ref.Place})
		}
	}
	up, down := w.G.Up[task], w.G.Down[task]
	add("deps", up, Hard, true)
	add("weakDeps", up, Soft, true)
	add("after", down, Final, false)
	add("finalizer of", up, Final, true)
	return list
}
