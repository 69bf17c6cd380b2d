package pattern

import (
	"fmt"
	"slices"
	"testing"
)

// A directory with few children is a list, and one with many a map: both find the same.
func TestIndexChildren(t *testing.T) {
	for _, n := range []int{1, fewChildren, fewChildren + 1, 3 * fewChildren} {
		x := NewIndex()
		for id := range n {
			x.Add(id, mustParse(t, fmt.Sprintf("/d/c%d", id)))
		}
		for id := range n + 1 {
			var got []int
			x.Matching(fmt.Sprintf("/d/c%d", id), func(id int) { got = append(got, id) })
			if id < n && !slices.Equal(got, []int{id}) || id == n && len(got) > 0 {
				t.Errorf("%d children: child %d is %v", n, id, got)
			}
		}
		all := 0
		x.Overlapping(mustParse(t, "/d/*"), func(int) { all++ })
		if all != n {
			t.Errorf("%d of %d children", all, n)
		}
	}
}
