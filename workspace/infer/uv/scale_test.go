package uv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/workspace/infer/infertest"
	"github.com/haz-build/haz/workspace/infer/uv"
)

// many is a workspace of n projects: 20 requirements each, 5 of them projects here, and settings of tools.
func many(n int) []txtar.File {
	files := []txtar.File{{Name: "pyproject.toml", Data: []byte("[project]\nname = \"root\"\n\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\nexclude = [\"packages/old-*\"]\n")}}
	for i := range n {
		var b, sources strings.Builder
		fmt.Fprintf(&b, "[project]\nname = \"many-%d\"\nversion = \"1.0.0\"\nrequires-python = \">=3.12\"\ndependencies = [\n", i)
		for k := range 15 {
			fmt.Fprintf(&b, "    \"vendor-%d>=1.%d,<2\",\n", k, k)
		}
		for k := range 4 {
			to := (i*7 + k*31 + 1) % n
			fmt.Fprintf(&b, "    \"many_%d\",\n", to)
			fmt.Fprintf(&sources, "many-%d.workspace = true\n", to)
		}
		next := (i + n/2) % n
		fmt.Fprintf(&b, "]\n\n[dependency-groups]\ntest = [\"many-%d\", \"pytest\"]\n\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n", next)
		fmt.Fprintf(&b, "\n[tool.ruff]\nline-length = 100\n\n[tool.uv.sources]\n%s", sources.String())
		if !strings.Contains(sources.String(), fmt.Sprintf("many-%d.", next)) {
			fmt.Fprintf(&b, "many-%d = { path = \"../p%d\" }\n", next, next)
		}
		files = append(files, txtar.File{Name: fmt.Sprintf("packages/p%d/pyproject.toml", i), Data: []byte(b.String())})
	}
	return files
}

func TestLinear(t *testing.T)    { infertest.Linear(t, uv.Reader{}, many) }
func BenchmarkRead(b *testing.B) { infertest.Bench(b, uv.Reader{}, many) }
