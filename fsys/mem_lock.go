package fsys

import (
	"io/fs"
)

// memLockState is who holds the lock of a node.
type memLockState struct {
	exclusive bool
	shared    int
}

type memLock struct {
	tree *tree
	node *node
	name string
	mode LockMode

	free bool // given back; guarded by the mutex of the tree
}

func (m *MemFS) TryLock(name string, mode LockMode) (Lock, error) {
	var l *memLock
	err := m.change("lock", name, func(name string) error {
		if mode != Shared && mode != Exclusive {
			return errInvalid
		}
		p, err := m.reach(name, followsLink)
		if err != nil {
			return err
		}
		n := p.node
		if n == nil {
			if p.dir.nlink == 0 {
				return errNoEntry
			}
			n = m.tree.newNode(modeFile | 0o600)
			m.tree.attach(p.dir, p.base, n)
		}
		if err := wantFile(kindOf(n.mode)); err != nil {
			return err
		}
		if n.lock.exclusive || mode == Exclusive && n.lock.shared > 0 {
			return ErrLocked
		}
		if mode == Exclusive {
			n.lock.exclusive = true
		} else {
			n.lock.shared++
		}
		// A note that is there when we hold the lock was left by somebody who died.
		m.tree.setNote(n, "")
		l = &memLock{tree: m.tree, node: n, name: name, mode: mode}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// setNote replaces the bytes of a lock file.
func (t *tree) setNote(n *node, text string) {
	if text == "" && len(n.data) == 0 {
		return
	}
	t.resize(n, len(text))
	copy(n.data, text)
	n.stamp(t.clock.tick())
}

func (l *memLock) SetNote(text string) error {
	l.tree.mu.Lock()
	defer l.tree.mu.Unlock()
	switch {
	case l.free:
		return pathError("note", l.name, fs.ErrClosed)
	case l.mode != Exclusive:
		return pathError("note", l.name, fs.ErrPermission)
	case len(text) > maxNote:
		return pathError("note", l.name, ErrTooLong)
	}
	l.tree.setNote(l.node, text)
	return nil
}

func (l *memLock) Unlock() error {
	l.tree.mu.Lock()
	defer l.tree.mu.Unlock()
	if l.free {
		return nil
	}
	l.free = true
	if l.mode == Exclusive {
		l.tree.setNote(l.node, "")
		l.node.lock.exclusive = false
	} else {
		l.node.lock.shared--
	}
	return nil
}

func (m *MemFS) LockNote(name string) (string, error) {
	data, _, err := m.ReadFile(name, 0)
	return string(data[:min(len(data), maxNote)]), err
}
