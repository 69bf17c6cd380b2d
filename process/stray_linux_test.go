package process

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whose is a process that lost its parent?
func TestJudge(t *testing.T) {
	x := candidate{pid: 100, birth: 1000}
	for _, c := range []struct {
		name   string
		stray  procInfo
		others []candidate
		want   claim
	}{
		{"alone", procInfo{sid: 5, birth: 1001}, nil, mine},
		{"born in the same tick", procInfo{sid: 5, birth: 1000}, nil, mine},
		{"older than the task", procInfo{sid: 5, birth: 999}, nil, foreign},
		{"own session", procInfo{sid: 100, birth: 1001}, []candidate{{pid: 200, birth: 1000}}, mine},
		{"session of another task", procInfo{sid: 200, birth: 1001}, []candidate{{pid: 200, birth: 1000}}, foreign},
		{"session of another cancelled task", procInfo{sid: 200, birth: 1001}, []candidate{{pid: 200, birth: 1000, hurried: true}}, foreign},
		{"another one runs", procInfo{sid: 5, birth: 1001}, []candidate{{pid: 200, birth: 1000}}, shared},
		{"another one is younger", procInfo{sid: 5, birth: 1001}, []candidate{{pid: 200, birth: 1002}}, mine},
		{"another one is cancelled", procInfo{sid: 5, birth: 1001}, []candidate{{pid: 200, birth: 1000, hurried: true}}, mine},
		{"one of two others is cancelled", procInfo{sid: 5, birth: 1001}, []candidate{{pid: 200, birth: 1, hurried: true}, {pid: 300, birth: 1}}, shared},
		{"the second one's session", procInfo{sid: 300, birth: 1001}, []candidate{{pid: 200, birth: 1}, {pid: 300, birth: 1}}, foreign},
	} {
		if got := judge(c.stray, x, c.others); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Of tasks that run, no two can both be sure of one stray; no task that is old enough denies one without ties.
func TestJudgeAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := make([]candidate, rapid.IntRange(1, 5).Draw(t, "tasks"))
		for i := range tasks {
			tasks[i] = candidate{pid: 100 + i, birth: rapid.Int64Range(0, 5).Draw(t, "birth"), hurried: rapid.Bool().Draw(t, "hurried")}
		}
		q := procInfo{pid: 7, sid: rapid.SampledFrom([]int{7, 100, 101}).Draw(t, "sid"), birth: rapid.Int64Range(0, 5).Draw(t, "stray")}
		sure := 0
		for i, x := range tasks {
			var others []candidate
			others = append(append(others, tasks[:i]...), tasks[i+1:]...)
			got := judge(q, x, others)
			if got == mine && !x.hurried {
				sure++
			}
			if x.birth <= q.birth && q.sid == 7 && got == foreign {
				t.Fatalf("task %+v denies %+v", x, q)
			}
		}
		if sure > 1 {
			t.Fatalf("%d running tasks are sure", sure)
		}
	})
}

func TestParseStat(t *testing.T) {
	rest := " S 10 20 30 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 77777 1000 2000\n"
	for _, name := range []string{"sh", "", "a b", ")", "x) R 1 1 1", "\xff\n("} {
		got, ok := parseStat(42, []byte("42 ("+name+")"+rest))
		want := procInfo{pid: 42, ppid: 10, pgrp: 20, sid: 30, state: 'S', birth: 77777}
		if !ok || got != want {
			t.Errorf("%q: %+v, %v", name, got, ok)
		}
	}
	for _, bad := range []string{"", "42", "42 (sh)", "42 (sh) S 1 2", "42 (sh)" + strings.Replace(rest, "77777", "x", 1)} {
		if q, ok := parseStat(42, []byte(bad)); ok {
			t.Errorf("%q: %+v", bad, q)
		}
	}
	q, ok := readStat(os.Getpid())
	if !ok || q.ppid != os.Getppid() || q.birth > bootTicks() || q.birth == 0 {
		t.Errorf("of this process: %+v, %v", q, ok)
	}
	if _, ok := readStat(1 << 30); ok {
		t.Error("a process that cannot be")
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"))
	f.Fuzz(func(t *testing.T, b []byte) { parseStat(1, b) })
}

// When a signal of ours ends who held the output of a task that had ended by itself, the output is not whole, even if the
// pipes look closed a moment later (4.5).
func TestHeldWhenSignalled(t *testing.T) {
	for script, want := range map[string]bool{"sleep 300 & exit 0": true, "exec >/dev/null 2>&1; sleep 300 & exec 2>&1; sleep 0.01": false} {
		s := System(Limits{PipesClose: time.Hour, Drain: time.Hour, GroupTerm: time.Hour, Sweep: time.Second})
		started, err := s.Start(Command{Dir: "/", Argv: []string{"sh", "-c", script}, Env: []string{"PATH=/bin:/usr/bin"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := started.(*proc)
		for reaped := false; !reaped; time.Sleep(time.Millisecond) {
			p.mu.Lock()
			reaped = p.reaped
			p.mu.Unlock()
		}
		p.Kill()
		p.mu.Lock()
		held := p.held
		p.mu.Unlock()
		if e := p.Wait(); held != want || (e.Incomplete != "") != want || e.Cancelled {
			t.Errorf("%s: held %v, exit %+v", script, held, e)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A host that waits for children it does not own takes our status away. That is an error, not a hang.
func TestStatusTakenAway(t *testing.T) {
	p := &proc{pid: 1 << 30}
	p.reap()
	if !p.reaped || !errors.Is(p.waitErr, syscall.ECHILD) {
		t.Errorf("reaped %v, %v", p.reaped, p.waitErr)
	}
}

// The snapshot is not one moment, so it may hold cycles and lack parents.
func TestBelow(t *testing.T) {
	all := []procInfo{
		{pid: 2, ppid: 1, state: 'S'}, {pid: 3, ppid: 2, state: 'S'}, {pid: 4, ppid: 3, state: 'Z'}, {pid: 5, ppid: 4, state: 'S'},
		{pid: 6, ppid: 7, state: 'S'}, {pid: 7, ppid: 6, state: 'S'}, {pid: 8, ppid: 99, state: 'S'},
	}
	for _, c := range []struct {
		root int
		want string
	}{{2, "3 5"}, {1, "2 3 5"}, {6, "7"}, {99, "8"}, {8, ""}} {
		var got []string
		for _, q := range below(all, map[int]bool{c.root: true}) {
			got = append(got, fmt.Sprint(q.pid))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("below %d: %v, want %s", c.root, got, c.want)
		}
	}
}

// A session's number that came back with another meaning is not taken for the old one.
func TestSessionsOfStrays(t *testing.T) {
	r := &registry{sessions: map[int]int64{50: 10, 60: 10}}
	r.prune([]procInfo{{pid: 51, sid: 50}, {pid: 70, sid: 70}})
	if len(r.sessions) != 1 || r.sessions[50] != 10 {
		t.Errorf("sessions %v", r.sessions)
	}
}
