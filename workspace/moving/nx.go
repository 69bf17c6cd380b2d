package moving

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer/node"
)

// nx is a workspace of Nx.
type nx struct {
	*source
	*packages
	config   *node.Value // nx.json
	ignores  []string    // the lines of .nxignore
	listing  []string    // files, once they were asked for
	projects []*nxProject
	byNx     map[string]*nxProject // by the name that nx has for it
	defaults []*nxTarget           // targetDefaults
	plugins  []*nxPlugin
	kept     map[string]bool   // cacheableOperations
	sets     map[string]*nxSet // namedInputs
	tasks    map[string]string // ours by nx's
	infers   bool              // the packages are found by their manifests
	scripts  bool              // and their scripts are tasks
	single   bool              // the root is the only project
	askers   map[string]string // the task that asks, by the command
	told     map[string]bool   // what was said of executors, and the like
	rootTask []*task           // internal tasks of the root
	handed   map[string]bool   // sets whose files count for the projects that use a project
}

// nxProject is one that nx knows.
type nxProject struct {
	dir, name, ours string
	pkg             *pkg        // nil: it has no package.json that counts
	config          *node.Value // project.json
	more            *node.Value // "nx" of package.json
	place           diag.Place
	tags            []item
	implicit        []item
	uses            []*nxProject // beyond what manifests say
	without         []*nxProject // what it does not use, whoever says so
	sets            map[string]*nxSet
	targets         []*nxTarget
	notes           []note
}

// readNx reads nx.json, each project.json, and what package.json says to nx.
func readNx(ctx context.Context, s *source) {
	n := &nx{source: s, packages: s.packages(ctx), byNx: map[string]*nxProject{}, kept: map[string]bool{},
		askers: map[string]string{}, told: map[string]bool{}, handed: map[string]bool{}}
	n.config = s.json(s.file)
	n.infers = !n.alone && len(n.packages.all) > 0
	for line := range strings.Lines(string(s.disk.Source("/.nxignore"))) {
		if line = strings.Trim(strings.TrimSpace(line), "/"); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "!") {
			n.ignores = append(n.ignores, line)
		}
	}
	n.find()
	n.single = len(n.projects) == 1 && n.projects[0].dir == "/" && !n.infers
	n.settings()
	n.scripts = n.infers && !slices.ContainsFunc(n.projects, func(p *nxProject) bool { return p.dir != "/" && p.more.Get("includedScripts") != nil })
	for _, p := range n.projects {
		n.read(p)
	}
	if len(s.mistakes) > 0 {
		return
	}
	n.taskNames()
	n.relations()
	n.imports(ctx)
	n.notUsed()
	n.write()
}

// find lists the projects: packages, and folders with a project.json.
func (n *nx) find() {
	byDir := map[string]*nxProject{}
	add := func(dir string) *nxProject {
		if byDir[dir] == nil {
			byDir[dir] = &nxProject{dir: dir}
			n.projects = append(n.projects, byDir[dir])
		}
		return byDir[dir]
	}
	packages := n.packages.all
	if n.packages.root != nil && !n.alone {
		packages = append(slices.Clone(packages), n.packages.root)
	}
	for _, k := range packages {
		manifest := n.json(k.Manifest)
		if k.Dir != "/" || manifest.Get("nx") != nil || n.disk.Has("/project.json") {
			p := add(k.Dir)
			p.pkg, p.more, p.place = k, manifest.Get("nx"), k.Place
		}
	}
	for _, file := range n.projectFiles() {
		p := add(path.Dir(file))
		p.config = n.json(file)
		if p.pkg == nil {
			p.place = diag.Place{File: file[1:]}
		}
		if manifest := n.besides(p); manifest != nil {
			p.more = manifest.Get("nx")
		}
	}
	slices.SortFunc(n.projects, func(a, b *nxProject) int { return cmp.Compare(a.dir, b.dir) })
	n.name()
}

// besides is the package.json of a folder with a project.json that is no member of the workspace.
func (n *nx) besides(p *nxProject) *node.Value {
	if p.pkg != nil || !n.disk.Has(path.Join(p.dir, "package.json")) {
		return nil
	}
	return n.json(path.Join(p.dir, "package.json"))
}

// name gives each project its name in nx, and ours.
func (n *nx) name() {
	taken := map[string]bool{}
	for _, p := range n.projects {
		name := ""
		for _, v := range []*node.Value{p.more.Get("name"), p.config.Get("name")} {
			if v != nil {
				name, p.place = n.text(v), v.Place()
			}
		}
		if name == "" && p.pkg != nil {
			name = p.pkg.Name
		}
		if manifest := n.besides(p); name == "" && manifest != nil {
			name, _ = manifest.Get("name").Text()
		}
		p.name = cmp.Or(name, strings.ToLower(path.Base(p.dir)))
		if first := n.byNx[p.name]; first != nil {
			n.bad(diag.Diagnostic{Place: p.place, Message: "two projects are called " + diag.Quote(p.name), Related: []diag.Related{{Place: first.place, Label: "the other one is here"}}})
		}
		n.byNx[p.name] = p
		if workspace.CheckProjectName(p.name) == nil {
			p.ours, taken[p.name] = p.name, true
		}
	}
	for _, p := range n.projects {
		if p.ours == "" {
			ours, said := projectName(p.name, p.place, taken)
			p.ours, p.notes = ours, append(p.notes, said)
		}
	}
}

// projectFiles are the project.json of the workspace.
func (n *nx) projectFiles() (files []string) {
	for _, name := range n.files() {
		if path.Base(name) == "project.json" {
			files = append(files, name)
		}
	}
	return files
}

// files are those of the workspace that nx looks at: what git tracks, or without git what lies here.
func (n *nx) files() []string {
	if n.listing != nil {
		return n.listing
	}
	n.listing = []string{}
	if slices.Contains(n.tracked, n.source.file) {
		n.listing = slices.DeleteFunc(slices.Clone(n.tracked), n.ignored)
		return n.listing
	}
	open := []string{"/"}
	for len(open) > 0 {
		dir := open[0]
		open = open[1:]
		for _, e := range n.disk.List(dir) {
			name := path.Join(dir, e.Name)
			switch {
			case e.Name == "node_modules" || strings.HasPrefix(e.Name, ".") || n.ignored(name):
			case n.disk.RealDir(name) == name:
				open = append(open, name)
			case n.disk.Has(name):
				n.listing = append(n.listing, name)
			}
		}
	}
	slices.Sort(n.listing)
	return n.listing
}

// ignored reports whether .nxignore names a file, or a folder that it lies in.
func (n *nx) ignored(name string) bool {
	for _, line := range n.ignores {
		for at := name; at != "/"; at = path.Dir(at) {
			whole, _ := path.Match("/"+line, at)
			last, _ := path.Match(line, path.Base(at))
			if whole || last {
				return true
			}
		}
	}
	return false
}

// taskNames gives each target a name in haz: its own where that is one.
func (n *nx) taskNames() {
	var names []string
	for _, p := range n.projects {
		for _, t := range p.targets {
			names = append(names, t.name)
		}
	}
	n.tasks = taskNames(names)
}

// target is one of a project, by nx's name; nil: it has none.
func (p *nxProject) target(name string) *nxTarget {
	for _, t := range p.targets {
		if t.name == name {
			return t
		}
	}
	return nil
}

// inferred reports whether the project is one by its manifest.
func (n *nx) inferred(p *nxProject) bool { return n.infers && p.pkg != nil }

// once reports whether something is said for the first time.
func (n *nx) once(what string) bool {
	first := !n.told[what]
	n.told[what] = true
	return first
}
