//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Several of the real program on one workspace, deaths at random moments, and damaged stores (chapter 2, 10, 11 and S-31). The
// default is a share; HAZ_LONG=1 takes the whole campaigns, HAZ_SEED another series of random choices.

func seeded(t *testing.T) *rand.Rand {
	seed, err := strconv.ParseUint(os.Getenv("HAZ_SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	t.Logf("HAZ_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func share(few, all int) int {
	if long() {
		return all
	}
	return few
}

const latticeTasks = 12

// lattice writes a workspace of twelve tasks: each joins its source and what two earlier ones made. A task that finds something
// else than those made fails. What they make is put in place by a rename, so that who reads between two runs never sees a half.
func lattice(t *testing.T, root string) {
	t.Helper()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/p]\nexecution: {cancel_grace: 1}\n")
	var b strings.Builder
	b.WriteString("name: p\ntasks:\n")
	for i := range latticeTasks {
		mustWrite(t, filepath.Join(root, fmt.Sprintf("p/src/%d", i)), latticeSource(i))
		var deps, files []string
		script := ""
		for _, up := range latticeDeps(i) {
			deps = append(deps, fmt.Sprintf("\"~:t%d\"", up))
			file := fmt.Sprintf("out/%d", up)
			files = append(files, file)
			script += fmt.Sprintf("test $(wc -c < %s) = %d || exit 9; ", file, len(latticeOutput(up)))
		}
		script += fmt.Sprintf("mkdir -p out; cat src/%d %s > out/.%d.$$; sleep 0.0%d; mv out/.%d.$$ out/%d; echo made %d", i, strings.Join(files, " "), i, i%3, i, i, i)
		inputs := append([]string{fmt.Sprintf("src/%d", i)}, files...)
		fmt.Fprintf(&b, "  t%d: {shell: %q, inputs: [%s], outputs: [out/%d], deps: [%s], env: {from_host: [PATH]}}\n",
			i, script, strings.Join(inputs, ", "), i, strings.Join(deps, ", "))
	}
	mustWrite(t, filepath.Join(root, "p/haz.yml"), b.String())
}

func latticeDeps(i int) []int {
	switch {
	case i < 3:
		return nil
	case i%2 == 0:
		return []int{i - 3}
	}
	return []int{i - 3, i - 2}
}

func latticeSource(i int) string { return strings.Repeat(fmt.Sprintf("source %d\n", i), 50) }

func latticeOutput(i int) string {
	text := latticeSource(i)
	for _, up := range latticeDeps(i) {
		text += latticeOutput(up)
	}
	return text
}

// latticeRight tells what is wrong with an output, "" for nothing, and whether that is that it is not there.
func latticeRight(root string, i int) (wrong string, absent bool) {
	b, err := os.ReadFile(filepath.Join(root, fmt.Sprintf("p/out/%d", i)))
	switch {
	case err != nil:
		return err.Error(), errors.Is(err, fs.ErrNotExist)
	case string(b) != latticeOutput(i):
		return fmt.Sprintf("out/%d holds %d bytes, want %d", i, len(b), len(latticeOutput(i))), false
	}
	return "", false
}

func latticeAllRight(t *testing.T, root, when string) {
	t.Helper()
	for i := range latticeTasks {
		if wrong, _ := latticeRight(root, i); wrong != "" {
			t.Errorf("%s: %s", when, wrong)
		}
	}
}

// noLockHeld takes every lock file of the state for itself: nobody may hold one.
func noLockHeld(t *testing.T, root string) {
	t.Helper()
	tried := 0
	err := filepath.WalkDir(filepath.Join(root, ".haz"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.HasSuffix(d.Name(), "lock") && !strings.HasPrefix(d.Name(), "tasks.lock.") {
			return err
		}
		f, err := os.OpenFile(p, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		tried++
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			t.Errorf("%s is still locked: %v", p, err)
		}
		return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	})
	if err != nil {
		t.Error(err)
	}
	if tried == 0 {
		t.Error("no lock files: this looks at the wrong place")
	}
}

// Eight haz at once with equal and different targets: whoever was not killed exits 0, and finds its files right (section 10).
//
// Left to themselves, each file is there. Where others force runs, clear the cache or are killed, a file may be about to be made
// again (4.6: what cannot be relied upon is taken away before a task runs), but it never holds other bytes.
func TestSeveralAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	for name, rough := range map[string]bool{"left to themselves": false, "forced, cleared and killed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			severalAtOnce(t, rough)
		})
	}
}

