package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// benchScale shows that loading, planning and running grow with the workspace and no faster, and what the biggest needs. The dry run has no
// compiled workspace to go by, and no cache: it loads, builds the graph, plans and looks up.
func benchScale(haz, work string) error {
	fmt.Printf("%-10s %26s %14s %26s %26s %10s\n", "projects", "check", "per project", "dry run", "nothing to do", "cold")
	var perProject []float64
	for _, text := range strings.Split(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-sizes: %w", err)
		}
		w := layered(n)
		dir := filepath.Join(work, fmt.Sprintf("scale-%d", n))
		if err := w.sources(dir); err != nil {
			return err
		}
		if err := w.writeHaz(dir); err != nil {
			return err
		}
		check, err := repeat(dir, haz, "check")
		if err != nil {
			return err
		}
		dry, err := repeat(dir, haz, "run", "--workspace", "--dry-run")
		if err != nil {
			return err
		}
		cold, err := timed(dir, nil, haz, "run", "--workspace")
		if err != nil {
			return err
		}
		time.Sleep(2100 * time.Millisecond) // old enough for the stat index
		if _, err := timed(dir, nil, haz, "run", "--workspace"); err != nil {
			return err
		}
		warm, err := repeat(dir, haz, "run", "--workspace")
		if err != nil {
			return err
		}
		empty, err := repeat(dir, haz, "--version")
		if err != nil {
			return err
		}
		per := (check.wall - empty.wall).Seconds() / float64(n)
		perProject = append(perProject, per)
		fmt.Printf("%-10d %26s %11.1f µs %26s %26s %6d MiB\n", n, costs(check), per*1e6, costs(dry), costs(warm), cold.rss>>20)
	}
	for i := 1; i < len(perProject); i++ {
		fmt.Printf("a project costs check %.2f times as much as in the workspace before\n", perProject[i]/perProject[i-1])
	}
	return nil
}

// costs is wall time, CPU time and memory at the peak.
func costs(s sample) string {
	return fmt.Sprintf("%.0f ms (%.0f cpu) %4d MiB", ms(s), float64(s.cpu.Microseconds())/1000, s.rss>>20)
}

func ms(s sample) float64 { return float64(s.wall.Microseconds()) / 1000 }

// repeat is the median of several runs.
func repeat(dir string, args ...string) (sample, error) {
	var all []sample
	for range max(3, *rounds) {
		s, err := timed(dir, nil, args...)
		if err != nil {
			return s, err
		}
		all = append(all, s)
	}
	best := all[0]
	best.wall = time.Duration(median(all, func(s sample) float64 { return float64(s.wall) }))
	best.cpu = time.Duration(median(all, func(s sample) float64 { return float64(s.cpu) }))
	for _, s := range all {
		best.rss = max(best.rss, s.rss)
	}
	return best, nil
}

// benchCLI times what people wait for without running anything.
func benchCLI(haz, work string) error {
	empty := filepath.Join(work, "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(empty, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return err
	}
	bin := filepath.Join(work, "empty-program")
	build := exec.Command("go", "build", "-o", bin, filepath.Join(empty, "main.go"))
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	base, err := repeat(work, bin)
	if err != nil {
		return err
	}
	fmt.Printf("%-28s %8.1f ms\n", "an empty Go program", ms(base))
	for _, word := range []string{"--version", "help"} {
		s, err := repeat(work, haz, word)
		if err != nil {
			return err
		}
		fmt.Printf("%-28s %8.1f ms (%.1f times)\n", "haz "+word, ms(s), float64(s.wall)/float64(base.wall))
	}
	if program, err := os.Stat(haz); err == nil {
		fmt.Printf("%-28s %8.1f MB\n", "the program, stripped", float64(program.Size())/1e6)
	}
	dirs := map[int]string{}
	for _, n := range []int{100, 1000} {
		w := layered(n)
		dirs[n] = filepath.Join(work, fmt.Sprintf("cli-%d", n))
		if err := w.sources(dirs[n]); err != nil {
			return err
		}
		if err := w.writeHaz(dirs[n]); err != nil {
			return err
		}
		if _, err := timed(dirs[n], nil, haz, "run", "--workspace"); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		n    int
		args string
	}{{1000, "query --workspace --depends-on name:build"}, {1000, "query --workspace --inputs /**/f1"}, {1000, "list --workspace"},
		{1000, "why p00999:build"}, {1000, "check"}, {100, "__complete fish run p0"}} {
		s, err := repeat(dirs[c.n], append([]string{haz}, strings.Fields(c.args)...)...)
		if err != nil {
			fmt.Printf("%-28s failed: %v\n", c.args, err)
			continue
		}
		fmt.Printf("haz %-45s %5d tasks %8.1f ms\n", c.args, c.n, ms(s))
	}
	return nil
}

// one writes a workspace of one project with one task.
func one(dir, task string) error {
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "haz.yml"), []byte("name: one\ntasks:\n  default:\n"+task+""), 0o644)
}

// benchStreams shows that output does not pile up in memory (S-15).
func benchStreams(haz, work string) error {
	dir := filepath.Join(work, "streams")
	if err := one(dir, "    shell: 'yes 0123456789012345678901234567890123456789012345678901234567890 | head -c 200000000'\n"); err != nil {
		return err
	}
	for _, run := range []string{"cold", "from the cache"} {
		s, err := timed(dir, nil, haz, "run")
		if err != nil {
			return err
		}
		fmt.Printf("200 MB of output, %-15s %8.0f ms, peak memory %d MiB\n", run, ms(s), s.rss>>20)
	}
	return nil
}

// benchBlobs restores 512 MiB beside cp.
func benchBlobs(haz, work string) error {
	dir := filepath.Join(work, "blobs")
	if err := one(dir, "    shell: 'mkdir -p out && for i in 1 2 3 4 5 6 7 8; do head -c 67108864 /dev/urandom > out/$i; done'\n    outputs: ['out/*']\n"); err != nil {
		return err
	}
	if _, err := timed(dir, nil, haz, "run"); err != nil {
		return err
	}
	var restore, cp []sample
	for range *rounds {
		if err := exec.Command("cp", "-r", filepath.Join(dir, "out"), filepath.Join(dir, "kept")).Run(); err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(dir, "out")); err != nil {
			return err
		}
		s, err := timed(dir, nil, haz, "run")
		if err != nil {
			return err
		}
		restore = append(restore, s)
		if err := os.RemoveAll(filepath.Join(dir, "copied")); err != nil {
			return err
		}
		c, err := timed(dir, nil, "cp", "-r", "kept", "copied")
		if err != nil {
			return err
		}
		cp = append(cp, c)
		if err := os.RemoveAll(filepath.Join(dir, "kept")); err != nil {
			return err
		}
	}
	a := median(restore, func(s sample) float64 { return s.wall.Seconds() })
	b := median(cp, func(s sample) float64 { return s.wall.Seconds() })
	fmt.Printf("512 MiB restored in %.0f ms, cp needs %.0f ms: %.2f of its speed\n", a*1000, b*1000, b/a)
	return nil
}
