package state

import (
	"slices"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// A Wait stands on the board for as long as a task of this haz waits for the locks of another one, and says for which process. So
// those who wait for each other, each inside of a task that the other waits for, can find that out.
type Wait struct {
	of   *locks
	id   fsys.LockID // 0: no note
	mark int         // of the note; 0 without one
}

// A Link is one step of a cycle of waiting: HazPID, which descends from the task that the step before waits for, waits for the
// task whose process is TaskPID.
type Link struct{ HazPID, TaskPID int }

// waitSlots is how many waits of one haz can be told apart on the board. More than that stay unseen.
const waitSlots = 1 << 18

// waits gives out the slots of this process, whose pid is part of a note's number.
var waits = struct {
	sync.Mutex
	taken map[int]bool
}{taken: map[int]bool{}}

// BeginWait makes a Wait; End must follow.
func (s *State) BeginWait() *Wait {
	s.locks.board.open(s.ws)
	waits.Lock()
	defer waits.Unlock()
	slot := 0
	for waits.taken[slot] {
		slot++
	}
	if slot >= waitSlots {
		return &Wait{of: &s.locks}
	}
	waits.taken[slot] = true
	return &Wait{of: &s.locks, id: waitID(s.locks.pid, slot)}
}

func waitID(pid, slot int) fsys.LockID {
	return waitFlag | fsys.LockID(pid)*waitSlots | fsys.LockID(slot)
}

// For notes whom the task waits for now. It returns the cycle that this closes, beginning with this haz; nil when there is none:
// then the wait will end some day.
//
// A haz that was started by a task counts as something that the task waits for.
func (w *Wait) For(r *Refused) []Link {
	if r.TaskPID != w.mark {
		w.remove()
		if r.TaskPID > 0 && w.id != 0 && w.of.board.post(w.id, r.TaskPID) {
			w.mark = r.TaskPID
		}
	}
	if w.mark == 0 {
		return nil
	}
	waiting := map[int][]int{} // haz → processes of tasks that it waits for
	for _, n := range w.of.board.others() {
		if n.ID&waitFlag != 0 {
			haz := int(n.ID&(waitFlag-1)) / waitSlots
			waiting[haz] = append(waiting[haz], n.Mark)
		}
	}
	delete(waiting, w.of.pid)
	return w.of.cycle([]Link{{w.of.pid, w.mark}}, waiting)
}

// cycle follows the last link to a task that waits for this process. No haz is passed twice.
func (l *locks) cycle(path []Link, waiting map[int][]int) []Link {
	on := path[len(path)-1].TaskPID
	for haz, tasks := range waiting {
		if slices.ContainsFunc(path, func(p Link) bool { return p.HazPID == haz }) || !l.ancestorsOf(haz)[on] {
			continue
		}
		for _, task := range tasks {
			next := append(slices.Clone(path), Link{haz, task})
			if l.ancestors()[task] {
				return next
			}
			if found := l.cycle(next, waiting); found != nil {
				return found
			}
		}
	}
	return nil
}

func (w *Wait) remove() {
	if w.mark != 0 {
		w.of.board.remove(w.id)
		w.mark = 0
	}
}

// End takes the note away. A second call does nothing.
func (w *Wait) End() {
	w.remove()
	if w.id == 0 {
		return
	}
	waits.Lock()
	defer waits.Unlock()
	delete(waits.taken, int(w.id&(waitSlots-1)))
}
