package fsys

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

func (m *MemFS) Lstat(name string) (Info, error) { return m.stat("lstat", name, keepsLink) }

func (m *MemFS) StatInfo(name string) (Info, error) { return m.stat("stat", name, followsLink) }

func (m *MemFS) stat(op, name string, last whichLink) (Info, error) {
	name = Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, last)
	if err != nil {
		return Info{}, pathError(op, name, err)
	}
	return p.node.info(), nil
}

func (m *MemFS) Stat(name string) (os.FileInfo, error) {
	name = Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, followsLink)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return NewFileInfo(name, p.node.info(), typeMode(p.node.mode)), nil
}

// List returns the entries sorted by name.
func (m *MemFS) List(dir string) ([]Entry, error) {
	dir = Clean(dir)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(dir, followsLink)
	if err == nil && !p.node.isDir() {
		err = errNotDir
	}
	if err != nil {
		return nil, pathError("list", dir, err)
	}
	return p.node.list(), nil
}

func (n *node) list() []Entry {
	entries := make([]Entry, 0, len(n.entries))
	for name, child := range n.entries {
		entries = append(entries, Entry{name, kindOf(child.mode)})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries
}

func (m *MemFS) ReadFile(name string, limit int64) ([]byte, Info, error) {
	name = Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, followsLink)
	if err != nil {
		return nil, Info{}, pathError("open", name, err)
	}
	info := p.node.info()
	if err := WantFile(info.Kind); err != nil {
		return nil, info, pathError("read", name, err)
	}
	if limit > 0 && info.Size > limit {
		return nil, info, pathError("read", name, ErrTooLong)
	}
	return append(make([]byte, 0, len(p.node.data)), p.node.data...), info, nil
}

func (m *MemFS) Readlink(name string) (string, error) {
	name = Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, keepsLink)
	if err == nil && !p.node.isLink() {
		err = errInvalid
	}
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	return p.node.text, nil
}

func (m *MemFS) RealPath(name string) (string, error) {
	name = Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, followsLink)
	if err != nil {
		return "", pathError("realpath", name, err)
	}
	real, dir := "/"+p.base, p.dir
	if p.node.isDir() { // which knows its name, also when a link to a root led there
		real, dir = "/", p.node
	}
	for ; dir != m.root && dir != dir.parent; dir = dir.parent {
		real = path.Join("/", dir.name, real)
	}
	if dir != m.root {
		return "", pathError("realpath", name, ErrOutside)
	}
	return real, nil
}

// change carries out do under the lock, and tells its error as op on name.
func (m *MemFS) change(op, name string, do func(name string) error) error {
	name = Clean(name)
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	if err := do(name); err != nil {
		return pathError(op, name, err)
	}
	return nil
}

// create gives a new node the free name.
func (m *MemFS) create(name string, mode uint32) (*node, error) {
	p, err := m.reachNew(name)
	if err != nil {
		return nil, err
	}
	n := m.tree.newNode(mode)
	m.tree.attach(p.dir, p.base, n)
	return n, nil
}

func (m *MemFS) Mkdir(name string, perm fs.FileMode) error {
	return m.change("mkdir", name, func(name string) error {
		_, err := m.create(name, modeDir|uint32(perm.Perm()))
		return err
	})
}

func (m *MemFS) MkdirAll(name string, perm fs.FileMode) error {
	return m.change("mkdir", name, func(name string) error {
		for end := 0; end < len(name); {
			if i := strings.IndexByte(name[end+1:], '/'); i >= 0 {
				end += 1 + i
			} else {
				end = len(name)
			}
			p, err := m.reach(name[:end], followsLink)
			switch {
			case (err == errNoEntry || err == nil && p.node == nil) && m.isLink(name[:end]): // to nothing
				return errExists
			case err != nil:
				return err
			case p.node == nil && p.dir.nlink == 0:
				return errNoEntry
			case p.node == nil:
				m.tree.attach(p.dir, p.base, m.tree.newNode(modeDir|uint32(perm.Perm())))
			case !p.node.isDir():
				return errNotDir
			}
		}
		return nil
	})
}

