package pattern

import (
	"fmt"
	"math/bits"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/pattern/patterntest"
)

// Chapter 3, section 7.3, and cases where a real path decides.
func TestOverlapTable(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		// A literal may be a folder (PATH-021); what a glob selects by chance in one does not count unless it says so.
		{"/src", "/src/a.c", true}, {"/src", "/src/**", true}, {"/src", "/src/net/*.c", true}, {"/src", "/src*/a.c", false}, {"/src", "/**/*.c", false}, {"/src", "/srca/*.c", false},
		{"/src/", "/**/*.c", true}, {"/src/", "/src", true}, {"/src/", "/*", true}, {"/src/", "/*/*/*.c", true}, {"/src/", "/lib/**", false}, {"/src/", "/lib/", false}, {"/src/", "/src/net/", true},
		{"/*/src/", "/lib/src/a.c", true}, {"/*/src/", "/lib/src", true}, {"/*/src/", "/lib/src/", true}, {"/*/src/", "/lib/srca", false}, {"/src", "/src/.git/x", false}, {"/src/", "/**/.git/x", false},
		{"/src/a.c", "/src/a.c", true}, {"/src/a.c", "/src/*.c", true}, {"/src/a.h", "/src/*.c", false},
		{"/src/**/*.c", "/src/net/*.c", true}, {"/src/**/*.c", "/src/*/*.c", true}, {"/src/**/*.c", "/src/*.c", true}, {"/src/**/*.c", "/lib/**/*.c", false},
		{"/src/[pqr].c", "/src/[rs].c", true}, {"/src/[pqr].c", "/src/[xy].c", false}, {"/src/{one,two}.c", "/src/{two,three}.c", true},
		{"/src/{one,two}.c", "/src/{three,four}.c", false}, {"/src/v?.h", "/src/v[0-9].h", true}, {"/src/v??.h", "/src/v[0-9].h", false},
		{"/*", "/*/*", false}, {"/a*", "/*b", true}, {"/a*c", "/ab*", true}, {"/a*b", "/c*", false}, {"/?", "/??", false},
		{"/**", "/**", true}, {"/a/**", "/a", true}, {"/a/**", "/a/*", true}, {"/a/**/b", "/a/b", true}, {"/**/a/**/b", "/b/**/a", false}, {"/**/a/**/b", "/b/**/a/*", true},
		{"/[!a]", "/[a]", false}, {"/[!a]", "/[!b]", true}, {"/[a-m]*", "/*[n-z]", true}, {"/[!a-z]", "/[a-zA]", true},
		{"/{a,b}/x", "/{b,c}/x", true}, {"/{a/b,c}", "/a/*", true}, {"/{a/b,c}", "/d/*", false}, {"/x{/**,}/y", "/x/y", true},
		{"/*.*", "/*[!.]", true}, {"/a?*", "/a", false},
		// No path has a segment "." or "..", and no set matches "/".
		{"/[.]", "/?", false}, {"/[.]?", "/?[.]", false}, {"/[.]*", "/[.][.]?", true}, {"/a[!b]c", "/a/c", false}, {"/a[!b]c", "/*/c", false},
		// A wildcard does not match .git.
		{"/.git", "/*", false}, {"/.git/config", "/**", false}, {"/.git/*", "/.git/**", true}, {"/.git/*", "/*/*", false}, {"/{.git,a}/x", "/*/x", true},
		{"/{.git,a}/x", "/[!a]*/x", false}, {"/.gi{t,}/x", "/.g*/x", true}, {"/.git{,x}", "/.git", true}, {"/.git*", "/.git", false}, {"/.git*", "/.git?", true},
		{"/x/{.git,.git/y}/z", "/x/.git/**", true}, {"/**/.git", "/*/.git", true}, {"/**/.git", "/*/.gi[t]", false},
		// What is haz's own has no path.
		{"/.haz/*", "/.haz/cache", false}, {"/.haz/cache/*", "/.haz/**", false}, {"/.haz/*/x", "/.haz/cache/?", false}, {"/.haz/*/x", "/.haz/caches/?", true},
		{"/.haz/[cs]*e", "/.haz/*a*e", true}, {"/.haz/{cache,state}", "/.haz/*", false}, {"/a/.haz/cache", "/**/cache", true}, {"/.haz-restore-*", "/*", false},
		{"/.haz-restor*", "/.haz-*", true}, {"/*/x", "/.haz-restore-?/x", false},
		{"/[\ud7f0-\uf900]x", "/[!\ud7f0-\ud7ff]?", true},
	} {
		a, b := mustParse(t, c.a), mustParse(t, c.b)
		if Overlap(a, b) != c.want || Overlap(b, a) != c.want {
			t.Errorf("%q and %q overlap: %v, %v, want %v", c.a, c.b, Overlap(a, b), Overlap(b, a), c.want)
		}
		if path, ok := Common(a, b); ok && (!a.Match(path) || !b.Match(path)) {
			t.Errorf("%q and %q: %q is not matched by both", c.a, c.b, path)
		}
	}
}

