package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
)

// jsonUse is a project that another one uses, and the line that says so.
type jsonUse struct {
	Project string `json:"project"`
	jsonLine
}

// jsonLine is where something stands.
type jsonLine struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

func lineJSON(at diag.Place) jsonLine { return jsonLine{at.File, at.Line} }

func (l jsonLine) String() string { return fmt.Sprintf("%s:%d", diag.Escape(l.File), l.Line) }

func usesJSON(p *haz.Project) []jsonUse {
	uses := make([]jsonUse, len(p.Uses))
	for i, u := range p.Uses {
		uses[i] = jsonUse{u.Name, lineJSON(u.Place)}
	}
	return uses
}

// projectGraph is what `haz graph --projects` draws: projects, and which uses which.
type projectGraph struct {
	Nodes []projectNode `json:"nodes"` // by name
	Edges []projectEdge `json:"edges"` // by from, to
}

type projectNode struct {
	Project string   `json:"project"`
	Root    string   `json:"root"`
	Tags    []string `json:"tags"`
}

// projectEdge leads from what is used to what uses it.
type projectEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
	jsonLine
}

// drawProjects takes the project of the directory and what it uses, itself or through others; or all. What is used and not checked out is
// there, too.
func drawProjects(w *haz.Workspace, all bool) *projectGraph {
	g := &projectGraph{Nodes: []projectNode{}, Edges: []projectEdge{}}
	projects := w.W.Projects
	if p := w.Bearing(); p != nil && !all && !w.W.IsAmongOthers(p) {
		projects = w.W.Using(p)
	}
	used := map[string]bool{}
	for _, p := range projects {
		g.Nodes = append(g.Nodes, projectNode{p.Name, p.Dir, append([]string{}, p.Tags...)})
		for _, u := range p.Uses {
			g.Edges = append(g.Edges, projectEdge{u.Name, p.Name, lineJSON(u.Place)})
			used[u.Name] = true
		}
	}
	for _, p := range projects {
		delete(used, p.Name)
	}
	for _, a := range w.W.Absent {
		if used[a.Name] {
			g.Nodes = append(g.Nodes, projectNode{a.Name, a.Dir, append([]string{}, a.Tags...)})
			delete(used, a.Name)
		}
	}
	for name := range used { // one that is not checked out, and of which only the name is known
		g.Nodes = append(g.Nodes, projectNode{Project: name, Tags: []string{}})
	}
	slices.SortFunc(g.Nodes, func(a, b projectNode) int { return strings.Compare(a.Project, b.Project) })
	slices.SortFunc(g.Edges, func(a, b projectEdge) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return g
}

func (g *projectGraph) json() any { return g }

func (g *projectGraph) dot() string {
	var b strings.Builder
	b.WriteString("digraph haz {\n  rankdir=LR;\n  node [shape=box];\n")
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "  %q;\n", n.Project)
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %q -> %q [label=%q];\n", e.From, e.To, e.String())
	}
	b.WriteString("}\n")
	return b.String()
}

func (g *projectGraph) mermaid() string {
	number := make(map[string]int, len(g.Nodes))
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, n := range g.Nodes {
		number[n.Project] = i
		fmt.Fprintf(&b, "  n%d[%q]\n", i, n.Project)
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  n%d -- %q --> n%d\n", number[e.From], e.String(), number[e.To])
	}
	return b.String()
}
