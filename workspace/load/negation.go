package load

import (
	"fmt"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// selection is anchor for a list in which items with "!" take away what those before them select (PATH-023), and items with "$" are
// sets of files (PATH-024).
func (b *builder) selection(key string, m *merged, items list[config.Pattern], dir string) placed {
	n := items.len()
	if n == 0 {
		return placed{}
	}
	l, listed, fewer := selected{placed: placed{make([]workspace.PatternDecl, 0, n), make([]*layer, 0, n)}}, false, false
	for _, part := range items {
		fewer = fewer || part.fewer
		for i := range part.items {
			p := &part.items[i]
			if listed = listed || !p.Not; !listed {
				if !fewer && m.tells(part.of) { // else a nearer list names what stood before it
					b.takesNothing(key, p, part.of)
				}
				continue
			}
			decls := []workspace.PatternDecl{{}}
			if p.Set != "" {
				decls = b.members(*p, part.of, dir)
			} else {
				decls[0] = decl(part.of, p, dir)
			}
			if !p.Not {
				b.endRoot(decls, dir)
			}
			if p.Not && b.takesWord(decls, part.of.src.Place(p.Span), p.Value) {
				continue
			}
			l.add(decls, part.of, p.Not)
		}
	}
	compared, before, not := 0, 0, l.not()
	for i := range l.decls {
		if m.tells(l.of[i]) {
			b.takenLiteral(&l.decls[i], l.of[i], not[before:], l.nots[before:], &compared)
		}
		before += len(l.decls[i].Not)
	}
	if !l.except(not) {
		last := items[len(items)-1]
		b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::064", Place: last.of.src.Place(last.items[len(last.items)-1].Span), Hint: "write the patterns of the sets into the list",
			Message: "too many patterns take away from sets of files that take away themselves"})
	}
	return l.placed
}

// takesNothing reports an item with "!" that stands first.
func (b *builder) takesNothing(key string, p *config.Pattern, of *layer) {
	hint := "list first what it takes away from"
	if key == "inputs" {
		hint += ": inputs: [\"**\", " + diag.Quote(p.Value) + "]"
	}
	b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::070", Place: of.src.Place(p.Span), Hint: hint,
		Message: fmt.Sprintf("%s takes away nothing: nothing is listed before it", diag.Quote(p.Value))})
}

// selected is a list of patterns while it is put together: each has in Not what takes away from it and all before it.
type selected struct {
	placed
	nots []*layer // of all that takes away something, in order
}

// add adds the patterns that an item of a layer stands for.
func (l *selected) add(decls []workspace.PatternDecl, of *layer, not bool) {
	for i := range decls {
		switch {
		case !not:
			l.placed.add(decls[i], of)
		case len(l.decls) > 0: // else it stands behind sets that are empty
			last := &l.decls[len(l.decls)-1]
			last.Not, l.nots = append(last.Not, decls[i]), append(l.nots, of)
		}
	}
}

// not is all that takes away something, in order.
func (l *selected) not() (not []workspace.PatternDecl) {
	for i := range l.decls {
		not = append(not, l.decls[i].Not...)
	}
	return not
}

// exceptMax bounds what is kept of the exceptions of a list, in patterns. They are those of one slice; only where patterns have some of their
// own, which sets give them, are there others.
const exceptMax = 1_000_000

// except gives each pattern its exceptions, which are not. It reports whether there was room for all.
func (l *selected) except(not []workspace.PatternDecl) bool {
	if len(not) == 0 {
		return true
	}
	type own struct {
		first *pattern.Pattern
		n     int
		from  int
	}
	patterns, before, kept := workspace.Patterns(not), 0, 0
	joined := map[own][]pattern.Pattern{}
	for i := range l.decls { // all have a part of one list
		d := &l.decls[i]
		mine := d.Pattern.Exceptions()
		if len(mine) == 0 || before == len(patterns) {
			d.Pattern = d.Pattern.Except(patterns[before:])
			before += len(d.Not)
			continue
		}
		id := own{&mine[0], len(mine), before}
		if joined[id] == nil {
			if kept += len(mine) + len(patterns) - before; kept > exceptMax {
				return false
			}
			joined[id] = slices.Concat(mine, patterns[before:])
		}
		d.Pattern = d.Pattern.WithExceptions(joined[id])
		before += len(d.Not)
	}
	return true
}

// takenMax bounds the pairs that takenLiteral compares in one list, which is far more than a real list has. What it does not see is
// taken away without a word.
const takenMax = 1_000_000

// takenLiteral refuses a literal that a later item of the same body takes away: one of the two is a mistake (haz::cfg::071). Where one comes
// from a set, which other lists have too, it is none.
func (b *builder) takenLiteral(d *workspace.PatternDecl, of *layer, not []workspace.PatternDecl, nots []*layer, compared *int) {
	if !d.Pattern.IsLiteral() || d.Via != nil {
		return
	}
	for i := range not {
		x := &not[i]
		if nots[i] != of {
			return // what a nearer body takes away is meant
		}
		if *compared++; *compared > takenMax {
			return
		}
		if x.Via == nil && x.Pattern.Match(d.Pattern.Path()) {
			b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::071", Place: x.Place,
				Message: fmt.Sprintf("%s takes away %s, which the list names itself", diag.Quote(x.Text), diag.Quote(d.Text)),
				Hint:    "remove one of the two",
				Related: []diag.Related{{Place: d.Place, Label: "it is named here"}}})
			return
		}
	}
}
