package outputs

import (
	"context"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
)

// Snapshot is the stat of everything that matched the output patterns before the spawn. A nil one is that of a tree in
// which nothing matched.
type Snapshot struct {
	seen    []seen   // sorted by path
	folders []seen   // directories on the way to what could match; sorted by path
	git     []seen   // things called ".git" that were there and are none of the task's; sorted by path
	hidden  []string // what could have hidden a match
	at      int64    // the time of the file system, or 0
}

type seen struct {
	path   string
	info   fsys.Info
	target fsys.Info // of a link: what it led to
}

// Owner is what a snapshot has to know besides the tree.
type Owner struct {
	Tree *tree.Tree // as in Request
	// Below reports whether the task's product list lists path or anything below it; nil: it lists nothing.
	Below func(path string) bool
	// Now is the time of the file system; nil: unknown.
	Now func() int64
}

// TakeSnapshot looks at everything that matches. It reads no file. The error is that of the walk, or ctx.Err().
func TakeSnapshot(ctx context.Context, fs fsys.FS, patterns []pattern.Pattern, o Owner) (*Snapshot, error) {
	s := &Snapshot{}
	if len(patterns) == 0 {
		return s, ctx.Err()
	}
	ours := func(path string, _ fsys.Info) bool { return o.Below != nil && o.Below(path) }
	found, err := tree.New(fs).WithOwnOf(o.Tree).OutputsAndGit(ctx, patterns, ours)
	if err != nil {
		return nil, walkError(ctx, err)
	}
	s.hidden = found.Hidden
	s.seen, s.git = seenOf(found.Matches), seenOf(found.Git)
	if len(found.Specials) > 0 {
		s.seen = append(s.seen, seenOf(found.Specials)...)
		slices.SortFunc(s.seen, func(a, b seen) int { return strings.Compare(a.path, b.path) })
	}
	if len(found.Folders) > 0 {
		s.folders = make([]seen, len(found.Folders))
		for i, f := range found.Folders {
			s.folders[i] = seen{path: f.Path, info: f.Info}
		}
	}
	if o.Now != nil {
		s.at = o.Now()
	}
	return s, nil
}

func seenOf(matches []tree.Match) []seen {
	if len(matches) == 0 {
		return nil
	}
	list := make([]seen, len(matches))
	for i := range matches {
		list[i] = seen{matches[i].Path, matches[i].Info, matches[i].Target}
	}
	return list
}

func findSeen(list []seen, path string) *seen {
	i, ok := slices.BinarySearchFunc(list, path, func(e seen, p string) int { return strings.Compare(e.path, p) })
	if !ok {
		return nil
	}
	return &list[i]
}

// find is what was seen at path, nil when nothing was.
func (s *Snapshot) find(path string) *seen {
	if s == nil {
		return nil
	}
	return findSeen(s.seen, path)
}

// folder is the directory that was seen at path, nil when there was none.
func (s *Snapshot) folder(path string) *fsys.Info {
	if s == nil {
		return nil
	}
	was := findSeen(s.folders, path)
	if was == nil {
		was = findSeen(s.seen, path) // empty at that time
	}
	if was == nil || was.info.Kind != fsys.Dir {
		return nil
	}
	return &was.info
}

// gitState is what became of a thing called ".git".
type gitState uint8

const (
	gitNew     gitState = iota // it was not there before
	gitSame                    // it is as it was
	gitChanged                 // it is there since before, and changed
)

func (s *Snapshot) gitState(path string, now fsys.Info) gitState {
	if s == nil {
		return gitNew
	}
	switch was := findSeen(s.git, path); {
	case was == nil || was.info.Kind != now.Kind || was.info.Inode != now.Inode || was.info.Dev != now.Dev:
		return gitNew
	case was.info.Same(now):
		return gitSame
	}
	return gitChanged
}

// unchanged reports whether path looked the same when the snapshot was taken: kind, inode, size, mtime and ctime.
func (s *Snapshot) unchanged(path string, now fsys.Info) bool {
	was := s.find(path)
	return was != nil && was.info.Same(now)
}

// has reports whether something lay at path when the snapshot was taken.
func (s *Snapshot) has(path string) bool { return s.find(path) != nil }

// Found lists what lay there when the snapshot was taken, but what is known to be the task's or a source.
func (s *Snapshot) Found(known func(path string) bool) []state.Produced {
	var found []state.Produced
	for _, e := range s.seen {
		if !known(e.path) {
			found = append(found, state.Produced{Path: e.path, Info: e.info, Found: true})
		}
	}
	return found
}

// Suspects lists what matches the output patterns and may have been half written by an execution of whose end nobody knows:
// all but what the product list, which says what there was when it began, has as found, and sources.
func Suspects(ctx context.Context, fs fsys.FS, patterns []pattern.Pattern, began *state.Products, source func(path string) bool) ([]string, error) {
	found, err := tree.New(fs).Outputs(ctx, patterns)
	if err != nil {
		return nil, walkError(ctx, err)
	}
	var list []string
	for i := range found.Matches {
		m := &found.Matches[i]
		if p, ok := began.Find(m.Path); isOutput(m) && !(ok && p.Found) && !source(m.Path) {
			list = append(list, m.Path)
		}
	}
	return list, nil
}

// hiddenBefore lists what could have hidden a match from the snapshot: what was behind it would count as new.
func (s *Snapshot) hiddenBefore() []string {
	if s == nil {
		return nil
	}
	return s.hidden
}

// Written lists what an execution that failed, was cancelled or was not stored was seen to write, without digests (8.2),
// sorted by path. What cannot be looked at is left out, and so are sources. own reports what was the task's before.
func Written(ctx context.Context, fs fsys.FS, patterns []pattern.Pattern, before *Snapshot, own, source func(path string) bool) []state.Produced {
	if len(patterns) == 0 {
		return nil
	}
	isNew := func(path string, now fsys.Info) bool { return before.gitState(path, now) == gitNew }
	found, err := tree.New(fs).OutputsAndGit(ctx, patterns, isNew)
	if err != nil {
		return nil
	}
	var wrote []state.Produced
	all := append(found.Matches, found.Specials...)
	slices.SortFunc(all, func(a, b tree.Match) int { return strings.Compare(a.Path, b.Path) })
	for i := range all {
		m := &all[i]
		if !isOutput(m) && m.Info.Kind != fsys.Special || before.unchanged(m.Path, m.Info) || source(m.Path) {
			continue
		}
		wrote = append(wrote, state.Produced{Path: m.Path, Info: m.Info, LinkText: m.LinkText, Found: before.has(m.Path) && !own(m.Path)})
	}
	return wrote
}

// isOutput reports whether the match is of a kind that can be an output.
func isOutput(m *tree.Match) bool {
	return m.Info.Kind == fsys.File || m.Info.Kind == fsys.Link || m.Info.Kind == fsys.Dir && m.Empty
}
