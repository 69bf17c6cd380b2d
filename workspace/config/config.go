// Package config reads the three kinds of files that make a workspace: YAML text becomes typed values with places, and
// diagnostics for everything that is wrong with it (chapter 1, sections 3 to 6).
//
// One table (schema.go) holds the keys with their types, rules and documentation: files are read by it, and the JSON Schemas
// under docs/schema and the reference manual are printed from it. The package is alone in knowing the YAML library, of which
// it uses the nodes and nothing else: values keep their text as written, whatever YAML would make of it.
//
// Reading is total: it never panics, and goes on after an error, so that all errors of a file show at once. It touches no
// disk. References are left as texts; package workspace parses them.
package config

import (
	"path"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// File is a file to read.
type File struct {
	Name string // as diagnostics show it: relative to the root of the workspace
	Text []byte
	// Rule is what a text that is not UTF-8 breaks: "DISC-004" for a workspace file, "DISC-003" or "DISC-008" for a project,
	// "haz::cfg::023" for an overlay.
	Rule string
	// Lines are what diagnostics call the lines of a text that is no file, "task lib:build", instead of a place in it; the whole has
	// Name. nil: it is a file.
	Lines []string
}

// ReadWorkspace reads .haz/workspace.yml. What could be read is returned also when there are errors; it is never nil.
func ReadWorkspace(f File) (*Workspace, diag.List) {
	w := &Workspace{}
	m := mapper{kind: &workspaceKind}
	n := m.parse(f)
	w.Source = m.src
	if n == nil {
		return w, m.diags
	}
	w.ProjectsKnown, w.FilesKnown = true, true
	m.object(workspaceObject, "haz::cfg::005", n, w)
	m.defaults(w.Defaults, w.Env.Strict)
	inferred := w.Infer.Set || slices.Contains(m.seen, "infer") && !w.ProjectsKnown // or it was to be
	if m.misses(n, "projects") && !inferred {
		w.ProjectsKnown = false
		m.addCode("haz::cfg::009", m.top(), "the required key projects is missing",
			someProjects+noProjects)
	}
	return w, m.diags
}

const (
	someProjects = `projects: [/app, "/libs/*"]`
	noProjects   = "    or, for a workspace without projects: projects: []"
)

func (w *Workspace) incomplete(key string) {
	if key == "" || key == "projects" || key == "infer" {
		w.ProjectsKnown = false
	}
	if key == "" || key == "files" {
		w.FilesKnown = false
	}
}

// ReadProject reads a haz.yml. What could be read is returned also when there are errors; it is never nil.
func ReadProject(f File) (*Project, diag.List) {
	p := &Project{}
	m := mapper{kind: &projectKind}
	n := m.parse(f)
	p.Source = m.src
	if n == nil {
		return p, m.diags
	}
	p.AliasesKnown, p.TagsKnown, p.TasksKnown, p.FilesKnown = true, true, true, true
	m.object(projectObject, "haz::cfg::005", n, p)
	m.defaults(p.Defaults, p.Env.Strict)
	if m.misses(n, "name") {
		p.Nameless = true
		m.addCode("haz::cfg::013", m.top(), "the project has no name", "name: "+suggestName(f.Name))
	}
	return p, m.diags
}

func (p *Project) incomplete(key string) {
	if key == "aliases" {
		p.AliasesKnown = false
	}
	if key == "" || key == "tags" {
		p.TagsKnown = false
	}
	if key == "" || key == "tasks" {
		p.TasksKnown = false
	}
	if key == "" || key == "files" {
		p.FilesKnown = false
	}
}

// ReadOverlay reads a file of .haz/tasks. What could be read is returned also when there are errors; it is never nil.
func ReadOverlay(f File) (*Overlay, diag.List) {
	o := &Overlay{}
	m := mapper{kind: &overlayKind}
	n := m.parse(f)
	o.Source = m.src
	if n == nil {
		return o, m.diags
	}
	o.FilterKnown, o.TasksKnown = true, true
	m.object(overlayObject, "haz::cfg::005", n, o)
	if m.misses(n, "tasks") {
		o.TasksKnown = false
		m.addCode("haz::cfg::025", m.top(), "the overlay has no top-level key tasks", "tasks:\n  lint:\n    command: [\"program\", \"argument\"]")
	}
	return o, m.diags
}

func (o *Overlay) incomplete(key string) {
	if key == "" || key == "tagsFilter" {
		o.FilterKnown = false
	}
	if key == "" || key == "tasks" {
		o.TasksKnown = false
	}
}

var notInName = lazily(`[^A-Za-z0-9_-]+|^[^A-Za-z0-9]+`)

// suggestName makes a name of the folder of a haz.yml.
func suggestName(file string) string {
	return NearestName(path.Base(path.Dir(file)))
}

// NearestName makes a name of a text: what no name has is a hyphen, and what is too long is cut.
func NearestName(text string) string {
	name := notInName().ReplaceAllString(notInName().ReplaceAllString(text, "-"), "")
	if name = name[:min(len(name), workspace.NameMax)]; workspace.CheckName(name) != nil {
		return "core"
	}
	return name
}
