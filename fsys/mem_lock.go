package fsys

// memLockState is who holds a lock.
type memLockState struct {
	exclusive bool
	shared    int
	mark      int // of the exclusive holder
}

// take is false when a holder excludes mode.
func (s *memLockState) take(mode LockMode, mark int) bool {
	if s.exclusive || mode == Exclusive && s.shared > 0 {
		return false
	}
	if mode == Exclusive {
		s.exclusive, s.mark = true, mark
	} else {
		s.shared++
	}
	return true
}

func (s *memLockState) give(mode LockMode) {
	if mode == Exclusive {
		s.exclusive, s.mark = false, 0
	} else {
		s.shared--
	}
}

// lockFile is the regular file name, made when absent.
func (m *MemFS) lockFile(name string) (*node, error) {
	p, err := m.reach(name, followsLink)
	if err != nil {
		return nil, err
	}
	if p.node == nil {
		if p.dir.nlink == 0 {
			return nil, errNoEntry
		}
		n := m.tree.newNode(modeFile | 0o600)
		m.tree.attach(p.dir, p.base, n)
		return n, nil
	}
	return p.node, wantFile(kindOf(p.node.mode))
}

// memLockSet is a holder of locks of one node.
type memLockSet struct {
	tree *tree
	node *node
	name string

	held   map[LockID]LockMode // guarded by the mutex of the tree
	closed bool
}

func (m *MemFS) OpenLocks(name string) (LockSet, error) {
	var l *memLockSet
	err := m.change("lock", name, func(name string) error {
		n, err := m.lockFile(name)
		l = &memLockSet{tree: m.tree, node: n, name: name, held: map[LockID]LockMode{}}
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (l *memLockSet) do(what func() error) error {
	l.tree.mu.Lock()
	defer l.tree.mu.Unlock()
	if l.closed {
		return closedLocks(l.name)
	}
	return what()
}

func (l *memLockSet) TryLock(id LockID, mode LockMode, mark int) error {
	if err := checkLock(l.name, id, mode, mark); err != nil {
		return err
	}
	return l.do(func() error {
		s := l.node.locks[id]
		if s == nil {
			s = &memLockState{}
		}
		if !s.take(mode, mark) {
			return pathError("lock", l.name, ErrLocked)
		}
		if l.node.locks == nil {
			l.node.locks = map[LockID]*memLockState{}
		}
		l.node.locks[id], l.held[id] = s, mode
		return nil
	})
}

func (l *memLockSet) Mark(id LockID) (mark int, err error) {
	err = l.do(func() error {
		if s := l.node.locks[id]; s != nil && l.held[id] == 0 {
			mark = s.mark
		}
		return nil
	})
	return mark, err
}

func (l *memLockSet) Named() (named bool, err error) {
	err = l.do(func() error {
		named = l.node.nlink > 0
		return nil
	})
	return named, err
}

func (l *memLockSet) Unlock() error {
	return l.do(func() error {
		l.release()
		return nil
	})
}

func (l *memLockSet) release() {
	for id, mode := range l.held {
		s := l.node.locks[id]
		if s.give(mode); *s == (memLockState{}) {
			delete(l.node.locks, id)
		}
	}
	clear(l.held)
}

func (l *memLockSet) Close() error {
	l.tree.mu.Lock()
	defer l.tree.mu.Unlock()
	if !l.closed {
		l.release()
		l.closed = true
	}
	return nil
}