func (m *MemFS) isLink(name string) bool {
	p, err := m.walk(name, keepsLink)
	return err == nil && p.node != nil && p.node.isLink()
}

func (m *MemFS) Symlink(text, name string) error {
	name = Clean(name)
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	err := CheckLinkText(text)
	if err == nil {
		var n *node
		if n, err = m.create(name, modeLink|0o777); err == nil {
			n.text = text
		}
	}
	if err != nil {
		return &os.LinkError{Op: "symlink", Old: text, New: name, Err: err}
	}
	return nil
}

// Mkfifo makes a FIFO, which stands for all special files.
func (m *MemFS) Mkfifo(name string, perm fs.FileMode) error {
	return m.change("mkfifo", name, func(name string) error {
		_, err := m.create(name, modeFIFO|uint32(perm.Perm()))
		return err
	})
}

func (m *MemFS) Link(oldName, newName string) error {
	return m.change2("link", oldName, m, newName, func(from, to place) error {
		switch {
		case to.node != nil:
			return errExists
		case from.node.isDir():
			return errNoPerm
		}
		m.tree.attach(to.dir, to.base, from.node)
		return nil
	})
}

func (m *MemFS) Rename(oldName, newName string) error { return m.RenameTo(oldName, m, newName) }

func (m *MemFS) RenameTo(oldName string, to FS, newName string) error {
	t, ok := to.(*MemFS)
	if !ok || t.tree != m.tree {
		return &os.LinkError{Op: "rename", Old: Clean(oldName), New: Clean(newName), Err: syscall.EXDEV}
	}
	return m.change2("rename", oldName, t, newName, func(from, to place) error {
		switch {
		case from.node == to.node: // POSIX: two names of one file stay both
			return nil
		case from.node.isDir() && to.dir.under(from.node):
			return errInvalid
		case to.node == nil:
		case from.node.isDir() && !to.node.isDir():
			return errNotDir
		case !from.node.isDir() && to.node.isDir():
			return errIsDir
		case len(to.node.entries) > 0:
			return errNotEmpty
		}
		m.tree.move(from.node, from.dir, from.base, to.dir, to.base)
		return nil
	})
}

// change2 is change for two names, of which the first must exist and the second is one in t, of the same tree.
func (m *MemFS) change2(op, oldName string, t *MemFS, newName string, do func(from, to place) error) error {
	oldName, newName = Clean(oldName), Clean(newName)
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	err := func() error {
		if oldName == "/" || newName == "/" {
			return errBusy
		}
		from, err := m.reach(oldName, keepsLink)
		if err != nil {
			return err
		}
		to, err := t.reach(newName, keepsLink)
		if err != nil {
			return err
		}
		if from.node == nil || to.dir.nlink == 0 {
			return errNoEntry
		}
		return do(from, to)
	}()
	if err != nil {
		return &os.LinkError{Op: op, Old: oldName, New: newName, Err: err}
	}
	return nil
}

func (m *MemFS) Remove(name string) error {
	return m.change("remove", name, func(name string) error {
		p, err := m.reachOld(name, keepsLink)
		switch {
		case err != nil:
			return err
		case name == "/":
			return errBusy
		case len(p.node.entries) > 0:
			return errNotEmpty
		}
		m.tree.detach(p.dir, p.base)
		return nil
	})
}

func (m *MemFS) RemoveAll(name string) error {
	return m.change("removeall", name, func(name string) error {
		p, err := m.reach(name, keepsLink)
		switch {
		case err == errNoEntry:
			return nil
		case err != nil:
			return err
		case name == "/":
			return errBusy
		case p.node != nil:
			m.tree.detachAll(p.dir, p.base, p.node)
		}
		return nil
	})
}

func (t *tree) detachAll(dir *node, base string, n *node) {
	for _, e := range n.list() {
		t.detachAll(n, e.Name, n.entries[e.Name])
	}
	t.detach(dir, base)
}

// alter changes the node that name leads to.
func (m *MemFS) alter(op, name string, do func(n *node)) error {
	return m.change(op, name, func(name string) error {
		p, err := m.reachOld(name, followsLink)
		if err != nil {
			return err
		}
		m.tree.touch(p.node)
		do(p.node)
		p.node.ctime = m.tree.clock.tick()
		return nil
	})
}

