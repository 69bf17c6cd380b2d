package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const command = "cat src/* > out/result"

// shape is an abstract workspace: who depends on whom.
type shape struct {
	n, layers int
	deps      [][]int
	files     int // inputs of each
}

// layered makes n projects in ten layers, each with three upstreams in the layer below.
func layered(n int) shape {
	s := shape{n: n, layers: min(10, n), deps: make([][]int, n), files: 4}
	rnd := rand.New(rand.NewSource(7))
	per := max(1, n/s.layers)
	for i := per; i < n; i++ {
		below := (i/per - 1) * per
		picks := map[int]bool{}
		for len(picks) < min(3, per) {
			picks[below+rnd.Intn(per)] = true
		}
		for d := range picks {
			s.deps[i] = append(s.deps[i], d)
		}
		slices.Sort(s.deps[i])
	}
	return s
}

// wide makes n projects that do not depend on each other.
func wide(n int) shape { return shape{n: n, layers: 1, deps: make([][]int, n), files: 4} }

// files makes few projects with many inputs: where the others have 1,000 tasks, 20,000 files in 50.
func files(n int) shape {
	few := max(1, n/20)
	return shape{n: few, layers: 1, deps: make([][]int, few), files: 400}
}

// maker finds what makes a shape.
func maker(name string) (func(int) shape, error) {
	switch name {
	case "layered":
		return layered, nil
	case "wide":
		return wide, nil
	case "files":
		return files, nil
	}
	return nil, fmt.Errorf("there is no shape %q, only layered, wide, files", name)
}

func name(i int) string                 { return fmt.Sprintf("p%05d", i) }
func project(root string, i int) string { return filepath.Join(root, "p", name(i)) }

