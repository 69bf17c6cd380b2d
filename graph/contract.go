// Package graph relates the tasks of a workspace: hard, soft and producer edges, their checks, plans (chapter 1, 7.3;
// chapter 2, section 1). It touches neither disk nor clock.
package graph

import (
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// EdgeKind is the kind of an edge; edges point from upstream to downstream.
type EdgeKind uint8

const (
	Hard EdgeKind = iota + 1
	Soft
	Producer
)

// Edge leads to the task at Index of the workspace's canonical order.
type Edge struct {
	Task int
	Kind EdgeKind
	// Of producer edges: indices into the producer's Outputs and the reader's Inputs.
	Output, Input int
}

// Graph is the graph over all effective tasks. Immutable.
type Graph struct {
	W *workspace.Workspace
	// Up and Down hold the edges by task index, sorted by (Task, Kind).
	Up, Down [][]Edge
}

// Build resolves references, adds producer edges and checks (DAG-006 … DAG-016). The list holds errors and warnings; the
// graph is nil when an error was found.
func Build(w *workspace.Workspace) (*Graph, diag.List) { panic("contract") }

// Conflicts returns, for each task, the other tasks whose output patterns overlap its own (S-07), sorted.
func (g *Graph) Conflicts() [][]int { panic("contract") }

// Readers returns the tasks whose inputs match a path and whose exclude does not, with the index of the first input pattern that matched (EXEC-019).
func (g *Graph) Readers(path string) []Reader { panic("contract") }

// Reader is a task that reads a path.
type Reader struct{ Task, Input int }

// Writers returns the tasks one of whose output patterns matches path, sorted.
func (g *Graph) Writers(path string) []int { panic("contract") }

// HardClosure is the strict closure over hard edges: up (upstreams) or down (downstreams), sorted, without the seeds unless reached.
func (g *Graph) HardClosure(seeds []int, down bool) []int { panic("contract") }

// Plan is the induced subgraph over targets and their hard upstreams; tasks are small integers in canonical order. Immutable.
type Plan struct {
	G     *Graph
	Tasks []*workspace.Task // canonical order
	// Up and Down hold plan-internal edges; Edge.Task is an index into Tasks.
	Up, Down [][]Edge
	// Conflicts hold plan-internal conflict pairs (S-07).
	Conflicts [][]int
	// Target marks the tasks that were asked for.
	Target []bool
}

// Plan selects (EXEC-001, EXEC-002).
func (g *Graph) Plan(targets []int) *Plan { panic("contract") }