func severalAtOnce(t *testing.T, rough bool) {
	root, mark := t.TempDir(), fmt.Sprintf("several-%d-%v", os.Getpid(), rough)
	lattice(t, root)
	realHaz(t)
	random := seeded(t)
	var killed, whole, cleared atomic.Int64
	var workers, janitor sync.WaitGroup
	stop := make(chan struct{})
	runs := share(2, 50)
	for w := range 8 {
		mine := rand.New(rand.NewPCG(random.Uint64(), uint64(w)))
		workers.Go(func() {
			for n := range runs {
				target := latticeTasks - 1
				if w >= 3 {
					target = mine.IntN(latticeTasks)
				}
				args := []string{"run", fmt.Sprintf("p:t%d", target)}
				if rough && mine.IntN(4) == 0 {
					args = append(args, "--force")
				}
				p := startHaz(t, root, mark, args...)
				if rough && mine.IntN(5) == 0 {
					time.Sleep(time.Duration(mine.IntN(150)) * time.Millisecond)
					_ = p.cmd.Process.Kill()
				}
				code := p.ends(t, 2*time.Minute)
				if code == -1 && p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
					killed.Add(1)
					continue
				}
				whole.Add(1)
				if rough && code == 1 && strings.Contains(p.said(), "and cannot be put back (") {
					continue // one was killed over an upstream, and the cache, which had it, was cleared
				}
				if code != 0 {
					t.Errorf("process %d, run %d, %v: exit code %d; stderr:\n%s", w, n, args, code, p.said())
				}
				if wrong, absent := latticeRight(root, target); wrong != "" && !(rough && absent) {
					t.Errorf("process %d, run %d, %v: %s; stderr:\n%s", w, n, args, wrong, p.said())
				}
			}
		})
	}
	janitor.Go(func() {
		for n := 0; rough; n++ {
			select {
			case <-stop:
				return
			case <-time.After(60 * time.Millisecond):
			}
			args := [][]string{{"cache", "clean", "--max-size", "0"}, {"cache", "clear"}}[n%2]
			if p := startHaz(t, root, mark, args...); p.ends(t, time.Minute) != 0 {
				t.Errorf("%v: stderr:\n%s", args, p.said())
			}
			cleared.Add(1)
		}
	})
	workers.Wait()
	close(stop)
	janitor.Wait()
	t.Logf("%d runs to their end, %d killed, %d times cleaned or cleared", whole.Load(), killed.Load(), cleared.Load())
	if !eventually(2*time.Second+slack, func() bool { return len(marked(mark)) == 0 }) {
		t.Errorf("alive after the end: %v", marked(mark))
	}
	noLockHeld(t, root)
	if p := startHaz(t, root, mark, "run", "--workspace"); p.ends(t, time.Minute) != 0 {
		t.Errorf("last run: stderr:\n%s", p.said())
	}
	latticeAllRight(t, root, "at the end")
	noLockHeld(t, root)
}

