package moving

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/parallel"
)

// Where manifests do not say who uses whom, nx reads it from the sources: an import of the name of a package here, or of a name to which `paths`
// of the tsconfig in the root give a file here. haz is told once, in `uses`.

// nxImports is what names in imports mean.
type nxImports struct {
	packages map[string]*nxProject // by the name of their manifest
	paths    []nxPath
	owners   map[string]*nxProject // by folder
}

// nxPath is one of `paths`: a name, and the file that it stands for. Both may have one "*".
type nxPath struct{ name, file string }

// imports adds who uses whom by what sources import.
func (n *nx) imports(ctx context.Context) {
	m := n.importNames()
	if len(m.paths) == 0 && !slices.ContainsFunc(n.projects, func(p *nxProject) bool { return !n.inferred(p) }) {
		return
	}
	var files []string
	for _, name := range n.files() {
		if nxSources[path.Ext(name)] && m.owner(name) != nil {
			files = append(files, name)
		}
	}
	found := make([][]*nxProject, len(files))
	parallel.Each(ctx, len(files), func(i int) {
		for _, name := range importsOf(string(n.disk.Source(files[i]))) {
			if q := m.project(name); q != nil && q.dir != "/" {
				found[i] = append(found[i], q)
			}
		}
	})
	said := false
	for i, list := range found {
		p := m.owner(files[i])
		for _, q := range list {
			known := q == p || slices.Contains(p.uses, q) || slices.Contains(p.without, q) || p.pkg != nil && q.pkg != nil && slices.Contains(p.pkg.uses, q.pkg)
			if !known {
				p.uses, said = append(p.uses, q), true
			}
		}
	}
	for _, p := range n.projects {
		slices.SortFunc(p.uses, func(a, b *nxProject) int { return cmp.Compare(a.ours, b.ours) })
	}
	if said {
		n.draft.comments = append(n.draft.comments, "`uses` of projects has what their sources import today, which nx looks at each time: a new import of another project needs its name there.")
	}
}

// nxSources are the ends of names of files that import.
var nxSources = set(".ts .tsx .mts .cts .js .jsx .mjs .cjs .vue .svelte .astro")

// importNames reads what names mean.
func (n *nx) importNames() *nxImports {
	m := &nxImports{packages: map[string]*nxProject{}, owners: map[string]*nxProject{}}
	for _, p := range n.projects {
		m.owners[p.dir] = p
		name := ""
		if p.pkg != nil {
			name = p.pkg.Name
		} else if manifest := n.besides(p); manifest != nil {
			name, _ = manifest.Get("name").Text()
		}
		if name != "" && p.dir != "/" {
			m.packages[name] = p
		}
	}
	for _, file := range []string{"/tsconfig.base.json", "/tsconfig.json"} {
		v := n.settingsOf(file)
		if v == nil {
			continue
		}
		options := v.Get("compilerOptions")
		base, _ := options.Get("baseUrl").Text()
		for name, f := range options.Get("paths").Fields() {
			list, _ := f.Value.Items()
			for _, to := range list {
				if text, ok := to.Text(); ok {
					m.paths = append(m.paths, nxPath{name, path.Join("/", base, text)})
				}
			}
		}
		break
	}
	return m
}

// owner is the project in whose folder a file lies; nil for none.
func (m *nxImports) owner(file string) *nxProject {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if p := m.owners[dir]; p != nil || dir == "/" {
			return p
		}
	}
}

// project is the one that an import means; nil for none that is here.
func (m *nxImports) project(name string) *nxProject {
	if strings.HasPrefix(name, ".") {
		return nil
	}
	for _, p := range m.paths {
		before, after, star := strings.Cut(p.name, "*")
		switch {
		case !star && p.name == name:
			return m.owner(p.file)
		case star && len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after):
			return m.owner(path.Join(strings.Replace(p.file, "*", name[len(before):len(name)-len(after)], 1), "x"))
		}
	}
	parts := strings.SplitN(name, "/", 3)
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		return m.packages[parts[0]+"/"+parts[1]]
	}
	return m.packages[parts[0]]
}

var (
	importing = lazily(`(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\(|\brequire\.resolve\s*\()\s*["']([^"'\n]+)["']`)
	unread    = lazily(`(?s)/\*.*?\*/|//[^\n]*nx-ignore-next-line[^\n]*\n[^\n]*|(?m:^[ \t]*//[^\n]*$)`)
)

// importsOf are the names that a source imports. It is not read as a language: a text that looks like an import counts as one, but for comments.
func importsOf(text string) (names []string) {
	for _, found := range importing().FindAllStringSubmatch(unread().ReplaceAllString(text, " "), -1) {
		names = append(names, found[1])
	}
	return names
}
