package moving

import (
	"cmp"
	"context"
	"path"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/node"
)

// pkg is a package of a workspace of npm, pnpm, yarn or bun.
type pkg struct {
	infer.Project
	ours    string // its name in haz
	uses    []*pkg
	scripts []node.Field
	has     map[string]bool // scripts by name
	depends map[string]bool // packages by name, here or not
}

// packages are those of a workspace, by folder. The root is none of them where there are others, unless it is added.
type packages struct {
	all     []*pkg
	root    *pkg // nil: the root has no package.json
	alone   bool // the root is the only one
	byName  map[string]*pkg
	byDir   map[string]*pkg // the root too
	manager string
	found   infer.Found
}

// json reads a file; nil where there is none, or it is broken, which is noted.
func (s *source) json(name string) *node.Value {
	t, bad := s.disk.Manifest(name)
	var v *node.Value
	if bad == nil && t != nil {
		v, bad = node.ReadJSON(t)
	}
	if bad == nil && v != nil && !v.IsObject() {
		wrong := v.Mistake("an object")
		bad = &wrong
	}
	if bad != nil {
		s.bad(*bad)
		return nil
	}
	return v
}

// packages finds the packages, and who uses whom.
func (s *source) packages(ctx context.Context) *packages {
	found := infer.All(ctx, s.fs, node.Reader{})
	s.told(found.Mistakes)
	s.looked = found.Looked
	ps := &packages{byName: map[string]*pkg{}, found: found, manager: node.Manager(s.disk), alone: len(found.Projects) == 1 && found.Projects[0].Dir == "/"}
	s.members = ps
	byDir, names := map[string]*pkg{}, map[string]bool{}
	for _, f := range found.Projects {
		p := &pkg{Project: f, has: map[string]bool{}, depends: map[string]bool{}}
		byDir[f.Dir] = p
		s.scripts(p)
		if first := ps.byName[f.Name]; first != nil {
			s.bad(diag.Diagnostic{Place: f.Place, Message: "two packages are called " + diag.Quote(f.Name), Related: []diag.Related{{Place: first.Place, Label: "the other one is here"}}})
		} else if f.Name != "" {
			ps.byName[f.Name] = p
		}
		if f.Dir == "/" {
			ps.root = p
		}
		if f.Dir != "/" || ps.alone {
			ps.all = append(ps.all, p)
		}
	}
	named := ps.all
	if ps.root != nil && !ps.alone { // the last to be named: the others are called more often
		named = append(slices.Clone(ps.all), ps.root)
	}
	for _, p := range named { // names that are good as they are come first, so that nobody takes one of them
		if workspace.CheckProjectName(p.Name) == nil && !names[p.Name] {
			p.ours, names[p.Name] = p.Name, true
		}
	}
	for _, p := range named {
		if p.ours == "" {
			p.ours = ourName(p, names)
		}
	}
	ps.byDir = byDir
	for _, e := range found.Edges {
		if from, to := byDir[e.From], byDir[e.To]; to != ps.root && (len(from.uses) == 0 || from.uses[len(from.uses)-1] != to) {
			from.uses = append(from.uses, to)
		}
	}
	return ps
}

// ourName makes a name of one that is none here: without its scope, or with it where that is taken.
func ourName(p *pkg, names map[string]bool) string {
	short := cleanName(path.Base(p.Name))
	if p.Name == "" {
		short = cmp.Or(cleanName(path.Base(p.Dir)), "root")
	}
	if long := cleanName(p.Name); short == "" || names[short] && long != "" {
		short = long
	}
	return unusedName(short, names)
}

// scripts reads those of a package, and the names of what it depends on. What else is wrong with the manifest was told already.
func (s *source) scripts(p *pkg) {
	t, _ := s.disk.Manifest(p.Manifest)
	if t == nil {
		return
	}
	v, bad := node.ReadJSON(t)
	if bad != nil {
		return
	}
	scripts := v.Get("scripts")
	if scripts != nil && !scripts.IsObject() {
		s.bad(scripts.Mistake("an object"))
	}
	for name, f := range scripts.Fields() {
		if _, isText := f.Value.Text(); !isText {
			s.bad(f.Value.Mistake("a text"))
			continue
		}
		if !p.has[name] {
			p.scripts = append(p.scripts, f)
		}
		p.has[name] = true
	}
	for _, list := range []string{"dependencies", "devDependencies"} {
		for name := range v.Get(list).Fields() {
			p.depends[name] = true
		}
	}
}

// project makes the package one of the draft.
func (ps *packages) project(p *pkg) *project {
	o := &project{dir: p.Dir, name: p.ours}
	if p.Name != p.ours && p.Name != "" {
		o.notes = append(o.notes, note{p.Place, diag.Quote(p.Name) + " is no name of a project here, so it is called " + p.ours})
	}
	for _, u := range p.uses {
		o.uses = append(o.uses, u.ours)
	}
	return o
}

// run is the command that runs a script. Arguments of the task come behind it.
func (ps *packages) run(script string) []string {
	if ps.manager == "npm" {
		return []string{"npm", "run", script, "--"}
	}
	return []string{ps.manager, "run", script}
}
