package state

import (
	"bytes"
	"sync"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

func TestSecretIsMadeOncePerWorkspace(t *testing.T) {
	mem := memfs.New()
	if _, ok := Open(mem, digest.BLAKE3).Secret(false); ok {
		t.Fatal("a secret out of nothing")
	}
	a, ok := Open(mem, digest.BLAKE3).Secret(true)
	b, ok2 := Open(mem, digest.SHA256).Secret(true)
	if !ok || !ok2 || !bytes.Equal(a, b) || len(a) != secretSize {
		t.Errorf("%x and %x", a, b)
	}
	if info, err := mem.Lstat(layout.StateDir + "/" + secretName); err != nil || info.Perm != 0o600 { // S-13
		t.Errorf("mode %o, %v", info.Perm, err)
	}
	c, _ := Open(memfs.New(), digest.BLAKE3).Secret(true)
	if bytes.Equal(a, c) {
		t.Error("two workspaces have one secret")
	}
}

// Many haz make a secret at the same moment: all go on with the same one, which is on disk.
func TestOneSecret(t *testing.T) {
	for _, f := range bothDisks(t) {
		for range 20 {
			if err := f.RemoveAll(layout.StateDir); err != nil {
				t.Fatal(err)
			}
			var group sync.WaitGroup
			got := make([]string, 8)
			for i := range got {
				s := Open(f, digest.BLAKE3)
				group.Go(func() {
					secret, ok := s.Secret(true)
					if !ok {
						t.Error(s.Trouble())
					}
					got[i] = string(secret)
					s.Flush()
				})
			}
			group.Wait()
			kept, _ := Open(f, digest.BLAKE3).Secret(false)
			for i := range got {
				if got[i] != string(kept) || len(kept) != secretSize {
					t.Fatalf("%d has another secret", i)
				}
			}
		}
	}
}
