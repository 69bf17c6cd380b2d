package golang

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace/infer"
)

// sources are the Go files that say who uses whom, or that a module holds a program. What counts of one is which packages of other modules
// that go.work uses it imports, required or not, and whether it is of package main, in the folder of its module; and of a folder, whether it has
// any: then it is a package that others may import.
func (w *world) sources(list []*mod) []infer.Sources {
	if len(list) == 0 {
		return nil
	}
	s := &counting{used: map[string]string{}, paths: slices.Sorted(maps.Keys(w.mains))}
	programs := infer.Sources{LeftOut: hasNoPackages, Part: s.part}
	packages := programs
	packages.Folders = true
	for _, m := range list {
		if m.used && len(w.mains) > 1 {
			s.used[m.dir] = m.file.module
			packages.Below = append(packages.Below, m.dir)
		} else {
			s.used[m.dir] = ""
			programs.In = append(programs.In, m.dir)
		}
	}
	programs.Name, packages.Name = "*.go", "*.go"
	programs.Same = strings.Join(s.paths, "\n")
	packages.Same = programs.Same
	return []infer.Sources{programs, packages}
}

func hasNoPackages(file string) bool { return leftOut(path.Base(file)) }

// counting is what is known of modules when one of their files changes.
type counting struct {
	used  map[string]string // modules by folder: the path of one that go.work uses, "" of others
	paths []string          // of all that it uses
}

// part is what counts of a file.
func (s *counting) part(name string, text []byte) string {
	var h clauses
	if h.read(text, true) != all {
		return ""
	}
	dir := path.Dir(name)
	own, known := s.used[dir]
	var parts []string
	if known && h.program && !strings.HasSuffix(name, "_test.go") {
		parts = append(parts, "main")
	}
	for !known && dir != "/" {
		dir = path.Dir(dir)
		own, known = s.used[dir]
	}
	if own == "" {
		return strings.Join(parts, "\n")
	}
	for _, i := range h.imports {
		if p := string(i.path); s.others(own, p) {
			parts = append(parts, p)
		}
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), "\n")
}

// others reports whether a module other than the own one may have a package.
func (s *counting) others(own, pkg string) bool {
	for at := pkg; at != "." && at != "/"; at = path.Dir(at) {
		if _, found := slices.BinarySearch(s.paths, at); found && at != own {
			return true
		}
	}
	return false
}
