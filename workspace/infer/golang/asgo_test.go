package golang_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/golang"
)

// TestAsGo holds the reader against the go command, on made up workspaces: with go.work against the graph of modules and the imports of
// packages, without it against what the module in each folder replaces of what it requires.
func TestAsGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	for seed := range uint64(3) {
		for _, work := range []bool{true, false} {
			t.Run(fmt.Sprintf("seed=%d work=%v", seed, work), func(t *testing.T) {
				t.Parallel()
				g := goWorkspace{t: t, root: t.TempDir(), r: rand.New(rand.NewPCG(seed, 7)), work: work}
				g.write()
				want := g.edges()
				if got := g.found(); !slices.Equal(got, want) {
					t.Errorf("got\n%s\nwant\n%s\nin %s", strings.Join(got, "\n"), strings.Join(want, "\n"), g.text.String())
				}
			})
		}
	}
}

// goWorkspace is modules in folders, some in another one's: their paths are those of the folders.
type goWorkspace struct {
	t    *testing.T
	root string
	r    *rand.Rand
	work bool
	text strings.Builder // all that was written, for a failure
}

var goDirs = []string{"", "a", "a/inner", "b", "b/v2", "c"}

func modulePath(dir string) string { return strings.TrimSuffix("example.com/m/"+dir, "/") }

func version(dir string) string {
	if strings.HasSuffix(dir, "/v2") {
		return "v2.0.0"
	}
	return "v0.0.0"
}

func (g *goWorkspace) put(name, text string) {
	g.t.Helper()
	fmt.Fprintf(&g.text, "-- %s --\n%s", name, text)
	name = filepath.Join(g.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		g.t.Fatal(err)
	}
}

func (g *goWorkspace) write() {
	use := "go 1.24\n"
	for _, dir := range goDirs {
		use += fmt.Sprintf("use ./%s\nreplace %s %s => ./%s\n", dir, modulePath(dir), version(dir), dir) // go asks for the versions, although it does not use them
		var mod strings.Builder
		fmt.Fprintf(&mod, "module %s\n\ngo 1.24\n", modulePath(dir))
		for _, other := range goDirs {
			if other != dir && g.r.IntN(3) == 0 {
				fmt.Fprintf(&mod, "require %s %s\n", modulePath(other), version(other))
			}
			if to, err := filepath.Rel("/"+dir, "/"+other); err == nil && other != dir && !g.work { // all are there: nothing is to be fetched
				fmt.Fprintf(&mod, "replace %s => %s\n", modulePath(other), "./"+filepath.ToSlash(to))
			}
		}
		g.put(dir+"/go.mod", mod.String())
		for _, pkg := range []string{"", "/p", "/q"} {
			for _, file := range []string{"x.go", "x_test.go"} {
				g.put(dir+pkg+"/"+file, "package x\n"+g.imports(dir))
			}
		}
		g.put(dir+"/testdata/x.go", "package x\n"+g.imports(dir))
		g.put(dir+"/gen.go", "//go:build ignore\n\npackage main\n"+g.imports(dir))
	}
	if g.work {
		g.put("go.work", use)
	}
}

// imports are some clauses; without go.work, where an import needs a require, there are none.
func (g *goWorkspace) imports(dir string) string {
	text := "import _ \"fmt\"\n"
	if !g.work {
		return text
	}
	for _, other := range goDirs {
		if other != dir && g.r.IntN(25) == 0 {
			text += fmt.Sprintf("import _ %q\n", modulePath(other)+[]string{"", "/p", "/q"}[g.r.IntN(3)])
		}
	}
	return text
}

// edges is what the go command says.
func (g *goWorkspace) edges() []string {
	edges := map[string]bool{}
	for _, dir := range goDirs {
		from := modulePath(dir)
		if g.work {
			for _, line := range g.run(dir, "list", "-e", "-f", `{{join .Imports "\n"}}{{"\n"}}{{join .TestImports "\n"}}`, "./...") {
				if to := owner(line); to != "" && to != from {
					edges[from+" > "+to] = true
				}
			}
		}
		for _, line := range g.run(dir, "mod", "graph") {
			one, two, _ := strings.Cut(line, " ")
			to, _, _ := strings.Cut(two, "@")
			if one == from && owner(to) != "" {
				edges[from+" > "+to] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(edges))
}

// owner is the module of a package: the one with the longest path.
func owner(pkg string) (module string) {
	for _, dir := range goDirs {
		if p := modulePath(dir); strings.HasPrefix(pkg+"/", p+"/") && len(p) > len(module) {
			module = p
		}
	}
	return module
}

func (g *goWorkspace) run(dir string, args ...string) []string {
	g.t.Helper()
	c := exec.Command("go", args...)
	c.Dir = filepath.Join(g.root, filepath.FromSlash(dir))
	c.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOENV=off", "GOTOOLCHAIN=local", "GOWORK=", "PWD="+c.Dir)
	out, err := c.Output()
	if err != nil {
		text := ""
		if e, ok := err.(*exec.ExitError); ok {
			text = string(e.Stderr)
		}
		g.t.Fatalf("go %s in %s: %v\n%s\n%s", strings.Join(args, " "), dir, err, text, g.text.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// found is what the reader says.
func (g *goWorkspace) found() []string {
	disk, err := fsys.Host(g.root)
	if err != nil {
		g.t.Fatal(err)
	}
	defer disk.Close()
	found := infer.All(g.t.Context(), disk, golang.Reader{})
	if len(found.Projects) != len(goDirs) || len(found.Mistakes) > 0 {
		g.t.Fatalf("%d projects, %v", len(found.Projects), found.Mistakes)
	}
	names := map[string]string{}
	for _, p := range found.Projects {
		names[p.Dir] = p.Name
	}
	edges := map[string]bool{}
	for _, e := range found.Edges {
		edges[names[e.From]+" > "+names[e.To]] = true
	}
	return slices.Sorted(maps.Keys(edges))
}
