//go:build linux

package process_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haz-build/haz/process"
)

// 200 MB of output pass in less than 64 MiB of memory (S-15), half of it on each stream.
func TestFloodInBoundedMemory(t *testing.T) {
	t.Parallel()
	out, err := again(t, "flood", t.TempDir()).Output()
	if err != nil {
		t.Fatal(err)
	}
	var bytes, peakKB int
	if _, err := fmt.Sscan(string(out), &bytes, &peakKB); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	t.Logf("%d bytes, peak %d KiB", bytes, peakKB)
	if bytes != 200_000_000 {
		t.Errorf("%d bytes", bytes)
	}
	if peakKB >= 64<<10 {
		t.Errorf("peak memory %d KiB", peakKB)
	}
}

// Output without end: only the end of the process, or of its group, stops it.
func TestEndlessOutput(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	for _, c := range []struct {
		name, script string
		signal       func(process.Process)
		code, sig    int
		held         bool
	}{
		{"success", "yes & exit 0", nil, 0, 0, true},
		{"failure", "yes & exit 3", nil, 3, 0, true},
		{"TERM", "exec yes", process.Process.Terminate, -1, 15, false},
		{"KILL", "trap '' TERM; yes & wait; wait", process.Process.Kill, -1, 9, false},
	} {
		var n atomic.Int64
		p, err := s.Start(shell("/", c.script), sinkFunc(func(_ process.Stream, b []byte) { n.Add(int64(len(b))) }))
		if err != nil {
			t.Fatal(err)
		}
		if c.signal != nil {
			eventually(t, "a megabyte came", func() bool { return n.Load() > 1<<20 })
			c.signal(p)
		}
		e := p.Wait()
		if e.Code != c.code || e.Signal != c.sig || e.Cancelled != (c.signal != nil) || c.held && e.Incomplete == "" || !groupGone(p.PID()) {
			t.Errorf("%s: exit %+v", c.name, e)
		}
		total := n.Load()
		time.Sleep(5 * time.Millisecond)
		if n.Load() != total {
			t.Errorf("%s: output after Wait", c.name)
		}
	}
}

func flood() error {
	s := process.System(process.DefaultLimits)
	defer s.Close()
	var n atomic.Int64
	p, err := s.Start(shell("/", "head -c 100000000 /dev/zero & head -c 100000000 /dev/zero >&2; wait"),
		sinkFunc(func(_ process.Stream, b []byte) { n.Add(int64(len(b))) }))
	if err != nil {
		return err
	}
	if e := p.Wait(); e.Code != 0 || e.Incomplete != "" {
		return fmt.Errorf("%+v", e)
	}
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Println(n.Load(), strings.Fields(v)[0])
		}
	}
	return nil
}

// When the program that embeds haz is killed, its tasks end: their groups, at least within 2 s (S-30).
func TestHelperEndsTasksOfKilledHost(t *testing.T) {
	// Not parallel: orphans of the host become ours, and a sweep of another test could do the helper's work.
	dir := t.TempDir()
	c := again(t, "embed", dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	var pids []int
	for _, f := range []string{"a", "b", "b-child", "late"} {
		pids = append(pids, pidIn(t, filepath.Join(dir, f)))
	}
	ended := pidIn(t, filepath.Join(dir, "ended"))
	bystander, _ := start(t, open(t, quick), shell(dir, "sleep 300"))
	for _, pid := range pids {
		if dead(pid) {
			t.Fatalf("process %d is dead too early", pid)
		}
	}
	c.Process.Kill()
	c.Wait()
	begin := time.Now()
	for _, pid := range pids {
		eventually(t, "process "+strconv.Itoa(pid)+" is gone", func() bool { return dead(pid) })
	}
	t.Logf("gone after %v; a task that had ended before was %d", time.Since(begin), ended)
	if dead(bystander.PID()) {
		t.Error("a process of another haz was killed")
	}
	bystander.Kill()
	bystander.Wait()
}

// embed is a host with several tasks, some of which ignore TERM.
func embed() error {
	s := process.System(process.DefaultLimits)
	for _, script := range []string{
		"echo $$ > ended",
		"echo $$ > a; exec sleep 300",
		"trap '' TERM; sh -c 'echo $$ > b-child; sleep 300; sleep 300' & echo $$ > b; sleep 300; sleep 300",
	} {
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		p, err := s.Start(shell(wd, script), nil)
		if err != nil {
			return err
		}
		if strings.Contains(script, "ended") {
			p.Wait()
		}
	}
	// The helper is long there when this one starts.
	time.Sleep(50 * time.Millisecond)
	wd, _ := os.Getwd()
	if _, err := s.Start(shell(wd, "echo $$ > late; exec sleep 300"), nil); err != nil {
		return err
	}
	if tr := process.Trouble(s); len(tr) > 0 {
		return fmt.Errorf("%q", tr)
	}
	fmt.Println("ready")
	select {}
}
