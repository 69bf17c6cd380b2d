package moving

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/cargo"
	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/node"
	"github.com/haz-build/haz/workspace/infer/toml"
	"github.com/haz-build/haz/workspace/infer/uv"
)

// moonFiles are the workspace files of moon.
var moonFiles = []string{"/.moon/workspace.yml", "/.moon/workspace.yaml", "/.moon/workspace.json", "/.config/moon/workspace.yml", "/.config/moon/workspace.yaml", "/.config/moon/workspace.json"}

// moon is a workspace of moon on its way.
type moon struct {
	*moonReader
	ctx      context.Context
	dir      string // ".moon", workspace-absolute
	one      bool   // it is written for version 1
	all      []*moonProject
	byName   map[string]*moonProject // by name, and by alias where no name is that
	files    []*moonTasks
	enabled  map[string]bool // toolchains
	scripts  bool            // of package.json are tasks
	found    infer.Found
	readers  []infer.Reader
	sets     map[string][]moonInput // file groups that are sets of the workspace
	variants map[string]*moonTask
}

// readMoon reads .moon/workspace.yml, the files of tasks that projects inherit, and moon.yml of each project (AUX-041).
func readMoon(ctx context.Context, s *source) {
	if m := moonOf(ctx, s); m != nil {
		m.overlays()
	}
}

// moonOf is a workspace of moon as a draft in which each project has all its tasks itself; nil where that is not to be.
func moonOf(ctx context.Context, s *source) *moon {
	m := &moon{moonReader: &moonReader{source: s}, ctx: ctx, dir: path.Dir(s.file), byName: map[string]*moonProject{}, enabled: map[string]bool{}, sets: map[string][]moonInput{}, variants: map[string]*moonTask{}}
	top, _ := m.top(s.file)
	m.workspace(top)
	m.toolchainFile()
	m.inheritance()
	m.version(top)
	m.locate(top.Get("projects"))
	m.nameProjects()
	m.manifests()
	if len(s.mistakes) > 0 || ctx.Err() != nil {
		return nil
	}
	for _, p := range m.all {
		m.detect(p)
		m.inherit(p)
	}
	m.relations()
	m.write()
	return m
}

// workspace reads the settings that have a counterpart, or a note.
func (m *moon) workspace(top config.Foreign) {
	for _, p := range top.Pairs() {
		switch p.Key {
		case "$schema", "projects", "versionConstraint", "telemetry", "experiments", "generator", "notifier", "docker", "codeowners", "defaultProject", "unstable_daemon", "daemon", "extensions":
		case "vcs":
			if branch := textOf(p.Value.Get("defaultBranch")); branch != "" && branch != "master" && branch != "main" {
				m.draft.comments = append(m.draft.comments, "what is affected is asked on the command line: haz run --affected --base origin/"+branch)
			}
		case "hasher", "pipeline", "runner", "cache":
		default:
			m.draft.notes = append(m.draft.notes, foreign("workspace", p))
		}
	}
	if !top.Get("projects").IsSet() && top.IsMap() {
		m.bad(diag.Diagnostic{Place: diag.Place{File: m.file[1:]}, Message: "the file has no " + diag.Quote("projects")})
	}
}

// toolchainFile reads which languages moon takes care of.
func (m *moon) toolchainFile() {
	for _, stem := range []string{"/toolchains", "/toolchain"} {
		name := m.config(m.dir + stem)
		if name == "" {
			continue
		}
		top, _ := m.top(name)
		for _, p := range top.Pairs() {
			id := strings.TrimPrefix(p.Key, "unstable_")
			if text, _ := p.Value.Text(); strings.HasPrefix(id, "$") || id == "extends" || id == "moon" || id == "proto" || text == "false" {
				continue
			}
			m.enabled[id] = true
			m.scripts = m.scripts || textOf(p.Value.Get("inferTasksFromScripts")) == "true"
		}
		return
	}
}

