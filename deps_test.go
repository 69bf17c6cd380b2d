package haz

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/haz-build/haz"

// mayImport is who may import whom. Policy, not description: change the code, not this table. Every folder is here; tests may
// import what they like below their own floor, and the *test folders.
var mayImport = map[string]string{
	// Floor 1, the outside world.
	"diag":                "",
	"process":             "fsys",
	"process/processtest": "process",
	"ready":               "fsys", // the third door: whether services answer, and ports
	"fsys":                "",
	"fsys/memfs":          "fsys",
	"fsys/faultfs":        "fsys fsys/memfs",
	"fsys/fsystest":       "fsys",
	"fsys/tree":           "layout fsys pattern",
	"fsys/glob":           "fsys fsys/tree", // old names for hosts
	"fsys/looks":          "fsys packed parallel",
	"layout":              "",              // names only
	"parallel":            "",              // the same for many numbers at once
	"packed":              "",              // values in a string and back: no disk
	"pattern":             "layout packed", // the standard library only: it is asked about paths, never about disks
	"pattern/patterntest": "",
	"cache/entry":         "cache/digest",
	"cache/digest":        "", // names of bytes; who computes them brings the hash functions along
	"cache/hasher":        "cache/digest",
	"cache/state":         "layout cache/digest cache/text fsys cache/hasher",         // what is known beside the cache; the store reads it, never the other way
	"cache/standing":      "layout cache/digest cache/entry cache/state fsys pattern", // a form of what is known; who asks the disk is settle
	"cache/text":          "cache/digest cache/hasher",
	"cache/manifest":      "layout cache/digest cache/text fsys pattern cache/hasher cache/entry",
	"cache/site":          "layout cache/digest cache/manifest cache/state fsys cache/hasher cache/entry",
	// Rooms. None knows another one beside it, but for what was restored over: housekeeping lists it.
	"cache/store":        "cache/digest cache/manifest cache/site cache/state fsys cache/hasher cache/entry layout",
	"cache/restore":      "layout cache/digest cache/manifest cache/site cache/store cache/state fsys pattern cache/entry",
	"cache/housekeeping": "layout cache/digest cache/manifest cache/restore cache/site fsys pattern cache/entry",
	"cache":              "cache/digest cache/housekeeping cache/manifest cache/restore cache/site cache/state cache/store fsys",
	"cache/cachetest":    "fsys/memfs cache cache/digest cache/state fsys fsys/faultfs pattern cache/hasher cache/entry",

	// Floor 2, what the user declared and what is said about it: plain values, so that a run can be logged and replayed.
	"workspace":        "layout diag packed pattern", // values; what reads files is workspace/load
	"workspace/script": "",                           // a text is read, no file
	"workspace/config": "workspace diag pattern",
	"workspace/load":   "layout workspace workspace/config workspace/infer workspace/infer/node workspace/infer/golang workspace/infer/cargo workspace/infer/uv diag fsys fsys/tree parallel pattern",
	"workspace/infer":  "diag fsys parallel pattern",
	// Readers of manifests, one a folder, none knows another one.
	"workspace/infer/node":      "diag parallel workspace/config workspace/infer",
	"workspace/infer/golang":    "diag fsys parallel workspace/infer",
	"workspace/infer/toml":      "diag workspace/infer",
	"workspace/infer/cargo":     "diag parallel workspace/infer workspace/infer/toml",
	"workspace/infer/uv":        "diag parallel workspace/infer workspace/infer/toml",
	"workspace/lockfile":        "",
	"workspace/infer/infertest": "fsys workspace/infer",
	"workspace/moving":          "diag fsys layout parallel pattern workspace workspace/config workspace/infer workspace/infer/node workspace/infer/golang workspace/infer/cargo workspace/infer/uv workspace/infer/toml workspace/script",
	"workspace/guess":           "workspace workspace/config diag fsys fsys/tree pattern",
	"workspace/dotenv":          "workspace", // a text is read, no file
	"workspace/git":             "layout diag fsys pattern process",
	"graph":                     "workspace pattern diag packed",
	"graph/query":               "graph workspace pattern diag",
	"messages":                  "workspace cache/digest cache/entry",
	"cache/tools":               "workspace workspace/script cache/digest cache/hasher cache/state fsys",
	"cache/packages":            "workspace workspace/lockfile cache/digest cache/hasher cache/state cache/text fsys",
	"cache/key":                 "workspace workspace/dotenv workspace/lockfile pattern cache/digest cache/packages cache/state cache/text cache/tools fsys fsys/tree cache/hasher",
	"cache/outputs":             "layout cache/digest cache/manifest cache/state fsys fsys/tree pattern cache/entry",

	// Floor 3, decisions (see thinking below).
	"schedule": "graph messages workspace cache/entry",

	// Floor 4, the engine, and alone in knowing the actor library.
	"actors": "layout schedule graph messages workspace diag cache cache/digest cache/key cache/manifest cache/outputs cache/state fsys fsys/tree pattern process cache/hasher workspace/guess cache/entry ready",
	// What need not be carried out; it knows what the engine would have to look at.
	"settle":            "layout actors graph messages workspace cache cache/digest cache/entry cache/hasher cache/key cache/standing cache/state cache/text fsys fsys/tree parallel",
	"actors/actorstest": "fsys/memfs actors graph workspace messages cache cache/digest cache/entry cache/key cache/state fsys fsys/tree process process/processtest cache/hasher workspace/load ready",

	// Floor 5, people. The root package takes durations and sizes of the command line from config: they are those of the files.
	// early imports not even fmt: it answers before everything else is initialised.
	"report": "messages workspace diag",
	".": "layout actors settle cache cache/digest cache/entry cache/hasher cache/key cache/packages cache/state cache/tools diag fsys fsys/looks fsys/tree packed pattern graph graph/query messages process ready " +
		"schedule workspace workspace/config workspace/git workspace/guess workspace/load workspace/script",
	"haztest":         ". actors actors/actorstest fsys process process/processtest", // a kit: runs of the root package on the simulated machine
	"cmd/haz/attach":  "cache/entry fsys messages workspace",                         // the fourth door: who listens for other terminals
	"cmd/haz/early":   "",
	"cmd/haz/setup":   ". diag fsys layout pattern report workspace workspace/config workspace/git workspace/load",
	"cmd/haz/streams": "fsys process report",
	"cmd/haz/ui":      "messages report workspace",
	"cmd/haz/watch":   "layout fsys parallel pattern workspace",
	"cmd/haz":         "process . cmd/haz/attach cmd/haz/early cmd/haz/setup cmd/haz/streams cmd/haz/ui cmd/haz/watch report diag messages workspace workspace/git workspace/load workspace/moving graph/query fsys layout",
	"bench":           "",

	// Beside the building: it edits copies of the source and runs the tests.
	"internal/mutants": "",
}

