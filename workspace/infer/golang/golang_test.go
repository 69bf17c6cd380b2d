package golang_test

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// TestArchives is haz::cfg::105, by examples.
func TestArchives(t *testing.T) { infertest.Archives(t, golang.Reader{}) }
