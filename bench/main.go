// Command bench times haz as a user meets it: whole processes, on generated workspaces, beside ninja and turbo where they are
// installed, in interleaved rounds, so that ratios survive a machine whose speed drifts.
//
//	go run ./bench                          # 1,000 tasks: cold, nothing to do, restore, one changed; beside ninja and turbo
//	go run ./bench -shape files             # the same for 20,000 files in 50 tasks
//	go run ./bench -scale                   # loading, planning and running 100, 1,000 and 10,000 projects; -sizes 10000,100000 for others
//	go run ./bench -first                   # from the start of haz to that of its first task: 10, 1,000 and 5,000 projects
//	go run ./bench -cli                     # --version, help, query, list, why, completion; size of the program
//	go run ./bench -against HEAD~1          # this tree beside a commit: ratios of CPU and wall, round by round
//	go run ./bench -streams -blobs          # 200 MB of output; 512 MiB of blobs restored, beside cp
//
// A workspace, but for -shapes, has N projects in ten layers; each has a task with four inputs of 1 KiB, one output and three upstreams in the
// layer below. turbo is taken from PATH or TURBO_BIN; it calls `npm run build`, for which a shell script with the same command
// stands in, so that node's start-up does not count as turbo's.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"time"
)

var (
	size    = flag.Int("n", 1000, "projects")
	rounds  = flag.Int("rounds", 5, "measured rounds; medians are printed")
	form    = flag.String("shape", "layered", "the workspace beside peers: layered, wide, files")
	scale   = flag.Bool("scale", false, "loading, planning and running at several sizes")
	sizes   = flag.String("sizes", "100,1000,10000", "with -scale: how many projects")
	first   = flag.Bool("first", false, "the first task of a cold start")
	cli     = flag.Bool("cli", false, "start-up and read-only commands")
	streams = flag.Bool("streams", false, "peak memory with 200 MB of task output")
	blobs   = flag.Bool("blobs", false, "restoring 512 MiB of blobs, beside cp")
	keep    = flag.String("work", "", "folder for the workspaces (default: a temporary one, removed)")
	against = flag.String("against", "", "a commit: the haz of this tree is timed beside the one of that")
	shapes  = flag.String("shapes", "layered,wide", "with -against: shapes of workspaces, of layered, wide, files")
	binary  = flag.String("haz", "", "the haz binary (default: built from this module)")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	work := *keep
	if work == "" {
		dir, err := os.MkdirTemp("", "haz-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		work = dir
	}
	work, err := filepath.Abs(work)
	if err != nil {
		return err
	}
	haz := *binary
	if haz == "" {
		haz = filepath.Join(work, "haz-under-test")
		if err := build(".", haz); err != nil {
			return err
		}
	}
	if *against != "" {
		return benchAgainst(haz, work)
	}
	any := false
	for _, part := range []struct {
		on  bool
		run func(string, string) error
	}{{*scale, benchScale}, {*first, benchFirst}, {*cli, benchCLI}, {*streams, benchStreams}, {*blobs, benchBlobs}} {
		if part.on {
			any = true
			if err := part.run(haz, work); err != nil {
				return err
			}
		}
	}
	if any {
		return nil
	}
	return benchPeers(haz, work)
}

// build makes haz from the module in dir, as the README says, but for what a debugger needs.
func build(dir, haz string) error {
	c := exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-trimpath", "-ldflags", "-s -w", "-o", haz, "./cmd/haz")
	c.Dir, c.Stderr, c.Env = dir, os.Stderr, append(os.Environ(), "CGO_ENABLED=0")
	if err := c.Run(); err != nil {
		return fmt.Errorf("build haz: %w", err)
	}
	return nil
}

// tool is one task runner on its own copy of the workspace.
type tool struct {
	name  string
	args  []string
	dir   string
	env   []string
	clean []string // what a cold run must not find, relative to the workspace
}

// benchPeers times the four scenarios for every tool that is there.
func benchPeers(haz, work string) error {
	make, err := maker(*form)
	if err != nil {
		return err
	}
	w := make(*size)
	tools, err := peers(haz, work, w)
	if err != nil {
		return err
	}
	fmt.Printf("%d tasks in %d layers, %d inputs of 1 KiB each, %d rounds: wall, CPU, memory at the peak, medians\n", w.n, w.layers, w.files, *rounds)
	fmt.Printf("%-14s", "")
	for _, t := range tools {
		fmt.Printf(" %31s", t.name)
	}
	fmt.Println("   haz / others")
	for _, scenario := range scenarios {
		times, err := measure(tools, w, scenario)
		if err != nil {
			return err
		}
		printRow(scenario, times)
	}
	return nil
}

var scenarios = []string{"cold", "nothing to do", "restore", "one changed"}

// measure times a scenario for all tools, in interleaved rounds: the samples of each tool, one a round.
func measure(tools []tool, w shape, scenario string) ([][]sample, error) {
	times := make([][]sample, len(tools))
	for round := range *rounds {
		for k := range tools {
			i := k
			if round%2 == 1 { // nobody is always the one behind another
				i = len(tools) - 1 - k
			}
			t := tools[i]
			if err := prepare(t, w, scenario, round); err != nil {
				return nil, err
			}
			s, err := t.run()
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", t.name, scenario, err)
			}
			if missing := w.missing(t.dir); missing > 0 {
				return nil, fmt.Errorf("%s, %s: %d outputs are missing after the run", t.name, scenario, missing)
			}
			times[i] = append(times[i], s)
		}
	}
	return times, nil
}

