package cargo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/workspace/infer/cargo"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// many is a workspace of n packages: 20 dependencies each, 5 of them packages here, two by the workspace's table.
func many(n int) []txtar.File {
	var root strings.Builder
	root.WriteString("[workspace]\nmembers = [\"crates/*\"]\n\n[workspace.dependencies]\n")
	var files []txtar.File
	for i := range n {
		fmt.Fprintf(&root, "many-%d = { path = \"crates/c%d\" }\n", i, i)
		var b strings.Builder
		fmt.Fprintf(&b, "[package]\nname = \"many-%d\"\nversion = \"1.0.0\"\nedition = \"2024\"\nlicense.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\n", i)
		for k := range 10 {
			fmt.Fprintf(&b, "vendor-%d = { version = \"1.%d\", default-features = false, features = [\"std\", \"derive\"] }\n", k, k)
		}
		for k := range 2 {
			fmt.Fprintf(&b, "many-%d.workspace = true\n", (i*7+k*31+1)%n)
		}
		for k := range 2 {
			to := (i*11 + k*17 + 5) % n
			fmt.Fprintf(&b, "path-%d = { package = \"many-%d\", path = \"../c%d\" }\n", k, to, to)
		}
		fmt.Fprintf(&b, "\n[dev-dependencies]\nnext = { package = \"many-%d\", path = \"../c%d\" }\n", (i+1)%n, (i+1)%n)
		for k := range 5 {
			fmt.Fprintf(&b, "vendor-dev-%d = \"%d\"\n", k, k)
		}
		files = append(files, txtar.File{Name: fmt.Sprintf("crates/c%d/Cargo.toml", i), Data: []byte(b.String())},
			txtar.File{Name: fmt.Sprintf("crates/c%d/src/lib.rs", i)})
	}
	return append(files, txtar.File{Name: "Cargo.toml", Data: []byte(root.String())})
}

func TestLinear(t *testing.T)    { infertest.Linear(t, cargo.Reader{}, many) }
func BenchmarkRead(b *testing.B) { infertest.Bench(b, cargo.Reader{}, many) }
