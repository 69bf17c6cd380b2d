package golang_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// many is go.work with n modules: 25 requires each, 4 of them met here, and three packages of two files, one of which imports a module
// that is not required.
func many(n int) []txtar.File { return work(n, 3) }

// single is many with one package a module.
func single(n int) []txtar.File { return work(n, 1) }

func work(n, packages int) []txtar.File {
	var text strings.Builder
	text.WriteString("go 1.26\n\nuse (\n")
	var files []txtar.File
	for i := range n {
		fmt.Fprintf(&text, "\t./mods/m%d\n", i)
		files = append(files, module(fmt.Sprintf("mods/m%d", i), i, n, packages)...)
	}
	text.WriteString(")\n")
	return append(files, txtar.File{Name: "go.work", Data: []byte(text.String())})
}

func module(dir string, i, n, packages int) []txtar.File {
	var mod strings.Builder
	fmt.Fprintf(&mod, "module example.com/many/m%d\n\ngo 1.26\n\nrequire (\n", i)
	for k := range 4 {
		fmt.Fprintf(&mod, "\texample.com/many/m%d v0.0.0\n", (i*7+k*31+1)%n)
	}
	for k := range 21 {
		fmt.Fprintf(&mod, "\tvendor.example.com/package-%d v1.%d.0 // indirect\n", k, i)
	}
	mod.WriteString(")\n")
	files := []txtar.File{{Name: dir + "/go.mod", Data: []byte(mod.String())}}
	body := strings.Repeat("\nfunc f() error {\n\treturn fmt.Errorf(\"something of %d went wrong: %w\", 7, err)\n}\n", 40)
	for p := range packages {
		for f := range 2 {
			imported := fmt.Sprintf("vendor.example.com/package-%d/sub", f)
			if p == packages/2 && f == 1 {
				imported = fmt.Sprintf("example.com/many/m%d/p0", (i+n/2)%n)
			}
			files = append(files, txtar.File{Name: fmt.Sprintf("%s/p%d/file%d.go", dir, p, f),
				Data: fmt.Appendf(nil, "// Package p%d is one of many.\npackage p%d\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t%q\n)\n%s", p, p, imported, body)})
		}
	}
	return files
}

// alone is n modules without go.work, each of which replaces those that it requires, with three packages each.
func alone(n int) []txtar.File { return apart(n, 3) }

// aloneSingle is alone with one package a module.
func aloneSingle(n int) []txtar.File { return apart(n, 1) }

func apart(n, packages int) []txtar.File {
	files := []txtar.File{{Name: "go.mod", Data: []byte("module example.com/many\n")}}
	for i := range n {
		of := module(fmt.Sprintf("mods/m%d", i), i, n, packages)
		for k := range 4 {
			of[0].Data = fmt.Appendf(of[0].Data, "replace example.com/many/m%d => ../m%d\n", (i*7+k*31+1)%n, (i*7+k*31+1)%n)
		}
		files = append(files, of...)
	}
	return files
}

func TestLinear(t *testing.T) {
	infertest.Linear(t, golang.Reader{}, many)
	infertest.Linear(t, golang.Reader{}, alone)
}

// TestManyImports: where a module does not require most of the others, its files are read for any of them.
func TestManyImports(t *testing.T) {
	const n = 40
	disk := fsys.Memory()
	for _, f := range many(n) {
		infertest.Put(t, disk, f.Name, string(f.Data))
	}
	imports := 0
	for _, e := range infer.All(t.Context(), disk, golang.Reader{}).Edges {
		if e.Kind == "import" {
			imports++
		}
	}
	if imports < n*9/10 { // of some modules it is required as well
		t.Errorf("%d imports lead to other modules, of %d", imports, n)
	}
}

