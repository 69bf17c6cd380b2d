//go:build unix

package process

// procInfo is what the system says of one process.
type procInfo struct {
	pid, ppid, pgrp, sid int
	state                byte
	birth                int64 // in ticks since boot, rounded down
}

func (q procInfo) zombie() bool { return q.state == 'Z' || q.state == 'X' }

// claim is what a task can say of a stray: of a process that lost its parent and became ours.
type claim uint8

const (
	foreign claim = iota // certainly not of this task
	shared               // of this task or of another one that still counts
	mine
)

// candidate is a task that a stray may come from.
type candidate struct {
	pid     int   // also its session
	birth   int64 // ticks, rounded down, taken before the fork
	hurried bool  // cancelled: whatever it left may be killed
}

// judge says whether stray q comes from x; others are all other tasks whose end is not complete.
//
// A process that changed only its group is known by its session. One that made a session of its own has cut every tie, and
// its environment is exactly the task's, so no mark can be in it. What remains is time: it is younger than its task, and
// whatever a task had left behind when it ended was settled then. With several tasks running that leaves doubt, which
// counts for x only when all others that could be meant are cancelled too.
func judge(q procInfo, x candidate, others []candidate) claim {
	if q.sid == x.pid {
		return mine
	}
	if q.birth < x.birth {
		return foreign
	}
	verdict := mine
	for _, o := range others {
		if q.sid == o.pid {
			return foreign
		}
		if q.birth >= o.birth && !o.hurried {
			verdict = shared
		}
	}
	return verdict
}
