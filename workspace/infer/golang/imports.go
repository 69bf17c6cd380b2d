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
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace/infer"
)

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
	s := scan{w: w, owners: make(map[string]*mod, 2*len(used)), prefix: commonPrefix(w.mains)}
	level := make([]folder, len(used))
	for i, m := range used {
		level[i] = folder{of: m, dir: m.dir}
		m.lacks = s.lacking(m)
	}
	for len(level) > 0 && w.ctx.Err() == nil {
		parallel.Each(w.ctx, len(level), func(i int) { s.look(&level[i]) })
		var next []folder
		for i := range level {
			f := &level[i]
			if f.source {
				s.owners[f.dir] = f.of
			}
			f.of.wants = append(f.of.wants, f.wants...)
			for _, dir := range f.below {
				next = append(next, folder{of: f.of, dir: dir})
			}
		}
		level = next
	}
	parallel.Each(w.ctx, len(used), func(i int) { s.meet(used[i]) })
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

// folder is one of a module, and what is found in it.
type folder struct {
	of  *mod
	dir string

	below  []string // those in it that are of the module
	source bool     // it has Go files
	wants  []want
}

// want is an import, the first of its path in a folder, that a module may have which is not required.
type want struct {
	file, path string
	place      diag.Place
}

// look reads a folder. It stays out of other modules, and of what the go command leaves out.
func (s *scan) look(f *folder) {
	h := heads.Get().(*head)
	defer heads.Put(h)
	if f.dir == f.of.dir { // its entries are known
		for _, e := range s.sources(f, f.of.entries) {
			if name := in(f.dir, e.Name); h.read(s.w.d, name) {
				f.imports(s, h, name)
			}
		}
		return
	}
	s.w.d.Starts(f.dir, h.space[:], func(all []fsys.Entry) []fsys.Entry { return s.sources(f, all) }, func(e fsys.Entry, n int, whole bool) {
		if name := in(f.dir, e.Name); h.take(s.w.d, name, n, whole) {
			f.imports(s, h, name)
		}
	})
}

// sources are the Go files of a folder that have to be read, in the order of their names.
func (s *scan) sources(f *folder, entries []fsys.Entry) []fsys.Entry {
	if f.dir != f.of.dir && slices.ContainsFunc(entries, func(e fsys.Entry) bool { return e.Name == modFile && e.Kind != fsys.Dir }) {
		return nil
	}
	sources := make([]fsys.Entry, 0, len(entries))
	for _, e := range entries {
		switch {
		case e.Kind == fsys.Dir:
			if name := in(f.dir, e.Name); !leftOut(e.Name) && !f.of.ignores(name) {
				f.below = append(f.below, name)
			}
		case isSource(e.Name):
			sources = append(sources, e)
		}
	}
	if f.source = len(sources) > 0; !f.of.lacks {
		return nil
	}
	slices.SortFunc(sources, func(a, b fsys.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return sources
}

// imports takes note of what a file imports that may be of a module that is not required.
func (f *folder) imports(s *scan, h *head, name string) {
	var text *infer.Text // made for those alone that need a place in it
	for _, i := range h.imports {
		if !bytes.HasPrefix(i.path, s.prefix) || !s.foreign(f.of, i.path) || slices.ContainsFunc(f.wants, func(w want) bool { return w.path == string(i.path) }) {
			continue
		}
		if text == nil {
			text = infer.TextOf(name, h.text)
		}
		f.wants = append(f.wants, want{name, string(i.path), i.at.place(text)})
	}
}

// in is the name of what lies in a folder.
func in(dir, name string) string {
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
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

type scan struct {
	w      *world
	owners map[string]*mod // of folders with packages
	prefix []byte          // what the paths of all modules begin with
}

// foreign reports whether a package may be of a module that m does not require.
func (s *scan) foreign(m *mod, pkg []byte) bool {
	for at := len(pkg); at > 0; at = bytes.LastIndexByte(pkg[:at], '/') {
		if other := s.w.mains[string(pkg[:at])]; other != nil && !m.uses[other.dir] {
			return true
		}
	}
	return false
}

// meet makes edges of what a module wants: the first import, by folder and name of the file, of each other module.
func (s *scan) meet(m *mod) {
	slices.SortStableFunc(m.wants, func(a, b want) int { return cmp.Compare(a.file, b.file) })
	for _, want := range m.wants {
		if to := s.provider(want.path); to != nil && !m.uses[to.dir] {
			m.uses[to.dir] = true
			m.edges = append(m.edges, infer.Edge{From: m.dir, To: to.dir, Kind: "import", Place: want.place})
		}
	}
}

// provider is the module that has a package: of those whose path begins the package's, the one with the longest path that has its folder.
func (s *scan) provider(pkg string) *mod {
	for at := len(pkg); at > 0; at = strings.LastIndexByte(pkg[:at], '/') {
		if m := s.w.mains[pkg[:at]]; m != nil && s.owners[path.Join(m.dir, pkg[at:])] == m {
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
	return h.take(d, name, n, whole)
}

// take is read, where space holds the beginning of the file, or all of it.
func (h *head) take(d *infer.Disk, name string, n int, whole bool) bool {
	h.text = h.space[:n]
	is := h.clauses.read(h.text, whole)
	if is == cut {
		h.text = d.Source(name)
		is = h.clauses.read(h.text, true)
	}
	return is == all
}
