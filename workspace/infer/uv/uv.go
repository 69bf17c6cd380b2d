// Package uv finds the Python projects of a uv workspace, and which of them uses which, by pyproject.toml, without uv (haz::cfg::107).
package uv

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/toml"
)

const manifestFile = "pyproject.toml"

// Reader is the infer.Reader of Python.
type Reader struct{}

// Name is "uv".
func (Reader) Name() string { return "uv" }

// Reads reports whether a name is that of a manifest.
func (Reader) Reads(name string) bool { return path.Base(name) == manifestFile }

// Read finds projects. It reads pyproject.toml in the root of the workspace, and those of the members and of all folders that path
// sources lead to.
func (Reader) Read(ctx context.Context, d *infer.Disk) infer.Found {
	w := &world{ctx: ctx, d: d, projects: map[string]*project{}, byName: map[string]*project{}, ways: infer.NewWays(d)}
	w.root = w.read("/")
	if w.root == nil {
		return infer.Found{}
	}
	w.projects["/"] = w.root
	level := append(w.members(), w.root)
	for _, p := range level {
		if p.name != "" && w.byName[p.name] == nil {
			p.member, w.byName[p.name] = true, p
		}
	}
	w.root.sources() // which all members read
	for len(level) > 0 && ctx.Err() == nil {
		parallel.Each(ctx, len(level), func(i int) { w.resolve(level[i]) })
		var next []string
		for _, p := range level {
			for _, u := range p.uses {
				next = append(next, u.dir)
			}
		}
		level = infer.ReadNew(ctx, w.projects, next, w.read)
	}
	return w.found()
}

// world is what one Read knows.
type world struct {
	ctx      context.Context
	d        *infer.Disk
	ways     *infer.Ways
	root     *project
	projects map[string]*project // by folder
	byName   map[string]*project // members of the workspace
}

// project is a folder with a pyproject.toml.
type project struct {
	dir      string
	name     string // normalized
	text     *infer.Text
	doc      *toml.Value
	broken   bool                   // what follows a mistake in doc is not known
	member   bool                   // of the workspace
	bySource map[string]*toml.Value // its sources, once asked for
	uses     []use
	mistakes diag.List
}

// use is a dependency in a folder of the workspace.
type use struct {
	dir  string
	kind string
	at   *toml.Value
}

func (w *world) read(dir string) *project {
	name := path.Join(dir, manifestFile)
	text, bad := w.d.Manifest(name)
	switch {
	case bad != nil:
		return &project{dir: dir, text: infer.NewText(name, ""), broken: true, mistakes: diag.List{*bad}}
	case text == nil:
		return nil
	}
	p := &project{dir: dir, text: text}
	p.doc, p.mistakes = toml.Parse(text)
	p.broken = len(p.mistakes) > 0
	about := p.doc.Get("project")
	written, ok := about.Get("name").Text()
	if about != nil && !ok && !p.broken {
		p.mistakes = append(p.mistakes, about.Mistake(text, "the project has no name, a string"))
	}
	p.name = normalized(written)
	return p
}

// isProject reports whether the manifest is of a project, or may be: others hold settings of tools, or list members.
func (p *project) isProject() bool {
	return p.doc.Get("project") != nil || p.broken && p.doc.Get("tool", "uv", "workspace") == nil
}

// inWorkspace reports whether a project that is listed is a member: uv leaves out those that are not managed.
func (p *project) inWorkspace() bool {
	managed := p.doc.Get("tool", "uv", "managed")
	return managed == nil || managed.True()
}

