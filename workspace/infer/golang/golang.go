// Package golang finds Go modules, and which of them uses which: by go.work, go.mod and import clauses, without the go command
// (haz::cfg::105).
//
// With a go.work in the root of the workspace the modules are those that it uses; without one, those of all go.mod below the root,
// where the root has one. Folders that a `replace` leads to are modules as well.
package golang

import (
	"context"
	"path"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace/infer"
)

// Names of the manifests.
const (
	workFile = "go.work"
	modFile  = "go.mod"
)

// Reader is the infer.Reader of Go.
type Reader struct{}

// Name is "go".
func (Reader) Name() string { return "go" }

// Reads reports whether a name is that of a manifest or of a Go file, whose imports count.
func (Reader) Reads(name string) bool {
	base := path.Base(name)
	return base == modFile || name == "/"+workFile || path.Ext(base) == ".go"
}

// Read finds modules. It reads go.work, the go.mod of each module and one of its Go files; and, of a module that go.work uses and that
// does not require all others that it uses, all Go files: what it imports from another one need not stand in its go.mod.
func (Reader) Read(ctx context.Context, d *infer.Disk) infer.Found {
	w := &world{ctx: ctx, d: d, modules: map[string]*mod{}, ways: infer.NewWays(d)}
	w.find()
	list := infer.Sorted(w.modules)
	parallel.Each(ctx, len(list), func(i int) { w.require(list[i]) })
	w.imports(list)
	parts := make([]infer.Found, len(list))
	parallel.Each(ctx, len(list), func(i int) {
		m := list[i]
		parts[i] = infer.Found{Projects: []infer.Project{m.project()}, Edges: m.edges, Mistakes: m.mistakes}
	})
	found := infer.Joined(parts)
	found.Mistakes = append(w.mistakes, found.Mistakes...)
	found.Locks, found.Sources = w.locks(list), w.sources(list)
	return found
}

// world is what one Read knows.
type world struct {
	ctx context.Context
	d   *infer.Disk

	work     *modfile.WorkFile // nil: there is none
	modules  map[string]*mod   // by folder
	mains    map[string]*mod   // those that go.work uses, by path
	shared   replaces          // of go.work and, behind them, of all modules that it uses
	ways     *infer.Ways
	lists    map[string][]fsys.Entry // of folders that were listed on the way to their go.mod
	mistakes diag.List
}

// mod is a folder with a go.mod.
type mod struct {
	dir      string
	text     *infer.Text
	file     *manifest
	entries  []fsys.Entry // of the folder
	used     bool         // by go.work
	own      replaces
	free     bool            // all that it requires is here
	lacks    bool            // go.work uses modules that it does not require
	wants    []want          // what it imports that may be of those
	app      bool            // its folder holds a program
	uses     map[string]bool // folders of itself and the modules that its edges lead to
	edges    []infer.Edge
	mistakes diag.List
}

func (m *mod) project() infer.Project {
	p := infer.Project{Reader: "go", Dir: m.dir, Name: m.file.module, Manifest: m.text.Name, Place: m.file.at.place(m.text), Tags: []string{"go", "lib"}}
	if prefix, _, ok := module.SplitPathVersion(p.Name); ok && path.Base(prefix) != p.Name && p.Name != "" {
		p.Aliases = []string{path.Base(prefix)}
	}
	if m.app {
		p.Tags = []string{"app", "go"}
	}
	return p
}
