package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// Where tasks wait for each other since each selects that of every project, what was meant is mostly that of the projects which one uses
// (DAG-025). The hint says so where it helps: where the circle is gone when it is followed.

// wide is a mistake that ^uses:task may end.
type wide struct {
	at    int     // in diags
	tasks []int32 // which wait for each other, or the one that selects itself
	names []string
	also  string // what the hint says before
}

// isWide reports whether a reference is ^:task or ^~:task.
func isWide(r workspace.Reference) bool {
	return r.Form == workspace.RefAll || r.Form == workspace.RefAllButOwn
}

// offerTries bounds how often it is tried which hints help: each time fewer, since those that do not are not given.
const offerTries = 4

// offerUses gives the hints.
func (b *builder) offerUses() {
	offered := b.wide
	for range offerTries {
		if len(offered) == 0 {
			return
		}
		circular := b.circularWith(offered)
		helps := slices.DeleteFunc(slices.Clone(offered), func(m wide) bool {
			return slices.ContainsFunc(m.tasks, func(t int32) bool { return circular[t] })
		})
		if len(helps) == len(offered) {
			for _, m := range helps {
				b.diags[m.at].Hint = m.also + b.offer(m.names)
			}
			return
		}
		offered = helps
	}
}

// circularWith reports, by task, which would wait for each other if some hints were followed.
func (b *builder) circularWith(offered []wide) []bool {
	w := b.g.W
	instead := map[int32][]string{} // by task: the names after ^: that become ^uses:
	for _, m := range offered {
		for _, t := range m.tasks {
			instead[t] = append(instead[t], m.names...)
		}
	}
	g := &Graph{W: w, Down: make([][]Edge, len(w.Tasks))}
	for _, t := range w.Tasks {
		b.edgesWith(g, t, instead[int32(t.Index)])
	}
	for _, e := range b.edges {
		if e.kind == Producer || e.kind == Final {
			g.Down[e.up] = append(g.Down[e.up], Edge{Task: int(e.down), Kind: e.kind})
		}
	}
	circular := make([]bool, len(w.Tasks))
	_, circles := g.components()
	for _, members := range circles {
		for _, t := range members {
			circular[t] = true
		}
	}
	return circular
}

// offer is the hint.
func (b *builder) offer(names []string) string {
	refs := make([]string, len(names))
	for i, name := range names {
		refs[i] = diag.Quote(workspace.Reference{Form: workspace.RefUses, Task: name}.String())
	}
	hint := "for the task of the projects that this one uses, write " + strings.Join(refs, " and ")
	if !slices.ContainsFunc(b.g.W.Projects, func(p *workspace.Project) bool { return len(p.Uses) > 0 }) {
		hint += "; which these are is said in haz.yml: uses: [...]"
	}
	return hint
}

// edgesWith makes the edges of deps and weakDeps of a task as they would be with ^uses: before some names.
func (b *builder) edgesWith(g *Graph, t *workspace.Task, instead []string) {
	for _, refs := range [][]workspace.RefDecl{t.Deps, t.WeakDeps} {
		for _, ref := range refs {
			r := ref.Ref
			if isWide(r) && slices.Contains(instead, r.Task) {
				r.Form = workspace.RefUses
			}
			tasks, err := b.g.W.Resolve(r, t.Project)
			if err != nil || slices.Contains(tasks, t) {
				continue
			}
			for _, u := range tasks {
				g.Down[u.Index] = append(g.Down[u.Index], Edge{Task: t.Index, Kind: Hard})
			}
		}
	}
}

// related says by which relations between projects a task depends on another one, for references that ask for them.
func (b *builder) related(ref workspace.Reference, down, up *workspace.Task) []diag.Related {
	if ref.Form != workspace.RefUses {
		return nil
	}
	var all []diag.Related
	from := down.Project.Name
	for _, u := range b.g.W.Way(down.Project, up.Project, ref.Task) {
		all = append(all, diag.Related{Place: u.Place, Label: fmt.Sprintf("project %s uses %s", diag.Quote(from), diag.Quote(u.Name))})
		from = u.Name
	}
	return all
}
