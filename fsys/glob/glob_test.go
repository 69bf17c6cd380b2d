package glob

import (
	"testing"

	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/pattern"
)

// The old name makes the same thing.
func TestNewTree(t *testing.T) {
	fs := memfs.New()
	if err := fs.Mkdir("/p", 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := pattern.Parse("/*")
	if err != nil {
		t.Fatal(err)
	}
	if found, _, err := NewTree(fs).Inputs(t.Context(), []pattern.Pattern{p}, nil); err != nil || len(found) != 1 || found[0].Path != "/p" {
		t.Errorf("%+v, %v", found, err)
	}
}
