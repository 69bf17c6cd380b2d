//go:build linux

package process_test

import (
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

func kill(pid int) { syscall.Kill(pid, syscall.SIGKILL) }

const daemon = `(setsid sh -c 'echo $$ > daemon; exec sleep 300' >/dev/null 2>&1 &); until [ -s daemon ]; do sleep 0.01; done; `

// What a completed task left behind stays, also when a later task is cancelled, and is listed once (4.5, S-29).
func TestLeftoversOfCompletedTasksStay(t *testing.T) {
	s := open(t, quick)
	first := t.TempDir()
	e, _ := run(t, s, shell(first, daemon))
	old := pidIn(t, filepath.Join(first, "daemon"))
	t.Cleanup(func() { kill(old) })
	if len(e.Leftovers) != 1 || e.Leftovers[0].PID != old {
		t.Fatalf("exit %+v, want leftover %d", e, old)
	}
	if e, _ := run(t, s, shell(t.TempDir(), "true")); len(e.Leftovers) > 0 {
		t.Errorf("listed again: %+v", e.Leftovers)
	}

	if n := process.UnknownChildren(); n != 0 {
		t.Errorf("%d children would be looked at again and again", n)
	}

	second := t.TempDir()
	p, _ := start(t, s, shell(second, daemon+"sleep 300"))
	young := pidIn(t, filepath.Join(second, "daemon"))
	p.Terminate()
	if e := p.Wait(); len(e.Leftovers) > 0 || !e.Cancelled {
		t.Errorf("exit %+v", e)
	}
	if !dead(young) {
		t.Error("the daemon of the cancelled task lives")
	}
	if dead(old) {
		t.Error("the daemon of the completed task was killed")
	}
}

// What a leftover itself leaves behind belongs to it, and to no later task.
func TestLeftoversOfLeftovers(t *testing.T) {
	s := open(t, quick)
	dir := t.TempDir()
	e, _ := run(t, s, shell(dir, `(setsid sh -c 'echo $$ > daemon; until [ -s go ]; do :; done; sleep 300 & echo $! > kid; wait' >/dev/null 2>&1 &); until [ -s daemon ]; do sleep 0.01; done`))
	daemon := pidIn(t, filepath.Join(dir, "daemon"))
	t.Cleanup(func() { kill(daemon) })
	if len(e.Leftovers) != 1 || e.Leftovers[0].PID != daemon {
		t.Fatalf("exit %+v, want %d", e, daemon)
	}
	p, _ := start(t, s, shell(t.TempDir(), "sleep 300"))
	write(t, filepath.Join(dir, "go"), "x", 0o644)
	kid := pidIn(t, filepath.Join(dir, "kid"))
	t.Cleanup(func() { kill(kid) })
	kill(daemon)
	eventually(t, "the kid has become our child", func() bool { return len(children(t, "S")) == 3 }) // with the task and the helper
	if n := process.UnknownChildren(); n != 0 {
		t.Errorf("the kid is unknown")
	}
	p.Terminate()
	if e := p.Wait(); len(e.Leftovers) > 0 || dead(kid) {
		t.Errorf("exit %+v, kid dead: %v", e, dead(kid))
	}
}

// When a run is cancelled its tasks end one by one; together they leave nothing, whoever is first.
func TestSweepOfManyTasks(t *testing.T) {
	s := open(t, quick)
	var ps []process.Process
	var pids []int
	for range 6 {
		dir := t.TempDir()
		p, _ := start(t, s, shell(dir, daemon+"sleep 300"))
		ps = append(ps, p)
		pids = append(pids, pidIn(t, filepath.Join(dir, "daemon")))
	}
	for _, p := range ps {
		p.Terminate()
	}
	for _, p := range ps {
		if e := p.Wait(); !e.Cancelled || len(e.Leftovers) > 0 {
			t.Errorf("exit %+v", e)
		}
	}
	for _, pid := range pids {
		if !dead(pid) {
			t.Errorf("daemon %d lives", pid)
		}
	}
}

// A process that may belong to a task which goes on is spared until that is cancelled too.
func TestSweepSparesOtherTasks(t *testing.T) {
	s := open(t, quick)
	dir := t.TempDir()
	cancelled, _ := start(t, s, shell(t.TempDir(), "sleep 300"))
	going, _ := start(t, s, shell(dir, daemon+"sleep 300"))
	pid := pidIn(t, filepath.Join(dir, "daemon"))
	cancelled.Terminate()
	cancelled.Wait()
	if dead(pid) {
		t.Error("a process of another task was killed")
	}
	going.Terminate()
	if e := going.Wait(); len(e.Leftovers) > 0 {
		t.Errorf("exit %+v", e)
	}
	if !dead(pid) {
		t.Error("it lives after its own task was cancelled")
	}
}

// KillAll is the last act: when it returns, the program may be gone the next moment, and nobody else sweeps.
func TestKillAllIsTheLastAct(t *testing.T) {
	dir := t.TempDir()
	c := again(t, "killall", dir)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"main", "member", "tied", "daemon"} {
		pid := pidIn(t, filepath.Join(dir, f))
		eventually(t, f+" is dead", func() bool { return dead(pid) })
	}
}

