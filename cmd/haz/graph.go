package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
)

func graphCommand() *command {
	return &command{Command: cli.Command{Name: "graph", ArgsUsage: "[TASK...]", Usage: "print the task graph",
		Description: "Prints the graph of the given tasks, all they depend on and their finalizers, or of all tasks of this directory's project or the workspace. Edges point from what comes first to what comes after. With --projects, the projects: this directory's and all that it uses, itself or through others, or all of the workspace; each edge has the place that says so.",
		Flags: slices.Concat([]cli.Flag{
			toggle("workspace", "all tasks, or projects, whatever the directory"),
			toggle("projects", "projects instead of tasks: which one uses which"),
			filterOption(), excludeOption(),
		}, affectedOptions(), []cli.Flag{
			readBy(text("edges", "KINDS", "kinds of edges, separated by commas: hard, soft, after, producer (default hard,soft,after)"), parseEdges),
			formatOption("dot (default), json or mermaid", "dot", "json", "mermaid"),
		}),
		UsageText: lines("haz graph app:build | dot -Tsvg -o graph.svg", "haz graph --workspace --edges hard,soft,after,producer --format mermaid", "haz graph --projects --workspace"),
	}, completes: tasks, do: doGraph, noRefs: []string{"workspace", "projects"}, exclusive: [][]string{{"projects", "edges"}, {"projects", "filter"}, {"projects", "exclude"}, {"projects", "affected"}}, needs: [][2]string{{"base", "affected"}}}
}

var edgeKinds = map[string]haz.EdgeKind{"hard": haz.Hard, "soft": haz.Soft, "producer": haz.Producer, "after": haz.Final}

// doGraph is `haz graph`.
func doGraph(v *invocation) error {
	wanted, err := v.wanted()
	if err != nil {
		return err
	}
	kinds := read[edgeSet](v, "edges")
	if kinds == nil {
		kinds = edgeSet{haz.Hard: true, haz.Soft: true, haz.Final: true}
	}
	w, err := v.open()
	if err != nil {
		return err
	}
	defer w.Close()
	if v.has("projects") {
		v.draw(drawProjects(w, v.has("workspace")))
		return nil
	}
	g := subgraph{nodes: w.Scope(v.has("workspace"))}
	if narrows(wanted) {
		wanted.All = !wanted.Workspace && len(wanted.References) == 0
		s, err := w.Select(v.ctx, wanted)
		if err != nil {
			return err
		}
		v.said(s)
		g.nodes = s.Plan.Tasks
	}
	g.connect(w, kinds)
	v.draw(&g)
	return nil
}

// drawn is what a graph is printed from.
type drawn interface {
	json() any
	dot() string
	mermaid() string
}

// draw prints a graph in the format that was asked for.
func (v *invocation) draw(g drawn) {
	switch v.value("format") {
	case "json":
		v.printJSON(g.json())
	case "mermaid":
		v.out.Print(g.mermaid())
	default:
		v.out.Print(g.dot())
	}
}

type edgeSet map[haz.EdgeKind]bool

func parseEdges(text string) (edgeSet, error) {
	kinds := edgeSet{}
	for _, name := range strings.Split(text, ",") {
		k, ok := edgeKinds[name]
		if !ok {
			return nil, &hinted{text: "unknown kind of edge " + diag.Quote(name), hint: "hard, soft, after and producer, separated by commas"}
		}
		kinds[k] = true
	}
	return kinds, nil
}

// subgraph is what is drawn: some tasks, and the edges between them.
type subgraph struct {
	nodes []*haz.Task // canonical order
	edges []edge      // by from, to, kind
}

type edge struct {
	from, to *haz.Task
	kind     haz.EdgeKind
	says     edgeOrigin
}

func (g *subgraph) connect(w *haz.Workspace, kinds edgeSet) {
	inside := make(map[int]bool, len(g.nodes))
	for _, t := range g.nodes {
		inside[t.Index] = true
	}
	for _, t := range g.nodes {
		for _, e := range w.G.Down[t.Index] {
			if kinds[e.Kind] && inside[e.Task] && e.Task != t.Index {
				g.edges = append(g.edges, edge{t, w.W.Tasks[e.Task], e.Kind, originOf(w, t.Index, e)})
			}
		}
	}
	slices.SortFunc(g.edges, func(a, b edge) int {
		return cmp.Or(a.from.ID.Compare(b.from.ID), a.to.ID.Compare(b.to.ID), strings.Compare(a.kind.String(), b.kind.String()))
	})
	g.edges = slices.Compact(g.edges) // one producer edge, however many patterns made it
}

func (g *subgraph) json() any {
	type node struct {
		Project string   `json:"project"`
		Tags    []string `json:"tags"`
		Task    string   `json:"task"`
	}
	type link struct {
		From string `json:"from"`
		Kind string `json:"kind"`
		To   string `json:"to"`
		edgeOrigin
	}
	doc := struct {
		Nodes []node `json:"nodes"`
		Edges []link `json:"edges"`
	}{make([]node, len(g.nodes)), make([]link, len(g.edges))}
	for i, t := range g.nodes {
		doc.Nodes[i] = node{t.ID.Project, append([]string{}, t.Project.Tags...), t.ID.Task}
	}
	for i, e := range g.edges {
		doc.Edges[i] = link{e.from.ID.String(), e.kind.String(), e.to.ID.String(), e.says}
	}
	return doc
}

func (g *subgraph) dot() string {
	style := map[haz.EdgeKind]string{haz.Hard: "", haz.Soft: " [style=dashed]", haz.Producer: " [style=dotted]", haz.Final: " [style=dashed, label=after]"}
	var b strings.Builder
	b.WriteString("digraph haz {\n  rankdir=LR;\n  node [shape=box];\n")
	for _, t := range g.nodes {
		fmt.Fprintf(&b, "  %q;\n", t.ID.String())
	}
	for _, e := range g.edges {
		fmt.Fprintf(&b, "  %q -> %q%s;\n", e.from.ID.String(), e.to.ID.String(), style[e.kind])
	}
	b.WriteString("}\n")
	return b.String()
}

func (g *subgraph) mermaid() string {
	arrow := map[haz.EdgeKind]string{haz.Hard: "-->", haz.Soft: "-.->", haz.Producer: "-. produces .->", haz.Final: "-. after .->"}
	number := make(map[int]int, len(g.nodes))
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, t := range g.nodes {
		number[t.Index] = i
		fmt.Fprintf(&b, "  n%d[%q]\n", i, t.ID.String())
	}
	for _, e := range g.edges {
		fmt.Fprintf(&b, "  n%d %s n%d\n", number[e.from.Index], arrow[e.kind], number[e.to.Index])
	}
	return b.String()
}
