package pattern

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// PATH-028: Folders answers as the patterns DIR and DIR/** of each of its folders would together.
func TestFoldersAgreeWithTheirPatterns(t *testing.T) {
	part := rapid.SampledFrom([]string{"a", "b", "a.b", ".git", "[x]"})
	path := rapid.Custom(func(t *rapid.T) string {
		return "/" + strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "parts"), "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		dirs := rapid.SliceOfNDistinct(path, 1, 4, rapid.ID[string]).Draw(t, "dirs")
		slices.Sort(dirs)
		f := Folders(dirs)
		asked := path.Draw(t, "asked")
		in, above := false, false
		for _, d := range dirs {
			in = in || asked == d || strings.HasPrefix(asked, d+"/")
			above = above || strings.HasPrefix(d, asked+"/")
		}
		if f.Match(asked) != in || f.MatchOutput(asked) != in || f.CoversAllBelow(asked) != in || f.MayMatchBelow(asked) != (in || above) {
			t.Fatalf("%s of %v: match %v, output %v, covers %v, may match below %v", asked, dirs, f.Match(asked), f.MatchOutput(asked), f.CoversAllBelow(asked), f.MayMatchBelow(asked))
		}
		all, err := Parse("/**")
		if err != nil {
			t.Fatal(err)
		}
		less := all.Except([]Pattern{f})
		if less.Match(asked) != (all.Match(asked) && !in) || in && less.MayMatchBelow(asked) || less.CoversAllBelow(asked) != (all.CoversAllBelow(asked) && !in && !above) {
			t.Fatalf("%s of all but %v: match %v, may match below %v, covers %v", asked, dirs, less.Match(asked), less.MayMatchBelow(asked), less.CoversAllBelow(asked))
		}
	})
	if f := Folders([]string{"/a"}); !f.MayMatchBelow("/") || f.CoversAllBelow("/") || f.Match("/") {
		t.Error("the root")
	}
}

// What a path costs does not depend on the number of folders.
func BenchmarkFolders(b *testing.B) {
	var dirs []string
	for i := range 50_000 {
		dirs = append(dirs, "/packages/p"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/26%40))
	}
	slices.Sort(dirs)
	all, _ := Parse("/**")
	less := all.Except([]Pattern{Folders(slices.Compact(dirs))})
	b.ReportAllocs()
	for b.Loop() {
		if !less.Match("/packages/other/src/a.c") || less.MayMatchBelow(dirs[0]+"/src") {
			b.Fatal("wrong")
		}
	}
}
