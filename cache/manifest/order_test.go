package manifest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func pieces(o StreamOrder, stdout, stderr int64) string {
	var all []string
	for second, n := range o.Pieces(stdout, stderr) {
		all = append(all, fmt.Sprintf("%d:%d", map[bool]int{false: 1, true: 2}[second], n))
	}
	return strings.Join(all, " ")
}

func TestStreamOrder(t *testing.T) {
	for _, c := range []struct {
		writes, order, pieces string // writes: stream and length
	}{
		{"", "", ""},
		{"1:3", "", "1:3"},
		{"2:3", "", "2:3"},
		{"1:3 1:4", "", "1:7"},
		{"1:3 2:4", "", "1:3 2:4"},
		{"2:4 1:3", "0,4,3", "2:4 1:3"},
		{"1:1 2:2 1:3 1:4 2:5", "1,2,7,5", "1:1 2:2 1:7 2:5"},
		{"2:1 2:1 1:1 2:1", "0,2,1,1", "2:2 1:1 2:1"},
		{"1:0 2:4 1:0 1:1", "0,4,1", "2:4 1:1"},
	} {
		var r OrderRecorder
		var sum [3]int64
		for _, w := range strings.Fields(c.writes) {
			var stream, n int
			fmt.Sscanf(w, "%d:%d", &stream, &n)
			r.Add(stream == 2, n)
			sum[stream] += int64(n)
		}
		if got := r.Order(); string(got) != c.order || pieces(got, sum[1], sum[2]) != c.pieces {
			t.Errorf("%s: %q, %s", c.writes, got, pieces(got, sum[1], sum[2]))
		}
	}
}

// Whatever two programs print: the order is one that a manifest takes, is bounded, and loses no byte. Streams that take turns very
// often keep the order of longer pieces.
func TestStreamOrderOfManyTurns(t *testing.T) {
	for _, turns := range []int{3, 100, maxPieces - 1, maxPieces, maxPieces + 1, 100_000, 1_000_000} {
		random := rand.New(rand.NewPCG(uint64(turns), 1))
		var r OrderRecorder
		var sum [2]int64
		for i := range turns {
			n := 1 + random.IntN(2000)
			r.Add(i%2 == 0, n) // stderr first
			sum[(i+1)%2] += int64(n)
		}
		o := r.Order()
		if err := o.check(sum[0], sum[1]); err != nil || len(o) > maxOrder || o == "" || len(r.pieces) > maxPieces {
			t.Fatalf("%d turns: %v, %d bytes", turns, err, len(o))
		}
		// At no place is one stream ahead of the other by more than two of the pieces.
		var seen [2]int64
		longest := int64(0)
		for second, n := range o.Pieces(sum[0], sum[1]) {
			longest = max(longest, n)
			if second {
				seen[1] += n
			} else {
				seen[0] += n
			}
			if ahead := float64(seen[0]) - float64(seen[1])*float64(sum[0])/float64(sum[1]); ahead > 3*float64(longest)+200_000 || -ahead > 3*float64(longest)+200_000 {
				t.Fatalf("%d turns: stdout %d, stderr %d", turns, seen[0], seen[1])
			}
		}
		if seen != sum {
			t.Fatalf("%d turns: %v of %v", turns, seen, sum)
		}
	}
}
