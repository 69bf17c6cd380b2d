package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// benchFirst times how long a cold start (no cache, no state) takes until the process of its first task runs.
func benchFirst(haz, work string) error {
	for _, w := range []struct{ projects, tasks int }{{10, 1}, {1000, 1}, {5000, 4}} {
		dir := filepath.Join(work, fmt.Sprintf("first-%d", w.projects))
		if err := writeFirst(dir, w.projects, w.tasks); err != nil {
			return err
		}
		var all []sample
		for range *rounds {
			s, err := firstTask(dir, haz)
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		middle := median(all, func(s sample) float64 { return s.wall.Seconds() })
		fmt.Printf("%5d projects, %6d tasks: the first task of a cold start begins after %6.1f ms\n", w.projects, w.projects*w.tasks, 1000*middle)
	}
	return nil
}

// writeFirst makes projects whose tasks say when they begin, and fail, so that the run ends with its first.
func writeFirst(dir string, projects, tasks int) error {
	if err := os.MkdirAll(filepath.Join(dir, ".haz"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, ".haz", "workspace.yml"), []byte("projects: [/p/*]\nconcurrency: {default: 2}\n"), 0o644); err != nil {
		return err
	}
	for i := range projects {
		var b strings.Builder
		fmt.Fprintf(&b, "name: %s\ntasks:\n", name(i))
		for k := range tasks {
			fmt.Fprintf(&b, "  t%d: {shell: 'date +%%s%%N >> ../../begun; false', inputs: [src/*]}\n", k)
		}
		if err := os.MkdirAll(filepath.Join(project(dir, i), "src"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(project(dir, i), "haz.yml"), []byte(b.String()), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(project(dir, i), "src", "f"), []byte(name(i)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// firstTask is one cold start. The time that is read contains the start of `date`, a millisecond.
func firstTask(dir, haz string) (s sample, err error) {
	begun := filepath.Join(dir, "begun")
	for _, old := range []string{begun, filepath.Join(dir, ".haz", "cache"), filepath.Join(dir, ".haz", "state")} {
		if err := os.RemoveAll(old); err != nil {
			return s, err
		}
	}
	c := exec.Command(haz, "run", "--workspace", "--fail-fast")
	c.Dir = dir
	at := time.Now()
	said, err := c.CombinedOutput()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != 1 {
		return s, fmt.Errorf("a task was to fail: %v\n%s", err, tail(said, 2000))
	}
	text, err := os.ReadFile(begun)
	if err != nil {
		return s, err
	}
	var nanos int64
	if _, err := fmt.Sscan(string(text), &nanos); err != nil {
		return s, err
	}
	s.wall = time.Unix(0, nanos).Sub(at)
	return s, nil
}
