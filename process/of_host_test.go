//go:build linux

package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// wrapped is a process of a host that does not say what it is.
type wrapped struct{ process.Process }

// numbered is a process of a host that is known to the operating system by its number.
type numbered struct {
	process.Process
	pid int
}

func (n numbered) PID() int        { return n.pid }
func (n numbered) OSProcess() bool { return true }

// Only the number of a process of the operating system may stand where others read it as one.
func TestOSPID(t *testing.T) {
	real, err := open(t, quick).Start(shell("/", "sleep 300"), nil)
	if err != nil {
		t.Fatal(err)
	}
	scripts := processtest.New(nil)
	scripts.Name("x", processtest.Program{Steps: []processtest.Step{processtest.Hang()}})
	script, err := scripts.Start(process.Command{Argv: []string{"x"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		p    process.Process
		want int
	}{
		"a real one":                         {real, real.PID()},
		"a real one in a wrapper":            {wrapped{real}, real.PID()},
		"a script":                           {script, 0},
		"a script in a wrapper":              {wrapped{script}, 0},
		"of a host, with a real number":      {numbered{script, 4711}, 4711},
		"of a host, without a number at all": {numbered{script, 0}, 0},
	} {
		if pid, ok := process.OSPID(c.p); ok != (c.want != 0) || ok && pid != c.want {
			t.Errorf("%s: %d, %t, want %d", what, pid, ok, c.want)
		}
	}
	real.Kill()
	real.Wait()
	script.Kill()
	script.Wait()
	if pid, ok := process.OSPID(wrapped{real}); ok {
		t.Errorf("%d is a process, long after its end", pid)
	}
}

// Of the processes of one spawner some are killed, with all that is in their groups; the others live on.
func TestKillEach(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quick)
	begin := func(name string) process.Process {
		p, tape := start(t, s, shell("/", "trap '' TERM; sleep 300 & echo $! > "+dir+"/"+name+"; echo ready; wait"))
		tape.Await(t, process.Stdout, "ready\n")
		return p
	}
	mine, other := begin("mine"), begin("other")
	process.KillEach(s, nil) // of nothing
	process.KillEach(s, []process.Process{wrapped{mine}})
	if e := mine.Wait(); e.Signal != 9 || !e.Cancelled {
		t.Errorf("exit %+v", e)
	}
	eventually(t, "its child is gone", func() bool { return dead(pidIn(t, dir+"/mine")) })
	if dead(other.PID()) || dead(pidIn(t, dir+"/other")) {
		t.Error("the other one was killed, too")
	}
	other.Kill()
	other.Wait()
}

// A spawner that is to be closed while a process is being started keeps the helper for it: its caller may be gone before the start has
// returned.
func TestCloseWhileStarting(t *testing.T) {
	dir := t.TempDir()
	for range 50 {
		s := process.System(quick)
		other, _ := start(t, s, shell("/", "sleep 300")) // so that the helper is there
		helper := process.HelperPID(s)
		other.Kill()
		other.Wait()
		// A program that is open for writing cannot be started, and is tried again for a while.
		f, err := os.OpenFile(filepath.Join(dir, "program"), os.O_WRONLY|os.O_CREATE, 0o755)
		if err == nil {
			_, err = f.WriteString("#!/bin/sh\necho ready\nwhile :; do sleep 1; done\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		type result struct {
			p   process.Process
			err error
		}
		begun := make(chan result)
		go func() {
			p, err := s.Start(process.Command{Dir: "/", Argv: []string{f.Name()}, Env: []string{"PATH=/bin:/usr/bin"}}, processtest.NewTape())
			begun <- result{p, err}
		}()
		eventually(t, "something is being started", func() bool { return process.Starting(s) > 0 })
		process.CloseWhenIdle(s)
		f.Close()
		r := <-begun
		if r.err != nil {
			continue // the start had given up before
		}
		if dead(helper) {
			t.Error("the helper is gone, and the process lives")
		}
		r.p.Kill()
		r.p.Wait()
		eventually(t, "the helper is gone", func() bool { return dead(helper) })
		return
	}
	t.Error("nothing was ever started")
}

// A spawner that is to be closed while a process lives starts nothing more, and gives the helper and the kernel's flag back
// when that process has ended.
func TestCloseWhenIdle(t *testing.T) {
	s := process.System(quick)
	p, tape := start(t, s, shell("/", "trap '' TERM; echo ready; while :; do sleep 1; done"))
	tape.Await(t, process.Stdout, "ready\n")
	helper := process.HelperPID(s)
	process.CloseWhenIdle(s)
	if dead(helper) || dead(p.PID()) {
		t.Error("something ended at once")
	}
	if _, err := s.Start(shell("/", "true"), nil); err == nil {
		t.Error("something was started afterwards")
	}
	p.Kill()
	p.Wait()
	eventually(t, "the helper is gone", func() bool { return dead(helper) })
	if on, err := process.IsSubreaper(); on || err != nil {
		t.Errorf("subreaper %t, %v", on, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	idle := process.System(quick)
	process.CloseWhenIdle(idle)
	if _, err := idle.Start(shell("/", "true"), nil); err == nil {
		t.Error("something was started by a spawner that was idle")
	}
}
