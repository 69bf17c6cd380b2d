package workspace

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/diag"
)

// A SelectError says why a reference selects nothing: which of the causes of 7.2, with the nearest name as a hint.
type SelectError struct {
	Rule    string // "REF-003"
	Ref     string
	Reason  string
	Hint    string
	NoTask  bool // the projects that it means are there, and have no such task
	Nowhere bool // no project of the workspace has one
	Absent  bool // what it means is, or may be, a project that is not checked out (DISC-024)
}

func (e *SelectError) Error() string { return e.Reason }

// Task finds a task by identity; nil when there is none.
func (w *Workspace) Task(id TaskID) *Task {
	p := w.Project(id.Project)
	if p == nil {
		return nil
	}
	return p.task(id.Task)
}

// Project finds a project by name or alias; nil when there is none.
func (w *Workspace) Project(name string) *Project {
	if i, found := slices.BinarySearchFunc(w.Projects, name, func(p *Project, n string) int { return strings.Compare(p.Name, n) }); found {
		return w.Projects[i]
	}
	if i, found := slices.BinarySearchFunc(w.Aliases, name, func(a Alias, n string) int { return strings.Compare(a.Name, n) }); found {
		return w.Aliases[i].Project
	}
	return nil
}

func (p *Project) taskNames() []string {
	names := make([]string, len(p.Tasks))
	for i, t := range p.Tasks {
		names[i] = t.ID.Task
	}
	return names
}

func (p *Project) task(name string) *Task {
	i, found := slices.BinarySearchFunc(p.Tasks, name, func(t *Task, n string) int { return strings.Compare(t.ID.Task, n) })
	if !found {
		return nil
	}
	return p.Tasks[i]
}

// index finds tasks by name and projects by tag, so that resolving all references of a workspace is linear in what they
// select. It is made on first use.
type index struct {
	once   sync.Once
	byTask map[string][]*Task    // canonical order
	byTag  map[string][]*Project // by name
	byDir  map[string]*Project
	byLast map[string]*Project // by the last part of names that have several; nil where several projects have it
	tasks  []string            // names of tasks, tags and projects: what a misspelt one could have meant
	tags   []string
	names  []string
	mu     sync.Mutex
	tagged map[[2]string][]*Task // tag and task name: the tasks, made on first use
	under  map[string][]string   // tag: names of tasks, made on first use
	meant  map[[2]string]string  // what a misspelt name could have meant, see nearest

	relations *relations // of projects, made on first use
}

// meantMax bounds the names for which a workspace looks for the nearest one. A renamed project is one name, however many
// references still have the old one; beyond a thousand different ones, a hint for each is not worth the seconds.
const meantMax = 1000

// nearest is diag.Nearest with a memory. kind tells the lists of candidates apart.
func (x *index) nearest(kind, word string, candidates []string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := [2]string{kind, word}
	near, known := x.meant[key]
	if !known && len(x.meant) < meantMax {
		near = diag.Nearest(word, candidates)
		x.meant[key] = near
	}
	return near
}

func (w *Workspace) byName() *index {
	x := &w.index
	x.once.Do(func() {
		x.byTask = make(map[string][]*Task)
		x.byTag = make(map[string][]*Project)
		x.byDir = make(map[string]*Project, len(w.Projects))
		x.byLast = make(map[string]*Project)
		x.tagged = make(map[[2]string][]*Task)
		x.under = make(map[string][]string)
		x.meant = make(map[[2]string]string)
		for _, t := range w.Tasks {
			x.byTask[t.ID.Task] = append(x.byTask[t.ID.Task], t)
			if family := t.ID.Family(); family != t.ID.Task {
				x.byTask[family] = append(x.byTask[family], t)
			}
		}
		for _, p := range w.Projects {
			for _, tag := range p.Tags {
				x.byTag[tag] = append(x.byTag[tag], p)
			}
			x.names = append(append(x.names, p.Name), p.Aliases...)
			x.byDir[p.Dir] = p
			if i := strings.LastIndexByte(p.Name, '/'); i >= 0 {
				last := p.Name[i+1:]
				if _, twice := x.byLast[last]; twice {
					p = nil
				}
				x.byLast[last] = p
			}
		}
		x.tasks = slices.Collect(maps.Keys(x.byTask))
		x.tags = slices.Collect(maps.Keys(x.byTag))
	})
	return x
}

