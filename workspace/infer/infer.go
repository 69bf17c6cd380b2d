// Package infer finds the projects of a workspace, and which of them uses which, in the manifests of other tools: package.json, go.mod,
// Cargo.toml, pyproject.toml. No toolchain is started and no network is asked: what counts is what is written in the workspace.
//
// A Reader knows one kind of manifest, each in a folder of its own below this one. It gives plain values; which of the projects are
// loaded, and under which names, is decided in workspace/load.
package infer

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// Rules that all readers have (chapter 1, section 2.4).
const (
	RuleBroken = "haz::cfg::096" // a manifest that cannot be read as what it is
	RuleMember = "haz::cfg::104" // a folder is listed as a member, and has no manifest
)

// A Reader finds projects in the manifests of one ecosystem.
type Reader interface {
	// Name is what `infer` in the workspace file calls it.
	Name() string
	// Read looks for the manifest in the root of the workspace, and reads it and those that it leads to. Where there is none it gives
	// the zero Found. It never fails: a manifest that is broken is among the Mistakes, and whatever the others say is given all the same.
	// When the context ends it returns what it has.
	Read(ctx context.Context, d *Disk) Found
	// Reads reports whether a file, by its workspace-absolute name, is of a kind that Read reads. It looks at no disk.
	Reads(name string) bool
}

// Found is what manifests say. The zero value: there are none.
type Found struct {
	Projects []Project
	Edges    []Edge
	Locks    []Lock
	Sources  []Sources
	Mistakes diag.List // errors and warnings; the place has file, line and column where the manifest can be read at all
	// Looked, which All fills, are patterns of the files that were read or looked for, workspace-absolute and sorted: when one of
	// these comes, changes or goes, what is found may be another. Not among them are Sources.
	Looked []string
}

// Sources are files that are edited all the time, and of which little counts: of a Go file, what it imports.
type Sources struct {
	// Name is a glob of their names, in the folders In and anywhere below the folders Below, which are workspace-absolute.
	Name      string
	In, Below []string
	// LeftOut reports whether nothing counts at a file or folder, and below it; nil: everything does. It is not asked about In and Below.
	LeftOut func(name string) bool
	// Part is what counts of a file; nil for that it is there. As long as it is the same of each, so is what is found.
	Part func(name string, text []byte) string
	// Folders says that it counts, too, whether a folder has such files at all.
	Folders bool
	// Same tells Parts apart: where it is equal, they agree.
	Same string
}

// Project is a folder that a manifest makes a project.
type Project struct {
	Reader   string   // who found it
	Dir      string   // workspace-absolute and without links; "/" is the root of the workspace. A reader gives a folder once
	Name     string   // as the manifest has it; "" when it gives none
	Aliases  []string // what people call it besides
	Manifest string   // workspace-absolute
	Place    diag.Place
	Tags     []string // by language and kind ("node", "lib"), sorted, each once

	// Of a reader that was asked for scripts: those that the manifest has, with what it says, and by whom they are run.
	Scripts []Script
	Text    string
	Runner  Runner
}

// A Script is one of a manifest; from Start to End its name stands there.
type Script struct {
	Name       string
	Start, End int
}

// A Runner runs scripts of packages.
type Runner struct {
	Command []string // the name of the script comes behind it
	After   []string // and this behind the name
	Locked  bool     // there is a lock file
}

// Edge says that a project uses another one. It is between folders, not names: two projects may have one name.
type Edge struct {
	Reader   string // who found it; All fills it
	From, To string // Dir of projects that the same reader found; never equal
	Kind     string // the word of the manifest: "devDependencies", "require", "path"
	Place    diag.Place
}

// Lock is what pins the packages that some projects depend on: a lock file of a package manager, be it there or not.
type Lock struct {
	File    string   // what it is called, workspace-absolute
	Files   []string // those that are read, one behind the other; File alone for most
	Members []Member // the projects that it is about, by folder
	// Climbs says that a member also gets at what those in folders above it depend on.
	Climbs bool
}

// Member is a project that a lock file is about.
type Member struct {
	Dir, Name string // those of the project
	Needs     []Need // where the lock file may not say it itself: what the manifest asks for
	// Untold says that what it reaches cannot be told from the lock file and Needs.
	Untold bool
	// Free says that it needs nothing from elsewhere: the package manager writes no lock file for it alone.
	Free bool
}

// A Need is a package that a manifest asks for.
type Need struct {
	Name, Spec string
	Dev        bool // those who use the project do not need it
}

// LockOf is a lock file that is about all of some projects, and says itself what they depend on.
func LockOf(file string, projects []Project) Lock {
	l := Lock{File: file, Files: []string{file}, Members: make([]Member, len(projects))}
	for i := range projects {
		l.Members[i] = Member{Dir: projects[i].Dir, Name: projects[i].Name}
	}
	return l
}

// All is what the readers find, one after the other. Projects are sorted by folder, those of one folder in the order of the readers;
// edges by both folders, kind and place, each once.
func All(ctx context.Context, fs fsys.FS, readers ...Reader) Found {
	var all Found
	d := NewDisk(fs)
	for _, r := range readers {
		if ctx.Err() != nil {
			break
		}
		f := r.Read(ctx, d)
		all.Projects = append(all.Projects, f.Projects...)
		for i := range f.Edges {
			f.Edges[i].Reader = r.Name()
		}
		all.Edges = append(all.Edges, f.Edges...)
		all.Locks = append(all.Locks, f.Locks...)
		all.Sources = append(all.Sources, f.Sources...)
		all.Mistakes = append(all.Mistakes, f.Mistakes...)
	}
	slices.SortStableFunc(all.Projects, func(a, b Project) int { return cmp.Compare(a.Dir, b.Dir) })
	slices.SortFunc(all.Edges, Edge.compare)
	all.Edges = slices.CompactFunc(all.Edges, func(a, b Edge) bool { return a.compare(b) == 0 })
	all.Mistakes = all.Mistakes.Sorted()
	all.Looked = slices.Sorted(maps.Keys(d.looked))
	return all
}

func (e Edge) compare(o Edge) int {
	return cmp.Or(cmp.Compare(e.From, o.From), cmp.Compare(e.To, o.To), cmp.Compare(e.Kind, o.Kind), cmp.Compare(e.Place.File, o.Place.File),
		cmp.Compare(e.Place.Line, o.Place.Line), cmp.Compare(e.Place.Column, o.Place.Column))
}