// version tells whether the files are written for version 1: there the name of a file says who inherits it.
func (m *moon) version(top config.Foreign) {
	said := func(text string) (one, ok bool) {
		text = strings.TrimLeft(text, "^~>=<v \"'")
		major, _, _ := strings.Cut(text, ".")
		n, err := strconv.Atoi(major)
		return n < 2, err == nil
	}
	if t, bad := m.disk.Manifest("/.prototools"); bad == nil && t != nil {
		v, _ := toml.Parse(t)
		text, _ := v.Get("moon").Text()
		if one, ok := said(text); ok {
			m.one = one
			return
		}
	}
	if t, bad := m.disk.Manifest("/package.json"); bad == nil && t != nil {
		if v, bad := node.ReadJSON(t); bad == nil {
			for _, list := range []string{"devDependencies", "dependencies"} {
				text, _ := v.Get(list).Get("@moonrepo/cli").Text()
				if one, ok := said(text); ok {
					m.one = one
					return
				}
			}
		}
	}
	if slices.ContainsFunc(m.files, func(f *moonTasks) bool { return f.said }) || m.config(m.dir+"/toolchains") != "" || m.config(m.dir+"/extensions") != "" {
		return
	}
	if m.config(m.dir+"/toolchain") != "" || m.config(m.dir+"/tasks") != "" || top.Get("runner").IsSet() {
		m.one = true
		return
	}
	m.one = slices.ContainsFunc(m.files, func(f *moonTasks) bool { return f.name != "all" })
}

// inheritance reads the files of tasks that projects inherit.
func (m *moon) inheritance() {
	add := func(name string) {
		if f := m.inherited(name, nil); f != nil {
			m.files = append(m.files, f)
		}
	}
	if name := m.config(m.dir + "/tasks"); name != "" {
		add(name)
		m.files[len(m.files)-1].name = "all"
	}
	var visit func(dir string, depth int)
	visit = func(dir string, depth int) {
		for _, e := range m.entries(dir) {
			name, full := e.Name, dir+"/"+e.Name
			switch {
			case m.disk.RealDir(full) != "":
				if depth < 20 {
					visit(full, depth+1)
				}
			case slices.Contains([]string{".yml", ".yaml", ".json"}, path.Ext(name)):
				add(full)
			case slices.Contains(moonUnread, path.Ext(name)):
				m.config(strings.TrimSuffix(full, path.Ext(name)))
			}
		}
	}
	visit(m.dir+"/tasks", 0)
}

// nameProjects gives each project a name in haz: its own where that is one.
func (m *moon) nameProjects() {
	used := map[string]bool{}
	first := map[string]*moonProject{}
	for _, p := range slices.Clone(m.all) {
		other := first[p.id]
		if other != nil && p.globbed { // moon warns, and leaves it out
			m.all = slices.DeleteFunc(m.all, func(o *moonProject) bool { return o == p })
			m.draft.notes = append(m.draft.notes, note{p.place, "the folder " + diag.Quote(p.dir[1:]) + " is no project, as in moon: " + diag.Quote(p.id) + " is the name of another one"})
			continue
		}
		if other != nil {
			m.bad(diag.Diagnostic{Place: p.place, Message: "two projects are called " + diag.Quote(p.id), Related: []diag.Related{{Place: other.place, Label: "the other one is here"}}})
			continue
		}
		first[p.id], m.byName[p.id] = p, p
		if workspace.CheckProjectName(p.id) == nil {
			p.ours, used[p.id] = p.id, true
		}
	}
	for _, p := range m.all {
		if p.ours == "" {
			ours, said := projectName(p.id, p.place, used)
			p.ours, p.notes = ours, append(p.notes, said)
		}
	}
}

// moonReaders are the readers of manifests of a toolchain.
var moonReaders = map[string]infer.Reader{"node": node.Reader{}, "bun": node.Reader{}, "javascript": node.Reader{}, "rust": cargo.Reader{}, "go": golang.Reader{}, "uv": uv.Reader{}, "python": uv.Reader{}}

