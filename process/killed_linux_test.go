package process_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/process"
)

// Who is killed because the main process has ended by itself is named; who ended by itself, left the group, or was cancelled is not.
func TestKilledMembersAreNamed(t *testing.T) {
	s := open(t, quick)
	for _, c := range []struct {
		name, script string
		want         []string // files with the numbers of processes that are named
	}{
		{"nobody", `true & wait`, nil},
		{"no pipe", `sleep 300 >/dev/null 2>&1 & echo $! > child`, []string{"child"}},
		{"two", `sleep 300 >/dev/null 2>&1 & echo $! > child; sleep 301 >/dev/null 2>&1 & echo $! > other`, []string{"child", "other"}},
		{"holds the output", `sleep 300 & echo $! > child`, []string{"child"}},
		{"after a failure", `sleep 300 >/dev/null 2>&1 & echo $! > child; exit 3`, []string{"child"}},
		{"ignores TERM", `(trap '' TERM; exec >/dev/null 2>&1; echo > deaf; sleep 300; sleep 300) & echo $! > child; until [ -s deaf ]; do sleep 0.01; done`, []string{"child"}},
		{"own session", `setsid sh -c 'echo $$ > child; exec sleep 300' >/dev/null 2>&1 & until [ -s child ]; do sleep 0.01; done`, nil},
		{"ends by itself", `sh -c 'until [ -e never ] || [ $((n=n+1)) -gt 3 ]; do sleep 0.01; done; echo late' &`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			p, _ := start(t, s, shell(dir, c.script))
			e := p.Wait()
			var got, want []int
			for _, l := range e.Killed {
				got = append(got, l.PID)
				if !strings.Contains(l.Command, "sleep 30") && c.name != "ignores TERM" {
					t.Errorf("named as %q", l.Command)
				}
			}
			for _, f := range c.want {
				want = append(want, pidIn(t, filepath.Join(dir, f)))
			}
			if c.name == "ignores TERM" { // and what it has started
				got = slices.DeleteFunc(got, func(pid int) bool { return !slices.Contains(want, pid) })
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("named %+v, want %v", e.Killed, want)
			}
			if c.name == "own session" {
				kill(pidIn(t, filepath.Join(dir, "child")))
			}
		})
	}
	dir := t.TempDir()
	p, _ := start(t, s, shell(dir, `sleep 300 >/dev/null 2>&1 & echo $! > child; while :; do sleep 0.05; done`))
	pidIn(t, filepath.Join(dir, "child"))
	p.Terminate()
	if e := p.Wait(); len(e.Killed) > 0 {
		t.Errorf("named after a cancellation: %+v", e.Killed)
	}
}

// A kernel that watches no more descriptors (a limit a user) costs threads, not output, and nothing hangs.
func TestFullPoller(t *testing.T) {
	defer process.FullPoller()()
	s := open(t, quick)
	if e, out := run(t, s, shell("/", `i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done`)); e.Code != 0 || strings.Count(out, "\n") != 20000 {
		t.Errorf("exit %+v, %d lines", e, strings.Count(out, "\n"))
	}
	dir := t.TempDir()
	p, _ := start(t, s, shell(dir, `setsid sh -c 'echo $$ > child; exec sleep 300' & until [ -s child ]; do sleep 0.01; done`))
	e := p.Wait()
	if !strings.HasPrefix(e.Incomplete, "output still held by pid ") {
		t.Errorf("exit %+v", e)
	}
	kill(pidIn(t, filepath.Join(dir, "child")))
	p, r := start(t, s, shell("/", `echo ready; while :; do sleep 1; done`))
	r.Await(t, process.Stdout, "ready\n")
	p.Kill()
	if e := p.Wait(); e.Signal != 9 {
		t.Errorf("exit %+v", e)
	}
}
