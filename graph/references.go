package graph

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// references makes the hard and soft edges of all tasks (DAG-008, DAG-009).
func (b *builder) references() {
	n := len(b.g.W.Tasks)
	r := resolver{b: b, hard: newMarks(n), soft: newMarks(n), edge: make([]int, n)}
	for _, t := range b.g.W.Tasks {
		r.task(t)
	}
}

// resolver keeps, for the task at hand, which upstreams are known already, and by which reference of the list.
type resolver struct {
	b          *builder
	hard, soft marks
	edge       []int // by upstream: its hard edge, of those that hard has
}

// marks is a set of tasks with a position each, emptied by counting on.
type marks struct {
	round, at []int32
	now       int32
}

func newMarks(n int) marks { return marks{round: make([]int32, n), at: make([]int32, n)} }

func (m *marks) clear() { m.now++ }

// add reports whether the task is new.
func (m *marks) add(task, at int) bool {
	if m.round[task] == m.now {
		return false
	}
	m.round[task], m.at[task] = m.now, int32(at)
	return true
}

func (m *marks) find(task int) (at int, found bool) { return int(m.at[task]), m.round[task] == m.now }

func (r *resolver) task(t *workspace.Task) {
	r.hard.clear()
	var told exported
	for i, ref := range t.Deps {
		for _, u := range r.b.resolve(t, ref, Hard) {
			if r.hard.add(u.Index, i) {
				told = r.b.exports(t, u, ref, told)
				r.edge[u.Index] = len(r.b.edges)
				r.b.edges = append(r.b.edges, rawEdge{up: int32(u.Index), down: int32(t.Index), kind: Hard, ref: int32(i), narrow: ref.Narrow, streams: ref.Streams})
			} else { // what one reference asks for, another does not take away
				e := &r.b.edges[r.edge[u.Index]]
				e.narrow, e.streams = e.narrow && ref.Narrow, e.streams || ref.Streams
			}
		}
	}
	if len(t.WeakDeps) == 0 {
		return
	}
	r.soft.clear()
	for i, ref := range t.WeakDeps {
		for _, u := range r.b.resolve(t, ref, Soft) {
			if !r.soft.add(u.Index, i) {
				continue
			}
			if at, both := r.hard.find(u.Index); both {
				r.b.inBoth(t, u, t.Deps[at], ref)
				continue
			}
			r.b.edges = append(r.b.edges, rawEdge{up: int32(u.Index), down: int32(t.Index), kind: Soft, ref: int32(i)})
		}
	}
}

// resolve returns what a reference of t selects. One that selects nothing (REF-002 … REF-005, REF-008), or t itself
// (DAG-012), is an error and makes no edge.
func (b *builder) resolve(t *workspace.Task, ref workspace.RefDecl, kind EdgeKind) []*workspace.Task {
	tasks, err := b.g.W.Resolve(ref.Ref, t.Project)
	if err != nil {
		var s *workspace.SelectError
		if (ref.Optional || ref.Ref.Form == workspace.RefUses) && errors.As(err, &s) && s.NoTask {
			return nil
		}
		b.unresolved(t, ref, kind, err)
		return nil
	}
	if kind != Soft { // finalizers that cannot be carried out are missed like upstreams
		if lacks := b.g.W.Lacks(ref.Ref, t.Project); lacks != nil {
			b.unresolved(t, ref, kind, lacks)
		}
	}
	for _, u := range tasks {
		if u == t {
			b.onItself(t, ref, kind, tasks)
			return nil
		}
	}
	b.onService(t, ref, kind, tasks)
	return tasks
}

// onService is DAG-028: a service does not end by itself and has no result, so that nobody can run when it has ended, nor look at less of it, or
// at more.
func (b *builder) onService(t *workspace.Task, ref workspace.RefDecl, kind EdgeKind, tasks []*workspace.Task) {
	i := slices.IndexFunc(tasks, func(u *workspace.Task) bool { return u.Service != nil })
	if i < 0 || kind == Hard && !ref.Narrow && !ref.Streams {
		return
	}
	d := diag.Diagnostic{Code: "DAG-028", Place: ref.Place, Project: t.SharedIn(), Hint: "put it into deps: tasks that need a service begin when it is ready",
		Related: []diag.Related{{Place: tasks[i].Place, Label: fmt.Sprintf("%s is a service", quote(tasks[i]))}}}
	what := diag.Quote(ref.Ref.String())
	switch {
	case kind == Soft:
		d.Message = fmt.Sprintf("task %s is to run when %s has ended, which is a service: it does not end by itself", quote(t), what)
	case kind == Final:
		d.Message = fmt.Sprintf("%s is to run when task %s has ended, and is a service: it would not end", what, quote(t))
		d.Hint = "let a task without service tidy up"
	case ref.Streams:
		d.Message = fmt.Sprintf("task %s asks for what %s prints, which is a service: what it prints is no result", quote(t), what)
		d.Hint = "remove streams"
	default:
		d.Message = fmt.Sprintf("task %s asks for the outputs of %s alone, which is a service: it has none", quote(t), what)
		d.Hint = "remove closure"
	}
	b.report(d)
}

// exported is who exports a variable to a task.
type exported map[string]*workspace.Task

