package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// Cell is a body with the values of one cell of its matrix put in.
type Cell struct {
	Values []workspace.CellValue
	Body   *Body
}

// Axis is a key of a matrix with its values.
type Axis struct {
	Key    Text
	Values List
}

// matrix maps what a matrix has: keys with lists of values (haz::cfg::092).
func (m *mapper) matrix(f *Field, n *yaml.Node, out *[]Axis) bool {
	if m.cell != nil { // it was read before its first cell was
		*out = m.axes
		return true
	}
	v := deref(n)
	if v.Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map from key to list of values").Hint = matrixHint
		return false
	}
	list, ok := m.entries(v)
	variables := map[string]Text{}
	cells := 1
	for _, e := range list {
		m.push(step{key: e.key.Value})
		good := m.check(f.Rule, EnvName, e.key)
		if first, again := variables[workspace.CellVariable(e.key.Value)]; good && again {
			d := m.add(f.Rule, e.key.Span, fmt.Sprintf("%s and %s are one variable, %s", diag.QuoteShort(first.Value), diag.QuoteShort(e.key.Value), workspace.CellVariable(first.Value)), "")
			d.Related = m.related(first.Span, "the other one is here")
			good = false
		}
		variables[workspace.CellVariable(e.key.Value)] = e.key
		values, isList := m.list(&Field{Key: e.key.Value, Rule: f.Rule, Type: Type{Kind: ListOf, Format: CellValue, NonEmpty: true, Unique: true}}, e.value)
		m.pop()
		if ok = ok && good && isList; ok {
			*out = append(*out, Axis{e.key, values})
			cells = min(cells*len(values.Items), workspace.CellsMax+1)
		}
	}
	switch {
	case ok && len(*out) == 0:
		m.add(f.Rule, m.span(n), "the matrix has no key", matrixHint)
		return false
	case ok && cells > workspace.CellsMax:
		m.add(f.Rule, m.span(n), fmt.Sprintf("the matrix has more than %d cells", workspace.CellsMax), "split the task, or leave values out")
		return false
	}
	return ok
}

const matrixHint = "matrix: {node: [22, 24]}"

// cellsOf are the cells of the matrix that a body has; none where that is wrong. What is wrong is told when the body is read.
func (m *mapper) cellsOf(body *yaml.Node) (cells []map[string]string, there bool) {
	told, saids := len(m.diags), maps.Clone(m.said)
	defer func() { m.diags, m.said = m.diags[:told], saids }()
	list, _ := m.entries(body)
	at := slices.IndexFunc(list, func(e entry) bool { return e.key.Value == "matrix" })
	if at < 0 || isNull(list[at].value) {
		return nil, false
	}
	var axes []Axis
	if !m.matrix(taskObject.field("matrix"), list[at].value, &axes) {
		return nil, true
	}
	m.axes = axes
	cells = []map[string]string{{}}
	for _, a := range axes {
		var more []map[string]string
		for _, cell := range cells {
			for _, v := range a.Values.Items {
				wider := maps.Clone(cell)
				wider[a.Key.Value] = v.Value
				more = append(more, wider)
			}
		}
		cells = more
	}
	return cells, true
}

// roomFor reports whether a body of that many cells is within what a file may have of nodes, and says it, once, when it is not.
func (m *mapper) roomFor(body *yaml.Node, cells int) bool {
	list, _ := m.entries(body)
	each := 0
	for _, e := range list {
		if e.key.Value != "matrix" {
			each += 1 + nodes(e.value)
		}
	}
	before := m.inCell
	m.inCell = min(before+each*cells, nodesMax+1)
	if m.inCell > nodesMax && before <= nodesMax {
		m.addCode("haz::cfg::002", m.src.Place(m.span(body)), "the file has more than one million nodes once each task is written out for all cells of its matrix", "shorter lists, fewer values, or another file")
	}
	return m.inCell <= nodesMax
}

// nodes counts a node and all below it, aliases expanded.
func nodes(n *yaml.Node) int {
	count := 1
	for _, c := range deref(n).Content {
		count += nodes(c)
	}
	return count
}

// ownVariables refuses an override of a variable that the matrix sets.
func (m *mapper) ownVariables(b *Body) {
	if len(b.Matrix) == 0 || len(b.Env.Override) == 0 {
		return
	}
	keys := make(map[string]Text, len(b.Matrix))
	for _, a := range b.Matrix {
		keys[workspace.CellVariable(a.Key.Value)] = a.Key
	}
	for _, p := range b.Env.Override {
		key, both := keys[p.Key.Value]
		if !both {
			continue
		}
		m.push(step{key: "env"})
		m.push(step{key: "override"})
		d := m.add("haz::cfg::092", p.Key.Span, diag.QuoteShort(p.Key.Value)+" is what the matrix sets, for its key "+diag.QuoteShort(key.Value), "remove it, or give it another name")
		d.Related = m.related(key.Span, "the key of the matrix is here")
		m.pop()
		m.pop()
	}
}

