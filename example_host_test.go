package haz_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/spf13/afero"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// Two runs at once in an actor system of the host's. haz stops its own actors when a run has ended, and no others.
func ExampleWithActorSystem() {
	dir := exampleWorkspace()
	defer os.RemoveAll(dir)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond)) // the library's own goroutine stays for so long: when an actor had stopped already
	defer system.Shutdown()

	ctx := context.Background()
	w, err := haz.Open(ctx, dir, haz.WithActorSystem(system, "builds/"))
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	selected, err := w.Select(ctx, haz.Selection{Workspace: true})
	if err != nil {
		log.Fatal(err)
	}

	results := make([]*haz.Result, 2)
	var both sync.WaitGroup
	for i := range results {
		both.Go(func() {
			r, err := w.Run(ctx, selected.Targets[i:i+1], haz.RunOptions{})
			if err != nil {
				log.Fatal(err)
			}
			results[i] = r
		})
	}
	both.Wait()
	for i, r := range results {
		fmt.Println(w.W.Tasks[selected.Targets[i]].ID, "and what it needs:", r.Counts.Completed, r.OK())
	}
	// Output:
	// app:build and what it needs: 2 true
	// lib:compile and what it needs: 1 true
}

// builtins carries out some programs as functions of this program, and all others as processes.
type builtins struct {
	process.Spawner
	functions *processtest.Spawner
}

func (b builtins) Start(c process.Command, out process.Sink) (process.Process, error) {
	if strings.HasPrefix(c.Argv[0], "go:") {
		return b.functions.Start(c, out)
	}
	return b.Spawner.Start(c, out)
}

