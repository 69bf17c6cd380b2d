package uv_test

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer/infertest"
	"github.com/haz-build/haz/workspace/infer/uv"
)

// TestArchives is haz::cfg::107, by examples.
func TestArchives(t *testing.T) { infertest.Archives(t, uv.Reader{}) }

func FuzzRead(f *testing.F) {
	infertest.Fuzz(f, uv.Reader{}, "pyproject.toml", "pyproject.toml",
		"[tool.uv.workspace]\nmembers = [\"a\", \"a/*\"]\nexclude = [\"**/x[ab]\"]\n[tool.uv.sources]\nb = {workspace = true}\n",
		"[project]\nname = \"A\"\ndependencies = [\"b>=1\"]\n",
		"[project]\nname = \"b\"\n[dependency-groups]\nx = [\"a\", {include-group = \"y\"}]\n[tool.uv.sources]\na = [{path = \"..\"}]\n",
	)
}
