package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/haz-build/haz/process"
)

// A shell dies of SIGTERM at once (some do of SIGINT), what it started does not: it may clean up until Kill.
func TestChildrenOfADeadShellCleanUp(t *testing.T) {
	for name, signal := range map[string]func(process.Process){"INT": process.Interrupt, "TERM": process.Process.Terminate} {
		t.Run(name, func(t *testing.T) {
			s := open(t, quick)
			dir := t.TempDir()
			child := `trap 'until [ -e go ]; do sleep 0.01; done; echo > cleaned; exit 0' ` + name + `; echo > ready; while :; do sleep 0.05; done`
			p, _ := start(t, s, shell(dir, `sh -c "`+child+`"; echo > after`))
			eventually(t, "the child is ready", func() bool { return exists(dir, "ready") })
			signal(p)
			if name == "TERM" {
				eventually(t, "the shell is dead", func() bool { return dead(p.PID()) })
			}
			if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if e := p.Wait(); !e.Cancelled {
				t.Errorf("exit %+v", e)
			}
			if !exists(dir, "cleaned") || exists(dir, "after") {
				t.Errorf("the child cleaned up: %v; the shell went on: %v", exists(dir, "cleaned"), exists(dir, "after"))
			}
		})
	}
}

// A shell makes what it starts in the background deaf to SIGINT, and nohup to SIGHUP. Such a process gets SIGTERM when its shell is gone:
// nobody has to wait for the grace to pass (EXEC-081).
func TestDeafChildrenAreTerminated(t *testing.T) {
	const child = `sh -c 'echo $$ > child; exec sleep 300' >/dev/null 2>&1`
	for name, c := range map[string]struct {
		script string
		signal int
	}{"INT": {child + " & while :; do sleep 0.05; done", 2}, "HUP": {"nohup " + child + "; :", 1}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, quick)
			dir := t.TempDir()
			p, _ := start(t, s, shell(dir, c.script))
			child := pidIn(t, filepath.Join(dir, "child"))
			process.Signal(p, name)
			if e := p.Wait(); !e.Cancelled || e.Signal != c.signal {
				t.Errorf("exit %+v", e)
			}
			if !dead(child) {
				t.Error("the child lives")
			}
		})
	}
}

// Kill ends the cleaning up of whoever takes too long for it.
func TestKillEndsCleaningUp(t *testing.T) {
	s := open(t, quick)
	dir := t.TempDir()
	p, _ := start(t, s, shell(dir, `sh -c "trap '' INT TERM; echo \$\$ > child; while :; do sleep 0.05; done"; :`))
	child := pidIn(t, filepath.Join(dir, "child"))
	p.Terminate()
	eventually(t, "the shell is dead", func() bool { return dead(p.PID()) })
	p.Kill()
	if e := p.Wait(); !e.Cancelled {
		t.Errorf("exit %+v", e)
	}
	if !dead(child) {
		t.Error("the child lives")
	}
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}
