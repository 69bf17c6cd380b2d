package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// stops a daemon and waits for its end as scripts do. Who has inherited it must have waited for it by then.
const stopsDaemon = `setsid sh -c 'setsid sleep 300 & echo $! > pid' </dev/null >/dev/null 2>&1
until [ -s pid ]; do sleep 0.01; done
pid=$(cat pid); kill $pid
n=0; while kill -0 $pid 2>/dev/null; do n=$((n+1)); [ $n -lt 300 ] || exit 7; sleep 0.01; done`

func openSole(t *testing.T) process.Spawner {
	t.Helper()
	s := process.System(quick, process.SoleParent)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// While a task runs, what it has left behind and stopped is gone the moment it is dead.
func TestTheDeadAreReapedWhileTheirTaskRuns(t *testing.T) {
	s := openSole(t)
	for range 5 {
		if e, _ := run(t, s, shell(t.TempDir(), stopsDaemon)); e.Code != 0 {
			t.Fatalf("the daemon answers after its end: %+v", e)
		}
	}
}

// A member of the task's own session that lost its parent is known for the task's, whatever else the host starts.
func TestTheDeadOfATaskAreReapedInAHost(t *testing.T) {
	s := open(t, quick)
	script := `(sleep 300 </dev/null >/dev/null 2>&1 & echo $! > pid)
pid=$(cat pid); kill $pid
n=0; while kill -0 $pid 2>/dev/null; do n=$((n+1)); [ $n -lt 300 ] || exit 7; sleep 0.01; done`
	if e, _ := run(t, s, shell(t.TempDir(), script)); e.Code != 0 {
		t.Errorf("an orphan of the task answers after its end: %+v", e)
	}
}

// A task may have left somebody behind who is dead before haz knows the number of the task: a process runs before the call that
// starts it has returned. It is reaped all the same.
func TestTheDeadOfATaskThatIsBeingStarted(t *testing.T) {
	s := open(t, quick)
	run(t, s, shell(t.TempDir(), "true")) // from the first task on this process inherits orphans
	defer process.LengthenLazyWait()()
	file := filepath.Join(t.TempDir(), "pid")
	orphan := 0
	main := exec.Command("/bin/sh", "-c", `(sleep 0.01 & echo $! > `+file+`); exec sleep 300`)
	main.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err := process.ForkSlowly(func() (int, error) {
		if err := main.Start(); err != nil {
			return 0, err
		}
		orphan = pidIn(t, file)
		eventually(t, "the orphan is dead", func() bool { return dead(orphan) })
		time.Sleep(50 * time.Millisecond) // whoever looks, has
		return main.Process.Pid, nil
	}, func() {
		eventually(t, "the orphan is reaped", func() bool { return syscall.Kill(orphan, 0) == syscall.ESRCH })
	})
	if err != nil {
		t.Error(err)
	}
	_ = main.Process.Kill()
	_ = main.Wait()
}

// The statuses of the host's own children are the host's, in its session and, where it has promised nothing, in others.
func TestStatusesOfTheHostAreNotStolen(t *testing.T) {
	for name, open := range map[string]func(*testing.T) process.Spawner{
		"promised": openSole,
		"not":      func(t *testing.T) process.Spawner { return open(t, quick) },
	} {
		t.Run(name, func(t *testing.T) {
			// The kernel's list has the children of the main thread alone; without it all of them are looked at.
			defer process.OldKernel()()
			s := open(t)
			dir := t.TempDir()
			p, _ := start(t, s, shell(dir, `until [ -e go ]; do true | cat; sleep 0.01; done`))
			for i := range 20 {
				cmd := exec.Command("/bin/sh", "-c", "exit 3")
				if name == "not" && i%2 == 1 {
					cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the child is dead", func() bool { return dead(cmd.Process.Pid) })
				time.Sleep(10 * time.Millisecond) // whoever would steal it, has
				if cmd.Wait(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 3 {
					t.Fatalf("child %d: %v", i, cmd.ProcessState)
				}
			}
			if err := os.WriteFile(dir+"/go", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if e := p.Wait(); e.Code != 0 {
				t.Errorf("exit %+v", e)
			}
		})
	}
}

// Tasks that end while daemons die beside them keep their own statuses.
func TestStatusesOfTasksAreNotStolen(t *testing.T) {
	s := openSole(t)
	done := make(chan process.Exit)
	const tasks = 30
	for range tasks {
		go func() {
			p, err := s.Start(shell("/", `(setsid true &) ; (true &); exit 5`), processtest.NewTape())
			if err != nil {
				t.Error(err)
				done <- process.Exit{}
				return
			}
			done <- p.Wait()
		}()
	}
	for range tasks {
		if e := <-done; e.Code != 5 || e.WaitErr != nil {
			t.Errorf("exit %+v", e)
		}
	}
}
