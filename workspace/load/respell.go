package load

import "github.com/haz-build/haz/diag"

// respell gives the texts among deps, weakDeps and after that are no references a hint that knows the workspace: what other tools write there names a
// task that is there, or cannot be said in one reference.
func (l *loader) respell(projects []*project, overlays []*overlay) {
	meant := map[diag.Place]string{}
	for _, p := range projects {
		for _, b := range p.bad {
			meant[b.place] = l.ws.MeantDep(b.text, p.Project)
		}
	}
	for _, o := range overlays {
		for _, b := range o.builder.bad {
			meant[b.place] = l.ws.MeantDep(b.text, nil)
		}
	}
	for i := range l.diags {
		if hint := meant[l.diags[i].Place]; hint != "" && (l.diags[i].Code == "haz::cfg::018" || l.diags[i].Code == "haz::cfg::083") {
			l.diags[i].Hint = hint
		}
	}
}
