package memfs

import "github.com/haz-build/haz/fsys"

func (m *FS) OpenLocks(name string) (fsys.LockSet, error) {
	var l fsys.LockSet
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
func (m *FS) lockFile(name string) (*node, error) {
	p, err := m.reach(name, followsLink)
	if err != nil {
		return nil, err
	}
	if p.node == nil {
		if p.dir.nlink == 0 {
			return nil, errNoEntry
		}
		n := m.tree.newNode(0o600)
		m.tree.attach(p.dir, p.base, n)
		return n, nil
	}
	return p.node, fsys.WantFile(p.node.kind())
}
