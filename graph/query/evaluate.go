package query

import (
	"math/bits"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/workspace"
)

// set is a set of tasks, by position in the workspace.
type set []uint64

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }

func (s set) list() []int {
	var l []int
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			l = append(l, w*64+bits.TrailingZeros64(word))
		}
	}
	return l
}

type evaluator struct {
	g     *graph.Graph
	known map[key]set   // of atoms: a long expression asks the same again
	names map[key][]int // tasks by name, project and tag; made on first use
}

type key struct {
	kind atomKind
	text string
}

func newEvaluator(g *graph.Graph) *evaluator { return &evaluator{g: g, known: map[key]set{}} }

func (e *evaluator) empty() set { return make(set, (len(e.g.W.Tasks)+63)/64) }

// filter is the set of tasks that pass. Relations are over hard edges, and their target set is taken from all tasks.
func (e *evaluator) filter(f compiled) set {
	return e.related(f.option, e.expr(f.expr))
}

// related is the tasks that stand in a relation to those of a set; of an option that is no relation, the set.
func (e *evaluator) related(as Option, s set) set {
	switch as {
	case ChildOf:
		return e.neighbours(s, e.g.Down)
	case ParentOf:
		return e.neighbours(s, e.g.Up)
	case DependsOn:
		return e.beyond(s, true)
	case AncestorOf:
		return e.beyond(s, false)
	}
	return s
}

// neighbours are the direct ones, members of the target set among them.
func (e *evaluator) neighbours(targets set, edges [][]graph.Edge) set {
	out := e.empty()
	for _, t := range targets.list() {
		for _, edge := range edges[t] {
			if edge.Kind == graph.Hard {
				out.add(edge.Task)
			}
		}
	}
	return out
}

// beyond is the strict closure, without the target set.
func (e *evaluator) beyond(targets set, down bool) set {
	out := e.empty()
	for _, t := range e.g.HardClosure(targets.list(), down) {
		if !targets.has(t) {
			out.add(t)
		}
	}
	return out
}

// expr returns a set of its own, which the caller may change. Its recursion is as deep as parentheses nest.
func (e *evaluator) expr(n *node) set {
	var s set
	switch n.op {
	case opAtom:
		s = append(set(nil), e.atom(n.atom)...)
	case opRelation:
		s = e.related(n.as, e.expr(n.args[0]))
	default:
		s = e.expr(n.args[0])
		for _, a := range n.args[1:] {
			for i, w := range e.operand(a) {
				if n.op == opAnd {
					s[i] &= w
				} else {
					s[i] |= w
				}
			}
		}
	}
	if n.not {
		e.complement(s)
	}
	return s
}

// operand is expr for a set that the caller only reads: a plain atom needs no copy.
func (e *evaluator) operand(n *node) set {
	if n.op == opAtom && !n.not {
		return e.atom(n.atom)
	}
	return e.expr(n)
}

func (e *evaluator) complement(s set) {
	for i := range s {
		s[i] = ^s[i]
	}
	if rest := len(e.g.W.Tasks) % 64; rest != 0 {
		s[len(s)-1] &= 1<<rest - 1
	}
}

func (e *evaluator) atom(a atom) set {
	text := a.name
	if a.kind == byInput || a.kind == byOutput {
		text = a.pattern.String()
	}
	k := key{a.kind, text}
	s, found := e.known[k]
	if !found {
		s = e.empty()
		for _, t := range e.matching(a) {
			s.add(t)
		}
		e.known[k] = s
	}
	return s
}

func (e *evaluator) matching(a atom) []int {
	switch a.kind {
	case byInput:
		return e.g.InputsMeeting(a.pattern)
	case byOutput:
		return e.g.OutputsMeeting(a.pattern)
	case byField:
		return e.having(a.name)
	}
	if e.names == nil {
		e.names = map[key][]int{}
		for _, t := range e.g.W.Tasks {
			e.name(t, byTask, t.ID.Task)
			if family := t.ID.Family(); family != t.ID.Task { // which means all its cells (REF-009)
				e.name(t, byTask, family)
			}
			e.name(t, byProject, t.ID.Project)
			for _, tag := range t.Project.Tags {
				e.name(t, byTag, tag)
			}
		}
		for _, a := range e.g.W.Aliases {
			e.names[key{byProject, a.Name}] = e.names[key{byProject, a.Project.Name}]
		}
	}
	if !workspace.IsWild(a.name) {
		return e.names[key{a.kind, a.name}]
	}
	var found []int
	for k, tasks := range e.names {
		if k.kind == a.kind && workspace.MatchName(a.name, k.text) {
			found = append(found, tasks...) // some of them twice, as a cell and as one of its family: it is for a set
		}
	}
	return found
}

// having is the tasks of which a switch is true.
func (e *evaluator) having(word string) []int {
	q := Query{HasDeps: word == "deps", HasInputs: word == "inputs", HasOutputs: word == "outputs", Mutex: word == "mutex"}
	var found []int
	for _, t := range e.g.W.Tasks {
		if q.switches(t) {
			found = append(found, t.Index)
		}
	}
	return found
}

func (e *evaluator) name(t *workspace.Task, kind atomKind, name string) {
	k := key{kind, name}
	e.names[k] = append(e.names[k], t.Index)
}
