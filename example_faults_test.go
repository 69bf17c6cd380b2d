package haz_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/spf13/afero"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/messages"
)

// The power is cut at every fourth write. What was flushed survives, and of the rest what a seed chooses. The next run, on what survived,
// comes to the right bytes.
func Example_powerCut() {
	for k := 0; ; k += 4 {
		disk := memfs.New()
		writeWorkspace(disk) // what was there before the disk is made to fail counts as flushed
		faulty := faultfs.CrashAt(disk, k, uint64(k))
		_, _ = build(faulty) // whatever that comes to
		if !faulty.Crashed() {
			fmt.Println("every point was tried, and there were some:", k > 40)
			return
		}
		survivor := faulty.Survivor()
		r, err := build(survivor)
		if err != nil || !r.OK() {
			log.Fatalf("after a power cut at write %d: %+v, %v", k, r, err)
		}
		if text, err := afero.ReadFile(survivor, "/ws/app/out"); string(text) != "SOURCE" {
			log.Fatalf("after a power cut at write %d: %q, %v", k, text, err)
		}
	}
	// Output:
	// every point was tried, and there were some: true
}

// When the cache actor is told to store its second result, it dies. A run cannot go on without it: it ends all the same, its processes with
// it, and result and outcomes name who died.
func Example_deadCacheActor() {
	disk := memfs.New()
	writeWorkspace(disk)
	ctx := context.Background()
	w, err := haz.Open(ctx, "/ws", haz.WithFileSystem(disk), haz.WithSpawner(compiler(disk)), haz.WithHooks(haz.Hooks{
		Faults: []haz.Fault{{Actor: "cache", Message: "StoreEntry", Nth: 2, Panic: "injected"}},
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	r, err := w.Run(ctx, []int{0, 1}, haz.RunOptions{})
	fmt.Println("went well:", r.OK(), "died:", strings.Contains(err.Error(), "injected"))
	for _, o := range r.Outcomes {
		fmt.Println(o.Task, o.Status, o.Error != nil && o.Error.Kind == messages.ErrCrash)
	}
	// Output:
	// went well: false died: true
	// app:build failed true
	// lib:compile completed false
}
