package workspace

import (
	"strings"

	"github.com/haz-build/haz/pattern"
)

// A task may read what it writes: a formatter has its sources among its inputs and among its outputs. Such files are sources.
// People edit them, so that nothing takes them away, and a cache hit never writes to them.

// ReadsItself reports whether some path may match both an input and an output pattern of the task.
func (t *Task) ReadsItself() bool {
	for i := range t.Outputs {
		for k := range t.Inputs {
			if overlap(t.Outputs[i].Pattern, t.Inputs[k].Pattern) {
				return true
			}
		}
	}
	return false
}

// overlap is pattern.Overlap, after a look at where the patterns begin: most have nothing in common there.
func overlap(a, b pattern.Pattern) bool {
	x, y := a.FixedPrefix(), b.FixedPrefix()
	if len(x) > len(y) {
		x, y = y, x
	}
	if x != "/" && (!strings.HasPrefix(y, x) || len(y) > len(x) && y[len(x)] != '/') {
		return false
	}
	return pattern.Overlap(a, b)
}

// IsSource reports whether an input pattern of the task matches path and no exclude does. A literal output is no source: the
// task says that it makes it.
func (t *Task) IsSource(path string) bool {
	for i := range t.Outputs {
		if p := t.Outputs[i].Pattern; p.IsLiteral() && p.Match(path) {
			return false
		}
	}
	return MatchAny(t.Inputs, path) && !MatchAny(t.Exclude, path)
}

// Writes reports whether an output pattern of the task matches path.
func (t *Task) Writes(path string) bool { return MatchAny(t.Outputs, path) }

// MatchAny reports whether one of the patterns matches path.
func MatchAny(ds []PatternDecl, path string) bool {
	for _, d := range ds {
		if d.Pattern.Match(path) {
			return true
		}
	}
	return false
}
