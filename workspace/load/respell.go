package load

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// respell gives the texts among deps, weakDeps and after that are no references a hint that knows the workspace: what other tools write there names a
// task that is there, or cannot be said in one reference.
func (l *loader) respell(projects []*project, overlays []*overlay) {
	meant := map[diag.Place]string{}
	var upstream []*workspace.Project // that have ^task among their deps: whatever that means, none of them comes first
	for _, p := range projects {
		if p.Project != nil && slices.ContainsFunc(p.bad, func(b badReference) bool { return strings.HasPrefix(b.text, "^") }) {
			upstream = append(upstream, p.Project)
		}
	}
	for _, p := range projects {
		for _, b := range p.bad {
			meant[b.place] = l.ws.MeantDep(b.text, p.Project, upstream)
		}
	}
	for _, o := range overlays {
		for _, b := range o.builder.bad {
			meant[b.place] = l.ws.MeantDep(b.text, nil, upstream)
		}
	}
	for i := range l.diags {
		if hint := meant[l.diags[i].Place]; hint != "" && (l.diags[i].Code == "haz::cfg::018" || l.diags[i].Code == "haz::cfg::083") {
			l.diags[i].Hint = hint
		}
	}
}
