package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/workspace"
)

// projects is the workspace of the issues: one literal output, one glob, one literal input, 3 deps each.
func projects(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%05d:build in=src/**/*.c;version.h out=dist/lib.a", i)
		var deps []string
		for _, back := range []int{1, 2, 3} {
			if i >= back {
				deps = append(deps, fmt.Sprintf("p%05d:build", i-back))
			}
		}
		if len(deps) > 0 {
			b.WriteString(" deps=" + strings.Join(deps, ";"))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func BenchmarkBuildAndPlan(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			w := mustParse(b, projects(n))
			all := make([]int, n)
			for i := range all {
				all[i] = i
			}
			b.ReportAllocs()
			for b.Loop() {
				g, diags := Build(w)
				if g == nil {
					b.Fatal(diags)
				}
				if len(g.Plan(all).Tasks) != n {
					b.Fatal("the plan is not whole")
				}
			}
		})
	}
}

// BenchmarkWarnings has 10,000 producer edges whose order only a walk over the whole graph shows.
func BenchmarkWarnings(b *testing.B) {
	const n = 10_000
	b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "p%05d:build in=src/*;/p%05d/o out=o", i, i*7/10)
			if i > 0 {
				fmt.Fprintf(&text, " deps=p%05d:build;p%05d:build", i-1, i/2)
			}
			text.WriteString("\n")
		}
		g := mustBuild(b, text.String())
		b.ReportAllocs()
		for b.Loop() {
			if list := g.Warnings(); len(list) > 0 {
				b.Fatal(list[0].Message)
			}
		}
	})
}

func BenchmarkReaders(b *testing.B) {
	g := mustBuild(b, projects(10_000))
	b.ReportAllocs()
	for b.Loop() {
		if len(g.Readers("/p05000/src/net/tcp/a.c")) != 1 {
			b.Fatal("no reader")
		}
	}
}

// Chains, rings and crowds that would break recursion, or a search from every task of a ring.
func TestLarge(t *testing.T) {
	const n, chords = 10_000, 3000
	chain := func(last string) *workspace.Workspace {
		var b strings.Builder
		for i := range n {
			dep := last
			if i > 0 {
				dep = fmt.Sprintf("a:t%05d", i-1)
			}
			fmt.Fprintf(&b, "a:t%05d in=x", i)
			if dep != "" {
				b.WriteString(" deps=" + dep)
			}
			b.WriteString("\n")
		}
		return mustParse(t, b.String())
	}
	g, diags := Build(chain(""))
	if g == nil || len(g.Plan([]int{n - 1}).Tasks) != n || len(g.HardClosure([]int{0}, true)) != n-1 {
		t.Fatal("a long chain", diags)
	}
	_, diags = Build(chain(fmt.Sprintf("a:t%05d", n-1)))
	if len(diags) != 1 || strings.Count(diags[0].Message, "-deps->") != n || len(diags[0].Related) != maxPlaces {
		t.Fatalf("a long ring: %d errors", len(diags))
	}
	// A ring with chords has a way out at every task, and no short cycle.
	var b strings.Builder
	for i := range chords {
		fmt.Fprintf(&b, "a:t%05d deps=a:t%05d;a:t%05d\n", i, (i+1)%chords, (i+2)%chords)
	}
	_, diags = Build(mustParse(t, b.String()))
	if len(diags) != 1 || strings.Count(diags[0].Message, "-deps->") != chords/2 {
		t.Fatalf("a ring with chords: %d errors, a cycle of %d", len(diags), strings.Count(diags[0].Message, "-deps->"))
	}
}