// exports is haz::cfg::143: a task that depends on two services is told one value of each variable.
func (b *builder) exports(t, u *workspace.Task, ref workspace.RefDecl, told exported) exported {
	if u.Service == nil {
		return told
	}
	for _, name := range slices.Sorted(maps.Keys(u.Service.Exports)) {
		if other := told[name]; other != nil {
			b.report(diag.Diagnostic{Code: "haz::cfg::143", Place: ref.Place, Project: t.SharedIn(),
				Message: fmt.Sprintf("task %s depends on two services that export %s, %s and %s", quote(t), name, quote(other), quote(u)),
				Related: []diag.Related{{Place: other.Place, Label: fmt.Sprintf("%s is here", quote(other))}, {Place: u.Place, Label: fmt.Sprintf("%s is here", quote(u))}},
				Hint:    "let one of them export it under another name"})
			continue
		}
		if told == nil {
			told = exported{}
		}
		told[name] = u
	}
	return told
}

// code is the rule of references of the kind.
func (k EdgeKind) code() string {
	switch k {
	case Soft:
		return "DAG-009"
	case Final:
		return "DAG-020"
	}
	return "DAG-008"
}

func (b *builder) unresolved(t *workspace.Task, ref workspace.RefDecl, kind EdgeKind, err error) {
	verb := map[EdgeKind]string{Hard: "depends on", Soft: "weakly depends on", Final: "is finalized by"}[kind]
	d := diag.Diagnostic{Code: kind.code(), Place: ref.Place, Project: t.SharedIn(),
		Message: fmt.Sprintf("unresolved reference: task %s %s %s, but %v", quote(t), verb, diag.Quote(ref.Ref.String()), err)}
	var s *workspace.SelectError
	if errors.As(err, &s) {
		d.Hint = s.Hint
		if s.Rule != "" {
			d.Message += " (" + s.Rule + ")"
		}
	}
	if ref.Ref.Form == workspace.RefOwn && t.Overlay != "" {
		d.Hint = fmt.Sprintf("overlay %s gives the task to projects without %s: add a tag to its tagsFilter that only those with one have, or give these one",
			diag.Quote(t.Overlay), diag.Quote("~:"+ref.Ref.Task))
	}
	if s != nil && s.Absent {
		b.absent(t, kind, d)
		return
	}
	b.report(d)
}

// absent keeps what is wrong with a task that depends on a project which a sparse checkout leaves out: nothing, as long as the
// task is not wanted. A soft upstream that is not there orders nothing.
func (b *builder) absent(t *workspace.Task, kind EdgeKind, d diag.Diagnostic) {
	if kind == Soft {
		return
	}
	if b.g.Unmet == nil {
		b.g.Unmet = map[int]diag.List{}
	}
	b.g.Unmet[t.Index] = append(b.g.Unmet[t.Index], d)
}

// onItself is DAG-012: the whole reference is dropped.
func (b *builder) onItself(t *workspace.Task, ref workspace.RefDecl, kind EdgeKind, selected []*workspace.Task) {
	d := diag.Diagnostic{Code: "DAG-012", Place: ref.Place, Project: t.SharedIn(),
		Message: fmt.Sprintf("task %s cannot depend on itself, and %s selects it", quote(t), diag.Quote(ref.Ref.String())),
		Hint:    "remove it"}
	if kind == Final {
		d.Message = fmt.Sprintf("task %s cannot run after itself, and %s of after selects it", quote(t), diag.Quote(ref.Ref.String()))
	}
	other := ref.Ref
	switch other.Form {
	case workspace.RefAll:
		other.Form = workspace.RefAllButOwn
	case workspace.RefTag:
		other.Form = workspace.RefTagButOwn
	}
	switch {
	case len(selected) == 1:
	case mutual(t, ref.Ref, kind, selected):
		const why = "other tasks that it selects have it as well, and would wait for each other; "
		d.Hint = why + "name the tasks that this one needs"
		if kind != Final && isWide(ref.Ref) {
			b.wide = append(b.wide, wide{at: len(b.diags), tasks: []int32{int32(t.Index)}, names: []string{ref.Ref.Task}, also: why})
		}
	default:
		d.Hint = fmt.Sprintf("%s leaves this project out", diag.Quote(other.String()))
	}
	b.report(d)
}

// mutual reports whether one of the first few of the others that a reference selects depends by the like on t.
func mutual(t *workspace.Task, ref workspace.Reference, kind EdgeKind, selected []*workspace.Task) bool {
	const few = 100
	for _, u := range selected[:min(few, len(selected))] {
		of := u.Deps
		if kind == Final {
			of = u.After
		}
		for _, back := range of {
			if u != t && back.Ref.Task == ref.Task && (back.Ref.Form == workspace.RefAll || back.Ref.Form == workspace.RefAllButOwn ||
				t.Project.HasTag(back.Ref.Tag)) {
				return true
			}
		}
	}
	return false
}

// inBoth is DAG-010.
func (b *builder) inBoth(t, u *workspace.Task, hard, soft workspace.RefDecl) {
	b.report(diag.Diagnostic{Code: "DAG-010", Place: soft.Place, Project: t.SharedIn(),
		Message: fmt.Sprintf("task %s has %s in both deps and weakDeps", quote(t), quote(u)),
		Hint:    "deps orders too, and does more; remove it from one of them",
		Related: []diag.Related{{Place: hard.Place, Label: fmt.Sprintf("%s of deps selects it as well", diag.Quote(hard.Ref.String()))}}})
}

func quote(t *workspace.Task) string { return diag.Quote(t.ID.String()) }
