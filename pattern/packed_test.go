package pattern

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/packed"
	"github.com/haz-build/haz/pattern/patterntest"
)

// drawPattern is any pattern that a workspace can have.
func drawPattern(t *rapid.T) Pattern {
	p, err := Parse(patterntest.Text(rapid.Bool().Draw(t, "absolute")).Draw(t, "text"))
	if err != nil {
		t.Skip("no pattern")
	}
	p = p.Anchor(rapid.SampledFrom([]string{"/", "/a", "/a/[b]", "/ä"}).Draw(t, "anchor"))
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return Listed("/a", []string{"/a/b", "/a/c"})
	case 1:
		return Folders([]string{"/a", "/b/c"})
	case 2:
		return p.Inside()
	case 3:
		return p.Except([]Pattern{Folders([]string{"/a/x"}), p})
	}
	return p
}

// Patterns come back as they were, with their programs, and what they share they share again.
func TestPackPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := []Pattern{{}, drawPattern(t), drawPattern(t)}
		shared := []Pattern{list[1], list[2]}
		list = append(list, list[1], list[1].WithExceptions(shared), list[2].WithExceptions(shared), list[2].WithExceptions(shared[1:]))
		w := packed.Write()
		var out Packing
		for i := range list {
			out.Code(w, &list[i])
		}
		r := packed.Read(string(w.Bytes()))
		back := make([]Pattern, len(list))
		var in Packing
		for i := range back {
			in.Code(r, &back[i])
		}
		if !r.Ended() || !reflect.DeepEqual(list, back) {
			t.Fatalf("%q came back as %q", list, back)
		}
		for i := range list {
			for j := range list {
				if (list[i].p == list[j].p) != (back[i].p == back[j].p) {
					t.Errorf("%d and %d are one pattern here, and not there", i, j)
				}
			}
		}
		if a, b := back[4].Exceptions(), back[5].Exceptions(); &a[0] != &b[0] {
			t.Error("one list of exceptions came back as two, which an index tells apart")
		}
	})
}

// A text that is compiled to nothing is not believed.
func TestPackRefusesPatterns(t *testing.T) {
	for name, p := range map[string]pattern{
		"no path":        {text: "a"},
		"no text":        {path: "/a"},
		"a relative one": {text: "a", path: "a"},
		"a folder":       {text: "a", path: "/a/"},
		"no glob":        {text: "a", path: "/a", glob: &Program{of: "a"}},
		"a bad one":      {text: "a", path: "/a", glob: &Program{of: "[*"}},
		"a prefix":       {text: "a", path: "/a", glob: &Program{of: "b/*"}},
	} {
		w := packed.Write()
		var out, in Packing
		var back Pattern
		out.Code(w, &Pattern{&p})
		r := packed.Read(string(w.Bytes()))
		if in.Code(r, &back); r.Ended() {
			t.Errorf("%s: it is believed", name)
		}
	}
}