// members reads the members that the root lists.
func (w *world) members() []*project {
	ws := w.root.doc.Get("tool", "uv", "workspace")
	var m infer.Members
	var at []*toml.Value // of each glob
	for _, e := range w.root.texts(ws.Get("members")) {
		text, _ := e.Text()
		if clean := path.Clean(text); path.IsAbs(text) || clean == ".." || strings.HasPrefix(clean, "../") {
			continue // out of the workspace
		}
		g, err := infer.NewGlob("/", text, manifestFile, true)
		if err != nil {
			w.root.mistakes = append(w.root.mistakes, e.Mistake(w.root.text, fmt.Sprintf("the member %s cannot be read: %v", diag.QuoteShort(text), err)))
			continue
		}
		m.Take, at = append(m.Take, g), append(at, e)
	}
	leave := w.excluded(ws)
	filled := make([]bool, len(m.Take))
	listed := map[string]*toml.Value{}
	var dirs []string
	for _, f := range w.d.Folders(w.ctx, m) {
		for _, i := range f.Globs {
			filled[i] = true
		}
		if !slices.ContainsFunc(leave, func(x exclusion) bool { return x.matches(f.Dir[1:]) }) {
			dirs, listed[f.Dir] = append(dirs, f.Dir), at[f.Globs[0]]
		}
	}
	w.ways.Know(dirs)
	read := infer.ReadNew(w.ctx, w.projects, slices.Clone(dirs), w.read)
	for _, dir := range dirs {
		switch p := w.projects[dir]; {
		case w.ctx.Err() != nil:
		case p != nil && p != w.root && !p.inWorkspace():
			delete(w.projects, dir) // but for one that a source leads to
		case p == nil && !w.leftover(dir):
			w.missing(listed[dir], fmt.Sprintf("the member %s has no pyproject.toml", diag.Quote(dir[1:])))
		case p != nil && p != w.root && !p.isProject():
			w.missing(listed[dir], fmt.Sprintf("the member %s is no project: its pyproject.toml has no table \"project\"", diag.Quote(dir[1:])))
		}
	}
	for i, f := range filled {
		if !f {
			text, _ := at[i].Text()
			w.missing(at[i], fmt.Sprintf("the member %s is nowhere", diag.QuoteShort(text)))
		}
	}
	return slices.DeleteFunc(read, func(p *project) bool { return w.projects[p.dir] == nil })
}

func (w *world) missing(at *toml.Value, message string) {
	w.root.mistakes = append(w.root.mistakes, diag.Diagnostic{Severity: diag.Warning, Code: infer.RuleMember, Place: at.Place(w.root.text), Message: message})
}

// leftover reports whether a folder holds nothing that people write, so that uv takes it for the rest of a member that is gone.
func (w *world) leftover(dir string) bool {
	if path.Base(dir)[0] == '.' {
		return true
	}
	for _, e := range w.d.List(dir) {
		if e.Name[0] != '.' && e.Name != "__pycache__" {
			return false
		}
	}
	return true
}

// texts are the strings of a list, in which tables may be. All else is a mistake of the manifest.
func (p *project) texts(v *toml.Value) []*toml.Value {
	texts, mistakes := v.Texts(p.text, true)
	p.mistakes = append(p.mistakes, mistakes...)
	return texts
}

// isProgram reports whether a project is started, not imported: it has scripts, or uv does not build it.
func (p *project) isProgram() bool {
	about, tool := p.doc.Get("project"), p.doc.Get("tool", "uv", "package")
	for _, key := range []string{"scripts", "gui-scripts"} {
		for range about.Get(key).Fields() {
			return true
		}
	}
	if tool != nil {
		return !tool.True()
	}
	return p.doc.Get("build-system") == nil
}

func (w *world) found() infer.Found {
	list := infer.Sorted(w.projects)
	parts := make([]infer.Found, len(list))
	parallel.Each(w.ctx, len(list), func(i int) { parts[i] = w.about(list[i]) })
	all := infer.Joined(parts)
	if len(all.Projects) > 0 { // the lock file lists what its members depend on; they have one environment, which has the programs of the root
		lock := infer.LockOf("/uv.lock", all.Projects)
		lock.Climbs = true
		all.Locks = []infer.Lock{lock}
	}
	return all
}

// about is what one manifest says.
func (w *world) about(p *project) infer.Found {
	f := infer.Found{Mistakes: p.mistakes}
	if !p.isProject() {
		return f
	}
	one := infer.Project{Reader: "uv", Dir: p.dir, Name: p.name, Manifest: p.text.Name, Place: p.text.Place(0, 0), Tags: []string{"lib", "python"}}
	if p.isProgram() {
		one.Tags = []string{"app", "python"}
	}
	if name := p.doc.Get("project", "name"); name != nil {
		one.Place = name.Place(p.text)
	}
	f.Projects = []infer.Project{one}
	for _, u := range p.uses {
		if to := w.projects[u.dir]; to != nil && to.isProject() {
			f.Edges = append(f.Edges, infer.Edge{From: p.dir, To: u.dir, Kind: u.kind, Place: u.at.Place(p.text)})
		}
	}
	return f
}