// withTag lists the tasks of one name in the projects that carry a tag.
func (x *index) withTag(tag, task string) []*Task {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := [2]string{tag, task}
	if known, ok := x.tagged[key]; ok {
		return known
	}
	var found []*Task
	if all, projects := x.byTask[task], x.byTag[tag]; len(all) < len(projects) {
		for _, t := range all {
			if t.Project.HasTag(tag) {
				found = append(found, t)
			}
		}
	} else {
		for _, p := range projects {
			found = append(found, p.named(task)...)
		}
	}
	x.tagged[key] = found
	return found
}

// Resolve returns the tasks that a reference selects, in canonical order; bearing may be nil on the command line. The error
// is *SelectError; an empty selection is always one (7.2). The result may be shared: do not change it.
//
// On a workspace that loaded only in part, a selection that is empty because of that part is no error and no task: what is
// wrong has been said already.
func (w *Workspace) Resolve(r Reference, bearing *Project) ([]*Task, error) {
	return w.resolve(r, bearing, false)
}

func (w *Workspace) resolve(r Reference, bearing *Project, internal bool) ([]*Task, error) {
	x := w.byName()
	if bearing == nil && r.NeedsBearing() {
		return nil, &SelectError{Rule: r.rule(), Ref: r.String(), Hint: w.withoutBearing(r),
			Reason: "it means the project that one stands in, and this directory is inside no project"}
	}
	if r.Wild() {
		return w.wild(r, bearing, internal)
	}
	switch r.Form {
	case RefOwn:
		return w.inProject(r, bearing)
	case RefBare:
		if bearing != nil && !(w.IsAmongOthers(bearing) && len(bearing.named(r.Task)) == 0) {
			return w.inProject(r, bearing)
		}
		return w.among(r, x.byTask[r.Task], nil)
	case RefProject:
		p := w.Project(r.Project)
		if p == nil {
			return w.noProject(r, bearing)
		}
		return w.inProject(r, p)
	case RefUses:
		return w.used(r, bearing)
	case RefAll:
		return w.among(r, x.byTask[r.Task], nil)
	case RefAllButOwn:
		return w.among(r, x.byTask[r.Task], bearing)
	case RefTag, RefTagButOwn:
		if len(x.byTag[r.Tag]) == 0 {
			return w.noTag(r)
		}
		if r.Form == RefTag {
			bearing = nil
		}
		return w.among(r, x.withTag(r.Tag, r.Task), bearing)
	}
	return nil, &SelectError{Rule: "REF-006", Ref: r.String(), Reason: "it has no known form"}
}

// ResolveTyped is Resolve for what somebody typed on a command line, where a word that starts with the name of no project may be that of a task
// of the bearing project: build:prod.
func (w *Workspace) ResolveTyped(r Reference, bearing *Project) ([]*Task, error) {
	return w.resolveTyped(r, bearing, false)
}

// ResolveExcluded is ResolveTyped for what is taken away: there a wildcard means internal tasks, too (QRY-012).
func (w *Workspace) ResolveExcluded(r Reference, bearing *Project) ([]*Task, error) {
	return w.resolveTyped(r, bearing, true)
}

func (w *Workspace) resolveTyped(r Reference, bearing *Project, internal bool) ([]*Task, error) {
	found, err := w.resolve(r, bearing, internal)
	var s *SelectError
	if errors.As(err, &s) && !s.Absent && r.Form == RefProject && bearing != nil && !w.anyProject(r.Project) {
		if r.Wild() {
			if own, not := w.wild(Reference{Form: RefOwn, Task: r.String()}, bearing, internal); not == nil {
				return own, nil
			}
		} else if own := bearing.named(r.String()); len(own) > 0 {
			return own, nil
		}
	}
	return found, err
}

