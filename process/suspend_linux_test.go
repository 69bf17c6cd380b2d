package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/process"
)

// stateOf is what the kernel says of a process: R, S, T (stopped), …; 0 when it is gone.
func stateOf(pid int) byte {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if i := strings.LastIndexByte(string(b), ')'); i >= 0 && len(b) > i+2 {
		return b[i+2]
	}
	return 0
}

// manyKinds is a task with all kinds of descendants, whose numbers are in files; those in stays have been stopped before.
const manyKinds = `
sleep 300 & echo $! > child
(sleep 300 & echo $! > orphan)
setsid sh -c 'sleep 300 & echo $! > grandchild; echo $$ > session; wait' &
(setsid sh -c 'echo $$ > escaped; exec sleep 300' &)
sh -c 'echo $$ > stays; kill -STOP $$; sleep 300' &
sh -c 'echo $$ > haz-helper; sleep 300; :' haz-helper &
echo $$ > main; wait`

var kindsThatStand = []string{"main", "child", "orphan", "grandchild", "session", "escaped"}

func startManyKinds(t *testing.T, s process.Spawner) (p process.Process, pids map[string]int) {
	t.Helper()
	dir := t.TempDir()
	p, _ = start(t, s, shell(dir, manyKinds))
	pids = map[string]int{}
	for _, name := range append([]string{"stays", "haz-helper"}, kindsThatStand...) {
		pids[name] = pidIn(t, filepath.Join(dir, name))
	}
	eventually(t, "one has stopped itself", func() bool { return stateOf(pids["stays"]) == 'T' })
	return p, pids
}

// S-45: a suspended task stands still with all that it has started, wherever that went, and goes on afterwards; what had been stopped
// before does not, and the helper of a haz below it watches all the time.
func TestSuspend(t *testing.T) {
	s := open(t, quick)
	p, pids := startManyKinds(t, s)
	time.Sleep(20 * time.Millisecond) // the kernel's clock has ticked: what the first task has left cannot be the other's
	other, _ := start(t, s, shell(t.TempDir(), `exec sleep 300`))
	for range 2 {
		resume := process.Suspend([]process.Process{p})
		for _, name := range kindsThatStand {
			if c := stateOf(pids[name]); c != 'T' {
				t.Errorf("%s: state %c, want T", name, c)
			}
		}
		if a, b := stateOf(other.PID()), stateOf(pids["haz-helper"]); a == 'T' || b == 'T' {
			t.Errorf("another task: state %c; a helper: state %c", a, b)
		}
		resume()
		for _, name := range kindsThatStand {
			if c := stateOf(pids[name]); c == 'T' {
				t.Errorf("%s still stands", name)
			}
		}
		if c := stateOf(pids["stays"]); c != 'T' {
			t.Errorf("what had been stopped before: state %c", c)
		}
		resume() // a second time means nothing
	}
	if got, want := process.HelperTable(s), fmt.Sprint(p.PID(), " ", other.PID()); got != want {
		t.Errorf("the helper's table holds %q, want %q", got, want)
	}
	for _, q := range []process.Process{p, other} {
		q.Kill()
		q.Wait()
	}
	for name, pid := range pids {
		if !dead(pid) {
			t.Errorf("%s lives", name)
		}
	}
}

// A task that starts processes without end is caught all the same, at whatever it is.
func TestSuspendCatchesForks(t *testing.T) {
	s := open(t, quick)
	dir := t.TempDir()
	p, _ := start(t, s, shell(dir, `echo $$ > main; for i in 1 2 3; do (while :; do sh -c 'true; :' ; done) & done; wait`))
	pidIn(t, filepath.Join(dir, "main"))
	for range 20 {
		resume := process.Suspend([]process.Process{p})
		for _, pid := range session(p.PID()) {
			if c := stateOf(pid); !strings.ContainsRune("TDZ\x00", rune(c)) {
				t.Errorf("pid %d: state %c", pid, c)
			}
		}
		resume()
	}
	p.Kill()
	p.Wait()
}

// session lists the processes of a session.
func session(sid int) (pids []int) {
	names, _ := filepath.Glob("/proc/[0-9]*")
	for _, n := range names {
		pid, _ := strconv.Atoi(filepath.Base(n))
		if got, err := getsid(pid); err == nil && got == sid {
			pids = append(pids, pid)
		}
	}
	return pids
}

