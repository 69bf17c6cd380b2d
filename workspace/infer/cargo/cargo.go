// Package cargo finds the packages of a Cargo workspace, and which of them uses which, by Cargo.toml, without cargo (haz::cfg::106).
package cargo

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/toml"
)

const manifestFile = "Cargo.toml"

// Reader is the infer.Reader of Rust.
type Reader struct{}

// Name is "cargo".
func (Reader) Name() string { return "cargo" }

// Reads reports whether a name is that of a manifest, or of a file that says of which kind a package is.
func (Reader) Reads(name string) bool {
	base := path.Base(name)
	return base == manifestFile || base == "main.rs" || base == "lib.rs"
}

// Read finds packages. It reads Cargo.toml in the root of the workspace, and those of the members and of all folders that dependencies
// and patches lead to.
func (Reader) Read(ctx context.Context, d *infer.Disk) infer.Found {
	w := &world{ctx: ctx, d: d, packages: map[string]*pkg{}, ways: infer.NewWays(d)}
	root := w.read("/")
	if root == nil {
		return infer.Found{}
	}
	w.packages["/"], w.root = root, root
	w.patches()
	level := append(w.members(), root)
	for len(level) > 0 && ctx.Err() == nil {
		parallel.Each(ctx, len(level), func(i int) { w.resolve(level[i]) })
		var next []string
		for _, p := range level {
			for _, u := range p.uses {
				next = append(next, u.dir)
			}
		}
		level = infer.ReadNew(ctx, w.packages, next, w.read)
	}
	return w.found()
}

// world is what one Read knows.
type world struct {
	ctx      context.Context
	d        *infer.Disk
	ways     *infer.Ways
	root     *pkg
	packages map[string]*pkg // by folder
	patched  map[patched]string
}

// pkg is a folder with a Cargo.toml.
type pkg struct {
	dir      string
	text     *infer.Text
	doc      *toml.Value
	broken   bool // what follows a mistake in doc is not known
	app      bool
	uses     []use
	mistakes diag.List
}

// use is a dependency in a folder of the workspace.
type use struct {
	dir   string
	kind  string
	value *toml.Value
}

func (w *world) read(dir string) *pkg {
	name := path.Join(dir, manifestFile)
	text, bad := w.d.Manifest(name)
	switch {
	case bad != nil:
		return &pkg{dir: dir, text: infer.NewText(name, ""), broken: true, mistakes: diag.List{*bad}}
	case text == nil:
		return nil
	}
	p := &pkg{dir: dir, text: text}
	p.doc, p.mistakes = toml.Parse(text)
	p.broken = len(p.mistakes) > 0
	if name := p.doc.Get("package", "name"); !p.broken && p.doc.Get("package") != nil {
		if _, ok := name.Text(); !ok {
			p.mistakes = append(p.mistakes, p.doc.Get("package").Mistake(text, "the package has no name, a string"))
		}
	}
	p.app = w.isProgram(p)
	return p
}

// members reads the members that the root lists.
func (w *world) members() []*pkg {
	ws := w.root.doc.Get("workspace")
	entries := w.root.texts(ws.Get("members"))
	var m infer.Members
	var at []*toml.Value // of each glob
	for _, e := range entries {
		text, _ := e.Text()
		if !stays(text) {
			continue
		}
		g, err := infer.NewGlob("/", text, manifestFile, true)
		if err != nil {
			w.root.mistakes = append(w.root.mistakes, e.Mistake(w.root.text, fmt.Sprintf("the member %s cannot be read: %v", diag.QuoteShort(text), err)))
			continue
		}
		m.Take, at = append(m.Take, g), append(at, e)
	}
	excluded := w.excluded(ws, entries)
	var dirs []string
	bare := map[string]*toml.Value{}
	filled := make([]bool, len(m.Take))
	for _, f := range w.d.Folders(w.ctx, m) {
		for _, i := range f.Globs {
			filled[i] = true
		}
		if !excluded(f.Dir) {
			dirs = append(dirs, f.Dir)
			bare[f.Dir] = at[f.Globs[0]]
		}
	}
	w.ways.Know(dirs)
	read := infer.ReadNew(w.ctx, w.packages, slices.Clone(dirs), w.read)
	for _, dir := range dirs {
		if w.packages[dir] == nil && w.ctx.Err() == nil {
			w.missing(bare[dir], fmt.Sprintf("the member %s has no Cargo.toml", diag.Quote(dir[1:])))
		}
	}
	for i, f := range filled {
		if !f {
			text, _ := at[i].Text()
			w.missing(at[i], fmt.Sprintf("the member %s is nowhere", diag.QuoteShort(text)))
		}
	}
	return read
}

