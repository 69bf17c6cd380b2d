package haz_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// A program that embeds haz: it opens a workspace, selects a task, watches the run, and reads the result.
func Example() {
	dir := exampleWorkspace()
	defer os.RemoveAll(dir)
	ctx := context.Background()

	w, err := haz.Open(ctx, dir)
	if err != nil {
		log.Fatal(err) // every mistake in every file, with place and hint
	}
	defer w.Close()

	ref, err := haz.ParseReference("app:build")
	if err != nil {
		log.Fatal(err)
	}
	sel, err := w.Select(ctx, haz.Selection{References: []haz.Reference{ref}})
	if err != nil {
		log.Fatal(err)
	}

	for range 2 {
		result, err := w.Run(ctx, sel.Targets, haz.RunOptions{Jobs: 1, Observer: func(e messages.Event) {
			switch e := e.(type) {
			case messages.TaskOutput:
				fmt.Printf("  %s says %s", e.Task, e.Bytes)
			case messages.TaskFinished:
				fmt.Printf("  %s ended: %d process(es)\n", e.Outcome.Task, e.Outcome.Spawned)
			}
		}})
		if err != nil {
			log.Fatal(err) // a defect of haz; failing tasks are outcomes
		}
		fmt.Printf("%d completed, %d from the cache\n", result.Counts.Completed, result.Counts.Cached)
	}
	// Output:
	//   lib:compile says compiling
	//   lib:compile ended: 1 process(es)
	//   app:build ended: 1 process(es)
	// 2 completed, 0 from the cache
	//   lib:compile says compiling
	//   lib:compile ended: 0 process(es)
	//   app:build ended: 0 process(es)
	// 2 completed, 2 from the cache
}

func exampleWorkspace() string {
	dir, err := os.MkdirTemp("", "haz-example-")
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range map[string]string{
		".haz/workspace.yml": "projects: [/lib, /app]\n",
		"lib/haz.yml":        "name: lib\ntasks:\n  compile: {shell: 'echo compiling; cat src.txt > lib.a', inputs: [src.txt], outputs: [lib.a]}\n",
		"lib/src.txt":        "source\n",
		"app/haz.yml":        "name: app\ntasks:\n  build: {shell: 'cat ../lib/lib.a > app.txt', inputs: [/lib/lib.a], outputs: [app.txt], deps: ['lib:compile']}\n",
	} {
		put(dir+"/"+name, text)
	}
	return dir
}

func put(name, text string) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}