// IsAmongOthers reports whether a project is the root of a workspace of several (DISC-005): who stands there stands in no other project, and may
// mean all of them.
func (w *Workspace) IsAmongOthers(p *Project) bool { return w.Mode == Explicit && p.Dir == "/" }

// inProject selects the task of one project.
func (w *Workspace) inProject(r Reference, p *Project) ([]*Task, error) {
	if ts := p.named(r.Task); len(ts) > 0 {
		return ts, nil
	}
	if w.Partial.Tasks[p] {
		return nil, nil
	}
	hint := ""
	if near := w.byName().nearest("task of "+p.Name, r.Task, p.taskNames()); near != "" {
		r := r
		r.Task = near
		hint = diag.DidYouMean(r.String())
	} else if others := w.byName().byTask[r.Task]; len(others) > 0 {
		hint = fmt.Sprintf("project %s has a task of that name: %s", diag.Quote(others[0].ID.Project), diag.Quote(others[0].ID.String()))
	} else if len(p.Tasks) == 0 {
		hint = "it has no task at all"
	}
	return nil, &SelectError{Rule: r.rule(), Ref: r.String(), Hint: hint, NoTask: true,
		Reason: fmt.Sprintf("project %s has no task %s", diag.Quote(p.Name), diag.Quote(r.Task))}
}

func (w *Workspace) noProject(r Reference, bearing *Project) ([]*Task, error) {
	if w.Partial.Projects {
		return nil, nil
	}
	if e := w.absentProject(r); e != nil {
		return nil, e
	}
	hint, typed := "", Typed{Text: r.String(), Bearing: bearing}
	if bearing != nil {
		typed.Dir = bearing.Dir
	}
	if bearing != nil && len(bearing.named(typed.Text)) > 0 {
		hint = "for a task of this project, write " + diag.Quote("~:"+typed.Text)
	} else if ref := w.otherSpelling(typed); ref != "" {
		hint = diag.DidYouMean(ref)
	} else if used := w.usedByWord(r, bearing); used != "" {
		hint = diag.DidYouMean(used)
	} else if near := w.byName().nearest("project", r.Project, w.byName().names); near != "" {
		r := r
		r.Project = near
		hint = diag.DidYouMean(r.String())
	} else if len(w.byName().byTag[r.Project]) > 0 {
		hint = fmt.Sprintf("%s is a tag; for the projects that carry it, write %s", diag.Quote(r.Project), diag.Quote("["+r.Project+"]:"+r.Task))
	}
	return nil, &SelectError{Rule: r.rule(), Ref: r.String(), Hint: hint, Reason: "there is no project " + diag.Quote(r.Project)}
}

func (w *Workspace) noTag(r Reference) ([]*Task, error) {
	if w.Partial.Projects || w.Partial.Tags {
		return nil, nil
	}
	hint := ""
	if near := w.byName().nearest("tag", r.Tag, w.byName().tags); near != "" {
		r := r
		r.Tag = near
		hint = diag.DidYouMean(r.String())
	} else if w.Project(r.Tag) != nil {
		hint = fmt.Sprintf("%s is a project; for its task, write %s", diag.Quote(r.Tag), diag.Quote(r.Tag+":"+r.Task))
	}
	return nil, w.maybeAbsent(r, &SelectError{Rule: r.rule(), Ref: r.String(), Hint: hint, Reason: "no project has the tag " + diag.Quote(r.Tag)})
}

