package state

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// LockRequest names the task locks of section 10 that a task needs.
type LockRequest struct {
	Task      string
	Conflicts []string // tasks that may write the same paths
	Reads     []string // tasks whose results it reads
	Readers   []string // tasks that read its results
	// Brief: what it reads may be let go before it ends (DoneReading).
	Brief bool
}

// Refused says who holds a lock that was asked for.
type Refused struct {
	Task            string // whose lock
	HazPID, TaskPID int    // 0 where not known (yet)
	// Ancestor: TaskPID is an ancestor of this process and Task is the task whose own lock was wanted (nested use): waiting would be for ever.
	Ancestor bool
	// Deep is how many haz stand above this one where there are no locks to see a task that runs itself; else 0.
	Deep int
}

// locks is what task locks need to know of this process, and their file.
type locks struct {
	pid       int
	ancestors func() map[int]bool
	// ancestorsOf is the same for any process.
	ancestorsOf func(pid int) map[int]bool
	depth       func() int
	board       board

	mu     sync.Mutex
	idle   []fsys.LockSet // open, and holding nothing
	closed bool           // until the next one is opened
}

// open returns empty sets of locks; fresh says that none was kept from before.
func (l *locks) open(d fsys.FS, n int) (sets []fsys.LockSet, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, fresh = false, true
	for len(sets) < n {
		if k := len(l.idle); k > 0 {
			sets, l.idle, fresh = append(sets, l.idle[k-1]), l.idle[:k-1], false
			continue
		}
		set, err := d.OpenLocks("/" + locksName)
		if err != nil {
			closeAll(sets)
			return nil, fresh, err
		}
		sets = append(sets, set)
	}
	return sets, fresh, nil
}

func closeAll(sets []fsys.LockSet) {
	for _, set := range sets {
		_ = set.Close()
	}
}

// keep gives the locks of sets back and keeps these for the next task.
func (l *locks) keep(sets []fsys.LockSet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { closeAll(sets) }() // what is left when the file system of a host panics: others wait for it
	for len(sets) > 0 {
		set := sets[0]
		// closed: a task that ends later than its run.
		if set.Unlock() != nil || l.closed {
			_ = set.Close()
		} else {
			l.idle = append(l.idle, set)
		}
		sets = sets[1:]
	}
}

func (l *locks) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	closeAll(l.idle)
	l.idle, l.closed = nil, true
	l.board.close()
}

// TaskLocks are held locks of one task.
type TaskLocks struct {
	of   *locks
	task string

	mu       sync.Mutex
	released bool
	sets     []fsys.LockSet // none where locks do not work; the second one has what can be let go early
	process  []fsys.LockID  // to be marked with the pid of the task's process
	posted   []fsys.LockID  // notes on the board
}

// SetProcess notes the pid of the task's process, once.
func (l *TaskLocks) SetProcess(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return
	}
	for _, id := range l.process {
		// Without the mark a nested haz would wait for this task, not fail: bad luck, not harm.
		_ = l.sets[0].TryLock(id, fsys.Exclusive, pid)
	}
	l.post(lockID(processLock, l.task, ""), pid)
}

// post leaves a note on the board, if there is one. The caller holds mu, or is alone.
func (l *TaskLocks) post(id fsys.LockID, mark int) {
	if l.of.board.post(id, mark) {
		l.posted = append(l.posted, id)
	}
}

// DoneReading lets go of what the task reads, when its request was Brief: others may make that anew. A second call does nothing.
func (l *TaskLocks) DoneReading() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released || len(l.sets) < 2 {
		return
	}
	l.of.board.remove(lockID(readingLock, l.task, ""))
	l.of.keep(l.sets[1:])
	l.sets = l.sets[:1]
}

// Unlock gives all back. A second call does nothing.
func (l *TaskLocks) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return
	}
	l.released = true
	for _, id := range l.posted {
		l.of.board.remove(id)
	}
	l.of.keep(l.sets)
}

// TryLockTask takes all locks or none, and never waits. refused is nil when they were taken, and also when locks do not
// work here: then Trouble says so, and TaskLocks holds nothing. err is always nil.
//
// Whoever deletes .haz/state takes the files of the locks away under those who hold them. So what is held stands on the board, too
// (board.go), which nobody can delete, and is looked at after the locks were taken. It also stands in where there are no files.
func (s *State) TryLockTask(r LockRequest) (l *TaskLocks, refused *Refused, err error) {
	l = &TaskLocks{of: &s.locks, task: r.Task}
	err = s.home.inDir(func(d fsys.FS) error {
		l.sets, l.process, refused, err = s.locks.tryAll(d, r)
		return err
	})
	if refused != nil {
		return nil, refused, nil
	}
	if s.locks.board.open(s.ws) {
		l.post(lockID(ownLock, r.Task, ""), s.locks.pid)
		if len(r.Reads) > 0 {
			l.post(lockID(readingLock, r.Task, ""), s.locks.pid)
		}
		if refused := s.locks.onBoard(r); refused != nil {
			l.Unlock()
			return nil, refused, nil
		}
	} else if err != nil && !errors.Is(err, errReadOnly) {
		s.note(couldNotLock, locksName, err)
		if deep := s.locks.depth(); deep >= maxNested {
			return nil, &Refused{Task: r.Task, Deep: deep}, nil
		}
	}
	return l, nil, nil
}

// tryAll returns sets that hold all locks of r and the locks that are to carry the process, or who is in the way.
func (l *locks) tryAll(d fsys.FS, r LockRequest) ([]fsys.LockSet, []fsys.LockID, *Refused, error) {
	n := 1
	if r.Brief && len(r.Reads) > 0 {
		n = 2
	}
	for {
		sets, fresh, err := l.open(d, n)
		if err != nil {
			return nil, nil, nil, err
		}
		t := taker{set: sets[0], reads: sets[n-1], task: r.Task, pid: l.pid, ancestors: l.ancestors}
		refused, err := t.takeAll(r)
		for _, set := range sets {
			named := false
			if err == nil {
				named, err = set.Named()
			}
			if err == nil && !named {
				err = fs.ErrNotExist
			}
		}
		switch {
		case err != nil && isStale(err) && !fresh: // somebody has deleted .haz/state; others that are kept may be from before, too
			closeAll(sets)
			continue
		case err != nil:
			closeAll(sets)
			return nil, nil, nil, err
		case refused != nil:
			l.keep(sets)
			return nil, nil, refused, nil
		}
		return sets, t.process, nil, nil
	}
}
