package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace/config"
)

// moonProject is a project of moon.
type moonProject struct {
	id, dir     string // dir is workspace-absolute
	place       diag.Place
	alias, ours string // the name of its manifest; ours
	language    string
	layer       string
	stack       string
	tags        []string
	toolchains  map[string]bool
	locked      bool // a lock file tells what it reaches
	known       bool // a manifest makes it a project
	globbed     bool // a glob found it
	dependsOn   []moonUse
	uses        []moonUse
	shared      moonShared
	env         []moonEnv // of all its tasks
	meta        map[string]string
	include     []string // nil: all
	exclude     []string
	rename      map[string]string
	mergeGroups string
	chosen      []string // toolchains that are named for it
	disabled    []string
	notes       []note
	files       []*moonTasks // that it inherits, the widest first
	groups      map[string][]moonInput
	tasks       map[string]*moonTask
	names       []string // of its tasks, sorted
	made        *project
}

// moonUse is a project that another one uses.
type moonUse struct {
	id, scope string
	to        *moonProject
	found     bool // in manifests
	place     diag.Place
}

// moonNames are the names that a file of moon may have.
func moonNames(stem string) []string {
	return []string{stem + ".yml", stem + ".yaml", stem + ".json"}
}

// moonUnread are the ends of files that moon reads and that are not read here.
var moonUnread = []string{".jsonc", ".pkl", ".hcl", ".toml"}

// config is the one file of a stem that is there; "" for none.
func (m *moon) config(stem string) string {
	for _, name := range moonNames(stem) {
		if m.disk.Has(name) {
			return name
		}
	}
	for _, end := range moonUnread {
		if name := stem + end; m.disk.Has(name) {
			m.bad(diag.Diagnostic{Place: diag.Place{File: name[1:]}, Message: "of moon's files only those in YAML and JSON are read", Hint: "write it as " + path.Base(stem) + ".yml"})
		}
	}
	return ""
}

// locate finds the projects that the workspace file lists.
func (m *moon) locate(v config.Foreign) {
	var globs []item
	format := ""
	sources := func(v config.Foreign) {
		for _, p := range m.pairs(v) {
			m.project(p.Key, m.text(p.Value), p.Place)
		}
	}
	list := func(v config.Foreign) {
		for _, i := range m.list(v) {
			globs = append(globs, item{m.text(i), i.Place()})
		}
	}
	isObject := v.Get("globs").IsSet() || v.Get("sources").IsMap()
	switch _, isList := v.Items(); {
	case isList:
		list(v)
	case isObject:
		for _, p := range v.Pairs() {
			switch p.Key {
			case "globs":
				list(p.Value)
			case "sources":
				sources(p.Value)
			case "globFormat":
				format = m.text(p.Value)
			}
		}
	default:
		sources(v)
	}
	m.globs(globs, format)
	for _, p := range m.all {
		m.readProject(p)
	}
}

// project makes a folder a project, once.
func (m *moon) project(id, source string, place diag.Place) {
	dir := path.Join("/", source)
	if strings.HasPrefix(path.Clean(source), "..") || m.disk.RealDir(dir) == "" {
		m.bad(diag.Diagnostic{Place: place, Message: "there is no folder " + diag.Quote(source) + " in the workspace"})
		return
	}
	if slices.ContainsFunc(m.all, func(p *moonProject) bool { return p.dir == dir }) {
		return
	}
	m.all = append(m.all, &moonProject{id: id, dir: dir, place: place, toolchains: map[string]bool{}, meta: map[string]string{}, rename: map[string]string{}, tasks: map[string]*moonTask{}, groups: map[string][]moonInput{}})
}

// moonFoldersMax is how many folders are looked through for projects.
const moonFoldersMax = 100_000

// globs finds projects by globs for their folders, or for a file in them.
func (m *moon) globs(globs []item, format string) {
	var takes, leaves []pattern.Pattern
	places := []diag.Place{}
	for _, g := range globs {
		text, not := strings.CutPrefix(g.text, "!")
		text = strings.TrimSuffix(strings.TrimPrefix(text, "./"), "/")
		if text == "." && !not {
			m.project(cleanName(m.options.Folder), ".", g.place)
			continue
		}
		p, err := pattern.Parse(text)
		switch {
		case err != nil:
			m.bad(diag.Diagnostic{Place: g.place, Message: diag.Quote(g.text) + " is no glob that is known here: " + err.Error()})
		case not:
			leaves = append(leaves, p.Anchor("/"))
		default:
			takes, places = append(takes, p.Anchor("/")), append(places, g.place)
		}
	}
	found := map[string]diag.Place{}
	left := moonFoldersMax
	var visit func(dir string)
	visit = func(dir string) {
		for _, e := range m.entries(dir) {
			name := path.Join(dir, e.Name)
			if left--; left < 0 {
				return
			}
			for i, p := range takes {
				if p.IsLiteral() && p.Path() != name || !p.Match(name) || slices.ContainsFunc(leaves, func(n pattern.Pattern) bool { return n.Match(name) || n.Match(dir) }) {
					continue
				}
				at := name
				if e.Kind != fsys.Dir {
					if at = dir; dir == "/" && strings.TrimSuffix(e.Name, path.Ext(e.Name)) != "moon" {
						continue
					}
				}
				if _, there := found[at]; !there {
					found[at] = places[i]
				}
			}
			if e.Kind == fsys.Dir && e.Name != "node_modules" && e.Name[0] != '.' && slices.ContainsFunc(takes, func(p pattern.Pattern) bool { return p.MayMatchBelow(name) }) {
				visit(name)
			}
		}
	}
	if len(takes) > 0 {
		visit("/")
	}
	for _, dir := range sortedKeys(found) {
		if strings.HasPrefix(path.Base(dir), ".") || dir != "/" && m.ignored(dir) {
			continue
		}
		id := path.Base(dir)
		switch {
		case dir == "/":
			id = cleanName(m.options.Folder)
		case format == "source-path":
			id = dir[1:]
		}
		n := len(m.all)
		if m.project(id, dir[1:]+"/.", found[dir]); len(m.all) > n {
			m.all[n].globbed = true
		}
	}
}

