package process

import (
	"bytes"
	"cmp"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// stopPatience is how long haz waits until all that it has stopped stands still: the kernel may hold a process back.
const stopPatience = time.Second

// standStill stops all that comes from these tasks, and returns what makes it go on.
//
// SIGSTOP, since a task's group is orphaned: it does not heed SIGTSTP. Parents stand still before their children are stopped and go on
// after them, or a shell with job control would see its jobs stop. A snapshot is no single moment, so it goes on until one
// shows nobody that moves: whoever stands still starts nothing.
func standStill(ps []*proc) (goOn func()) {
	f := freeze{ps: ps, stopped: map[int]int64{}, slots: map[int]int{}}
	begun := time.Now()
	for pause := time.Millisecond; len(ps) > 0 && f.round() && time.Since(begun) < stopPatience; pause = min(2*pause, 10*time.Millisecond) {
		time.Sleep(pause)
	}
	return f.end
}

// freeze is what stands still by our will.
type freeze struct {
	ps      []*proc
	order   []procInfo    // as they were stopped
	stopped map[int]int64 // their births, by number
	slots   map[int]int   // of the helper, by group: those of processes that have left their task's group
}

// round stops whoever moves and has no parent that does, and reports whether somebody may move still.
func (f *freeze) round() (moving bool) {
	level := 0
	for _, q := range descent(f.ps) {
		if moving && q.depth > level {
			return true
		}
		level = q.depth
		switch birth, ours := f.stopped[q.pid]; {
		case ours && birth == q.birth:
			// D: it stops as soon as the kernel lets go of it. t: whoever traces it stands still.
			moving = moving || !bytes.ContainsRune([]byte("TtDZX"), rune(q.state))
		case q.zombie(), q.state == 'T', isHelper(q.pid):
		default:
			f.tell(q.procInfo)
			if signalOne(q.procInfo, unix.SIGSTOP) {
				f.stopped[q.pid] = q.birth
				f.order = append(f.order, q.procInfo)
				moving = true
			}
		}
	}
	return moving
}

// tell lets the helper know a group that is none of a task's.
func (f *freeze) tell(q procInfo) {
	if slices.ContainsFunc(f.ps, func(p *proc) bool { return p.pid == q.pgrp }) {
		return
	}
	if _, told := f.slots[q.pgrp]; told {
		return
	}
	h := &f.ps[0].sys.helper
	slot := h.expect(0)
	h.enter(slot, q.pgrp)
	f.slots[q.pgrp] = slot
}

func (f *freeze) end() {
	for _, q := range slices.Backward(f.order) {
		signalOne(q, unix.SIGCONT)
	}
	for _, slot := range f.slots {
		f.ps[0].sys.helper.remove(slot)
	}
}

// placed is a process with the number of its ancestors in a descent.
type placed struct {
	procInfo
	depth int
}

// descent is all that comes from these tasks and lives, parents before their children: what is in their sessions, what has left
// them, what has lost its parent and came to us. What was left behind by a task that has ended is not of it.
func descent(ps []*proc) (out []placed) {
	roots := map[int]bool{}
	for _, p := range ps {
		for _, f := range children.straysOf(p) {
			if f.claim == mine || children.only(len(ps)) {
				roots[f.pid] = true
			}
		}
	}
	all := snapshot()
	byPID := map[int]procInfo{}
	for _, q := range all {
		if slices.ContainsFunc(ps, func(p *proc) bool { return q.sid == p.pid }) {
			roots[q.pid] = true
		}
		if roots[q.pid] {
			byPID[q.pid] = q
		}
	}
	for _, q := range below(all, roots) {
		byPID[q.pid] = q
	}
	depth := func(q procInfo) (n int) {
		for n < len(byPID) { // the snapshot may hold a cycle
			up, inside := byPID[q.ppid]
			if !inside {
				break
			}
			q = up
			n++
		}
		return n
	}
	for _, q := range byPID {
		out = append(out, placed{q, depth(q)})
	}
	slices.SortFunc(out, func(a, b placed) int { return cmp.Or(a.depth-b.depth, a.pid-b.pid) })
	return out
}

// only reports whether no more than n tasks run in this process.
func (r *registry) only(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.tasks) <= n
}

// isHelper reports whether a process is the helper of a haz that a task has started. It must notice the end of that haz also while
// all else stands still.
func isHelper(pid int) bool {
	line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return bytes.HasSuffix(line, []byte("\x00"+helperName+"\x00"))
}
