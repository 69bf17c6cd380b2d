package diag

import (
	"slices"
	"testing"
)

// One mistake in a body that many projects share is told once, with the projects; other mistakes stay apart.
func TestTogether(t *testing.T) {
	at := Place{File: ".haz/tasks/t.yml", Line: 2, Column: 5}
	d := func(code, project string) Diagnostic {
		return Diagnostic{Code: code, Place: at, Project: project, Message: project + " has no such task"}
	}
	other := d("DAG-008", "p9")
	other.Place.Column = 9
	l := List{d("DAG-008", "p3"), d("DAG-008", "p2"), d("DAG-009", "p2"), d("DAG-008", "p1"), other, d("DAG-008", "p5"), d("DAG-008", "p4"), d("DAG-008", "")}
	want := []string{
		" has no such task",
		`p1 has no such task; the same in 4 more projects: "p2", "p3", "p4", …`,
		"p2 has no such task",
		"p9 has no such task",
	}
	var got []string
	for _, d := range l.Sorted() {
		got = append(got, d.Message)
		if d.Project != "" {
			t.Errorf("%s: the project is still %q, so another list could count it again", d.Message, d.Project)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if again := l.Sorted().Sorted(); len(again) != len(want) || again[1].Message != want[1] {
		t.Errorf("sorted twice: %q", again[1].Message)
	}
	two := List{d("DAG-008", "a"), d("DAG-008", "b")}.Sorted()
	if want := `a has no such task; the same in 1 more project: "b"`; len(two) != 1 || two[0].Message != want {
		t.Errorf("got %q, want %q", two[0].Message, want)
	}
}
