//go:build linux

package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// modes are what this test binary does when a test starts it again as a program of its own.
var modes = map[string]func() error{"flood": flood, "embed": embed, "killall": killAll, "suspended": suspended, "ignore": ignoreSignals}

const modeVariable = "HAZ_PROCESS_TEST_MODE"

func TestMain(m *testing.M) {
	if mode := modes[os.Getenv(modeVariable)]; mode != nil {
		if err := mode(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func again(t *testing.T, mode, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Dir = dir
	c.Env = append(os.Environ(), modeVariable+"="+mode)
	c.Stderr = os.Stderr
	return c
}

// quick makes the waits short; their order stays.
var quick = process.Limits{
	PipesClose: 150 * time.Millisecond, Drain: 300 * time.Millisecond, GroupTerm: 100 * time.Millisecond, Sweep: time.Second,
}

// open makes a spawner that is closed with the test.
func open(t testing.TB, l process.Limits) process.Spawner {
	t.Helper()
	s := process.System(l)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if tr := process.Trouble(s); len(tr) > 0 {
			t.Errorf("trouble: %q", tr)
		}
	})
	return s
}

// start starts a process that must start.
func start(t testing.TB, s process.Spawner, c process.Command) (process.Process, *processtest.Tape) {
	t.Helper()
	r := processtest.NewTape()
	p, err := s.Start(c, r)
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

// run runs a script to its end and returns its stdout.
func run(t testing.TB, s process.Spawner, c process.Command) (process.Exit, string) {
	t.Helper()
	p, r := start(t, s, c)
	e := p.Wait()
	if text := r.Text(process.Stderr); text != "" {
		t.Errorf("stderr: %s", text)
	}
	return e, r.Text(process.Stdout)
}

// eventually polls: only a fault lasts as long as its limit.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for begin := time.Now(); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("not so after 20 s: %s", what)
		}
	}
}

// dead reports that a process is gone, or a zombie that whoever is responsible has not reaped yet.
func dead(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return os.IsNotExist(err)
	}
	rest := string(b[strings.LastIndexByte(string(b), ')')+1:])
	return strings.HasPrefix(rest, " Z") || strings.HasPrefix(rest, " X")
}

func groupGone(pid int) bool { return syscall.Kill(-pid, 0) == syscall.ESRCH }

// pidIn reads a number that a script wrote into a file.
func pidIn(t testing.TB, file string) int {
	t.Helper()
	var pid int
	eventually(t, file+" holds a number", func() bool {
		b, _ := os.ReadFile(file)
		n, err := strconv.Atoi(strings.TrimSpace(string(b)))
		pid = n
		return err == nil && strings.HasSuffix(string(b), "\n")
	})
	return pid
}

// ignoreSignals is a host that ignores signals, as a program with a closed terminal does.
func ignoreSignals() error {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	s := process.System(process.DefaultLimits)
	defer s.Close()
	r := processtest.NewTape()
	p, err := s.Start(process.Command{Dir: "/", Argv: []string{"grep", "Sig[IB]", "/proc/self/status"}, Env: testEnv}, r)
	if err != nil {
		return err
	}
	if e := p.Wait(); e.Code != 0 {
		return fmt.Errorf("%+v", e)
	}
	fmt.Print(r.Text(process.Stdout))
	// For the host they are ignored as before.
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	time.Sleep(20 * time.Millisecond)
	fmt.Println("alive")
	return nil
}
