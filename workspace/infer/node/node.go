// Package node finds packages in workspaces of npm, pnpm, yarn and bun, by what each of them takes for one, and which of them a
// dependency leads to.
package node

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace/infer"
)

// RuleNoMatch is the rule about a glob that selects no package.
const RuleNoMatch = "haz::cfg::099"

// Reader reads package.json, pnpm-workspace.yaml and what else says which folders are packages.
type Reader struct {
	Scripts bool // are to be among what is found
	// Only are the names of those that are meant, of packages that are no root of others; nil for all scripts.
	Only []string
}

// Name is "node".
func (Reader) Name() string { return "node" }

// Reads reports whether a name is that of a manifest, of a file of settings or of a lock file that says who manages the packages.
func (Reader) Reads(name string) bool {
	switch path.Base(name) {
	case manifestFile:
		return true
	case path.Base(pnpmFile), path.Base(yarnFile), path.Base(npmFile), "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb":
		return path.Dir(name) == "/"
	}
	return false
}

// Read gives the packages of the workspace, the root among them when it has a package.json.
func (r Reader) Read(ctx context.Context, d *infer.Disk) (found infer.Found) {
	root, mistakes := readManifest(d, "/")
	s, bad := readSettings(d, root)
	mistakes = append(mistakes, bad...)
	w := &packages{settings: s, root: root}
	if root != nil && root.broken {
		w.root = nil // its list of folders counts as far as it goes, so that the others load
	} else if root != nil {
		w.add(root)
	}
	base := "/"
	globs := s.globs
	for level := 0; len(globs) > 0 && ctx.Err() == nil; level++ {
		mistakes = append(mistakes, w.members(ctx, d, base, globs)...)
		base, globs = w.nested()
	}
	found.Mistakes = mistakes
	found.Edges = w.edges(ctx, d)
	found.Projects = w.projects(found.Edges)
	lock, there := w.lock(d)
	if len(w.all) > 0 {
		found.Locks = []infer.Lock{lock}
	}
	if r.Scripts {
		found.Mistakes = append(found.Mistakes, w.scripts(r.Only, there, found.Projects)...)
	}
	return found
}

// packages are those of a workspace.
type packages struct {
	settings
	root *manifest // nil: there is none
	all  []*manifest
	dirs map[string]*manifest
	seen map[string]bool // folders that were looked into
	next int             // the first of all whose own list of folders was not looked at
}

func (w *packages) add(m *manifest) {
	if w.dirs == nil {
		w.dirs = map[string]*manifest{}
	}
	w.dirs[m.dir] = m
	w.all = append(w.all, m)
}

// nested is the list of folders of a package that is no root; only yarn looks at it.
func (w *packages) nested() (base string, globs []glob) {
	if w.manager != yarn {
		return "", nil
	}
	for ; w.next < len(w.all); w.next++ {
		if m := w.all[w.next]; m != w.root && len(m.workspaces) > 0 {
			for _, t := range m.workspaces {
				globs = append(globs, glob{t.value, m.text.Place(t.at.start, t.at.end)})
			}
			w.next++
			return m.dir, globs
		}
	}
	return "", nil
}

// skipped are the folders that no wildcard enters.
func (w *packages) skipped() []string {
	switch w.manager {
	case pnpm:
		return []string{"node_modules", "bower_components"}
	case yarn:
		return []string{"node_modules", ".yarn"}
	}
	return []string{"node_modules"}
}

