package workspace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
)

// MeantDep is a hint for a text of p, nil for an overlay, that is no reference; "" when nothing comes to mind. What it says to write
// is a reference, and selects something but for ^uses:task.
func (w *Workspace) MeantDep(text string, p *Project) string {
	if task := usesForm(text); task != "" {
		return diag.DidYouMean(usesPrefix + task)
	}
	if task, ok := strings.CutPrefix(text, "^"); ok && CheckFamilyName(task) == nil && (!strings.Contains(task, ":") || len(w.byName().byTask[task]) > 0) {
		hint := diag.DidYouMean(usesPrefix + task)
		if !slices.ContainsFunc(w.Projects, func(q *Project) bool { return len(q.Uses) > 0 }) {
			hint += " Which projects one uses is said in its haz.yml: uses: [...]"
		}
		return hint
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
	if ref := cmp.Or(w.respelled(typed), w.nearTask(typed)); ref != "" {
		return diag.DidYouMean(ref)
	}
	if named := w.named(text, typed.Dir); named != nil && len(named.Tasks) > 0 {
		return diag.Quote(named.Name) + " is a project; name the task of it: " + diag.Quote(named.Tasks[0].ID.String())
	}
	return ""
}