// Killed at any moment of a first run, a run from the cache, a restore or a clean: the next run is right, and after it nothing
// is left of what the dead one had begun (section 11).
func TestKilledAtAnyMoment(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	t.Parallel()
	random := seeded(t)
	root, mark := t.TempDir(), fmt.Sprintf("killed-%d", os.Getpid())
	lattice(t, root)
	next := func(when string, args ...string) {
		t.Helper()
		if p := startHaz(t, root, mark, args...); p.ends(t, time.Minute) != 0 {
			t.Fatalf("%s: stderr:\n%s", when, p.said())
		}
		if args[0] == "run" {
			latticeAllRight(t, root, when)
		}
	}
	next("at first", "run", "--workspace")
	phases := []struct {
		name    string
		prepare func()
		args    []string
	}{
		{"cold", func() { removeAll(t, root, ".haz/cache", ".haz/state", "p/out") }, []string{"run", "--workspace"}},
		{"forced", func() {}, []string{"run", "--workspace", "--force"}},
		{"nothing to do", func() {}, []string{"run", "--workspace"}},
		{"restore", func() { removeAll(t, root, "p/out") }, []string{"run", "--workspace"}},
		{"clean", func() {}, []string{"cache", "clean", "--max-size", "0"}},
		{"clear", func() {}, []string{"cache", "clear"}},
	}
	killed, takes := map[string]int{}, map[string]time.Duration{}
	for _, phase := range phases {
		phase.prepare()
		started := time.Now()
		next("to its end: "+phase.name, phase.args...)
		takes[phase.name] = time.Since(started)
		next("after "+phase.name, "run", "--workspace")
	}
	for n := range share(2, 80) {
		for _, phase := range phases {
			phase.prepare()
			started := time.Now()
			p := startHaz(t, root, mark, phase.args...)
			moment := time.Duration(random.Int64N(int64(takes[phase.name])))
			select {
			case <-p.done:
			case <-time.After(moment - time.Since(started)):
				_ = p.cmd.Process.Kill()
			}
			if p.ends(t, time.Minute) == -1 {
				killed[phase.name]++
			}
			// No pause for the tasks of the dead: the next run has to cope with them.
			next(fmt.Sprintf("round %d, after %q was killed", n, phase.name), "run", "--workspace")
		}
	}
	t.Logf("phases take %v, killed: %v", takes, killed)
	if !eventually(2*time.Second+slack, func() bool { return len(marked(mark)) == 0 }) {
		t.Errorf("alive after the end: %v", marked(mark))
	}
	next("at last", "run", "--workspace")
	noLockHeld(t, root)
}

func removeAll(t *testing.T, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		// A task of a haz that was just killed may still be writing.
		if !eventually(5*time.Second, func() bool { return os.RemoveAll(filepath.Join(root, name)) == nil }) {
			t.Fatalf("cannot remove %s", name)
		}
	}
}

// One flipped bit anywhere in the store: exit 0, the right bytes in the tree and on standard output (S-31).
func TestFlippedBits(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	t.Parallel()
	random := seeded(t)
	root, mark := t.TempDir(), fmt.Sprintf("flipped-%d", os.Getpid())
	lattice(t, root)
	run := func() *hazProcess {
		t.Helper()
		p := startHaz(t, root, mark, "run", "--workspace", "--output-mode=buffered", "-j1")
		if p.ends(t, time.Minute) != 0 {
			t.Fatalf("stderr:\n%s", p.said())
		}
		return p
	}
	read := func(p *hazProcess) []byte {
		b, err := os.ReadFile(p.stdout)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	printed := sortedLines(read(run()))
	kinds := map[string]int{}
	for n := range share(40, 400) {
		files := storedFiles(t, root)
		file := files[random.IntN(len(files))]
		kind := filepath.Base(file)
		if filepath.Base(filepath.Dir(file)) == "outputs" {
			kind = "blob"
		}
		kinds[kind]++
		flipBit(t, file, random)
		if n%4 != 3 { // else the tree is whole, and comparing with it must not hide the damage
			removeAll(t, root, "p/out")
		}
		p := run()
		latticeAllRight(t, root, fmt.Sprintf("flip %d in %s", n, kind))
		if got := sortedLines(read(p)); got != printed {
			t.Errorf("flip %d in %s: printed\n%s\nwant\n%s", n, kind, got, printed)
		}
	}
	t.Logf("flipped: %v", kinds)
}

func sortedLines(b []byte) string {
	var lines [latticeTasks]int
	for line := range bytes.Lines(b) {
		if i, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(string(line)), "made ")); err == nil && i < latticeTasks {
			lines[i]++
			continue
		}
		return "a strange line: " + string(line)
	}
	return fmt.Sprint(lines)
}

// storedFiles are the files of valid entries that hold something.
func storedFiles(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, ".haz/cache"), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err == nil && d.Type().IsRegular() && info.Size() > 0 && d.Name() != ".gitignore" && d.Name() != "CACHEDIR.TAG" {
			files = append(files, p)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(errors.Join(err, errors.New("no stored files")))
	}
	return files
}

// flipBit flips one bit of a file in its place, with its time put back.
func flipBit(t *testing.T, file string, random *rand.Rand) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[random.IntN(len(b))] ^= 1 << random.IntN(8)
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chtimes(file, info.ModTime(), info.ModTime()), os.Chmod(file, info.Mode())); err != nil {
		t.Fatal(err)
	}
}
