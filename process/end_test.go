//go:build linux

package process_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haz-build/haz/process"
)

// Every kind of process of sections 4.4 and 4.5, with every way to end. A script notes the numbers of processes that it starts
// in files, says READY, and then ends as the case demands.
func TestEndings(t *testing.T) {
	longLine := strings.Repeat("x", 10_000_000)
	kinds := []struct {
		name, script string
		out          func(string) bool // what stdout must be after success and failure; nil: empty
		members      []string          // files with the numbers of processes in the group
		escaped      []string          // and of those that left it
		holds        bool              // some of them hold the output
	}{
		{name: "plain", script: `READY`},
		{name: "background child", script: `sleep 300 >/dev/null 2>&1 & echo $! > child; READY`, members: []string{"child"}},
		{name: "background child ignores TERM", script: `(trap '' TERM; exec >/dev/null 2>&1; sleep 300; sleep 300) & echo $! > child; READY`, members: []string{"child"}},
		{name: "holder of stdout", script: `sleep 300 2>/dev/null & echo $! > child; READY`, members: []string{"child"}, holds: true},
		{name: "holder of stderr", script: `sleep 300 >/dev/null & echo $! > child; READY`, members: []string{"child"}, holds: true},
		{name: "holder ignores TERM", script: `(trap '' TERM; sleep 300; sleep 300) & echo $! > child; READY`, members: []string{"child"}, holds: true},
		{name: "pipeline", script: `echo a b | tr ' ' '\n' | sort -r; READY`, out: is("b\na\n")},
		{name: "pipeline behind", script: `sleep 300 | sleep 300 2>/dev/null >&2 & echo $! > child; READY`, members: []string{"child"}, holds: true},
		{name: "ignored TERM", script: `trap '' TERM; READY`},
		{name: "own session", script: `setsid sh -c 'echo $$ > escaped; exec sleep 300' >/dev/null 2>&1 & await escaped; READY`, escaped: []string{"escaped"}},
		{name: "double fork", script: `(setsid sh -c 'echo $$ > escaped; exec sleep 300' >/dev/null 2>&1 </dev/null &); await escaped; READY`, escaped: []string{"escaped"}},
		{name: "double fork ignores TERM", script: `(setsid sh -c 'trap "" TERM HUP; echo $$ > escaped; exec sleep 300' >/dev/null 2>&1 &); await escaped; READY`, escaped: []string{"escaped"}},
		{name: "escaped with child", script: `(setsid sh -c 'setsid sleep 300 & echo $! > grandchild; echo $$ > escaped; wait' >/dev/null 2>&1 &); await escaped; READY`, escaped: []string{"escaped", "grandchild"}},
		{name: "escaped holder", script: `(setsid sh -c 'echo $$ > escaped; exec sleep 300' &); await escaped; READY`, escaped: []string{"escaped"}, holds: true},
		{name: "no newline at end", script: `printf 'a\nb'; READY`, out: is("a\nb")},
		{name: "line of 10 MB", script: `head -c 10000000 /dev/zero | tr '\0' x; READY`, out: is(longLine)},
		{name: "invalid UTF-8", script: `printf '\377\376\0\303('; READY`, out: is("\xff\xfe\x00\xc3(")},
	}
	ends := []struct {
		name, ready string
		signals     []func(process.Process)
		code, sig   int
	}{
		{"success", "exit 0", nil, 0, 0},
		{"failure", "exit 3", nil, 3, 0},
		{"TERM", "echo > ready; while :; do sleep 1; done", []func(process.Process){process.Process.Terminate}, -1, 15},
		{"KILL", "echo > ready; while :; do sleep 1; done", []func(process.Process){process.Process.Kill}, -1, 9},
		{"TERM then KILL", "echo > ready; while :; do sleep 1; done", []func(process.Process){process.Process.Terminate, process.Process.Kill}, -1, 9},
	}
	const await = `await() { until [ -s "$1" ]; do sleep 0.01; done; }; `
	s := open(t, quick)
	// Not parallel: with other tasks beside them, nobody could say whose the escaped ones are.
	for _, k := range kinds {
		for _, e := range ends {
			if strings.Contains(k.name, "ignore") && !strings.Contains(k.name, "fork") && e.name == "TERM" {
				continue // the next one ends it: what is left of the group may clean up until it is killed
			}
			t.Run(k.name+"/"+e.name, func(t *testing.T) {
				dir := t.TempDir()
				p, r := start(t, s, shell(dir, await+strings.ReplaceAll(k.script, "READY", e.ready)))
				if e.signals != nil {
					eventually(t, "ready", func() bool { _, err := os.Stat(filepath.Join(dir, "ready")); return err == nil })
				}
				for _, f := range e.signals {
					f(p)
				}
				got := p.Wait()
				if !groupGone(p.PID()) {
					t.Error("the group lives")
				}

				switch {
				case e.name == "TERM then KILL" && (got.Signal == 15 || got.Signal == 9):
					// Which one it was depends on who is faster.
				case got.Code != e.code || got.Signal != e.sig:
					t.Errorf("exit %+v, want code %d signal %d", got, e.code, e.sig)
				}
				if got.WaitErr != nil || got.Cancelled != (e.signals != nil) {
					t.Errorf("exit %+v", got)
				}
				for _, m := range k.members {
					if pid := pidIn(t, filepath.Join(dir, m)); !dead(pid) {
						t.Errorf("%s (%d) of the group lives", m, pid)
					}
				}
				var escaped []int
				for _, f := range k.escaped {
					escaped = append(escaped, pidIn(t, filepath.Join(dir, f)))
				}
				if e.signals != nil {
					for _, pid := range escaped {
						if !dead(pid) {
							t.Errorf("escaped process %d lives", pid)
						}
					}
					if len(got.Leftovers) > 0 {
						t.Errorf("leftovers after a cancellation: %+v", got.Leftovers)
					}
					return
				}
				var listed []int
				for _, l := range got.Leftovers {
					listed = append(listed, l.PID)
					if !strings.Contains(l.Command, "sleep 300") {
						t.Errorf("leftover is shown as %q", l.Command)
					}
				}
				slices.Sort(escaped)
				if !slices.Equal(listed, escaped) {
					t.Errorf("leftovers %v, want %v", listed, escaped)
				}
				for _, pid := range escaped {
					if dead(pid) {
						t.Errorf("escaped process %d was killed", pid)
					}
					kill(pid)
				}
				if k.holds {
					f := append(append([]string(nil), k.members...), k.escaped...)[0]
					if want := "output still held by pid "; !strings.HasPrefix(got.Incomplete, want) ||
						k.name == "holder of stdout" && got.Incomplete != want+strconv.Itoa(pidIn(t, filepath.Join(dir, f))) {
						t.Errorf("incomplete: %q", got.Incomplete)
					}
				} else if got.Incomplete != "" {
					t.Errorf("incomplete: %q", got.Incomplete)
				}
				want := k.out
				if want == nil {
					want = is("")
				}
				if text := r.Text(process.Stdout); !want(text) {
					t.Errorf("stdout: %d bytes, begins %.40q", len(text), text)
				}
				if text := r.Text(process.Stderr); text != "" {
					t.Errorf("stderr: %q", text)
				}
			})
		}
	}
}

