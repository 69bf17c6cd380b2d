package memfs

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
)

func (m *FS) Lstat(name string) (fsys.Info, error) { return m.stat("lstat", name, keepsLink) }

func (m *FS) StatInfo(name string) (fsys.Info, error) { return m.stat("stat", name, followsLink) }

func (m *FS) stat(op, name string, last whichLink) (fsys.Info, error) {
	name = fsys.Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, last)
	if err != nil {
		return fsys.Info{}, pathError(op, name, err)
	}
	return p.node.info(), nil
}

func (m *FS) Stat(name string) (os.FileInfo, error) {
	name = fsys.Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, followsLink)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return fsys.NewFileInfo(name, p.node.info(), p.node.mode), nil
}

// List returns the entries sorted by name.
func (m *FS) List(dir string) ([]fsys.Entry, error) {
	dir = fsys.Clean(dir)
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

func (n *node) list() []fsys.Entry {
	entries := make([]fsys.Entry, 0, len(n.entries))
	for name, child := range n.entries {
		entries = append(entries, fsys.Entry{Name: name, Kind: child.kind()})
	}
	slices.SortFunc(entries, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries
}

func (m *FS) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	name = fsys.Clean(name)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	p, err := m.find(name, followsLink)
	if err != nil {
		return nil, fsys.Info{}, pathError("open", name, err)
	}
	info := p.node.info()
	if err := fsys.WantFile(info.Kind); err != nil {
		return nil, info, pathError("read", name, err)
	}
	if limit > 0 && info.Size > limit {
		return nil, info, pathError("read", name, fsys.ErrTooLong)
	}
	return append(make([]byte, 0, len(p.node.data)), p.node.data...), info, nil
}

func (m *FS) ReadStart(name string, into []byte) (n int, whole bool, err error) {
	data, _, err := m.ReadFile(name, 0)
	return copy(into, data), err == nil && len(data) <= len(into), err
}

func (m *FS) Readlink(name string) (string, error) {
	name = fsys.Clean(name)
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

func (m *FS) RealPath(name string) (string, error) {
	name = fsys.Clean(name)
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
		return "", pathError("realpath", name, fsys.ErrOutside)
	}
	return real, nil
}

// change carries out do under the lock, and tells its error as op on name.
func (m *FS) change(op, name string, do func(name string) error) error {
	name = fsys.Clean(name)
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	if err := do(name); err != nil {
		return pathError(op, name, err)
	}
	return nil
}

// create gives a new node the free name.
func (m *FS) create(name string, mode fs.FileMode) (*node, error) {
	p, err := m.reachNew(name)
	if err != nil {
		return nil, err
	}
	n := m.tree.newNode(mode)
	m.tree.attach(p.dir, p.base, n)
	return n, nil
}

func (m *FS) Mkdir(name string, perm fs.FileMode) error {
	return m.change("mkdir", name, func(name string) error {
		_, err := m.create(name, fs.ModeDir|perm.Perm())
		return err
	})
}

func (m *FS) MkdirAll(name string, perm fs.FileMode) error {
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
				m.tree.attach(p.dir, p.base, m.tree.newNode(fs.ModeDir|perm.Perm()))
			case !p.node.isDir():
				return errNotDir
			}
		}
		return nil
	})
}

func (m *FS) isLink(name string) bool {
	p, err := m.walk(name, keepsLink)
	return err == nil && p.node != nil && p.node.isLink()
}

func (m *FS) Symlink(text, name string) error {
	name = fsys.Clean(name)
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	err := fsys.CheckLinkText(text)
	if err == nil {
		var n *node
		if n, err = m.create(name, fs.ModeSymlink|0o777); err == nil {
			n.text = text
		}
	}
	if err != nil {
		return &os.LinkError{Op: "symlink", Old: text, New: name, Err: err}
	}
	return nil
}

