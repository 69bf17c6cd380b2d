package cargo

import (
	"strings"

	"github.com/haz-build/haz/workspace/infer/toml"
)

// sections are where a manifest, and a target in it, says what it depends on. Cargo reads the old spellings with a warning.
var sections = []struct{ key, kind string }{
	{"dependencies", "dependencies"},
	{"dev-dependencies", "dev-dependencies"},
	{"dev_dependencies", "dev-dependencies"},
	{"build-dependencies", "build-dependencies"},
	{"build_dependencies", "build-dependencies"},
}

// patched is a package of elsewhere that a patch replaces.
type patched struct{ source, name string }

const registry = "crates-io"

// resolve finds which dependencies of a package lie in the workspace, those of all targets and features.
func (w *world) resolve(p *pkg) {
	if p.doc.Get("package") == nil {
		return
	}
	w.section(p, p.doc)
	for _, target := range p.doc.Get("target").Fields() {
		w.section(p, target)
	}
}

func (w *world) section(p *pkg, table *toml.Value) {
	for _, s := range sections {
		all := table.Get(s.key)
		if all != nil && !all.IsTable() {
			p.mistakes = append(p.mistakes, all.Mistake(p.text, "want a table, found "+all.Kind()))
		}
		for name, v := range all.Fields() {
			if dir := w.dependency(p, name, v); dir != "" && dir != p.dir {
				p.uses = append(p.uses, use{dir, s.kind, v})
			}
		}
	}
}

// dependency is the folder that one leads to; "" when it is none of the workspace.
func (w *world) dependency(p *pkg, name string, v *toml.Value) string {
	from := p.dir
	if v.Get("workspace").True() {
		root := w.root
		if p.doc.Get("workspace") != nil {
			root = p
		}
		from, v = root.dir, root.doc.Get("workspace", "dependencies", name)
	}
	if to, ok := v.Get("path").Text(); ok {
		dir, _ := w.ways.To(from, to)
		return dir
	}
	if v == nil || len(w.patched) == 0 {
		return ""
	}
	source := registry
	if url, ok := v.Get("git").Text(); ok {
		source = url
	} else if other, ok := v.Get("registry").Text(); ok {
		source = other
	} else if other, ok := v.Get("registry-index").Text(); ok {
		source = other
	}
	return w.patched[patched{canonical(source), packageName(name, v)}]
}

// patches reads what the root puts in the place of packages from elsewhere, as far as it lies in the workspace.
func (w *world) patches() {
	w.patched = map[patched]string{}
	for source, table := range w.root.doc.Get("patch").Fields() {
		for name, v := range table.Fields() {
			if to, ok := v.Get("path").Text(); ok {
				if dir, _ := w.ways.To("/", to); dir != "" {
					w.patched[patched{canonical(source), packageName(name, v)}] = dir
				}
			}
		}
	}
}

// packageName is what a dependency is called where it comes from.
func packageName(name string, v *toml.Value) string {
	if real, ok := v.Get("package").Text(); ok {
		return real
	}
	return name
}

// canonical spells the address of a source as cargo compares it.
func canonical(source string) string {
	return strings.TrimSuffix(strings.TrimSuffix(source, "/"), ".git")
}
