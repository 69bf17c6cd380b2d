package load

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/cargo"
	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/node"
	"github.com/haz-build/haz/workspace/infer/uv"
)

const nodeReader = "node"

// readers are those that `infer` in the workspace file names. A folder that several know is called what the first of them says.
var readers = []infer.Reader{node.Reader{}, golang.Reader{}, cargo.Reader{}, uv.Reader{}}

// ManifestNames are the files that make folders projects, and those that say which folders.
var ManifestNames = []string{"package.json", "pnpm-workspace.yaml", "go.work", "go.mod", "Cargo.toml", "pyproject.toml"}

// manifests are what has to lie in the root for a reader to find something.
var manifests = map[string]string{"node": "package.json or pnpm-workspace.yaml", "go": "go.work or go.mod", "cargo": "Cargo.toml", "uv": "pyproject.toml"}

// inferred is what manifests say.
type inferred struct {
	infer.Found
	at    map[string][]infer.Project // by folder
	locks locks
}

// infer reads manifests where the workspace file says so (haz::cfg::094).
func (l *loader) infer() {
	if l.settings == nil || !l.settings.Infer.Set {
		return
	}
	chosen := readersOf(l.settings.Infer)
	l.inferred.Found = infer.All(l.ctx, l.fs, chosen...)
	l.inferred.at = make(map[string][]infer.Project, len(l.inferred.Projects))
	for _, p := range l.inferred.Projects {
		l.inferred.at[p.Dir] = append(l.inferred.at[p.Dir], p)
	}
	l.inferred.locks = locksOf(l.inferred.Found)
	for _, d := range l.inferred.Mistakes {
		if d.Severity == diag.Error { // it may have been that of a project
			l.ws.Partial.Projects, l.ws.Partial.Tags = true, true
		}
		if d.Severity == diag.Error && l.o.ForgiveManifests {
			l.note(d)
		} else {
			l.add(d)
		}
	}
	l.noteMembers()
	l.ws.Inferred = &workspace.Inferred{Scripts: l.settings.Infer.Scripts.Value, Looked: patternsOf(l.inferred), Sources: sourcesOf(l.inferred), Manifests: make(map[string]bool, len(l.inferred.Projects))}
	for _, p := range l.inferred.Projects {
		l.ws.Inferred.Manifests[p.Manifest] = true
	}
	for _, r := range chosen {
		l.ws.Inferred.Readers = append(l.ws.Inferred.Readers, r.Name())
	}
	if !l.inferred.Mistakes.HasErrors() {
		l.foundNothing()
		l.noScripts()
	}
}

// noteMembers says once in every run that manifests list members that are not there (haz::cfg::130): the first, and how many more there are.
// In a sparse checkout they are somewhere else, and nobody need be told each time.
func (l *loader) noteMembers() {
	var first diag.Diagnostic
	n := 0
	for _, d := range l.inferred.Mistakes {
		if d.Code == infer.RuleMember {
			if n == 0 {
				first = d
			}
			n++
		}
	}
	if n == 0 || len(l.notCheckedOut()) > 0 {
		return
	}
	first.Place.Source = "" // one line is enough
	if n > 1 {
		first.Message += fmt.Sprintf(" (%d more: haz check lists them)", n-1)
	}
	l.ws.Notes = append(l.ws.Notes, first)
}

// readersOf are the readers that the workspace file names.
func readersOf(said config.Infer) []infer.Reader {
	if said.Auto {
		return readers
	}
	var list []infer.Reader
	for _, t := range said.Readers.Items {
		for _, r := range readers {
			if _, is := r.(node.Reader); is && r.Name() == t.Value {
				one := node.Reader{Scripts: said.Scripts.Value}
				for _, script := range said.Only.Items {
					one.Only = append(one.Only, script.Value)
				}
				list = append(list, one)
			} else if r.Name() == t.Value {
				list = append(list, r)
			}
		}
	}
	return list
}