func is(want string) func(string) bool { return func(got string) bool { return got == want } }

// A pipe that closes by itself within the wait leaves the output whole, and whoever closed it late may have written.
func TestPipesCloseByThemselves(t *testing.T) {
	t.Parallel()
	l := quick
	l.PipesClose = 20 * time.Second
	s := open(t, l)
	e, out := run(t, s, shell(t.TempDir(), `(sleep 0.05; echo late) & echo soon`))
	if out != "soon\nlate\n" || e.Incomplete != "" {
		t.Errorf("stdout %q, exit %+v", out, e)
	}
}

// The waits are those of chapter 2, section 12: the holder has its second.
func TestDefaultWaits(t *testing.T) {
	t.Parallel()
	s := open(t, process.Limits{})
	begin := time.Now()
	e, _ := run(t, s, shell(t.TempDir(), `sleep 300 &`))
	if took := time.Since(begin); took < process.DefaultLimits.PipesClose || e.Incomplete == "" {
		t.Errorf("ended after %v, exit %+v", took, e)
	}
}

// Members that hold no pipe are killed at once, while the holder still has its time, and while a slow sink takes its own.
func TestBystandersDieAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, process.Limits{PipesClose: time.Hour, Drain: time.Hour, GroupTerm: time.Hour, Sweep: time.Second})
	const bystander = `(trap '' TERM; exec >/dev/null 2>&1; echo > quiet; sleep 300; sleep 300) & echo $! > bystander; until [ -s quiet ]; do sleep 0.01; done; `
	dir := t.TempDir()
	p, _ := start(t, s, shell(dir, bystander+"sleep 300 & echo $! > holder"))
	pid, holder := pidIn(t, filepath.Join(dir, "bystander")), pidIn(t, filepath.Join(dir, "holder"))
	eventually(t, "the bystander is dead", func() bool { return dead(pid) })
	if dead(holder) {
		t.Error("the holder was killed too")
	}
	kill(holder)
	if e := p.Wait(); e.Code != 0 || e.Incomplete != "" {
		t.Errorf("the holder ended by itself, exit %+v", e)
	}

	dir = t.TempDir()
	var pids atomic.Int64
	p, err := s.Start(shell(dir, bystander+"echo x"), sinkFunc(func(process.Stream, []byte) {
		pid := pidIn(t, filepath.Join(dir, "bystander"))
		eventually(t, "the bystander is dead while the sink takes its time", func() bool { return dead(pid) })
		pids.Add(1)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if e := p.Wait(); e.Code != 0 || e.Incomplete != "" || pids.Load() != 1 {
		t.Errorf("exit %+v", e)
	}
}

// A holder that ignores TERM is killed after GroupTerm, not after Drain; one that heeds it has time to close.
func TestHolderIsKilled(t *testing.T) {
	t.Parallel()
	l := process.Limits{PipesClose: 50 * time.Millisecond, Drain: time.Hour, GroupTerm: 10 * time.Millisecond, Sweep: time.Second}
	e, _ := run(t, open(t, l), shell(t.TempDir(), "(trap '' TERM; echo > deaf; sleep 300; sleep 300) & until [ -s deaf ]; do sleep 0.01; done"))
	if e.Code != 0 || !strings.HasPrefix(e.Incomplete, "output still held by pid ") {
		t.Errorf("exit %+v", e)
	}
	l.GroupTerm = time.Hour
	e, out := run(t, open(t, l), shell(t.TempDir(), "(exec 2>/dev/null; trap 'echo bye; exit' TERM; echo > ready; while :; do sleep 0.01; done) & until [ -s ready ]; do sleep 0.01; done"))
	if e.Code != 0 || e.Incomplete == "" || out != "bye\n" {
		t.Errorf("stdout %q, exit %+v", out, e)
	}
}

// A cancellation during the waits of a normal end cuts them short. The exit was the process's own.
func TestCancelDuringTheEnd(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]func(process.Process){"TERM": process.Process.Terminate, "KILL": process.Process.Kill} {
		s := open(t, process.Limits{PipesClose: time.Hour, Drain: time.Hour, GroupTerm: time.Hour, Sweep: time.Second})
		p, _ := start(t, s, shell(t.TempDir(), `(trap '' TERM; sleep 300) & exit 7`))
		eventually(t, "the main process is reaped", func() bool {
			_, err := os.Stat("/proc/" + strconv.Itoa(p.PID()))
			return os.IsNotExist(err)
		})
		signal(p)
		if e := p.Wait(); e.Code != 7 || e.Cancelled || e.Incomplete == "" || !groupGone(p.PID()) {
			t.Errorf("%s: exit %+v, group gone: %v", name, e, groupGone(p.PID()))
		}
	}
}

// An end that was there before the signal counts as the process's own, seen or not (EXEC-015, 4.5).
func TestEndBeforeSignal(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	for range 50 {
		p, _ := start(t, s, process.Command{Dir: "/", Argv: []string{"true"}, Env: testEnv})
		eventually(t, "ended", func() bool { return dead(p.PID()) })
		p.Terminate()
		p.Kill()
		if e := p.Wait(); e.Code != 0 || e.Signal != 0 || e.Cancelled {
			t.Fatalf("exit %+v", e)
		}
	}
}

// A slow sink is not a held pipe: it gets all bytes, however long it takes.
func TestSlowSinkGetsAll(t *testing.T) {
	t.Parallel()
	s := open(t, process.Limits{PipesClose: time.Millisecond, Drain: time.Millisecond, GroupTerm: time.Millisecond, Sweep: time.Second})
	const size = 300_000
	var got bytes.Buffer
	p, err := s.Start(shell(t.TempDir(), "head -c 300000 /dev/zero"), sinkFunc(func(_ process.Stream, b []byte) {
		time.Sleep(20 * time.Millisecond)
		got.Write(b)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if e := p.Wait(); e.Incomplete != "" || got.Len() != size {
		t.Errorf("%d bytes of %d, exit %+v", got.Len(), size, e)
	}
}

type sinkFunc func(process.Stream, []byte)

func (f sinkFunc) Write(s process.Stream, b []byte) { f(s, b) }

// A sink that blocks holds the process back, so memory stays bounded (S-15). The other stream goes on.
func TestBackpressure(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	gate, errSeen := make(chan struct{}), make(chan struct{})
	var writes, total int
	p, err := s.Start(shell(t.TempDir(), "head -c 10000000 /dev/zero & sleep 0.1; echo x >&2; wait"), sinkFunc(func(st process.Stream, b []byte) {
		if st == process.Stderr {
			close(errSeen)
			return
		}
		if writes++; writes == 1 {
			<-gate
		}
		total += len(b)
	}))
	if err != nil {
		t.Fatal(err)
	}
	<-errSeen
	if dead(p.PID()) {
		t.Error("the process ended with its output undelivered")
	}
	close(gate)
	if e := p.Wait(); e.Code != 0 || total != 10_000_000 {
		t.Errorf("%d bytes, exit %+v", total, e)
	}
}

// A sink that panics spoils its own output and nothing else.
func TestSinkPanics(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	for _, script := range []string{"echo x", "head -c 1000000 /dev/zero"} {
		p, err := s.Start(shell(t.TempDir(), script), sinkFunc(func(process.Stream, []byte) { panic("disk full") }))
		if err != nil {
			t.Fatal(err)
		}
		if e := p.Wait(); e.Code != 0 || !strings.Contains(e.Incomplete, "panic: disk full") {
			t.Errorf("%s: exit %+v", script, e)
		}
	}
}
