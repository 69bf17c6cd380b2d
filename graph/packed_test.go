package graph

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/packed"
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
		if a, b := g.Warnings().Render(diag.Style{}), back.Warnings().Render(diag.Style{}); a != b {
			t.Errorf("other warnings:\n%s\n%s", a, b)
		}
	})
}

// Packing knows these fields, and a new one has to be looked at.
func TestPackKnowsTheFields(t *testing.T) {
	if n, m := reflect.TypeFor[Graph]().NumField(), reflect.TypeFor[Edge]().NumField(); n != 9 || m != 7 {
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