// inCells maps a body once for each cell of its matrix; the first cell's is the body itself. What is wrong is told for the first cell
// that has anything wrong, since mostly it is wrong in all.
func (m *mapper) inCells(e entry, b *Body, cells []map[string]string) {
	shared := m.shared
	defer func() { m.cell, m.shared = nil, shared }()
	clean := true
	for i, cell := range cells {
		told := len(m.diags)
		m.cell, m.shared = cell, nil // lists with anchors have other texts in each
		c := b
		if i > 0 {
			c = &Body{path: b.path}
		}
		m.fill(e, c)
		if !clean {
			m.diags = m.diags[:told]
		}
		clean = clean && len(m.diags) == told
		values := make([]workspace.CellValue, 0, len(cell))
		for _, key := range slices.Sorted(maps.Keys(cell)) {
			values = append(values, workspace.CellValue{Key: key, Value: cell[key]})
		}
		b.Cells = append(b.Cells, Cell{values, c})
	}
}

// inherits reports whether a body says so, without a word about what is wrong with it.
func (m *mapper) inherits(body *yaml.Node) bool {
	may := false
	for i := 0; i < len(body.Content); i += 2 {
		key := deref(body.Content[i]).Value
		may = may || key == "inherit" || key == "<<"
	}
	if !may {
		return false
	}
	told, saids := len(m.diags), maps.Clone(m.said)
	defer func() { m.diags, m.said = m.diags[:told], saids }()
	list, _ := m.entries(body)
	at := slices.IndexFunc(list, func(e entry) bool { return e.key.Value == "inherit" })
	var is Bool
	return at >= 0 && !isNull(list[at].value) && m.flag(taskObject.field("inherit"), list[at].value, &is) && is.Value
}

// reader reads a body for a cell, of which the mapper is done by then.
func (m *mapper) reader(e entry, path string) func([]workspace.CellValue) (*Body, diag.List) {
	kind, src, steps := m.kind, m.src, slices.Clone(m.path)
	return func(cell []workspace.CellValue) (*Body, diag.List) {
		again := mapper{kind: kind, src: src, path: steps, cell: map[string]string{}}
		for _, v := range cell {
			again.cell[v.Key] = v.Value
		}
		b := &Body{path: path}
		again.fill(e, b)
		return b, again.diags
	}
}

// InCell is the body in a cell that its own matrix has, or that of a body which it completes or that completes it. A cell of nothing is one of
// no matrix. The list says what is wrong there.
func (b *Body) InCell(cell []workspace.CellValue) (*Body, diag.List) {
	for _, c := range b.Cells {
		if slices.Equal(c.Values, cell) {
			return c.Body, nil
		}
	}
	if b.again == nil {
		return b, nil
	}
	return b.again(cell)
}

// HasCells reports whether the body is another one in each cell.
func (b *Body) HasCells() bool { return b.again != nil }

const (
	cellMark = "${matrix."
	setsRule = "haz::cfg::060"
)

// cellText puts the values of the cell into a text of command, inputs, exclude or outputs, of a file or an override in env, or of tools (haz::cfg::135).
func (m *mapper) cellText(f *Field, t Text) (Text, bool) {
	switch f.Rule {
	case "haz::cfg::021", "haz::cfg::016", "haz::cfg::037", "haz::cfg::017", setsRule, "haz::cfg::045", "haz::cfg::033", "haz::cfg::050", "haz::cfg::051":
	default:
		return t, true
	}
	if !strings.Contains(t.Value, cellMark) {
		return t, true
	}
	m.marked = true
	var b strings.Builder
	rest := t.Value
	for {
		before, after, more := strings.Cut(rest, cellMark)
		b.WriteString(before)
		if !more {
			break
		}
		key, behind, closed := strings.Cut(after, "}")
		value, known := m.cell[key]
		if m.anyCell && closed {
			value, known = "x", true
		}
		if !closed || !known {
			return t, m.noSuchKey(f, t, key, closed)
		}
		b.WriteString(value)
		rest = behind
	}
	t.Value = b.String()
	return t, true
}

func (m *mapper) noSuchKey(f *Field, t Text, key string, closed bool) bool {
	message, hint := "there is no "+diag.QuoteShort("matrix."+key), ""
	switch keys := slices.Sorted(maps.Keys(m.cell)); {
	case !closed:
		message = `the "${" is not closed`
	case f.Rule == setsRule:
		message += ": a set of files is that of many tasks"
		hint = "write it into the inputs of the task"
	case m.inDefaults():
		message += ": defaults hold for tasks without a matrix, too"
	case len(keys) == 0:
		message += ": the task has no matrix"
		hint = matrixHint
	case diag.Nearest(key, keys) != "":
		hint = diag.DidYouMean(cellMark + diag.Nearest(key, keys) + "}")
	default:
		hint = "the matrix has " + orList(keys, "and")
	}
	m.add(f.Rule, t.Span, message, hint)
	return false
}

// cellsInScript refuses in a script what a shell would stumble over: there the values are variables.
func (m *mapper) cellsInScript(b *Body) {
	_, after, found := strings.Cut(b.Shell.Value, cellMark)
	if !found {
		return
	}
	key, _, _ := strings.Cut(after, "}")
	hint := ""
	if workspace.CheckEnvName(key) == nil {
		hint = "write $" + workspace.CellVariable(key)
	}
	m.add("haz::cfg::092", b.Shell.Span, "in a script the values of a matrix are variables, and "+diag.QuoteShort(cellMark+key+"}")+" is none", hint)
}
