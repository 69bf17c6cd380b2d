package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// cycles is DAG-014: one error for each strongly connected component, with its members and one shortest cycle (S-04).
func (b *builder) cycles() {
	order, cyclic := b.g.components()
	b.g.order = order
	if len(cyclic) == 0 {
		return
	}
	s := b.g.newCycleSearch()
	for i, members := range cyclic {
		b.cycle(members, s.shortest(members, int32(i+1)))
	}
}

func (b *builder) cycle(members []int32, cycle []step) {
	tasks := make([]*workspace.Task, len(members))
	for i, m := range members {
		tasks[i] = b.g.W.Tasks[m]
	}
	var path strings.Builder
	var why []string
	var origins []diag.Related
	hint := ""
	var names []string // of tasks that are selected in every project
	for _, s := range cycle {
		e := b.g.Down[s.up][s.edge]
		up, down := b.g.W.Tasks[s.up], b.g.W.Tasks[e.Task]
		fmt.Fprintf(&path, "%s -%s-> ", up.ID, e.Kind.key())
		if e.Kind != Producer {
			says, ref := down, b.g.Says(up.Index, down.Index, e)
			if e.Kind == Final {
				says = up
			}
			origins = append(origins, diag.Related{Place: ref.Place,
				Label: fmt.Sprintf("%s has %s in %s", quote(says), diag.Quote(ref.Ref.String()), e.Kind.key())})
			if e.Kind != Final {
				origins = append(origins, b.related(ref.Ref, down, up)...)
			}
			if e.Kind != Final && isWide(ref.Ref) && !slices.Contains(names, ref.Ref.Task) {
				names = append(names, ref.Ref.Task)
			}
			continue
		}
		in, out := down.Inputs[e.Input], up.Outputs[e.Output]
		why = append(why, meeting(up, down, e))
		origins = append(origins,
			diag.Related{Place: in.Place, Label: fmt.Sprintf("%s has the input %s", quote(down), diag.Quote(in.Text))},
			diag.Related{Place: out.Place, Label: fmt.Sprintf("%s has the output %s", quote(up), diag.Quote(out.Text))})
		if hint == "" && !in.Pattern.IsLiteral() {
			hint = fmt.Sprintf("if %s does not need to read it: exclude: [%s]", quote(down), diag.Quote(spell(out.Pattern.String(), down.Project)))
		}
	}
	path.WriteString(b.g.W.Tasks[cycle[0].up].ID.String())
	d := diag.Diagnostic{Code: "DAG-014", Place: origins[0].Place, Hint: hint, Project: tasks[0].SharedIn(),
		Message: fmt.Sprintf("%s wait for each other, each for the one before it: %s", listTasks(tasks), path.String()),
		Related: fewPlaces(origins[1:])}
	if len(why) > 0 {
		d.Message += " (" + strings.Join(why, "; ") + ")"
	}
	b.report(d)
	if hint == "" && len(names) > 0 {
		b.wide = append(b.wide, wide{at: len(b.diags) - 1, tasks: members, names: names})
	}
}

// meeting says why there is a producer edge, with the path it is about and the pattern that is not literal.
func meeting(up, down *workspace.Task, e Edge) string {
	in, out := down.Inputs[e.Input], up.Outputs[e.Output]
	read, wrote := in.Pattern.Path(), out.Pattern.Path()
	switch {
	case out.Pattern.IsLiteral() && pattern.IsOrBelow(read, wrote) && (read != wrote || !in.Pattern.IsLiteral()):
		if in.Pattern.IsLiteral() {
			return fmt.Sprintf("%s, an input of %s, lies in %s, an output of %s", diag.Quote(read), quote(down), diag.Quote(wrote), quote(up))
		}
		return fmt.Sprintf("input %s of %s lies in %s, an output of %s", diag.Quote(in.Text), quote(down), diag.Quote(wrote), quote(up))
	case in.Pattern.IsLiteral() && pattern.IsOrBelow(wrote, read) && (read != wrote || !out.Pattern.IsLiteral()):
		return fmt.Sprintf("output %s of %s lies in %s, an input of %s", diag.Quote(out.Text), quote(up), diag.Quote(read), quote(down))
	case !in.Pattern.IsLiteral():
		return fmt.Sprintf("input %s of %s matches %s, an output of %s", diag.Quote(in.Text), quote(down), diag.Quote(out.Pattern.String()), quote(up))
	case !out.Pattern.IsLiteral():
		return fmt.Sprintf("output %s of %s matches %s, an input of %s", diag.Quote(out.Text), quote(up), diag.Quote(in.Pattern.String()), quote(down))
	}
	return fmt.Sprintf("%s is an output of %s and an input of %s", diag.Quote(out.Pattern.String()), quote(up), quote(down))
}

// spell writes a path as a pattern of a project that matches just it, relative where it can be.
func spell(path string, p *workspace.Project) string {
	switch {
	case p.Dir == "/":
		path = path[1:]
	case pattern.IsBelow(path, p.Dir):
		path = path[len(p.Dir)+1:]
	}
	if !strings.ContainsAny(path, `*?[{\`) {
		return path
	}
	// A literal below a project whose directory holds special characters.
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`, `}`, `\}`, `\`, `\\`).Replace(path)
}
