package haz_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys/memfs"
)

// A run as the command line does it, from opening the workspace to the result, on the real disk. Whole processes beside other
// tools are timed by ./bench.

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{100, 1000} {
		for _, scenario := range []string{"cold", "nothing", "restore"} {
			b.Run(fmt.Sprintf("%s/tasks=%d", scenario, n), func(b *testing.B) { benchRun(b, n, scenario) })
		}
	}
}

// A run of a workspace that stays open, in memory, with one task and nothing to do.
func BenchmarkRunAgain(b *testing.B) {
	disk := memfs.New()
	writeWorkspace(disk)
	w, err := haz.Open(b.Context(), "/ws", haz.WithFileSystem(disk), haz.WithSpawner(compiler(disk)))
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	b.ReportAllocs()
	for b.Loop() {
		if r, err := w.Run(b.Context(), []int{1}, haz.RunOptions{}); err != nil || !r.OK() {
			b.Fatal(err)
		}
	}
}

func benchRun(b *testing.B, n int, scenario string) {
	dir := b.TempDir()
	layeredWorkspace(b, dir, n)
	run := func() {
		ctx := context.Background()
		w, err := haz.Open(ctx, dir)
		if err != nil {
			b.Fatal(err)
		}
		defer w.Close()
		all := make([]int, len(w.W.Tasks))
		for i := range all {
			all[i] = i
		}
		r, err := w.Run(ctx, all, haz.RunOptions{})
		if err != nil || r.Counts.Completed != n {
			b.Fatalf("%+v, %v", r.Counts, err)
		}
	}
	run()
	if scenario == "nothing" {
		time.Sleep(2100 * time.Millisecond) // until stat can be trusted (chapter 2, 5.4)
		run()
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		switch scenario {
		case "cold":
			remove(b, filepath.Join(dir, ".haz", "cache"), filepath.Join(dir, ".haz", "state"))
			fallthrough
		case "restore":
			for i := range n {
				remove(b, filepath.Join(dir, "p", fmt.Sprintf("p%05d", i), "out", "result"))
			}
		}
		b.StartTimer()
		run()
	}
}

func remove(b *testing.B, names ...string) {
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			b.Fatal(err)
		}
	}
}

// layeredWorkspace has n projects in ten layers, four inputs of 1 KiB, one output, three upstreams in the layer below.
func layeredWorkspace(b *testing.B, dir string, n int) {
	b.Helper()
	put := func(name string, text []byte) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	put(filepath.Join(dir, ".haz", "workspace.yml"), []byte("projects: [/p/*]\n"))
	per := n / 10
	for i := range n {
		p := filepath.Join(dir, "p", fmt.Sprintf("p%05d", i))
		for k := range 4 {
			put(filepath.Join(p, "src", fmt.Sprintf("f%d", k)), fmt.Appendf(nil, "%01020d", i*10+k))
		}
		put(filepath.Join(p, "out", ".keep"), nil)
		text := fmt.Sprintf("name: p%05d\ntasks:\n  build:\n    shell: 'cat src/* > out/result'\n    env: {from_host: [PATH]}\n    inputs: [src/*]\n    outputs: [out/result]\n", i)
		if layer := i / per; layer > 0 {
			base := (layer - 1) * per
			text += fmt.Sprintf("    deps: ['p%05d:build', 'p%05d:build', 'p%05d:build']\n", base+i*7%per, base+(i*7+1)%per, base+(i*7+2)%per)
		}
		put(filepath.Join(p, "haz.yml"), []byte(text))
	}
}
