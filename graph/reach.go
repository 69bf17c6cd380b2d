package graph

import (
	"cmp"
	"slices"
)

// pair asks whether a path of references leads from up to down; edge is for the caller.
type pair struct{ up, down, edge int32 }

// batch is how many upstreams one pass over the graph follows at once, a bit each.
const batch = 512

type bits [batch / 64]uint64

// ordered answers all pairs. One search a pair would be quadratic, and so would a matrix be in memory: instead, sets of
// upstreams flow down the topological order, batch of them in one pass, and each pass looks only at the part of the order
// between its first upstream and its last downstream.
func (g *Graph) ordered(pairs []pair) []bool {
	if len(pairs) == 0 {
		return nil
	}
	place := make([]int32, len(g.order)) // of a task in the order
	for i, t := range g.order {
		place[t] = int32(i)
	}
	byUp := make([]int, len(pairs))
	for i := range byUp {
		byUp[i] = i
	}
	slices.SortFunc(byUp, func(a, b int) int { return cmp.Compare(place[pairs[a].up], place[pairs[b].up]) })

	answers := make([]bool, len(pairs))
	sets := make([]bits, len(g.order)) // by place; those in the range of the pass are its own
	for len(byUp) > 0 {
		// The pass takes pairs up to the batch'th upstream.
		var ups []int32
		last := int32(0)
		end := 0
		for ; end < len(byUp); end++ {
			p := pairs[byUp[end]]
			if n := len(ups); n == 0 || ups[n-1] != p.up {
				if n == batch {
					break
				}
				ups = append(ups, p.up)
			}
			last = max(last, place[p.down])
		}
		first := place[ups[0]]
		if first <= last {
			clear(sets[first : last+1])
		}
		g.flow(sets, place, ups, first, last)
		bit := -1
		for i, at := range byUp[:end] {
			if i == 0 || pairs[byUp[i-1]].up != pairs[at].up {
				bit++
			}
			p := pairs[at]
			answers[at] = place[p.down] > first && sets[place[p.down]][bit/64]&(1<<(bit%64)) != 0
		}
		byUp = byUp[end:]
	}
	return answers
}

// flow fills, for the places first to last, the set of those of ups that lead there.
func (g *Graph) flow(sets []bits, place, ups []int32, first, last int32) {
	next := 0
	for at := first; at <= last; at++ {
		t := g.order[at]
		set := &sets[at]
		for _, e := range g.Up[t] {
			if from := place[e.Task]; e.Kind != Producer && from >= first {
				for i, w := range sets[from] {
					set[i] |= w
				}
			}
		}
		if next < len(ups) && ups[next] == t {
			set[next/64] |= 1 << (next % 64)
			next++
		}
	}
}
