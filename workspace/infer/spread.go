package infer

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/parallel"
)

// ReadNew reads manifests of folders side by side. It leaves out folders that are known, and those of which read gives nil; all others
// become known. They are given in the order of their folders.
func ReadNew[M any](ctx context.Context, known map[string]*M, dirs []string, read func(dir string) *M) []*M {
	slices.Sort(dirs)
	dirs = slices.DeleteFunc(slices.Compact(dirs), func(dir string) bool { return known[dir] != nil })
	all := make([]*M, len(dirs))
	parallel.Each(ctx, len(dirs), func(i int) { all[i] = read(dirs[i]) })
	for i, m := range all {
		if m != nil {
			known[dirs[i]] = m
		}
	}
	return slices.DeleteFunc(all, func(m *M) bool { return m == nil })
}

// Sorted are manifests in the order of their folders.
func Sorted[M any](known map[string]*M) []*M {
	dirs := make([]string, 0, len(known))
	for dir := range known {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	list := make([]*M, len(dirs))
	for i, dir := range dirs {
		list[i] = known[dir]
	}
	return list
}

// Joined is what several manifests say, one after the other, the edges of each sorted: to sort them all together is little work then.
func Joined(parts []Found) Found {
	var all Found
	for _, f := range parts {
		slices.SortFunc(f.Edges, Edge.compare)
		all.Projects = append(all.Projects, f.Projects...)
		all.Edges = append(all.Edges, f.Edges...)
		all.Mistakes = append(all.Mistakes, f.Mistakes...)
	}
	return all
}

// Ways follows the relative paths that manifests name folders by. It is safe for concurrent use.
type Ways struct{ reals *reals }

// NewWays is of a disk.
func NewWays(d *Disk) *Ways { return &Ways{newReals(d)} }

// Know says that these are directories without links, which need no look.
func (w *Ways) Know(dirs []string) {
	for _, dir := range dirs {
		w.reals.know(dir, dir)
	}
}

// To is the directory, without links, that a path leads to from a directory; "" when there is none. inside says whether it stays in the
// workspace. Absolute paths do not.
func (w *Ways) To(from, text string) (dir string, inside bool) {
	if path.IsAbs(text) {
		return "", false
	}
	name := path.Join(strings.TrimPrefix(from, "/"), text)
	if name == ".." || strings.HasPrefix(name, "../") {
		return "", false
	}
	return w.reals.of(path.Join("/", name)), true
}