// The answer is exact: where it is yes there is a path to show, which the oracle accepts for both; where it is no, no path
// of all small ones matches both. Some ten thousand pairs, each with 600 paths: millions of checks.
func TestOverlapOracle(t *testing.T) {
	patterns, rounds := 120, 2
	if os.Getenv("HAZ_CAMPAIGN") != "" {
		patterns, rounds = 400, 100
	}
	paths := smallPaths()
	gen := patterntest.Text(true)
	checks, yes := 0, 0
	for round := range rounds {
		type subject struct {
			p    Pattern
			o    oracle
			hits []uint64 // which paths the oracle matches
		}
		var all []subject
		for seed := 0; len(all) < patterns; seed++ {
			text := gen.Example(round*1_000_000 + seed)
			o, legal := newOracle(text)
			if !legal {
				continue
			}
			s := subject{mustParse(t, text), o, make([]uint64, (len(paths)+63)/64)}
			for i, path := range paths {
				if o.match(path) {
					setBit(s.hits, i)
				}
			}
			all = append(all, s)
		}
		for i, a := range all {
			for _, b := range all[i:] {
				checks += len(paths)
				path, got := Common(a.p, b.p)
				if got != Overlap(b.p, a.p) {
					t.Fatalf("%q and %q: the answer depends on the order", a.p, b.p)
				}
				if got {
					yes++
					if !a.o.match(path) || !b.o.match(path) || !a.p.Match(path) || !b.p.Match(path) {
						t.Fatalf("%q and %q are said to have %q in common", a.p, b.p, path)
					}
					continue
				}
				for w := range a.hits {
					if both := a.hits[w] & b.hits[w]; both != 0 && !byChance(a.p, b.p) {
						t.Fatalf("%q and %q both match %q, but are said not to overlap", a.p, b.p, paths[64*w+bits.TrailingZeros64(both)])
					}
				}
			}
		}
	}
	if checks < 1_000_000 || yes < checks/len(paths)/10 {
		t.Errorf("only %d checks, %d pairs that overlap", checks, yes)
	}
}

// byChance reports whether one is a literal that does not say that it is a folder, the other a glob that does not begin there.
func byChance(a, b Pattern) bool {
	if !a.IsLiteral() {
		a, b = b, a
	}
	return a.IsLiteral() && !b.IsLiteral() && !a.IsFolder() && !b.Match(a.Path()) && !IsOrBelow(b.Path(), a.Path())
}

// Alternatives are never multiplied out, and nothing else explodes.
func TestHostilePatterns(t *testing.T) {
	fit := func(s string) string { return "/x" + strings.Repeat(s, (MaxPattern-10)/len(s)) }
	for _, text := range []string{
		"/" + strings.Repeat("{a,b}", 40), "/" + strings.Repeat("{a,b}", 400) + "*c", "/" + strings.Repeat("{a,b/c}", 40),
		fit("*a"), fit("{,a}"), fit("{,*/}a"), fit("/**/a"), fit("[a-z]"), fit("?"), fit("{a,b/}x"), fit("{,a*}"), "/" + strings.Repeat("**/", 1000) + "x",
		"/x{" + strings.Repeat("a,", 2000) + "b}/*y", "/{" + strings.Repeat("**/a,", 800) + "b}/*", "/[" + strings.Repeat("é", 2000) + "]*",
	} {
		p := mustParse(t, text)
		for _, path := range []string{"/" + strings.Repeat("a", 40), "/x" + strings.Repeat("a", 400), "/x" + strings.Repeat("/a", 200), "/" + strings.Repeat("ab/", 100) + "x"} {
			p.Match(path)
			p.MayMatchBelow(path)
			p.CoversAllBelow(path)
		}
	}
	a := mustParse(t, "/"+strings.Repeat("{a,b}", 40))
	if !a.Match("/"+strings.Repeat("ab", 20)) || a.Match("/"+strings.Repeat("a", 41)) || a.Match("/"+strings.Repeat("a", 39)) || a.Match("/"+strings.Repeat("a", 39)+"c") {
		t.Error("forty pairs of braces match the wrong paths")
	}
	b := mustParse(t, "/"+strings.Repeat("[b-c]", 40))
	if path, ok := Common(a, b); !ok || path != "/"+strings.Repeat("b", 40) {
		t.Errorf("Common = %q, %v", path, ok)
	}
	slashes := mustParse(t, "/"+strings.Repeat("{a,b/c}", 40))
	if !Overlap(slashes, mustParse(t, "/**/ca*")) || Overlap(slashes, mustParse(t, "/**/d*")) {
		t.Error("braces with slashes overlap wrongly")
	}
	stars := mustParse(t, "/"+strings.Repeat("*a", 300))
	if Overlap(stars, mustParse(t, "/"+strings.Repeat("*b", 300))) {
		t.Error("texts that end differently overlap")
	}
	if !Overlap(stars, mustParse(t, "/"+strings.Repeat("*b", 300)+"*")) {
		t.Error("stars do not overlap")
	}
}

