package graph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// Warnings says what is allowed and hardly meant, in the order of diagnostics (chapter 2, 1.2). It is computed anew in each
// call; only `check` wants it.
func (g *Graph) Warnings() diag.List {
	var list diag.List
	list = append(list, g.unorderedReaders()...)
	list = append(list, g.meetingGlobs()...)
	list = append(list, g.overlappingOutputs()...)
	list = append(list, g.onlyOnce()...)
	list = append(list, g.usedNowhere()...)
	return list.Sorted()
}

// unorderedReaders is about producer edges whose tasks no hard or soft path orders: without the producer in the run, the
// reader reads what happens to be there.
func (g *Graph) unorderedReaders() diag.List {
	var pairs []pair
	for t, up := range g.Up {
		for i, e := range up {
			if e.Kind == Producer && e.Task != t && (i == 0 || up[i-1].Task != e.Task) { // else a hard or soft edge stands before it
				pairs = append(pairs, pair{int32(e.Task), int32(t), int32(i)})
			}
		}
	}
	ordered := g.ordered(pairs)
	var list diag.List
	for i := 0; i < len(pairs); {
		// One for all producers behind one input. Pairs are by reader; inputs of one reader are few.
		t := pairs[i].down
		byInput := make(map[int][]*workspace.Task)
		for ; i < len(pairs) && pairs[i].down == t; i++ {
			if !ordered[i] {
				e := g.Up[t][pairs[i].edge]
				byInput[e.Input] = append(byInput[e.Input], g.W.Tasks[e.Task])
			}
		}
		for in, producers := range byInput {
			list = append(list, unordered(g.W.Tasks[t], in, producers))
		}
	}
	return list
}

func unordered(t *workspace.Task, input int, producers []*workspace.Task) diag.Diagnostic {
	verb, them := "produces", "it"
	if len(producers) > 1 {
		verb, them = "produce", "them"
	}
	return diag.Diagnostic{Severity: diag.Warning, Code: "DAG-013", Place: t.Inputs[input].At(), Project: t.SharedIn(),
		Message: fmt.Sprintf("task %s reads what %s %s, but does not depend on %s", quote(t), listFew(producers), verb, them),
		Hint:    "deps: [" + strings.Join(references(t, producers), ", ") + "]"}
}

// overlappingOutputs is about tasks that may write one path (DAG-016). They never run at the same time (S-07), but which one
// wrote last is left to chance. One warning for each output pattern and all earlier tasks that it meets.
func (g *Graph) overlappingOutputs() diag.List {
	if !g.patterns().globOutputs {
		return nil // literals that meet are errors
	}
	var list diag.List
	for id, out := range g.patterns().output {
		t := g.W.Tasks[out.task]
		decl := t.Outputs[out.at]
		var others []*workspace.Task
		var first workspace.PatternDecl
		g.patterns().outputs.Overlapping(decl.Pattern, func(other int) {
			if other >= id || g.patterns().output[other].task == out.task {
				return
			}
			o := g.patterns().output[other]
			u := g.W.Tasks[o.task]
			if n := len(others); n == 0 || others[n-1] != u {
				others = append(others, u)
				if n == 0 {
					first = u.Outputs[o.at]
				}
			}
		})
		if len(others) == 0 {
			continue
		}
		common, _ := pattern.Common(first.Pattern, decl.Pattern)
		list = append(list, diag.Diagnostic{Severity: diag.Warning, Code: "DAG-016", Place: decl.Place, Project: t.SharedIn(),
			Message: fmt.Sprintf("output %s of task %s overlaps outputs of %s: both can be %s",
				diag.Quote(decl.Text), quote(t), listFew(others), diag.Quote(common)),
			Hint:    "give each task a directory of its own",
			Related: []diag.Related{{Place: first.Place, Label: fmt.Sprintf("output %s of %s is here", diag.Quote(first.Text), quote(others[0]))}}})
	}
	return list
}

// onlyOnce is about cached tasks whose key nothing but their own definition changes.
func (g *Graph) onlyOnce() diag.List {
	var list diag.List
	for i, t := range g.W.Tasks {
		if !t.Cache || len(t.Inputs) > 0 || hasHard(g.Up[i]) {
			continue
		}
		list = append(list, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::016", Place: t.Place, Project: t.SharedIn(),
			Message: fmt.Sprintf("only its own definition can make %s run again: it is cached, and has neither inputs nor deps", quote(t)),
			Hint:    "inputs: [...], or cache: false"})
	}
	return list
}

// usedNowhere is about references to tasks of used projects whose name no task of the workspace has (DAG-024).
func (g *Graph) usedNowhere() diag.List {
	var list diag.List
	for _, t := range g.W.Tasks {
		for _, refs := range [][]workspace.RefDecl{t.Deps, t.WeakDeps, t.After} {
			for _, ref := range refs {
				if ref.Ref.Form != workspace.RefUses || ref.Optional {
					continue
				}
				_, err := g.W.Resolve(ref.Ref, t.Project)
				var s *workspace.SelectError
				if errors.As(err, &s) && s.Nowhere {
					list = append(list, diag.Diagnostic{Severity: diag.Warning, Code: "DAG-024", Place: ref.Place, Project: t.SharedIn(), Hint: s.Hint,
						Message: fmt.Sprintf("%s of task %s selects nothing, wherever it stands: %s", diag.Quote(ref.Ref.String()), quote(t), s.Reason)})
				}
			}
		}
	}
	return list
}

func hasHard(up []Edge) bool {
	for _, e := range up {
		if e.Kind == Hard {
			return true
		}
	}
	return false
}

const maxNames = 3

// listFew is listTasks for warnings, which need not name a thousand tasks.
func listFew(tasks []*workspace.Task) string {
	if len(tasks) <= maxNames {
		return listTasks(tasks)
	}
	var b strings.Builder
	for _, t := range tasks[:maxNames] {
		b.WriteString(quote(t) + ", ")
	}
	fmt.Fprintf(&b, "and %d more", len(tasks)-maxNames)
	return b.String()
}
