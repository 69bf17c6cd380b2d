package node_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/workspace/infer/infertest"
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

func BenchmarkRead(b *testing.B) { infertest.Bench(b, node.Reader{}, many) }
