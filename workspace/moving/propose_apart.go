package moving

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/cargo"
	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/node"
	"github.com/haz-build/haz/workspace/infer/uv"
)

// `infer` begins in the root. A language of which no manifest lies there is looked for in the folders below: frontend/package.json beside
// backend/go.mod, or a Go module beside packages of node. What is found there is listed, and all that it is told stands in its haz.yml (AUX-044).

// apartMax is how many folders deep manifests are looked for.
const apartMax = 3

// apartReaders are those of languages by the name of the manifest that they begin with.
var apartReaders = []struct {
	manifests []string
	reader    infer.Reader
}{
	{[]string{"package.json", "pnpm-workspace.yaml"}, node.Reader{Scripts: true}},
	{[]string{"go.work", "go.mod"}, golang.Reader{}},
	{[]string{"Cargo.toml"}, cargo.Reader{}},
	{[]string{"pyproject.toml"}, uv.Reader{}},
}

// apart adds projects of languages that have no manifest in the root.
func (p *proposal) apart(ctx context.Context) {
	names := map[string]bool{}
	for _, f := range p.Projects {
		names[f.Name] = true
	}
	projects := map[string]*project{}
	for i, a := range apartReaders {
		if len(p.of(a.reader.Name())) > 0 {
			continue
		}
		bases := p.bases(a.manifests)
		for _, base := range bases {
			sub, err := p.fs.Sub(base)
			if err != nil {
				continue
			}
			q := &proposal{source: p.source, base: base, Found: moved(infer.All(ctx, sub, a.reader), base), at: map[string][]infer.Project{}, uses: map[string][]string{}, own: map[string]*project{}, busy: map[string]bool{}}
			_ = sub.Close() // nothing is written through it
			p.told(q.Mistakes)
			q.relate()
			if len(q.Projects) > 0 {
				q.listApart(languages[i], len(bases) == 1, names, projects)
			}
		}
	}
	for _, o := range projects {
		p.draft.projects = append(p.draft.projects, o)
	}
}

// bases are the topmost folders below the root that have one of these manifests: what lies below one is its own affair.
func (p *proposal) bases(manifests []string) (found []string) {
	level := []string{"/"}
	for depth := 0; depth <= apartMax && len(level) > 0; depth++ {
		var next []string
		for _, dir := range level {
			entries := p.disk.List(dir)
			if dir != "/" && slices.ContainsFunc(entries, func(e fsys.Entry) bool { return e.Kind == fsys.File && slices.Contains(manifests, e.Name) }) {
				found = append(found, dir)
				continue
			}
			for _, e := range entries {
				if e.Kind == fsys.Dir && !strings.ContainsAny(e.Name[:1], "._") && !notOurs[e.Name] && p.isTracked(path.Join(dir, e.Name)) {
					next = append(next, path.Join(dir, e.Name))
				}
			}
		}
		level = next
	}
	slices.Sort(found)
	return found
}

// notOurs are folders of what others wrote, of what tools make, and of what tests read.
var notOurs = set("node_modules vendor third_party target dist build out testdata fixtures __fixtures__ venv env")

// isTracked reports whether git tracks something in a folder, where there is git.
func (p *proposal) isTracked(dir string) bool {
	at, _ := slices.BinarySearch(p.tracked, dir+"/")
	return p.tracked == nil || at < len(p.tracked) && strings.HasPrefix(p.tracked[at], dir+"/")
}

// moved is what was found in a folder, seen from the root.
func moved(f infer.Found, base string) infer.Found {
	place := func(d *diag.Place) {
		if d.File != "" {
			d.File = path.Join(base, d.File)[1:]
		}
	}
	for i := range f.Projects {
		o := &f.Projects[i]
		o.Dir, o.Manifest = path.Join(base, o.Dir), path.Join(base, o.Manifest)
		place(&o.Place)
	}
	for i := range f.Edges {
		e := &f.Edges[i]
		e.From, e.To = path.Join(base, e.From), path.Join(base, e.To)
	}
	for i := range f.Mistakes {
		place(&f.Mistakes[i].Place)
		for j := range f.Mistakes[i].Related {
			place(&f.Mistakes[i].Related[j].Place)
		}
	}
	return f
}