// sources writes the inputs and makes the output folders.
func (s shape) sources(root string) error {
	rnd := rand.New(rand.NewSource(42))
	buf := make([]byte, 1024)
	for i := range s.n {
		for _, d := range []string{"src", "out"} {
			if err := os.MkdirAll(filepath.Join(project(root, i), d), 0o755); err != nil {
				return err
			}
		}
		for k := range s.files {
			rnd.Read(buf)
			if err := os.WriteFile(filepath.Join(project(root, i), "src", fmt.Sprintf("f%d", k)), buf, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s shape) output(root string, i int) string {
	return filepath.Join(project(root, i), "out", "result")
}

func (s shape) removeOutputs(root string) error {
	for i := range s.n {
		if err := os.Remove(s.output(root, i)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func (s shape) missing(root string) int {
	n := 0
	for i := range s.n {
		if _, err := os.Lstat(s.output(root, i)); err != nil {
			n++
		}
	}
	return n
}

// edit gives one source new bytes, by rename.
func (s shape) edit(root string, i, round int) error {
	f := filepath.Join(project(root, i), "src", "f0")
	if err := os.WriteFile(f+".new", bytes.Repeat([]byte{byte('a' + round)}, 1024), 0o644); err != nil {
		return err
	}
	return os.Rename(f+".new", f)
}

// writeHaz writes the files that haz reads.
func (s shape) writeHaz(root string) error {
	if err := os.MkdirAll(filepath.Join(root, ".haz"), 0o755); err != nil {
		return err
	}
	err := os.WriteFile(filepath.Join(root, ".haz", "workspace.yml"), []byte("projects: [/p/*]\nconcurrency: {default: 2}\n"), 0o644)
	for i := 0; i < s.n && err == nil; i++ {
		text := fmt.Sprintf("name: %s\ntasks:\n  build:\n    shell: '%s'\n    inputs: [src/*]\n    outputs: [out/result]\n", name(i), command)
		if len(s.deps[i]) > 0 {
			var refs []string
			for _, d := range s.deps[i] {
				refs = append(refs, "'"+name(d)+":build'")
			}
			text += "    deps: [" + strings.Join(refs, ", ") + "]\n"
		}
		err = os.WriteFile(filepath.Join(project(root, i), "haz.yml"), []byte(text), 0o644)
	}
	return err
}

func (s shape) writeNinja(root string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "rule b\n  command = cd p/$n && %s\n", command)
	for i := range s.n {
		fmt.Fprintf(&b, "build p/%s/out/result: b", name(i))
		for k := range s.files {
			fmt.Fprintf(&b, " p/%s/src/f%d", name(i), k)
		}
		for _, d := range s.deps[i] {
			fmt.Fprintf(&b, " p/%s/out/result", name(d))
		}
		fmt.Fprintf(&b, "\n  n = %s\n", name(i))
	}
	return os.WriteFile(filepath.Join(root, "build.ninja"), []byte(b.String()), 0o644)
}

func (s shape) writeTurbo(root string) error {
	put := func(rel string, v any) error {
		b, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, rel), append(b, '\n'), 0o644)
	}
	type m = map[string]any
	lock := m{"": m{"name": "ws", "workspaces": []string{"p/*"}}}
	for i := range s.n {
		deps := m{}
		for _, d := range s.deps[i] {
			deps[name(d)] = "1.0.0"
		}
		pkg := m{"name": name(i), "version": "1.0.0", "scripts": m{"build": command}, "dependencies": deps}
		if err := put("p/"+name(i)+"/package.json", pkg); err != nil {
			return err
		}
		lock["p/"+name(i)] = m{"name": name(i), "version": "1.0.0", "dependencies": deps}
		lock["node_modules/"+name(i)] = m{"resolved": "p/" + name(i), "link": true}
	}
	for file, v := range map[string]any{
		"package.json":      m{"name": "ws", "version": "1.0.0", "private": true, "packageManager": "npm@10.8.2", "workspaces": []string{"p/*"}},
		"package-lock.json": m{"name": "ws", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": lock},
		"turbo.json": m{"ui": "stream", "tasks": m{"build": m{"dependsOn": []string{"^build"}, "inputs": []string{"src/**"},
			"outputs": []string{"out/result"}, "outputLogs": "none"}}},
	} {
		if err := put(file, v); err != nil {
			return err
		}
	}
	return commit(root)
}

// commit makes the git repository that turbo wants to see.
func commit(root string) error {
	if err := os.WriteFile(filepath.Join(root, ".gitignore"), []byte("out/\nnode_modules\n.turbo/\n"), 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=b", "-c", "user.email=b@localhost", "commit", "-qm", "init"}} {
		c := exec.Command("git", args...)
		c.Dir = root
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("git %v: %w\n%s", args, err, out)
		}
	}
	return nil
}

// peers writes one copy of the workspace for every tool that is there; haz is the first.
func peers(haz, work string, s shape) ([]tool, error) {
	tools := []tool{{name: "haz", args: []string{haz, "run", "--workspace"}, clean: []string{".haz/cache", ".haz/state"}}}
	write := map[string]func(string) error{"haz": s.writeHaz, "ninja": s.writeNinja, "turbo": s.writeTurbo}
	if bin, err := exec.LookPath("ninja"); err == nil {
		tools = append(tools, tool{name: "ninja", args: []string{bin, "-j2", "--quiet"}, clean: []string{".ninja_log", ".ninja_deps"}})
	}
	bin := os.Getenv("TURBO_BIN")
	if bin == "" {
		bin, _ = exec.LookPath("turbo")
	}
	if bin != "" {
		shim := filepath.Join(work, "shim")
		if err := os.MkdirAll(shim, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(shim, "npm"), []byte("#!/bin/sh\n"+command+"\n"), 0o755); err != nil {
			return nil, err
		}
		tools = append(tools, tool{name: "turbo", clean: []string{".turbo"},
			args: []string{bin, "run", "build", "--concurrency=2", "--cache=local:rw", "--log-order=stream", "--output-logs=none"},
			env:  []string{"PATH=" + shim + ":" + os.Getenv("PATH"), "DO_NOT_TRACK=1", "TURBO_TELEMETRY_DISABLED=1", "TURBO_NO_UPDATE_NOTIFIER=1"}})
	}
	for i := range tools {
		t := &tools[i]
		t.dir = filepath.Join(work, fmt.Sprintf("%s-%d", t.name, s.n))
		if err := s.sources(t.dir); err != nil {
			return nil, err
		}
		if err := write[t.name](t.dir); err != nil {
			return nil, err
		}
	}
	return tools, nil
}
