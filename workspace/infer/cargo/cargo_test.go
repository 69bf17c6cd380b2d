package cargo_test

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer/cargo"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// TestArchives is haz::cfg::106, by examples.
func TestArchives(t *testing.T) { infertest.Archives(t, cargo.Reader{}) }
