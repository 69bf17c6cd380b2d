package outputs

import (
	"context"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/glob"
)

// Snapshot is the stat of everything that matched the output patterns before the spawn. A nil one is that of a tree in
// which nothing matched.
type Snapshot struct {
	seen   []seen   // sorted by path
	hidden []string // what could have hidden a match
}

type seen struct {
	path string
	info fsys.Info
}

// TakeSnapshot looks at everything that matches. It reads no file. The error is that of the walk, or ctx.Err().
func TakeSnapshot(ctx context.Context, fs fsys.FS, patterns []glob.Pattern) (*Snapshot, error) {
	s := &Snapshot{}
	if len(patterns) == 0 {
		return s, ctx.Err()
	}
	found, err := glob.NewTree(fs).Outputs(ctx, patterns)
	if err != nil {
		return nil, walkError(ctx, err)
	}
	s.hidden = found.Hidden
	if len(found.Matches) > 0 {
		s.seen = make([]seen, len(found.Matches))
		for i := range found.Matches {
			s.seen[i] = seen{found.Matches[i].Path, found.Matches[i].Info}
		}
	}
	return s, nil
}

// unchanged reports whether path looked the same when the snapshot was taken: kind, inode, size, mtime and ctime.
func (s *Snapshot) unchanged(path string, now fsys.Info) bool {
	if s == nil {
		return false
	}
	i, ok := slices.BinarySearchFunc(s.seen, path, func(e seen, p string) int { return strings.Compare(e.path, p) })
	return ok && s.seen[i].info.Same(now)
}

// hiddenBefore lists what could have hidden a match from the snapshot: what was behind it would count as new.
func (s *Snapshot) hiddenBefore() []string {
	if s == nil {
		return nil
	}
	return s.hidden
}

// Written lists what an execution that failed, was cancelled or was not stored was seen to write, without digests (8.2),
// sorted by path. What cannot be looked at is left out.
func Written(ctx context.Context, fs fsys.FS, patterns []glob.Pattern, before *Snapshot) []state.Produced {
	if len(patterns) == 0 {
		return nil
	}
	found, err := glob.NewTree(fs).Outputs(ctx, patterns)
	if err != nil {
		return nil
	}
	var wrote []state.Produced
	for i := range found.Matches {
		m := &found.Matches[i]
		if !isOutput(m) || before.unchanged(m.Path, m.Info) {
			continue
		}
		wrote = append(wrote, state.Produced{Path: m.Path, Info: m.Info, LinkText: m.LinkText})
	}
	return wrote
}

// isOutput reports whether the match is of a kind that can be an output.
func isOutput(m *glob.Match) bool {
	return m.Info.Kind == fsys.File || m.Info.Kind == fsys.Link || m.Info.Kind == fsys.Dir && m.Empty
}
