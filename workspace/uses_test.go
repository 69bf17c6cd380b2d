package workspace

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// related makes a workspace: uses are those of each project by position, and has says which have a task `t`.
func related(uses [][]int, has []bool) *Workspace {
	w := &Workspace{}
	for i := range uses {
		p := &Project{Name: fmt.Sprintf("p%05d", i)}
		var list []Use
		for _, u := range uses[i] {
			list = append(list, Use{Name: fmt.Sprintf("p%05d", u)})
		}
		p.SetUses(list)
		for _, name := range []string{"me", "t"} {
			if name == "me" || has[i] {
				t := &Task{ID: TaskID{p.Name, name}, Project: p, Index: len(w.Tasks)}
				p.Tasks, w.Tasks = append(p.Tasks, t), append(w.Tasks, t)
			}
		}
		w.Projects = append(w.Projects, p)
	}
	return w
}

func (w *Workspace) usedBy(t interface{ Fatal(...any) }, p *Project) string {
	r, err := ParseReference("^uses:t", false)
	if err != nil {
		t.Fatal(err)
	}
	tasks, _ := w.Resolve(r, p)
	names := make([]string, len(tasks))
	for i, u := range tasks {
		names[i] = u.ID.Project
	}
	return strings.Join(names, " ")
}

// DAG-023, by its definition: a search from each project, in the order of names.
func TestUsedTasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "projects")
		uses, has := make([][]int, n), make([]bool, n)
		for i := range uses {
			uses[i] = slices.DeleteFunc(rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 3).Draw(t, "uses"), func(u int) bool { return u == i })
			has[i] = rapid.IntRange(0, 2).Draw(t, "has") == 0
		}
		w := related(uses, has)
		for _, i := range rapid.Permutation(slices.Collect(func(yield func(int) bool) {
			for i := range n {
				if !yield(i) {
					return
				}
			}
		})).Draw(t, "order") {
			seen, met := map[int]bool{}, map[int]bool{}
			var look func(at int)
			look = func(at int) {
				for _, u := range uses[at] {
					switch {
					case has[u]:
						met[u] = u != i
					case !seen[u]:
						seen[u] = true
						look(u)
					}
				}
			}
			look(i)
			var want []string
			for u := range n {
				if met[u] {
					want = append(want, w.Projects[u].Name)
				}
			}
			if got := w.usedBy(t, w.Projects[i]); got != strings.Join(want, " ") {
				t.Fatalf("%s: got %q, want %q", w.Projects[i].Name, got, strings.Join(want, " "))
			}
		}
	})
}

// However a net is made, each edge of it is looked at a few times, and projects that see the same share one list.
func TestUsedTasksShare(t *testing.T) {
	const n, layer = 5000, 50
	chain, net := make([][]int, n), make([][]int, n)
	has := make([]bool, n)
	has[n-1] = true
	for i := range n - 1 {
		chain[i] = []int{i + 1}
		for u := (i/layer + 1) * layer; u < min(n, (i/layer+2)*layer); u++ {
			net[i] = append(net[i], u)
		}
	}
	chain[n-2] = append(chain[n-2], 0) // and back
	for name, uses := range map[string][][]int{"chain": chain, "net": net} {
		w := related(uses, has)
		for _, p := range w.Projects[:n-layer] {
			if got := w.usedBy(t, p); got != w.Projects[n-1].Name {
				t.Fatalf("%s: %s: got %q", name, p.Name, got)
			}
		}
		if l := w.index.relations.known["t"]; len(l.sets) != 2 {
			t.Errorf("%s: there are %d sets, and one that is empty and one that is not would do", name, len(l.sets))
		}
	}
}

func BenchmarkUsedTasks(b *testing.B) {
	for _, n := range []int{5000, 10000} {
		b.Run(fmt.Sprintf("projects=%d", n), func(b *testing.B) {
			uses, has := make([][]int, n), make([]bool, n)
			for i := range uses {
				for u := i + 1; u < min(n, i+50); u++ {
					uses[i] = append(uses[i], u)
				}
				has[i] = i >= n-20
			}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				w := related(uses, has)
				b.StartTimer()
				for _, p := range w.Projects {
					w.usedBy(b, p)
				}
			}
		})
	}
}
