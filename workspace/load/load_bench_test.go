package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haz-build/haz/fsys"
)

// plantProjects writes n projects as the issues describe them to a temporary directory: one literal output, one glob, one
// literal input and three dependencies each.
func plantProjects(b *testing.B, n int) string {
	b.Helper()
	root := b.TempDir()
	write := func(name, text string) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	write(".haz/workspace.yml", "projects: [\"/p/*\"]\n")
	for i := range n {
		var deps []string
		for _, back := range []int{1, 2, 3} {
			if i-back >= 0 {
				deps = append(deps, fmt.Sprintf("\"p%05d:build\"", i-back))
			}
		}
		write(fmt.Sprintf("p/p%05d/haz.yml", i), fmt.Sprintf(`name: p%05d
tags: [lib, go]
tasks:
  build:
    command: [sh, -c, "cat src/*.c > dist/lib.a"]
    inputs: ["src/**/*.c", version.h]
    outputs: [dist/lib.a]
    deps: [%s]
    env: {from_host: [PATH]}
`, i, strings.Join(deps, ", ")))
	}
	return root
}

// BenchmarkLoad loads workspaces from disk. BenchmarkReadFiles is what reading the same files takes, without looking into
// them.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("projects=%d", n), func(b *testing.B) {
			root := plantProjects(b, n)
			host, err := fsys.Host("/")
			if err != nil {
				b.Fatal(err)
			}
			defer host.Close()
			b.ReportAllocs()
			for b.Loop() {
				ws, fs, err := Workspace(context.Background(), host, root, Options{})
				if err != nil || len(ws.Tasks) != n {
					b.Fatal(err)
				}
				_ = fs.Close()
			}
		})
	}
}

func BenchmarkReadFiles(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("projects=%d", n), func(b *testing.B) {
			root := plantProjects(b, n)
			host, err := fsys.Host(root)
			if err != nil {
				b.Fatal(err)
			}
			defer host.Close()
			l := loader{ctx: context.Background()}
			b.ReportAllocs()
			for b.Loop() {
				entries, err := host.List("/p")
				if err != nil || len(entries) != n {
					b.Fatal(err)
				}
				l.parallel(n, func(i int) {
					if _, _, err := host.ReadFile("/p/"+entries[i].Name+"/haz.yml", 0); err != nil {
						b.Error(err)
					}
				})
			}
		})
	}
}

// BenchmarkResolve resolves the three references of each task.
func BenchmarkResolve(b *testing.B) {
	root := plantProjects(b, 1000)
	host, err := fsys.Host("/")
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	ws, fs, err := Workspace(context.Background(), host, root, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer fs.Close()
	b.ReportAllocs()
	for b.Loop() {
		for _, t := range ws.Tasks {
			for _, d := range t.Deps {
				if _, err := ws.Resolve(d.Ref, t.Project); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}
