package moving

import (
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/cargo"
	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/node"
	"github.com/haz-build/haz/workspace/infer/uv"
)

// proposal is a workspace that is made of manifests alone: `infer` says which projects there are, and overlays what can be done with those of
// a language. What a task of a project needs beside that stands in its haz.yml.
type proposal struct {
	*source
	infer.Found
	at   map[string][]infer.Project // by folder
	uses map[string][]string        // likewise, each once
	own  map[string]*project        // haz.yml to be written, by folder
	// busy are folders with an own haz.yml, which keeps its say.
	busy map[string]bool
	base string // the folder where its manifests begin: "/" for `infer`
}

// language is one whose projects get tasks.
type language struct {
	reader, tag string
	// tasks are those of each of its projects, or what completes them. It may give some projects more.
	tasks func(*proposal, []infer.Project) []*task
	ofAll string // the task that looks into the folders of all when it is of the root, which is not in its key
}

// languages are in the order in which the first counts where a folder has manifests of several.
var languages = []language{
	{"node", "node", (*proposal).node, ""},
	{"go", "go", (*proposal).golang, ""},
	{"cargo", "rust", (*proposal).cargo, ""},
	{"uv", "python", (*proposal).python, "lint"},
}

// propose makes the plan for a workspace that no other tool describes, of the manifests that lie in its root and of those that they lead to.
// A plan without files: there are none. Files of haz that are there keep their say: nothing is written in their place.
func propose(ctx context.Context, disk fsys.FS, o Options) (Plan, diag.List) {
	s := &source{disk: infer.NewDisk(disk), fs: disk, tracked: o.Tracked}
	p := &proposal{source: s, at: map[string][]infer.Project{}, own: map[string]*project{}, uses: map[string][]string{}, busy: map[string]bool{}, base: "/"}
	p.Found = infer.All(ctx, disk, node.Reader{Scripts: true}, golang.Reader{}, cargo.Reader{}, uv.Reader{})
	s.told(p.Mistakes)
	if ctx.Err() != nil {
		return Plan{}, diag.List{{Code: RuleFound, Message: ctx.Err().Error()}}
	}
	if len(s.mistakes) > 0 {
		return Plan{}, s.mistakes.Sorted()
	}
	plan := Plan{Warnings: s.warnings.Sorted(), Beside: beside(s.disk)}
	p.relate()
	p.apart(ctx)
	if len(s.mistakes) > 0 {
		return Plan{}, s.mistakes.Sorted()
	}
	if len(p.Projects) == 0 && len(s.draft.projects) == 0 {
		return plan, nil
	}
	plan.Warnings = s.warnings.Sorted()
	p.listed()
	for _, l := range languages {
		if of := p.of(l.reader); len(of) > 0 {
			s.draft.infer = append(s.draft.infer, l.reader)
			p.propose(l, of)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(p.own)) {
		s.draft.projects = append(s.draft.projects, p.own[dir])
	}
	plan.Try = p.try()
	plan.Files, plan.Notes = s.draft.files()
	plan.Looked = p.read()
	return plan, nil
}

// relate says of each folder what was found there, and whom it uses.
func (p *proposal) relate() {
	for _, f := range p.Projects {
		p.at[f.Dir] = append(p.at[f.Dir], f)
		p.busy[f.Dir] = p.disk.Has(path.Join(f.Dir, layout.ProjectFile))
	}
	for _, e := range p.Edges {
		if !slices.Contains(p.uses[e.From], e.To) {
			p.uses[e.From] = append(p.uses[e.From], e.To)
		}
	}
}

// told sorts mistakes of manifests.
func (s *source) told(mistakes diag.List) {
	for _, d := range mistakes {
		if d.Severity == diag.Warning {
			s.warnings = append(s.warnings, d)
		} else {
			s.bad(d)
		}
	}
}

// of are the projects of a reader.
func (p *proposal) of(reader string) (of []infer.Project) {
	for _, f := range p.Projects {
		if f.Reader == reader {
			of = append(of, f)
		}
	}
	return of
}

// listed takes the folders of projects that are there already and that no manifest knows.
func (p *proposal) listed() {
	for _, name := range p.tracked {
		known := func(o *project) bool { return o.dir == path.Dir(name) }
		if dir := path.Dir(name); path.Base(name) == layout.ProjectFile && dir != "/" && len(p.at[dir]) == 0 && !slices.ContainsFunc(p.draft.projects, known) {
			p.draft.projects = append(p.draft.projects, &project{dir: dir})
		}
	}
}

// propose gives the projects of a language their tasks. A folder that another language has as well would get two bodies of one name from two
// overlays: it loses the tag of the later one, whose tasks stand in its own file, under names that are free.
func (p *proposal) propose(l language, of []infer.Project) {
	tasks := l.tasks(p, of)
	first := func(f infer.Project) bool { return p.at[f.Dir][0].Reader == l.reader }
	in := p.circlesOf(of)
	names := map[string]string{} // of what its task that hands on is called, by folder
	hands := carrier(tasks)
	for _, f := range of {
		names[f.Dir] = p.free(f, hands.name, l.tag)
	}
	may := len(p.disk.List(tasksDir)) == 0
	if may && len(tasks) > 0 && slices.ContainsFunc(of, first) {
		p.draft.overlays = append(p.draft.overlays, overlay{tag: l.tag, tasks: tasks})
	}
	for _, f := range of {
		if first(f) || p.busy[f.Dir] || len(tasks) == 0 {
			continue
		}
		own := p.project(f.Dir)
		if len(own.tags) == 0 {
			own.tags = p.at[f.Dir][0].Tags
		}
		for _, t := range tasks {
			mine := *t
			mine.name = p.free(f, t.name, l.tag)
			mine.noCache = mine.noCache || f.Dir == "/" && l.ofAll == t.name && len(of) > 1
			own.tasks = append(own.tasks, &mine)
		}
	}
	if may && len(in) > 0 {
		p.unwind(of, hands, in, names)
	}
}

// free is a name for a task of a language in a folder: with its tag where what comes first in that folder has one of this name.
func (p *proposal) free(f infer.Project, name, tag string) string {
	first := p.at[f.Dir][0]
	if first.Reader == f.Reader {
		return name
	}
	taken := slices.ContainsFunc(first.Scripts, func(s infer.Script) bool { return s.Name == name })
	if own := p.own[f.Dir]; own != nil {
		taken = taken || slices.ContainsFunc(own.tasks, func(t *task) bool { return t.name == name })
	}
	for _, o := range p.draft.overlays {
		taken = taken || slices.Contains(first.Tags, o.tag) && o.tag != "node" && slices.ContainsFunc(o.tasks, func(t *task) bool { return t.name == name })
	}
	if taken {
		return name + ":" + tag
	}
	return name
}

// project is what the haz.yml of a folder is to say; of one that has a haz.yml it is thrown away.
func (p *proposal) project(dir string) *project {
	if p.busy[dir] {
		return &project{}
	}
	if p.own[dir] == nil {
		p.own[dir] = &project{dir: dir, inferred: true}
	}
	return p.own[dir]
}

// relates reports whether projects of a language use each other by what its manifests say, and which folders they use.
func (p *proposal) relates(reader string) (yes bool, used map[string]bool) {
	used = map[string]bool{}
	for _, e := range p.Edges {
		if e.Reader == reader {
			used[e.To] = true
		}
	}
	return len(used) > 0, used
}

// there are those of the names that are files in the folder where the manifests begin, as paths from the root.
func (p *proposal) there(names ...string) (found []string) {
	for _, name := range names {
		if name = path.Join(p.base, name); p.disk.Has(name) {
			found = append(found, name)
		}
	}
	return found
}

// pinned are those of the names that are there, and the lock file: what a project reaches there, where infer knows the project.
func (p *proposal) pinned(lock string, names ...string) []string {
	if p.base == "/" && p.disk.Has("/"+lock) {
		return append([]string{"$" + workspace.LockSet}, p.there(names...)...)
	}
	return p.there(append(names, lock)...)
}

// try is the command to begin with: what is kept comes first, and what is built.
func (p *proposal) try() string {
	rank := map[string]int{}
	offer := func(t *task) {
		at := slices.Index([]string{"test", "build", "check", "lint"}, t.name)
		if at < 0 || t.internal {
			return
		}
		if t.noCache {
			at += 4
		}
		if was, is := rank[t.name]; !is || at < was {
			rank[t.name] = at
		}
	}
	for _, o := range p.draft.overlays {
		for _, t := range o.tasks {
			offer(t)
		}
	}
	for _, o := range p.draft.projects {
		for _, t := range o.tasks {
			offer(t)
		}
	}
	names := slices.SortedFunc(maps.Keys(rank), func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	if len(names) == 0 {
		return ""
	}
	return "^:" + names[0]
}

// read are the files that say what the workspace is, beside those that are written.
func (p *proposal) read() []string {
	names := slices.DeleteFunc(slices.Clone(p.Looked), func(name string) bool { return !p.disk.Has(name) })
	for dir, busy := range p.busy {
		if busy {
			names = append(names, path.Join(dir, layout.ProjectFile))
		}
	}
	for _, o := range p.draft.projects {
		if name := path.Join(o.dir, layout.ProjectFile); p.disk.Has(name) {
			names = append(names, name)
		}
	}
	for _, e := range p.disk.List(tasksDir) {
		names = append(names, tasksDir+"/"+e.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// others are files of tools that build, and that nothing is read of here: people are told that they were seen.
var others = []string{"Makefile", "GNUmakefile", "justfile", "Taskfile.yml", "Taskfile.yaml", "mise.toml", "nx.json", "turbo.json", ".moon/workspace.yml", "lerna.json", "rush.json",
	"MODULE.bazel", "WORKSPACE", "CMakeLists.txt", "meson.build", "pom.xml", "build.gradle", "build.gradle.kts", "build.sbt", "Rakefile", "composer.json", "mix.exs", "deno.json", "flake.nix"}

// beside are the files of other tools in the root, with the tool where `init --from` reads it.
func beside(d *infer.Disk) (found []Found) {
	known := map[string]string{}
	for _, t := range tools {
		for _, file := range t.files {
			if !t.plain {
				known[strings.TrimPrefix(file, "/")] = t.name
			}
		}
	}
	names := slices.Clone(others)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if d.Has("/" + name) {
			found = append(found, Found{known[name], name})
		}
	}
	return found
}
