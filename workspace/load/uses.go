package load

import (
	"fmt"
	"path"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// uses relates the projects (haz::cfg::068): each item of `uses` names another project, be it one that is not checked out. What manifests say has
// been put into Uses of the projects before, and comes behind.
func (l *loader) uses(projects []*project) {
	var names *names
	for _, p := range projects {
		if len(p.uses) > 0 && names == nil {
			names = l.names()
		}
		var uses []workspace.Use
		said := map[string]config.Text{}
		for i, u := range p.uses {
			to, known := names.at[u.Value]
			name := u.Value
			if to != nil {
				name = to.Name // it may be an alias
			}
			first, again := said[name]
			switch {
			case p.Project != nil && known && to == p.Project:
				l.badUse(p, i, "project "+diag.Quote(p.Name)+" uses itself", "remove it")
			case again:
				l.badUse(p, i, fmt.Sprintf("%s and %s are one project", diag.Quote(first.Value), diag.Quote(u.Value)), "remove one of them",
					diag.Related{Place: p.src.Place(first.Span), Label: "first occurrence here"})
			case known, names.unsure: // where it may be one that is not checked out, nobody can tell
				said[name] = u
				uses = append(uses, workspace.Use{Name: name, Place: p.src.Place(u.Span)})
			default:
				l.badUse(p, i, "there is no project "+diag.QuoteShort(u.Value), names.hint(p, u))
			}
		}
		if p.Project != nil {
			p.SetUses(append(uses, p.Uses...))
		}
	}
}

// badUse reports an item of uses.
func (l *loader) badUse(p *project, i int, message, hint string, related ...diag.Related) {
	l.add(diag.Diagnostic{Code: "haz::cfg::068", Place: p.src.Place(p.uses[i].Span), KeyPath: fmt.Sprintf("uses[%d]", i), Message: message, Hint: hint, Related: related})
}

// names are those of all projects, and what else a project could be called.
type names struct {
	at     map[string]*workspace.Project // nil: it is not checked out
	list   []string
	byDir  map[string]string
	byTag  map[string][]*workspace.Project
	meant  map[string]string // the nearest name: what many have is looked for once
	unsure bool              // there may be others
}

func (l *loader) names() *names {
	n := &names{at: make(map[string]*workspace.Project, len(l.ws.Projects)), byDir: make(map[string]string, len(l.ws.Projects)),
		byTag: projectsByTag(l.ws), meant: map[string]string{}, unsure: l.ws.Partial.Projects}
	for _, p := range l.ws.Projects {
		n.at[p.Name], n.byDir[p.Dir] = p, p.Name
		n.list = append(n.list, p.Name)
	}
	for _, a := range l.ws.Aliases {
		n.at[a.Name] = a.Project
		n.list = append(n.list, a.Name)
	}
	for _, a := range l.ws.Absent {
		if _, known := n.at[a.Name]; a.Name == "" {
			n.unsure = true
		} else if !known {
			n.at[a.Name] = nil
			for _, name := range a.Aliases {
				n.at[name] = nil
			}
			n.list = append(n.list, a.Name)
		}
	}
	return n
}

// usesMeant is of how many names that are no project the nearest one is looked for.
const usesMeant = 1000

// hint is for an item of `uses` that names no project.
func (n *names) hint(p *project, u config.Text) string {
	for _, dir := range []string{path.Join(p.dir.path, u.Value), path.Clean("/" + u.Value)} {
		switch name := n.byDir[dir]; {
		case name == "" || u.Value == "":
		case dir == p.dir.path:
			return "that is the project itself; remove it"
		default:
			return diag.DidYouMean(name)
		}
	}
	if name, _, ok := strings.Cut(u.Value, ":"); ok && n.at[name] != nil && n.at[name] != p.Project {
		return "uses names projects, not their tasks; " + diag.DidYouMean(name)
	}
	near, looked := n.meant[u.Value]
	if !looked && len(n.meant) < usesMeant {
		near = diag.Nearest(u.Value, n.list)
		n.meant[u.Value] = near
	}
	switch {
	case near != "" && (p.Project == nil || n.at[near] != p.Project):
		return diag.DidYouMean(near)
	case len(n.byTag[u.Value]) > 0:
		return fmt.Sprintf("%s is a tag, and uses names projects; tasks of all that carry it are deps: %s", diag.Quote(u.Value), diag.Quote("["+u.Value+"]:build"))
	}
	return ""
}