func (w *world) missing(at *toml.Value, message string) {
	w.root.mistakes = append(w.root.mistakes, diag.Diagnostic{Severity: diag.Warning, Code: infer.RuleMember, Place: at.Place(w.root.text), Message: message})
}

// stays reports whether a path from the root of the workspace stays in it.
func stays(text string) bool {
	clean := path.Clean(text)
	return !path.IsAbs(text) && clean != ".." && !strings.HasPrefix(clean, "../")
}

// excluded tells which folders `exclude` takes away: those that are below one of its paths and not below one that members spell.
func (w *world) excluded(ws *toml.Value, members []*toml.Value) func(dir string) bool {
	under := func(dir string, entries []*toml.Value) bool {
		return slices.ContainsFunc(entries, func(e *toml.Value) bool {
			text, _ := e.Text()
			at := path.Join("/", text)
			return stays(text) && (dir == at || strings.HasPrefix(dir, strings.TrimSuffix(at, "/")+"/"))
		})
	}
	entries := w.root.texts(ws.Get("exclude"))
	return func(dir string) bool { return under(dir, entries) && !under(dir, members) }
}

// texts are the strings of a list. All else is a mistake of the manifest.
func (p *pkg) texts(v *toml.Value) []*toml.Value {
	texts, mistakes := v.Texts(p.text, false)
	p.mistakes = append(p.mistakes, mistakes...)
	return texts
}

// isProgram reports whether a package has a program, by its manifest or by the files that cargo looks for.
func (w *world) isProgram(p *pkg) bool {
	if len(p.doc.Get("bin").Items()) > 0 {
		return true
	}
	if auto := p.doc.Get("package", "autobins"); auto != nil && !auto.True() || p.doc.Get("package") == nil {
		return false
	}
	return w.d.Is(path.Join(p.dir, "src/main.rs")) || len(w.d.List(path.Join(p.dir, "src/bin"))) > 0
}

// sources are the files that make a package a program by lying where they do.
func sources(list []*pkg) []infer.Sources {
	mains, bins := infer.Sources{Name: "main.rs"}, infer.Sources{Name: "*.rs"}
	for _, p := range list {
		mains.In = append(mains.In, path.Join(p.dir, "src"))
		bins.Below = append(bins.Below, path.Join(p.dir, "src/bin"))
	}
	return []infer.Sources{mains, bins}
}

// isPackage reports whether the manifest is of a package, or may be; not of a workspace alone.
func (p *pkg) isPackage() bool {
	return p.doc.Get("package") != nil || p.broken && p.doc.Get("workspace") == nil
}

func (w *world) found() infer.Found {
	list := infer.Sorted(w.packages)
	parts := make([]infer.Found, len(list))
	parallel.Each(w.ctx, len(list), func(i int) { parts[i] = w.about(list[i]) })
	all := infer.Joined(parts)
	if len(all.Projects) > 0 { // the lock file lists what its members depend on
		all.Locks = []infer.Lock{infer.LockOf("/Cargo.lock", all.Projects)}
		all.Sources = sources(list)
	}
	return all
}

// about is what one manifest says.
func (w *world) about(p *pkg) infer.Found {
	f := infer.Found{Mistakes: p.mistakes}
	if !p.isPackage() {
		return f
	}
	project := infer.Project{Reader: "cargo", Dir: p.dir, Manifest: p.text.Name, Place: p.text.Place(0, 0), Tags: []string{"lib", "rust"}}
	if p.app {
		project.Tags = []string{"app", "rust"}
	}
	if name := p.doc.Get("package", "name"); name != nil {
		project.Name, _ = name.Text()
		project.Place = name.Place(p.text)
	}
	f.Projects = []infer.Project{project}
	for _, u := range p.uses {
		if to := w.packages[u.dir]; to != nil && to.isPackage() {
			f.Edges = append(f.Edges, infer.Edge{From: p.dir, To: u.dir, Kind: u.kind, Place: u.value.Place(p.text)})
		}
	}
	return f
}