// Mkfifo makes a FIFO, which stands for all special files.
func (m *FS) Mkfifo(name string, perm fs.FileMode) error {
	return m.change("mkfifo", name, func(name string) error {
		_, err := m.create(name, fs.ModeNamedPipe|perm.Perm())
		return err
	})
}

func (m *FS) Link(oldName, newName string) error {
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

func (m *FS) Rename(oldName, newName string) error { return m.RenameTo(oldName, m, newName) }

func (m *FS) RenameTo(oldName string, to fsys.FS, newName string) error {
	t, ok := to.(*FS)
	if !ok || t.tree != m.tree {
		return &os.LinkError{Op: "rename", Old: fsys.Clean(oldName), New: fsys.Clean(newName), Err: syscall.EXDEV}
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
func (m *FS) change2(op, oldName string, t *FS, newName string, do func(from, to place) error) error {
	oldName, newName = fsys.Clean(oldName), fsys.Clean(newName)
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

func (m *FS) Remove(name string) error {
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

func (m *FS) RemoveAll(name string) error {
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
func (m *FS) alter(op, name string, do func(n *node)) error {
	return m.change(op, name, func(name string) error {
		p, err := m.reachOld(name, followsLink)
		if err != nil {
			return err
		}
		m.tree.touch(p.node)
		do(p.node)
		p.node.ctime = m.tree.clock.mark(p.node, m.tree.clock.tick())
		return nil
	})
}

func (m *FS) Chmod(name string, mode fs.FileMode) error {
	return m.alter("chmod", name, func(n *node) { n.mode = n.mode.Type() | fsys.PermMode(fsys.ModePerm(mode)) })
}

// Chown changes the time of change and nothing else: there are no owners.
func (m *FS) Chown(name string, uid, gid int) error {
	return m.alter("chown", name, func(*node) {})
}

// Chtimes sets the time of modification; there is no time of access.
func (m *FS) Chtimes(name string, atime, mtime time.Time) error {
	return m.alter("chtimes", name, func(n *node) {
		if !mtime.IsZero() {
			n.mtime = mtime.UnixNano()
		}
	})
}

func (m *FS) CloneFile(src, dst string, perm fs.FileMode) error {
	src, dst = fsys.Clean(src), fsys.Clean(dst)
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	err := func() error {
		from, err := m.find(src, followsLink)
		if err != nil {
			return err
		}
		if err := fsys.WantFile(from.node.kind()); err != nil {
			return err
		}
		if perm&^fs.ModePerm != 0 {
			return errInvalid
		}
		n, err := m.create(dst, perm)
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
func (m *FS) SyncAll() error {
	return m.change("sync", "/", func(string) error {
		if err := m.alive(); err != nil {
			return err
		}
		m.tree.syncAll()
		return nil
	})
}

func (m *FS) Create(name string) (afero.File, error) {
	return m.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (m *FS) Open(name string) (afero.File, error) { return m.OpenFile(name, os.O_RDONLY, 0) }

func (m *FS) OpenNoFollow(name string) (afero.File, error) {
	name = fsys.Clean(name)
	p, err := m.look(name, keepsLink)
	if err == nil {
		err = fsys.WantFile(p.node.kind())
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &file{tree: m.tree, node: p.node, name: name, readable: true}, nil
}

func (m *FS) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	var f *file
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

func (m *FS) open(name string, flag int, perm fs.FileMode) (*file, error) {
	writable := flag&(os.O_WRONLY|os.O_RDWR) != 0
	f := &file{tree: m.tree, name: name, readable: flag&os.O_WRONLY == 0, writable: writable, appends: flag&os.O_APPEND != 0}
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
		f.node = m.tree.newNode(perm)
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
		p.node.stamp(&m.tree.clock, m.tree.clock.tick())
	}
	return f, nil
}

// stamp notes that the bytes changed.
func (n *node) stamp(c *clock, now int64) {
	now = c.mark(n, now)
	n.mtime, n.ctime = now, now
}