// owners of foreign modules: who may import what lies outside of this module and the standard library.
var owners = map[string]string{
	"github.com/asynkron/protoactor-go": "actors actors/actorstest .", // the root package: hosts hand their system over
	"github.com/spf13/afero":            "fsys fsys/looks fsys/memfs fsys/faultfs fsys/fsystest actors actors/actorstest workspace/infer/infertest",
	"github.com/zeebo/blake3":           "cache/hasher",
	"github.com/urfave/cli/v2":          "cmd/haz",
	"go.yaml.in/yaml/v4":                "workspace/config workspace/lockfile",
	"github.com/hashicorp/go-envparse":  "workspace/dotenv",
	"mvdan.cc/sh/v3":                    "workspace/script",
	"golang.org/x/sys":                  "process fsys cmd/haz cmd/haz/streams",
	"golang.org/x/term":                 "cmd/haz/streams",
	"deps.dev/util/semver":              "workspace/infer/node",                      // ranges as npm reads them, tried against its own library; it pulls nothing in
	"golang.org/x/mod":                  "workspace/infer/golang workspace/lockfile", // go.mod as the go command reads it; it pulls nothing in
	"github.com/pelletier/go-toml/v2":   "workspace/infer/toml workspace/lockfile",   // its parser gives the places of keys; it pulls nothing in
	"charm.land/bubbletea/v2":           "cmd/haz cmd/haz/setup cmd/haz/ui",
	"github.com/orcaman/concurrent-map": "cmd/haz",
	"github.com/fsnotify/fsnotify":      "cmd/haz/watch",
	"github.com/charmbracelet/x/ansi":   "cmd/haz/setup cmd/haz/ui",
	"github.com/rogpeppe/go-internal":   "workspace/infer/infertest",
	"github.com/cockroachdb/datadriven": "",
	"github.com/google/go-cmp":          "",
	"pgregory.net/rapid":                "pattern/patterntest",
	"go.uber.org/goleak":                "",
	"github.com/creack/pty":             "process",
}

// TestImports fails on an import that the tables lack, of this module or of another.
func TestImports(t *testing.T) {
	for dir, imports := range packageImports(t) {
		allowed, known := mayImport[dir]
		if !known {
			t.Errorf("package %s is not in the table: which floor is it on?", dir)
			continue
		}
		for _, bad := range forbidden(dir, allowed, imports) {
			t.Error(bad)
		}
	}
}

// thinking is the half that decides. Neither it nor anything that it brings along reaches a disk, a process or a parser of files.
var thinking = []string{"schedule", "messages", "graph"}

// TestThinkingHalf follows the imports of the thinking half to their end: no module of others, and of the standard library nothing
// that touches the machine.
func TestThinkingHalf(t *testing.T) {
	imports := packageImports(t)
	for _, dir := range thinking {
		for _, bad := range reaches(dir, imports) {
			t.Error(bad)
		}
	}
	through := map[string][]string{"a": {module + "/b", "slices"}, "b": {module + "/c"}, "c": {"os", "github.com/spf13/afero"}}
	if bad := reaches("a", through); len(bad) != 2 {
		t.Errorf("the check finds %q", bad)
	}
}

// proof are the packages that tests, simulations and hosts use. No program has them in it.
var proof = []string{"fsys/memfs", "fsys/faultfs", "fsys/fsystest", "process/processtest", "pattern/patterntest", "cache/cachetest", "actors/actorstest", "haztest", "workspace/infer/infertest"}