func killAll() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	s := process.System(process.DefaultLimits)
	if _, err = s.Start(shell(dir, `trap '' TERM
		setsid sh -c 'trap "" TERM; echo $$ > tied; exec sleep 300' &
		(trap '' TERM; exec sleep 300) & echo $! > member
		`+daemon+`until [ -s tied ]; do sleep 0.01; done; echo $$ > main; while :; do sleep 1; done`), nil); err != nil {
		return err
	}
	for {
		if b, _ := os.ReadFile("main"); len(b) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	s.KillAll()
	os.Exit(0)
	return nil
}

// No zombie of a task stays a child of the host.
func TestZombiesAreReaped(t *testing.T) {
	defer process.ShortenLazyWait()()
	s := process.System(quick)
	dir := t.TempDir()
	p, _ := start(t, s, shell(dir, daemon+"sleep 300 & (sleep 300 &); sleep 300"))
	pid := pidIn(t, filepath.Join(dir, "daemon"))
	p.Kill()
	p.Wait()
	// One that dies by itself, unseen, is reaped after some time by whoever ends next.
	if e, _ := run(t, s, shell(dir, "(setsid sh -c 'echo $$ > short' >/dev/null 2>&1 &); until [ -s short ]; do sleep 0.01; done")); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	short := pidIn(t, filepath.Join(dir, "short"))
	eventually(t, "no child is left", func() bool {
		run(t, s, shell(dir, "true"))
		return syscall.Kill(pid, 0) == syscall.ESRCH && syscall.Kill(short, 0) == syscall.ESRCH && len(children(t, "Z")) == 0
	})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := children(t, ""); len(got) > 0 {
		t.Errorf("children after Close: %v", got)
	}
}

// children returns this process's children in a state.
func children(t *testing.T, state string) (out []string) {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range stats {
		b, _ := os.ReadFile(f)
		line := string(b)
		i := strings.LastIndexByte(line, ')')
		if i < 0 {
			continue
		}
		if fields := strings.Fields(line[i+1:]); fields[1] == strconv.Itoa(os.Getpid()) && strings.HasPrefix(fields[0], state) {
			out = append(out, line[:i+4])
		}
	}
	return out
}

// The children of a host that embeds haz are none of our business: not killed, not listed, not waited for.
func TestHostsChildren(t *testing.T) {
	s := open(t, quick)
	run(t, s, shell(t.TempDir(), "true"))
	host := exec.Command("sh", "-c", "sleep 300 & echo $!; read x; exit 5")
	in, _ := host.StdinPipe()
	out, _ := host.StdoutPipe()
	own := exec.Command("sh", "-c", "read x; exit 6")
	own.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	ownIn, _ := own.StdinPipe()
	orphanage := exec.Command("sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!") // leaves us an orphan in our own session
	if err := own.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond) // older than the task below by more than the clock's step: a session of its own, but not of the task
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	b, err := orphanage.Output()
	if err != nil {
		t.Fatal(err)
	}
	orphan, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	reap := func(pid int) { // as hosts have to
		kill(pid)
		syscall.Wait4(pid, nil, 0, nil)
	}
	defer reap(orphan)
	buf := make([]byte, 32)
	n, _ := out.Read(buf)
	grandchild, _ := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	defer reap(grandchild) // its parent is gone by then

	p, _ := start(t, s, shell(t.TempDir(), "sleep 300"))
	p.Terminate()
	if e := p.Wait(); len(e.Leftovers) > 0 {
		t.Errorf("exit %+v", e)
	}
	for _, pid := range []int{host.Process.Pid, own.Process.Pid, orphan, grandchild} {
		if dead(pid) {
			t.Errorf("process %d of the host was killed", pid)
		}
	}
	in.Close()
	ownIn.Close()
	if err := host.Wait(); host.ProcessState.ExitCode() != 5 {
		t.Errorf("host's child: %v", err)
	}
	if err := own.Wait(); own.ProcessState.ExitCode() != 6 {
		t.Errorf("host's child in its own session: %v", err)
	}
}

// Being subreaper ends with the last spawner that wanted it.
func TestSubreaperIsGivenBack(t *testing.T) {
	a, b := process.System(quick), process.System(quick)
	run(t, a, shell("/", "true"))
	run(t, b, shell("/", "true"))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if e, _ := run(t, b, shell(dir, daemon)); len(e.Leftovers) != 1 {
		t.Errorf("after the first Close: %+v", e)
	}
	kill(pidIn(t, filepath.Join(dir, "daemon")))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if on, err := process.IsSubreaper(); on || err != nil {
		t.Errorf("after the last Close: subreaper %v, %v", on, err)
	}
}
