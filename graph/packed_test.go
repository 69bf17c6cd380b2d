package graph

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/packed"
	"github.com/haz-build/haz/workspace"
)

func packedText(t interface{ Fatal(args ...any) }, g *Graph) string {
	c := packed.Write()
	if g.Pack(c); c.Failed() {
		t.Fatal("it has no packed form")
	}
	return string(c.Bytes())
}

// A graph that comes back answers as the one that was built does: all edges, plans with their conflicts, warnings.
func TestPackGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorkspace(t)
		g, _ := Build(w)
		if g == nil {
			t.Skip("it has mistakes")
		}
		text := packedText(t, g)
		back, r := &Graph{W: w}, packed.Read(text)
		if back.Pack(r); !r.Ended() {
			t.Fatal("it does not come back")
		}
		if !reflect.DeepEqual(g.Up, back.Up) || !reflect.DeepEqual(g.Down, back.Down) || !reflect.DeepEqual(g.order, back.order) {
			t.Fatalf("other edges, or another order:\n%+v\n%+v", g.Up, back.Up)
		}
		var targets []int
		for i := range w.Tasks {
			if rapid.Bool().Draw(t, "target") {
				targets = append(targets, i)
			}
		}
		want, got := g.Plan(targets), back.Plan(targets)
		if want.G, got.G = nil, nil; !reflect.DeepEqual(want, got) {
			t.Errorf("another plan:\n%+v\n%+v", want, got)
		}
		if !reflect.DeepEqual(g.Conflicts(), back.Conflicts()) || packedText(t, back) != text {
			t.Error("other conflicts")
		}
		for i, task := range w.Tasks {
			for _, path := range mayBeMade(task) {
				want := slices.DeleteFunc(g.Readers(path), func(r Reader) bool {
					return r.Task == i || slices.ContainsFunc(g.Down[i], func(e Edge) bool { return e.Task == r.Task })
				})
				for _, g := range []*Graph{g, back} {
					if got := g.ReadersBeside(i, path); len(want)+len(got) > 0 && !slices.Equal(want, got) {
						t.Errorf("%s is read beside the edges of %s by %v, and not by %v", path, task.ID, want, got)
					}
				}
			}
		}
		if a, b := g.Warnings().Render(diag.Style{}), back.Warnings().Render(diag.Style{}); a != b {
			t.Errorf("other warnings:\n%s\n%s", a, b)
		}
	})
}

// mayBeMade are paths that a task may make.
func mayBeMade(task *workspace.Task) (list []string) {
	below := []string{"", "/o", "/p", "/d", "/d/o", "/d/p", "/d/d/p", "/d/.git/o", "/a/b/d/o"}
	for _, dir := range []string{"/a", "/b", "/c", "/c/d", "/x/y/z"} {
		for _, rest := range below {
			if slices.ContainsFunc(task.Outputs, func(d workspace.PatternDecl) bool { return d.Pattern.MatchOutput(dir + rest) }) {
				list = append(list, dir+rest)
			}
		}
	}
	return list
}

// Where readers depend on what they read, who has read a graph asks nobody's patterns.
func TestReadersBesideNeedNoIndex(t *testing.T) {
	w := mustParse(t, "project a\nproject b\na:t in=x out=o;d/*\nb:u deps=a:t in=/a/o;/a/d/y out=q\nb:v in=/b/**/*.x\n")
	g, _ := Build(w)
	back, r := &Graph{W: w}, packed.Read(packedText(t, g))
	if back.Pack(r); !r.Ended() {
		t.Fatal("it does not come back")
	}
	for _, path := range []string{"/a/o", "/a/d/y"} {
		if len(back.Readers(path)) != 1 {
			t.Errorf("nobody reads %s", path)
		}
		back = &Graph{W: w}
		back.Pack(packed.Read(packedText(t, g)))
		if got := back.ReadersBeside(0, path); len(got) > 0 || back.index.inputs != nil {
			t.Errorf("%s: %v, and patterns were asked", path, got)
		}
	}
}

// Who reads what a task makes, and depends on none of it, is found also where two folders meet, or what no wildcard matches.
func TestReadersBeside(t *testing.T) {
	for _, c := range []struct{ workspace, path string }{
		{"project a\na:u in=**/*.x\na:v out=d/*\n", "/a/d/y.x"},
		{"project a\na:u in=d\na:v out=*/d/\n", "/a/d/d/p"},
		{"project a\na:u in=d/\na:v out=d/*\n", "/a/d/p"},
		{"project a\na:u in=d/*/p\na:v out=d/\n", "/a/d/d/p"},
		{"project a\na:u in=d/.git/p\na:v out=*/\n", "/a/d/.git/p"},
	} {
		w := mustParse(t, c.workspace)
		g, list := Build(w)
		if g == nil {
			t.Fatal(list.Render(diag.Style{}))
		}
		for i := range g.Up { // of whatever kind an edge is, the reader is none beside it
			g.Up[i], g.Down[i] = nil, nil
		}
		back := &Graph{W: w}
		back.Pack(packed.Read(packedText(t, g)))
		if got := back.ReadersBeside(1, c.path); !slices.Equal(got, []Reader{{0, 0}}) {
			t.Errorf("%q: %s is read by %v", c.workspace, c.path, got)
		}
	}
}

// Packing knows these fields, and a new one has to be looked at.
func TestPackKnowsTheFields(t *testing.T) {
	if n, m := reflect.TypeFor[Graph]().NumField(), reflect.TypeFor[Edge]().NumField(); n != 10 || m != 7 {
		t.Errorf("a graph has %d fields and an edge %d: are they packed?", n, m)
	}
}

// What leads to no task, or says what no task does, is not believed.
func FuzzPackGraph(f *testing.F) {
	w := mustParse(f, "project a\nproject b\na:t in=x out=o;d/*\nb:u deps=a:t in=/a/o out=/a/d/y\nb:v weak=b:u out=q\n")
	g, list := Build(w)
	if g == nil {
		f.Fatal(list.Render(diag.Style{}))
	}
	text := packedText(f, g)
	f.Add([]byte(text))
	for i := range len(text) {
		b := []byte(text)
		b[i]++
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		back, r := &Graph{W: w}, packed.Read(string(data))
		if back.Pack(r); !r.Ended() {
			return
		}
		back.Plan([]int{0, 1, 2})
		back.Warnings()
		for down, up := range back.Up {
			for _, e := range up {
				back.Says(e.Task, down, e)
			}
		}
	})
}
