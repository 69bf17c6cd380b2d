package cargo_test

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer/cargo"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// TestArchives is haz::cfg::106, by examples.
func TestArchives(t *testing.T) { infertest.Archives(t, cargo.Reader{}) }

func FuzzRead(f *testing.F) {
	infertest.Fuzz(f, cargo.Reader{}, "Cargo.toml", "Cargo.toml",
		"[workspace]\nmembers = [\"a\", \"a/*\"]\nexclude = [\"x\"]\n[workspace.dependencies]\nb = {path = \"a/b\"}\n",
		"[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\nc = \"1\"\n",
		"[package]\nname = \"b\"\n[target.x.dev-dependencies.a]\npath = \"..\"\n[patch.crates-io]\nc = {path = \".\"}\n",
	)
}