// foundNothing warns about what was asked to find projects and found none (haz::cfg::101).
func (l *loader) foundNothing() {
	said := l.settings.Infer
	by := map[string]bool{}
	for _, p := range l.inferred.Projects {
		by[p.Reader] = true
	}
	if said.Auto && len(by) == 0 {
		l.add(diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::101", Place: l.settings.Source.Place(said.Span), KeyPath: "infer",
			Message: "no project is found: the root of the workspace has no package.json, pnpm-workspace.yaml, go.work, go.mod, Cargo.toml or pyproject.toml"})
	}
	for i, t := range said.Readers.Items {
		if !by[t.Value] {
			l.add(diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::101", Place: l.settings.Source.Place(t.Span), KeyPath: fmt.Sprintf("infer[%d]", i),
				Message: fmt.Sprintf("no project is found: the root of the workspace has no %s", manifests[t.Value])})
		}
	}
}

// noScripts warns about a name of scripts that no package has one of (haz::cfg::125).
func (l *loader) noScripts() {
	said := l.settings.Infer
	if !said.Scripts.Value || len(said.Only.Items) == 0 {
		return
	}
	there := map[string]bool{}
	for i := range l.inferred.Projects {
		for _, s := range l.inferred.Projects[i].Scripts {
			there[s.Name] = true
		}
	}
	for i, t := range said.Only.Items {
		if !there[t.Value] {
			l.add(diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::125", Place: l.settings.Source.Place(t.Span), KeyPath: fmt.Sprintf("infer.node.scripts[%d]", i),
				Message: fmt.Sprintf("no package has a script %s that is a task", diag.QuoteShort(t.Value)), Hint: "remove it from the list; scripts of a root with members are none"})
		}
	}
}

// patternsOf are those of files that decide which projects there are: manifests, and a haz.yml beside each.
func patternsOf(found inferred) []pattern.Pattern {
	texts := slices.Clone(found.Looked)
	for dir := range found.at {
		texts = append(texts, pattern.Escape(path.Join(dir, layout.ProjectFile)))
	}
	slices.Sort(texts)
	return parsed(texts)
}

func parsed(texts []string) (list []pattern.Pattern) {
	for _, text := range texts {
		if p, err := pattern.Parse(text); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// sourcesOf are the files of which a part decides it.
func sourcesOf(found inferred) (list []workspace.Sources) {
	for _, s := range found.Sources {
		var texts []string
		for _, dir := range s.In {
			texts = append(texts, path.Join(pattern.Escape(dir), s.Name))
		}
		for _, dir := range s.Below {
			texts = append(texts, path.Join(pattern.Escape(dir), "**", s.Name))
		}
		list = append(list, workspace.Sources{Patterns: parsed(texts), LeftOut: s.LeftOut, Part: s.Part, Folders: s.Folders, Same: s.Same})
	}
	return list
}

// found adds the folders that manifests make projects to those that the list selects.
func (l *loader) found(selected []directory) []directory {
	known := make(map[string]bool, len(selected))
	for _, d := range selected {
		known[d.path] = true
	}
	for _, p := range l.inferred.Projects {
		if !known[p.Dir] {
			known[p.Dir] = true
			selected = append(selected, directory{p.Dir, -1})
		}
	}
	return selected
}

// nothingSaid is what a project without a haz.yml says.
func nothingSaid() *config.Project {
	return &config.Project{Source: &config.Source{}, AliasesKnown: true, TagsKnown: true, TasksKnown: true, FilesKnown: true}
}

// fill gives a project what its manifests say and its haz.yml, which may be missing, does not: name and tags (haz::cfg::095).
func (l *loader) fill(p *project, c *config.Project, diags diag.List) diag.List {
	found := l.inferred.at[p.dir.path]
	if len(found) == 0 {
		return diags
	}
	if !c.Tags.Set && c.TagsKnown {
		for _, f := range found {
			for _, tag := range f.Tags {
				c.Tags.Items = append(c.Tags.Items, config.Text{Value: tag})
			}
		}
		slices.SortFunc(c.Tags.Items, func(a, b config.Text) int { return cmp.Compare(a.Value, b.Value) })
		c.Tags.Items = slices.CompactFunc(c.Tags.Items, func(a, b config.Text) bool { return a.Value == b.Value })
	}
	if c.Name.Set || c.Source.File != "" && !c.Nameless {
		return diags
	}
	at := slices.IndexFunc(found, func(f infer.Project) bool { return f.Name != "" })
	first := found[max(at, 0)]
	c.Name = config.Text{Value: first.Name, Set: true}
	p.namePlace = first.Place
	switch {
	case first.Name == "" && p.dir.path == "/":
		c.Name.Value = nameFor(l.ws.Root)
	case first.Name == "":
		c.Name.Value = possible(p.dir.path[1:])
	case workspace.CheckProjectName(first.Name) != nil:
		c.Name.Value = possible(first.Name)
		p.diags = append(p.diags, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::100", Place: first.Place,
			Message: fmt.Sprintf("this is no name of a project: %v; it is called %s here", workspace.CheckProjectName(first.Name), diag.Quote(c.Name.Value)),
			Hint:    "a haz.yml beside it can give it another one: name: " + c.Name.Value})
	}
	return slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { return c.Nameless && d.Code == "haz::cfg::013" })
}