// Tasks as Go functions: `command: [go:hello, you]` calls a function of this program, beside tasks that are processes.
func ExampleWithSpawner() {
	dir, err := os.MkdirTemp("", "haz-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	put(dir+"/.haz/workspace.yml", "projects: [/p]\n")
	put(dir+"/p/haz.yml", "name: p\ntasks:\n  greet: {command: ['go:hello', you]}\n  shout: {shell: 'echo HELLO', deps: ['~:greet']}\n")

	functions := processtest.New(map[string]processtest.Script{
		"go:hello": func(c process.Command, out process.Sink, signals <-chan processtest.Signal) process.Exit {
			fmt.Fprintf(os.Stdout, "(in this program: %s)\n", c.Label)
			out.Write(process.Stdout, []byte("hello, "+c.Argv[1]+"\n"))
			return process.Exit{} // one that takes its time looks at signals, and returns soon after processtest.Kill
		}})
	spawner := builtins{process.System(process.DefaultLimits), functions}
	defer spawner.Close() // haz closes only what it has made

	ctx := context.Background()
	w, err := haz.Open(ctx, dir, haz.WithSpawner(spawner))
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	r, err := w.Run(ctx, []int{1}, haz.RunOptions{Observer: func(e haz.Event) {
		if said, ok := e.(haz.TaskOutput); ok {
			fmt.Printf("%s: %s", said.Task, said.Bytes)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("all went well:", r.OK())
	// Output:
	// (in this program: p:greet)
	// p:greet: hello, you
	// p:shout: HELLO
	// all went well: true
}

// writeWorkspace makes a workspace of two tasks, whose program is a function.
func writeWorkspace(disk afero.Fs) {
	for name, text := range map[string]string{
		"/ws/.haz/workspace.yml": "projects: [/lib, /app]\n",
		"/ws/lib/haz.yml":        "name: lib\ntasks:\n  compile: {command: [compile, src, out], inputs: [src], outputs: [out]}\n",
		"/ws/lib/src":            "source",
		"/ws/app/haz.yml":        "name: app\ntasks:\n  build: {command: [compile, ../lib/out, out], inputs: [/lib/out], outputs: [out], deps: ['lib:compile']}\n",
	} {
		if err := disk.MkdirAll(path.Dir(name), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := afero.WriteFile(disk, name, []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// compiler carries those tasks out on a disk.
func compiler(disk afero.Fs) *processtest.Spawner {
	return processtest.New(map[string]processtest.Script{
		"compile": func(c process.Command, out process.Sink, _ <-chan processtest.Signal) process.Exit {
			text, err := afero.ReadFile(disk, path.Join(c.Dir, c.Argv[1]))
			if err == nil {
				err = afero.WriteFile(disk, path.Join(c.Dir, c.Argv[2]), bytes.ToUpper(text), 0o644)
			}
			if err != nil {
				out.Write(process.Stderr, []byte(err.Error()+"\n"))
				return process.Exit{Code: 1}
			}
			return process.Exit{}
		}})
}

// build runs all tasks of the workspace on a disk.
func build(disk fsys.FS) (*haz.Result, error) {
	ctx := context.Background()
	w, err := haz.Open(ctx, "/ws", haz.WithFileSystem(disk), haz.WithSpawner(compiler(disk)))
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return w.Run(ctx, []int{0, 1}, haz.RunOptions{})
}

// A workspace in memory, cache included. Processes do not see such a disk, so its tasks are functions.
func ExampleWithFileSystem() {
	disk := memfs.New() // an afero.Fs, with the links, modes, locks and inodes of a real disk
	writeWorkspace(disk)
	for range 2 {
		r, err := build(disk)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d completed, %d from the cache\n", r.Counts.Completed, r.Counts.Cached)
		if err := disk.Remove("/ws/app/out"); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 2 completed, 0 from the cache
	// 2 completed, 2 from the cache
}

// A disk of afero's, which knows nothing of haz. What is done to it behind the back of haz counts: nothing is believed of a stat.
func ExampleWithFileSystem_afero() {
	disk := afero.NewMemMapFs()
	host := fsys.FromAfero(disk) // one for one disk: locks are its own
	writeWorkspace(disk)
	for _, change := range []func() error{
		func() error { return nil },
		func() error { return disk.RemoveAll("/ws/app/out") },
		func() error { return afero.WriteFile(disk, "/ws/lib/src", []byte("edited"), 0o644) },
		func() error { return nil },
	} {
		r, err := build(host)
		if err != nil {
			log.Fatal(err)
		}
		text, err := afero.ReadFile(disk, "/ws/app/out")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d completed, %d from the cache: %s\n", r.Counts.Completed, r.Counts.Cached, text)
		if err := change(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 2 completed, 0 from the cache: SOURCE
	// 2 completed, 2 from the cache: SOURCE
	// 2 completed, 2 from the cache: SOURCE
	// 2 completed, 0 from the cache: EDITED
}

// A workspace without files of its own: tasks are values, their programs are functions, and the disk is memory.
func ExampleNew() {
	disk := fsys.Memory()
	if err := disk.MkdirAll("/ws/lib", 0o755); err != nil {
		log.Fatal(err)
	}
	if err := afero.WriteFile(disk, "/ws/lib/src", []byte("source"), 0o644); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	w, err := haz.New(ctx, "/ws", haz.Declaration{Projects: []haz.ProjectDeclaration{{Name: "lib", Dir: "/lib", Tasks: []haz.TaskDeclaration{
		{Name: "compile", Command: []string{"compile", "src", "out"}, Inputs: []string{"src"}, Outputs: []string{"out"}},
		{Name: "pack", Command: []string{"compile", "out", "packed"}, Inputs: []string{"out"}, Outputs: []string{"packed"}, Deps: []string{"~:compile"}},
	}}}}, haz.WithFileSystem(disk), haz.WithSpawner(compiler(disk)))
	if err != nil {
		log.Fatal(err) // every mistake, with the task that it is in: "task lib:pack: …"
	}
	defer w.Close()
	for range 2 {
		r, err := w.Run(ctx, []int{0, 1}, haz.RunOptions{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Counts.Completed, "completed,", r.Counts.Cached, "from the cache")
	}
	// Output:
	// 2 completed, 0 from the cache
	// 2 completed, 2 from the cache
}