// ignored reports whether git tracks nothing in a folder: moon leaves such a one out.
func (m *moon) ignored(dir string) bool {
	if m.tracked == nil {
		return false
	}
	at, _ := slices.BinarySearch(m.tracked, dir+"/")
	return at == len(m.tracked) || !strings.HasPrefix(m.tracked[at], dir+"/")
}

// readProject reads moon.yml of a project.
func (m *moon) readProject(p *moonProject) {
	p.shared.options = moonOptions{}
	name := m.config(path.Join(p.dir, "moon"))
	if name == "" {
		return
	}
	top, _ := m.top(name)
	for _, k := range top.Pairs() {
		switch k.Key {
		case "$schema", "owners", "docker", "implicitInputs", "implicitDeps":
		case "id":
			p.id, p.place = m.text(k.Value), k.Place
		case "language":
			p.language = m.text(k.Value)
		case "layer", "type":
			p.layer = m.text(k.Value)
		case "stack":
			p.stack = m.text(k.Value)
		case "tags":
			p.tags = m.texts(k.Value)
		case "platform":
			p.chosen = m.texts(k.Value)
		case "toolchain", "toolchains":
			m.projectToolchains(p, k.Value)
		case "dependsOn":
			m.dependsOn(p, k.Value)
		case "project":
			for _, f := range m.pairs(k.Value) {
				p.meta[f.Key] = strings.Join(textsOf(f.Value), ",")
			}
		case "workspace":
			m.overrides(p, k.Value)
		default:
			m.sharedKey(&p.shared, k, "project", &p.notes)
		}
	}
}

// textsOf is a text, or those of a list; nothing of what is neither.
func textsOf(v config.Foreign) (out []string) {
	if text, ok := v.Text(); ok {
		return []string{text}
	}
	items, _ := v.Items()
	for _, i := range items {
		if text, ok := i.Text(); ok {
			out = append(out, text)
		}
	}
	return out
}

func (m *moon) projectToolchains(p *moonProject, v config.Foreign) {
	if !v.IsMap() {
		p.chosen = m.texts(v)
		return
	}
	for _, k := range v.Pairs() {
		if k.Key == "default" {
			p.chosen = m.texts(k.Value)
		} else if text, _ := k.Value.Text(); !k.Value.IsSet() || text == "false" || textOf(k.Value.Get("disabled")) == "true" {
			p.disabled = append(p.disabled, k.Key)
		} else {
			p.chosen = append(p.chosen, k.Key)
		}
	}
}

func textOf(v config.Foreign) string { text, _ := v.Text(); return text }

func (m *moon) dependsOn(p *moonProject, v config.Foreign) {
	for _, i := range m.list(v) {
		u := moonUse{scope: "production", place: i.Place()}
		if i.IsMap() {
			u.id = m.text(i.Get("id"))
			if scope := textOf(i.Get("scope")); scope != "" {
				u.scope = scope
			}
		} else {
			u.id = m.text(i)
		}
		p.dependsOn = append(p.dependsOn, u)
	}
}

// overrides reads which tasks a project inherits, and how.
func (m *moon) overrides(p *moonProject, v config.Foreign) {
	for _, k := range m.pairs(v) {
		switch k.Key {
		case "inheritedTasks":
			for _, f := range m.pairs(k.Value) {
				switch f.Key {
				case "include":
					p.include = m.texts(f.Value)
				case "exclude":
					p.exclude = m.texts(f.Value)
				case "rename":
					for _, n := range m.pairs(f.Value) {
						p.rename[n.Key] = m.text(n.Value)
					}
				}
			}
		case "mergeStrategies":
			p.mergeGroups = textOf(k.Value.Get("fileGroups"))
		default:
			p.notes = append(p.notes, foreign("project", k))
		}
	}
}
