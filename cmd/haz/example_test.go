package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestExample runs scripts on copies of examples/monorepo and examples/services. They build real Go programs, so -short leaves them out.
//
// Whatever starts a process starts `sh`, `go` or `true` from a directory of ours first in PATH, which writes each start to
// $WORK/started.txt: what is not in there has not run.
func TestExample(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the example with the Go toolchain")
	}
	real, env := toolchain(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/example",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			for name, value := range env {
				e.Setenv(name, value)
			}
			bin := filepath.Join(e.WorkDir, "tools")
			if err := os.MkdirAll(bin, 0o755); err != nil {
				return err
			}
			log := filepath.Join(e.WorkDir, "started.txt")
			for name, path := range real {
				script := "#!" + real["sh"] + "\necho \"$PWD: " + name + "\" >> '" + log + "'\nexec '" + path + "' \"$@\"\n"
				if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
					return err
				}
			}
			e.Setenv("PATH", bin+string(filepath.ListSeparator)+filepath.Dir(real["go"])+string(filepath.ListSeparator)+e.Getenv("PATH"))
			if err := copyExample("../../examples/services", filepath.Join(e.WorkDir, "services")); err != nil {
				return err
			}
			return copyExample("../../examples/monorepo", filepath.Join(e.WorkDir, "monorepo"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"absent": absent,
			"append": appendTo,
			"empty":  empty,
			"alone":  alone,
		},
	})
}

// toolchain finds the programs that the example starts, and the environment that they need; a machine without them skips.
func toolchain(t *testing.T) (programs, env map[string]string) {
	t.Helper()
	programs, env = map[string]string{}, map[string]string{}
	for _, name := range []string{"sh", "go", "true"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		programs[name] = path
	}
	if out, err := exec.Command("tar", "--version").Output(); err != nil || !strings.Contains(string(out), "GNU tar") {
		t.Skip("the archive of the example needs GNU tar")
	}
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOROOT"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		env[names[i]] = line
	}
	env["GOFLAGS"], env["GOTOOLCHAIN"] = "-buildvcs=false", "local"
	return programs, env
}

// copyExample copies a workspace without what haz and its tasks have made in it.
func copyExample(from, to string) error {
	made := []string{".haz/cache", ".haz/state", "dist"}
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains(made, filepath.ToSlash(rel)) || slices.Contains([]string{"gen", "bin", "stage", "reports"}, d.Name()) {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	})
}

// alone fails when a process of the workspace lives, which are those that are at home in it. Where there is no /proc none is seen.
func alone(ts *testscript.TestScript, neg bool, _ []string) {
	dir, err := filepath.EvalSymlinks(ts.Getenv("WORK"))
	ts.Check(err)
	if left := livingIn(dir); (len(left) > 0) != neg {
		ts.Fatalf("left: %v", left)
	}
}

// livingIn are the processes that are at home in a folder, by number: servers change what else is seen of them.
func livingIn(root string) map[int]string {
	found := map[int]string{}
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		if dir, err := os.Readlink(p + "/cwd"); err == nil && strings.HasPrefix(dir+"/", root+"/") {
			pid, _ := strconv.Atoi(filepath.Base(p))
			args, _ := os.ReadFile(p + "/cmdline")
			found[pid] = strings.ReplaceAll(string(args), "\x00", " ")
		}
	}
	return found
}