// TestImportsFarDown: what a file begins with may be longer than what is read of it at first.
func TestImportsFarDown(t *testing.T) {
	disk := fsys.Memory()
	infertest.Put(t, disk, "go.work", "go 1.26\nuse (\n\t./a\n\t./b\n)\n")
	infertest.Put(t, disk, "a/go.mod", "module example.com/a\n")
	infertest.Put(t, disk, "a/a.go", "// "+strings.Repeat("a long story ", 2000)+"\npackage main\n\nimport \"example.com/b\"\n")
	infertest.Put(t, disk, "b/go.mod", "module example.com/b\n")
	infertest.Put(t, disk, "b/b.go", "package b\n")
	found := infer.All(t.Context(), disk, golang.Reader{})
	if len(found.Edges) != 1 || found.Edges[0].Place.Line != 4 || found.Edges[0].Place.Source != `import "example.com/b"` {
		t.Errorf("edges: %+v", found.Edges)
	}
	if tags := found.Projects[0].Tags; tags[0] != "app" {
		t.Errorf("tags: %v", tags)
	}
}

// TestFirstImport: of imports in several files that of the first folder and name is the edge, wherever folders lie.
func TestFirstImport(t *testing.T) {
	disk := fsys.Memory()
	infertest.Put(t, disk, "go.work", "go 1.26\nuse (\n\t./a\n\t./b\n)\n")
	infertest.Put(t, disk, "a/go.mod", "module example.com/a\n")
	for _, name := range []string{"a/z.go", "a/deep/er/y.go", "a/x/b.go", "a/x/a.go"} {
		infertest.Put(t, disk, name, "package a\n\nimport \"example.com/b\"\n")
	}
	infertest.Put(t, disk, "b/go.mod", "module example.com/b\n")
	infertest.Put(t, disk, "b/b.go", "package b\n")
	found := infer.All(t.Context(), disk, golang.Reader{})
	if len(found.Edges) != 1 || found.Edges[0].Place.File != "a/deep/er/y.go" {
		t.Errorf("edges: %+v", found.Edges)
	}
}

// TestFree is haz::cfg::115: a module is free of sums when all that it requires is here.
func TestFree(t *testing.T) {
	disk := fsys.Memory()
	infertest.Put(t, disk, "go.work", "go 1.26\nuse (\n\t./a\n\t./b\n\t./c\n)\n")
	infertest.Put(t, disk, "a/go.mod", "module example.com/a\n")
	infertest.Put(t, disk, "b/go.mod", "module example.com/b\nrequire example.com/a v1.0.0\n")
	infertest.Put(t, disk, "c/go.mod", "module example.com/c\nrequire (\n\texample.com/a v1.0.0\n\texample.com/x v1.0.0\n)\n")
	free := map[string]bool{}
	for _, m := range infer.All(t.Context(), disk, golang.Reader{}).Locks[0].Members {
		free[m.Dir] = m.Free
	}
	if want := map[string]bool{"/a": true, "/b": true, "/c": false}; !maps.Equal(free, want) {
		t.Errorf("free are %v, want %v", free, want)
	}
}

// TestReplacedByAll: what modules of a go.work put in the place of others is asked for by each of them once, be it said by all.
func TestReplacedByAll(t *testing.T) {
	disk := fsys.Memory()
	infertest.Put(t, disk, "go.work", "go 1.26\nuse (\n\t./a\n\t./b\n\t./c\n)\n")
	for _, name := range []string{"a", "b", "c"} {
		infertest.Put(t, disk, name+"/go.mod", "module example.com/"+name+"\n\ngo 1.26\n\nrequire example.com/x v1.0.0\n\nreplace example.com/x => example.com/fork v1.0.1\n")
	}
	found := infer.All(t.Context(), disk, golang.Reader{})
	want := []infer.Need{{Name: "example.com/x", Spec: "v1.0.0"}, {Name: "example.com/fork", Spec: "v1.0.1"}}
	for _, m := range found.Locks[0].Members {
		if !slices.Equal(m.Needs, want) {
			t.Errorf("%s needs %v", m.Dir, m.Needs)
		}
	}
}

// A package of Go is a folder: the first of each pair has as many as modules, the second three times as many.
func BenchmarkWork(b *testing.B)       { infertest.Bench(b, golang.Reader{}, single) }
func BenchmarkWorkThree(b *testing.B)  { infertest.Bench(b, golang.Reader{}, many) }
func BenchmarkAlone(b *testing.B)      { infertest.Bench(b, golang.Reader{}, aloneSingle) }
func BenchmarkAloneThree(b *testing.B) { infertest.Bench(b, golang.Reader{}, alone) }
