package golang

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace/infer"
)

// mistakesMax is how many mistakes of one manifest are told.
const mistakesMax = 20

// find reads all go.mod: of what first gives, and, step by step, of the folders that their replaces lead to.
func (w *world) find() {
	level := w.readAll(w.first())
	var next []string
	if w.work != nil {
		next = w.use(level)
	}
	for len(level) > 0 && w.ctx.Err() == nil {
		for _, m := range level {
			next = m.own.folders(next)
		}
		level, next = w.readAll(next), nil
	}
}

// first are the folders to begin with: those that go.work uses, or else all that have a go.mod.
func (w *world) first() []string {
	text, bad := w.d.Manifest("/" + workFile)
	if bad != nil {
		w.mistakes = append(w.mistakes, *bad)
	}
	if text == nil {
		return w.walk()
	}
	work, wrong := parseWork(text)
	w.mistakes = append(w.mistakes, wrong...)
	var all []string
	if wrong != nil {
		all = w.walk() // so that projects have names all the same
	}
	if work == nil {
		return all
	}
	w.work = work
	type used struct {
		dir         string
		inside, has bool
		bad         *diag.Diagnostic
	}
	uses := make([]used, len(work.Use))
	parallel.Each(w.ctx, len(uses), func(i int) {
		u := &uses[i]
		u.dir, u.inside = w.ways.To("/", work.Use[i].Path)
		u.has = u.dir != "" && w.d.Has(path.Join(u.dir, modFile))
		if u.dir != "" && !u.has {
			_, u.bad = w.d.Manifest(path.Join(u.dir, modFile)) // a folder, a circle of links
		}
	})
	dirs := make([]string, 0, len(uses))
	for i, u := range work.Use {
		switch {
		case uses[i].has:
			dirs = append(dirs, uses[i].dir)
		case uses[i].bad != nil:
			w.mistakes = append(w.mistakes, *uses[i].bad)
		case uses[i].inside && w.ctx.Err() == nil:
			w.mistakes = append(w.mistakes, diag.Diagnostic{Severity: diag.Warning, Code: infer.RuleMember, Place: spanOf(u.Syntax).place(text),
				Message: fmt.Sprintf("go.work uses %s, where no go.mod is", diag.Quote(u.Path))})
		}
	}
	return append(dirs, all...) // one that is in both is read once
}

// parseWork reads a go.work. Where single lines are wrong, the others count; nil: nothing can be read of it.
func parseWork(t *infer.Text) (*modfile.WorkFile, diag.List) {
	work, err := modfile.ParseWork(t.File(), t.Bytes, anyVersion)
	if err == nil {
		return work, nil
	}
	wrong := mistakes(t, err)
	var lines modfile.ErrorList
	if !errors.As(err, &lines) {
		return nil, wrong
	}
	rest := slices.Clone(t.Bytes)
	for _, e := range lines {
		for at := e.Pos.Byte; e.Pos.Line > 0 && at < len(rest) && rest[at] != '\n'; at++ {
			rest[at] = ' '
		}
	}
	if work, err = modfile.ParseWork(t.File(), rest, anyVersion); err != nil {
		return nil, wrong
	}
	return work, wrong
}

// use makes modules those that go.work uses, and gives the folders that its replaces lead to.
func (w *world) use(level []*mod) []string {
	w.mains = make(map[string]*mod, len(level))
	w.shared = w.replaces("/", replacedOf(w.work.Replace))
	for _, m := range level {
		m.used = true
		if p := m.file.module; p != "" && w.mains[p] == nil {
			w.mains[p] = m
		}
	}
	next := w.shared.folders(nil)
	said := maps.Clone(w.shared)
	for _, m := range level {
		for old, list := range m.own {
			if said[old] == nil { // go.work goes before the modules
				w.shared.add(old, list)
			}
		}
	}
	return next
}

// walk lists the folders below the root that have a go.mod, provided that the root has one, or a go.work that is broken. It leaves out what the go command leaves
// out of `./...`, and node_modules.
func (w *world) walk() []string {
	if !w.d.Has("/"+modFile) && len(w.mistakes) == 0 {
		return nil
	}
	var found []string
	w.lists = map[string][]fsys.Entry{}
	for level := []string{"/"}; len(level) > 0 && w.ctx.Err() == nil; {
		lists, below, has := make([][]fsys.Entry, len(level)), make([][]string, len(level)), make([]bool, len(level))
		parallel.Each(w.ctx, len(level), func(i int) {
			lists[i] = w.d.List(level[i])
			for _, e := range lists[i] {
				switch {
				case e.Kind == fsys.Dir && !leftOut(e.Name):
					below[i] = append(below[i], path.Join(level[i], e.Name))
				case e.Name == modFile:
					has[i] = e.Kind == fsys.File || w.d.Has(path.Join(level[i], modFile))
				}
			}
		})
		for i, dir := range level {
			if has[i] {
				found, w.lists[dir] = append(found, dir), lists[i]
			}
		}
		level = slices.Concat(below...)
	}
	w.ways.Know(found)
	return found
}

// leftOut reports whether a folder of that name has no packages for `./...`.
func leftOut(name string) bool {
	return name[0] == '.' || name[0] == '_' || name == "testdata" || name == "vendor" || name == "node_modules"
}

// readAll reads the go.mod of folders, and leaves out the folders that were read before, or have none.
func (w *world) readAll(dirs []string) []*mod {
	return infer.ReadNew(w.ctx, w.modules, dirs, w.read)
}

func (w *world) read(dir string) *mod {
	text, bad := w.d.Manifest(path.Join(dir, modFile))
	switch {
	case bad != nil:
		return &mod{dir: dir, text: infer.NewText(path.Join(dir, modFile), ""), file: &manifest{}, mistakes: diag.List{*bad}}
	case text == nil:
		return nil
	}
	m := &mod{dir: dir, text: text}
	m.file, m.mistakes = parse(text)
	m.own = w.replaces(dir, m.file.replaces)
	if m.entries = w.lists[dir]; m.entries == nil {
		m.entries = w.d.List(dir)
	}
	m.app = w.isProgram(m)
	return m
}

// anyVersion takes a version that is none for one: what branches and the like stand for is the go command's to find out.
func anyVersion(modPath, version string) (string, error) {
	if module.CanonicalVersion(version) == version {
		return version, nil
	}
	_, major, _ := module.SplitPathVersion(modPath)
	if major = strings.TrimLeft(major, "/."); major == "" {
		major = "v0"
	}
	return major + ".0.0", nil
}

// mistakes are what is wrong with a go.mod or go.work.
func mistakes(t *infer.Text, err error) diag.List {
	var list modfile.ErrorList
	if !errors.As(err, &list) {
		return diag.List{t.Mistake(infer.RuleBroken, 0, 0, err.Error())}
	}
	var all diag.List
	for _, e := range list[:min(len(list), mistakesMax)] {
		at := e.Pos.Byte
		if e.Pos.Line == 0 {
			at = 0
		}
		end := len(t.Bytes)
		if n := strings.IndexByte(string(t.Bytes[min(at, end):]), '\n'); n >= 0 {
			end = at + n
		}
		e.Filename, e.Pos = "", modfile.Position{}
		all = append(all, t.Mistake(infer.RuleBroken, at, end, e.Error()))
	}
	return all
}
