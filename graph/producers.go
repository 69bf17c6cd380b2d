package graph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// patterns finds tasks by their declared patterns. An id of an index is a position in the list beside it.
type patterns struct {
	inputs, outputs *pattern.Index
	input, output   []declared // by task, then position in the task's list
	globOutputs     bool
}

// patterns are those of all tasks.
func (g *Graph) patterns() *patterns {
	g.indexed.Do(func() { g.index = index(g.W.Tasks) })
	return &g.index
}

// declared is one pattern of a task.
type declared struct{ task, at int32 }

func index(tasks []*workspace.Task) patterns {
	p := patterns{inputs: pattern.NewIndex(), outputs: pattern.NewIndex()}
	for i, t := range tasks {
		for at, in := range t.Inputs {
			p.inputs.Add(len(p.input), in.Pattern)
			p.input = append(p.input, declared{int32(i), int32(at)})
		}
		for at, out := range t.Outputs {
			p.outputs.Add(len(p.output), out.Pattern)
			p.output = append(p.output, declared{int32(i), int32(at)})
			p.globOutputs = p.globOutputs || !out.Pattern.IsLiteral()
		}
	}
	return p
}

// Reader is a task that reads a path; Input is a position in its Inputs.
type Reader struct{ Task, Input int }

// Readers returns the tasks that read a path (EXEC-019), sorted: those with a literal input that is the path, or a glob that
// matches it while no exclude does. Input is the first that makes the task read it.
func (g *Graph) Readers(path string) []Reader {
	var readers []Reader
	g.reading(path, func(in declared) {
		if n := len(readers); n == 0 || readers[n-1].Task != int(in.task) {
			readers = append(readers, Reader{Task: int(in.task), Input: int(in.at)})
		}
	})
	return readers
}

// ReadersBeside are the Readers of an output of a task to which no edge leads from it; the task itself is none.
func (g *Graph) ReadersBeside(task int, path string) []Reader {
	if g.known && !strings.Contains(path, "/"+pattern.GitName) {
		if _, may := slices.BinarySearch(g.besides, int32(task)); !may {
			return nil
		}
	}
	return slices.DeleteFunc(g.Readers(path), func(r Reader) bool { return r.Task == task || g.leadsTo(task, r.Task) })
}

func (g *Graph) leadsTo(up, down int) bool {
	_, found := slices.BinarySearchFunc(g.Down[up], down, func(e Edge, t int) int { return cmp.Compare(e.Task, t) })
	return found
}

// readBeside lists the tasks of which ReadersBeside may have an answer for a path that they may make, sorted. It is asked generously: of a literal nobody
// knows whether it is a folder. What is called .git it leaves out: an output may be that where no wildcard of an input matches it.
func (g *Graph) readBeside() (list []int32) {
	p := g.patterns()
	beside := make([]bool, len(g.W.Tasks))
	meet := func(up, down int32) {
		beside[up] = beside[up] || up != down && !g.leadsTo(int(up), int(down))
	}
	for _, in := range p.input {
		if read := g.W.Tasks[in.task].Inputs[in.at].Pattern; read.IsLiteral() {
			asFolder(p.outputs, read, func(id int) { meet(p.output[id].task, in.task) })
		}
	}
	for _, out := range p.output {
		visit := func(id int) { meet(out.task, p.input[id].task) }
		if made := g.W.Tasks[out.task].Outputs[out.at].Pattern; made.IsLiteral() {
			asFolder(p.inputs, made, visit)
		} else {
			p.inputs.Overlapping(made, visit)
		}
	}
	for t := range beside {
		if beside[t] {
			list = append(list, int32(t))
		}
	}
	return list
}

// asFolder visits what has to do with a literal, be it a file or a folder.
func asFolder(x *pattern.Index, literal pattern.Pattern, visit func(id int)) {
	x.Touching(literal.Path(), visit)
	x.Overlapping(literal.Inside(), visit)
}

// reading visits the inputs by which tasks read a path, by task and position.
func (g *Graph) reading(path string, visit func(in declared)) {
	excluding, excluded := int32(-1), false // the answer for the task of the last glob
	g.patterns().inputs.Matching(path, func(id int) {
		in := g.patterns().input[id]
		t := g.W.Tasks[in.task]
		if p := t.Inputs[in.at].Pattern; len(t.Exclude) > 0 && !(p.IsLiteral() && p.Path() == path) {
			if excluding != in.task {
				excluding, excluded = in.task, workspace.MatchAny(t.Exclude, path)
			}
			if excluded {
				return
			}
		}
		visit(in)
	})
}

