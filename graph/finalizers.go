package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// Finalizers (DAG-020): `after` of a task names tasks that run when it has ended. The edge leads from the task to its finalizer, which
// waits for it as for a soft upstream, and is in every plan that the task is in.

// finalizers makes the after edges of all tasks.
func (b *builder) finalizers() {
	told := map[diag.Place]bool{}
	known := newMarks(len(b.g.W.Tasks))
	for _, t := range b.g.W.Tasks {
		if len(t.After) == 0 {
			continue
		}
		known.clear()
		for i, ref := range t.After {
			for _, f := range b.resolve(t, ref, Final) {
				if !known.add(f.Index, i) {
					continue
				}
				b.edges = append(b.edges, rawEdge{up: int32(t.Index), down: int32(f.Index), kind: Final, ref: int32(i)})
				if at := f.SaysCache; at != (diag.Place{}) && !told[at] {
					told[at] = true
					b.cachedFinalizer(t, f, ref)
				}
			}
		}
	}
}

// cachedFinalizer is DAG-022.
func (b *builder) cachedFinalizer(t, f *workspace.Task, ref workspace.RefDecl) {
	b.report(diag.Diagnostic{Code: "DAG-022", Place: f.SaysCache, Project: f.SharedIn(),
		Message: fmt.Sprintf("cache: true of task %s, which is a finalizer: it is to run each time, so nothing of it is kept", quote(f)),
		Hint:    "remove cache",
		Related: []diag.Related{{Place: ref.Place, Label: fmt.Sprintf("%s of after of %s selects it", diag.Quote(ref.Ref.String()), quote(t))}}})
}

// unsure is DAG-021: finalizers that cannot run whatever the end of their tasks, since they need one of those, directly or through others: it
// would be skipped just when that fails. Who goes on when a run stops follows the same edges (EXEC-050), from a task to its finalizers and
// from these to what they need, so that without such a circle everybody has a reason that is not himself.
func (b *builder) unsure() {
	w := b.g.W
	if !slices.ContainsFunc(w.Tasks, func(t *workspace.Task) bool { return len(t.After) > 0 }) {
		return
	}
	g := &Graph{W: w, Down: make([][]Edge, len(w.Tasks))}
	for t, down := range b.g.Down {
		for _, e := range down {
			switch e.Kind {
			case Final:
				g.Down[t] = append(g.Down[t], e)
			case Hard:
				g.Down[e.Task] = append(g.Down[e.Task], Edge{Task: t, Kind: Hard, ref: e.ref})
			}
		}
	}
	_, circles := g.components()
	s := g.newCycleSearch()
	for i, members := range circles {
		b.circle(g, s.shortest(members, int32(i+1)))
	}
}

// circle is DAG-021 for one of them.
func (b *builder) circle(g *Graph, steps []step) {
	finals, first := 0, 0
	for i, s := range steps {
		if g.Down[s.up][s.edge].Kind == Final {
			if finals++; finals == 1 {
				first = i
			}
		}
	}
	if finals == 0 || finals == len(steps) {
		return // they wait for each other, which was told (DAG-014)
	}
	steps = slices.Concat(steps[first:], steps[:first])
	var path strings.Builder
	var origins []diag.Related
	for _, s := range steps {
		e := g.Down[s.up][s.edge]
		from, to := b.g.W.Tasks[s.up], b.g.W.Tasks[e.Task]
		word, up, down := "needs", to, from
		if e.Kind == Final {
			word, up, down = "after", from, to
		}
		ref := b.g.Says(up.Index, down.Index, e)
		fmt.Fprintf(&path, "%s -%s-> ", from.ID, word)
		origins = append(origins, diag.Related{Place: ref.Place, Label: fmt.Sprintf("%s has %s in %s", quote(from), diag.Quote(ref.Ref.String()), e.Kind.key())})
	}
	t := b.g.W.Tasks[steps[0].up]
	f := b.g.W.Tasks[g.Down[steps[0].up][steps[0].edge].Task]
	path.WriteString(t.ID.String())
	d := diag.Diagnostic{Code: "DAG-021", Place: origins[0].Place, Project: t.SharedIn(), Related: fewPlaces(origins[1:]),
		Message: "finalizers that need what ends before them would be skipped when that fails: " + path.String(), Hint: "weakDeps order tasks without needing them"}
	if finals == 1 {
		d.Message = fmt.Sprintf("task %s is to run after %s, whatever its end, and needs it, so it would be skipped when that fails: %s", quote(f), quote(t), path.String())
	}
	if len(steps) == 2 {
		d.Hint = fmt.Sprintf("it runs after %s anyway: take that out of its deps", quote(t))
	}
	b.report(d)
}
