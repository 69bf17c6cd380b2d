package load

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// holder is who has a name, and where that is said.
type holder struct {
	project string
	place   diag.Place
	alias   bool
}

// alias gives projects their other names (haz::cfg::075). One that is the name or an alias of a project already is an error with both places
// (haz::cfg::076): else the order of entries would say what is meant.
func (l *loader) alias(projects []*project) {
	all := make(map[string]holder, len(projects))
	for _, p := range projects {
		if p.Project != nil {
			all[p.Name] = holder{p.Name, p.namePlace, false}
		}
	}
	for _, p := range projects {
		if p.Project == nil {
			continue // nobody knows whose they would be
		}
		if !p.aliasesKnown {
			l.ws.Partial.Projects = true // a name that nobody has may be one of them
		}
		for i, a := range p.aliases {
			if first, taken := all[a.Value]; taken {
				l.takenAlias(p, i, first)
				continue
			}
			all[a.Value] = holder{p.Name, p.src.Place(a.Span), true}
			l.ws.Aliases = append(l.ws.Aliases, workspace.Alias{Name: a.Value, Project: p.Project})
			p.Aliases = append(p.Aliases, a.Value)
		}
		slices.Sort(p.Aliases)
	}
	slices.SortFunc(l.ws.Aliases, func(a, b workspace.Alias) int { return strings.Compare(a.Name, b.Name) })
}

// takenAlias reports an alias that a project has which came first.
func (l *loader) takenAlias(p *project, i int, first holder) {
	alias := p.aliases[i]
	d := diag.Diagnostic{Code: "haz::cfg::076", Place: p.src.Place(alias.Span), KeyPath: fmt.Sprintf("aliases[%d]", i), Hint: "remove it, or write another one",
		Related: []diag.Related{{Place: first.place, Label: "the name is here"}}}
	switch {
	case first.alias:
		d.Message = fmt.Sprintf("%s is an alias of two projects: %s and %s", diag.Quote(alias.Value), diag.Quote(first.project), diag.Quote(p.Name))
		d.Related[0].Label = "first occurrence here"
	case first.project == p.Name:
		d.Message, d.Hint = fmt.Sprintf("alias %s is the name of the project itself", diag.Quote(alias.Value)), "remove it"
	default:
		d.Message = fmt.Sprintf("alias %s of project %s is the name of another project", diag.Quote(alias.Value), diag.Quote(p.Name))
	}
	l.add(d)
}
