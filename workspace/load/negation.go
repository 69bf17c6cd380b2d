package load

import (
	"fmt"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// selection is anchor for a list in which items with "!" take away what those before them select (PATH-023).
func (b *builder) selection(key string, c config.Patterns, dir string) []workspace.PatternDecl {
	all := b.anchor(c, dir)
	list := all[:0:0]
	for i, d := range all {
		switch {
		case !c.Items[i].Not:
			list = append(list, d)
		case len(list) == 0:
			hint := "list first what it takes away from"
			if key == "inputs" {
				hint += ": inputs: [\"**\", " + diag.Quote(d.Text) + "]"
			}
			b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::070", Place: d.Place, Hint: hint,
				Message: fmt.Sprintf("%s takes away nothing: nothing is listed before it", diag.Quote(d.Text))})
		default:
			last := &list[len(list)-1]
			last.Not = append(last.Not, d)
		}
	}
	var not []workspace.PatternDecl
	for i := range list {
		not = append(not, list[i].Not...)
	}
	if len(not) == 0 {
		return list
	}
	patterns, before, compared := workspace.Patterns(not), 0, 0
	for i := range list { // all have a part of one list
		b.takenLiteral(&list[i], not[before:], &compared)
		list[i].Pattern = list[i].Pattern.Except(patterns[before:])
		before += len(list[i].Not)
	}
	return list
}

// takenMax bounds the pairs that takenLiteral compares in one list, which is far more than a real list has. What it does not see is
// taken away without a word.
const takenMax = 1_000_000

// takenLiteral refuses a literal that a later item takes away: one of the two is a mistake (haz::cfg::071).
func (b *builder) takenLiteral(d *workspace.PatternDecl, not []workspace.PatternDecl, compared *int) {
	if !d.Pattern.IsLiteral() {
		return
	}
	for i := range not {
		x := &not[i]
		if *compared++; *compared > takenMax {
			return
		}
		if x.Pattern.Match(d.Pattern.Path()) {
			b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::071", Place: x.Place,
				Message: fmt.Sprintf("%s takes away %s, which the list names itself", diag.Quote(x.Text), diag.Quote(d.Text)),
				Hint:    "remove one of the two",
				Related: []diag.Related{{Place: d.Place, Label: "it is named here"}}})
			return
		}
	}
}
