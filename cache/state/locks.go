package state

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"sync"

	"github.com/haz-build/haz/cache/digest"
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

// locks is what task locks need to know of this process, and their file.
type locks struct {
	pid       int
	ancestors func() map[int]bool

	mu     sync.Mutex
	idle   []fsys.LockSet // open, and holding nothing
	closed bool           // until the next one is opened
}

// open returns an empty set of locks; fresh says that it was not kept from before.
func (l *locks) open(d fsys.FS) (set fsys.LockSet, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = false
	if n := len(l.idle); n > 0 {
		set := l.idle[n-1]
		l.idle = l.idle[:n-1]
		return set, false, nil
	}
	set, err = d.OpenLocks("/" + locksName)
	return set, true, err
}

// keep gives the locks of a set back and keeps it for the next task.
func (l *locks) keep(set fsys.LockSet) {
	if set.Unlock() != nil {
		_ = set.Close()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed { // a task that ends later than its run
		_ = set.Close()
		return
	}
	l.idle = append(l.idle, set)
}

func (l *locks) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, set := range l.idle {
		_ = set.Close()
	}
	l.idle, l.closed = nil, true
}

// TaskLocks are held locks of one task.
type TaskLocks struct {
	of *locks

	mu      sync.Mutex
	set     fsys.LockSet  // nil where locks do not work, and once unlocked
	process []fsys.LockID // to be marked with the pid of the task's process
}

// SetProcess notes the pid of the task's process, once.
func (l *TaskLocks) SetProcess(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set == nil {
		return
	}
	for _, id := range l.process {
		// Without the mark a nested haz would wait for this task, not fail: bad luck, not harm.
		_ = l.set.TryLock(id, fsys.Exclusive, pid)
	}
}

// Unlock gives all back. A second call does nothing.
func (l *TaskLocks) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set != nil {
		l.of.keep(l.set)
		l.set = nil
	}
}

// TryLockTask takes all locks or none, and never waits. refused is nil when they were taken, and also when locks do not
// work here: then Trouble says so, and TaskLocks holds nothing. err is always nil.
//
// A task has two locks, whose numbers are digests of its id (41 bits: of ten thousand tasks one time in twenty thousand two
// share a number; they are then kept apart for no reason): its own, which an exclusive holder marks with the pid of its haz, and
// one beside it, which nobody else takes and which carries the pid of the task's process.
//
// Nested use (section 10): a lock that only tasks of ancestors hold, which wait for this process, counts as free. Who holds
// a lock in shared mode cannot be asked, but conflicts go both ways: the holder has its own lock exclusively, and the marks
// there say who it is. Nested haz that are let pass by in that way keep apart by a second set of locks, which nobody else
// takes; those nested in them by a third.
func (s *State) TryLockTask(r LockRequest) (l *TaskLocks, refused *Refused, err error) {
	l = &TaskLocks{of: &s.locks}
	err = s.home.inDir(func(d fsys.FS) error {
		l.set, l.process, refused, err = s.locks.tryAll(d, r)
		return err
	})
	switch {
	case err != nil:
		if !errors.Is(err, errReadOnly) {
			s.note(couldNotLock, locksName, err)
		}
		return l, nil, nil
	case refused != nil:
		return nil, refused, nil
	}
	return l, nil, nil
}

// tryAll returns a set that holds all locks of r and the locks that are to carry the process, or who is in the way.
func (l *locks) tryAll(d fsys.FS, r LockRequest) (fsys.LockSet, []fsys.LockID, *Refused, error) {
	for {
		set, fresh, err := l.open(d)
		if err != nil {
			return nil, nil, nil, err
		}
		t := taker{set: set, task: r.Task, pid: l.pid, ancestors: l.ancestors}
		refused, err := t.takeAll(r.Conflicts)
		named := false
		if err == nil {
			named, err = set.Named()
		}
		if err == nil && !named {
			err = fs.ErrNotExist
		}
		switch {
		case err != nil && isStale(err) && !fresh: // somebody has deleted .haz/state; others that are kept may be from before, too
			_ = set.Close()
			continue
		case err != nil:
			_ = set.Close()
			return nil, nil, nil, err
		case refused != nil:
			l.keep(set)
			return nil, nil, refused, nil
		}
		return set, t.process, nil, nil
	}
}

// taker takes the locks of one task.
type taker struct {
	set       fsys.LockSet
	task      string
	pid       int
	ancestors func() map[int]bool
	exempt    int           // locks that are held by tasks that wait for this process
	process   []fsys.LockID // beside our own locks that were taken
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
		err := t.set.TryLock(lockID(ownLock, task, suffix), mode, t.pid)
		if err == nil {
			if own {
				t.process = append(t.process, lockID(processLock, task, suffix))
			}
			continue
		}
		if !errors.Is(err, fsys.ErrLocked) {
			return false, nil, err
		}
		n := t.holder(task, suffix)
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
func (t *taker) waitsForUs(h holder) bool { return h.task > 0 && t.ancestors()[h.task] }

// holder is who holds a task's own lock exclusively; 0 where that is not known.
type holder struct{ haz, task int }

func (t *taker) holder(task, suffix string) (h holder) {
	var err error
	if h.haz, err = t.set.Mark(lockID(ownLock, task, suffix)); err != nil || h.haz == 0 {
		return holder{}
	}
	if h.task, err = t.set.Mark(lockID(processLock, task, suffix)); err != nil {
		h.task = 0
	}
	return h
}

// The two locks of a task.
const (
	ownLock     = "own "     // one in each set of nested use
	processLock = "process " // of whoever has that one exclusively
)

// lockID is the number of a task's lock. It is the same in both hash functions, or two haz with different ones would not see
// each other's locks.
func lockID(which, task, suffix string) fsys.LockID {
	d := digest.BLAKE3.Sum([]byte(which + task + suffix))
	return fsys.LockID(binary.LittleEndian.Uint64(d[:])) & fsys.MaxLockID
}
