package state

import (
	"fmt"
	"slices"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys/memfs"
)

// What a task was seen to rewrite is kept by task, grows, and is bounded.
func TestRewrites(t *testing.T) {
	mem := memfs.New()
	s := Open(mem, digest.BLAKE3)
	if got := s.Rewrites("p:a"); got != nil {
		t.Errorf("%q", got)
	}
	s.AddRewrites("p:a", []string{"/p/z", "/p/\xff"})
	s.AddRewrites("p:a", []string{"/p/a", "/p/z"})
	s.AddRewrites("p:b", []string{"/p/b"})
	s.Flush()
	s = Open(mem, digest.BLAKE3)
	if got, want := s.Rewrites("p:a"), []string{"/p/a", "/p/z", "/p/\xff"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var many []string
	for i := range 3 * maxRewrites {
		many = append(many, fmt.Sprintf("/p/%05d", i))
	}
	s.AddRewrites("p:b", many)
	if got := s.Rewrites("p:b"); len(got) != maxRewrites {
		t.Errorf("%d are kept", len(got))
	}
	OpenReadOnly(mem, digest.BLAKE3).AddRewrites("p:c", many)
	if got := s.Rewrites("p:c"); got != nil {
		t.Errorf("%q", got)
	}
}
