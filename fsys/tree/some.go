package tree

import (
	"context"
	"errors"
	"slices"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// errEnough ends a walk that has found what was asked for.
var errEnough = errors.New("enough")

// Some lists paths that a pattern selects as an input, sorted, at most so many: which of more is not told. Links to directories
// that were entered on the way do not count. Trouble on the way ends the search like the end of the tree: an answer is true, and
// none proves nothing.
func (t *Tree) Some(ctx context.Context, p pattern.Pattern, exclude []pattern.Pattern, most int) []string {
	switch {
	case p.IsZero():
		return nil
	case p.Program() == nil:
		m, ok, err := t.look(p.Path())
		if !ok || err != nil || t.hides(p.Path()) || p.IsFolder() && m.Info.Kind != fsys.Dir && m.Target.Kind != fsys.Dir {
			return nil
		}
		return []string{p.Path()}
	}
	m := &matches{}
	w := &inputWalk{walker: walker{ctx: ctx, tree: t, glob: p.Program(), found: m, exclude: without(exclude, p), self: p}, most: most}
	_ = w.run(p.Path())
	var paths []string
	for i := range m.list {
		if !m.list[i].Entered {
			paths = append(paths, m.list[i].Path)
		}
	}
	slices.Sort(paths)
	return paths
}