// fedBy visits the inputs that a literal output at path feeds, by task and position, whether it is a file or a folder (PATH-022):
// those that match the path, and those that select only what lies below it.
func (g *Graph) fedBy(path string, visit func(in declared)) {
	g.patterns().inputs.Touching(path, func(id int) {
		in := g.patterns().input[id]
		t := g.W.Tasks[in.task]
		p := t.Inputs[in.at].Pattern
		below := pattern.IsBelow(p.Path(), path)
		if p.TakesAway(path) && !below {
			return
		}
		if !(p.IsLiteral() && (below || p.Path() == path)) && slices.ContainsFunc(t.Exclude, func(x workspace.PatternDecl) bool {
			return x.Pattern.Match(path) || x.Pattern.CoversAllBelow(path)
		}) {
			return
		}
		visit(in)
	})
}

// Writers returns the tasks one of whose output patterns matches path, sorted.
func (g *Graph) Writers(path string) []int {
	var writers []int
	g.patterns().outputs.Matching(path, func(id int) { writers = appendNew(writers, int(g.patterns().output[id].task)) })
	return writers
}

// InputsMeeting returns the tasks with an input pattern that has a path in common with the anchored pattern p, sorted;
// exclude does not count (QRY-003).
func (g *Graph) InputsMeeting(p pattern.Pattern) []int {
	var tasks []int
	g.patterns().inputs.Overlapping(p, func(id int) { tasks = appendNew(tasks, int(g.patterns().input[id].task)) })
	return tasks
}

// OutputsMeeting is InputsMeeting for outputs.
func (g *Graph) OutputsMeeting(p pattern.Pattern) []int {
	var tasks []int
	g.patterns().outputs.Overlapping(p, func(id int) { tasks = appendNew(tasks, int(g.patterns().output[id].task)) })
	return tasks
}

// appendNew appends what comes in ascending order, each once.
func appendNew(list []int, i int) []int {
	if n := len(list); n > 0 && list[n-1] == i {
		return list
	}
	return append(list, i)
}

// producers makes the producer edges (DAG-013): literal outputs against all inputs, and glob outputs against literal inputs.
// Two globs never make one, nor do a folder and a glob that only could select something in it.
func (b *builder) producers(literals []literalOutput) {
	g := b.g
	var found []rawEdge
	for _, o := range literals {
		g.fedBy(o.path, func(in declared) {
			glob := !g.W.Tasks[in.task].Inputs[in.at].Pattern.IsLiteral()
			read := g.W.Tasks[in.task].Inputs[in.at].Pattern
			for _, out := range o.outputs {
				if g.W.Tasks[out.task].Outputs[out.at].Pattern.TakesAway(read.Path()) {
					continue
				}
				if glob && g.W.Tasks[out.task].Outputs[out.at].Pattern.IsFolder() && !pattern.IsOrBelow(read.Path(), o.path) {
					continue // the glob selects the folder, but only if it is empty
				}
				found = append(found, rawEdge{up: out.task, down: in.task, output: out.at, input: in.at, kind: Producer, globInput: glob})
			}
		})
	}
	if g.patterns().globOutputs {
		for _, in := range g.patterns().input {
			p := g.W.Tasks[in.task].Inputs[in.at].Pattern
			if !p.IsLiteral() {
				continue
			}
			g.patterns().outputs.Touching(p.Path(), func(id int) {
				out := g.patterns().output[id]
				if !g.W.Tasks[out.task].Outputs[out.at].Pattern.IsLiteral() {
					found = append(found, rawEdge{up: out.task, down: in.task, output: out.at, input: in.at, kind: Producer})
				}
			})
		}
	}
	slices.SortFunc(found, func(x, y rawEdge) int {
		return cmp.Or(cmp.Compare(x.down, y.down), cmp.Compare(x.up, y.up), compareBool(x.globInput, y.globInput),
			cmp.Compare(x.output, y.output), cmp.Compare(x.input, y.input))
	})
	found = slices.CompactFunc(found, func(x, y rawEdge) bool { return x.down == y.down && x.up == y.up })
	b.edges = append(b.edges, found...)
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}