// manifests reads those of the toolchains that moon is told of: as there, they say who uses whom.
func (m *moon) manifests() {
	for _, id := range []string{"node", "bun", "javascript", "go", "rust", "uv", "python"} {
		r := moonReaders[id]
		if r.Name() == "node" && m.scripts {
			r = node.Reader{Scripts: true}
		}
		if m.enabled[id] && !slices.ContainsFunc(m.readers, func(o infer.Reader) bool { return o.Name() == r.Name() }) {
			m.readers = append(m.readers, r)
		}
	}
	m.found = infer.All(m.ctx, m.fs, m.readers...)
	m.looked = m.found.Looked
	m.told(m.found.Mistakes)
	at := map[string]*moonProject{}
	for _, p := range m.all {
		at[p.dir] = p
	}
	for _, f := range m.found.Projects {
		p := at[f.Dir]
		if p == nil {
			continue
		}
		p.known = true
		if p.alias == "" {
			p.alias = f.Name
		}
		if m.byName[f.Name] == nil {
			m.byName[f.Name] = p
		}
	}
	for _, l := range m.found.Locks {
		if !slices.ContainsFunc(l.Files, m.disk.Has) {
			continue
		}
		for _, member := range l.Members {
			if p := at[member.Dir]; p != nil {
				p.locked = true
			}
		}
	}
}

// moonLanguages are the languages that moon sees by a file, and the toolchains that they belong to.
var moonLanguages = []struct{ file, language string }{
	{"package.json", "javascript"}, {"Cargo.toml", "rust"}, {"go.mod", "go"}, {"deno.json", "typescript"}, {"pyproject.toml", "python"}, {"requirements.txt", "python"}, {"composer.json", "php"}, {"Gemfile", "ruby"},
}

// detect finds the language and the toolchains of a project.
func (m *moon) detect(p *moonProject) {
	has := func(file string) bool { return m.disk.Has(path.Join(p.dir, file)) }
	if p.language == "" {
		for _, l := range moonLanguages {
			if has(l.file) {
				p.language = l.language
				break
			}
		}
		if p.language == "javascript" && has("tsconfig.json") {
			p.language = "typescript"
		}
	}
	for _, id := range p.chosen {
		p.toolchains[strings.TrimPrefix(id, "unstable_")] = true
	}
	switch p.language {
	case "javascript", "typescript":
		runtime := "node"
		for _, other := range []string{"bun", "deno"} {
			if m.enabled[other] && !m.enabled["node"] || p.toolchains[other] {
				runtime = other
			}
		}
		p.toolchains[runtime] = true
		p.toolchains["javascript"] = p.toolchains["javascript"] || m.enabled["javascript"]
		p.toolchains["typescript"] = p.toolchains["typescript"] || m.enabled["typescript"] && has("tsconfig.json")
	case "":
	default:
		p.toolchains[p.language] = true
	}
	for _, id := range p.disabled {
		delete(p.toolchains, id)
	}
}

// relations are who uses whom: what the projects say, what manifests say, and what tasks depend on.
func (m *moon) relations() {
	at := map[string]*moonProject{}
	for _, p := range m.all {
		at[p.dir] = p
	}
	add := func(p *moonProject, u moonUse) {
		if u.to == nil || u.to == p || slices.ContainsFunc(p.uses, func(o moonUse) bool { return o.to == u.to }) {
			return
		}
		p.uses = append(p.uses, u)
	}
	scopes := map[string]string{"devDependencies": "development", "dev-dependencies": "development", "peerDependencies": "peer", "build-dependencies": "build"}
	edges := map[*moonProject][]moonUse{}
	for _, e := range m.found.Edges {
		if p := at[e.From]; p != nil && at[e.To] != nil {
			edges[p] = append(edges[p], moonUse{scope: cmp.Or(scopes[e.Kind], "production"), to: at[e.To], found: true, place: e.Place})
		}
	}
	for _, p := range m.all {
		for _, u := range p.dependsOn {
			if u.to = m.byName[u.id]; u.to == nil {
				p.notes = append(p.notes, note{u.place, diag.Quote(u.id) + " does not carry over: there is no such project"})
			}
			u.found = slices.ContainsFunc(edges[p], func(e moonUse) bool { return e.to == u.to })
			add(p, u)
		}
		for _, u := range edges[p] {
			add(p, u)
		}
		for _, name := range p.names {
			for _, d := range p.tasks[name].deps {
				id, _, ok := strings.Cut(d.target, ":")
				if to := m.byName[id]; ok && to != nil && to.dir != "/" {
					add(p, moonUse{scope: "build", to: to, place: d.place})
				}
			}
		}
	}
}
