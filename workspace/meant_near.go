package workspace

import (
	"strings"

	"github.com/haz-build/haz/diag"
)

// misspelt is a hint for a text that names nothing and is no other spelling of a name: about what comes nearest to it. "" when nothing does.
func (w *Workspace) misspelt(t Typed) string {
	if strings.ContainsAny(t.Text, "*?[{") {
		return "" // what is wrong with it is a wildcard, or what it means
	}
	if ref := w.nearTask(t); ref != "" {
		return diag.DidYouMean(ref)
	}
	x := w.byName()
	if p := w.nearProject(t.Text, t.Dir); p != nil {
		return tasksOf(p)
	}
	near := x.nearest("task ", t.Text, x.tasks)
	if near == "" {
		return ""
	}
	if t.Bearing != nil && len(t.Bearing.named(near)) == 0 && !w.IsAmongOthers(t.Bearing) {
		near = x.byTask[near][0].ID.String()
	}
	return diag.DidYouMean(near)
}

// nearTask is the task whose project and name are nearest to what stands on two sides of a character that people put between them, in either order: libb#build,
// lib#biuld, "lib build", build:lib. "" when there is none.
func (w *Workspace) nearTask(t Typed) string {
	for _, separator := range "#: /" {
		first, last := strings.IndexByte(t.Text, byte(separator)), strings.LastIndexByte(t.Text, byte(separator))
		for i, at := range []int{first, last} {
			if at <= 0 || at == len(t.Text)-1 || i > 0 && at == first {
				continue
			}
			before, after := strings.TrimLeft(t.Text[:at], "/@"), t.Text[at+1:]
			if p := w.named(after, ""); p != nil && len(p.named(before)) > 0 {
				return p.Name + ":" + before
			}
			p := w.nearProject(before, t.Dir)
			if p == nil {
				continue
			}
			task := after
			if len(p.named(task)) == 0 {
				task = w.byName().nearest("task of "+p.Name, after, p.taskNames())
			}
			if ref := p.Name + ":" + task; task != "" && ref != t.Text {
				return ref
			}
		}
	}
	return ""
}

// nearProject is the project that a text names, or comes nearest to; nil when there is none.
func (w *Workspace) nearProject(text, dir string) *Project {
	if p := w.named(text, dir); p != nil {
		return p
	}
	x := w.byName()
	if near := x.nearest("project", text, x.names); near != "" {
		return w.Project(near)
	}
	var found *Project
	for _, p := range w.Projects { // the last parts of a name: core/v2 of github.com/acme/core/v2
		if strings.Contains(text, "/") && strings.HasSuffix(p.Name, "/"+text) {
			if found != nil {
				return nil
			}
			found = p
		}
	}
	return found
}

// usedByWord is ^uses:task for a reference whose project, which is not there, is a word for what one uses: uses:build. "" for all else.
func (w *Workspace) usedByWord(r Reference, bearing *Project) string {
	if bearing == nil || !usesWords[strings.ToLower(r.Project)] {
		return ""
	}
	if used, _ := w.usedTasks(bearing, r.Task); len(used) == 0 {
		return ""
	}
	return usesPrefix + r.Task
}