func (m *MemFS) Chmod(name string, mode fs.FileMode) error {
	return m.alter("chmod", name, func(n *node) { n.mode = n.mode&modeType | ModePerm(mode) })
}

// Chown changes the time of change and nothing else: there are no owners.
func (m *MemFS) Chown(name string, uid, gid int) error {
	return m.alter("chown", name, func(*node) {})
}

// Chtimes sets the time of modification; there is no time of access.
func (m *MemFS) Chtimes(name string, atime, mtime time.Time) error {
	return m.alter("chtimes", name, func(n *node) {
		if !mtime.IsZero() {
			n.mtime = mtime.UnixNano()
		}
	})
}

func (m *MemFS) CloneFile(src, dst string, perm fs.FileMode) error {
	src, dst = Clean(src), Clean(dst)
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	err := func() error {
		from, err := m.find(src, followsLink)
		if err != nil {
			return err
		}
		if err := WantFile(kindOf(from.node.mode)); err != nil {
			return err
		}
		if perm&^fs.ModePerm != 0 {
			return errInvalid
		}
		n, err := m.create(dst, modeFile|uint32(perm))
		if err != nil {
			return err
		}
		from.node.shared = true
		n.data, n.shared = from.node.data, true
		return nil
	}()
	if err != nil {
		return &os.LinkError{Op: "clone", Old: src, New: dst, Err: err}
	}
	return nil
}

// SyncAll makes every change so far survive a power cut; see RecordUnsynced.
func (m *MemFS) SyncAll() error {
	return m.change("sync", "/", func(string) error {
		if err := m.alive(); err != nil {
			return err
		}
		m.tree.syncAll()
		return nil
	})
}

func (m *MemFS) Create(name string) (afero.File, error) {
	return m.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (m *MemFS) Open(name string) (afero.File, error) { return m.OpenFile(name, os.O_RDONLY, 0) }

func (m *MemFS) OpenNoFollow(name string) (afero.File, error) {
	name = Clean(name)
	p, err := m.look(name, keepsLink)
	if err == nil {
		err = WantFile(kindOf(p.node.mode))
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &memFile{tree: m.tree, node: p.node, name: name, readable: true}, nil
}

func (m *MemFS) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	var f *memFile
	err := m.change("open", name, func(name string) (err error) {
		if f, err = m.open(name, flag, perm); err == nil && f.writable {
			f.node.writers++
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (m *MemFS) open(name string, flag int, perm fs.FileMode) (*memFile, error) {
	writable := flag&(os.O_WRONLY|os.O_RDWR) != 0
	f := &memFile{tree: m.tree, name: name, readable: flag&os.O_WRONLY == 0, writable: writable, appends: flag&os.O_APPEND != 0}
	if !writable && flag&(os.O_CREATE|os.O_TRUNC|os.O_APPEND) == 0 {
		p, err := m.find(name, followsLink)
		f.node = p.node
		return f, err
	}
	if perm&^fs.ModePerm != 0 {
		return nil, errInvalid
	}
	last := followsLink
	if flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL {
		last = keepsLink
	}
	p, err := m.reach(name, last)
	switch {
	case err != nil:
		return nil, err
	case p.node == nil && (flag&os.O_CREATE == 0 || p.dir.nlink == 0):
		return nil, errNoEntry
	case p.node == nil:
		f.node = m.tree.newNode(modeFile | uint32(perm))
		m.tree.attach(p.dir, p.base, f.node)
		return f, nil
	case last == keepsLink:
		return nil, errExists
	case p.node.isDir():
		return nil, errIsDir
	case !p.node.isFile() && writable:
		return nil, errNoReader
	}
	f.node = p.node
	if flag&os.O_TRUNC != 0 && p.node.isFile() {
		m.tree.resize(p.node, 0)
		p.node.stamp(m.tree.clock.tick())
	}
	return f, nil
}

// stamp notes that the bytes changed.
func (n *node) stamp(now int64) { n.mtime, n.ctime = now, now }
