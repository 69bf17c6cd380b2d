package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// compiler checks the types of one package at a time, with what the others export. Building each bug would take minutes.
type compiler struct {
	mu       sync.Mutex
	fset     *token.FileSet
	packages map[string]*listed // by directory
	imports  types.Importer
}

// listed is what go list says of a package.
type listed struct {
	Dir, ImportPath, Export string
	GoFiles                 []string
	parsed                  map[string]*ast.File
}

func newCompiler(t *testing.T, root string) *compiler {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=Dir,ImportPath,Export,GoFiles", "./...")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	c := &compiler{fset: token.NewFileSet(), packages: map[string]*listed{}}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := listed{parsed: map[string]*ast.File{}}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		c.packages[p.Dir] = &p
		exports[p.ImportPath] = p.Export
	}
	c.imports = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return c
}

// check compiles the packages below root in which files lie, with the text of those that they have below changed. Nothing is
// said of a file for another system.
func (c *compiler) check(root, changed string, files []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all error
	for _, file := range files {
		dir := filepath.Join(root, filepath.Dir(file))
		p := c.packages[dir]
		if p == nil {
			return errors.New("no package is in " + dir)
		}
		var parsed []*ast.File
		for _, name := range p.GoFiles {
			f, err := p.parsed[name], error(nil)
			rel := filepath.ToSlash(filepath.Join(filepath.Dir(file), name))
			switch {
			case slices.Contains(files, rel):
				f, err = parser.ParseFile(c.fset, filepath.Join(changed, rel), nil, parser.SkipObjectResolution)
			case f == nil:
				f, err = parser.ParseFile(c.fset, filepath.Join(root, rel), nil, parser.SkipObjectResolution)
				p.parsed[name] = f
			}
			if err != nil {
				return err
			}
			parsed = append(parsed, f)
		}
		_, err := (&types.Config{Importer: c.imports}).Check(p.ImportPath, c.fset, parsed, nil)
		all = errors.Join(all, err)
	}
	return all
}
