package golang

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
)

// imported is a module that a file imports a package of.
type imported struct {
	to    *mod
	place diag.Place
}

// imports reads the import clauses of modules that go.work uses, as far as they may import one that they do not require: files of all
// systems and tags, and tests, as `go mod tidy` does. A file that is no Go is the compiler's to tell.
func (w *world) imports(list []*mod) {
	var used []*mod
	for _, m := range list {
		if m.used {
			used = append(used, m)
		}
	}
	if len(used) < 2 {
		return
	}
	packages := make([]packages, len(used))
	infer.Each(w.ctx, len(used), func(i int) { packages[i] = w.packages(used[i]) })
	s := scan{w: w, dirs: map[*mod]map[string]bool{}, prefix: commonPrefix(w.mains)}
	var files []file
	for i, m := range used {
		s.dirs[m] = packages[i].dirs
		texts := s.missing(m)
		if len(texts) == 0 {
			continue
		}
		for _, name := range packages[i].files {
			files = append(files, file{of: m, name: name, texts: texts})
		}
	}
	infer.Each(w.ctx, len(files), func(i int) { files[i].imported = s.read(&files[i]) })
	for _, f := range files { // by folder and name
		for _, i := range f.imported {
			if !f.of.uses[i.to.dir] {
				f.of.uses[i.to.dir] = true
				f.of.edges = append(f.of.edges, infer.Edge{From: f.of.dir, To: i.to.dir, Kind: "import", Place: i.place})
			}
		}
	}
}

// few is how many texts a file is searched for, one after the other.
const few = 16

// missing are texts one of which stands in each file of a module that imports from a module that it does not require; none when it
// requires all. Where these are many it is what all paths begin with.
func (s *scan) missing(m *mod) [][]byte {
	many := len(s.w.mains)
	for dir := range m.uses {
		if other := s.w.modules[dir]; other.used {
			many--
		}
	}
	if many > few {
		return [][]byte{s.prefix}
	}
	var texts [][]byte
	for p, other := range s.w.mains {
		if !m.uses[other.dir] {
			texts = append(texts, []byte(p))
		}
	}
	return texts
}

// packages is what lies in a module.
type packages struct {
	dirs  map[string]bool // folders with Go files
	files []string        // workspace-absolute, sorted within a folder
}

// packages walks a module. It stays out of other modules, and of what the go command leaves out.
func (w *world) packages(m *mod) packages {
	p := packages{dirs: map[string]bool{}}
	for todo := []string{m.dir}; len(todo) > 0 && w.ctx.Err() == nil; {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		entries := m.entries
		if dir != m.dir {
			entries = w.d.List(dir)
		}
		if dir != m.dir && slices.ContainsFunc(entries, func(e fsys.Entry) bool { return e.Name == modFile && e.Kind != fsys.Dir }) {
			continue
		}
		slices.SortFunc(entries, func(a, b fsys.Entry) int { return cmp.Compare(a.Name, b.Name) })
		for _, e := range entries {
			name := path.Join(dir, e.Name)
			switch {
			case e.Kind == fsys.Dir && !leftOut(e.Name) && !m.ignores(name):
				todo = append(todo, name)
			case e.Kind != fsys.Dir && isSource(e.Name):
				p.dirs[dir] = true
				p.files = append(p.files, name)
			}
		}
	}
	slices.Sort(p.files)
	return p
}

// ignores reports whether an ignore directive of go.mod is about a folder.
func (m *mod) ignores(dir string) bool {
	if len(m.file.ignores) == 0 {
		return false
	}
	rel := strings.TrimPrefix(strings.TrimPrefix(dir, m.dir), "/")
	for _, i := range m.file.ignores {
		if at, rooted := strings.CutPrefix(i, "./"); rooted && path.Clean(at) == rel || !rooted && strings.HasSuffix("/"+rel, "/"+path.Clean(i)) {
			return true
		}
	}
	return false
}

func isSource(name string) bool {
	return strings.HasSuffix(name, ".go") && name[0] != '.' && name[0] != '_'
}

type file struct {
	of       *mod
	name     string
	texts    [][]byte // one of them stands in it, or it imports nothing that counts
	imported []imported
}

