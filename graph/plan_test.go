package graph

import (
	"slices"
	"testing"
)

// What a run asks of its plan. p:fmt reads what it writes; p:group declares no outputs; p:use waits for p:weak, and reads p:lib by an edge
// of each kind.
func TestPlanQuestions(t *testing.T) {
	w, err := parseWorkspace(`
p:far    out=far
p:fmt    in=src out=src
p:group  deps=p:far
p:lib    out=lib deps=p:fmt
p:use    in=lib deps=p:group;p:lib weak=p:weak
p:weak   out=weak
`)
	if err != nil {
		t.Fatal(err)
	}
	g, diags := Build(w)
	if g == nil {
		t.Fatal(diags)
	}
	p := g.Plan([]int{0, 1, 2, 3, 4, 5})
	const far, format, group, lib, use, weak = 0, 1, 2, 3, 4, 5
	if got, want := p.Upstreams(use), []Neighbour{{Task: group, Hard: true}, {Task: lib, Hard: true}, {Task: weak}}; !slices.Equal(got, want) {
		t.Errorf("p:use waits for %v, want %v", got, want)
	}
	if got := p.Upstreams(format); len(got) > 0 {
		t.Errorf("p:fmt waits for %v, itself perhaps", got)
	}
	if got, want := p.Downstreams(lib), []Neighbour{{Task: use, Hard: true}}; !slices.Equal(got, want) {
		t.Errorf("for p:lib wait %v, want %v", got, want)
	}
	all := func(int) bool { return true }
	made := func(i int) bool { return len(p.Tasks[i].Outputs) > 0 }
	for _, c := range []struct {
		has  func(int) bool
		want []int
	}{{made, []int{lib, far}}, {all, []int{group, lib}}, {func(int) bool { return false }, nil}} {
		got := p.Makers(use, c.has)
		if slices.Sort(got); !slices.Equal(got, sortedInts(c.want)) {
			t.Errorf("p:use may read what %v make, want %v", got, c.want)
		}
	}
	for _, c := range []struct {
		task, other int
		waits       bool
		reads       bool
	}{{use, lib, true, true}, {use, far, true, false}, {use, weak, true, false}, {lib, use, false, false}, {format, format, false, true}} {
		if got := p.Waits(c.task, c.other); got != c.waits {
			t.Errorf("task %d waits for %d: %v", c.task, c.other, got)
		}
		if got := p.Reads(c.task, c.other); got != c.reads {
			t.Errorf("task %d reads %d: %v", c.task, c.other, got)
		}
	}
}

func sortedInts(s []int) []int {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}