func TestIndexProperties(t *testing.T) {
	paths := smallPaths()
	rapid.Check(t, func(t *rapid.T) {
		x := NewIndex()
		ids := map[int][]Pattern{}
		var all []Pattern
		for range rapid.IntRange(0, 30).Draw(t, "count") {
			p, err := Parse(patterntest.Text(rapid.Bool().Draw(t, "absolute")).Draw(t, "pattern"))
			if err != nil {
				continue
			}
			p = p.Anchor(rapid.SampledFrom([]string{"/", "/a", "/a/b", "/é"}).Draw(t, "dir"))
			id := rapid.IntRange(0, 20).Draw(t, "id")
			ids[id] = append(ids[id], p)
			all = append(all, p)
			x.Add(id, p)
		}
		for _, path := range paths {
			var got, want []int
			x.Matching(path, func(id int) { got = append(got, id) })
			for id := range 21 {
				if slices.ContainsFunc(ids[id], func(p Pattern) bool { return p.Match(path) }) {
					want = append(want, id)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("Matching(%q) = %v, want %v", path, got, want)
			}
		}
		for _, q := range all {
			var got, want []int
			x.Overlapping(q, func(id int) { got = append(got, id) })
			for id := range 21 {
				if slices.ContainsFunc(ids[id], func(p Pattern) bool { return Overlap(p, q) }) {
					want = append(want, id)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("Overlapping(%q) = %v, want %v", q, got, want)
			}
		}
		if x.Len() != len(all) {
			t.Fatalf("Len() = %d", x.Len())
		}
	})
}

// manyTasks are four patterns for each of n tasks; few overlap.
func manyTasks(t testing.TB, n int) []Pattern {
	var out []Pattern
	parsed := map[string]Pattern{}
	for i := range n {
		dir := fmt.Sprintf("/libs/group%d/p%d", i%100, i)
		for _, text := range []string{"src/**/*.c", "include/*.h", fmt.Sprintf("out/lib%d.a", i), "gen/{a,b}/*.o"} {
			if _, ok := parsed[text]; !ok {
				parsed[text] = mustParse(t, text)
			}
			out = append(out, parsed[text].Anchor(dir))
		}
	}
	return append(out, mustParse(t, "/libs/group7/*/out/*.a"))
}

func overlappingPairs(all []Pattern) int {
	x := NewIndex()
	for i, p := range all {
		x.Add(i, p)
	}
	pairs := 0
	for i, p := range all {
		x.Overlapping(p, func(j int) {
			if i < j {
				pairs++
			}
		})
	}
	return pairs
}

func TestIndexFindsAllPairs(t *testing.T) {
	if got := overlappingPairs(manyTasks(t, 2000)); got != 20 {
		t.Errorf("%d pairs, want the 20 of group7", got)
	}
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			all := manyTasks(b, n)
			b.ReportAllocs()
			for b.Loop() {
				overlappingPairs(all)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"src/a.c", "src/**/*.c", "src/{net,io}/*.[ch]"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, text := range []string{"src/a.c", "src/**/*.c", "src/{net,io}/*.[ch]", "**/x?z.c"} {
		b.Run(text, func(b *testing.B) {
			p := mustParse(b, text).Anchor("/libs/core")
			b.ReportAllocs()
			for b.Loop() {
				p.Match("/libs/core/src/net/socket.c")
			}
		})
	}
}

func BenchmarkOverlap(b *testing.B) {
	for _, c := range [][2]string{{"/src/**/*.c", "/src/net/*.c"}, {"/src/*.c", "/src/*.h"}, {"/a/**/x*", "/a/{b,c}/**/y*"}} {
		b.Run(c[0]+" "+c[1], func(b *testing.B) {
			p, q := mustParse(b, c[0]), mustParse(b, c[1])
			b.ReportAllocs()
			for b.Loop() {
				Overlap(p, q)
			}
		})
	}
}

// The worst two patterns there can be.
func BenchmarkOverlapHostile(b *testing.B) {
	p := mustParse(b, "/"+strings.Repeat("*a", MaxPattern/2-2)+"[a]")
	q := mustParse(b, "/"+strings.Repeat("*b", MaxPattern/2-2)+"[b]")
	for b.Loop() {
		Overlap(p, q)
	}
}

// What exceptions take away is matched by nothing: Match and the index know it path by path, Overlap where all is taken (PATH-023).
func TestExceptions(t *testing.T) {
	parse := func(text string) Pattern {
		words := strings.Fields(text)
		p := mustParse(t, words[0])
		var not []Pattern
		for _, w := range words[1:] {
			not = append(not, mustParse(t, w))
		}
		return p.Except(not)
	}
	for _, c := range []struct {
		pattern, yes, no, below, notBelow string
	}{
		{"/a/** /a/b/**", "/a/x /a/b /a/bb/c", "/a/b/c /a/b/c/d", "/a", "/a/b /a/b/c"},
		{"/a/ /a/b/ /a/*.o", "/a /a/x /a/c/x.o", "/a/b /a/b/c /a/x.o", "/a /a/c", "/a/b"},
		{"/a /a/b", "/a /a/c", "/a/b /a/b/c", "/a", "/a/b"},
		{"/**/*.c /**/gen/**", "/x.c /gen/../x.c", "/gen/x.c /a/gen/b/x.c", "/ /a", "/gen /a/gen/b"},
	} {
		p, x := parse(c.pattern), NewIndex()
		x.Add(1, p)
		for path := range strings.FieldsSeq(c.yes + " " + c.no) {
			want := strings.Contains(" "+c.yes+" ", " "+path+" ") && !strings.Contains(path, "..")
			found := false
			x.Matching(path, func(int) { found = true })
			if p.Match(path) != want || found != want || p.MatchOutput(path) != want {
				t.Errorf("%q matches %q: %v, in an index %v, as an output %v", c.pattern, path, p.Match(path), found, p.MatchOutput(path))
			}
		}
		for dir := range strings.FieldsSeq(c.below + " " + c.notBelow) {
			if want := strings.Contains(" "+c.below+" ", " "+dir+" "); p.MayMatchBelow(dir) != want {
				t.Errorf("%q may match below %q = %v", c.pattern, dir, !want)
			}
			if p.CoversAllBelow(dir) && !parse(strings.Fields(c.pattern)[0]).CoversAllBelow(dir) {
				t.Errorf("%q covers all below %q", c.pattern, dir)
			}
		}
		if p.CoversAllBelow("/a") {
			t.Errorf("%q covers all below /a", c.pattern)
		}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"/a/** /a/b/**", "/a/b/c", false}, {"/a/** /a/b/**", "/a/b/**", false}, {"/a/** /a/b/**", "/a/b/c/*.o", false}, {"/a/** /a/b/**", "/a/c/*.o", true},
		{"/a/ /a/b/", "/a/b/", false}, {"/a/ /a/b/", "/a/b", false}, {"/a /a/b", "/a/b/x", false}, {"/a /a/b", "/a/c", true},
		{"/a/** /a/b/**", "/a/**", true}, {"/a/** /a/x", "/a/x", false}, {"/a/** /a/x", "/a/y", true}, {"/a/** /a/b/** /a/c/**", "/a/c/* /a/c/d", false},
		{"/a/** /a/[b].o", "/a/[b].o", false}, {"/a/** /a/*.o", "/a/*.o /a/x.o", false}, {"/a/** /a/[b].o", "/a/[bc].o", true},
	} {
		a, b := parse(c.a), parse(c.b)
		x := NewIndex()
		x.Add(1, b)
		found := false
		x.Overlapping(a, func(int) { found = true })
		if Overlap(a, b) != c.want || Overlap(b, a) != c.want || found != c.want {
			t.Errorf("%q and %q overlap: %v, %v, in an index %v", c.a, c.b, Overlap(a, b), Overlap(b, a), found)
		}
	}
	made := parse("/a/out/** /a/out/tmp/**") // a product with exceptions is no source, and what it leaves out may be one
	if source := mustParse(t, "/a/**").Except([]Pattern{made}); Overlap(source, made) || !Overlap(source, mustParse(t, "/a/out/**")) || !source.Match("/a/out/tmp/x") {
		t.Error("what is taken away from a source with all that it leaves out meets it")
	}
	x := NewIndex() // patterns of one text and other exceptions are other patterns
	x.Add(1, parse("/a/** /a/b/**"))
	x.Add(2, parse("/a/**"))
	if got := fmt.Sprint(x.matching("/a/b/c")); got != "[2]" {
		t.Errorf("patterns that match: %s", got)
	}
}