// used selects the tasks of one name of the projects that one uses (DAG-023). NoTask of the error says that there is none of them, which in a
// file is nothing to complain of.
func (w *Workspace) used(r Reference, p *Project) ([]*Task, error) {
	tasks, absent := w.usedTasks(p, r.Task)
	if len(tasks) > 0 {
		return tasks[:len(tasks):len(tasks)], nil
	}
	if absent != nil {
		return nil, w.lacking(r, absent)
	}
	e := &SelectError{Rule: r.rule(), Ref: r.String(), NoTask: true}
	switch x := w.byName(); {
	case len(x.byTask[r.Task]) == 0 && w.Lacks(Reference{Form: RefAll, Task: r.Task}, nil) == nil:
		e.Nowhere, e.Reason = true, "no project has a task "+diag.Quote(r.Task)
		if near := x.nearest("task ", r.Task, x.tasks); near != "" {
			r.Task = near
			e.Hint = diag.DidYouMean(r.String())
		}
	case len(p.Uses) == 0:
		e.Reason, e.Hint = fmt.Sprintf("project %s uses no other one", diag.Quote(p.Name)), "in its haz.yml: uses: [...]"
	default:
		e.Reason = fmt.Sprintf("no project that %s uses, itself or through others, has a task %s", diag.Quote(p.Name), diag.Quote(r.Task))
	}
	return nil, e
}

// among selects tasks of one name, without that of the project but.
func (w *Workspace) among(r Reference, tasks []*Task, but *Project) ([]*Task, error) {
	selected := tasks
	if but != nil {
		selected = slices.DeleteFunc(slices.Clone(tasks), func(t *Task) bool { return t.Project == but })
	}
	if len(selected) > 0 {
		return selected[:len(selected):len(selected)], nil
	}
	if w.Partial.Projects || w.Partial.Tags && r.Tag != "" || len(w.Partial.Tasks) > 0 {
		return nil, nil
	}
	e := &SelectError{Rule: r.rule(), Ref: r.String(), NoTask: true}
	where := "project"
	if r.Tag != "" {
		where = "project tagged " + diag.Quote(r.Tag)
	}
	if len(tasks) > 0 {
		e.Reason = fmt.Sprintf("only this project, %s, has a task %s, and the form with ~ leaves it out", diag.Quote(but.Name), diag.Quote(r.Task))
		if r.Tag != "" {
			e.Reason = fmt.Sprintf("only this project, %s, is tagged %s and has a task %s, and the form with ~ leaves it out",
				diag.Quote(but.Name), diag.Quote(r.Tag), diag.Quote(r.Task))
		}
		return nil, w.maybeAbsent(r, e)
	}
	e.Reason = fmt.Sprintf("no %s has a task %s", where, diag.Quote(r.Task))
	if lacks := w.maybeAbsent(r, e); lacks != e {
		return nil, lacks
	}
	if near := w.byName().nearest("task "+r.Tag, r.Task, w.taskNames(r)); near != "" {
		r.Task = near
		e.Hint = diag.DidYouMean(r.String())
	}
	return nil, e
}

// taskNames lists the names of tasks that the reference could have meant.
func (w *Workspace) taskNames(r Reference) []string {
	x := w.byName()
	if r.Tag == "" {
		return x.tasks
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	names, known := x.under[r.Tag]
	if !known {
		for _, p := range x.byTag[r.Tag] {
			for _, t := range p.Tasks {
				names = append(names, t.ID.Task)
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		x.under[r.Tag] = names
	}
	return names
}

// rule is the rule of the form.
func (r Reference) rule() string {
	switch r.Form {
	case RefOwn:
		return "REF-002"
	case RefProject:
		return "REF-003"
	case RefAll:
		return "REF-004"
	case RefTag:
		return "REF-005"
	case RefAllButOwn, RefTagButOwn:
		return "REF-008"
	case RefUses:
		return "DAG-023"
	default:
		return "REF-006"
	}
}

// withoutBearing names a form that comes close and needs no bearing project.
func (w *Workspace) withoutBearing(r Reference) string {
	switch r.Form {
	case RefOwn:
		if r.Wild() {
			r.Form = RefAll
			break
		}
		if tasks := w.byName().byTask[r.Task]; len(tasks) > 0 {
			return "name the project: " + diag.Quote(tasks[0].ID.String())
		}
		return "go into the folder of a project"
	case RefUses:
		return "go into the folder of a project"
	case RefTagButOwn:
		r.Form = RefTag
	default:
		r.Form = RefAll
	}
	return "write " + diag.Quote(r.String())
}