// prepare puts a tool's workspace into the state in which a scenario begins. The run before left all outputs in place.
func prepare(t tool, w shape, scenario string, round int) error {
	switch scenario {
	case "cold":
		for _, c := range t.clean {
			if err := os.RemoveAll(filepath.Join(t.dir, c)); err != nil {
				return err
			}
		}
		return w.removeOutputs(t.dir)
	case "restore":
		return w.removeOutputs(t.dir)
	case "one changed":
		return w.edit(t.dir, w.n-1, round)
	case "nothing to do":
		if round == 0 { // settle: what the last run left too young to trust is read once more
			time.Sleep(2100 * time.Millisecond)
			_, err := t.run()
			return err
		}
	}
	return nil
}

func printRow(name string, times [][]sample) {
	fmt.Printf("%-14s", name)
	base := median(times[0], func(s sample) float64 { return s.wall.Seconds() })
	ratios := ""
	for i, ts := range times {
		wall := median(ts, func(s sample) float64 { return s.wall.Seconds() })
		cpu := median(ts, func(s sample) float64 { return s.cpu.Seconds() })
		rss := median(ts, func(s sample) float64 { return float64(s.rss >> 20) })
		fmt.Printf(" %9.0f ms (%5.0f cpu) %4.0f MiB", wall*1000, cpu*1000, rss)
		if i > 0 {
			ratios += fmt.Sprintf(" %.2f", base/wall)
		}
	}
	fmt.Println("  ", ratios)
}

func median(ss []sample, f func(sample) float64) float64 {
	v := make([]float64, len(ss))
	for i, s := range ss {
		v[i] = f(s)
	}
	sort.Float64s(v)
	return v[len(v)/2]
}

// sample is one measured process.
type sample struct {
	wall, cpu time.Duration
	rss       int64 // bytes, of the largest single process
}

func (t tool) run() (sample, error) { return timed(t.dir, t.env, t.args...) }

// timed runs a command and measures it from outside.
func timed(dir string, env []string, args ...string) (sample, error) {
	c := exec.Command(args[0], args[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	log, err := os.CreateTemp("", "haz-bench-log-")
	if err != nil {
		return sample{}, err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	begin := time.Now()
	err = c.Run()
	s := sample{wall: time.Since(begin)}
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return s, fmt.Errorf("%w\n%s", err, tail(text, 2000))
	}
	s.cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	s.rss = peak(c.ProcessState)
	return s, nil
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		return b[len(b)-n:]
	}
	return b
}
