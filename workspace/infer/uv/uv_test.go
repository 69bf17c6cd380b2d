package uv_test

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer/infertest"
	"github.com/haz-build/haz/workspace/infer/uv"
)

// TestArchives is haz::cfg::107, by examples.
func TestArchives(t *testing.T) { infertest.Archives(t, uv.Reader{}) }
