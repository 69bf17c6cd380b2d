package haz_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/spf13/afero"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// The power is cut at every fourth write. What was flushed survives, and of the rest what a seed chooses. The next run, on what survived,
// comes to the right bytes.
func Example_powerCut() {
	for k := 0; ; k += 4 {
		disk := fsys.Memory()
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

// stopActor stops those actors in a system whose names have some text in them.
func stopActor(system *actor.ActorSystem, part string) {
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		for _, id := range bucket.Keys() {
			if strings.Contains(id, part) {
				system.Root.Stop(system.NewLocalPID(id))
			}
		}
	}
}

// While a task runs, the cache actor of the run is stopped behind its back. A run cannot go on without it: it ends all the same, its
// processes with it, and result and outcomes name who died.
func Example_deadCacheActor() {
	system := actors.NewSystem(nil) // of the actor library, and silent
	defer system.Shutdown()
	disk := fsys.Memory()
	writeWorkspace(disk)
	spawner := processtest.New(map[string]processtest.Script{
		"compile": func(_ process.Command, _ process.Sink, signals <-chan processtest.Signal) process.Exit {
			stopActor(system, "/cache$")
			<-signals
			return process.Exit{Code: 1}
		}})
	ctx := context.Background()
	w, err := haz.Open(ctx, "/ws", haz.WithFileSystem(disk), haz.WithSpawner(spawner), haz.WithActorSystem(system, "host/"))
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	r, err := w.Run(ctx, []int{0, 1}, haz.RunOptions{})
	fmt.Println("went well:", r.OK(), "died:", strings.Contains(err.Error(), "/cache$"), "processes left:", len(spawner.Alive()))
	for _, o := range r.Outcomes {
		fmt.Println(o.Task, o.Status, o.Error.Kind, strings.Contains(o.Error.Reason, "/cache$"))
	}
	// Output:
	// went well: false died: true processes left: 0
	// app:build failed crash true
	// lib:compile failed crash true
}
