package outputs

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// The same on a real disk: snapshot, run, attribution, and again with what the product list holds from the first time.
func TestOnDisk(t *testing.T) {
	root := t.TempDir()
	disk, err := fsys.Host(root)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var patterns []pattern.Pattern
	for _, text := range []string{"o/**", "bin"} {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, p.Anchor("/p"))
	}
	run := func(products state.Products, do func()) (*Collected, state.Products) {
		t.Helper()
		st := state.Open(disk, digest.SHA256)
		before, err := TakeSnapshot(context.Background(), disk, patterns, Owner{})
		if err != nil {
			t.Fatal(err)
		}
		do()
		c, err := Collect(context.Background(), disk, st, digest.SHA256, Request{Task: "p:t", Patterns: patterns, Before: before, Products: products, DirMode: 0o755})
		if err != nil {
			t.Fatal(err)
		}
		st.WriteProducts(state.Products{Task: "p:t", Files: c.Produced})
		st.Flush()
		return c, state.Open(disk, digest.SHA256).Products("p:t")
	}
	c, products := run(state.Products{}, func() {
		write("p/o/a", "1")
		write("p/o/d/b", "2")
		write("p/bin", "3")
		if err := os.Symlink("a", filepath.Join(root, "p/o/l")); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(root, "p/o/e"), 0o755); err != nil {
			t.Fatal(err)
		}
	})
	if len(c.Wrote) != 5 || len(c.Outputs) != 5 || c.NotStorable != "" || len(products.Files) != 5 {
		t.Fatalf("first run: %+v", c)
	}
	first := c.Digest
	c, products = run(products, func() {})
	if len(c.Wrote) != 0 || c.Digest != first || c.NotStorable != "" {
		t.Errorf("second run: %+v", c)
	}
	c, _ = run(products, func() { write("p/o/a", "changed") })
	if len(c.Wrote) != 1 || len(c.Outputs) != 5 || c.Digest == first {
		t.Errorf("third run: %+v", c)
	}
	c, _ = run(state.Products{}, func() {})
	if c.NotStorable == "" || len(c.Outputs) != 0 {
		t.Errorf("without the product list: %+v", c)
	}
}
