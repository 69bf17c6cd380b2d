package workspace

import (
	"fmt"
	"testing"
)

// Many broken references among many names: what each could have meant is looked for, for the first thousand different ones,
// and once for each.
func TestManyMisspeltNames(t *testing.T) {
	const n = 2 * meantMax
	w := &Workspace{}
	for i := range n {
		p := &Project{Name: fmt.Sprintf("service-%05d", i), Dir: fmt.Sprintf("/s/%d", i)}
		p.Tasks = []*Task{{ID: TaskID{p.Name, "build"}, Project: p, Index: i}}
		w.Projects = append(w.Projects, p)
		w.Tasks = append(w.Tasks, p.Tasks...)
	}
	hints := 0
	for range 3 {
		for i := range n {
			_, err := w.Resolve(Reference{Form: RefProject, Project: fmt.Sprintf("srevice-%05d", i), Task: "build"}, w.Projects[0])
			if e, ok := err.(*SelectError); ok && e.Hint == fmt.Sprintf(`did you mean "service-%05d:build"?`, i) {
				hints++
			}
		}
	}
	if hints != 3*meantMax {
		t.Errorf("%d hints, want %d", hints, 3*meantMax)
	}
}
