package workspace

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
)

// MeantDep is a hint for a text of p, nil for an overlay, that is no reference; "" when nothing comes to mind. What it says to write
// selects something, and no circle comes of it where only upstream have ^task.
func (w *Workspace) MeantDep(text string, p *Project, upstream []*Project) string {
	if task, ok := strings.CutPrefix(text, "^"); ok && CheckFamilyName(task) == nil {
		hint := "haz has dependencies of tasks, not of projects: name the tasks that this one needs"
		for _, t := range w.byName().byTask[task] {
			if t.Project != p && len(t.Deps) == 0 && !slices.Contains(upstream, t.Project) {
				hint += ", like " + diag.Quote(t.ID.String())
				break
			}
		}
		return hint + ", or none"
	}
	typed := Typed{Text: text, Bearing: p}
	if p != nil {
		typed.Dir = p.Dir
	}
	bare := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(text, "//"), "#"), ":")
	if CheckTaskName(bare) == nil {
		own := p == nil && CheckName(bare) == nil || p != nil && p.task(bare) != nil // an overlay's project may have it
		switch {
		case own && bare == text:
			return ""
		case own:
			return diag.DidYouMean("~:" + bare)
		}
		if all := w.byName().byTask[bare]; len(all) > 0 {
			return diag.DidYouMean(all[0].ID.String())
		}
	}
	if ref := w.respelled(typed); ref != "" {
		return diag.DidYouMean(ref)
	}
	if named := w.named(text, typed.Dir); named != nil && len(named.Tasks) > 0 {
		return diag.Quote(named.Name) + " is a project; name the task of it: " + diag.Quote(named.Tasks[0].ID.String())
	}
	return ""
}