type scan struct {
	w      *world
	dirs   map[*mod]map[string]bool // folders with packages
	prefix []byte                   // what the paths of all modules begin with
}

// read lists the modules that a file imports packages of, and that its own does not require.
func (s *scan) read(f *file) []imported {
	source := s.w.d.Source(f.name)
	if !bytes.Contains(source, s.prefix) || !slices.ContainsFunc(f.texts, func(t []byte) bool { return bytes.Contains(source, t) }) {
		return nil
	}
	h := header(source)
	if h == nil {
		return nil
	}
	var text *infer.Text // made for those alone that need a place in it
	mark := 0
	if bytes.HasPrefix(source, []byte("\ufeff")) { // no part of the text
		mark = len("\ufeff")
	}
	var list []imported
	for _, i := range h.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		if to := s.provider(p); to != nil && !f.of.uses[to.dir] {
			if text == nil {
				text = infer.NewText(f.name, string(source))
			}
			at := int(i.Path.Pos()) - 1 - mark
			list = append(list, imported{to, text.Place(at, at+len(i.Path.Value))})
		}
	}
	return list
}

// provider is the module that has a package: of those whose path begins the package's, the one with the longest path that has its folder.
func (s *scan) provider(pkg string) *mod {
	for at := pkg; at != "." && at != "/"; at = path.Dir(at) {
		if m := s.w.mains[at]; m != nil && s.dirs[m][path.Join(m.dir, strings.TrimPrefix(pkg, at))] {
			return m
		}
	}
	return nil
}

// commonPrefix is what the paths of modules begin with.
func commonPrefix(mains map[string]*mod) []byte {
	first, prefix := true, ""
	for p := range mains {
		if first {
			first, prefix = false, p
		}
		n := 0
		for n < min(len(p), len(prefix)) && p[n] == prefix[n] {
			n++
		}
		prefix = prefix[:n]
	}
	return []byte(prefix)
}

// header parses a file up to its imports; nil for one that is left out whatever the system and the tags are, and for what is no Go.
func header(text []byte) *ast.File {
	mode := parser.ImportsOnly | parser.SkipObjectResolution
	constrained := bytes.Contains(text, []byte("//go:build"))
	if constrained {
		mode |= parser.ParseComments
	}
	f, _ := parser.ParseFile(token.NewFileSet(), "", text, mode) // what stands before a mistake counts
	if f == nil || f.Name == nil {
		return nil
	}
	if constrained {
		for _, group := range f.Comments {
			for _, c := range group.List {
				if c.Pos() < f.Package && constraint.IsGoBuild(c.Text) {
					if x, err := constraint.Parse(c.Text); err == nil && !possible(x, true) {
						return nil
					}
				}
			}
		}
	}
	return f
}

// possible reports whether a constraint can be the wanted value. Each tag can be set or not, apart from its other occurrences; but nobody
// sets `ignore`. So has it `go mod tidy`.
func possible(x constraint.Expr, want bool) bool {
	switch x := x.(type) {
	case *constraint.TagExpr:
		return x.Tag != "ignore" || !want
	case *constraint.NotExpr:
		return possible(x.X, !want)
	case *constraint.AndExpr:
		if want {
			return possible(x.X, true) && possible(x.Y, true)
		}
		return possible(x.X, false) || possible(x.Y, false)
	case *constraint.OrExpr:
		if want {
			return possible(x.X, true) || possible(x.Y, true)
		}
		return possible(x.X, false) && possible(x.Y, false)
	}
	return true
}

// isProgram reports whether the folder of a module has a program, or a folder cmd, where programs are by custom.
func (w *world) isProgram(m *mod) bool {
	var names []string
	for _, e := range m.entries {
		switch {
		case e.Kind == fsys.Dir && e.Name == "cmd":
			return true
		case e.Kind != fsys.Dir && isSource(e.Name) && !strings.HasSuffix(e.Name, "_test.go"):
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	for _, name := range names { // one is enough, but for those that do not count
		if h := header(w.d.Source(path.Join(m.dir, name))); h != nil {
			return h.Name.Name == "main"
		}
	}
	return false
}
