package fsys

func (m *MemFS) OpenLocks(name string) (LockSet, error) {
	var l LockSet
	err := m.change("lock", name, func(name string) error {
		n, err := m.lockFile(name)
		if err != nil {
			return err
		}
		l = n.locks.Open(name, func() bool {
			m.tree.mu.RLock()
			defer m.tree.mu.RUnlock()
			return n.nlink > 0
		})
		return nil
	})
	return l, err
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
	return p.node, WantFile(kindOf(p.node.mode))
}
