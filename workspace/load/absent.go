package load

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// readAbsent takes what the definition says.
func readAbsent(a *workspace.Absent) {
	if a.Text == "" {
		return
	}
	p, _ := config.ReadProject(config.File{Name: inside(path.Join(a.Dir, layout.ProjectFile)), Text: []byte(a.Text), Rule: "DISC-008"})
	if !p.Name.Set || !p.TagsKnown || !p.TasksKnown {
		return
	}
	a.Name, a.Tasks = p.Name.Value, map[string]bool{}
	for _, t := range p.Aliases.Items {
		a.Aliases = append(a.Aliases, t.Value)
	}
	for _, t := range p.Tags.Items {
		a.Tags = append(a.Tags, t.Value)
	}
	for _, u := range p.Uses.Items {
		a.Uses = append(a.Uses, u.Value)
	}
	for _, t := range p.Tasks {
		a.Tasks[t.Name.Value] = true
	}
}

// attachAbsent gives the tasks of an overlay to the projects that are not checked out, as attach does to others.
func (l *loader) attachAbsent(o *overlay) {
	for i := range l.ws.Absent {
		a := &l.ws.Absent[i]
		if a.Name == "" || slices.ContainsFunc(o.TagsFilter, func(tag string) bool { return !slices.Contains(a.Tags, tag) }) {
			continue
		}
		for _, t := range o.file.Tasks {
			a.Tasks[t.Name.Value] = true
		}
	}
}

// notCheckedOut asks once what a sparse checkout leaves out.
func (l *loader) notCheckedOut() []workspace.Absent {
	if !l.askedAbsent && l.o.NotCheckedOut != nil {
		l.absent = l.o.NotCheckedOut(l.host, l.ws.Root)
	}
	l.askedAbsent = true
	return l.absent
}

// leaveOut takes the projects that an entry lists and that are not checked out, and reports whether there is one.
func (l *loader) leaveOut(entry config.Pattern) bool {
	found := false
	for _, a := range l.notCheckedOut() {
		if !entry.Glob.Names(a.Dir) && !(entry.Glob.IsLiteral() && entry.Value == a.Dir) {
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
		readAbsent(&a)
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
