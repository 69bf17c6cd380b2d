package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// benchAgainst times the haz of this tree beside the one of a commit, each on a copy of its own of the same workspaces. What is printed
// are ratios, this tree / that commit, each of two runs of one round, which follow each other: the middle one, and the quarters.
func benchAgainst(haz, work string) error {
	old, err := buildCommit(*against, work)
	if err != nil {
		return err
	}
	fmt.Printf("this tree / %s, %d rounds: middle ratio (quarters), 1.00 is equal\n", *against, *rounds)
	for _, name := range strings.Split(*shapes, ",") {
		make, err := maker(name)
		if err != nil {
			return err
		}
		w := make(*size)
		tools := []tool{{name: "new", args: []string{haz}}, {name: "old", args: []string{old}}}
		for i := range tools {
			t := &tools[i]
			t.args = append(t.args, "run", "--workspace")
			t.clean = []string{".haz/cache", ".haz/state"}
			t.dir = filepath.Join(work, name+"-"+t.name)
			if err := w.sources(t.dir); err != nil {
				return err
			}
			if err := w.writeHaz(t.dir); err != nil {
				return err
			}
		}
		fmt.Printf("%s, %d tasks, %d inputs each\n", name, w.n, w.files)
		for _, scenario := range scenarios {
			times, err := measure(tools, w, scenario)
			if err != nil {
				return err
			}
			fmt.Printf("  %-14s CPU %s   wall %s   %.0f / %.0f ms\n", scenario,
				ratios(times, sample.cpuSeconds), ratios(times, sample.wallSeconds),
				1000*median(times[0], sample.wallSeconds), 1000*median(times[1], sample.wallSeconds))
		}
	}
	return nil
}

func (s sample) cpuSeconds() float64  { return s.cpu.Seconds() }
func (s sample) wallSeconds() float64 { return s.wall.Seconds() }

// ratios compares two tools round by round.
func ratios(times [][]sample, f func(sample) float64) string {
	var all []float64
	for round := range times[0] {
		all = append(all, f(times[0][round])/max(f(times[1][round]), 1e-6))
	}
	slices.Sort(all)
	at := func(part int) float64 { return all[(len(all)-1)*part/4] }
	return fmt.Sprintf("%.2f (%.2f-%.2f)", at(2), at(1), at(3))
}

// buildCommit makes haz from a commit of this repository, which it does not check out here.
func buildCommit(rev, work string) (haz string, err error) {
	dir := filepath.Join(work, "source")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	archive := filepath.Join(work, "source.tar")
	for _, args := range [][]string{{"git", "archive", "-o", archive, rev}, {"tar", "-xf", archive, "-C", dir}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	haz = filepath.Join(work, "haz-before")
	return haz, build(dir, haz)
}
