package state

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// LockRequest names the task locks of section 10: the task's own, exclusively, and those of its conflict set, shared.
type LockRequest struct {
	Task      string
	Conflicts []string
}

// Refused says who holds a lock that was asked for.
type Refused struct {
	Task            string // whose lock
	HazPID, TaskPID int    // 0 where not known (yet)
	// Ancestor: TaskPID is an ancestor of this process and Task is the task whose own lock was wanted (nested use): waiting would be for ever.
	Ancestor bool
}

// locks is what task locks need to know of this process.
type locks struct {
	pid       int
	ancestors func() map[int]bool
}

// TaskLocks are held locks of one task.
type TaskLocks struct {
	pid int

	mu   sync.Mutex
	own  fsys.Lock // carries the note; nil where locks do not work
	held []fsys.Lock
}

// SetProcess notes the pid of the task's process in its own lock.
func (l *TaskLocks) SetProcess(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.own != nil {
		// Without a note a nested haz would wait for this task, not fail: bad luck, not harm.
		_ = l.own.SetNote(lockNote{l.pid, pid}.String())
	}
}

// Unlock gives all back. A second call does nothing.
func (l *TaskLocks) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own = nil
	for i := len(l.held) - 1; i >= 0; i-- {
		_ = l.held[i].Unlock()
	}
	l.held = nil
}

// TryLockTask takes all locks or none, and never waits. refused is nil when they were taken, and also when locks do not
// work here: then Trouble says so, and TaskLocks holds nothing. err is always nil.
//
// Nested use (section 10): a lock that only tasks of ancestors hold, which wait for this process, counts as free. Who holds
// a lock in shared mode cannot be asked, but conflicts go both ways: the holder has its own lock exclusively, and the note
// there says who it is. Nested haz that are let pass by in that way keep apart by a second set of locks, which nobody else
// takes; those nested in them by a third.
func (s *State) TryLockTask(r LockRequest) (l *TaskLocks, refused *Refused, err error) {
	l = &TaskLocks{pid: s.locks.pid}
	err = s.home.inDir(locksDir, func(d fsys.FS) error {
		l.Unlock() // of a try before
		t := taker{d: d, task: r.Task, held: l, ancestors: s.locks.ancestors}
		refused, err = t.takeAll(r.Conflicts)
		return err
	})
	switch {
	case err != nil:
		l.Unlock()
		if !errors.Is(err, errReadOnly) {
			s.note(couldNotLock, locksDir, err)
		}
		return l, nil, nil
	case refused != nil:
		l.Unlock()
		return nil, refused, nil
	}
	l.SetProcess(0)
	return l, nil, nil
}

// taker takes the locks of one task.
type taker struct {
	d         fsys.FS
	task      string
	held      *TaskLocks
	ancestors func() map[int]bool
	exempt    int // locks that are held by tasks that wait for this process
}

const (
	nestedSuffix = ".nested"
	maxNested    = 8 // haz in haz, each let pass by the one before
)

func (t *taker) takeAll(conflicts []string) (*Refused, error) {
	// All haz go through the locks in one order: of two that want the same, one gets them.
	tasks := append([]string{t.task}, conflicts...)
	slices.Sort(tasks)
	tasks = slices.Compact(tasks)
	for suffix := ""; len(suffix) <= maxNested*len(nestedSuffix); suffix += nestedSuffix {
		exempt := t.exempt
		shared, refused, err := t.takeEach(tasks, suffix)
		if refused != nil || err != nil {
			return refused, err
		}
		if shared || t.exempt > exempt {
			continue
		}
		if suffix == "" || t.exempt > 0 {
			return nil, nil
		}
		break // somebody who has our lock in shared mode, and whom nothing names
	}
	return &Refused{Task: t.task}, nil
}

// takeEach takes one lock of each task. shared says that somebody holds our own in shared mode, so that it was not taken.
func (t *taker) takeEach(tasks []string, suffix string) (shared bool, refused *Refused, err error) {
	for _, task := range tasks {
		own := task == t.task
		mode := fsys.Shared
		if own {
			mode = fsys.Exclusive
		}
		lock, err := t.d.TryLock("/"+fileOf(task)+suffix, mode)
		if err == nil {
			t.held.held = append(t.held.held, lock)
			if own {
				t.held.own = lock
			}
			continue
		}
		if !errors.Is(err, fsys.ErrLocked) {
			return false, nil, err
		}
		n := t.note(task, suffix)
		switch {
		case own && n.haz == 0:
			shared = true
		case own:
			return false, &Refused{Task: task, HazPID: n.haz, TaskPID: n.task, Ancestor: t.waitsForUs(n)}, nil
		case t.waitsForUs(n):
			t.exempt++
		default:
			return false, &Refused{Task: task, HazPID: n.haz, TaskPID: n.task}, nil
		}
	}
	return shared, nil, nil
}

// waitsForUs reports whether the holder's task has a process that this one descends from.
func (t *taker) waitsForUs(n lockNote) bool { return n.task > 0 && t.ancestors()[n.task] }

func (t *taker) note(task, suffix string) lockNote {
	text, err := t.d.LockNote("/" + fileOf(task) + suffix)
	if err != nil {
		return lockNote{}
	}
	return parseLockNote(text)
}

// lockNote is what a lock file says about the one that holds it exclusively.
type lockNote struct{ haz, task int }

func (n lockNote) String() string {
	return "haz " + strconv.Itoa(n.haz) + "\ntask " + strconv.Itoa(n.task) + "\n"
}

// parseLockNote reads a note; one that is not whole says nothing.
func parseLockNote(text string) (n lockNote) {
	haz, task, ok := strings.Cut(text, "\n")
	if !ok || !strings.HasSuffix(task, "\n") {
		return lockNote{}
	}
	var err, taskErr error
	n.haz, err = strconv.Atoi(strings.TrimPrefix(haz, "haz "))
	n.task, taskErr = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(task, "task "), "\n"))
	if err != nil || taskErr != nil || n.haz < 0 || n.task < 0 {
		return lockNote{}
	}
	return n
}
