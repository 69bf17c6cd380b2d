package node_test

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/node"
)

// many is a workspace of n packages as they are: 30 dependencies each, 5 of them packages here, scripts, and what publishing needs.
func many(n int) []txtar.File {
	files := []txtar.File{
		{Name: "package.json", Data: []byte(`{"name": "root", "private": true}`)},
		{Name: "pnpm-workspace.yaml", Data: []byte("packages:\n  - packages/*\n")},
	}
	var scripts, foreign strings.Builder
	for i := range 12 {
		fmt.Fprintf(&scripts, "    \"script-%d\": \"tsc --project tsconfig.%d.json && node scripts/copy.js\",\n", i, i)
	}
	for i := range 25 {
		fmt.Fprintf(&foreign, "    \"@vendor/package-%d\": \"^%d.2.0\",\n", i, i)
	}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "{\n  \"name\": \"@many/p%d\",\n  \"version\": \"1.%d.0\",\n  \"license\": \"MIT\",\n  \"main\": \"dist/index.js\",\n  \"types\": \"dist/index.d.ts\",\n", i, i)
		fmt.Fprintf(&b, "  \"exports\": {\".\": {\"import\": \"./dist/index.mjs\", \"require\": \"./dist/index.js\"}},\n  \"scripts\": {\n%s    \"last\": \"echo\"\n  },\n  \"dependencies\": {\n%s", scripts.String(), foreign.String())
		for k := range 4 {
			fmt.Fprintf(&b, "    \"@many/p%d\": \"workspace:^\",\n", (i*7+k*31+1)%n)
		}
		fmt.Fprintf(&b, "    \"@many/p%d\": \"workspace:*\"\n  }\n}\n", (i+1)%n)
		files = append(files, txtar.File{Name: fmt.Sprintf("packages/p%d/package.json", i), Data: []byte(b.String())})
	}
	return files
}

func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("packages=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			machine, err := fsys.Machine().Sub(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer machine.Close()
			for _, file := range many(n) {
				if err := machine.MkdirAll(path.Dir("/"+file.Name), 0o777); err != nil {
					b.Fatal(err)
				}
				if err := afero.WriteFile(machine, "/"+file.Name, file.Data, 0o666); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if found := infer.All(b.Context(), machine, node.Reader{}); len(found.Projects) != n+1 || len(found.Edges) < 4*n {
					b.Fatalf("%d projects, %d edges", len(found.Projects), len(found.Edges))
				}
			}
		})
	}
}