// manifestNames makes what manifests call a project an alias of it, where it is called otherwise (haz::cfg::095) and nothing else is called so.
func (l *loader) manifestNames(projects []*project) {
	if len(l.inferred.at) == 0 {
		return
	}
	taken := make(map[string]int, len(projects)) // how many have it
	for _, p := range l.ws.Projects {
		taken[p.Name]++
	}
	for _, a := range l.ws.Aliases {
		taken[a.Name]++
	}
	others := func(p *project, each func(name string)) {
		if p.Project == nil {
			return
		}
		seen := append([]string{p.Name}, p.Aliases...)
		for _, f := range l.inferred.at[p.dir.path] {
			for _, name := range append([]string{f.Name}, f.Aliases...) {
				if !slices.Contains(seen, name) && workspace.CheckProjectName(name) == nil {
					seen = append(seen, name)
					each(name)
				}
			}
		}
	}
	for _, p := range projects {
		others(p, func(name string) { taken[name]++ })
	}
	for _, p := range projects {
		others(p, func(name string) {
			if taken[name] == 1 {
				p.Aliases = append(p.Aliases, name)
				l.ws.Aliases = append(l.ws.Aliases, workspace.Alias{Name: name, Project: p.Project})
			}
		})
		if p.Project != nil {
			slices.Sort(p.Aliases)
		}
	}
	slices.SortFunc(l.ws.Aliases, func(a, b workspace.Alias) int { return strings.Compare(a.Name, b.Name) })
}

// otherName is a hint for a project whose name another one has: a manifest is not changed for haz.
func (l *loader) otherName(p *project) string {
	if len(l.inferred.at[p.dir.path]) == 0 || p.File != "" {
		return ""
	}
	name := nameFor(l.ws.Root)
	if p.dir.path != "/" {
		name = possible(p.dir.path[1:])
	}
	return fmt.Sprintf("a %s can give it another name: name: %s", diag.Escape(inside(path.Join(p.dir.path, layout.ProjectFile))), name)
}

// possible makes a name that a project may have of a text.
func possible(text string) string {
	name := strings.TrimLeft(strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.@/", r)) {
			return r
		}
		return '-'
	}, text), "_-./@")
	if name = name[:min(len(name), workspace.NameMax)]; workspace.CheckProjectName(name) != nil {
		return config.NearestName(text)
	}
	return name
}

// edges relates projects as their manifests do (haz::cfg::098): behind what their haz.yml says.
func (l *loader) edges(projects []*project) {
	if len(l.inferred.Edges) == 0 {
		return
	}
	byDir := make(map[string]*workspace.Project, len(projects))
	for _, p := range projects {
		if p.Project != nil {
			byDir[p.Dir] = p.Project
		}
	}
	for _, e := range l.inferred.Edges {
		if from, to := byDir[e.From], byDir[e.To]; from != nil && to != nil {
			from.Uses = append(from.Uses, workspace.Use{Name: to.Name, Place: e.Place})
		}
	}
}

// Declares reports whether a file, by its workspace-absolute name, may say what a workspace is that reads manifests with these readers.
func Declares(names []string, file string) bool {
	return slices.ContainsFunc(readers, func(r infer.Reader) bool { return slices.Contains(names, r.Name()) && r.Reads(file) })
}

// Readers are the names of all readers of manifests.
func Readers() []string {
	list := make([]string, len(readers))
	for i, r := range readers {
		list[i] = r.Name()
	}
	return list
}
