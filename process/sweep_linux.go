package process

import (
	"errors"
	"os"
	"slices"
	"sort"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// doubt is how long a sweep waits for other tasks to be cancelled too: a run is cancelled task by task.
const doubt = 200 * time.Millisecond

// sweep kills the descendants that left p's group (S-29): those that lost their parent are our children now; the others
// hang below these, or become ours when their parent dies. So it repeats until nothing is left.
func (p *proc) sweep(deadline time.Time) {
	patience := time.Now().Add(doubt)
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		killed, doubtful := p.killStrays()
		now := time.Now()
		if !killed && (!doubtful || now.After(patience)) || now.After(deadline) {
			return
		}
		time.Sleep(pause)
	}
}

// killStrays kills what is certainly p's, or belongs to tasks that are all cancelled. It reports whether there was any, and
// whether any may be p's or that of a task which is not cancelled.
func (p *proc) killStrays() (killed, doubtful bool) {
	for _, f := range children.straysOf(p) {
		if f.claim != mine {
			doubtful = true
			continue
		}
		killed = true
		if f.pgrp == f.pid { // it is our child: its number, and so the group's, cannot be another's
			unix.Kill(-f.pid, unix.SIGKILL)
		}
		unix.Kill(f.pid, unix.SIGKILL)
		killEach(f.tree)
		children.expect(f)
	}
	return killed, doubtful
}

// expect lets a killed stray and its descendants be reaped as soon as they have died.
func (r *registry) expect(f found) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.strays[f.pid] == nil {
		r.strays[f.pid] = &stray{}
	}
	for _, q := range f.tree {
		r.dying[q.pid] = dyingChild{birth: q.birth}
	}
}

// strays returns the record of what p left behind and what was left alone (4.5). Nothing of it is found again for another
// task.
func (p *proc) strays() []Leftover {
	var out []Leftover
	for _, f := range children.straysOf(p) {
		if f.pgrp == p.pid {
			continue // below
		}
		if !f.listed {
			out = append(out, Leftover{f.pid, commandOf(f.pid)})
			for _, q := range f.tree {
				out = append(out, Leftover{q.pid, commandOf(q.pid)})
			}
		}
		children.note(f)
	}
	if p.group() { // the kernel did not let us
		for _, q := range snapshot() {
			if q.pgrp == p.pid && !q.zombie() {
				out = append(out, Leftover{q.pid, commandOf(q.pid)})
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].PID < out[j].PID })
	return out
}

// descendants returns the processes below those of ps.
func descendants(ps []*proc) []procInfo {
	roots := make(map[int]bool, len(ps))
	for _, p := range ps {
		p.mu.Lock()
		if !p.reaped {
			roots[p.pid] = true
		}
		p.mu.Unlock()
	}
	return below(snapshot(), roots)
}

// below returns all descendants of roots, without these.
func below(all []procInfo, roots map[int]bool) []procInfo {
	kids := make(map[int][]int, len(all)) // by parent: indexes into all
	for i, q := range all {
		kids[q.ppid] = append(kids[q.ppid], i)
	}
	var todo []int
	for pid := range roots {
		todo = append(todo, pid)
	}
	seen := make(map[int]bool, len(roots)) // the snapshot is no single moment: it may hold a cycle
	var out []procInfo
	for len(todo) > 0 {
		pid := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, i := range kids[pid] {
			q := all[i]
			if seen[q.pid] || roots[q.pid] {
				continue
			}
			seen[q.pid] = true
			if !q.zombie() {
				out = append(out, q)
			}
			todo = append(todo, q.pid)
		}
	}
	return out
}

// killEach kills exactly these processes.
func killEach(ps []procInfo) { signalEach(ps, unix.SIGKILL) }

// signalEach signals exactly these processes, and none that took over a number in the meantime.
func signalEach(ps []procInfo, sig unix.Signal) {
	for _, q := range ps {
		signalOne(q, sig)
	}
}

// signalOne reports whether the signal was sent.
func signalOne(q procInfo, sig unix.Signal) bool {
	fd, err := unix.PidfdOpen(q.pid, 0)
	if err == unix.ESRCH {
		return false
	}
	if err == nil {
		defer unix.Close(fd)
	}
	if now, ok := readStat(q.pid); !ok || now.birth != q.birth {
		return false
	}
	if err != nil { // a kernel without pidfd
		return unix.Kill(q.pid, sig) == nil
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0) == nil
}

// killBystanders kills the members of p's group that hold none of its pipes: they cannot matter for the output (4.5).
func (p *proc) killBystanders() {
	links := p.links()
	var idle []procInfo
	for _, q := range snapshot() {
		if q.pgrp == p.pid && !q.zombie() {
			if held, sure := holds(q.pid, links); sure && !held {
				idle = append(idle, q)
			}
		}
	}
	p.lose(idle)
	killEach(idle)
}

// members are the processes of p's group that live.
func (p *proc) members() (ms []procInfo) {
	for _, q := range snapshot() {
		if q.pgrp == p.pid && !q.zombie() {
			ms = append(ms, q)
		}
	}
	return ms
}

// lose notes who is about to be killed though the main process has ended by itself. Whoever is ending just now is no loss.
func (p *proc) lose(ms []procInfo) {
	for _, q := range ms {
		if _, err := os.Readlink("/proc/" + strconv.Itoa(q.pid) + "/exe"); errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if !slices.ContainsFunc(p.lost, func(l Leftover) bool { return l.PID == q.pid }) {
			p.lost = append(p.lost, Leftover{q.pid, commandOf(q.pid)})
		}
	}
}

// holders returns who can still write to p's streams: the group's members first, then others, each by number. It is not
// sure when a member's files cannot be seen; then every such member counts.
func (p *proc) holders() (hs []procInfo, sure bool) {
	links := p.links()
	sure = true
	self := os.Getpid()
	for _, q := range snapshot() {
		if q.zombie() || q.birth < p.birth || q.pid == self {
			continue
		}
		held, known := holds(q.pid, links)
		member := q.pgrp == p.pid
		if held || member && !known {
			hs = append(hs, q)
		}
		if member && !known {
			sure = false
		}
	}
	sort.Slice(hs, func(i, j int) bool {
		if a, b := hs[i].pgrp == p.pid, hs[j].pgrp == p.pid; a != b {
			return a
		}
		return hs[i].pid < hs[j].pid
	})
	return hs, sure
}

// onlyZombies reports that no member of a group lives.
func onlyZombies(pgrp int) bool {
	for _, q := range snapshot() {
		if q.pgrp == pgrp && !q.zombie() {
			return false
		}
	}
	return true
}

// terminateDeaf sends SIGTERM to the members of a group that ignore a signal.
func terminateDeaf(pgrp int, sig unix.Signal) {
	var deaf []procInfo
	for _, q := range snapshot() {
		if q.pgrp == pgrp && !q.zombie() && ignores(q.pid, sig) {
			deaf = append(deaf, q)
		}
	}
	signalEach(deaf, unix.SIGTERM)
}
