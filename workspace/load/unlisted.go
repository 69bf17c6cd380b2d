package load

import (
	"path"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// noteUnlisted says which haz.yml are without effect, since no entry lists their folders (haz::cfg::077). It looks where such a file is likely to stand
// and no more, so that it costs no walk: on the way from where haz stands up to the root, and in each folder that lies beside that of a project, or
// right below the root. Where it was asked to, it looks everywhere.
func (l *loader) noteUnlisted() {
	known := map[string]bool{"/": true}
	parents := map[string]bool{"/": true}
	for _, dir := range l.dirs {
		known[dir] = true
		if dir != "/" {
			parents[path.Dir(dir)] = true
		}
	}
	var found []string
	look := func(dir string) {
		if !known[dir] {
			known[dir] = true
			if hasProject(l.fs, dir) && !l.ownWorkspace(dir) {
				found = append(found, dir)
			}
		}
	}
	onTheWay(l.ws, l.host, l.start, look)
	for parent := range parents {
		if l.ctx.Err() != nil {
			return
		}
		entries, _ := l.fs.List(parent) // trouble with it is told of what is listed in it
		for _, e := range entries {
			if dir := path.Join(parent, e.Name); e.Kind == fsys.Dir && dir != layout.Dir && e.Name != markerGit {
				look(dir)
			}
		}
	}
	if l.o.Everywhere {
		for _, dir := range l.everywhere() {
			look(dir)
		}
	}
	slices.Sort(found)
	for _, dir := range found {
		l.note(diag.Diagnostic{Code: "haz::cfg::077", Place: diag.Place{File: inside(path.Join(dir, layout.ProjectFile))},
			Message: "this file is not read: no entry of `projects` in " + workspaceFile + " selects its folder",
			Hint:    "to make it a project, list it: projects: [..., " + diag.Escape(dir) + "]"})
	}
}

// onTheWay visits the folders from where haz was started up to the root, without that.
func onTheWay(w *workspace.Workspace, host fsys.FS, start string, visit func(dir string)) {
	for at := Inside(w, host, start); at != "" && at != "/" && !pattern.IsOrBelow(at, layout.Dir); at = path.Dir(at) {
		visit(at)
	}
}

// Plain reports whether it makes no difference for a workspace that haz was started where it was: no folder on the way from there up to the
// root has a haz.yml that is of no project.
func (f *Found) Plain(w *workspace.Workspace) bool {
	var dirs []string
	onTheWay(w, f.host, f.start, func(dir string) { dirs = append(dirs, dir) })
	return !slices.ContainsFunc(dirs, func(dir string) bool {
		return !slices.ContainsFunc(w.Projects, func(p *workspace.Project) bool { return p.Dir == dir }) && hasProject(f.FS, dir)
	})
}

// unlistedMost is how many folders everywhere looks into.
const unlistedMost = 100_000

// everywhere are the folders of the workspace with a haz.yml in them (haz::cfg::137). Hidden folders, node_modules, links and other workspaces are not entered.
func (l *loader) everywhere() []string {
	var found []string
	for level, seen := []string{"/"}, 0; len(level) > 0 && seen < unlistedMost && l.ctx.Err() == nil; {
		seen += len(level)
		below, has := make([][]string, len(level)), make([]bool, len(level))
		parallel.Each(l.ctx, len(level), func(i int) {
			entries, _ := l.fs.List(level[i]) // what cannot be read is told where something needs it
			for _, e := range entries {
				switch {
				case level[i] != "/" && (e.Name == layout.Name || e.Name == markerGit):
					below[i], has[i] = nil, false
					return
				case e.Name == layout.ProjectFile:
					has[i] = true
				case e.Kind == fsys.Dir && e.Name[0] != '.' && e.Name != "node_modules":
					below[i] = append(below[i], path.Join(level[i], e.Name))
				}
			}
		})
		for i, dir := range level {
			if has[i] {
				found = append(found, dir)
			}
		}
		level = slices.Concat(below...)
	}
	return found
}

// ownWorkspace reports whether a folder, or one above it below the root, is a workspace of its own, whose projects are no business of this one.
func (l *loader) ownWorkspace(dir string) bool {
	for ; dir != "/"; dir = path.Dir(dir) {
		if exists(l.fs, path.Join(dir, layout.Name)) || exists(l.fs, path.Join(dir, markerGit)) || l.leftOut[dir] {
			return true
		}
	}
	return false
}
