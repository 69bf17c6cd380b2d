package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// literalOutput is a path that tasks declare as an output, literally.
type literalOutput struct {
	path    string
	outputs []declared // by task, then position
}

// literalOutputs lists the literal outputs by path, a directory right before what lies in it.
func (g *Graph) literalOutputs() []literalOutput {
	type one struct {
		path string
		id   int32
	}
	all := make([]one, 0, len(g.patterns().output))
	for id, out := range g.patterns().output {
		if p := g.W.Tasks[out.task].Outputs[out.at].Pattern; p.IsLiteral() {
			all = append(all, one{p.Path(), int32(id)})
		}
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Or(pattern.ComparePaths(a.path, b.path), cmp.Compare(a.id, b.id)) })
	memory := make([]declared, 0, len(all))
	list := make([]literalOutput, 0, len(all))
	for _, o := range all {
		memory = append(memory, g.patterns().output[o.id])
		if n := len(list); n > 0 && list[n-1].path == o.path {
			s := list[n-1].outputs
			list[n-1].outputs = s[:len(s)+1]
			continue
		}
		list = append(list, literalOutput{o.path, memory[len(memory)-1:]})
	}
	return list
}

// collisions is DAG-015: a path that two tasks make, and (S-05) one that lies in a path that another task makes.
func (b *builder) collisions(literals []literalOutput) {
	var around []int // positions of the paths that hold the one at hand, outermost first
	for i, o := range literals {
		b.collision(o)
		for len(around) > 0 && !pattern.IsBelow(o.path, literals[around[len(around)-1]].path) {
			around = around[:len(around)-1]
		}
		for _, at := range around {
			b.nested(literals[at], o)
		}
		around = append(around, i)
	}
}

func (b *builder) collision(o literalOutput) {
	claims := b.claims(o)
	if len(claims) < 2 {
		return
	}
	d := diag.Diagnostic{Code: "DAG-015", Place: claims[1].place,
		Message: fmt.Sprintf("output %s is declared by %d tasks: %s", diag.Quote(o.path), len(claims), listTasks(tasksOf(claims))),
		Hint:    "one task makes a file, and the others name it in inputs"}
	for i, c := range claims {
		label := "and here by " + quote(c.task)
		if i == 0 {
			label = "first declared here, by " + quote(c.task)
		}
		if i != 1 && c.place != d.Place {
			d.Related = append(d.Related, diag.Related{Place: c.place, Label: label})
		}
	}
	if o := claims[1].task.Overlay; o != "" && claims[0].place == claims[1].place {
		d.Hint = fmt.Sprintf("overlay %s attaches to all of these projects: make the output relative, or narrow tagsFilter", diag.Quote(o))
	}
	d.Related = fewPlaces(d.Related)
	b.report(d)
}

func (b *builder) nested(outer, inner literalOutput) {
	outer.outputs = slices.DeleteFunc(slices.Clone(outer.outputs), func(out declared) bool {
		return b.g.W.Tasks[out.task].Outputs[out.at].Pattern.TakesAway(inner.path)
	})
	in, out := b.claims(inner), b.claims(outer)
	if len(out) == 0 {
		return
	}
	if len(in) == 1 && len(out) == 1 && in[0].task == out[0].task {
		return // of one task; whether it makes sense shows when it runs
	}
	b.report(diag.Diagnostic{Code: "DAG-015", Place: in[0].place,
		Message: fmt.Sprintf("output %s of %s lies inside output %s of %s, so that both make it",
			diag.Quote(inner.path), listTasks(tasksOf(in)), diag.Quote(outer.path), listTasks(tasksOf(out))),
		Related: []diag.Related{{Place: out[0].place, Label: "the outer one is here"}}})
}

// claim is a task that declares an output, with the place of the first text that does.
type claim struct {
	task  *workspace.Task
	place diag.Place
}

func (b *builder) claims(o literalOutput) []claim {
	var list []claim
	for _, out := range o.outputs {
		t := b.g.W.Tasks[out.task]
		if n := len(list); n == 0 || list[n-1].task != t {
			list = append(list, claim{t, t.Outputs[out.at].Place})
		}
	}
	return list
}

func tasksOf(claims []claim) []*workspace.Task {
	tasks := make([]*workspace.Task, len(claims))
	for i, c := range claims {
		tasks[i] = c.task
	}
	return tasks
}

// listTasks reads `"a:x", "b:y" and "c:z"`.
func listTasks(tasks []*workspace.Task) string {
	var b strings.Builder
	for i, t := range tasks {
		switch {
		case i == 0:
		case i == len(tasks)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(quote(t))
	}
	return b.String()
}

// maxPlaces is how many further places a diagnostic shows. Its sentence names all tasks; a thousand excerpts of files would
// hide it.
const maxPlaces = 20

func fewPlaces(r []diag.Related) []diag.Related {
	if len(r) > maxPlaces {
		return r[:maxPlaces]
	}
	return r
}
