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

// meetingMax bounds the pairs of globs that meetingGlobs looks at, which is far more than a real workspace has.
const meetingMax = 100_000

// encounter is a glob among the inputs of one task that can select what a glob among the outputs of another can be.
type encounter struct{ in, out declared }

// meetingGlobs is about globs that meet although nothing orders their tasks: two globs make no producer edge (DAG-013), so the
// reader reads, and keeps the result of, what happens to be there. One warning for each input and all producers behind it.
func (g *Graph) meetingGlobs() diag.List {
	met := g.meetings()
	pairs := make([]pair, len(met))
	for i, m := range met {
		pairs[i] = pair{up: m.out.task, down: m.in.task}
	}
	ordered := g.ordered(pairs)
	var list diag.List
	for i := 0; i < len(met); {
		in := met[i].in
		var outs []declared
		for ; i < len(met) && met[i].in == in; i++ {
			if !ordered[i] && !g.producerEdge(met[i]) {
				outs = append(outs, met[i].out)
			}
		}
		if len(outs) > 0 {
			list = append(list, g.unorderedGlobs(in, outs))
		}
	}
	return list
}

// meetings lists the pairs of globs of different tasks that have a path in common which the reader does not exclude, by reader
// and input.
func (g *Graph) meetings() []encounter {
	var met []encounter
	for _, out := range g.patterns().output {
		p := g.W.Tasks[out.task].Outputs[out.at].Pattern
		if p.IsLiteral() {
			if !p.IsFolder() {
				continue
			}
			p = p.Inside()
		}
		g.patterns().inputs.Overlapping(p, func(id int) {
			in := g.patterns().input[id]
			t := g.W.Tasks[in.task]
			if read := t.Inputs[in.at].Pattern; in.task != out.task && len(met) < meetingMax && !read.IsLiteral() && !excludesMeeting(t, read, p) {
				met = append(met, encounter{in, out})
			}
		})
	}
	slices.SortFunc(met, func(a, b encounter) int {
		return cmp.Or(cmp.Compare(a.in.task, b.in.task), cmp.Compare(a.in.at, b.in.at), cmp.Compare(a.out.task, b.out.task), cmp.Compare(a.out.at, b.out.at))
	})
	return met
}

// excludesMeeting reports whether the exclude patterns of t take away what in and out have in common, as far as one can see
// without asking for every path.
func excludesMeeting(t *workspace.Task, in, out pattern.Pattern) bool {
	if len(t.Exclude) == 0 {
		return false
	}
	common, _ := pattern.Common(in, out)
	return slices.ContainsFunc(t.Exclude, func(x workspace.PatternDecl) bool {
		return x.Pattern.String() == out.String() || x.Pattern.CoversAllBelow(out.FixedPrefix()) || x.Pattern.Match(common)
	})
}

// producerEdge reports whether other patterns of the two tasks make an edge, which orders them, and of which another warning
// tells.
func (g *Graph) producerEdge(m encounter) bool {
	return slices.ContainsFunc(g.Up[m.in.task], func(e Edge) bool { return e.Kind == Producer && e.Task == int(m.out.task) })
}

func (g *Graph) unorderedGlobs(in declared, outs []declared) diag.Diagnostic {
	t := g.W.Tasks[in.task]
	read, wrote := t.Inputs[in.at], g.W.Tasks[outs[0].task].Outputs[outs[0].at]
	var producers []*workspace.Task
	var excludes []string
	for _, out := range outs {
		u := g.W.Tasks[out.task]
		if n := len(producers); n == 0 || producers[n-1] != u {
			producers = append(producers, u)
		}
		excludes = append(excludes, diag.Quote(spellGlob(u.Outputs[out.at].Pattern, t.Project)))
	}
	common, _ := pattern.Common(read.Pattern, wrote.Pattern)
	verb, them := "makes", "it"
	if len(producers) > 1 {
		verb, them = "make", "them"
	}
	d := diag.Diagnostic{Severity: diag.Warning, Code: "DAG-013", Place: read.At(), Project: t.SharedIn(),
		Message: fmt.Sprintf("input %s of task %s can select what %s %s (both can be %s), but nothing says who is first",
			diag.Quote(read.Text), quote(t), listFew(producers), verb, diag.Quote(common)),
		Related: []diag.Related{{Place: wrote.Place, Label: fmt.Sprintf("output %s of %s is here", diag.Quote(wrote.Text), quote(producers[0]))}}}
	without := "exclude: [" + strings.Join(few(slices.Compact(excludes)), ", ") + "]"
	first := "deps: [" + strings.Join(references(t, producers), ", ") + "]"
	// What a formatter writes are sources, that people edit: without them in its key a task would not see an edit.
	sources := slices.ContainsFunc(producers, (*workspace.Task).ReadsItself)
	switch cyclic := g.anyBelow(t, producers); {
	case cyclic && sources:
	case cyclic:
		d.Hint = without
	case sources:
		d.Hint = first
	default:
		d.Hint = fmt.Sprintf("%s; or, where %s does not need %s: %s", first, quote(t), them, without)
	}
	return d
}

// references spells tasks as deps of t would.
func references(t *workspace.Task, tasks []*workspace.Task) []string {
	refs := make([]string, 0, len(tasks))
	for _, u := range tasks {
		if u.Project == t.Project {
			refs = append(refs, diag.Quote("~:"+u.ID.Task))
		} else {
			refs = append(refs, diag.Quote(u.ID.String()))
		}
	}
	return few(refs)
}

func few(list []string) []string {
	if len(list) > maxNames {
		return append(list[:maxNames:maxNames], "…")
	}
	return list
}

// anyBelow reports whether one of the tasks comes after t on any path.
func (g *Graph) anyBelow(t *workspace.Task, tasks []*workspace.Task) bool {
	seen := map[int]bool{t.Index: true}
	for todo := []int{t.Index}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range g.Down[at] {
			if !seen[e.Task] {
				seen[e.Task] = true
				todo = append(todo, e.Task)
			}
		}
	}
	return slices.ContainsFunc(tasks, func(u *workspace.Task) bool { return seen[u.Index] })
}

// spellGlob writes an anchored glob as one of a project, relative where it can be.
func spellGlob(p pattern.Pattern, in *workspace.Project) string {
	text, dir := p.String(), pattern.Escape(in.Dir)
	if dir == "/" {
		dir = ""
	}
	if rest, ok := strings.CutPrefix(text, dir+"/"); ok {
		return rest
	}
	return text
}
