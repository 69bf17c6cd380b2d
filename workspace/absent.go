package workspace

import (
	"fmt"
	"slices"

	"github.com/haz-build/haz/diag"
)

// Absent is a project that the workspace lists and that is not on disk, since the checkout is sparse (DISC-024).
type Absent struct {
	Dir  string // workspace-absolute
	Text string // of its haz.yml; "" where it cannot be read
	Add  string // the command that checks it out
	Name string // by its text; "" when that is not known

	Aliases []string
	Tags    []string
	Uses    []string        // names of projects
	Tasks   map[string]bool // its own, and those of overlays
}

// has reports whether the project carries a tag (any, for "") and has a task: also where nobody can tell.
func (a *Absent) has(tag, task string) bool {
	if a.Name == "" {
		return true
	}
	tagged := tag == "" || slices.ContainsFunc(a.Tags, func(t string) bool { return MatchName(tag, t) })
	if !IsWild(task) {
		return tagged && a.Tasks[task]
	}
	for name := range a.Tasks {
		if tagged && MatchTask(task, name) {
			return true
		}
	}
	return false
}

// Lacks is why a reference does not select all that it would select in a checkout of everything; nil when it does. Only the forms
// that select tasks of many projects can lack some: of the others Resolve says it. It errs on the side of lacking where a clone
// does not have the definitions of what is not checked out. bearing is the project that the reference stands in.
func (w *Workspace) Lacks(r Reference, bearing *Project) *SelectError {
	switch r.Form {
	case RefUses:
		if bearing == nil {
			return nil
		}
		if _, absent := w.usedTasks(bearing, r.Task); absent != nil {
			return w.lacking(r, absent)
		}
		return nil
	case RefAll, RefAllButOwn, RefTag, RefTagButOwn:
	case RefProject:
		if !IsWild(r.Project) {
			return nil
		}
	default:
		return nil
	}
	for i := range w.Absent {
		a := &w.Absent[i]
		if !a.has(r.Tag, r.Task) || a.Name != "" && r.Project != "" && !matchProject(r.Project, a.Name, a.Aliases) {
			continue
		}
		return w.lacking(r, a)
	}
	return nil
}

// lacking is the error about a project that a selection lacks.
func (w *Workspace) lacking(r Reference, a *Absent) *SelectError {
	e := &SelectError{Rule: r.rule(), Ref: r.String(), Absent: true, Hint: "to have it: " + a.Add,
		Reason: fmt.Sprintf("project %s, in %s, which has that task, is not checked out (sparse checkout)", diag.Quote(a.Name), diag.Quote(a.Dir))}
	if a.Name == "" {
		e.Reason = fmt.Sprintf("the project in %s, which may have that task, is not checked out (sparse checkout)", diag.Quote(a.Dir))
	}
	return e
}

// absentProject is why a name is no project: nil when no project that is not checked out can have it.
func (w *Workspace) absentProject(r Reference) *SelectError {
	for _, a := range w.Absent {
		if a.Name == r.Project || slices.Contains(a.Aliases, r.Project) {
			return &SelectError{Rule: r.rule(), Ref: r.String(), Absent: true, Hint: "to have it: " + a.Add,
				Reason: fmt.Sprintf("project %s, in %s, is not checked out (sparse checkout)", diag.Quote(r.Project), diag.Quote(a.Dir))}
		}
	}
	for _, a := range w.Absent {
		if a.Name == "" {
			return &SelectError{Rule: r.rule(), Ref: r.String(), Absent: true,
				Reason: "there is no project " + diag.Quote(r.Project) + " among those that are checked out",
				Hint:   "the checkout is sparse; to have what is in " + diag.Quote(a.Dir) + ", for example: " + a.Add}
		}
	}
	return nil
}

// maybeAbsent is the error about a selection that is empty: that of Lacks, where what it means is not checked out.
func (w *Workspace) maybeAbsent(r Reference, e *SelectError) *SelectError {
	if lacks := w.Lacks(r, nil); lacks != nil {
		lacks.Reason = e.Reason + " among those that are checked out: " + lacks.Reason
		return lacks
	}
	return e
}
