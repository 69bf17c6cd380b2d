package graph

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/haz-build/haz/workspace"
)

// Pairs of more upstreams than one pass takes, in graphs of all densities, are answered as a search for each would.
func TestOrdered(t *testing.T) {
	for seed := range int64(12) {
		r := rand.New(rand.NewSource(seed))
		n := 1 + r.Intn(3*batch)
		b := &builder{g: &Graph{W: &workspace.Workspace{Tasks: make([]*workspace.Task, n)}}}
		name := r.Perm(n) // the order of names is not that of edges
		for i := 1; i < n; i++ {
			for range r.Intn(3 + int(seed)) {
				back := 1 + r.Intn(min(i, 60))
				kind := []EdgeKind{Hard, Soft, Producer}[r.Intn(3)]
				e := rawEdge{up: int32(name[i-back]), down: int32(name[i]), kind: kind}
				if !slices.ContainsFunc(b.edges[max(0, len(b.edges)-3):], func(o rawEdge) bool { return o == e }) {
					b.edges = append(b.edges, e)
				}
			}
		}
		b.assemble()
		b.g.order, _ = b.g.components()
		var pairs []pair
		for down := 1; down < n; down++ {
			for _, up := range []int{max(0, down-1-r.Intn(30)), r.Intn(down)} {
				b.edges = append(b.edges, rawEdge{up: int32(name[up]), down: int32(name[down]), kind: Producer})
				pairs = append(pairs, pair{up: int32(name[up]), down: int32(name[down])})
			}
		}
		r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		// The order that a real graph has is one for the pairs too: they are edges.
		whole := &builder{g: &Graph{W: b.g.W}, edges: b.edges}
		whole.assemble()
		whole.g.order, _ = whole.g.components()
		for i, got := range whole.g.ordered(pairs) {
			up, down := int(pairs[i].up), int(pairs[i].down)
			want := slices.Contains(closure(b.g.Down, []int{up}, func(k EdgeKind) bool { return k != Producer }), down)
			if got != want {
				t.Fatalf("seed %d: %d to %d: got %v, want %v", seed, up, down, got, want)
			}
		}
	}
}
