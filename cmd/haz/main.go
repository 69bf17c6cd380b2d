// Command haz runs tasks of multi-project workspaces, each at most once for the same inputs. It is the first embedder of
// package haz: it turns a command line into calls, events into lines, and results into exit codes. Nothing else decides about
// any of the three.
//
// A command has a file with its name, and there its row first (what the library that reads the line has to know of it), then what it
// does: run.go, watch.go, check.go, why.go, query.go, cache.go, list.go, graph.go, exec.go, ps.go, attach.go, init.go, completion.go, man.go, help.go, and
// complete.go for the scripts of completion. What would make one long has a file that begins with its name: graph_projects.go. All else is for
// several:
//
//   - main.go: the process; one command line, and its exit code
//   - table.go: commands and options; words.go: a line put in order; app.go: the line read, and what is wrong with it; hints.go
//   - common.go: a workspace opened, references read; record.go: what is kept of a run; topics.go: what help has to say besides
//   - signals.go, suspend.go, slow.go, memory.go: what happens to the process
//
// In folders: watch (when to run again), setup (the screens of init), ui (the full-screen view of runs), streams (standard output and error), early (the version).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	cmap "github.com/orcaman/concurrent-map"
	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/cmd/haz/early"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/report"
)

func main() { os.Exit(program()) }

// program runs one command line and returns the exit code.
func program() (code int) {
	// The actor library makes a sharded map for each system; one shard makes that fifteen times cheaper, and a run has one
	// system. It is a variable of that library, so only the program may set it.
	cmap.SHARD_COUNT = 1
	tameCollector()
	// A write to a pipe that nobody reads must be an error, not our death. Notify rather than Ignore: what is ignored is
	// inherited, and a task must find SIGPIPE as it is everywhere.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	quitting.arm()

	w := &world{args: os.Args[1:], environ: os.Environ(), env: os.Getenv, patience: &streams.Patience{}}
	w.stdout, w.stderr = streams.Open(os.Stdout, w.patience), streams.Open(os.Stderr, w.patience)
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprint(os.Stderr, internalError(strings.ReplaceAll(fmt.Sprint(r), "\n", " ")+" ("+panicPlace()+")"))
			code = 2
		}
	}()
	return run(context.Background(), w)
}

// internalError asks for a report of a defect of haz.
func internalError(what string) string {
	return "haz: internal error: " + what + "; please report this at https://github.com/haz-build/haz/issues\n"
}

// panicPlace is the place in the source that panicked.
func panicPlace() string {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}

// run is program without the process around it.
func run(ctx context.Context, w *world) int {
	v := &invocation{world: w, ctx: ctx, line: order(w.args), out: streams.NewReport(w.stdout.W)}
	err := v.line.run(ctx, func(c *cli.Context, what func(*invocation) error) error {
		v.c, v.errs = c, v.styled(w.stderr)
		if err := w.stand(v.value("directory")); err != nil {
			return err
		}
		defer watchDisk(v.errs)()
		return what(v)
	})
	code := 0
	var e exit
	if errors.As(err, &e) {
		code, err = int(e), nil
	}
	// What a command has reported is shown also when it ends in an error.
	if ferr := v.out.Finish(); err == nil {
		err = ferr
	}
	if err != nil {
		if v.line.unknown != "" {
			err = v.isTask(err)
		}
		err = v.expanded(err)
		code = 2
		v.errs = v.styled(w.stderr)
		v.warn(diagnose(err, pathName(v.line.path)))
	}
	return code
}

// styled is where a stream goes, and in what colours.
func (v *invocation) styled(s streams.Stream) report.Stream {
	choice := map[string]report.ColorChoice{"always": report.ColorAlways, "never": report.ColorNever}[v.line.given["color"]]
	return report.Stream{W: s.W, Terminal: s.Terminal, Palette: report.DecidePalette(choice, v.env, s.Terminal)}
}

// width is how wide help may be.
func (w *world) width() int {
	if w.stdout.Terminal {
		return w.stdout.Width()
	}
	return 0
}

// showVersion is `haz --version`.
func showVersion(v *invocation) error {
	v.out.Print("haz " + early.Version() + "\n")
	return nil
}

// stand goes to the directory of -C, so that everything is as if haz had been started there.
func (w *world) stand(dir string) error {
	w.started, _ = os.Getwd()
	if dir != "" {
		if err := os.Chdir(dir); err != nil {
			return fmt.Errorf("option --directory: %s: %w", diag.Quote(dir), errors.Unwrap(err))
		}
		// Getwd believes PWD where it names the same place; after a move it does not.
		_ = os.Unsetenv("PWD")
	}
	w.dir, w.dirErr = os.Getwd()
	return nil
}
