//go:build unix

package process

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/fsys"
)

// The helper's table holds exactly the groups that run: one too few outlives haz, one too many may be somebody else's by
// then (S-30).
func TestHelperTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, err := fsys.Nameless("haz-groups-")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		h := &helper{table: f, pipe: -1}
		slots := map[int]int{} // by group
		for i := range rapid.IntRange(0, 40).Draw(t, "steps") {
			if len(slots) > 0 && rapid.Bool().Draw(t, "remove") {
				g := rapid.SampledFrom(sortedKeys(slots)).Draw(t, "group")
				h.remove(slots[g])
				delete(slots, g)
				continue
			}
			g := rapid.SampledFrom([]int{7, 4_000, 4_194_304, 2_147_483_000}).Draw(t, "size") + i
			if _, there := slots[g]; !there {
				slots[g] = h.expect(uint64(1 + i))
				h.enter(slots[g], g)
			}
		}
		text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, w := range strings.Fields(string(text)) {
			n, err := strconv.Atoi(w)
			if err != nil {
				t.Fatalf("table %q", text)
			}
			got = append(got, n)
		}
		slices.Sort(got)
		if want := sortedKeys(slots); !slices.Equal(got, want) {
			t.Fatalf("table holds %v, want %v", got, want)
		}
		if len(text) > 40*slotSize {
			t.Fatalf("the table grows: %d bytes", len(text))
		}
	})
}

func sortedKeys(m map[int]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