// members adds the packages in the folders that globs name, relative to base.
func (w *packages) members(ctx context.Context, d *infer.Disk, base string, globs []glob) (mistakes diag.List) {
	members, takes, mistakes := w.compile(base, globs)
	folders := d.Folders(ctx, members)
	if w.seen == nil {
		w.seen = map[string]bool{"/": true}
	}
	manifests, bad := make([]*manifest, len(folders)), make([]diag.List, len(folders))
	parallel.Each(ctx, len(folders), func(i int) {
		if !w.seen[folders[i].Dir] {
			if manifests[i], bad[i] = readManifest(d, folders[i].Dir); manifests[i] != nil && manifests[i].broken {
				manifests[i] = nil
			}
		}
	})
	matches := make([]bool, len(takes))
	for i, f := range folders {
		if manifests[i] != nil {
			w.add(manifests[i])
		}
		if manifests[i] != nil || bad[i] != nil || w.seen[f.Dir] {
			for _, g := range f.Globs {
				matches[g] = true
			}
		}
		w.seen[f.Dir] = true
		mistakes = append(mistakes, bad[i]...)
	}
	for i, g := range takes {
		if !matches[i] && ctx.Err() == nil {
			mistakes = append(mistakes, diag.Diagnostic{Severity: diag.Warning, Code: RuleNoMatch, Place: g.place,
				Message: diag.QuoteShort(g.text) + " selects no folder with a " + manifestFile})
		}
	}
	return mistakes
}

// compile reads globs, and gives those of them that take folders.
func (w *packages) compile(base string, globs []glob) (m infer.Members, takes []glob, mistakes diag.List) {
	leaves := 0
	for _, g := range globs {
		if strings.HasPrefix(g.text, "!") {
			leaves++
		}
		if leaves > leavesMax {
			return infer.Members{}, nil, diag.List{{Code: infer.RuleBroken, Place: g.place, Message: fmt.Sprintf("there are more than %d globs with `!`", leavesMax)}}
		}
	}
	m.Skip = w.skipped()
	for _, g := range w.effective(globs) {
		rest := strings.TrimLeft(g.text, "!")
		leaves := (len(g.text)-len(rest))%2 == 1
		if w.manager == yarn && path.Base(rest) == "**" { // it matches folders, not the file in them
			rest = path.Join(rest, "*")
		}
		glob, err := infer.NewGlob(base, rest, manifestFile, false)
		switch {
		case err != nil:
			mistakes = append(mistakes, diag.Diagnostic{Severity: diag.Warning, Code: RuleNoMatch, Place: g.place,
				Message: fmt.Sprintf("%s selects nothing here: %v", diag.QuoteShort(g.text), err)})
		case leaves:
			m.Leave = append(m.Leave, glob)
		default:
			m.Take, takes = append(m.Take, glob), append(takes, g)
		}
	}
	return m, takes, mistakes
}

// leavesMax is how many globs of a list may take folders away: each of them is asked about each folder.
const leavesMax = 200

// effective leaves out what npm does not look at: a glob with "!" that names a later one.
func (w *packages) effective(globs []glob) []glob {
	if w.manager != npm {
		return globs
	}
	var out []glob
	for i, g := range globs {
		rest, leaves := strings.CutPrefix(g.text, "!")
		if leaves {
			not, err := infer.NewGlob("/", rest, "", false)
			if err == nil && slices.ContainsFunc(globs[i+1:], func(o glob) bool { return not.Match(path.Join("/", o.text)) }) {
				continue
			}
		}
		out = append(out, g)
	}
	return out
}

// projects are the packages as values. Which of them others use is known.
func (w *packages) projects(edges []infer.Edge) []infer.Project {
	used := make(map[string]bool, len(edges))
	for _, e := range edges {
		used[e.To] = true
	}
	out := make([]infer.Project, 0, len(w.all))
	for _, m := range w.all {
		p := infer.Project{Reader: "node", Dir: m.dir, Name: m.name.value, Manifest: m.text.Name, Tags: []string{"node"}, Place: diag.Place{File: m.text.File()}}
		if m.name.value != "" {
			p.Place = m.text.Place(m.name.at.start, m.name.at.end)
		}
		switch {
		case m == w.root && w.told:
		case m.entry || !m.private || used[m.dir]:
			p.Tags = []string{"lib", "node"}
		default:
			p.Tags = []string{"app", "node"}
		}
		out = append(out, p)
	}
	return out
}