// TestProofApart follows the imports of the program, and of package haz, to their end.
func TestProofApart(t *testing.T) {
	imports := packageImports(t)
	for _, from := range []string{".", "cmd/haz"} {
		for _, dir := range closure(from, imports) {
			if slices.Contains(proof, dir) {
				t.Errorf("%s brings %s along", from, dir)
			}
		}
	}
	for dir := range imports {
		if strings.HasSuffix(dir, "test") && !slices.Contains(proof, dir) {
			t.Errorf("what is %s?", dir)
		}
	}
	through := map[string][]string{".": {module + "/b", "slices"}, "b": {module + "/fsys/memfs", module + "/b"}, "c": {module + "/d"}}
	if got := closure(".", through); !slices.Equal(got, []string{".", "b", "fsys/memfs"}) {
		t.Errorf("the closure is %q", got)
	}
}

// closure is a package and all of this module that it brings along.
func closure(from string, imports map[string][]string) []string {
	list := []string{from}
	for i := 0; i < len(list); i++ {
		for _, imp := range imports[list[i]] {
			if inner, ours := strings.CutPrefix(imp+"/", module+"/"); ours {
				if dir := path.Clean(inner); !slices.Contains(list, dir) {
					list = append(list, dir)
				}
			}
		}
	}
	return list
}

func reaches(from string, imports map[string][]string) []string {
	var bad []string
	for _, dir := range closure(from, imports) {
		for _, imp := range imports[dir] {
			ours := strings.HasPrefix(imp, module+"/")
			if !ours && strings.Contains(strings.Split(imp, "/")[0], ".") || slices.Contains([]string{"os", "os/exec", "syscall", "net", "io/fs", "embed"}, imp) {
				bad = append(bad, from+" reaches "+imp+" by "+dir)
			}
		}
	}
	return bad
}

// TestNoIdleRows fails on a permission that nothing needs: it would allow an arrow that nobody has thought about.
func TestNoIdleRows(t *testing.T) {
	for _, idle := range idleRows(mayImport, owners, packageImports(t)) {
		t.Error(idle)
	}
	if idle := idleRows(map[string]string{"a": "b c"}, map[string]string{"m": "a b"}, map[string][]string{"a": {module + "/b", "m/x"}}); len(idle) != 2 {
		t.Errorf("the check finds %q", idle)
	}
}

func idleRows(rows, owners map[string]string, imports map[string][]string) []string {
	var idle []string
	for dir, allowed := range rows {
		if _, there := imports[dir]; !there {
			idle = append(idle, "no package "+dir)
		}
		for _, to := range strings.Fields(allowed) {
			if !slices.Contains(imports[dir], strings.TrimSuffix(module+"/"+to, "/.")) {
				idle = append(idle, dir+" does not import "+to)
			}
		}
	}
	for foreign, dirs := range owners {
		for _, dir := range strings.Fields(dirs) {
			if !slices.ContainsFunc(imports[dir], func(imp string) bool { return imp == foreign || strings.HasPrefix(imp, foreign+"/") }) {
				idle = append(idle, dir+" does not import "+foreign)
			}
		}
	}
	return idle
}

// TestImportsGoesRed shows that the check can fail.
func TestImportsGoesRed(t *testing.T) {
	for _, tc := range []struct{ dir, imported string }{
		{"schedule", module + "/fsys"},
		{"diag", module + "/workspace"},
		{"cache", "github.com/asynkron/protoactor-go/actor"},
		{"graph", "example.com/unknown"},
	} {
		if len(forbidden(tc.dir, mayImport[tc.dir], []string{tc.imported})) == 0 {
			t.Errorf("%s may import %s, says the check", tc.dir, tc.imported)
		}
	}
	if bad := forbidden("schedule", mayImport["schedule"], []string{module + "/graph", "slices"}); len(bad) != 0 {
		t.Errorf("allowed imports are refused: %v", bad)
	}
}

func forbidden(dir, allowed string, imports []string) []string {
	var bad []string
	for _, imp := range imports {
		inner, ours := strings.CutPrefix(imp, module)
		switch {
		case ours:
			inner = strings.TrimPrefix(inner, "/")
			if inner == "" {
				inner = "."
			}
			if !slices.Contains(strings.Fields(allowed), inner) {
				bad = append(bad, dir+" must not import "+inner)
			}
		case strings.Contains(strings.Split(imp, "/")[0], "."):
			if !slices.Contains(strings.Fields(owners[foreignModule(imp)]), dir) {
				bad = append(bad, dir+" must not import "+imp+": another package owns that module")
			}
		}
	}
	return bad
}

func foreignModule(imp string) string {
	for m := range owners {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			return m
		}
	}
	return imp
}

// packageImports reads the imports of every package, tests left out.
func packageImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(p, "go.mod")); p != "." && (err == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(p))
		found[dir] = append(found[dir], importPaths(f.Imports)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func importPaths(specs []*ast.ImportSpec) []string {
	var out []string
	for _, s := range specs {
		out = append(out, strings.Trim(s.Path.Value, `"`))
	}
	return out
}
