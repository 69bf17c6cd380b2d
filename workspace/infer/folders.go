package infer

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// Members says which folders belong to a workspace.
type Members struct {
	Take, Leave []Glob
	Skip        []string // names of folders that wildcards do not enter, beside ".git" and haz's own
}

// Folder is one that Members take. The file that it is taken for may be missing: whoever reads it sees that.
type Folder struct {
	Dir   string // workspace-absolute, without links
	Globs []int  // which of Take name it, ascending
}

// Folders are those that the globs name, sorted, each once, be it by several globs or links. Wildcards look at directories and links to
// directories; a name without wildcards costs no look at its directory.
func (d *Disk) Folders(ctx context.Context, m Members) []Folder {
	w := walk{ctx: ctx, disk: d, members: m, lists: map[string][]fsys.Entry{}, reals: newReals(d), found: map[string]int{}}
	for i, g := range m.Take {
		w.glob, w.hidden = i, g.hidden
		for _, p := range g.alternatives {
			d.look(p.String())
			if p.IsLiteral() {
				w.take(p.Path())
				continue
			}
			if real := w.reals.of(p.Path()); real != "" {
				w.visit(p.Path(), p.Program(), p.Program().Begin(), []string{real})
			}
		}
	}
	slices.SortFunc(w.folders, func(a, b Folder) int { return strings.Compare(a.Dir, b.Dir) })
	return w.folders
}

// walk is one call of Folders.
type walk struct {
	ctx     context.Context
	disk    *Disk
	members Members
	lists   map[string][]fsys.Entry // by real directory
	reals   *reals

	glob    int // what is being walked for
	hidden  bool
	folders []Folder
	found   map[string]int // by directory: index in folders
}

// visit goes on below the directory dir, whose path may have links; above are the real directories on the way to it.
func (w *walk) visit(dir string, g *pattern.Program, at []int32, above []string) {
	if w.ctx.Err() != nil {
		return
	}
	if names, few := g.Names(at); few {
		for _, name := range names {
			if next, end := g.Step(at, name, false); end {
				w.take(path.Join(dir, name))
			} else if real := w.reals.of(path.Join(dir, name)); real != "" {
				w.visit(path.Join(dir, name), g, next, append(above, real))
			}
		}
		return
	}
	for _, e := range w.list(above[len(above)-1]) {
		next, end := g.Step(at, e.Name, e.Name[0] == '.' && !w.hidden)
		if end && e.Kind != fsys.Dir {
			w.take(path.Join(dir, e.Name))
		}
		if next == nil || e.Kind == fsys.File || e.Kind == fsys.Special || slices.Contains(w.members.Skip, e.Name) || e.Name == pattern.GitName {
			continue
		}
		child := path.Join(dir, e.Name)
		if e.Kind == fsys.Dir {
			w.reals.know(child, path.Join(above[len(above)-1], e.Name))
		}
		real := w.reals.of(child)
		if real == "" || pattern.Invisible(real) || e.Kind != fsys.Dir && slices.Contains(above, real) { // a link to what it lies in has no end
			continue
		}
		w.visit(child, g, next, append(above, real))
	}
}

// take takes the directory of a file that a glob names, unless another one leaves it.
func (w *walk) take(file string) {
	real := w.reals.of(path.Dir(file))
	if real == "" || slices.ContainsFunc(w.members.Leave, func(g Glob) bool { return g.Match(file) }) {
		return
	}
	at, there := w.found[real]
	if !there {
		at = len(w.folders)
		w.found[real] = at
		w.folders = append(w.folders, Folder{Dir: real})
	}
	if f := &w.folders[at]; len(f.Globs) == 0 || f.Globs[len(f.Globs)-1] != w.glob {
		f.Globs = append(f.Globs, w.glob)
	}
}

func (w *walk) list(real string) []fsys.Entry {
	entries, known := w.lists[real]
	if !known {
		entries = w.disk.List(real)
		w.lists[real] = entries
	}
	return entries
}
