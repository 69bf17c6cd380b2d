package workspace

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
)

// Absent is a project that the workspace lists and that is not on disk, since the checkout is sparse (DISC-024).
type Absent struct {
	Dir  string // workspace-absolute
	Text string // of its haz.yml; "" where it cannot be read
	Add  string // the command that checks it out
	Name string // by its text; "" when that is not known

	tags  []string
	tasks map[string]bool // its own, and those of overlays
}

// has reports whether the project carries a tag (any, for "") and has a task: also where nobody can tell.
func (a *Absent) has(tag, task string) bool {
	return a.Name == "" || (tag == "" || slices.Contains(a.tags, tag)) && a.tasks[task]
}

// read takes what the definition says.
func (a *Absent) read() {
	if a.Text == "" {
		return
	}
	p, _ := config.ReadProject(config.File{Name: inside(path.Join(a.Dir, projectFile)), Text: []byte(a.Text), Rule: "DISC-008"})
	if !p.Name.Set || !p.TagsKnown || !p.TasksKnown {
		return
	}
	a.Name, a.tasks = p.Name.Value, map[string]bool{}
	for _, t := range p.Tags.Items {
		a.tags = append(a.tags, t.Value)
	}
	for _, t := range p.Tasks {
		a.tasks[t.Name.Value] = true
	}
}

// attachAbsent gives the tasks of an overlay to the projects that are not checked out, as attach does to others.
func (l *loader) attachAbsent(o *overlay) {
	for i := range l.ws.Absent {
		a := &l.ws.Absent[i]
		if a.Name == "" || slices.ContainsFunc(o.TagsFilter, func(tag string) bool { return !slices.Contains(a.tags, tag) }) {
			continue
		}
		for _, t := range o.file.Tasks {
			a.tasks[t.Name.Value] = true
		}
	}
}

// notCheckedOut asks once what a sparse checkout leaves out.
func (l *loader) notCheckedOut() []Absent {
	if !l.askedAbsent && l.o.NotCheckedOut != nil {
		l.absent = l.o.NotCheckedOut(l.ws.Root)
	}
	l.askedAbsent = true
	return l.absent
}

// leaveOut takes the projects that an entry lists and that are not checked out, and reports whether there is one.
func (l *loader) leaveOut(entry config.Pattern) bool {
	found := false
	for _, a := range l.notCheckedOut() {
		if !entry.Glob.Match(a.Dir) && !(entry.Glob.IsLiteral() && entry.Value == a.Dir) {
			continue
		}
		found = true
		if l.leftOut[a.Dir] {
			continue
		}
		if l.leftOut == nil {
			l.leftOut = map[string]bool{}
		}
		l.leftOut[a.Dir] = true
		a.read()
		l.ws.Absent = append(l.ws.Absent, a)
		l.add(diag.Diagnostic{Severity: diag.Warning, Code: "DISC-024", Place: l.settings.Source.Place(entry.Span),
			Message: fmt.Sprintf("the project in %s is not checked out (sparse checkout), and left out", diag.Quote(a.Dir)), Hint: "to have it: " + a.Add})
	}
	return found
}

// absentNamed is how many of the projects that are not checked out a note names.
const absentNamed = 5

// noteAbsent is what commands that run tasks say of projects that are not checked out, all of them at once.
func (l *loader) noteAbsent() {
	n := len(l.ws.Absent)
	if n == 0 {
		return
	}
	var dirs []string
	for _, a := range l.ws.Absent[:min(n, absentNamed)] {
		dirs = append(dirs, diag.Escape(a.Dir))
	}
	text := strings.Join(dirs, ", ")
	if n > absentNamed {
		text += fmt.Sprintf(" and %d more", n-absentNamed)
	}
	what := "a project is"
	if n > 1 {
		what = fmt.Sprintf("%d projects are", n)
	}
	l.ws.Notes = append(l.ws.Notes, diag.Diagnostic{Severity: diag.Warning, Code: "DISC-024",
		Message: what + " not checked out (sparse checkout), and left out: " + text})
}

// Lacks is why a reference does not select all that it would select in a checkout of everything; nil when it does. Only the forms
// that select tasks of many projects can lack some: of the others Resolve says it. It errs on the side of lacking where a clone
// does not have the definitions of what is not checked out.
func (w *Workspace) Lacks(r Reference) *SelectError {
	switch r.Form {
	case RefAll, RefAllButOwn, RefTag, RefTagButOwn:
	default:
		return nil
	}
	for i := range w.Absent {
		a := &w.Absent[i]
		if !a.has(r.Tag, r.Task) {
			continue
		}
		e := &SelectError{Rule: r.rule(), Ref: r.String(), Absent: true, Hint: "to have it: " + a.Add,
			Reason: fmt.Sprintf("project %s, in %s, which has that task, is not checked out (sparse checkout)", diag.Quote(a.Name), diag.Quote(a.Dir))}
		if a.Name == "" {
			e.Reason = fmt.Sprintf("the project in %s, which may have that task, is not checked out (sparse checkout)", diag.Quote(a.Dir))
		}
		return e
	}
	return nil
}

// absentProject is why a name is no project: nil when no project that is not checked out can have it.
func (w *Workspace) absentProject(r Reference) *SelectError {
	for _, a := range w.Absent {
		if a.Name == r.Project {
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
	if lacks := w.Lacks(r); lacks != nil {
		lacks.Reason = e.Reason + " among those that are checked out: " + lacks.Reason
		return lacks
	}
	return e
}