// listApart lists the projects of one language that were found in a folder, with their tasks. Where there are several, and no others of the
// language (only), what all of them have is an overlay.
func (p *proposal) listApart(l language, only bool, names map[string]bool, projects map[string]*project) {
	of := p.of(l.reader)
	var common []*task
	if l.reader != "node" {
		common = l.tasks(p, of)
	}
	circle := len(p.circlesOf(of)) > 0
	called := p.nameApart(of, names, projects)
	alone := func(f infer.Project) bool { return projects[f.Dir].name != "" && len(projects[f.Dir].tasks) == 0 }
	if only && !circle && len(of) > 1 && len(common) > 0 && !slices.ContainsFunc(of, func(f infer.Project) bool { return !alone(f) }) && len(p.disk.List(tasksDir)) == 0 {
		p.draft.overlays = append(p.draft.overlays, overlay{tag: l.tag, tasks: common})
		common = nil
	}
	for _, f := range of {
		o := projects[f.Dir]
		if o.name == "" {
			continue
		}
		for _, t := range p.tasksApart(l, f, common) {
			if t.family = l.tag; o.has(t.name) {
				t.name += ":" + l.tag
			}
			if circle { // they cannot wait for each other, so that their keys say too little
				t.deps, t.noCache = nil, !t.internal
			}
			o.tasks = append(o.tasks, t)
		}
		for _, to := range p.uses[f.Dir] {
			if called[to] != "" && !slices.Contains(o.uses, called[to]) {
				o.uses = append(o.uses, called[to])
			}
		}
		o.tags = unique(append(o.tags, f.Tags...))
	}
}

// nameApart makes projects of what was found, and gives their names by folder. One that has a haz.yml keeps its say, whatever its name is.
func (p *proposal) nameApart(of []infer.Project, names map[string]bool, projects map[string]*project) map[string]string {
	called := map[string]string{}
	for _, f := range of {
		o := projects[f.Dir]
		if o == nil {
			o = &project{dir: f.Dir, name: f.Name}
			if o.name == "" || workspace.CheckProjectName(o.name) != nil || names[o.name] {
				o.name = unusedName(cleanName(path.Base(f.Dir)), names)
			}
			names[o.name] = true
			if projects[f.Dir] = o; p.busy[f.Dir] {
				*o = project{dir: f.Dir}
			}
		}
		called[f.Dir] = o.name
	}
	return called
}

// tasksApart are those of a project: its scripts, or what all of its language have, and what it has of its own.
func (p *proposal) tasksApart(l language, f infer.Project, common []*task) (tasks []*task) {
	if l.reader == "node" {
		return p.scriptsApart(f)
	}
	own := &project{}
	if o := p.own[f.Dir]; o != nil {
		own = o
	}
	for _, t := range common {
		k := *t
		if i := slices.IndexFunc(own.tasks, func(o *task) bool { return o.name == t.name }); i >= 0 {
			k.noCache = k.noCache || own.tasks[i].noCache // it completes that, which is said here
		}
		tasks = append(tasks, &k)
	}
	for _, t := range own.tasks {
		if common == nil || !t.inherit {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// has reports whether a project has a task of a name.
func (p *project) has(name string) bool {
	return slices.ContainsFunc(p.tasks, func(t *task) bool { return t.name == name })
}

// scriptsApart are tasks for the scripts of a package that `infer` does not know.
func (p *proposal) scriptsApart(f infer.Project) (tasks []*task) {
	relates, used := p.relates("node")
	root := f.Dir == p.base && len(p.Projects) > 1
	p.draft.defaults.pass = let
	builds, has := false, map[string]bool{}
	for _, s := range f.Scripts {
		has[s.Name] = true
	}
	for _, s := range f.Scripts {
		text, _ := p.json(f.Manifest).Get("scripts").Get(s.Name).Text()
		if workspace.CheckFamilyName(s.Name) != nil || lifecycle(s.Name, has) || root && delegates(text, s.Name) { // the tasks of the others are what it starts
			continue
		}
		builds = builds || s.Name == "build"
		k := &task{name: s.Name}
		k.command = append(append(slices.Clone(f.Runner.Command), s.Name), f.Runner.After...)
		k.inputs = append([]string{"$project"}, p.locksApart(f)...)
		if relates && !serves(s.Name) {
			k.deps = []string{"^uses:build"}
		}
		if k.noCache = root || !onlyLooks(s.Name); k.noCache && !root && !serves(s.Name) {
			k.comments = []string{keepIt}
		}
		tasks = append(tasks, k)
	}
	if used[f.Dir] && !builds { // S-61
		tasks = append(tasks, passedThrough("build", []string{"$project"}, []string{"^uses:build"}))
	}
	return tasks
}

// locksApart are the lock files of a package that lie in a folder above its own.
func (p *proposal) locksApart(f infer.Project) (files []string) {
	for _, lock := range p.Locks {
		if name := path.Join(p.base, lock.File); f.Dir != p.base && p.disk.Has(name) {
			files = append(files, name)
		}
	}
	return files
}
