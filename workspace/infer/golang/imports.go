package golang

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"
	"sync"

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
		if !s.lacking(m) {
			continue
		}
		for _, name := range packages[i].files {
			files = append(files, file{of: m, name: name})
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

// lacking reports whether there is a module that m may import and does not require.
func (s *scan) lacking(m *mod) bool {
	many := len(s.w.mains)
	for dir := range m.uses {
		if other := s.w.modules[dir]; other.used {
			many--
		}
	}
	return many > 0
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
	imported []imported
}

type scan struct {
	w      *world
	dirs   map[*mod]map[string]bool // folders with packages
	prefix []byte                   // what the paths of all modules begin with
}

// read lists the modules that a file imports packages of, and that its own does not require.
func (s *scan) read(f *file) (list []imported) {
	h := heads.Get().(*head)
	defer heads.Put(h)
	if !h.read(s.w.d, f.name) {
		return nil
	}
	var text *infer.Text // made for those alone that need a place in it
	for _, i := range h.imports {
		if !bytes.HasPrefix(i.path, s.prefix) {
			continue
		}
		if to := s.provider(i.path); to != nil && !f.of.uses[to.dir] {
			if text == nil {
				text = infer.NewText(f.name, string(h.text))
			}
			list = append(list, imported{to, i.at.place(text)})
		}
	}
	return list
}

// provider is the module that has a package: of those whose path begins the package's, the one with the longest path that has its folder.
func (s *scan) provider(pkg []byte) *mod {
	for at := len(pkg); at > 0; at = bytes.LastIndexByte(pkg[:at], '/') {
		if m := s.w.mains[string(pkg[:at])]; m != nil && s.dirs[m][path.Join(m.dir, string(pkg[at:]))] {
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
	h := heads.Get().(*head)
	defer heads.Put(h)
	for _, name := range names { // one is enough, but for those that do not count
		if h.read(w.d, path.Join(m.dir, name)) {
			return h.program
		}
	}
	return false
}

// head is the beginning of a Go file.
type head struct {
	clauses
	text  []byte // in space, where that is enough
	space [headMax]byte
}

// headMax is how many bytes of a file are read at first: few need more.
const headMax = 8 << 10

// heads are used again: there may be tens of thousands of files.
var heads = sync.Pool{New: func() any { return new(head) }}

// read reads the clauses of a file; false where there is none, or it does not count.
func (h *head) read(d *infer.Disk, name string) bool {
	n, whole := d.Start(name, h.space[:])
	h.text = h.space[:n]
	is := h.clauses.read(h.text, whole)
	if is == cut {
		h.text = d.Source(name)
		is = h.clauses.read(h.text, true)
	}
	return is == all
}
