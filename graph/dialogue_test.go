package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// TestDialogues plays testdata/dialogue/*.txt; -rewrite writes the answers. Commands:
//
//	build                       the errors of a workspace (see parseWorkspace), or its edges
//	warnings                    what check says about it
//	plan p:t ...                tasks, targets with a star, edges and conflicts
//	up | down p:t ...           closure over hard edges
//	conflicts
//	readers | writers path=/a
//	meeting pattern=/a/*        tasks with inputs, and outputs, that meet a pattern
//	affected | redefined | downstream    one path, path with "/" at its end (a nested repository), or task a line
//	says                        the reference of each edge that has one, with the column where it stands
//	concerned p:t ...           tasks of the plan of these targets, one path a line
//	since                       tasks that are not what they were in the workspace given
func TestDialogues(t *testing.T) {
	datadriven.Walk(t, "testdata/dialogue", func(t *testing.T, path string) {
		var g *Graph
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			if td.Cmd == "build" {
				w, err := parseWorkspace(td.Input)
				if err != nil {
					td.Fatalf(t, "%v", err)
				}
				var diags diag.List
				if g, diags = Build(w); g == nil {
					return diags.Render(diag.Style{})
				}
				return edges(w.Tasks, g.Up)
			}
			if g == nil {
				td.Fatalf(t, "there is no graph")
			}
			return answer(t, g, td)
		})
	})
}

func answer(t *testing.T, g *Graph, td *datadriven.TestData) string {
	var args []int
	for _, a := range td.CmdArgs {
		if strings.Contains(a.Key, ":") {
			args = append(args, find(t, g, a.Key))
		}
	}
	lines := strings.Fields(td.Input)
	switch td.Cmd {
	case "warnings":
		return g.Warnings().Render(diag.Style{})
	case "plan":
		p := g.Plan(args)
		var b strings.Builder
		for i, task := range p.Tasks {
			fmt.Fprint(&b, task.ID)
			if p.Target[i] {
				b.WriteString(" *")
			}
			if p.OnlyFinal(i) {
				b.WriteString(" only as a finalizer")
			}
			for _, c := range p.Conflicts[i] {
				fmt.Fprintf(&b, " not beside %s", p.Tasks[c].ID)
			}
			b.WriteString("\n")
		}
		return b.String() + edges(p.Tasks, p.Up)
	case "up", "down":
		return ids(g, g.HardClosure(args, td.Cmd == "down"))
	case "conflicts":
		var b strings.Builder
		for i, c := range g.Conflicts() {
			if len(c) > 0 {
				fmt.Fprintf(&b, "%s: %s\n", g.W.Tasks[i].ID, strings.ReplaceAll(strings.TrimSpace(ids(g, c)), "\n", " "))
			}
		}
		return b.String()
	case "readers":
		var b strings.Builder
		for _, r := range g.Readers(scan(t, td, "path")) {
			fmt.Fprintf(&b, "%s by %s\n", g.W.Tasks[r.Task].ID, g.W.Tasks[r.Task].Inputs[r.Input].Text)
		}
		return b.String()
	case "writers":
		return ids(g, g.Writers(scan(t, td, "path")))
	case "meeting":
		p, err := pattern.Parse(scan(t, td, "pattern"))
		if err != nil {
			td.Fatalf(t, "%v", err)
		}
		return "inputs:\n" + ids(g, g.InputsMeeting(p)) + "outputs:\n" + ids(g, g.OutputsMeeting(p))
	case "affected":
		var paths, dirs []string
		for _, l := range lines {
			if dir, nested := strings.CutSuffix(l, "/"); nested {
				dirs = append(dirs, dir)
			} else {
				paths = append(paths, l)
			}
		}
		return ids(g, g.Affected(paths, dirs))
	case "concerned":
		return ids(g, g.Plan(args).Concerned(lines))
	case "says":
		var b strings.Builder
		for t, up := range g.Up {
			for _, e := range up {
				if ref := g.Says(e.Task, t, e); ref != nil {
					fmt.Fprintf(&b, "%s -%s-> %s  %s at %d:%d\n", g.W.Tasks[e.Task].ID, e.Kind.key(), g.W.Tasks[t].ID, ref, ref.Place.Line, ref.Place.Column)
				}
			}
		}
		return b.String()
	case "since":
		return ids(g, g.Differing(mustBuild(t, td.Input)))
	case "downstream":
		for _, l := range lines {
			args = append(args, find(t, g, l))
		}
		return ids(g, g.Downstream(args))
	}
	td.Fatalf(t, "what is %s?", td.Cmd)
	return ""
}

// scan reads an argument that datadriven would take apart at its commas.
func scan(t *testing.T, td *datadriven.TestData, key string) string {
	t.Helper()
	var s string
	td.ScanArgs(t, key, &s)
	return s
}

func find(t testing.TB, g *Graph, id string) int {
	t.Helper()
	p, task, _ := strings.Cut(id, ":")
	found := g.W.Task(workspace.TaskID{Project: p, Task: task})
	if found == nil {
		t.Fatalf("there is no task %s", id)
	}
	return found.Index
}

func ids(g *Graph, tasks []int) string {
	var b strings.Builder
	for _, i := range tasks {
		fmt.Fprintln(&b, g.W.Tasks[i].ID)
	}
	return b.String()
}

// edges draws edges, and holds Down to be the mirror of Up.
func edges(tasks []*workspace.Task, up [][]Edge) string {
	var lines []string
	for t := range up {
		for _, e := range up[t] {
			line := fmt.Sprintf("%s -%s-> %s", tasks[e.Task].ID, e.Kind.key(), tasks[t].ID)
			if e.Narrow {
				line += "  narrow"
			}
			if e.Streams {
				line += "  streams"
			}
			if e.Kind == Producer {
				line += fmt.Sprintf("  %s %s", tasks[e.Task].Outputs[e.Output].Text, tasks[t].Inputs[e.Input].Text)
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	if len(lines) == 0 {
		return "no edges\n"
	}
	return strings.Join(lines, "\n") + "\n"
}
