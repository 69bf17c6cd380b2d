// Package graph relates the tasks of a workspace: hard, soft, producer and after edges, their checks, plans (chapter 1, 7.3;
// chapter 2, section 1). Only hard edges bring a task into keys (DAG-017, DAG-018), and only they and after edges into a plan.
// It touches neither disk nor clock.
//
// All work is near-linear in tasks, edges and patterns: which outputs meet which inputs is asked of an index
// (pattern.Index) and never of all pairs, cycles are found by one walk without recursion (Tarjan 1972), and what only `check`
// wants to know is computed when it asks (Warnings).
package graph

import (
	"cmp"
	"slices"
	"sync"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// EdgeKind is the kind of an edge; edges point from upstream to downstream.
type EdgeKind uint8

const (
	Hard     EdgeKind = iota + 1 // deps (DAG-008)
	Soft                         // weakDeps (DAG-009)
	Producer                     // an output meets an input (DAG-013)
	Final                        // after: from a task to its finalizer (DAG-020)
)

func (k EdgeKind) String() string {
	switch k {
	case Hard:
		return "hard"
	case Soft:
		return "soft"
	case Final:
		return "after"
	}
	return "producer"
}

// Carries reports whether over edges of the kind a task may read what another has made.
func (k EdgeKind) Carries() bool { return k == Hard || k == Producer }

// key is what makes edges of the kind, as a user writes it.
func (k EdgeKind) key() string {
	switch k {
	case Hard:
		return "deps"
	case Soft:
		return "weakDeps"
	case Final:
		return "after"
	default:
		return "outputs/inputs"
	}
}

// Edge leads to the task at Index of the workspace's canonical order.
type Edge struct {
	Task int
	Kind EdgeKind
	// Narrow, of hard edges, says that nothing but the outputs of the upstream counts in the downstream's key: every reference
	// of deps that leads to it says `closure: false`.
	Narrow bool
	// Streams, of hard edges, says that what the upstream prints counts in the downstream's key, too: some reference of deps that leads to
	// it says `streams: true`.
	Streams bool
	// ref, of edges that references make, is the index of the first that does in the list of its task: see Graph.Says. An edge has no
	// room for more: there are millions.
	ref int32
	// Of producer edges: indices into the producer's Outputs and the reader's Inputs. Where several pairs make the edge it is
	// the first with a literal input, if there is one, and else the first, by (Output, Input): so an edge with a glob input
	// goes away with an exclude.
	Output, Input int
}

// Graph is the graph over all effective tasks. Immutable, and safe for concurrent use. Without self-edges of producers (a
// formatter reads what it writes) it has no cycles.
type Graph struct {
	W *workspace.Workspace
	// Up and Down hold the edges by task index, sorted by (Task, Kind); at most one edge of a kind between two tasks.
	Up, Down [][]Edge
	// Unmet holds, by task index, the errors of tasks that depend on projects which a sparse checkout leaves out. Neither they nor
	// what is downstream of them can be run: edges are missing.
	Unmet map[int]diag.List

	indexed sync.Once
	index   patterns // made on first use
	order   []int32  // tasks, upstreams first

	known       bool // what is asked of all patterns was worked out before: conflicting holds all pairs, besides all tasks
	conflicting map[int][]int
	besides     []int32 // tasks of whose outputs there may be readers beside edges, sorted
}

// Ends are the tasks at the other ends of those edges that are of a kind, in their order.
func (g *Graph) Ends(edges []Edge, kind EdgeKind) (ts []*workspace.Task) {
	for _, e := range edges {
		if e.Kind == kind {
			ts = append(ts, g.W.Tasks[e.Task])
		}
	}
	return ts
}

// Says is the reference that makes an edge between two tasks: of several the first in deps or weakDeps of the downstream, or in after of
// the upstream (DAG-027). Nil of a producer edge, which patterns make.
func (g *Graph) Says(up, down int, e Edge) *workspace.RefDecl {
	switch e.Kind {
	case Hard:
		return &g.W.Tasks[down].Deps[e.ref]
	case Soft:
		return &g.W.Tasks[down].WeakDeps[e.ref]
	case Final:
		return &g.W.Tasks[up].After[e.ref]
	}
	return nil
}

// Build resolves references, adds producer edges and checks (DAG-008 … DAG-016). A node is a task of a project (DAG-007).
// The list holds errors, all of them (DAG-011), in the order of diagnostics; the graph is nil when there is one. Warnings are
// asked for separately.
//
// On a workspace that loaded only in part, what follows from the missing part is no error.
func Build(w *workspace.Workspace) (*Graph, diag.List) {
	b := &builder{g: &Graph{W: w}}
	b.references()
	b.finalizers()
	literals := b.g.literalOutputs()
	b.collisions(literals)
	b.producers(literals)
	b.assemble()
	b.cycles()
	b.offerUses()
	b.unsure()
	if len(b.diags) > 0 {
		return nil, b.diags.Sorted()
	}
	return b.g, nil
}

// builder collects edges and errors.
type builder struct {
	g     *Graph
	edges []rawEdge
	diags diag.List
	wide  []wide // mistakes among diags that another reference may end
}

type rawEdge struct {
	up, down      int32
	output, input int32 // of producer edges
	ref           int32 // of the others
	kind          EdgeKind
	globInput     bool
	narrow        bool // of hard edges
	streams       bool // of hard edges
}

func (b *builder) report(d diag.Diagnostic) { b.diags = append(b.diags, d) }

// assemble makes Up and Down of the edges, which are distinct.
func (b *builder) assemble() {
	n := len(b.g.W.Tasks)
	ups, downs := make([]int32, n), make([]int32, n)
	for _, e := range b.edges {
		ups[e.down]++
		downs[e.up]++
	}
	b.g.Up, b.g.Down = slab(ups), slab(downs)
	for _, e := range b.edges {
		b.g.Up[e.down] = append(b.g.Up[e.down], Edge{Task: int(e.up), Kind: e.kind, ref: e.ref, Output: int(e.output), Input: int(e.input), Narrow: e.narrow, Streams: e.streams})
	}
	for t, up := range b.g.Up {
		slices.SortFunc(up, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Kind, b.Kind)) })
		b.g.mirror(t, up)
	}
}

// mirror puts the edges of a task into Down, which needs no sorting when the tasks come in order.
func (g *Graph) mirror(t int, up []Edge) {
	for _, e := range up {
		u := e.Task
		e.Task = t
		g.Down[u] = append(g.Down[u], e)
	}
}

// slab makes one empty list a task, of the capacity given, in one piece of memory.
func slab(sizes []int32) [][]Edge {
	total := 0
	for _, n := range sizes {
		total += int(n)
	}
	memory := make([]Edge, total)
	lists := make([][]Edge, len(sizes))
	for i, n := range sizes {
		if n > 0 {
			lists[i], memory = memory[:0:n], memory[n:]
		}
	}
	return lists
}
