package workspace

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
)

// respell gives the texts among deps that are no references a hint that knows the workspace: what other tools write there names a
// task that is there, or cannot be said in one reference.
func (l *loader) respell(projects []*project, overlays []*overlay) {
	meant := map[diag.Place]string{}
	var upstream []*Project // that have ^task among their deps: whatever that means, none of them comes first
	for _, p := range projects {
		if p.Project != nil && slices.ContainsFunc(p.bad, func(b badReference) bool { return strings.HasPrefix(b.text, "^") }) {
			upstream = append(upstream, p.Project)
		}
	}
	for _, p := range projects {
		for _, b := range p.bad {
			meant[b.place] = l.ws.meantDep(b.text, p.Project, upstream)
		}
	}
	for _, o := range overlays {
		for _, b := range o.builder.bad {
			meant[b.place] = l.ws.meantDep(b.text, nil, upstream)
		}
	}
	for i := range l.diags {
		if hint := meant[l.diags[i].Place]; hint != "" && l.diags[i].Code == "haz::cfg::018" {
			l.diags[i].Hint = hint
		}
	}
}

// meantDep is a hint for a text of p, nil for an overlay, that is no reference; "" when nothing comes to mind. What it says to write
// selects something, and no circle comes of it where only upstream have ^task.
func (w *Workspace) meantDep(text string, p *Project, upstream []*Project) string {
	if task, ok := strings.CutPrefix(text, "^"); ok && config.CheckName(task) == nil {
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
	if config.CheckName(bare) == nil {
		own := p == nil || p.task(bare) != nil // an overlay's project may have it
		switch {
		case own && bare == text:
			return ""
		case own:
			return didYouMeanText("~:" + bare)
		}
		if all := w.byName().byTask[bare]; len(all) > 0 {
			return didYouMeanText(all[0].ID.String())
		}
	}
	if ref := w.respelled(typed); ref != "" {
		return didYouMeanText(ref)
	}
	if named := w.named(text, typed.Dir); named != nil && len(named.Tasks) > 0 {
		return diag.Quote(named.Name) + " is a project; name the task of it: " + diag.Quote(named.Tasks[0].ID.String())
	}
	return ""
}
