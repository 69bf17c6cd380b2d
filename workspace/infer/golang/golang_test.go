package golang_test

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// TestArchives is haz::cfg::105, by examples.
func TestArchives(t *testing.T) { infertest.Archives(t, golang.Reader{}) }

func FuzzRead(f *testing.F) {
	infertest.Fuzz(f, golang.Reader{}, "go.work", "go.mod",
		"go 1.26\nuse (\n\t.\n\t./a\n)\nreplace x => ./a/b\n",
		"module example.com/a\nrequire x v1.0.0\nreplace x => ../\n",
		"module x\nrequire (\n\texample.com/a v0.0.0\n)\nignore ./b\n",
	)
}