func getsid(pid int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// A shell with job control does not notice that its jobs stood still.
func TestSuspendOfAShellWithJobControl(t *testing.T) {
	s := open(t, quick)
	dir := t.TempDir()
	c := shell(dir, `set -m; sh -c 'echo $$ > job; until [ -e go ]; do sleep 0.01; done'; echo "job: $?"`)
	if c.Argv[0] = "bash"; exec.Command("bash", "-c", "set -m").Run() != nil {
		t.Skip("no shell with job control: bash")
	}
	p, r := start(t, s, c)
	job := pidIn(t, filepath.Join(dir, "job"))
	for range 5 {
		resume := process.Suspend([]process.Process{p})
		if c := stateOf(job); c != 'T' && c != 'D' { // D: it waits for a child between fork and exec
			t.Errorf("the job: state %c", c)
		}
		resume()
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if e := p.Wait(); e.Code != 0 || r.Text(process.Stdout) != "job: 0\n" {
		t.Errorf("exit %+v, stdout %q, stderr %q", e, r.Text(process.Stdout), r.Text(process.Stderr))
	}
}

// Time in which a task stands still counts for none of its limits: who holds its output is not ended for that.
func TestSuspendStopsLimits(t *testing.T) {
	s := open(t, quick)
	dir := t.TempDir()
	p, r := start(t, s, shell(dir, `sh -c 'echo $$ > child; until [ -e go ]; do sleep 0.01; done; echo late' & until [ -s child ]; do sleep 0.01; done`))
	child := pidIn(t, filepath.Join(dir, "child"))
	eventually(t, "the main process has ended", func() bool { return dead(p.PID()) })
	resume := process.Suspend([]process.Process{p})
	if c := stateOf(child); c != 'T' && c != 'D' { // D: it waits for its sleep between fork and exec
		t.Fatalf("the child: state %c", c)
	}
	time.Sleep(3 * quick.PipesClose)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	resume()
	if e := p.Wait(); e.Code != 0 || e.Incomplete != "" || len(e.Killed) > 0 || r.Text(process.Stdout) != "late\n" {
		t.Errorf("exit %+v, stdout %q", e, r.Text(process.Stdout))
	}
}

// Kill ends what stands still.
func TestKillOfWhatIsSuspended(t *testing.T) {
	s := open(t, quick)
	p, pids := startManyKinds(t, s)
	resume := process.Suspend([]process.Process{p})
	p.Kill()
	if e := p.Wait(); e.Signal != 9 || !e.Cancelled {
		t.Errorf("exit %+v", e)
	}
	for name, pid := range pids {
		if !dead(pid) {
			t.Errorf("%s lives", name)
		}
	}
	resume()
}

// When haz dies while its tasks stand still, nothing stays behind, also not what has left its task: nobody would continue it.
func TestHelperEndsWhatIsSuspended(t *testing.T) {
	dir := t.TempDir()
	c := again(t, "suspended", dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Wait() }()
	if n, err := out.Read(make([]byte, 16)); n == 0 {
		_ = c.Process.Kill()
		t.Fatal(err)
	}
	pids := map[string]int{}
	for _, name := range kindsThatStand {
		pids[name] = pidIn(t, filepath.Join(dir, name))
	}
	cleaner := pidIn(t, filepath.Join(dir, "cleaner"))
	_ = c.Process.Kill()
	eventually(t, "all are dead", func() bool {
		for _, pid := range pids {
			if !dead(pid) {
				return false
			}
		}
		return dead(cleaner)
	})
	if !exists(dir, "cleaned") {
		t.Error("a task could not clean up")
	}
}

// suspended is a host that suspends its tasks and then hangs.
func suspended() error {
	s := process.System(process.DefaultLimits)
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	var ps []process.Process
	for _, script := range []string{manyKinds, `exec 2>/dev/null; trap 'echo > cleaned; exit' TERM; echo $$ > cleaner; while :; do sleep 0.01; done`} {
		p, err := s.Start(shell(wd, script), nil)
		if err != nil {
			return err
		}
		ps = append(ps, p)
	}
	for _, name := range append([]string{"cleaner"}, kindsThatStand...) {
		for b := []byte(nil); len(b) == 0; b, _ = os.ReadFile(name) {
			time.Sleep(time.Millisecond)
		}
	}
	process.Suspend(ps)
	fmt.Println("ready")
	select {}
}
