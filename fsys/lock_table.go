package fsys

import "sync"

// A LockTable has the locks of one file, for file systems whose users are all in this process. The zero value is ready, and is not to be
// copied.
type LockTable struct {
	mu   sync.Mutex
	held map[LockID]*tableLock
}

// tableLock is who holds a lock.
type tableLock struct {
	exclusive bool
	shared    int
	mark      int // of the exclusive holder
}

// Open makes an empty set of locks of the file with that name. named says whether the file still has it.
func (t *LockTable) Open(name string, named func() bool) LockSet {
	return &tableSet{table: t, name: name, named: named, held: map[LockID]LockMode{}}
}

// tableSet is a holder of locks.
type tableSet struct {
	table *LockTable
	name  string
	named func() bool

	held   map[LockID]LockMode // guarded by the mutex of the table
	closed bool
}

func (l *tableSet) do(what func() error) error {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	if l.closed {
		return closedLocks(l.name)
	}
	return what()
}

func (l *tableSet) TryLock(id LockID, mode LockMode, mark int) error {
	if err := checkLock(l.name, id, mode, mark); err != nil {
		return err
	}
	return l.do(func() error {
		s := l.table.held[id]
		switch {
		case s == nil:
			s = &tableLock{}
		case s.exclusive || mode == Exclusive && s.shared > 0:
			return pathError("lock", l.name, ErrLocked)
		}
		if mode == Exclusive {
			s.exclusive, s.mark = true, mark
		} else {
			s.shared++
		}
		if l.table.held == nil {
			l.table.held = map[LockID]*tableLock{}
		}
		l.table.held[id], l.held[id] = s, mode
		return nil
	})
}

func (l *tableSet) Mark(id LockID) (mark int, err error) {
	err = l.do(func() error {
		if s := l.table.held[id]; s != nil && l.held[id] == 0 {
			mark = s.mark
		}
		return nil
	})
	return mark, err
}

func (l *tableSet) Named() (bool, error) {
	err := l.do(func() error { return nil })
	return err == nil && l.named(), err
}

func (l *tableSet) Unlock() error {
	return l.do(func() error {
		l.release()
		return nil
	})
}

func (l *tableSet) release() {
	for id, mode := range l.held {
		s := l.table.held[id]
		if mode == Exclusive {
			s.exclusive, s.mark = false, 0
		} else {
			s.shared--
		}
		if *s == (tableLock{}) {
			delete(l.table.held, id)
		}
	}
	clear(l.held)
}

func (l *tableSet) Close() error {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	if !l.closed {
		l.release()
		l.closed = true
	}
	return nil
}
