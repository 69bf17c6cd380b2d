package haz

import (
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// surface is the packages that a host meets, by name or by what package haz hands over.
var surface = []string{".", "messages", "graph", "workspace", "cache/entry", "cache/digest", "process", "fsys", "haztest"}

// Who reads a log or a failed test sees words, not numbers: every exported enumeration has a String.
func TestEnumerationsHaveNames(t *testing.T) {
	enums, named := map[string]bool{}, map[string]bool{}
	for _, dir := range surface {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			enumerations(f, dir+".", enums, named)
		}
	}
	if len(enums) < 14 {
		t.Errorf("only %d enumerations were found", len(enums))
	}
	for name := range enums {
		if !named[name] {
			t.Errorf("%s has no String", name)
		}
	}
}

// enumerations adds the types of f whose values iota counts, and those that have a String.
func enumerations(f *ast.File, prefix string, enums, named map[string]bool) {
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if name := counted(d.Tok, s); ast.IsExported(name) {
					enums[prefix+name] = true
				}
			}
		case *ast.FuncDecl:
			if d.Recv == nil || d.Name.Name != "String" {
				continue
			}
			if id, ok := d.Recv.List[0].Type.(*ast.Ident); ok {
				named[prefix+id.Name] = true
			}
		}
	}
}

// counted is the type of a constant that iota counts, "" for anything else.
func counted(tok token.Token, s ast.Spec) string {
	v, ok := s.(*ast.ValueSpec)
	if tok != token.CONST || !ok || len(v.Values) == 0 {
		return ""
	}
	id, ok := v.Type.(*ast.Ident)
	if !ok {
		return ""
	}
	is := false
	ast.Inspect(v.Values[0], func(n ast.Node) bool {
		x, ok := n.(*ast.Ident)
		is = is || ok && x.Name == "iota"
		return true
	})
	if !is {
		return ""
	}
	return id.Name
}

var update = flag.Bool("update", false, "write the exported surface to docs/surface.txt")

// What hosts can name is written down, so that a change of it is seen where it is made: go test -run TestSurface -update .
func TestSurface(t *testing.T) {
	const file = "docs/surface.txt"
	var b strings.Builder
	for _, dir := range surface {
		fmt.Fprintf(&b, "== %s\n\n%s\n", strings.TrimSuffix(module+"/"+dir, "/."), strings.Join(exported(t, dir), "\n"))
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the exported surface has changed; if that is meant: go test -run TestSurface -update .\n%s", diff)
	}
}

// exported prints the exported declarations of a package, sorted, without comments and bodies.
func exported(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.FileExports(f)
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				d.Body = nil
			case *ast.GenDecl:
				if d.Tok == token.IMPORT || len(d.Specs) == 0 {
					continue
				}
			}
			var b strings.Builder
			if err := format.Node(&b, fset, decl); err != nil {
				t.Fatal(err)
			}
			list = append(list, b.String()+"\n")
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
